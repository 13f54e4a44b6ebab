from __future__ import annotations

from alerting.notifications.muting import Hold
from alerting.notifications.policy import Cancellation
from alerting.notifications.telling import Outcome
from alerting.record import Record
from tests.support.notices import telling

NOW = 1_000.0


def test_what_is_no_longer_known_can_be_neither_cancelled_nor_put_off() -> None:
    record = Record(
        cancelled=(Cancellation("gone", "over"),), held=(Hold("gone", NOW, "full"),)
    )

    assert record.applied({}, now=NOW) == {}


def test_what_is_known_is_cancelled_and_put_off() -> None:
    one, two = telling(key="a:1"), telling(key="b:1")
    record = Record(
        cancelled=(Cancellation(one.key, "over"),), held=(Hold(two.key, 7.0, "full"),)
    )

    found = record.applied({one.key: one, two.key: two}, now=NOW)

    assert found[one.key].state is Outcome.SKIPPED
    assert found[two.key].next_at == 7.0
