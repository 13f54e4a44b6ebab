from __future__ import annotations

from typing import Any

import pytest

from alerting.notifications.memory import remembered, seconds_back, set_back
from alerting.notifications.telling import Outcome, Telling
from tests.support.notices import AT, telling

DAY = 86_400.0


def sent(key: str, at: float, **changes: Any) -> Telling:
    return telling(
        **{
            "key": key,
            "state": Outcome.SENT,
            "created_at": at,
            "next_at": at,
            **changes,
        }
    )


def keys(
    *tellings: Telling, wanted: set[str] | None = None, limit: int = 9
) -> list[str]:
    by_key = {each.key: each for each in tellings}
    return list(remembered(by_key, wanted or set(), since=AT, limit=limit))


def test_what_is_due_recent_or_of_a_wanted_alert_is_remembered() -> None:
    found = keys(
        sent("old", AT - 1, alert_id="a"),
        sent("open", AT - 1, alert_id="b"),
        telling(key="due", alert_id="c", created_at=AT - 1, next_at=AT - 1),
        sent("told before", AT - 1, alert_id="c"),
        sent("recent", AT + 1, alert_id="d"),
        wanted={"b"},
    )

    assert found == ["open", "due", "told before", "recent"]


def test_of_what_is_merely_recent_the_latest_are_remembered() -> None:
    recent = [sent(str(at), AT + at, alert_id=str(at)) for at in range(1, 5)]

    assert keys(*recent, wanted={"1"}, limit=2) == ["1", "3", "4"]


@pytest.mark.parametrize(
    ("last", "back"), [(AT - 15, 0.0), (AT + 60, 0.0), (AT + 61, 61.0), (None, DAY)]
)
def test_the_clock_was_set_back_if_it_shows_less_than_it_has(
    last: float | None, back: float
) -> None:
    told = [sent("a", AT - 5), sent("b", AT - 5, settled_at=AT + DAY)]

    assert seconds_back(told, last=last, now=AT) == back


def test_where_nothing_has_happened_nobody_knows_of_a_clock() -> None:
    assert seconds_back([], last=None, now=AT) == 0.0


def test_what_was_told_in_the_future_was_told_before_now() -> None:
    told = sent("a", AT + DAY - 300, settled_at=AT + DAY - 200)

    found = set_back(told, DAY, now=AT)

    assert (found.created_at, found.settled_at) == (AT - 300, AT - 200)


def test_what_comes_late_from_the_future_happens_now() -> None:
    found = set_back(sent("a", AT + DAY, settled_at=AT - 5), 0.0, now=AT)

    assert (found.created_at, found.settled_at) == (AT, AT - 5)


def test_what_waits_waits_no_longer_than_it_had_to() -> None:
    waiting = telling(created_at=AT + DAY, next_at=AT + DAY + 900)
    claimed = telling(created_at=AT, claimed_until=AT + DAY + 120)

    assert set_back(waiting, DAY, now=AT).next_at == AT + 900
    assert set_back(waiting, DAY, now=AT).claimed_until == 0.0
    assert set_back(claimed, DAY, now=AT).claimed_until == AT + 120


def test_what_the_clock_has_not_touched_stays_itself() -> None:
    told, waiting = sent("a", AT - 300), telling(next_at=AT + 900)

    assert set_back(told, DAY, now=AT) is told
    assert set_back(waiting, 0.0, now=AT) is waiting


def test_what_somebody_tries_to_send_is_not_put_off() -> None:
    on_its_way = telling(attempts=1)

    assert on_its_way.held(AT + 60, "silenced") is on_its_way
    assert telling().held(AT + 60, "silenced").next_at == AT + 60
