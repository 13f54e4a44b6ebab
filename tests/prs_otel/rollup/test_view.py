from __future__ import annotations

import threading

import pytest

from prs_otel.rollup import series
from prs_otel.rollup import view as viewing
from prs_otel.rollup.accumulator import Accumulator
from prs_otel.rollup.compaction import Compactor
from prs_otel.rollup.gauge import reading
from prs_otel.rollup.view import MetricsView
from prs_otel.store.base import Store, StoreError
from prs_otel.store.memory import MemoryStore
from tests.prs_otel.rollup.stored import (
    LIMIT,
    Writer,
    beat,
    counts,
    new_store,
    new_view,
    requests,
)
from tests.prs_otel.rollup.test_codec import sample

NOW = 1_700_000_000.0
DAY = 86_400.0


@pytest.fixture
def store() -> Store:
    return new_store()


@pytest.fixture
def view(store: Store) -> MetricsView:
    return new_view(store)


def lead(store: Store, view: MetricsView, *, now: float) -> int:
    """Take the lease, compact, let `view` follow; return the number of replacements."""
    lease = store.acquire("leader", holder="w1", host="h", pid=1, ttl=10, now=now)
    assert lease is not None
    compactor = Compactor(store, series_limit=LIMIT, retention_seconds=DAY)
    replacements = list(compactor.compact(now=now, epoch=lease.epoch))
    for replacement in replacements:
        view.follow(replacement)
    return len(replacements)


def roll(store: Store, view: MetricsView, *, now: float) -> None:
    lease = store.acquire("leader", holder="w1", host="h", pid=1, ttl=10, now=now)
    assert lease is not None
    ids, cells = view.rolling(DAY, now=now)
    assert store.write_rolling(ids, cells, epoch=lease.epoch)


def test_the_view_is_the_sum_of_all_workers(store: Store, view: MetricsView) -> None:
    Writer(store, "w1").append(requests(("/a/", 10), ("/b/", 20)), at=NOW)
    Writer(store, "w2").append(requests(("/a/", 30)), at=NOW)

    window = view.window(60, now=NOW)

    assert window.figures(series.REQUEST)["/a/", "GET"].count == 2
    assert window.total(series.REQUEST).count == 3
    assert window.total(series.REQUEST).total == pytest.approx(60e-9)
    assert window.total(series.QUERY).count == 0


def test_what_arrives_later_is_added_and_what_slides_out_is_subtracted(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 10)), at=NOW)
    assert counts(view, seconds=60, now=NOW) == {"/a/": 1}

    writer.append(requests(("/b/", 10)), at=NOW + 30)
    assert counts(view, seconds=60, now=NOW + 30) == {"/a/": 1, "/b/": 1}

    assert counts(view, seconds=60, now=NOW + 70) == {"/b/": 1}


def test_a_reader_follows_compaction_without_reading_again(
    store: Store, view: MetricsView
) -> None:
    for n in range(6):
        Writer(store, f"w{n}").append(requests(("/a/", 10)), at=NOW - 60)
    leader, follower = view, new_view(store)
    assert counts(leader, seconds=600, now=NOW) == {"/a/": 6}
    assert counts(follower, seconds=600, now=NOW) == {"/a/": 6}

    assert lead(store, leader, now=NOW) == 1

    assert counts(leader, seconds=600, now=NOW) == {"/a/": 6}
    assert counts(follower, seconds=600, now=NOW) == {"/a/": 6}
    with store.reading() as reader:
        assert [row.level for row in reader.rows()] == [10]


def test_a_reader_that_saw_half_of_a_slot_follows_the_merge_of_the_whole(
    store: Store, view: MetricsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = NOW - NOW % 10 - 60
    follower = new_view(store)
    Writer(store, "w1").append(requests(("/a/", 10)), at=slot + 5)
    assert counts(follower, seconds=600, now=NOW) == {"/a/": 1}
    Writer(store, "w2").append(requests(("/b/", 10)), at=slot + 8)
    lead(store, view, now=NOW)

    def refuse(_: Accumulator) -> None:
        pytest.fail("it need not begin anew")

    monkeypatch.setattr(Accumulator, "begin", refuse)
    assert counts(follower, seconds=600, now=NOW) == {"/a/": 1, "/b/": 1}


def test_compaction_folds_beyond_the_cap_and_keeps_the_total(
    store: Store, view: MetricsView
) -> None:
    for n in range(4):
        names = [(f"/{n}/{i}/", 10) for i in range(30)]
        Writer(store, f"w{n}").append(requests(*names, ("/big/", 10)), at=NOW - 60)
    follower = new_view(store)
    follower.window(600, now=NOW)
    view.window(600, now=NOW)

    lead(store, view, now=NOW)

    for each in (view, follower, new_view(store)):
        window = each.window(600, now=NOW)
        assert window.total(series.REQUEST).count == 124
        assert window.figures(series.REQUEST)["/big/", "GET"].count == 4
        assert len(window.figures(series.REQUEST)) <= LIMIT + 1


def test_evicted_buckets_make_the_reader_begin_anew(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 10)), at=NOW)
    writer.append(requests(("/b/", 10)), at=NOW + 5)
    assert counts(view, seconds=60, now=NOW + 5) == {"/a/": 1, "/b/": 1}
    lease = store.acquire("leader", holder="w1", host="h", pid=1, ttl=10, now=NOW)
    with store.reading() as reader:
        first = reader.rows()[0]
    assert lease is not None
    store.replace([first.id], None, keeps_series=False, epoch=lease.epoch)

    assert counts(view, seconds=60, now=NOW + 5) == {"/b/": 1}


