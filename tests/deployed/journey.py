"""A buyer's life on the deployed stack: through its API, queues, topic, stream and schedule.

Python and boto3, so that nothing of the seller's code judges itself. The clock is the wall's: usage of the hour in
progress is billed when the buyer cancels, and the schedule runs every minute (see overlay.py).
"""

import hashlib
import hmac
import json
import pathlib
import sys
import time
import urllib.parse

from stack import HERE, STACK, Stack, say
from stand_ins import Helper, Issuer, call, client

PATIENCE = 120


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


class Journey:
    def __init__(self, stack, outputs):
        self.emulator, self.marketplace, self.issuer = stack.emulator, stack.marketplace, stack.issuer
        self.aws = lambda service: client(service, self.emulator)
        self.outputs = outputs
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

    def waiting(self, queue):
        attributes = self.aws("sqs").get_queue_attributes(
            QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
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
        self.seen(subscription)
        self.rotated(subscription)
        self.cancelled(agreement, subscription, platform)
        self.billed(subscription)
        self.scheduled()
        self.told_endpoints()
        self.logged()
        queues = [self.outputs[f"{name}DeadUrl"] for name in ["Notices", "Settlements", "Invocations"]]
        queues.append(self.aws("sqs").get_queue_url(QueueName=f"{STACK}-webhooks-dead")["QueueUrl"])
        for queue in queues:
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

    def seen(self, subscription):
        """A person comes in by a link that the platform asked for, and that works once."""
        wanted = {"page": "account", "subscriptionId": subscription}
        status, body = self.api("POST", "/marketplace/page-sessions", wanted, role="tenant", tenantId="acme")
        assert status == 201, (status, body)
        link = urllib.parse.urlsplit(body["url"]).path
        status, headers, text = self.stack("GET", link)
        assert status == 303, (status, text)
        cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        status, _, page = self.stack("GET", urllib.parse.urlsplit(headers["Location"]).path, headers=cookie)
        assert status == 200 and "<html" in page and "625" in page, (status, page[:500])
        assert self.stack("GET", link)[0] in (401, 403, 404, 410), "a link opens its page twice"
        say("the account page shows 625 scans, by a link that works once")

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

    def lines(self, function):
        """What a function logged."""
        group, paged = f"/aws/lambda/{STACK}-{function}", self.aws("logs").get_paginator("filter_log_events")
        return [event["message"] for page in paged.paginate(logGroupName=group) for event in page["events"]]

    def scheduled(self):
        """Schedules invoked functions by themselves: their metrics are in the logs."""
        for function, metric in [("metering-scheduler", "SettlementRuns"), ("reconciler", "ReconcileRuns"),
                                 ("reconciler", "RiskChecks"), ("reconciler", "ConservationChecks"),
                                 ("reconciler", "ReservationsExpired")]:
            until(f"a schedule ran {function}: {metric}", lambda: any(
                f'"{metric}":' in line for line in self.lines(function)))

    def told_endpoints(self):
        """The topic fed the sender through its queue; its endpoint is an address where nothing may be sent."""
        until("the topic's queue fed the webhook sender, which sends nothing to a private address", lambda: any(
            "an endpoint did not take a webhook" in line for line in self.lines("webhook-sender")))

    def logged(self):
        """Every function wrote JSON, and none of them an error."""
        functions = sorted(path.name for path in (HERE.parent.parent / "functions").iterdir())
        for function in functions:
            lines = [line for line in self.lines(function) if line.startswith("{")]
            assert any('"message":"starting"' in line for line in lines), f"{function} did not log its start"
            errors = [line for line in lines if json.loads(line).get("level") == "ERROR"]
            assert not errors, f"{function} logged {errors[0]}"
        say(f"{len(functions)} functions ran and logged no error")


def main(tools, binaries, simulator, work):
    """Starts the simulator and the emulator, deploys the template, lives the journey, and stops what it started."""
    work.mkdir(parents=True, exist_ok=True)
    stack = Stack(tools, work)
    with stack.neighbours(simulator):
        say(f"simulator and emulator are up; deploying {binaries}")
        outputs = stack.deploy(binaries)
        stack.is_refused_elsewhere()
        stack.stands_beside_another(outputs)
        Journey(stack, outputs).live()
        say("the deployed stack lived the journey")


if __name__ == "__main__":
    main(*(pathlib.Path(argument).absolute() for argument in sys.argv[1:]))
