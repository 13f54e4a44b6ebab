from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from prs_otel import publisher as publishing
from prs_otel.publisher import Publisher, Texts
from prs_otel.rollup import series
from prs_otel.rollup.recorder import Rollup
from prs_otel.store import open_store
from prs_otel.store.base import Bucket, Store, StoreError, TooLargeError
from tests.prs_otel.rollup.observations import query, request
from tests.prs_otel.rollup.stored import beat, counts, new_store, new_view

NOW = 1_700_000_000.0


class Faulty:
    """A store that refuses appends while `is_out_of_order`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_out_of_order = False
        self.error: Exception = StoreError("the disk is full")

    def append(self, *args: Any, **kwargs: Any) -> None:
        if self.is_out_of_order:
            raise self.error
        self._store.append(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture
def rollup() -> Rollup:
    return Rollup(series_limit=10, new_lock=threading.Lock, now=NOW - 5)


@pytest.fixture
def texts() -> Texts:
    return Texts()


@pytest.fixture
def store() -> Iterator[Any]:
    return Faulty(new_store())


@pytest.fixture
def publisher(rollup: Rollup, store: Any, texts: Texts) -> Publisher:
    return Publisher(rollup, store, texts, beat=beat())


def flush(publisher: Publisher, *, now: float = NOW) -> None:
    publisher.flush(now, figures={"process.thread.count": 4.0}, failures={"x": 1})


def huge() -> Bucket:
    return Bucket(0, NOW - 5, NOW, b"x" * 500_000, b"", b"", slowest={})


def test_a_flush_brings_what_was_counted_into_the_view(
    rollup: Rollup, store: Any, publisher: Publisher
) -> None:
    rollup.record(request())

    flush(publisher)

    assert counts(new_view(store), seconds=60, now=NOW) == {"/deals/": 1}
    assert publisher.has_served


def test_a_flush_without_traffic_still_tells_that_the_worker_lives(
    store: Any, publisher: Publisher
) -> None:
    flush(publisher)

    (alive,) = new_view(store).workers(now=NOW)
    assert alive.figures == {"process.thread.count": 4.0}
    assert alive.failures == {"x": 1}
    assert not publisher.has_served


def test_what_the_store_refuses_is_handed_over_once_it_is_back(
    rollup: Rollup, store: Any, publisher: Publisher
) -> None:
    store.is_out_of_order = True
    for n in range(3):
        rollup.record(request())
        with pytest.raises(StoreError):
            flush(publisher, now=NOW + n)
    assert publisher.backlog == 3

    store.is_out_of_order = False
    flush(publisher, now=NOW + 3)

    assert publisher.backlog == 0
    assert counts(new_view(store), seconds=60, now=NOW + 3) == {"/deals/": 3}


def test_the_backlog_is_bounded_and_what_it_loses_is_counted(
    rollup: Rollup,
    store: Any,
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "BACKLOG_LIMIT", 2)
    store.is_out_of_order = True
    for n in range(4):
        rollup.record(request())
        rollup.record(query())
        with pytest.raises(StoreError):
            flush(publisher, now=NOW + n)

    assert publisher.backlog == 2
    assert publisher.dropped == 4


def test_a_delta_with_times_no_clock_gives_is_dropped_and_counted(
    rollup: Rollup, publisher: Publisher
) -> None:
    rollup.record(request())
    rollup.seal(1e15)
    rollup.record(request())

    with pytest.raises(ValueError, match="not a time"):
        flush(publisher, now=1e15)

    assert publisher.backlog == 0
    assert publisher.dropped == 1


def test_a_delta_too_large_for_the_store_holds_up_no_other(
    rollup: Rollup, store: Any, publisher: Publisher
) -> None:
    store.is_out_of_order = True
    for n in range(2):
        rollup.record(request())
        with pytest.raises(StoreError):
            flush(publisher, now=NOW + n)
    append = store._store.append

    def refuse_the_first(bucket: Any, **kwargs: Any) -> None:
        if kwargs["sequence"] == 1:
            raise TooLargeError("too many bytes at once")
        append(bucket, **kwargs)

    store.is_out_of_order = False
    store._store.append = refuse_the_first
    flush(publisher, now=NOW + 2)

    assert (publisher.backlog, publisher.dropped) == (0, 1)
    assert counts(new_view(store), seconds=60, now=NOW + 2) == {"/deals/": 1}


def test_a_worker_whose_only_delta_is_too_large_still_tells_that_it_lives(
    rollup: Rollup, tmp_path: Path
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store/deltas.sqlite3", quota_bytes=10**6)
    publisher = Publisher(rollup, store, Texts(), beat=beat())
    publisher._backlog.append(publishing._Sealed(1, huge(), frozenset(), count=7))

    flush(publisher)

    assert (publisher.backlog, publisher.dropped) == (0, 7)
    assert len(new_view(store).workers(now=NOW)) == 1
    store.close()


@pytest.mark.parametrize("is_out_of_order", [False, True])
def test_others_are_told_of_a_delta_once_the_store_has_been_offered_it(
    rollup: Rollup, store: Any, publisher: Publisher, is_out_of_order: bool
) -> None:
    told: list[int] = []
    publisher.on_delta = lambda _: told.append(
        sum(counts(new_view(store), seconds=60, now=NOW).values())
    )
    rollup.record(request())
    store.is_out_of_order = is_out_of_order

    with suppress(StoreError):
        flush(publisher)

    assert told == [0 if is_out_of_order else 1]


def test_the_text_of_a_fingerprint_is_told_every_ten_minutes(
    rollup: Rollup, store: Any, texts: Texts, publisher: Publisher
) -> None:
    texts.remember("f1", "SELECT ?")
    rollup.record(query())
    flush(publisher)

    assert new_view(store).text("f1") == "SELECT ?"
    assert texts.untold({"f1"}, now=NOW + 599) == {}
    assert texts.untold({"f1"}, now=NOW + 600) == {"f1": "SELECT ?"}


def test_a_text_that_made_room_in_the_store_is_back_within_ten_minutes_of_use(
    rollup: Rollup, store: Any, texts: Texts, publisher: Publisher
) -> None:
    texts.remember("f1", "SELECT ?")
    rollup.record(query())
    flush(publisher)
    store.forget(texts_before=NOW + 1, beats_before=NOW)
    assert new_view(store).text("f1") == ""

    rollup.record(query())
    flush(publisher, now=NOW + 600)

    assert new_view(store).text("f1") == "SELECT ?"


def test_a_store_that_was_replaced_is_told_every_text_again(
    rollup: Rollup, store: Any, texts: Texts, publisher: Publisher
) -> None:
    texts.remember("f1", "SELECT ?")
    rollup.record(query())
    flush(publisher)

    store._store = new_store()
    rollup.record(query())
    flush(publisher, now=NOW + 5)

    assert new_view(store).text("f1") == "SELECT ?"


def test_only_so_many_texts_are_remembered(
    texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "TEXTS_LIMIT", 2)

    for name in ("f1", "f2", "f3"):
        texts.remember(name, "SELECT ?")

    assert set(texts.untold({"f1", "f2", "f3"}, now=NOW)) == {"f2", "f3"}


def test_the_text_of_a_recent_fingerprint_is_known(texts: Texts) -> None:
    texts.remember("f1", "SELECT ?")

    assert texts.text("f1") == "SELECT ?"
    assert texts.text("f2") == ""


def test_a_text_that_is_still_used_is_not_the_one_to_go(
    texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "TEXTS_LIMIT", 2)
    texts.remember("f1", "SELECT ?")
    texts.remember("f2", "SELECT ?")

    texts.untold(["f1"], now=NOW)
    texts.remember("f3", "SELECT ?")

    assert set(texts.untold(["f1", "f2", "f3"], now=NOW)) == {"f1", "f3"}


def test_nothing_is_kept_of_a_text_that_made_room_while_it_was_told(
    texts: Texts,
) -> None:
    texts.told(["f1"], now=NOW)

    assert not texts._told_at


def test_the_text_of_a_sampled_query_is_told_even_if_its_series_was_folded(
    store: Any, texts: Texts
) -> None:
    rollup = Rollup(series_limit=1, new_lock=threading.Lock, now=NOW - 5)
    texts.remember("f1", "SELECT ?")
    texts.remember("f2", "UPDATE ?")
    rollup.record(query(fingerprint="f1"))
    rollup.record(query(fingerprint="f2", duration=10**9))

    flush(Publisher(rollup, store, texts, beat=beat()))

    view = new_view(store)
    (slowest,) = view.slowest(series.QUERY, limit=1, seconds=60, now=NOW)
    assert view.text(slowest.fingerprint) == "UPDATE ?"


def test_more_texts_than_one_append_may_bring_are_told_in_several(
    rollup: Rollup, store: Any, texts: Texts, publisher: Publisher
) -> None:
    known = {f"{n:016x}": f"SELECT {n} " + "x" * 90_000 for n in range(5)}
    sizes: list[int] = []
    append = store._store.append

    def noted(*args: Any, **kwargs: Any) -> None:
        sizes.append(sum(map(len, kwargs["texts"].values())))
        append(*args, **kwargs)

    store._store.append = noted
    for fingerprint, text in known.items():
        texts.remember(fingerprint, text)
        rollup.record(query(fingerprint=fingerprint))

    flush(publisher)

    assert new_view(store).texts(list(known)) == known
    assert len(sizes) == 3
    assert max(sizes) <= publishing._TEXTS_AN_APPEND
