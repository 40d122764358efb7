"""A buyer's life on the deployed stack: through its API, queues, topic, stream and schedule.

Python and boto3, so that nothing of the seller's code judges itself. The clock is the wall's: usage of the hour in
progress is billed when the buyer cancels, and the schedule runs every minute (see overlay.py).
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

PATIENCE = 120
STACK = "journey"
TEST_SOURCE = "test.agreement-marketplace"


def say(text):
    print(f"   {text}", flush=True)


def until(what, ask, patience=PATIENCE):
    """Asks until there is an answer; the stack works by itself meanwhile."""
    deadline, last = time.monotonic() + patience, None
    while time.monotonic() < deadline:
        try:
            answer = ask()
            if answer:
                say(what)
                return answer
        except AssertionError as error:
            last = error
        time.sleep(0.5)
    raise SystemExit(f"FAILED after {patience} s: {what} ({last})")


class Issuer:
    """Issues the tokens that callers of the API present, and serves the keys to verify them."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def document(self, path, url):
        if path.endswith("openid-configuration"):
            return {"issuer": url, "jwks_uri": url + "/keys"}
        numbers = self.key.public_key().public_numbers()
        text = lambda n: encode(n.to_bytes((n.bit_length() + 7) // 8, "big"))
        return {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
                          "n": text(numbers.n), "e": text(numbers.e)}]}

    def token(self, url, **claims):
        now = int(time.time())
        header = {"alg": "RS256", "typ": "JWT", "kid": "1"}
        claims = {"iss": url, "aud": "marketplace", "iat": now - 5, "exp": now + 3600, **claims}
        signed = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encode(signature)}"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Helper(http.server.BaseHTTPRequestHandler):
    """Serves the issuer's keys, and carries the simulator's notifications to EventBridge as AWS does."""

    issuer, events, carried = Issuer(), None, []

    def do_GET(self):
        self.answer(200, self.issuer.document(self.path, f"http://{self.headers['Host']}"))

    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        event = told.get("body", told)
        event = json.loads(event) if isinstance(event, str) else event
        put = self.events.put_events(Entries=[{
            "Source": TEST_SOURCE, "DetailType": event["detail-type"], "Resources": event["resources"],
            "Time": event["time"], "Detail": json.dumps(event["detail"])}])
        self.carried.append(event["detail-type"])
        self.answer(500 if put["FailedEntryCount"] else 200, {})

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def call(method, url, body=None, headers=(), host=None):
    """One HTTP request: status, headers, text."""
    request = urllib.request.Request(url, method=method, data=body.encode() if body is not None else None)
    for name, value in dict(headers).items():
        request.add_header(name, value)
    if host:
        request.add_header("Host", host)
    opener = urllib.request.build_opener(NoRedirects)
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


