from __future__ import annotations

from prs_otel.store.base import Store


def test_a_document_is_read_back(store: Store) -> None:
    store.put("configuration", b"first")
    store.put("configuration", b"second")

    assert store.get("configuration") == b"second"


def test_an_unknown_document_is_none(store: Store) -> None:
    assert store.get("configuration") is None


def test_keys_are_listed_by_prefix_in_order(store: Store) -> None:
    for key in ("journal/2", "journal/1", "journ%l/3", "status"):
        store.put(key, b"")

    assert store.keys("journal/") == ["journal/1", "journal/2"]
    assert store.keys("") == ["journ%l/3", "journal/1", "journal/2", "status"]


def test_a_deleted_document_is_gone(store: Store) -> None:
    store.put("status", b"x")

    store.delete("status")
    store.delete("status")

    assert store.get("status") is None


def test_status_says_where_and_how_much(store: Store) -> None:
    store.put("status", b"x")

    status = store.status()

    assert status["url"] == store.url
    assert status["reachable"] is True
    assert status["quota_bytes"] == 128 * 1024 * 1024
    assert status["last_error"] is None
    assert status["set_aside"] == []
    assert status["size_bytes"] is not None


def test_a_closed_store_opens_again(store: Store) -> None:
    store.put("status", b"x")

    store.close()

    assert store.get("status") == b"x"
