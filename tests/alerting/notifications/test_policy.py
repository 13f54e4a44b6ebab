"""Decisions one by one; how they play together is in test_runner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alerting.alert import Kind, State
from alerting.notice import Notice
from alerting.notifications.policy import (
    DIGEST_WAIT,
    HOUR,
    Decision,
    Limits,
    Route,
    decide,
    decide_all,
)
from alerting.notifications.telling import Outcome, Telling
from alerting.notifications.told import Told
from alerting.rules import Severity
from tests.support.notices import AT, notice, resolution, telling

EMAIL = Route("email")


def decided(
    about: Notice, *before: Telling, cooldown: float = 0.0, per_hour: int = 10
) -> Decision:
    limits = Limits(cooldown, per_hour)
    return decide(about, EMAIL, Told(before), limits=limits)


def told(about: Notice, *before: Telling, **limits: Any) -> Telling:
    found = decided(about, *before, **limits).telling
    assert found is not None
    return found


def earlier(seconds: float, **changes: Any) -> Telling:
    """Return a telling of an earlier episode of the same alert."""
    at = AT - seconds
    return telling(
        **{
            "key": f"{at}",
            "alert_id": "earlier",
            "state": Outcome.SENT,
            "created_at": at,
            "next_at": at,
            **changes,
        }
    )


def test_an_alarm_is_told_at_once() -> None:
    decision = decided(notice())

    assert decision == Decision(
        telling(key=f"{notice().alert_id}:1:email"), cancelled=()
    )


@pytest.mark.parametrize("kind", [Kind.RECOVERING, Kind.RELAPSED, Kind.DEESCALATED])
def test_what_alarms_nobody_is_not_told(kind: Kind) -> None:
    assert decided(notice(kind=kind)) == Decision(None)


def test_a_channel_that_cannot_be_used_is_skipped() -> None:
    route = Route("email", "ADMINS is empty")

    found = decide(notice(), route, Told(), limits=Limits(0, 10)).telling

    assert found is not None
    assert (found.state, found.reason) == (Outcome.SKIPPED, "ADMINS is empty")


@pytest.mark.parametrize(
    ("before", "until"),
    [
        (earlier(60), AT + 840),
        (earlier(60, settled_at=AT - 30), AT + 870),
        (earlier(60, state=Outcome.DUE), AT + 840),
        (earlier(900), AT),
        # Who was not told cannot be told again.
        (earlier(60, state=Outcome.DEAD), AT),
        (earlier(60, state=Outcome.SKIPPED), AT),
        (earlier(60, state=Outcome.DUE, next_at=AT + 1), AT),
        (earlier(60, kind=Kind.RESOLVED), AT),
        # A milder alarm does not keep back a worse one.
        (earlier(60, severity=Severity.WARNING), AT),
        # Nor does another alert of the same rule.
        (earlier(60, fingerprint="other"), AT),
    ],
)
def test_the_cooldown_counts_from_the_last_time_the_alert_was_told_as_bad(
    before: Telling, until: float
) -> None:
    assert told(notice(), before, cooldown=900).next_at == until


@pytest.mark.parametrize("future", [{"settled_at": AT + HOUR}, {"created_at": AT + 60}])
def test_nobody_was_told_in_the_future(future: dict[str, float]) -> None:
    assert told(notice(), earlier(60, **future), cooldown=900).next_at == AT + 900


def test_a_rule_has_its_own_cooldown() -> None:
    own = notice(cooldown=120.0)

    assert told(own, earlier(60), cooldown=900).next_at == AT + 60
    assert "the cooldown of 2m lasts until" in told(own, earlier(60)).reason


FLAPPING = [earlier(300), earlier(600), earlier(1200), earlier(2400)]


def flapping(*before: Telling, **changes: Any) -> Telling:
    limits = Limits(0.0, 100, flaps=3)
    found = decide(notice(**changes), EMAIL, Told(before), limits=limits).telling
    assert found is not None
    return found


def test_what_comes_and_goes_is_held_until_an_hour_after_the_first_that_counts() -> (
    None
):
    found = flapping(*FLAPPING)

    assert found.next_at == AT - 1200 + HOUR
    assert "it comes and goes, told 4 times in an hour" in found.reason


@pytest.mark.parametrize(
    "before",
    [
        FLAPPING[:2],
        [*FLAPPING[:2], earlier(HOUR)],
        [*FLAPPING[:2], earlier(900, state=Outcome.DEAD)],
        [*FLAPPING[:2], earlier(900, state=Outcome.DUE, next_at=AT + 1)],
        [*FLAPPING[:2], earlier(900, kind=Kind.REMINDER)],
        [*FLAPPING[:2], earlier(900, is_digest=True, batch="d")],
        [*FLAPPING[:2], earlier(900, fingerprint="other")],
        [*FLAPPING[:2], earlier(900, severity=Severity.WARNING)],
    ],
)
def test_what_was_told_less_often_is_told_at_once(before: list[Telling]) -> None:
    assert flapping(*before).next_at == AT


def test_who_flaps_as_a_warning_is_told_at_once_when_critical() -> None:
    mild = [replace(one, severity=Severity.WARNING) for one in FLAPPING]

    assert flapping(*mild).next_at == AT
    assert flapping(*mild, severity=Severity.WARNING).next_at > AT


@pytest.mark.parametrize(
    ("before", "is_digest"),
    [
        ([earlier(10), earlier(20)], True),
        ([earlier(10, state=Outcome.DEAD), earlier(20, state=Outcome.DUE)], True),
        ([earlier(10)], False),
        ([earlier(10), earlier(HOUR)], False),
        ([earlier(10), earlier(20, state=Outcome.SKIPPED)], False),
        ([earlier(10), earlier(20, kind=Kind.RESOLVED)], False),
        ([earlier(10), earlier(20, is_digest=True, batch="d")], False),
        ([earlier(10), earlier(20, rule="other")], False),
    ],
)
def test_the_hourly_limit_counts_alarms_of_the_rule_told_one_by_one(
    before: list[Telling], is_digest: bool
) -> None:
    assert told(notice(), *before, per_hour=2).is_digest is is_digest


def waiting(*before: Telling, about: Notice | None = None) -> Telling:
    limits = Limits(0.0, 10, group_wait=30)
    found = decide(about or notice(), EMAIL, Told(before), limits=limits).telling
    assert found is not None
    return found


def test_the_first_alert_waits_for_others() -> None:
    found = waiting()

    assert found.next_at == AT + 30
    assert found.reason.startswith("waits for other alerts until")


def test_another_alert_waits_no_longer_than_the_first() -> None:
    first = waiting(about=notice(alert_id="other", fingerprint="o", at=AT - 20))

    assert waiting(first).next_at == AT + 10
    assert waiting(replace(first, next_at=AT)).next_at == AT + 30
    assert waiting(replace(first, state=Outcome.SENT)).next_at == AT + 30


def test_an_end_waits_for_nobody() -> None:
    assert waiting(telling(state=Outcome.SENT), about=resolution()).next_at == AT + 600


def digest(at: float, **changes: Any) -> Telling:
    return earlier(
        0,
        **{
            "key": f"digest-{at}",
            "fingerprint": "other",
            "is_digest": True,
            "batch": f"digest-{at}",
            "next_at": at,
            "state": Outcome.DUE,
            **changes,
        },
    )


def test_the_first_digest_gathers_for_a_moment() -> None:
    found = told(notice(), earlier(10), per_hour=1)

    assert found.next_at == AT + DIGEST_WAIT
    assert found.batch == f"digest:{found.key}"


def test_what_comes_while_a_digest_gathers_joins_it() -> None:
    gathering = digest(AT + 30)

    found = told(notice(), earlier(10), gathering, per_hour=1)

    assert (found.batch, found.next_at) == (gathering.batch, AT + 30)


def test_a_digest_goes_on_without_the_alert_that_began_it() -> None:
    first = digest(AT + 30, state=Outcome.SKIPPED)
    second = digest(AT + 30, key="second")

    found = told(notice(), earlier(10), first, second, per_hour=1)

    assert (found.batch, found.next_at) == (first.batch, AT + 30)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": Outcome.SENT},
        {"attempts": 1},
        {"next_at": AT - 60, "state": Outcome.SENT},
    ],
)
def test_the_next_digest_comes_an_hour_after_the_last(
    changes: dict[str, Any],
) -> None:
    last = digest(AT, **changes)

    found = told(notice(), earlier(10), last, per_hour=1)

    assert found.next_at == last.next_at + HOUR
    assert found.batch != last.batch


def test_a_digest_of_resolutions_is_another_one() -> None:
    alarm = telling(state=Outcome.SENT, is_digest=True, batch="x", recipients=("a",))
    of_alarms = digest(AT + 630)

    found = told(resolution(), alarm, of_alarms)

    assert found.is_digest
    assert found.next_at == AT + 600 + DIGEST_WAIT


def test_a_resolution_goes_to_whoever_was_told() -> None:
    first = telling(state=Outcome.SENT, recipients=("alice", "bob"))
    worse = replace(first, key="b", kind=Kind.ESCALATED, recipients=("bob", "carol"))

    found = told(resolution(), first, worse)

    assert found.recipients == ("alice", "bob", "carol")
    assert (found.state, found.next_at) == (Outcome.DUE, AT + 600)


def test_a_resolution_of_an_alarm_on_its_way_follows_it() -> None:
    found = told(resolution(), telling(attempts=1, next_at=AT + 900))

    assert (found.state, found.recipients) == (Outcome.DUE, ())


def test_nobody_is_told_the_end_of_what_he_never_heard_of() -> None:
    found = told(resolution())

    assert (found.state, found.reason) == (
        Outcome.SKIPPED,
        "nobody was told that it fired",
    )


def test_the_reason_of_the_silence_is_repeated() -> None:
    dead = telling(state=Outcome.DEAD, reason="a reason")

    assert told(resolution(), dead).reason == "nobody was told that it fired (a reason)"


def test_what_waits_is_overtaken_by_the_end() -> None:
    held = telling(next_at=AT + 900)

    decision = decided(resolution(), held)

    assert decision.telling is not None
    assert decision.telling.state is Outcome.SKIPPED
    assert [(c.key, c.reason) for c in decision.cancelled] == [
        (held.key, "resolved before it was due")
    ]


def test_what_waits_is_overtaken_by_something_worse() -> None:
    held = telling(next_at=AT + 900, severity=Severity.WARNING)
    worse = notice(kind=Kind.ESCALATED, sequence=2)

    decision = decided(worse, held, cooldown=900)

    assert decision.telling is not None
    assert decision.telling.next_at == AT
    assert [c.reason for c in decision.cancelled] == ["critical since then"]


def test_what_waits_is_overtaken_by_getting_better() -> None:
    held = telling(next_at=AT + 900)
    mild = telling(key="mild", next_at=AT + 900, severity=Severity.WARNING)
    better = notice(kind=Kind.DEESCALATED, severity=Severity.WARNING, sequence=3)

    decision = decided(better, held, mild)

    assert decision.telling is None
    assert [(c.key, c.reason) for c in decision.cancelled] == [
        (held.key, "only warning before it was due")
    ]


BETTER = notice(kind=Kind.DEESCALATED, severity=Severity.WARNING, sequence=3)


def test_what_got_better_before_it_was_told_as_worse_is_told_as_what_it_is() -> None:
    decision = decided(BETTER, telling(next_at=AT + 900))

    assert decision.telling is not None
    assert (
        decision.telling.kind,
        decision.telling.severity,
        decision.telling.next_at,
    ) == (
        Kind.DEESCALATED,
        Severity.WARNING,
        AT,
    )
    assert len(decision.cancelled) == 1


def test_what_got_better_keeps_to_the_limits_like_any_alarm() -> None:
    held = telling(next_at=AT + 900)
    mild = earlier(60, severity=Severity.WARNING)

    assert told(BETTER, held, mild, cooldown=900).next_at == AT + 840
    assert told(BETTER, held, earlier(10), per_hour=1).is_digest


@pytest.mark.parametrize(
    "before",
    [
        telling(key="mild", state=Outcome.SENT, severity=Severity.WARNING),
        telling(key="bad", state=Outcome.SENT),
        telling(key="bad", attempts=1, next_at=AT + 60),
    ],
)
def test_who_knows_of_it_is_not_told_that_it_got_better(before: Telling) -> None:
    held = telling(kind=Kind.ESCALATED, sequence=2, next_at=AT + 900)

    assert decided(BETTER, before, held).telling is None


def test_who_no_longer_gets_such_alerts_is_not_told_that_it_got_better() -> None:
    route = Route("email", is_past=True)

    found = decide(
        BETTER, route, Told([telling(next_at=AT + 900)]), limits=Limits(0, 10)
    )

    assert found.telling is None
    assert len(found.cancelled) == 1


@pytest.mark.parametrize(
    ("before", "channels"),
    [
        (telling(channel="pager", next_at=AT + 900), ["email"]),
        (telling(channel="pager", state=Outcome.DEAD), ["email"]),
        (telling(channel="pager", state=Outcome.SENT), []),
    ],
)
def test_what_got_better_is_told_where_it_comes_now_if_nobody_knows_of_it(
    before: Telling, channels: list[str]
) -> None:
    routes = [EMAIL, Route("pager", is_past=True)]

    tellings, _ = decide_all([(BETTER, routes)], [before], limits=Limits(0, 10))

    assert [telling.channel for telling in tellings] == channels


WORSE = notice(kind=Kind.ESCALATED, sequence=3)
SENT_CRITICAL = telling(key="sent", state=Outcome.SENT)
SENT_WARNING = replace(SENT_CRITICAL, severity=Severity.WARNING)


def shown(about: Notice, *before: Telling, unavailable: str = "") -> Decision:
    mirror = Route("email", unavailable, is_past=True, is_mirror=True)
    limits = Limits(900, 1, flaps=1, group_wait=60)
    return decide(about, mirror, Told(before), limits=limits)


@pytest.mark.parametrize(
    ("about", "before"),
    [
        (BETTER, SENT_CRITICAL),
        (BETTER, replace(SENT_CRITICAL, state=Outcome.DUE, attempts=1)),
        (WORSE, SENT_WARNING),
    ],
)
def test_a_mirror_shows_at_once_how_bad_an_alert_is(
    about: Notice, before: Telling
) -> None:
    waiting = telling(key="waits", kind=Kind.ESCALATED, sequence=2, next_at=AT + 9)
    earlier_critical = earlier(60)

    decision = shown(about, earlier_critical, before, waiting)

    assert decision.telling is not None
    assert (decision.telling.next_at, decision.telling.is_digest) == (AT, False)
    assert [each.key for each in decision.cancelled] == ["waits"]


@pytest.mark.parametrize(
    ("about", "before"),
    [
        (BETTER, SENT_WARNING),
        (replace(BETTER, kind=Kind.RECOVERING), SENT_CRITICAL),
        (BETTER, replace(SENT_CRITICAL, state=Outcome.DEAD)),
        (BETTER, replace(SENT_CRITICAL, state=Outcome.DUE, next_at=AT + 9)),
        (BETTER, replace(SENT_CRITICAL, kind=Kind.RESOLVED)),
    ],
)
def test_a_mirror_that_shows_nothing_else_is_told_nothing(
    about: Notice, before: Telling
) -> None:
    assert shown(about, before).telling is None


def test_what_a_mirror_has_not_been_told_waits_like_anything() -> None:
    found = shown(WORSE, earlier(60)).telling

    assert found is not None
    assert found.next_at == AT + 840


def test_a_mirror_that_cannot_be_used_is_skipped() -> None:
    found = shown(BETTER, SENT_CRITICAL, unavailable="no address").telling

    assert found is not None
    assert (found.state, found.reason) == (Outcome.SKIPPED, "no address")


def test_a_notice_of_a_state_decides_nothing_more() -> None:
    relapse = notice(kind=Kind.RELAPSED, state=State.FIRING)

    assert decided(relapse, telling(next_at=AT + 900)) == Decision(None)
