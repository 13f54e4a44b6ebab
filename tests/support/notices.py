"""Notices and tellings to try policies and messages on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alerting.alert import Kind, State
from alerting.notice import Notice
from alerting.notifications.message import Message
from alerting.notifications.telling import Telling
from alerting.rules import Severity

AT = 1_700_000_000.0


def notice(**changes: Any) -> Notice:
    """Return a notice of an alert that fired a minute after it began."""
    plain = Notice(
        alert_id="11111111-2222-3333-4444-555555555555",
        fingerprint="f" * 32,
        episode=1,
        sequence=1,
        kind=Kind.FIRING,
        state=State.FIRING,
        name="deals_errors",
        severity=Severity.CRITICAL,
        labels=(("http.route", "/deals/"),),
        at=AT,
        started_at=AT - 60,
        fired_at=AT,
        message="Deals fail: 25 % > 20 %",
        metric="http.server.request.error_rate",
        operator=">",
        threshold=0.2,
        value=0.25,
        window=300.0,
    )
    return replace(plain, **changes)


def resolution(**changes: Any) -> Notice:
    """Return the notice that the same alert is over after ten minutes."""
    return notice(
        **{
            "sequence": 2,
            "kind": Kind.RESOLVED,
            "state": State.RESOLVED,
            "at": AT + 600,
            "value": 0.01,
            "message": "Deals fail: over after 10 min",
            **changes,
        }
    )


def telling(**changes: Any) -> Telling:
    """Return a telling of that notice by mail."""
    plain = Telling(
        key="a:1:email",
        alert_id=notice().alert_id,
        sequence=1,
        fingerprint="f" * 32,
        rule="deals_errors",
        channel="email",
        kind=Kind.FIRING,
        severity=Severity.CRITICAL,
        created_at=AT,
        next_at=AT,
    )
    return replace(plain, **changes)


def message(*notices: Notice, **changes: Any) -> Message:
    """Return a message with these notices for Alice and Bob."""
    plain = Message(
        batch="a:1:email",
        notices=notices or (notice(),),
        recipients=("alice@example.org", "bob@example.org"),
        project="shop",
    )
    return replace(plain, **changes)
