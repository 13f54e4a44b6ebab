from __future__ import annotations

import tempfile
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from prs_otel.plan import Plan
from prs_otel.rollup import lifetime, series
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.compaction import Compactor
from prs_otel.rollup.lifetime import Lifetime
from prs_otel.store import open_store
from prs_otel.store.base import Store
from tests.prs_otel.rollup.stored import Writer, new_store, requests

NOW = 1_700_000_000.0
LIMIT = 4
WORKERS = 3

PLAN = Plan(
    flush_interval=5.0,
    system_metrics_interval=15.0,
    retention_seconds=86_400.0,
    series_limit=LIMIT,
    quota_bytes=128_000_000,
    directory="/",
    keeps_lifetime=True,
)


@pytest.fixture
def store() -> Store:
    return new_store()


def epoch_of(store: Store, leader: str = "w0", now: float = NOW) -> int:
    lease = store.acquire("leader", holder=leader, host="h", pid=1, ttl=1e-9, now=now)
    assert lease is not None
    return lease.epoch


def read(store: Store) -> Lifetime | None:
    with store.reading() as reader:
        return lifetime.counted(reader, limit=LIMIT)


def counts(store: Store) -> dict[str, int]:
    """Return how many requests each endpoint had in all."""
    found = read(store)
    assert found is not None
    return {
        labels[0]: cell.count
        for labels, cell in found.cells.by_kind.get(series.REQUEST, {}).items()
    }


def compact(store: Store, plan: Plan = PLAN, *, now: float = NOW + 60) -> None:
    epoch = epoch_of(store, now=now)
    up_to = lifetime.advance(store, plan, epoch=epoch)
    list(Compactor.of(store, plan).compact(now=now, epoch=epoch, up_to=up_to))


def levels(store: Store) -> list[int]:
    with store.reading() as reader:
        return [row.level for row in reader.rows()]


def test_it_is_the_deltas_as_long_as_nothing_was_merged(store: Store) -> None:
    Writer(store).append(requests(("/a/", 1), ("/b/", 1)), at=NOW)

    assert counts(store) == {"/a/": 1, "/b/": 1}


def test_merging_changes_nothing(store: Store) -> None:
    for n in range(3):
        Writer(store, f"w{n}").append(requests(("/a/", 1)), at=NOW)

    compact(store)

    assert levels(store) == [10]
    assert counts(store) == {"/a/": 3}


def test_what_came_since_is_on_top(store: Store) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW)
    compact(store)

    writer.append(requests(("/a/", 1)), at=NOW + 60)

    found = read(store)
    assert found is not None
    assert len(found.added) == 1
    assert counts(store) == {"/a/": 2}


def test_merged_rows_without_a_lifetime_cannot_be_told_apart(store: Store) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW)
    compact(store, replace(PLAN, keeps_lifetime=False))

    assert read(store) is None


def test_a_leader_that_is_asked_for_one_begins_with_all_there_is(store: Store) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW)
    compact(store, replace(PLAN, keeps_lifetime=False))
    writer.append(requests(("/a/", 1)), at=NOW + 60)

    compact(store)

    assert counts(store) == {"/a/": 2}


def test_after_a_leader_that_knew_of_none_the_next_adds_up_all_of_it(
    store: Store,
) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW)
    compact(store)
    writer.append(requests(("/a/", 1)), at=NOW + 60)

    compact(store, replace(PLAN, keeps_lifetime=False), now=NOW + 120)
    assert read(store) is None
    compact(store, now=NOW + 130)

    assert counts(store) == {"/a/": 2}


def test_a_delta_that_the_lifetime_has_not_is_not_merged(store: Store) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW)
    epoch = epoch_of(store)
    up_to = lifetime.advance(store, PLAN, epoch=epoch)
    writer.append(requests(("/a/", 1)), at=NOW + 1)

    compactor = Compactor.of(store, PLAN)
    list(compactor.compact(now=NOW + 60, epoch=epoch, up_to=up_to))

    assert sorted(levels(store)) == [0, 10]
    assert counts(store) == {"/a/": 2}


def test_who_leads_no_more_lets_nothing_be_merged(store: Store) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW)
    former = epoch_of(store)
    epoch_of(store, "another", now=NOW + 1)

    assert lifetime.advance(store, PLAN, epoch=former) == 0


def test_nothing_new_is_not_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW)
    epoch = epoch_of(store)
    up_to = lifetime.advance(store, PLAN, epoch=epoch)
    monkeypatch.delattr(type(store), "write_lifetime")

    assert lifetime.advance(store, PLAN, epoch=epoch) == up_to


def test_an_empty_store_has_nothing_to_write(store: Store) -> None:
    assert lifetime.advance(store, PLAN, epoch=epoch_of(store)) == 0
    assert counts(store) == {}


def test_a_reset_begins_at_zero(store: Store) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW)
    compact(store)

    store.reset(at=NOW + 100)

    assert counts(store) == {}


def test_a_damaged_lifetime_is_begun_anew(store: Store) -> None:
    writer = Writer(store)
    writer.append(requests(("/a/", 1)), at=NOW)
    compact(store)
    writer.append(requests(("/a/", 1)), at=NOW + 60)
    with store.reading() as reader:
        newest = reader.rows()[-1].id
    assert store.write_lifetime(newest, b"damaged", epoch=epoch_of(store, now=NOW + 61))
    assert read(store) is None
    writer.append(requests(("/a/", 1)), at=NOW + 62)

    compact(store, now=NOW + 100)

    assert counts(store) == {"/a/": 3}


