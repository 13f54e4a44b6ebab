"""Try whether an alert of a rule would reach anybody, without there being one.

A rehearsal goes straight to the channels: it is no alert, so no history keeps it, and neither
cooldown, silence nor hourly limit holds it back.
"""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict

from alerting.alert import Kind, State
from alerting.channels import DeliveryError
from alerting.channels.availability import why_unavailable
from alerting.labels import fingerprint, frozen
from alerting.notice import Notice
from alerting.notifications.firing import labels_of
from alerting.notifications.message import Message
from alerting.rules import Severity
from alerting.text import clean, described

if TYPE_CHECKING:
    from alerting.channels import Channel
    from alerting.notifications.routing import Routing
    from alerting.rules import AnyRule

__all__ = ["Attempt", "Rehearsal", "named", "rehearse"]

MARK: Final = "TEST"
MESSAGE: Final = (
    "This is a test of the rule's notifications. Nothing is wrong, and no message that it "
    "is over will follow."
)


class Attempt(BaseModel):
    """What became of the rehearsal on one channel; a skipped one cannot be used."""

    model_config = ConfigDict(frozen=True)

    channel: str
    outcome: Literal["delivered", "failed", "skipped"]
    recipients: list[str]
    reason: str


class Rehearsal(BaseModel):
    """Who was told that this is a test, and who could not be."""

    model_config = ConfigDict(frozen=True)

    rule: str
    severity: Severity
    channels: list[Attempt]
    delivered: int


def named(rules: Iterable[AnyRule], name: str) -> AnyRule:
    """Return the rule of that name; raise `LookupError` with the names that there are."""
    known = {rule.name: rule for rule in rules}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        advice = f"Did you mean {near[0]!r}? " if near else ""
        names = ", ".join(sorted(known))
        raise LookupError(f"There is no rule {name!r}. {advice}The rules are: {names}")
    return known[name]


def rehearse(
    rule: AnyRule,
    channels: Sequence[Channel],
    *,
    routing: Routing,
    project: str,
    now: float,
) -> Rehearsal:
    """Tell every channel that an alert of the rule, at its worst, would be told on.

    One after the other; none keeps the others from being tried.
    """
    notice = _notice(rule, now)
    by_name = {channel.name: channel for channel in channels}
    chosen = routing.channels(labels_of(replace(notice, name=rule.name)), by_name)
    attempts = [_attempt(by_name[name], notice, project) for name in chosen]
    return Rehearsal(
        rule=rule.name,
        severity=notice.severity,
        channels=attempts,
        delivered=sum(each.outcome == "delivered" for each in attempts),
    )


def _attempt(channel: Channel, notice: Notice, project: str) -> Attempt:
    if reason := why_unavailable(channel):
        return _outcome(channel, "skipped", reason=reason)
    try:
        message = Message(
            batch=notice.key,
            notices=(notice,),
            recipients=channel.recipients(),
            project=project,
        )
        reached = channel.send(message)
    except DeliveryError as error:
        reason = clean(str(error))
        return _outcome(channel, "failed", recipients=error.accepted, reason=reason)
    except Exception as error:  # noqa: BLE001 - a channel may be anybody's code
        return _outcome(channel, "failed", reason=described(error))
    return _outcome(channel, "delivered", recipients=reached)


def _outcome(
    channel: Channel,
    outcome: Literal["delivered", "failed", "skipped"],
    *,
    recipients: Sequence[str] = (),
    reason: str = "",
) -> Attempt:
    return Attempt(
        channel=channel.name,
        outcome=outcome,
        recipients=list(recipients),
        reason=reason,
    )


def _notice(rule: AnyRule, now: float) -> Notice:
    # The mark is in the name, which every channel shows, whoever has written it.
    name = f"{MARK} {rule.name}"
    return Notice(
        # Its own each time: a receiver that joins repeats must not swallow the second rehearsal.
        alert_id=str(uuid.uuid4()),
        fingerprint=fingerprint(name, ()),
        episode=1,
        sequence=1,
        kind=Kind.FIRING,
        state=State.FIRING,
        name=name,
        severity=max(rule.rungs, key=lambda rung: rung.severity.rank).severity,
        labels=(),
        at=now,
        started_at=now,
        fired_at=now,
        message=MESSAGE,
        rule_labels=frozen({**rule.labels, "prs.test": "true"}),
    )
