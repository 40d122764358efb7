"""The template with the variables of docs/sam-local.json: `sam local` passes on only those that a template declares."""

import json
import pathlib
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

if __name__ == "__main__":
    source, variables, target = map(pathlib.Path, sys.argv[1:])
    template = yaml_parse(source.read_text())
    values = json.loads(variables.read_text())["Parameters"]
    functions = [it for it in template["Resources"].values() if it["Type"] == "AWS::Serverless::Function"]
    for function in functions:
        function["Properties"].setdefault("Environment", {}).setdefault("Variables", {}).update(values)
    target.write_text(yaml_dump(template))
