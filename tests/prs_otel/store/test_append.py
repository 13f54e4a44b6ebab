from __future__ import annotations

import math
from dataclasses import replace

import pytest

from prs_otel.store.base import TEXT_REFRESH, Row, Store
from tests.prs_otel.store.stored import (
    NOW,
    WORKER,
    append,
    beat,
    bucket,
    cells,
    ids,
    lead,
)


def test_an_appended_delta_is_a_row_with_its_data(store: Store) -> None:
    append(store, 1, bucket(b"c" * 3, samples=b"s" * 2, gauges=b"g"))

    with store.reading() as reader:
        (row,) = reader.rows()
        parts = [
            reader.read("cells", [row.id]),
            reader.read("samples", [row.id]),
            reader.read("gauges", [row.id]),
        ]

    assert row == Row(
        id=row.id,
        level=0,
        start=NOW - 5,
        end=NOW,
        size=6,
        slowest={"request": 7},
        replaces=(),
    )
    assert parts == [{row.id: b"ccc"}, {row.id: b"ss"}, {row.id: b"g"}]


def test_a_repeated_append_is_merged_once(store: Store) -> None:
    append(store, 1)
    append(store, 1)

    assert cells(store) == [f"{WORKER}:1".encode()]


def test_an_append_repeated_after_its_compaction_is_merged_once(store: Store) -> None:
    append(store, 1)
    append(store, 2)
    epoch = lead(store).epoch
    store.replace(ids(store), bucket(b"both"), keeps_series=True, epoch=epoch)

    append(store, 2)

    assert cells(store) == [b"both"]


def test_workers_number_their_deltas_independently(store: Store) -> None:
    append(store, 1, worker="a" * 32)
    append(store, 1, worker="b" * 32)

    assert len(ids(store)) == 2


def test_an_append_without_a_bucket_is_a_beat_only(store: Store) -> None:
    store.append(None, worker=WORKER, sequence=1, beat=beat(), texts={})
    append(store, 1)

    with store.reading() as reader:
        assert reader.beats() == [beat()]
    assert len(ids(store)) == 1


def test_a_beat_takes_the_place_of_the_worker_s_last_one(store: Store) -> None:
    append(store, 1, at=NOW)
    append(store, 2, at=NOW + 5)

    with store.reading() as reader:
        assert reader.beats() == [beat(seen_at=NOW + 5)]


def test_texts_are_found_by_fingerprint(store: Store) -> None:
    append(store, 1, texts={"f1": "SELECT 1", "f2": "SELECT 2"})

    with store.reading() as reader:
        assert reader.texts(["f2", "unknown"]) == {"f2": "SELECT 2"}
        assert reader.texts([]) == {}


def test_a_text_with_half_a_character_is_kept_readable(store: Store) -> None:
    append(store, 1, texts={"f1": "SELECT '\udc80'"})

    with store.reading() as reader:
        assert reader.texts(["f1"]) == {"f1": "SELECT '\\udc80'"}


def test_texts_and_workers_not_seen_for_long_are_forgotten(store: Store) -> None:
    append(store, 1, worker="a" * 32, texts={"f1": "SELECT 1"}, at=NOW)
    append(store, 1, worker="b" * 32, texts={"f2": "SELECT 2"}, at=NOW + 9)

    store.forget(texts_before=NOW + 1, beats_before=NOW + 1)

    with store.reading() as reader:
        assert reader.texts(["f1", "f2"]) == {"f2": "SELECT 2"}
        assert [each.worker for each in reader.beats()] == ["b" * 32]


@pytest.mark.parametrize(
    ("later", "is_kept"),
    [
        pytest.param(TEXT_REFRESH, True, id="noted again"),
        pytest.param(TEXT_REFRESH - 1, False, id="not worth noting"),
    ],
)
def test_the_use_of_a_text_is_noted_every_few_minutes(
    store: Store, later: float, is_kept: bool
) -> None:
    append(store, 1, texts={"f1": "SELECT 1"}, at=NOW)
    append(store, 2, texts={"f1": "SELECT 1"}, at=NOW + later)

    store.forget(texts_before=NOW + 1, beats_before=0)

    with store.reading() as reader:
        assert ("f1" in reader.texts(["f1"])) == is_kept


@pytest.mark.parametrize("time", [math.nan, math.inf, -1.0, 1e15])
def test_a_bucket_at_no_possible_time_is_refused(store: Store, time: float) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        append(store, 1, replace(bucket(), start=time, end=time))

    assert ids(store) == []


def test_a_bucket_that_ends_before_it_starts_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="cannot end at"):
        append(store, 1, replace(bucket(), end=NOW - 6))


@pytest.mark.parametrize("level", [-1, 2**63])
def test_a_bucket_of_no_possible_width_is_refused(store: Store, level: int) -> None:
    with pytest.raises(ValueError, match="seconds wide"):
        append(store, 1, replace(bucket(), level=level))


def test_a_beat_at_no_possible_time_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="nan is not a time"):
        append(store, 1, bucket(), at=math.nan)


def test_an_append_for_another_worker_than_its_beat_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="carries a beat of"):
        store.append(bucket(), worker="b" * 32, sequence=1, beat=beat(), texts={})