class Journey:
    def __init__(self, emulator, marketplace, issuer):
        self.emulator, self.marketplace, self.issuer = emulator, marketplace, issuer
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        self.aws = lambda service: session.client(service, endpoint_url=emulator)
        stack = self.aws("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack["StackStatus"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self.host = urllib.parse.urlsplit(self.outputs["ApiUrl"]).netloc
        self.secret = self.current_secret()

    def current_secret(self):
        keeper = self.aws("secretsmanager")
        return keeper.get_secret_value(SecretId=self.outputs["WebhookSecretArn"])["SecretString"]

    def sim(self, method, path, body=None):
        status, _, text = call(method, f"{self.marketplace}/_sim/{path}", json.dumps(body) if body is not None else None)
        assert status < 300, (path, status, text)
        return json.loads(text)

    def stack(self, method, path, body=None, headers=()):
        return call(method, self.emulator + path, body, headers, self.host)

    def api(self, method, path, body=None, role="admin", **claims):
        token = Helper.issuer.token(self.issuer, sub="journey", role=role, **claims)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = hashlib.sha256(f"{path}{body}".encode()).hexdigest()
        status, _, text = self.stack(method, path, json.dumps(body) if body is not None else None, headers)
        return status, json.loads(text) if text else None

    def webhook(self, body, secret):
        text, at = json.dumps(body), str(int(time.time()))
        mac = hmac.new(secret.encode(), f"{at}.{text}".encode(), hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "x-marketplace-timestamp": at,
                   "x-marketplace-signature": f"v1={mac}"}
        return self.stack("POST", "/marketplace/webhook", text, headers)[0]

    def messages(self, url):
        got = self.aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in got:
            self.aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(json.loads(message["Body"])["Message"]) for message in got]

    def waiting(self, output):
        attributes = self.aws("sqs").get_queue_attributes(
            QueueUrl=self.outputs[output], AttributeNames=["ApproximateNumberOfMessages"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def live(self):
        platform = self.platform()
        self.only_what_is_public_is_open()
        bought = self.sim("POST", "purchases", {"entitlements": {"standard": "1"}})
        agreement = bought["agreement_id"]
        say(f"bought: {agreement}")
        subscription = self.registered(agreement)
        self.provisioned(platform, subscription)
        self.used(subscription)
        self.rotated(subscription)
        self.cancelled(agreement, subscription, platform)
        self.billed(subscription)
        self.scheduled()
        for queue in ["NoticesDeadUrl", "SettlementsDeadUrl", "InvocationsDeadUrl"]:
            assert self.waiting(queue) == 0, f"{queue} is not empty"
        say("no dead letter anywhere")

    def platform(self):
        """The platform subscribes a queue of its own to the tenant topic."""
        queue = self.aws("sqs").create_queue(QueueName="platform")["QueueUrl"]
        arn = self.aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.aws("sns").subscribe(TopicArn=self.outputs["TenantTopicArn"], Protocol="sqs", Endpoint=arn)
        return queue

    def only_what_is_public_is_open(self):
        status, _, text = self.stack("GET", "/marketplace/health")
        assert status == 200, (status, text)
        for method, path in [("GET", "/marketplace/subscriptions"), ("POST", "/marketplace/subscriptions/sub_0/meter")]:
            assert self.stack(method, path)[0] == 401, f"{method} {path} is open without a token"
        forged = Issuer().token(self.issuer, sub="journey", role="admin")
        status, _, _ = self.stack("GET", "/marketplace/subscriptions", headers={"Authorization": f"Bearer {forged}"})
        assert status == 401, "a forged token opens the API"
        assert self.stack("GET", "/marketplace/nothing")[0] == 404
        assert self.stack("POST", "/marketplace/webhook", "{}")[0] == 401, "the webhook takes what nobody signed"
        say("only registration, webhook and health are open")

    def registered(self, agreement):
        form = self.sim("POST", f"agreements/{agreement}/fulfilment-form")
        fields = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        status, headers, text = self.stack("POST", "/marketplace/register", urllib.parse.urlencode(form), fields)
        assert status == 200, (status, text)
        cookie = headers["Set-Cookie"].split(";")[0]
        details = urllib.parse.urlencode({"company": "Acme", "contact": "Jo", "email": "jo@example.com"})
        status, _, text = self.stack("POST", "/marketplace/register/complete", details, {**fields, "Cookie": cookie})
        assert status == 200, (status, text)
        say("registered")

        def active():
            status, body = self.api("GET", "/marketplace/subscriptions")
            assert status == 200, (status, body)
            found = [it for it in body["items"] if it["status"] == "ACTIVE"]
            return found and found[0]["id"]

        return until("EventBridge, its queue and the listener made the subscription active", active)

    def provisioned(self, platform, subscription):
        notices = until("the stream and the notifier told the platform to provision", lambda: [
            notice for notice in self.messages(platform) if notice["notice"]["type"] == "provision"])
        assert notices[0]["subscriptionId"] == subscription, notices
        status, body = self.api("PUT", f"/marketplace/subscriptions/{subscription}/tenant", {"tenantId": "acme"})
        assert status == 200, (status, body)
        status, body = self.api("GET", f"/marketplace/subscriptions/{subscription}", role="tenant", tenantId="acme")
        assert status == 200 and body["status"] == "ACTIVE", (status, body)
        say("the tenant sees its subscription")

    def used(self, subscription):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        usage = {"events": [{"key": "scans-1", "metric": "totalScans", "quantity": "620", "at": now},
                            {"key": "users-1", "metric": "totalUsers", "quantity": "30", "at": now}]}
        for _ in range(2):
            status, body = self.api("POST", f"/marketplace/subscriptions/{subscription}/meter", usage, role="meter")
            assert status == 200, (status, body)
        report = {"id": "report-1", "type": "usage.reported", "subscriptionId": subscription,
                  "events": [{"key": "scans-2", "dimension": "scans", "quantity": 5, "at": now}]}
        assert self.webhook(report, self.secret) == 200
        status, body = self.api("GET", f"/marketplace/subscriptions/{subscription}/usage")
        assert status == 200, (status, body)
        say("usage is counted, once, from API and webhook")

    def rotated(self, subscription):
        """A new secret is taken without a deployment, and the former one is still believed."""
        former, new = self.secret, "a-new-secret-that-has-more-than-32-characters"
        self.aws("secretsmanager").put_secret_value(SecretId=self.outputs["WebhookSecretArn"], SecretString=new)
        # An instance reads the secret again after five minutes; a new one reads it at its start.
        function, lambdas = f"{STACK}-webhook", self.aws("lambda")
        variables = lambdas.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        variables["LOG_LEVEL"] = "debug"
        lambdas.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        report = lambda n: {"id": f"report-{n}", "type": "usage.reported", "subscriptionId": subscription, "events": [
            {"key": f"scans-{n}", "dimension": "scans", "quantity": 1, "at": at}]}
        until("the new webhook secret is believed", lambda: self.webhook(report("new"), new) == 200)
        assert self.webhook(report("former"), former) == 200, "the former secret is not believed in its window"
        assert self.webhook(report("other"), "another-secret-that-has-more-than-32-characters") == 401
        say("the former one too, another not")

    def cancelled(self, agreement, subscription, platform):
        self.sim("POST", f"agreements/{agreement}/cancel")

        def invoiced():
            lines = self.sim("GET", "invoice")
            text = json.dumps(lines)
            return "scans" in text and "users" in text and lines

        until("the flush went through the settlement queue, and AWS billed the last hour", invoiced)
        until("the platform is told to revoke", lambda: [
            notice for notice in self.messages(platform) if notice["notice"]["type"] == "revoke"])

    def billed(self, subscription):
        def settled():
            status, body = self.api("GET", f"/marketplace/subscriptions/{subscription}/billing")
            assert status == 200, (status, body)
            return all(line["due"] == line["balance"]["metered"] for line in body["lines"]) and body

        bill = until("our bill says: all that is due is metered", settled)
        due = {line["dimension"]: line["due"] for line in bill["lines"] if line["due"] != "0"}
        invoice = {line["dimension"]: line["quantity"] for line in self.sim("GET", "invoice")}
        say(f"due and metered: {due}; AWS's invoice: {invoice}")
        # 620 + 5 + 1 + 1 scans and 30 users, of which the plan STANDARD includes 500 and 25.
        assert due == invoice == {"scans": "127", "users": "5"}

    def scheduled(self):
        """The schedule invoked the scheduler by itself: its metric is in the log."""
        logs = self.aws("logs")

        def ran():
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{STACK}-metering-scheduler")["events"]
            return any('"SettlementRuns":1' in event["message"] for event in found)

        until("the schedule ran the scheduler", ran)


def serve(emulator):
    Helper.events = boto3.client("events", endpoint_url=emulator, region_name="us-east-1",
                                 aws_access_key_id="test", aws_secret_access_key="test")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Helper)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(url, process, log):
    for _ in range(120):
        try:
            if call("GET", url)[0] < 500:
                return
        except OSError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.5)
    raise SystemExit(f"FAILED: nothing answers at {url}:\n{log.read_text()}")


