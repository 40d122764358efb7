"""What stands around the deployed stack: an issuer of tokens, AWS Marketplace's way into EventBridge, and plain HTTP."""

import base64
import http.server
import json
import socket
import threading
import time
import urllib.error
import urllib.request

import boto3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

REGION = "us-east-1"
TEST_SOURCE = "test.agreement-marketplace"


def client(service, emulator, region=REGION):
    return boto3.client(service, endpoint_url=emulator, region_name=region, aws_access_key_id="test",
                        aws_secret_access_key="test")


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


def serve(emulator):
    Helper.events = client("events", emulator)
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
