"""Whatever happens to the stored buckets, and in whichever order: every reader sees their sum."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from prs_otel.rollup import codec, series
from prs_otel.rollup.accumulator import wanted_rows
from prs_otel.rollup.cell import Cell, sum_of
from prs_otel.rollup.compaction import Compactor
from prs_otel.rollup.digest import Selection
from prs_otel.rollup.view import MetricsView
from tests.prs_otel.rollup.stored import Writer, new_store, new_view, requests
from tests.prs_otel.rollup.test_cells import figures

HOUR, DAY = 3_600.0, 86_400.0
WINDOWS = (60.0, HOUR, DAY)
LIMIT = 4
READERS = WORKERS = 3

numbers = st.integers(0, READERS - 1)
observed = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 10**6)),
    min_size=1,
    max_size=6,
)


def cells_in(blobs: Iterable[bytes]) -> list[Cell]:
    """Return every series of requests in stored buckets."""
    stored = [codec.decode_cells(blob, limit=10**6) for blob in blobs]
    return [
        cell
        for cells in stored
        for cell in cells.by_kind.get(series.REQUEST, {}).values()
    ]


class History(RuleBasedStateMachine):
    """Workers append, leaders come and go, the clock jumps; some readers look seldom."""

    @initialize()
    def begin(self) -> None:
        self.now = 1_700_000_000.0
        self.store = new_store()
        self.views = [new_view(self.store, series_limit=LIMIT) for _ in range(READERS)]
        self.writers = [Writer(self.store, f"w{n}") for n in range(WORKERS)]
        self.epoch = 0

    @rule(seconds=st.sampled_from((1, 5, 10, 30, 100, 700, 4_000, 90_000, -5, -700)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(worker=numbers, cells=observed, late=st.sampled_from((0, 0, 0, 15, 60, 300)))
    def a_worker_appends(
        self, worker: int, cells: list[tuple[str, int]], late: float
    ) -> None:
        counted = requests(*cells, limit=LIMIT)
        self.writers[worker].append(counted, at=self.now - late)

    @rule(reader=numbers, seconds=st.sampled_from(WINDOWS))
    def somebody_reads(self, reader: int, seconds: float) -> None:
        self.check(self.views[reader], seconds)

    @rule(seconds=st.sampled_from(WINDOWS))
    def somebody_reads_for_the_first_time(self, seconds: float) -> None:
        self.check(new_view(self.store, series_limit=LIMIT), seconds)

    @rule(reader=numbers, seconds=st.sampled_from(WINDOWS))
    def somebody_draws(self, reader: int, seconds: float) -> None:
        view = self.views[reader]
        trend = view.trend(Selection(), seconds=seconds, step=None, now=self.now)
        with self.store.reading() as reading:
            rows = wanted_rows(reading.rows(), seconds=seconds, now=self.now)
            blobs = reading.read("cells", sorted(rows)).values()
        assert sum(point.requests.count for point in trend.points) == sum(
            cell.count for cell in cells_in(blobs)
        )

    @rule(leader=numbers, is_followed=st.booleans())
    def a_leader_compacts(self, leader: int, is_followed: bool) -> None:
        view = self.views[leader]
        self.lead(leader)
        compactor = Compactor(self.store, series_limit=LIMIT, retention_seconds=2 * DAY)
        view.slide(now=self.now)
        for replacement in compactor.compact(now=self.now, epoch=self.epoch):
            if is_followed:
                view.follow(replacement)

    @rule(leader=numbers)
    def a_leader_writes_the_rolling_total(self, leader: int) -> None:
        self.lead(leader)
        ids, cells = self.views[leader].rolling(DAY, now=self.now)
        assert self.store.write_rolling(ids, cells, epoch=self.epoch)

    @precondition(lambda self: self.size() > 0)
    @rule(share=st.floats(0.3, 0.9))
    def the_quota_evicts(self, share: float) -> None:
        self.store.evict(quota_bytes=int(self.size() * share))

    @invariant()
    def nothing_is_negative(self) -> None:
        for view in self.views:
            for accumulator in view._accumulators.values():
                for of_kind in accumulator.cells.by_kind.values():
                    assert all(cell.count >= 0 for cell in of_kind.values())

    @invariant()
    def the_totals_of_a_bucket_are_the_sum_of_its_series(self) -> None:
        with self.store.reading() as reader:
            ids = [row.id for row in reader.rows()]
            cells, totals = reader.read("cells", ids), reader.read("totals", ids)
        for row_id in ids:
            (total,) = cells_in([totals[row_id]])
            assert figures(total) == figures(sum_of(cells_in([cells[row_id]])))

    def teardown(self) -> None:
        for view in (*self.views, new_view(self.store, series_limit=LIMIT)):
            for seconds in WINDOWS:
                self.check(view, seconds)

    def lead(self, leader: int) -> None:
        lease = self.store.acquire(
            "leader", holder=f"w{leader}", host="h", pid=1, ttl=1e-9, now=self.now
        )
        if lease is None:  # the clock was set back
            with self.store.reading() as reader:
                lease = reader.lease("leader")
        assert lease is not None
        self.epoch = lease.epoch

    def size(self) -> int:
        with self.store.reading() as reader:
            return sum(row.size for row in reader.rows())

    def check(self, view: MetricsView, seconds: float) -> None:
        found = view.window(seconds, now=self.now).total(series.REQUEST).cell
        with self.store.reading() as reader:
            rows = wanted_rows(reader.rows(), seconds=seconds, now=self.now)
            blobs = reader.read("cells", sorted(rows)).values()
        exact = sum_of(cells_in(blobs))
        assert (found.count, found.total, found.bins) == (
            exact.count,
            exact.total,
            exact.bins,
        )
        assert exact.maximum <= found.maximum <= exact.maximum * 33 / 32


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