def main(tools, binaries, simulator, work):
    """Starts the simulator and the emulator, deploys the template, lives the journey, and stops what it started."""
    work.mkdir(parents=True, exist_ok=True)
    sam, ministack = tools / "sam/bin", tools / "emulator/bin"
    ports = {"emulator": free_port(), "marketplace": free_port()}
    emulator, marketplace = (f"http://127.0.0.1:{ports[name]}" for name in ("emulator", "marketplace"))
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": emulator, "SAM_CLI_TELEMETRY": "0", "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(ports["emulator"]), "TMPDIR": str(work), "LOG_LEVEL": "INFO",
    }
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        environment.pop(name, None)
    issuer = serve(emulator)
    started, logs = [], {}

    def start(name, command):
        logs[name] = work / f"{name}.log"
        with logs[name].open("w") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment))
        return started[-1]

    try:
        process = start("simulator", [
            simulator, "--port", str(ports["marketplace"]), "--deliver-to", issuer,
            "--config", pathlib.Path(__file__).parent / "listing.toml"])
        wait_for(f"{marketplace}/_sim/health", process, logs["simulator"])
        process = start("emulator", [ministack / "ministack"])
        wait_for(f"{emulator}/_ministack/health", process, logs["emulator"])
        say(f"simulator and emulator are up; deploying {binaries}")
        template = work / "template.yaml"
        here = pathlib.Path(__file__).parent
        root = here.parent.parent
        subprocess.run([sam / "python", here / "overlay.py", root / "template.yaml", template, binaries, emulator,
                        marketplace], check=True, env=environment)
        begun = time.monotonic()
        call("PUT", f"{emulator}/artefacts", "", {"Authorization": "AWS4-HMAC-SHA256 Credential=test/x/us-east-1/s3/x"})
        deployed = subprocess.run(
            [sam / "sam", "deploy", "--template-file", template, "--stack-name", STACK, "--s3-bucket", "artefacts",
             "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar", "--region", "us-east-1",
             "--parameter-overrides", "ProductCode=abcd1234efgh5678ijkl9012m", "ProductId=prod-abcdefghijklm", f"JwtIssuer={issuer}",
             "Architecture=x86_64"],
            env=environment, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        (work / "deploy.log").write_text(deployed.stdout)
        if deployed.returncode:
            raise SystemExit(f"FAILED: sam deploy:\n{deployed.stdout[-6000:]}")
        say(f"deployed in {time.monotonic() - begun:.1f} s")
        Journey(emulator, marketplace, issuer).live()
        print("   the deployed stack lived the journey", flush=True)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


if __name__ == "__main__":
    main(*(pathlib.Path(argument).absolute() for argument in sys.argv[1:]))
