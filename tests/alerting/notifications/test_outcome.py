from __future__ import annotations

import pytest

from alerting.notifications.outcome import (
    AGE_LIMIT,
    ATTEMPTS_LIMIT,
    Failure,
    Settlement,
    failed,
    sent,
)
from alerting.notifications.telling import Outcome
from tests.support.notices import telling

NOW = 1_000_000.0


def again(
    attempts: int = 1, jitter: float = 1.0, age: float = 0.0, **failure: float
) -> Settlement:
    return failed(
        Failure("busy", retry_after=failure.get("retry_after")),
        attempts=attempts,
        age=age,
        at=NOW,
        jitter=jitter,
    )


def test_what_is_sent_is_settled_with_those_it_reached() -> None:
    settled = sent(("alice",), at=NOW).apply(
        telling(claimed_by="me", claimed_until=NOW + 60, last_error="busy")
    )

    assert (settled.state, settled.recipients) == (Outcome.SENT, ("alice",))
    assert (settled.settled_at, settled.last_error) == (NOW, "")
    assert (settled.claimed_by, settled.claimed_until) == ("", 0.0)


def test_a_failure_is_tried_again_and_free_for_anybody() -> None:
    settled = again().apply(telling(claimed_by="me", recipients=("alice",)))

    assert (settled.state, settled.next_at) == (Outcome.DUE, NOW + 10)
    assert (settled.last_error, settled.claimed_by) == ("busy", "")
    assert (settled.settled_at, settled.recipients) == (0.0, ("alice",))


@pytest.mark.parametrize(
    ("attempts", "wait"), [(1, 10), (2, 20), (3, 40), (7, 640), (8, 900), (11, 900)]
)
def test_the_longest_wait_doubles_up_to_a_quarter_of_an_hour(
    attempts: int, wait: float
) -> None:
    assert again(attempts).next_at == NOW + wait


@pytest.mark.parametrize(("jitter", "wait"), [(0.5, 20), (0.0, 1)])
def test_the_wait_is_spread_over_its_whole_length(jitter: float, wait: float) -> None:
    assert again(3, jitter).next_at == NOW + wait


def test_a_receiver_that_asks_for_time_gets_it() -> None:
    assert again(retry_after=3600).next_at == NOW + 3600


@pytest.mark.parametrize(("attempts", "age"), [(ATTEMPTS_LIMIT, 0.0), (1, AGE_LIMIT)])
def test_after_so_many_attempts_or_a_day_it_is_given_up(
    attempts: int, age: float
) -> None:
    settlement = again(attempts, age=age)

    assert (settlement.state, settlement.last_error) == (Outcome.DEAD, "busy")


def test_what_is_refused_for_good_is_given_up_at_once() -> None:
    settlement = failed(
        Failure("no " * 500, is_permanent=True), attempts=1, age=0, at=NOW, jitter=1
    )

    assert settlement.state is Outcome.DEAD
    assert len(settlement.last_error) == 500
