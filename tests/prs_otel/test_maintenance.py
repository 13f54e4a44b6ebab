from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from prs_otel import maintenance
from prs_otel.plan import Plan
from prs_otel.rollup import lifetime, series
from prs_otel.store import open_store
from prs_otel.store.base import Store
from tests.prs_otel.rollup.stored import Writer, counts, new_view, requests
from tests.support.measured import Measured

NOW = 1_700_000_000.0
HOUR = 3_600.0
PLAN = Plan(
    flush_interval=5.0,
    system_metrics_interval=15.0,
    retention_seconds=24 * HOUR,
    series_limit=50,
    quota_bytes=128_000_000,
    directory="/",
)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    is_memory = request.param == "memory"
    url = f"memory://{uuid.uuid4().hex}" if is_memory else f"sqlite:///{tmp_path}/s"
    store = open_store(url)
    yield store
    store.close()


def lead(store: Store, holder: str = "leader-1") -> int:
    lease = store.acquire("leader", holder=holder, host="h", pid=1, ttl=10, now=NOW)
    assert lease is not None
    return lease.epoch


def reset(store: Store, now: float = NOW) -> maintenance.Reset:
    return maintenance.reset_counters(new_view(store), now=now, patience=0)


# --- Resetting ------------------------------------------------------------------------


def test_after_a_reset_a_warm_view_starts_from_zero_and_counts_on(store: Store) -> None:
    writer, warm = Writer(store), new_view(store)
    writer.append(requests(("/a/", 1), ("/b/", 1)), at=NOW - 20)
    assert counts(warm, seconds=600, now=NOW) == {"/a/": 1, "/b/": 1}

    done = reset(store)
    assert (done.removed_buckets, done.since) == (1, NOW)
    assert done.removed_bytes > 0
    assert counts(warm, seconds=600, now=NOW) == {}

    writer.append(requests(("/a/", 1)), at=NOW + 10)
    assert counts(warm, seconds=600, now=NOW + 10) == {"/a/": 1}
    assert counts(new_view(store), seconds=600, now=NOW + 10) == {"/a/": 1}


def test_what_a_worker_had_counted_before_a_reset_is_cut_when_it_arrives(
    store: Store,
) -> None:
    reset(store)

    Writer(store).append(requests(("/a/", 1)), at=NOW + 3)

    view = new_view(store)
    assert counts(view, seconds=600, now=NOW + 30) == {}
    # What came after the moment within that delta is not known either.
    assert view.window(600, now=NOW + 30).covered_seconds == 27


def test_a_clock_that_was_set_back_after_a_reset_cuts_nothing(store: Store) -> None:
    reset(store)
    then = NOW - 2 * HOUR

    Writer(store).append(requests(("/a/", 1)), at=then)

    assert counts(new_view(store), seconds=600, now=then) == {"/a/": 1}


def test_of_two_resets_at_once_the_later_moment_counts(store: Store) -> None:
    reset(store, NOW + 5)
    reset(store, NOW)

    Writer(store).append(requests(("/a/", 1)), at=NOW + 8)

    assert counts(new_view(store), seconds=600, now=NOW + 30) == {}
    assert new_view(store).window(600, now=NOW + 30).covered_seconds == 22


def test_a_reset_counts_though_a_clock_was_set_back_after_another(store: Store) -> None:
    reset(store, NOW + 2 * HOUR)
    reset(store, NOW)

    Writer(store, "before").append(requests(("/a/", 1)), at=NOW + 3)
    Writer(store, "after").append(requests(("/a/", 1)), at=NOW + 8)

    assert counts(new_view(store), seconds=600, now=NOW + 8) == {"/a/": 1}


def test_a_damaged_mark_is_none(store: Store) -> None:
    for damaged in (b"\xff", b"yesterday", b"nan", b"inf"):
        store.put("reset", damaged)
        Writer(store, worker=damaged.hex()).append(requests(("/a/", 1)), at=NOW)

    assert counts(new_view(store), seconds=600, now=NOW) == {"/a/": 4}


def test_a_reset_is_known_since_when_it_was_made(store: Store) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW - 20)

    reset(store)

    assert new_view(store).window(600, now=NOW + 30).covered_seconds == 30


def test_a_reset_outlives_the_rolling_total(store: Store) -> None:
    epoch = lead(store)
    Writer(store).append(requests(("/a/", 1)), at=NOW - 20)
    leading = new_view(store)
    maintenance.compact(store, PLAN, NOW)
    ids, total = leading.rolling(24 * HOUR, now=NOW)

    reset(store)
    # What a leader had in hand at that moment.
    store.write_rolling(ids, total, epoch=epoch)

    assert ids
    assert counts(new_view(store), seconds=24 * HOUR, now=NOW) == {}
    assert counts(leading, seconds=24 * HOUR, now=NOW) == {}


