"""The stack: the emulator and the simulator are started, and the template is deployed into them."""

import contextlib
import os
import pathlib
import platform
import subprocess
import time

from botocore.exceptions import ClientError

from stand_ins import REGION, call, client, free_port, serve, wait_for

STACK = "journey"
HERE = pathlib.Path(__file__).parent
PRODUCT = {"ProductCode": "abcd1234efgh5678ijkl9012m", "ProductId": "prod-abcdefghijklm"}
# Nobody may be asked at this address: what is to go there is tried, refused and kept.
ENDPOINTS = ('[{"name":"nobody","url":"https://169.254.169.254/",'
             '"keys":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}]')


def say(text):
    print(f"   {text}", flush=True)


class Stack:
    """Where everything is, and the deployed stack's outputs."""

    def __init__(self, tools, work):
        self.sam, self.ministack, self.work = tools / "sam/bin", tools / "emulator/bin", work
        ports = {"emulator": free_port(), "marketplace": free_port()}
        self.emulator, self.marketplace = (f"http://127.0.0.1:{port}" for port in ports.values())
        self.environment = {
            **os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.emulator, "SAM_CLI_TELEMETRY": "0",
            "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(ports["emulator"]), "TMPDIR": str(work), "LOG_LEVEL": "INFO",
        }
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            self.environment.pop(name, None)
        self.issuer = serve(self.emulator)
        processor = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
        self.parameters = {**PRODUCT, "JwtIssuer": self.issuer, "Architecture": processor,
                           "OutgoingWebhooksSecret": "endpoints"}

    @contextlib.contextmanager
    def neighbours(self, simulator):
        """The simulator as AWS Marketplace, the emulator as the rest of AWS; both are stopped at the end."""
        started = []
        try:
            for name, command, health in [
                ("simulator", [simulator, "--port", self.marketplace.rsplit(":", 1)[1], "--deliver-to", self.issuer,
                               "--config", HERE / "listing.toml"], f"{self.marketplace}/_sim/health"),
                ("emulator", [self.ministack / "ministack"], f"{self.emulator}/_ministack/health"),
            ]:
                log = self.work / f"{name}.log"
                with log.open("w") as output:
                    started.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT,
                                                    env=self.environment))
                wait_for(health, started[-1], log)
            yield
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()

    def deploy(self, binaries):
        template = self.work / "template.yaml"
        subprocess.run([self.sam / "python", HERE / "overlay.py", HERE.parent.parent / "template.yaml", template, binaries,
                        self.emulator, self.marketplace], check=True, env=self.environment)
        client("secretsmanager", self.emulator).create_secret(Name="endpoints", SecretString=ENDPOINTS)
        client("s3", self.emulator).create_bucket(Bucket="artefacts")
        begun = time.monotonic()
        overrides = [f"{name}={value}" for name, value in self.parameters.items()]
        deployed = subprocess.run(
            [self.sam / "sam", "deploy", "--template-file", template, "--stack-name", STACK, "--s3-bucket", "artefacts",
             "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar", "--region", REGION,
             "--parameter-overrides", *overrides],
            env=self.environment, cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        (self.work / "deploy.log").write_text(deployed.stdout)
        if deployed.returncode:
            raise SystemExit(f"FAILED: sam deploy:\n{deployed.stdout[-6000:]}")
        say(f"deployed in {time.monotonic() - begun:.1f} s")
        return self.outputs(STACK)

    def outputs(self, name):
        stack = client("cloudformation", self.emulator).describe_stacks(StackName=name)["Stacks"][0]
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def create(self, name, region=REGION, **changed):
        """Another stack of the template that `sam deploy` packaged."""
        objects = client("s3", self.emulator).list_objects_v2(Bucket="artefacts")["Contents"]
        key = next(it["Key"] for it in objects if it["Key"].endswith(".template"))
        formation = client("cloudformation", self.emulator, region)
        parameters = {**self.parameters, **changed}
        formation.create_stack(
            StackName=name, TemplateURL=f"{self.emulator}/artefacts/{key}",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()])
        formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        return formation

    def is_refused_elsewhere(self):
        try:
            self.create("elsewhere", region="eu-west-1")
        except ClientError as refused:
            assert "Deploy this stack in us-east-1" in str(refused), refused
            return say("eu-west-1 is refused, and the refusal says where to deploy")
        raise SystemExit("FAILED: the stack was made in eu-west-1")

    def stands_beside_another(self, outputs):
        """A stack of another listing, made and removed in the same account."""
        formation = self.create("second", ProductCode="zyxw9876vuts5432rqpo1098n", ProductId="prod-zyxwvutsrqpon")
        second = self.outputs("second")
        shared = {name for name in outputs if outputs[name] == second[name]}
        assert not shared, f"two stacks share {shared}"
        formation.delete_stack(StackName="second")
        formation.get_waiter("stack_delete_complete").wait(StackName="second", WaiterConfig={"Delay": 1})
        health = call("GET", self.emulator + "/marketplace/health", host=outputs["ApiUrl"].split("/")[2])
        assert health[0] == 200, f"removing the second stack broke the first: {health}"
        say("a second stack was made and removed beside it")
