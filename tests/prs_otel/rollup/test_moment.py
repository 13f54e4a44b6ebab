from __future__ import annotations

from prs_otel.rollup.moment import moment
from tests.prs_otel.rollup.stored import Writer, new_store, requests

NOW = 1_700_000_000.0


def test_a_moment_stands_still_until_something_is_stored() -> None:
    store = new_store()
    writer = Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW)

    before = moment(store, now=NOW + 1)
    assert before == moment(store, now=NOW + 9)
    assert before.end == NOW

    writer.append(requests(("/a/", 1)), at=NOW + 9)
    after = moment(store, now=NOW + 9)
    assert after.state != before.state
    assert after.end == NOW + 9


def test_without_anything_new_it_advances_all_the_same() -> None:
    store = new_store()
    Writer(store).append(requests(("/a/", 1)), at=NOW)

    assert moment(store, now=NOW + 37).end == NOW + 30


def test_a_clock_ahead_of_ours_does_not_move_it() -> None:
    store = new_store()
    Writer(store).append(requests(("/a/", 1)), at=NOW)
    Writer(store, "ahead").append(requests(("/a/", 1)), at=NOW + 3_600)

    assert moment(store, now=NOW + 1).end == NOW


def test_another_store_is_another_state() -> None:
    assert moment(new_store(), now=NOW).state != moment(new_store(), now=NOW).state
