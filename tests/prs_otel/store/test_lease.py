from __future__ import annotations

import math
import os
import subprocess
import sys

import pytest

from prs_otel.store.base import Lease, Store
from tests.prs_otel.store.stored import NOW

HOST = "web-1"


def acquire(
    store: Store,
    holder: str,
    *,
    now: float = NOW,
    pid: int | None = None,
    host: str = HOST,
) -> Lease | None:
    pid = os.getpid() if pid is None else pid
    return store.acquire("leader", holder=holder, host=host, pid=pid, ttl=10.0, now=now)


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(30)
    return process.pid


def test_a_free_lease_is_taken(store: Store) -> None:
    lease = acquire(store, "first")

    assert lease == Lease("leader", "first", HOST, os.getpid(), 1, NOW + 10)
    with store.reading() as reader:
        assert reader.lease("leader") == lease


def test_a_held_lease_is_not_taken(store: Store) -> None:
    acquire(store, "first")

    assert acquire(store, "second", now=NOW + 9) is None


def test_its_holder_renews_a_lease_without_a_new_epoch(store: Store) -> None:
    acquire(store, "first")

    lease = acquire(store, "first", now=NOW + 60)

    assert lease is not None
    assert (lease.epoch, lease.expires_at) == (1, NOW + 70)


def test_an_expired_lease_is_taken_with_a_new_epoch(store: Store) -> None:
    acquire(store, "first")

    lease = acquire(store, "second", now=NOW + 10)

    assert lease is not None
    assert (lease.holder, lease.epoch) == ("second", 2)


def test_a_lease_from_before_a_clock_jumped_back_counts_as_expired(
    store: Store,
) -> None:
    acquire(store, "first", now=NOW + 91)

    assert acquire(store, "second") is not None


def test_a_lease_a_little_in_the_future_is_held(store: Store) -> None:
    acquire(store, "first", now=NOW + 90)

    assert acquire(store, "second") is None


def test_the_lease_of_a_dead_process_is_free_at_once(store: Store) -> None:
    acquire(store, "first", pid=dead_pid())

    assert acquire(store, "second") is not None


def test_a_process_of_another_host_is_given_time(store: Store) -> None:
    acquire(store, "first", pid=dead_pid(), host="web-2")

    assert acquire(store, "second") is None


@pytest.mark.parametrize("pid", [0, -1, 1, 2**40])
def test_a_process_that_cannot_be_asked_counts_as_alive(store: Store, pid: int) -> None:
    acquire(store, "first", pid=pid)

    assert acquire(store, "second") is None


def test_a_process_of_another_user_is_alive(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    acquire(store, "first")
    monkeypatch.setattr(os, "kill", refuse)

    assert acquire(store, "second") is None


def test_a_released_lease_is_free_and_its_next_epoch_is_new(store: Store) -> None:
    acquire(store, "first")
    store.release("leader", holder="first")

    with store.reading() as reader:
        assert reader.lease("leader") is None
    lease = acquire(store, "first")
    assert lease is not None
    assert lease.epoch == 2


def test_only_the_holder_releases_a_lease(store: Store) -> None:
    acquire(store, "first")

    store.release("leader", holder="second")
    store.release("unknown", holder="first")

    assert acquire(store, "second") is None


@pytest.mark.parametrize(
    ("holder", "ttl", "now"),
    [("", 10.0, NOW), ("first", 0.0, NOW), ("first", 10.0, math.nan)],
)
def test_a_senseless_claim_is_refused(
    store: Store, holder: str, ttl: float, now: float
) -> None:
    with pytest.raises(ValueError, match="cannot hold a lease"):
        store.acquire("leader", holder=holder, host=HOST, pid=1, ttl=ttl, now=now)
