from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.channels import build_channel
from alerting.channels.document import ALERT_LIMIT, LIMIT, encoded
from alerting.channels.webhook import WebhookChannel, WebhookOptions
from alerting.rules import Severity
from tests.support.clock import Clock
from tests.support.notices import message, notice, resolution
from tests.support.receiver import Receiver, receiver

SECRET = "known-to-both-sides"


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def document(*notices: Any, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encoded(message(*notices, **changes)))
    return found


def test_whoever_knows_the_secret_can_verify_what_came(server: Receiver) -> None:
    build_channel({"type": "webhook", "url": server.origin, "secret": SECRET}).send(
        message()
    )

    [request] = server.requests
    signed = request.headers["X-Prs-Timestamp"].encode() + b"." + request.body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert request.headers["X-Prs-Signature"] == f"v1={expected}"
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"


def test_every_attempt_has_the_same_key_and_body_and_its_own_time(
    server: Receiver,
) -> None:
    clock = Clock()
    options = WebhookOptions.model_validate(
        {"url": server.origin, "secret": SECRET}, strict=False
    )
    channel = WebhookChannel("ops", options, clock=clock)

    for _ in range(2):
        channel.send(message())
        clock.advance(60)
    channel.send(message(batch="another"))

    first, second, third = server.requests
    assert first.body == second.body
    keys = [each.headers["Idempotency-Key"] for each in server.requests]
    assert keys[0] == keys[1] == message().key != keys[2]
    times = [int(each.headers["X-Prs-Timestamp"]) for each in server.requests]
    assert times == [int(clock.now) - 120, int(clock.now) - 60, int(clock.now)]
    assert first.headers["X-Prs-Signature"] != second.headers["X-Prs-Signature"]
    assert third.json()["id"] == keys[2]


def test_without_a_secret_nothing_is_signed(server: Receiver) -> None:
    build_channel({"type": "webhook", "url": server.origin}).send(message())

    assert "X-Prs-Signature" not in server.requests[0].headers


def test_the_document_of_version_1() -> None:
    found = document()

    [alert] = found.pop("alerts")
    assert found == {
        "version": "1",
        "id": message().key,
        "status": "firing",
        "subject": "[shop] critical: deals_errors",
        "project": "shop",
        "is_digest": False,
        "total": 1,
        "truncated": 0,
    }
    assert alert == {
        "id": "11111111-2222-3333-4444-555555555555",
        "fingerprint": "f" * 32,
        "sequence": 1,
        "status": "firing",
        "kind": "firing",
        "name": "deals_errors",
        "severity": "critical",
        "previous_severity": None,
        "message": "Deals fail: 25 % > 20 %",
        "labels": {"http.route": "/deals/"},
        "annotations": {},
        "runbook_url": None,
        "metric": "http.server.request.error_rate",
        "aggregation": "",
        "operator": ">",
        "threshold": 0.2,
        "value": 0.25,
        "window_seconds": 300.0,
        "lasting_seconds": 60.0,
        "started_at": "2023-11-14T22:12:20+00:00",
        "fired_at": "2023-11-14T22:13:20+00:00",
        "at": "2023-11-14T22:13:20+00:00",
        "ended_at": None,
        "reason": "",
        "evidence": {},
        "silence": {
            "method": "POST",
            "path": "/api/alerting/silences/",
            "body": {
                "matchers": {"alertname": "deals_errors", "http.route": "/deals/"},
                "ends_at": "2023-11-15T00:13:20+00:00",
                "comment": "why",
            },
        },
    }


def test_a_resolution_says_when_it_ended() -> None:
    found = document(resolution(previous_severity=Severity.WARNING))

    assert found["status"] == "resolved"
    assert found["alerts"][0]["status"] == "resolved"
    assert found["alerts"][0]["ended_at"] == "2023-11-14T22:23:20+00:00"
    assert found["alerts"][0]["previous_severity"] == "warning"


def test_a_value_that_json_does_not_know_is_null() -> None:
    found = document(notice(value=float("inf"), threshold=float("nan")))

    assert (found["alerts"][0]["value"], found["alerts"][0]["threshold"]) == (
        None,
        None,
    )


def test_an_alert_whose_evidence_is_too_much_goes_without() -> None:
    [alert] = document(notice(evidence={"x": "y" * ALERT_LIMIT}))["alerts"]

    assert alert["evidence"] == {}
    assert alert["message"] == "Deals fail: 25 % > 20 %"


def test_what_does_not_fit_is_counted_and_the_worst_are_there() -> None:
    mild = [
        notice(sequence=n, severity=Severity.WARNING, evidence={"x": "y" * 20_000})
        for n in range(30)
    ]
    whole = message(*mild, notice(name="worst"), is_digest=True)

    body = encoded(whole)

    found = json.loads(body)
    assert len(body) <= LIMIT
    assert found["alerts"][0]["name"] == "worst"
    assert found["total"] == 31
    assert 0 < found["truncated"] == 31 - len(found["alerts"])
    assert encoded(replace(whole)) == body


def test_the_documentation_shows_how_to_verify(server: Receiver) -> None:
    page = (Path(__file__).parents[3] / "docs" / "channels.md").read_text()
    [code] = re.findall(r"```python\n(def is_genuine.*?)```", page, re.DOTALL)
    scope: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib}
    exec(code, scope)
    is_genuine = scope["is_genuine"]

    build_channel({"type": "webhook", "url": server.origin, "secret": SECRET}).send(
        message()
    )

    [request] = server.requests
    now = int(request.headers["X-Prs-Timestamp"])
    assert is_genuine(request.headers, request.body, SECRET, now)
    assert not is_genuine(request.headers, request.body, SECRET, now + 301)
    assert not is_genuine(request.headers, request.body + b" ", SECRET, now)
    assert not is_genuine(request.headers, request.body, "another-secret", now)
