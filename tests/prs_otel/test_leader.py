from __future__ import annotations

from dataclasses import replace

import pytest

from prs_otel import guard, leader
from prs_otel.leader import Leadership
from prs_otel.plan import Plan
from prs_otel.store.base import Lease, Store, StoreError
from tests.prs_otel.rollup.stored import (
    Writer,
    beat,
    counts,
    new_store,
    new_view,
    requests,
)

NOW = 1_700_000_000.0

PLAN = Plan(
    flush_interval=5.0,
    system_metrics_interval=15.0,
    retention_seconds=86_400.0,
    series_limit=50,
    quota_bytes=128_000_000,
    directory="/",
)


class Tally:
    """What is started with a lease and stopped when it is lost."""

    def __init__(self) -> None:
        self.started = 0
        self.stopped = 0

    def start(self, lease: Lease) -> leader.Stop:
        self.started += 1
        return self.stop

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def store() -> Store:
    return new_store()


def contender(store: Store, worker: str) -> Leadership:
    return Leadership(new_view(store), PLAN, beat=beat(worker))


def test_one_of_two_leads_and_the_other_follows_when_the_lease_runs_out(
    store: Store,
) -> None:
    first, second = contender(store, "w1"), contender(store, "w2")

    assert first.contend(NOW)
    assert not second.contend(NOW + 1)
    assert second.contend(NOW + 15)
    assert not first.contend(NOW + 16)


def test_who_resigns_makes_way_at_once(store: Store) -> None:
    first, second = contender(store, "w1"), contender(store, "w2")
    first.contend(NOW)

    first.resign()

    assert second.contend(NOW)


def test_what_a_leader_starts_is_started_once_and_stopped_with_the_lease(
    store: Store,
) -> None:
    tally, first = Tally(), contender(store, "w1")
    first.on_lead(tally.start)
    first.contend(NOW)
    first.contend(NOW + 2)
    assert (tally.started, tally.stopped) == (1, 0)

    contender(store, "w2").contend(NOW + 60)
    first.contend(NOW + 61)

    assert (tally.started, tally.stopped) == (1, 1)
    assert first.lease is None


def test_what_is_registered_while_leading_is_started_with_the_next_renewal(
    store: Store,
) -> None:
    tally, first = Tally(), contender(store, "w1")
    first.contend(NOW)

    first.on_lead(tally.start)
    first.contend(NOW + 2)

    assert tally.started == 1


def test_a_lease_won_back_starts_everything_again(store: Store) -> None:
    tally, first = Tally(), contender(store, "w1")
    first.on_lead(tally.start)
    first.contend(NOW)
    second = contender(store, "w2")
    second.contend(NOW + 60)
    second.resign()

    first.contend(NOW + 62)

    assert (tally.started, tally.stopped) == (2, 1)


def test_a_leader_compacts_rolls_and_tidies(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "_BREATH", 0)
    for n in range(3):
        Writer(store, f"w{n}").append(requests(("/a/", 1)), at=NOW - 60)
    first = contender(store, "w1")
    first.contend(NOW)

    first.work(NOW)

    with store.reading() as reader:
        assert [row.level for row in reader.rows()] == [10]
        rolling = reader.rolling()
    assert rolling is not None
    assert counts(new_view(store), seconds=86_400, now=NOW) == {"/a/": 3}


def test_each_part_of_the_work_is_done_when_it_is_due(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    first = contender(store, "w1")
    first.contend(NOW)
    monkeypatch.setattr(first, "_compact", lambda *_: done.append("compact"))
    monkeypatch.setattr(first, "_roll", lambda *_: done.append("roll"))
    monkeypatch.setattr(store, "forget", lambda **_: done.append("forget"))

    by_second = {}
    for second in (0, 5, 10, 60, 600):
        first.work(NOW + second)
        by_second[second] = list(done)
        done.clear()

    assert by_second == {
        0: ["compact", "roll", "forget"],
        5: [],
        10: ["compact"],
        60: ["compact", "roll"],
        600: ["compact", "roll", "forget"],
    }


def test_what_goes_beyond_the_deltas_is_rolled_up_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled: list[float] = []
    first = contender(store, "w1")
    first.contend(NOW)
    first.work(NOW)
    monkeypatch.setattr(first, "_compact", lambda *_: True)
    monkeypatch.setattr(first, "_roll", lambda now, _: rolled.append(now))

    first.work(NOW + 10)

    assert rolled == [NOW + 10]


def test_who_does_not_lead_does_not_work(store: Store) -> None:
    for n in range(3):
        Writer(store, f"w{n}").append(requests(("/a/", 1)), at=NOW - 60)

    contender(store, "w1").work(NOW)

    with store.reading() as reader:
        assert len(reader.rows()) == 3


KEEPING = replace(PLAN, keeps_lifetime=True)


def levels(store: Store) -> list[int]:
    with store.reading() as reader:
        return [row.level for row in reader.rows()]


def test_a_leader_brings_the_lifetime_up_to_date_before_it_compacts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "_BREATH", 0)
    Writer(store).append(requests(("/a/", 1)), at=NOW - 60)
    first = Leadership(new_view(store), KEEPING, beat=beat("w1"))
    first.contend(NOW)

    first.work(NOW)

    assert levels(store) == [10]
    with store.reading() as reader:
        assert reader.lifetime() is not None


def test_a_lifetime_that_cannot_be_written_puts_compaction_off_for_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bool:
        raise StoreError("full")

    monkeypatch.setattr(leader, "_BREATH", 0)
    monkeypatch.setattr(store, "write_lifetime", fail)
    Writer(store).append(requests(("/a/", 1)), at=NOW - 60)
    first = Leadership(new_view(store), KEEPING, beat=beat("w1"))
    first.contend(NOW)

    for attempt in range(5):
        with pytest.raises(StoreError):
            first.work(NOW + attempt * 10)
    assert levels(store) == [0]

    first.work(NOW + 50)
    assert levels(store) == [10]
    assert guard.report()["leader.lifetime"] == 1
