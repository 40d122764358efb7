"""The template as the emulator can carry it. Everything else of it is deployed as it stands.

What is replaced, and why:
- code: the binaries that are built already, instead of building them again;
- the file of trusted roots: it is at another place here;
- endpoints: the functions reach the emulator, and the simulator in the place of AWS Marketplace;
- the events' source: PutEvents refuses `aws.` sources, so the rule takes `test.` ones and writes the real source back;
- the issuer: its keys are served over plain HTTP on this machine;
- schedules: minutes instead of hours;
- alarms over metric math: the emulator has none.
"""

import pathlib
import re
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

REAL, TEST = "aws.agreement-marketplace", "test.agreement-marketplace"


def kebab(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def overlaid(template, binaries, emulator, marketplace):
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    variables["AWS_ENDPOINT_URL"] = emulator
    for service in ["METERING", "ENTITLEMENT_SERVICE", "AGREEMENT"]:
        variables[f"AWS_ENDPOINT_URL_MARKETPLACE_{service}"] = marketplace
    del variables["SSL_CERT_FILE"]
    template["Parameters"]["JwtIssuer"]["AllowedPattern"] = "^http://127.0.0.1:[0-9]+$"
    for name, resource in list(template["Resources"].items()):
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            function = kebab(name.removesuffix("Function"))
            properties["CodeUri"] = str(binaries / function)
            del resource["Metadata"]
            for event in properties.get("Events", {}).values():
                if event["Type"] == "Schedule":
                    event["Properties"]["Schedule"] = "rate(1 minute)"
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            del template["Resources"][name]
        if resource["Type"] == "AWS::Events::Rule" and properties["EventPattern"]["source"] == [REAL]:
            properties["EventPattern"]["source"] = [TEST]
            for target in properties["Targets"]:
                target["InputTransformer"] = {
                    "InputPathsMap": {
                        "id": "$.id", "type": "$.detail-type", "account": "$.account", "time": "$.time",
                        "region": "$.region", "resources": "$.resources", "detail": "$.detail",
                    },
                    "InputTemplate": '{"version":"0","id":"<id>","detail-type":"<type>","source":"' + REAL + '",'
                    '"account":"<account>","time":"<time>","region":"<region>","resources":<resources>,'
                    '"detail":<detail>}',
                }
    return template


if __name__ == "__main__":
    source, target, binaries, emulator, marketplace = sys.argv[1:]
    template = yaml_parse(pathlib.Path(source).read_text())
    template = overlaid(template, pathlib.Path(binaries).resolve(), emulator, marketplace)
    pathlib.Path(target).write_text(yaml_dump(template))
