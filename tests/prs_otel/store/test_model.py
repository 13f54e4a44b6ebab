"""Drive each store with random calls and compare it with the obvious dictionary."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from prs_otel.store.base import Store
from prs_otel.store.memory import MemoryStore
from prs_otel.store.sqlite import SqliteStore
from tests.prs_otel.store.stored import NOW, append, bucket, lead

WORKERS = ("a" * 32, "b" * 32)


class Model(RuleBasedStateMachine):
    """What a store must hold: cells by id, and the newest sequence of each worker."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.make()
        self.rows: dict[int, tuple[bytes, float]] = {}
        self.marks = dict.fromkeys(WORKERS, -1)
        self.epoch = 0
        self.lifetime: int | None = None
        self.reset_at = 0.0
        self.numbers = itertools.count()

    def make(self) -> Store:
        raise NotImplementedError

    @initialize()
    def take_the_lease(self) -> None:
        self.epoch = lead(self.store).epoch

    @rule(
        worker=st.sampled_from(WORKERS),
        sequence=st.integers(0, 8),
        end=st.floats(NOW, NOW + 9),
    )
    def append(self, worker: str, sequence: int, end: float) -> None:
        cells = str(next(self.numbers)).encode()
        append(self.store, sequence, bucket(cells, end=end), worker=worker)
        if sequence > self.marks[worker]:
            self.marks[worker] = sequence
            # A delta is five seconds long.
            if end - 5 < self.reset_at:
                return
            (new,) = self.listed().keys() - self.rows.keys()
            self.rows[new] = (cells, end)

    @rule(data=st.data(), keeps_series=st.booleans())
    def merge(self, data: st.DataObject, keeps_series: bool) -> None:
        old = data.draw(st.lists(st.sampled_from([*self.rows, 10**6]), unique=True))
        cells = b"merge of " + b"+".join(
            self.rows[each][0] for each in old if each in self.rows
        )

        new = self.store.replace(
            old, bucket(cells), keeps_series=keeps_series, epoch=self.epoch
        )

        if 10**6 in old:
            assert new is None
            return
        assert new is not None
        self.drop(old)
        self.rows[new] = (cells, NOW)
        with self.store.reading() as reader:
            (row,) = (row for row in reader.rows() if row.id == new)
        assert row.replaces == (tuple(old) if keeps_series else ())

    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        old = data.draw(st.sets(st.sampled_from([*self.rows, 10**6])))
        new = self.store.replace(list(old), None, keeps_series=False, epoch=self.epoch)
        if 10**6 in old:
            assert new is None
        else:
            assert new == 0
            self.drop(old)

    @rule(holder=st.sampled_from(WORKERS))
    def change_the_leader(self, holder: str) -> None:
        self.store.release("leader", holder=WORKERS[0])
        self.store.release("leader", holder=WORKERS[1])
        former, self.epoch = self.epoch, lead(self.store, holder=holder).epoch
        assert self.epoch == former + 1
        assert not self.store.write_rolling([], b"", epoch=former)
        newest = max(self.rows, default=0)
        assert not self.store.write_lifetime(newest, b"", epoch=former)

    @rule()
    def evict_everything(self) -> None:
        assert self.store.evict(quota_bytes=0).buckets == len(self.rows)
        self.drop(list(self.rows))

    @rule(end=st.floats(NOW, NOW + 9))
    def expire_by_age(self, end: float) -> None:
        old = [each for each, (_, ended) in self.rows.items() if ended < end]
        assert self.store.expire(ended_before=end).buckets == len(old)
        self.drop(old)

    @rule(data=st.data())
    def write_the_lifetime(self, data: st.DataObject) -> None:
        up_to = data.draw(st.sampled_from([*self.rows, 10**6]))
        is_newer = self.lifetime is None or up_to > self.lifetime
        is_written = self.store.write_lifetime(up_to, b"all", epoch=self.epoch)
        assert is_written is (is_newer and up_to in self.rows)
        if is_written:
            self.lifetime = up_to

    @rule(at=st.floats(NOW - 6, NOW + 6))
    def reset(self, at: float) -> None:
        removed = self.store.reset(at=at)
        assert removed.buckets == len(self.rows)
        assert removed.size == sum(len(cells) for cells, _ in self.rows.values())
        self.rows.clear()
        self.lifetime = None
        self.reset_at = max(self.reset_at, at)

    @rule()
    def close(self) -> None:
        self.store.close()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert self.listed() == self.rows

    @invariant()
    def has_a_lifetime_as_long_as_that_is_true(self) -> None:
        with self.store.reading() as reader:
            found = reader.lifetime()
        assert found == (self.lifetime and (self.lifetime, b"all"))

    def drop(self, ids: Iterable[int]) -> None:
        """Forget rows; all of them are deltas, merges too."""
        for each in ids:
            del self.rows[each]
            if self.lifetime is not None and each > self.lifetime:
                self.lifetime = None

    def listed(self) -> dict[int, tuple[bytes, float]]:
        with self.store.reading() as reader:
            ends = {row.id: row.end for row in reader.rows()}
            cells = reader.read("cells", list(ends))
        return {each: (cells[each], ends[each]) for each in ends}


class MemoryModel(Model):
    def make(self) -> Store:
        return MemoryStore()


class SqliteModel(Model):
    def make(self) -> Store:
        self.directory = tempfile.TemporaryDirectory()
        return SqliteStore(Path(self.directory.name, "store.sqlite3"))

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()


TestMemoryStore = MemoryModel.TestCase
TestSqliteStore = SqliteModel.TestCase
TestMemoryStore.settings = TestSqliteStore.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None
)