def test_a_delta_repeated_after_a_reset_is_not_counted_again(store: Store) -> None:
    writer, again = Writer(store), Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW - 20)

    reset(store)
    again.append(requests(("/a/", 1)), at=NOW - 20)

    assert counts(new_view(store), seconds=600, now=NOW) == {}


def measured_at(now: float, *, host: str = "web-1") -> Measured:
    found = Measured(now=now, host=host, pid=2**30)
    found.request()
    found.flush()
    return found


def test_a_reset_returns_once_every_process_counts_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = measured_at(NOW - 1)
    measured.request()

    def flush(_: float) -> None:
        measured.now += 1
        measured.flush()

    monkeypatch.setattr(time, "sleep", flush)
    done = maintenance.reset_counters(measured.view, now=NOW, patience=60)

    assert (done.processes, done.missed) == (1, 0)
    window = measured.view.window(600, now=measured.now)
    assert window.total(series.REQUEST).count == 0


def test_a_process_that_does_not_answer_is_not_waited_for_any_longer() -> None:
    done = maintenance.reset_counters(measured_at(NOW).view, now=NOW, patience=0)

    assert (done.processes, done.missed) == (0, 1)


def test_a_process_of_this_host_that_has_ended_is_not_waited_for() -> None:
    ended = measured_at(NOW, host=socket.gethostname())

    done = maintenance.reset_counters(ended.view, now=NOW, patience=60)

    assert (done.processes, done.missed) == (0, 0)


def test_what_this_process_holds_is_handed_over_at_once() -> None:
    measured = measured_at(NOW)
    measured.request()

    def flush() -> None:
        measured.now += 1
        measured.flush()

    done = maintenance.reset_counters(measured.view, now=NOW, patience=60, flush=flush)

    assert (done.processes, done.missed) == (1, 0)


# --- Cleaning up ----------------------------------------------------------------------


def test_a_cleanup_drops_what_is_older_than_the_retention(store: Store) -> None:
    writer, warm = Writer(store), new_view(store)
    writer.append(requests(("/old/", 1)), at=NOW - 25 * HOUR, texts={"f": "SELECT"})
    Writer(store, "w2").append(requests(("/new/", 1)), at=NOW - 20)
    assert len(counts(warm, seconds=48 * HOUR, now=NOW)) == 2

    done = maintenance.cleanup(store, PLAN, NOW)

    assert (done.expired_buckets, done.evicted_buckets) == (1, 0)
    assert (done.removed_queries, done.removed_processes) == (1, 1)
    assert done.removed_bytes > 0
    assert counts(warm, seconds=48 * HOUR, now=NOW) == {"/new/": 1}


def test_a_cleanup_drops_what_is_beyond_the_quota() -> None:
    view = measured_at(NOW).view

    done = maintenance.cleanup(view.store, replace(PLAN, quota_bytes=0), NOW)

    assert (done.expired_buckets, done.evicted_buckets) == (0, 1)
    assert done.removed_bytes > 0


# --- Compacting -----------------------------------------------------------------------


@pytest.mark.parametrize("is_led", [True, False])
def test_a_compaction_merges_with_or_without_a_leader(
    store: Store, is_led: bool
) -> None:
    if is_led:
        lead(store)
    for n in range(3):
        Writer(store, f"w{n}").append(requests(("/a/", 1)), at=NOW - 60)
    warm = new_view(store)
    counts(warm, seconds=600, now=NOW)

    done = maintenance.compact(store, PLAN, NOW)

    assert (done.merged_buckets, done.resulting_buckets) == (3, 1)
    assert done.freed_bytes > 0
    assert counts(warm, seconds=600, now=NOW) == {"/a/": 3}
    assert counts(new_view(store), seconds=600, now=NOW) == {"/a/": 3}


@pytest.mark.parametrize("is_led", [True, False])
def test_a_compaction_counts_in_the_lifetime_what_it_merges(
    store: Store, is_led: bool
) -> None:
    if is_led:
        lead(store)
    Writer(store).append(requests(("/a/", 1), ("/a/", 1)), at=NOW - 60)

    maintenance.compact(store, replace(PLAN, keeps_lifetime=True), NOW)

    with store.reading() as reader:
        found = lifetime.counted(reader, limit=10)
        assert [row.level for row in reader.rows()] == [10]
    assert found is not None
    assert [cell.count for cell in found.cells.by_kind[series.REQUEST].values()] == [2]


def test_a_compaction_leaves_the_lease_as_it_was(store: Store) -> None:
    maintenance.compact(store, PLAN, NOW)
    with store.reading() as reader:
        assert reader.lease("leader") is None

    epoch = lead(store)
    maintenance.compact(store, PLAN, NOW)
    with store.reading() as reader:
        lease = reader.lease("leader")
    assert lease is not None
    assert lease.epoch == epoch
