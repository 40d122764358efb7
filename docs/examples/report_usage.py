"""Reports usage, asks what is left, and reads the reports back, page by page.

Needs URL, TOKEN and SUBSCRIPTION in the environment; nothing but the standard library. The types are made from the
document:

    datamodel-codegen --input openapi.json --input-file-type openapi \
        --output-model-type typing.TypedDict --output contract.py
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Iterator, cast

if TYPE_CHECKING:
    from contract import Decision, Problem, UsageEvent, UsageEventPage, UsageReport, UsageResults

BASE = f"{os.environ['URL']}/marketplace/subscriptions/{os.environ['SUBSCRIPTION']}"


class Refused(Exception):
    """The request was not carried out; program by ``problem['code']``."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem['status']} {problem['code']}: {problem['detail']}")
        self.problem = problem


def call(method: str, path: str, body: object = None) -> Any:
    """One request; comes again as long as the API asks for it."""
    request = urllib.request.Request(BASE + path, method=method)
    request.add_header("Authorization", f"Bearer {os.environ['TOKEN']}")
    data = None
    if body is not None:
        request.add_header("Content-Type", "application/json")
        data = json.dumps(body).encode()
    for attempt in range(5):
        try:
            with urllib.request.urlopen(request, data) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 500, 502, 503, 504) or attempt == 4:
                raise Refused(cast("Problem", json.load(error))) from error
            time.sleep(float(error.headers.get("Retry-After", 2**attempt)))
    raise AssertionError("unreachable")


def report(events: list[UsageReport]) -> UsageResults:
    """Sending the same again is safe: every event has its key."""
    return cast("UsageResults", call("POST", "/meter", {"events": events}))


def reports() -> Iterator[UsageEvent]:
    """Every report of this month."""
    cursor = ""
    while True:
        page = cast("UsageEventPage", call("GET", f"/usage/events?limit=2{cursor}"))
        yield from page["items"]
        following = page.get("nextCursor")
        if not following:
            return
        cursor = f"&cursor={following}"


def main() -> None:
    event: UsageReport = {
        "key": f"python-{time.time_ns()}",
        "metric": "totalScans",
        "quantity": "1.5",  # a decimal is text: it never passes through a float
        "at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tags": {"CostCenter": "4711"},
    }
    print(report([event])["results"][0]["status"])
    print(report([event])["results"][0]["status"])
    try:
        report([{**event, "quantity": "2"}])
    except Refused as refused:
        print(refused)
    else:
        raise SystemExit("another event under the same key was taken")
    decision = cast("Decision", call("POST", "/entitlements/check", {"metric": "totalScans"}))
    print("allowed" if decision["allowed"] else decision["code"])
    found = [reported for reported in reports() if reported["key"] == event["key"]]
    print(f"read back: {found[0]['quantity']} {found[0]['tags']}")


if __name__ == "__main__":
    main()
