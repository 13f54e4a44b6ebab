from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from alerting.alert import Kind
from alerting.channels import DeliveryError, OptionError, Resending, build_channel
from alerting.channels.alertmanager import (
    CHUNK,
    AlertmanagerChannel,
    AlertmanagerOptions,
)
from alerting.channels.base import SEND_SECONDS
from alerting.rules import Severity
from tests.support.clock import Clock
from tests.support.notices import AT, message, notice, resolution
from tests.support.receiver import Receiver, receiver

FIRED, SOON = "2023-11-14T22:13:20+00:00", "2023-11-14T22:17:20+00:00"


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def channel_for(*servers: Receiver, **options: Any) -> AlertmanagerChannel:
    urls = [server.origin for server in servers]
    read = AlertmanagerOptions(url=urls, **options)  # type: ignore[arg-type]
    return AlertmanagerChannel("am", read, clock=Clock(AT))


def tell(channel: AlertmanagerChannel, *notices: Any) -> tuple[str, ...]:
    return channel.send(message(*notices, recipients=channel.recipients()))


def pushed(server: Receiver) -> list[dict[str, Any]]:
    return [alert for request in server.requests for alert in request.json()]


def severities(server: Receiver) -> list[tuple[str, str]]:
    return [(a["labels"]["severity"], a["endsAt"]) for a in pushed(server)]


def test_an_alarm_is_what_alertmanager_takes(server: Receiver) -> None:
    channel = channel_for(
        server, labels={"team": "shop"}, generator_url="https://shop.example/"
    )

    tell(
        channel,
        notice(
            labels=(("2x", "b"), ("empty", ""), ("http.route", "/deals/")),
            annotations={"summary": "s", "who to ask": "Alice"},
            runbook_url="https://wiki.example/deals",
            evidence={"traces": ["a" * 32]},
        ),
    )

    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/api/v2/alerts")
    assert request.json() == [
        {
            "labels": {
                "alertname": "deals_errors",
                "severity": "critical",
                "team": "shop",
                "http_route": "/deals/",
                "_2x": "b",
            },
            "annotations": {
                "summary": "Deals fail: 25 % > 20 %",
                "who_to_ask": "Alice",
                "evidence": (
                    "value: http.server.request.error_rate = 25 %, threshold > 20 % "
                    "over 5 min\nsince: 2023-11-14 22:12:20 UTC (for 1 min)\n"
                    f"trace: {'a' * 32}"
                ),
                "silence": (
                    'POST /api/alerting/silences/ {"matchers": {"alertname": '
                    '"deals_errors", "http.route": "/deals/"}, '
                    '"ends_at": "2023-11-15T00:13:20+00:00", "comment": "why"}'
                ),
                "runbook_url": "https://wiki.example/deals",
                "alert_id": notice().alert_id,
                "value": "0.25",
            },
            "startsAt": FIRED,
            "endsAt": SOON,
            "generatorURL": "https://shop.example/",
        }
    ]


def test_a_resolution_ends_the_alert(server: Receiver) -> None:
    tell(channel_for(server), resolution())

    assert severities(server) == [("critical", "2023-11-14T22:23:20+00:00")]


def test_what_gets_worse_ends_as_what_it_was(server: Receiver) -> None:
    worse = notice(kind=Kind.ESCALATED, previous_severity=Severity.WARNING)

    tell(channel_for(server), worse)

    assert severities(server) == [("warning", FIRED), ("critical", SOON)]


def test_what_gets_better_ends_as_what_it_was(server: Receiver) -> None:
    better = notice(
        kind=Kind.DEESCALATED,
        severity=Severity.WARNING,
        previous_severity=Severity.CRITICAL,
    )

    tell(channel_for(server), better)

    assert severities(server) == [("critical", FIRED), ("warning", SOON)]


def test_what_got_better_before_it_was_over_ends_as_what_was_told(
    server: Receiver,
) -> None:
    channel = channel_for(server)
    tell(channel, notice())

    tell(channel, resolution(severity=Severity.WARNING))

    assert [severity for severity, _ in severities(server)] == ["critical"] * 2


def test_a_successor_learns_what_was_told_when_it_resends(server: Receiver) -> None:
    channel = channel_for(server)
    channel.resend([notice()])

    tell(channel, resolution(severity=Severity.WARNING))

    assert [severity for severity, _ in severities(server)] == ["critical"] * 2


def test_what_fires_is_said_again_before_it_would_end(server: Receiver) -> None:
    channel = channel_for(server, resend_every="30s")

    channel.resend([notice()])

    assert isinstance(channel, Resending)
    assert channel.resend_every == 30
    assert severities(server) == [("critical", "2023-11-14T22:15:20+00:00")]


def test_a_storm_goes_in_requests_of_bounded_size(server: Receiver) -> None:
    tell(channel_for(server), *[notice()] * (2 * CHUNK + 1))

    assert [len(each.json()) for each in server.requests] == [CHUNK, CHUNK, 1]


def test_each_of_a_cluster_is_told_and_who_has_it_is_not_told_again(
    server: Receiver,
) -> None:
    with receiver() as other:
        channel = channel_for(server, other)
        other.status, other.headers = 503, {"Retry-After": "9"}
        with pytest.raises(DeliveryError) as caught:
            tell(channel, notice())
        other.status = 200
        reached = channel.send(message(recipients=(other.origin,)))

    error = caught.value
    assert (error.permanent, error.retry_after) == (False, 9.0)
    assert error.accepted == (server.origin,)
    assert str(error) == f"{other.origin} answered 503 Service Unavailable"
    assert reached == (other.origin,)
    assert (len(server.requests), len(other.requests)) == (1, 2)


def test_one_that_is_no_longer_configured_is_told_nothing(server: Receiver) -> None:
    gone = message(resolution(), recipients=("http://gone:9093",))

    assert channel_for(server).send(gone) == ("http://gone:9093",)
    assert server.requests == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "'url' is missing; write an address such as 'http://host:9093'"),
        ({"url": []}, "'url' cannot be what it is (list)"),
        ({"url": ["http://a", "http://a/b"]}, "on several hosts"),
        ({"url": "http://a", "labels": {"a": 1}}, "'labels' cannot be {'a': 1}"),
        ({"url": "http://a", "resend_every": "2h"}, "'resend_every' cannot be '2h'"),
        ({"url": "http://a", "generator_url": "x"}, "write the address of your site"),
        ({"url": "http://a", "timeout": 60}, "'timeout' cannot be 60; write a number"),
        ({"url": "http://a", "pigeon": 1}, "'pigeon' is no option of it; write 'name'"),
    ],
)
def test_a_wrong_option_is_told_with_what_to_write(
    options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(OptionError) as caught:
        build_channel({"type": "alertmanager", **options})

    assert expected in str(caught.value)


def test_who_would_have_to_wait_too_long_is_left_for_another_attempt(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as other:
        channel = channel_for(server, other)
        times = iter([AT, AT, AT, AT + SEND_SECONDS + 1])
        monkeypatch.setattr(channel, "_clock", lambda: next(times))
        with pytest.raises(DeliveryError, match="had to wait") as caught:
            tell(channel, notice())

    assert not caught.value.permanent
    assert caught.value.accepted == (server.origin,)
