from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import cast

import pytest

from prs_otel.rollup import codec, digests, salvage, series, totals, trends
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.digest import Selection
from prs_otel.rollup.gauge import Gauges, reading
from prs_otel.rollup.trends import Trend, TrendPoint
from prs_otel.rollup.view import MetricsView
from prs_otel.store.base import Bucket, Reader, Row, Store, StoreError
from tests.prs_otel.rollup.stored import Writer, beat, new_store, new_view, requests

NOW = 1_700_000_000.0
ALL = Selection()


@pytest.fixture
def store() -> Store:
    return new_store()


@pytest.fixture
def view(store: Store) -> MetricsView:
    return new_view(store)


def drawn(
    view: MetricsView,
    selection: Selection = ALL,
    *,
    seconds: float = 60.0,
    step: int | None = 10,
    now: float = NOW,
) -> Trend:
    return view.trend(selection, seconds=seconds, step=step, now=now)


def known(trend: Trend) -> Iterator[TrendPoint]:
    return (point for point in trend.points if point.is_known)


def row(level: int) -> Row:
    return Row(1, level, NOW, NOW + level, 0, {}, ())


def test_a_bucket_counts_in_the_point_its_middle_falls_in(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW - 18)  # middle: 20.5 s before
    writer.append(requests(("/a/", 1), ("/b/", 1)), at=NOW - 17)  # 19.5 s before

    trend = drawn(view)

    assert {point.start - NOW: point.requests.count for point in known(trend)} == {
        -30: 1,
        -20: 2,
    }


def test_what_no_bucket_covers_is_not_known(store: Store, view: MetricsView) -> None:
    Writer(store).append(gauges={("g", ("h",)): reading(1.0, NOW)}, at=NOW - 10)

    trend = drawn(view)

    assert [point.is_known for point in trend.points] == [False] * 4 + [True, False]
    (point,) = known(trend)
    assert (point.covered_seconds, point.requests.count) == (5.0, 0)


def test_what_two_workers_cover_is_covered_once(
    store: Store, view: MetricsView
) -> None:
    for worker in ("w1", "w2"):
        Writer(store, worker).append(requests(("/a/", 1)), at=NOW - 8)

    trend = drawn(view)

    assert [(p.start - NOW, p.covered_seconds) for p in known(trend)] == [
        (-20, 3.0),
        (-10, 2.0),
    ]


def test_a_delta_without_length_is_known_by_its_requests(
    store: Store, view: MetricsView
) -> None:
    cells = codec.encode_cells(requests(("/a/", 1)))
    bucket = Bucket(0, NOW - 5, NOW - 5, cells, b"", b"", {})
    store.append(bucket, worker="w1", sequence=1, beat=beat(), texts={})

    (point,) = known(drawn(view))

    assert (point.covered_seconds, point.requests.count) == (0.0, 1)


def test_a_point_has_the_figures_of_all_its_buckets(
    store: Store, view: MetricsView
) -> None:
    cells = Cells(9)
    request = cells.cell(series.REQUEST, ("/a/", "GET"))
    request.observe(100, is_error=True, is_slow=True)
    request.observe(300)
    request.queries = 3
    cells.cell(series.QUERY, ("default", "f1")).observe(50, is_slow=True)
    for worker in ("w1", "w2"):
        Writer(store, worker).append(cells, at=NOW - 5)

    (point,) = known(drawn(view))

    assert (point.requests.count, point.queries.count) == (4, 2)
    assert (point.requests.error_rate, point.requests.slow_rate) == (0.5, 0.5)
    assert point.requests.max == pytest.approx(300e-9)
    assert point.requests.quantile(0.5) == pytest.approx(100e-9, rel=0.016)
    assert point.requests.query_count == 6
    assert point.queries.slow_rate == 1.0


def test_readings_of_one_point_are_merged(store: Store, view: MetricsView) -> None:
    for worker, value in (("w1", 1.0), ("w2", 3.0)):
        gauges: Gauges = {("g", ("h",)): reading(value, NOW)}
        Writer(store, worker).append(gauges=gauges, at=NOW - 5)

    (point,) = known(drawn(view))

    assert point.gauges["g", ("h",)].mean == 2.0


def test_an_endpoint_is_counted_alone_over_its_methods(
    store: Store, view: MetricsView
) -> None:
    cells = requests(("/a/", 1), ("/b/", 2))
    cells.cell(series.REQUEST, ("/b/", "POST")).observe(3)
    cells.cell(series.QUERY, ("default", "/b/")).observe(3)
    Writer(store).append(cells, at=NOW - 5)

    (point,) = known(drawn(view, Selection(endpoint="/b/")))

    assert point.requests.count == 2
    assert point.requests.max == pytest.approx(3e-9)
    assert point.queries.count == 0