def test_a_cold_reader_starts_from_the_leaders_rolling_total(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    for n in range(20):
        writer.append(requests(("/a/", 10)), at=NOW + 5 * n)
    roll(store, view, now=NOW + 95)
    writer.append(requests(("/b/", 10)), at=NOW + 100)

    cold = new_view(store)

    assert counts(cold, seconds=DAY, now=NOW + 100) == {"/a/": 20, "/b/": 1}


def test_a_rolling_total_that_no_longer_fits_the_buckets_is_not_used(
    store: Store, view: MetricsView
) -> None:
    for n in range(3):
        Writer(store, f"w{n}").append(requests(("/a/", 10)), at=NOW - 60)
    roll(store, view, now=NOW)
    lead(store, view, now=NOW)

    assert counts(new_view(store), seconds=DAY, now=NOW) == {"/a/": 3}


def test_the_window_says_how_much_of_it_is_covered(
    store: Store, view: MetricsView
) -> None:
    with store.reading() as reader:
        began = reader.known_since

    assert view.window(60, now=began + 10).covered_seconds == pytest.approx(10)
    assert view.window(60, now=began + 600).covered_seconds == pytest.approx(60)
    assert view.window(60, now=began + 10).seconds == 60


def test_what_was_evicted_or_has_expired_is_no_longer_covered() -> None:
    store = MemoryStore(clock=lambda: NOW - 2 * DAY)
    view = new_view(store)
    writer = Writer(store)
    for age in (DAY + 4_000, 600, 300):
        writer.append(requests(("/a/", 10)), at=NOW - age)
    assert view.window(2 * DAY, now=NOW).covered_seconds == 2 * DAY

    lead(store, view, now=NOW)
    assert view.window(2 * DAY, now=NOW).covered_seconds == DAY + 4_000
    assert view.window(DAY, now=NOW).covered_seconds == DAY

    with store.reading() as reader:
        newest = reader.rows()[-1]
    store.evict(quota_bytes=newest.size)
    assert view.window(DAY, now=NOW).covered_seconds == pytest.approx(600, abs=10)


def test_the_slowest_samples_come_from_all_buckets(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    for n in range(20):
        samples = {series.QUERY: [sample(duration=n / 10, organization_id=str(n % 2))]}
        writer.append(at=NOW + n, samples=samples)

    slowest = view.slowest(series.QUERY, limit=3, seconds=600, now=NOW + 20)
    of_one = view.slowest(
        series.QUERY,
        limit=2,
        seconds=600,
        now=NOW + 20,
        matches=lambda each: each.organization_id == "0",
    )

    assert [each.duration for each in slowest] == [1.9, 1.8, 1.7]
    assert [each.duration for each in of_one] == [1.8, 1.6]


def test_samples_outside_of_the_window_are_not_shown(
    store: Store, view: MetricsView
) -> None:
    Writer(store).append(at=NOW, samples={series.QUERY: [sample()]})

    assert view.slowest(series.QUERY, limit=3, seconds=60, now=NOW + 100) == []


def test_samples_survive_compaction(store: Store, view: MetricsView) -> None:
    for n in range(3):
        Writer(store, f"w{n}").append(
            requests(("/a/", 1)),
            at=NOW - 60,
            samples={series.QUERY: [sample(duration=float(n))]},
        )

    lead(store, view, now=NOW)

    slowest = view.slowest(series.QUERY, limit=5, seconds=600, now=NOW)
    assert [each.duration for each in slowest] == [2.0, 1.0, 0.0]


def test_gauges_of_all_buckets_are_merged(store: Store, view: MetricsView) -> None:
    key = ("system.cpu.utilization", ("web-1",))
    Writer(store).append(at=NOW, gauges={key: reading(0.2, NOW)})
    Writer(store, "w2").append(at=NOW + 5, gauges={key: reading(0.6, NOW + 5)})

    gauges = view.gauges("system.cpu.utilization", seconds=60, now=NOW + 5)

    assert gauges[("web-1",)].mean == pytest.approx(0.4)
    assert gauges[("web-1",)].last == 0.6
    assert view.gauges("system.memory.utilization", seconds=60, now=NOW + 5) == {}


def test_only_workers_heard_of_lately_are_alive(
    store: Store, view: MetricsView
) -> None:
    for worker, seen_at in (("w1", NOW), ("w2", NOW - 14), ("w3", NOW - 16)):
        seen = beat(worker, seen_at=seen_at)
        store.append(None, worker=worker, sequence=0, beat=seen, texts={})

    assert [each.worker for each in view.workers(now=NOW)] == ["w1", "w2"]


def test_a_worker_from_before_the_clock_was_set_back_is_not_alive(
    store: Store, view: MetricsView
) -> None:
    gone = beat("w1", seen_at=NOW + 3_600)
    store.append(None, worker="w1", sequence=0, beat=gone, texts={})

    assert view.workers(now=NOW) == []


def test_what_is_dated_after_the_window_is_not_in_it(
    store: Store, view: MetricsView
) -> None:
    Writer(store).append(requests(("/a/", 10)), at=NOW + 3_600)

    before_the_clock_was_set_back = counts(view, seconds=60, now=NOW + 3_600)

    assert before_the_clock_was_set_back == {"/a/": 1}
    assert counts(view, seconds=60, now=NOW) == {}
    assert counts(view, seconds=60, now=NOW + 3_600) == {"/a/": 1}


def test_texts_are_found_by_fingerprint(store: Store, view: MetricsView) -> None:
    Writer(store).append(at=NOW, texts={"f1": "SELECT ?"})

    assert view.text("f1") == "SELECT ?"
    assert view.text("f2") == ""


def test_windows_nobody_asks_for_give_their_memory_back(
    store: Store, view: MetricsView
) -> None:
    view.window(60, now=NOW)
    view.window(600, now=NOW + 200)

    view.forget_idle(now=NOW + 400)

    assert list(view._accumulators) == [(600, 0)]


def test_a_former_leader_gives_back_its_rolling_total_too(
    store: Store, view: MetricsView
) -> None:
    view.rolling(DAY, now=NOW)

    view.forget_idle(now=NOW + 301)

    assert not view._accumulators


def test_memory_is_given_back_after_the_clock_was_set_back(
    store: Store, view: MetricsView
) -> None:
    view.window(60, now=NOW)

    view.forget_idle(now=NOW - 3_600)

    assert not view._accumulators


def test_a_view_tells_whether_there_was_anything_to_let_go_of(
    store: Store, view: MetricsView
) -> None:
    view.window(60, now=NOW)

    assert [view.forget_idle(now=NOW + after) for after in (299, 301, 302)] == [
        False,
        True,
        False,
    ]


def test_what_is_being_read_is_not_waited_for_to_see_that_it_is_idle(
    store: Store,
) -> None:
    lock = threading.Lock()
    view = MetricsView(store, series_limit=LIMIT, new_lock=lambda: lock)
    view.window(60, now=NOW)

    with lock:
        view.forget_idle(now=NOW + 301)

    assert view._accumulators


def test_a_reader_does_not_wait_for_ever_for_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewing, "BUSY_TIMEOUT", 0.01)
    lock = threading.Lock()
    view = MetricsView(store, series_limit=LIMIT, new_lock=lambda: lock)

    with lock, pytest.raises(StoreError, match="is reading for too long"):
        view.window(60, now=NOW)


def test_the_least_recently_used_window_makes_room(
    store: Store, view: MetricsView
) -> None:
    for seconds in range(10, 19):
        view.window(float(seconds), now=NOW)

    assert (10.0, 0) not in view._accumulators
    assert len(view._accumulators) == 8


def test_a_late_delta_in_a_merged_bucket_makes_the_reader_begin_anew(
    store: Store, view: MetricsView
) -> None:
    slot = NOW - NOW % 10 - 60
    for n in range(2):
        Writer(store, f"w{n}").append(requests(("/a/", 10)), at=slot + 5)
    lead(store, new_view(store), now=NOW)
    assert counts(view, seconds=600, now=NOW) == {"/a/": 2}

    Writer(store, "late").append(requests(("/b/", 10)), at=slot + 8)
    lead(store, new_view(store), now=NOW)

    assert counts(view, seconds=600, now=NOW) == {"/a/": 2, "/b/": 1}
