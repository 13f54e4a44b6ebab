"""What a real Alertmanager makes of what we push."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerting.alert import Kind
from alerting.channels import build_channel
from alerting.notice import Notice
from alerting.rules import Severity
from tests.support.alertmanager import Alertmanager, alertmanager
from tests.support.notices import message, notice
from tests.support.receiver import Receiver, receiver
from tests.support.wait import wait_until

pytestmark = pytest.mark.once


@pytest.fixture
def people() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def real(tmp_path: Path, people: Receiver) -> Iterator[Alertmanager]:
    with alertmanager(tmp_path, webhook=people.origin) as found:
        yield found


def channel_for(real: Alertmanager, *, resend_every: float = 60.0) -> Any:
    url = f"http://127.0.0.1:{real.client.port}"
    return build_channel(
        {"type": "alertmanager", "url": url, "resend_every": resend_every}
    )


def now(**changes: Any) -> Notice:
    at = time.time()
    labels = (("http.route", "/überall/"),)
    times = {"at": at, "fired_at": at - 1, "started_at": at - 60}
    return notice(labels=labels, **{**times, **changes})


def tell(channel: Any, each: Notice) -> None:
    channel.send(message(each, recipients=channel.recipients()))


def told(people: Receiver) -> list[tuple[str, str]]:
    """Return what Alertmanager has told people: severity and status."""
    return [
        (alert["labels"]["severity"], alert["status"])
        for request in people.requests
        for alert in request.json()["alerts"]
    ]


def test_an_alert_is_there_gets_worse_and_is_gone(
    real: Alertmanager, people: Receiver
) -> None:
    channel = channel_for(real)

    tell(channel, now(severity=Severity.WARNING))
    [alert] = real.alerts().values()
    wait_until(lambda: ("warning", "firing") in told(people))
    tell(channel, now(kind=Kind.ESCALATED, previous_severity=Severity.WARNING))
    worse = set(real.alerts())
    wait_until(lambda: ("critical", "firing") in told(people))
    tell(channel, now(kind=Kind.RESOLVED, severity=Severity.WARNING))

    assert alert["labels"] == {
        "alertname": "deals_errors",
        "http_route": "/überall/",
        "severity": "warning",
    }
    assert alert["annotations"]["summary"] == "Deals fail: 25 % > 20 %"
    assert worse == {"critical"}
    assert real.alerts() == {}
    wait_until(lambda: ("critical", "resolved") in told(people))
    assert ("warning", "resolved") in told(people)


def test_what_gets_better_is_there_as_what_it_is(
    real: Alertmanager, people: Receiver
) -> None:
    channel = channel_for(real)
    tell(channel, now())
    wait_until(lambda: ("critical", "firing") in told(people))

    better = {"severity": Severity.WARNING, "previous_severity": Severity.CRITICAL}
    tell(channel, now(kind=Kind.DEESCALATED, sequence=2, **better))

    assert set(real.alerts()) == {"warning"}
    wait_until(lambda: ("critical", "resolved") in told(people))


def test_what_is_resent_stays_and_what_is_not_ends_by_itself(
    real: Alertmanager,
) -> None:
    channel = channel_for(real, resend_every=1)
    tell(channel, now())
    first = real.alerts()["critical"]

    until = time.monotonic() + 6
    while time.monotonic() < until:
        channel.resend([now(fired_at=time.time() - 5)])
        assert set(real.alerts()) == {"critical"}
        time.sleep(1)

    assert real.alerts()["critical"]["endsAt"] > first["endsAt"]
    wait_until(lambda: not real.alerts(), seconds=10)