def test_an_organization_is_counted_with_its_queries(
    store: Store, view: MetricsView
) -> None:
    cells = requests(("/a/", 1))
    for organization in ("7", "8"):
        cells.cell(series.ORGANIZATION, (organization,)).observe(1)
        cells.cell(series.ORGANIZATION_QUERY, (organization,)).observe(1)
    Writer(store).append(cells, at=NOW - 5)

    (point,) = known(drawn(view, Selection(organization_id="7")))

    assert (point.requests.count, point.queries.count) == (1, 1)


@pytest.mark.parametrize(
    ("selection", "is_folded"), [(ALL, False), (Selection(endpoint="/a/"), True)]
)
def test_what_may_have_been_folded_is_said_to_be(
    store: Store, view: MetricsView, selection: Selection, is_folded: bool
) -> None:
    cells = requests(("/a/", 1), ("/b/", 1), limit=1)
    Writer(store).append(cells, at=NOW - 5)

    assert drawn(view, selection).is_folded is is_folded


def test_a_damaged_bucket_is_left_out_and_said_to_be(
    store: Store, view: MetricsView
) -> None:
    bucket = Bucket(0, NOW - 5, NOW, b"?", b"", b"", {})
    store.append(bucket, worker="w1", sequence=1, beat=beat(), texts={})

    trend = drawn(view)

    assert trend.is_folded
    assert sum(point.requests.count for point in trend.points) == 0


def test_a_bucket_is_read_once(
    store: Store, view: MetricsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW - 5)
    before = drawn(view)
    monkeypatch.setattr(salvage, "cells", pytest.fail)

    assert drawn(view).points[-1].requests.count == before.points[-1].requests.count


def test_the_digests_kept_are_bounded(
    store: Store, view: MetricsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_DIGESTS_KEPT", 3)
    writer = Writer(store)
    for number in range(5):
        writer.append(requests(("/a/", 1)), at=NOW - number)

    assert sum(point.requests.count for point in drawn(view).points) == 5
    assert len(view.drawing.digests) == 3


def test_what_nobody_draws_is_given_back(store: Store, view: MetricsView) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW - 5)
    drawn(view)

    assert not view.forget_idle(now=NOW + 10)
    assert view.forget_idle(now=NOW + 400)
    assert not view.forget_idle(now=NOW + 400)


@pytest.mark.parametrize(
    ("level", "seconds", "asked", "step"),
    [
        (0, 60, None, 10),
        (60, 3_600, None, 60),
        (300, 86_400, None, 300),
        (3_600, 604_800, None, 3_600),
        (10, 86_400, None, 300),
        (3_600, 8_760 * 3_600, None, 86_400),
        (60, 3_600, 120, 120),
        (60, 3_600, 90, 120),
        (300, 86_400, 10, 300),
        (10, 86_400, 10, 220),
    ],
)
def test_a_step_suits_the_window_and_what_is_stored(
    level: int, seconds: float, asked: int | None, step: int
) -> None:
    assert trends.step_of([row(level)], seconds=seconds, asked=asked) == step


def test_no_window_has_more_points_than_can_be_drawn(view: MetricsView) -> None:
    for seconds in (1.0, 60.0, 86_400.0, 8_760 * 3_600.0):
        assert 1 <= len(drawn(view, seconds=seconds, step=1).points) <= trends.POINTS


def test_of_two_trends_drawn_in_turn_both_are_kept(
    store: Store, view: MetricsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW - 5)
    drawn(view), drawn(view, Selection(endpoint="/a/"))
    merges: list[object] = []
    monkeypatch.setattr(trends, "_figures", merges.append)

    drawn(view), drawn(view, Selection(endpoint="/a/"))
    assert not merges


def test_the_trends_kept_are_bounded(store: Store, view: MetricsView) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW - 5)
    for name in ("/a/", "/b/", "/c/"):
        drawn(view, Selection(endpoint=name))

    assert len(view.drawing.digests._merged) == 2


def test_a_bucket_that_came_since_is_in_the_next_trend(
    store: Store, view: MetricsView
) -> None:
    writer = Writer(store)
    for count in (1, 2):
        writer.append(requests(("/a/", 1)), at=NOW - 5)
        assert sum(point.requests.count for point in drawn(view).points) == count


