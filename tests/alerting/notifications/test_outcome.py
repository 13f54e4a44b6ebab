from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.notifications.outcome import (
    AGE_LIMIT,
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
    assert (settled.settled_at, settled.recipients) == (NOW, ("alice",))


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


def test_how_often_is_no_reason_to_give_up() -> None:
    settlement = again(100_000, age=AGE_LIMIT - 3600)

    assert (settlement.state, settlement.next_at) == (Outcome.DUE, NOW + 900)


def test_a_day_after_the_first_attempt_it_is_given_up() -> None:
    settlement = again(1, age=AGE_LIMIT)

    assert (settlement.state, settlement.last_error) == (Outcome.DEAD, "busy")


@pytest.mark.parametrize(("left", "wait"), [(100.0, 100), (0.5, 1)])
def test_the_last_attempt_is_made_when_the_day_is_over(
    left: float, wait: float
) -> None:
    assert again(20, age=AGE_LIMIT - left).next_at == NOW + wait
    assert again(20, age=AGE_LIMIT - left, retry_after=1e9).next_at == NOW + wait


def test_the_day_begins_with_the_first_attempt() -> None:
    first = again().apply(telling())
    second = replace(again(2), at=NOW + 60).apply(first)

    assert (first.settled_at, second.settled_at) == (NOW, NOW)


def test_what_is_refused_for_good_is_given_up_at_once() -> None:
    settlement = failed(
        Failure("no " * 500, is_permanent=True), attempts=1, age=0, at=NOW, jitter=1
    )

    assert settlement.state is Outcome.DEAD
    assert len(settlement.last_error) == 500
