from __future__ import annotations

import pytest

from prs_otel.store.base import Store
from tests.prs_otel.store.stored import NOW, append, bucket, ids, lead


@pytest.fixture
def epoch(store: Store) -> int:
    """Return the epoch of who leads on three deltas, of which the lifetime has two."""
    for sequence in range(3):
        append(store, sequence)
    epoch = lead(store).epoch
    assert store.write_lifetime(ids(store)[1], b"two", epoch=epoch)
    return epoch


def lifetime(store: Store) -> tuple[int, bytes] | None:
    with store.reading() as reader:
        return reader.lifetime()


def merge(store: Store, rows: list[int], epoch: int) -> None:
    merged = bucket(b"merged", level=10)
    assert store.replace(rows, merged, keeps_series=True, epoch=epoch) is not None


def test_there_is_none_until_one_is_written(store: Store) -> None:
    append(store, 1)

    assert lifetime(store) is None


def test_one_that_reaches_further_takes_its_place(store: Store, epoch: int) -> None:
    first, second, third = ids(store)

    assert store.write_lifetime(third, b"three", epoch=epoch) is True
    assert store.write_lifetime(third, b"again", epoch=epoch) is False
    assert store.write_lifetime(first, b"one", epoch=epoch) is False

    assert lifetime(store) == (third, b"three")
    assert second < third


def test_a_former_leader_writes_none(store: Store, epoch: int) -> None:
    lead(store, holder="another", now=NOW + 60)

    assert store.write_lifetime(ids(store)[-1], b"late", epoch=epoch) is False
    assert lifetime(store) == (ids(store)[1], b"two")


def test_a_reset_takes_it_away_and_what_was_counted_before_stays_away(
    store: Store, epoch: int
) -> None:
    before = ids(store)[-1]

    store.reset(at=NOW)

    assert lifetime(store) is None
    assert store.write_lifetime(before, b"of before", epoch=epoch) is False
    assert lifetime(store) is None


def test_deltas_that_are_in_it_may_go(store: Store, epoch: int) -> None:
    first, second, _ = ids(store)

    merge(store, [first, second], epoch)

    assert lifetime(store) == (second, b"two")


def test_a_merged_row_may_go_whichever_it_is(store: Store, epoch: int) -> None:
    first, second, _ = ids(store)
    merge(store, [first, second], epoch)

    merge(store, [ids(store)[-1]], epoch)

    assert lifetime(store) == (second, b"two")


def test_a_delta_that_is_merged_uncounted_takes_it_with_it(
    store: Store, epoch: int
) -> None:
    merge(store, ids(store), epoch)

    assert lifetime(store) is None


def test_so_does_one_that_expires_or_is_evicted(store: Store, epoch: int) -> None:
    store.expire(ended_before=NOW + 1)
    assert lifetime(store) is None

    append(store, 5)
    assert store.write_lifetime(ids(store)[0], b"", epoch=epoch)
    append(store, 6)
    store.evict(quota_bytes=0)
    assert lifetime(store) is None


def test_it_survives_that_the_store_is_closed(store: Store, epoch: int) -> None:
    store.close()

    assert lifetime(store) == (ids(store)[1], b"two")