def test_everything_is_drawn_without_a_look_at_the_series(
    store: Store, view: MetricsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = Cells(9)
    request = cells.cell(series.REQUEST, ("/a/", "GET"))
    request.observe(100)
    request.queries, request.slow_queries = 4, 1
    cells.cell(series.TASK, ("shop.bill", "celery")).observe(300, is_error=True)
    Writer(store).append(cells, at=NOW - 5)
    monkeypatch.setattr(totals, "KINDS", ())  # whoever sums up anew finds nothing

    (point,) = known(drawn(view))

    assert (point.requests.count, point.requests.query_count) == (1, 4)
    assert point.requests.slow_query_count == 1
    assert (point.tasks.count, point.tasks.error_rate) == (1, 1.0)
    assert point.tasks.quantile(0.5) == pytest.approx(300e-9, rel=0.016)


def test_a_bucket_without_totals_is_summed_up(store: Store, view: MetricsView) -> None:
    cells = codec.encode_cells(requests(("/a/", 1), ("/b/", 2)))
    bucket = Bucket(0, NOW - 5, NOW, cells, b"", b"", {})
    store.append(bucket, worker="w1", sequence=1, beat=beat(), texts={})

    (point,) = known(drawn(view))

    assert point.requests.count == 2
    assert point.requests.max == pytest.approx(2e-9)


class Interrupted:
    """A store in which something happens before each snapshot but the first."""

    def __init__(self, store: Store, happens: Callable[[], object]) -> None:
        self._store, self._happens = store, happens
        self.snapshots = 0

    def reading(self) -> AbstractContextManager[Reader]:
        if self.snapshots:
            self._happens()
        self.snapshots += 1
        return self._store.reading()


def test_a_trend_begins_anew_when_its_buckets_are_merged_meanwhile(
    store: Store,
) -> None:
    writer, epoch = Writer(store), leading(store)
    writer.append(requests(("/a/", 1)), at=NOW - 6)

    def merge_once() -> None:
        with store.reading() as reader:
            ids = [row.id for row in reader.rows()]
        if interrupted.snapshots == 1:
            writer.append(requests(("/a/", 1), ("/b/", 1)), at=NOW - 5)
            store.replace(ids, None, keeps_series=False, epoch=epoch)

    interrupted = Interrupted(store, merge_once)
    view = new_view(cast("Store", interrupted))

    assert sum(point.requests.count for point in drawn(view).points) == 2


def test_another_store_in_its_place_is_drawn_from_the_start(store: Store) -> None:
    other = new_store()
    Writer(store).append(requests(("/a/", 1)), at=NOW - 5)
    Writer(other).append(requests(("/a/", 1), ("/b/", 1)), at=NOW - 5)
    interrupted = Interrupted(store, lambda: setattr(interrupted, "_store", other))
    view = new_view(cast("Store", interrupted))

    assert sum(point.requests.count for point in drawn(view).points) == 2


def test_what_was_read_of_a_store_is_not_taken_for_the_one_in_its_place(
    store: Store,
) -> None:
    other = new_store()
    Writer(store).append(requests(("/a/", 1)), at=NOW - 5)
    Writer(other).append(requests(("/a/", 1), ("/b/", 1)), at=NOW - 5)

    def be_replaced_and_drawn_by_another_thread() -> None:
        if interrupted.snapshots == 1:
            interrupted.snapshots, interrupted._store = 0, other
            interrupted._happens = int
            assert sum(point.requests.count for point in drawn(view).points) == 2
            interrupted._store = store

    interrupted = Interrupted(store, be_replaced_and_drawn_by_another_thread)
    view = new_view(cast("Store", interrupted))

    assert sum(point.requests.count for point in drawn(view).points) == 1
    interrupted._store = other
    assert sum(point.requests.count for point in drawn(view).points) == 2


def test_a_store_that_never_holds_still_is_an_error(store: Store) -> None:
    writer, epoch = Writer(store), leading(store)

    def change() -> None:
        with store.reading() as reader:
            ids = [row.id for row in reader.rows()]
        store.replace(ids, None, keeps_series=False, epoch=epoch)
        writer.append(requests(("/a/", 1)), at=NOW - 5)

    change()
    view = new_view(cast("Store", Interrupted(store, change)))

    with pytest.raises(StoreError, match="faster than it can be read"):
        drawn(view)


def test_nobody_waits_for_a_trend_that_is_read(store: Store) -> None:
    writer = Writer(store)
    for number in range(8):
        writer.append(requests(("/a/", 1)), at=NOW - number)
    counted: list[int] = []

    def read_meanwhile() -> None:
        if not counted:
            counted.append(0)
            counted.append(busy.window(60.0, now=NOW).total(series.REQUEST).count)
            drawn(busy, Selection(endpoint="/a/"))

    busy = MetricsView(
        store, series_limit=50, new_lock=threading.Lock, breathe=read_meanwhile
    )

    assert sum(point.requests.count for point in drawn(busy).points) == 8
    assert counted == [0, 8]


def leading(store: Store) -> int:
    lease = store.acquire("leader", holder="w", host="h", pid=1, ttl=10, now=NOW)
    assert lease is not None
    return lease.epoch
