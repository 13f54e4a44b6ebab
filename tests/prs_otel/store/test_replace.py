from __future__ import annotations

import math
from dataclasses import replace

import pytest

from prs_otel.store.base import Store
from tests.prs_otel.store.stored import NOW, append, bucket, cells, ids, lead


def test_a_merge_takes_the_place_of_its_rows(store: Store) -> None:
    append(store, 1)
    append(store, 2)
    old = ids(store)

    new = store.replace(
        old, bucket(b"both", level=10), keeps_series=True, epoch=lead(store).epoch
    )

    with store.reading() as reader:
        (row,) = reader.rows()
    assert (row.id, row.level, row.replaces) == (new, 10, tuple(old))
    assert cells(store) == [b"both"]


def test_a_merge_that_folds_series_names_no_rows(store: Store) -> None:
    append(store, 1)

    store.replace(ids(store), bucket(), keeps_series=False, epoch=lead(store).epoch)

    with store.reading() as reader:
        assert [row.replaces for row in reader.rows()] == [()]


def test_a_merge_of_rows_that_are_gone_changes_nothing(store: Store) -> None:
    append(store, 1)
    old = ids(store)
    epoch = lead(store).epoch

    new = store.replace([*old, 999], bucket(b"x"), keeps_series=True, epoch=epoch)

    assert new is None
    assert ids(store) == old


def test_a_row_named_twice_is_a_lost_race(store: Store) -> None:
    append(store, 1)
    old = ids(store)
    epoch = lead(store).epoch

    assert store.replace(old * 2, bucket(), keeps_series=True, epoch=epoch) is None
    assert ids(store) == old


def test_a_merge_of_a_former_leader_changes_nothing(store: Store) -> None:
    append(store, 1)
    old = ids(store)
    epoch = lead(store, holder="first").epoch
    lead(store, holder="second", now=NOW + 60)

    assert store.replace(old, bucket(), keeps_series=True, epoch=epoch) is None
    assert store.write_rolling(old, b"total", epoch=epoch) is False
    assert ids(store) == old


def test_nobody_merges_without_a_lease(store: Store) -> None:
    append(store, 1)
    epoch = lead(store).epoch
    store.release("leader", holder="a" * 32)

    assert store.replace(ids(store), bucket(), keeps_series=True, epoch=epoch) is None


def test_another_lease_may_be_asked_for(store: Store) -> None:
    append(store, 1)
    lease = store.acquire("other", holder="h", host="h", pid=1, ttl=9, now=NOW)
    assert lease is not None

    new = store.replace(
        ids(store), bucket(), keeps_series=True, epoch=lease.epoch, lease="other"
    )

    assert new is not None


def test_rows_expire_without_a_successor(store: Store) -> None:
    append(store, 1)

    new = store.replace(ids(store), None, keeps_series=False, epoch=lead(store).epoch)

    assert new == 0
    assert ids(store) == []


def test_a_merge_at_no_possible_time_is_refused(store: Store) -> None:
    append(store, 1)
    absurd = replace(bucket(), end=math.inf)

    with pytest.raises(ValueError, match="is not a time"):
        store.replace(ids(store), absurd, keeps_series=True, epoch=lead(store).epoch)

    assert len(ids(store)) == 1


def test_the_rolling_total_is_what_the_leader_wrote_last(store: Store) -> None:
    epoch = lead(store).epoch
    assert store.write_rolling([1], b"first", epoch=epoch) is True
    assert store.write_rolling([1, 2], b"second", epoch=epoch) is True

    with store.reading() as reader:
        assert reader.rolling() == ((1, 2), b"second")