def test_a_damaged_delta_is_left_out(store: Store) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW)
    with store.reading() as reader:
        blob = reader.read("cells", [1])[1]
    damaged = Writer(store, "w2")
    damaged.append(requests(("/a/", 1)), at=NOW)
    store._content.buckets[2] = replace(store._content.buckets[2], cells=blob[:-5])  # type: ignore[attr-defined]

    assert counts(store) == {"/a/": 1}


def test_series_beyond_the_limit_are_counted_together(store: Store) -> None:
    writer = Writer(store)
    writer.append(requests(*((f"/{n}/", 1) for n in range(LIMIT))), at=NOW)
    compact(store)

    writer.append(requests(("/0/", 1), ("/new/", 1), ("/newer/", 1)), at=NOW + 60)

    assert counts(store) == {"/0/": 2, "/1/": 1, "/2/": 1, "/3/": 1, series.OTHER: 2}


def test_users_and_statements_are_left_out(store: Store) -> None:
    cells = Cells(LIMIT)
    cells.cell(series.USER, ("7",)).observe(5)
    cells.cell(series.ORGANIZATION, ("acme",)).observe(5)
    cells.cell(series.QUERY, ("default", "f1")).observe(2)
    cells.cell(series.QUERY, ("default", "f2")).observe(3)
    cells.cell(series.QUERY, series.other(series.QUERY)).observe(4)
    cells.count(series.CACHE_HITS, ("default",), 3)
    Writer(store).append(cells, at=NOW)

    found = read(store)

    assert found is not None
    assert found.cells.by_kind.keys() == {series.ORGANIZATION, series.QUERY}
    queries = found.cells.by_kind[series.QUERY]
    assert {labels: cell.total for labels, cell in queries.items()} == {
        ("default", ""): 5,
        (series.OTHER, series.OTHER): 4,
    }
    assert found.cells.counters == {series.CACHE_HITS: {("default",): 3}}


observed = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 10**6)), min_size=1
)


class Whole(RuleBasedStateMachine):
    """Workers append, leaders come and go, rows are merged; the whole is their sum."""

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.store = self.make()
        self.writers = [Writer(self.store, f"w{n}") for n in range(WORKERS)]
        self.sent = Cells(10**6)
        self.latest: dict[str, int] = {}
        self.epoch = self.former = epoch_of(self.store)

    def make(self) -> Store:
        return new_store()

    @rule(
        worker=st.integers(0, WORKERS - 1),
        of=observed,
        late=st.sampled_from((0, 15, 300, 10**6)),
    )
    def a_worker_appends(
        self, worker: int, of: list[tuple[str, int]], late: float
    ) -> None:
        self.writers[worker].append(requests(*of), at=self.now - late)
        self.sent.merge(requests(*of))

    @rule(seconds=st.sampled_from((1, 10, 100, 4_000, 90_000, -700)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(leader=st.integers(0, WORKERS - 1))
    def another_leads(self, leader: int) -> None:
        with self.store.reading() as reader:
            lease = reader.lease("leader")
        assert lease is not None
        self.store.release("leader", holder=lease.holder)
        self.former, self.epoch = (
            self.epoch,
            epoch_of(self.store, f"w{leader}", self.now),
        )

    @rule()
    def the_lifetime_is_written(self) -> None:
        lifetime.advance(self.store, PLAN, epoch=self.epoch)

    @rule(meanwhile=observed, is_former=st.booleans(), steps=st.integers(0, 5))
    def a_leader_compacts(
        self, meanwhile: list[tuple[str, int]], is_former: bool, steps: int
    ) -> None:
        epoch = self.former if is_former else self.epoch
        up_to = lifetime.advance(self.store, PLAN, epoch=epoch)
        self.a_worker_appends(0, meanwhile, 300)
        compactor = Compactor.of(self.store, PLAN)
        merging = compactor.compact(now=self.now, epoch=epoch, up_to=up_to)
        # A leader may be killed after any of its steps.
        for _, _ in zip(range(steps), merging, strict=False):
            self.the_whole_is_the_sum_and_nothing_shrinks()

    @invariant()
    def the_whole_is_the_sum_and_nothing_shrinks(self) -> None:
        found = read(self.store)
        assert found is not None
        of_kind = found.cells.by_kind.get(series.REQUEST, {})
        sent = self.sent.by_kind.get(series.REQUEST, {})
        for figure in ("count", "total"):
            assert sum(getattr(cell, figure) for cell in of_kind.values()) == sum(
                getattr(cell, figure) for cell in sent.values()
            )
        now = {
            f"{labels[0]}:{index}": count
            for labels, cell in of_kind.items()
            for index, count in cell.bins.items()
        }
        assert all(now.get(key, 0) >= count for key, count in self.latest.items())
        assert len(of_kind) <= LIMIT + 1
        self.latest = now


class WholeFile(Whole):
    """The same in a file, where another connection reads than the one that writes."""

    def make(self) -> Store:
        self.directory = tempfile.TemporaryDirectory()
        return open_store(f"sqlite:///{self.directory.name}/store/store.sqlite3")

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()


TestWhole = Whole.TestCase
TestWholeFile = WholeFile.TestCase
TestWhole.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWholeFile.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None
)
