from __future__ import annotations

import socket
import time

import pytest

from prs_otel import native
from prs_otel.manual import maintenance
from prs_otel.rollup import series
from prs_otel.store.base import LEADER, StoreError
from tests.support.measured import Measured

HOUR = 3_600.0


def count(measured: Measured, seconds: float = HOUR) -> int:
    return measured.view.window(seconds, now=measured.now).total(series.REQUEST).count


@pytest.fixture
def measured() -> Measured:
    found = Measured(now=1_700_000_000.0)
    found.request()
    found.flush()
    return found


def lead(measured: Measured) -> None:
    lease = measured.view.store.acquire(
        LEADER, holder="w", host="web-1", pid=1, ttl=10, now=measured.now
    )
    assert lease is not None


@pytest.mark.parametrize("has_leader", [True, False])
def test_after_a_reset_every_window_starts_from_zero(
    measured: Measured, has_leader: bool
) -> None:
    if has_leader:
        lead(measured)
    assert count(measured) == 1

    done = maintenance.reset_counters(
        measured.view, patience=0, clock=lambda: measured.now - 1
    )

    assert done == {"dropped_buckets": 1, "workers_missed": 0}
    assert (count(measured), count(measured, 60)) == (0, 0)
    measured.request()
    measured.request()
    measured.now += 1
    measured.flush()
    assert count(measured) == 2


def test_a_reset_waits_for_what_workers_have_not_handed_over(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured.request()

    def flush(_: float) -> None:
        measured.now += 1
        measured.flush()

    monkeypatch.setattr(native, "sleep", flush)
    done = maintenance.reset_counters(
        measured.view, patience=10, clock=lambda: measured.now
    )

    assert done == {"dropped_buckets": 2, "workers_missed": 0}
    assert count(measured) == 0


def test_a_worker_that_does_not_answer_is_waited_for_so_long_and_told_of(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = iter(range(100))
    monkeypatch.setattr(native, "sleep", lambda _: None)

    done = maintenance.reset_counters(
        measured.view, patience=3, clock=lambda: measured.now + next(passed)
    )

    assert done == {"dropped_buckets": 1, "workers_missed": 1}


def test_nothing_to_reset_is_no_error(measured: Measured) -> None:
    for dropped in (1, 0):
        done = maintenance.reset_counters(
            measured.view, patience=0, clock=lambda: measured.now - 1
        )
        assert done["dropped_buckets"] == dropped


def test_who_leads_goes_on_leading(measured: Measured) -> None:
    lead(measured)

    maintenance.reset_counters(measured.view, patience=0, clock=time.time)

    with measured.view.store.reading() as reader:
        lease = reader.lease(LEADER)
    assert lease is not None
    assert lease.holder == "w"


def test_a_leader_that_is_always_first_is_told_of(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured.view.store, "replace", lambda *_, **__: None)

    with pytest.raises(StoreError, match="try again"):
        maintenance.reset_counters(measured.view, patience=0)


def test_cleaning_up_drops_what_is_older_than_the_retention(measured: Measured) -> None:
    store = measured.view.store

    def clean(hours_later: float) -> dict[str, int]:
        return maintenance.cleanup(
            store,
            retention_hours=24,
            quota_bytes=1_000_000,
            now=measured.now + hours_later * HOUR,
        )

    assert clean(24) == {"expired_buckets": 0, "evicted_buckets": 0}
    assert clean(26) == {"expired_buckets": 1, "evicted_buckets": 0}


def test_cleaning_up_drops_what_is_beyond_the_quota(measured: Measured) -> None:
    done = maintenance.cleanup(
        measured.view.store, retention_hours=24, quota_bytes=0, now=measured.now
    )

    assert done == {"expired_buckets": 0, "evicted_buckets": 1}


def test_a_process_of_this_host_that_has_ended_is_not_waited_for() -> None:
    measured = Measured(now=1_700_000_000.0, host=socket.gethostname(), pid=2**30)
    measured.request()
    measured.flush()

    done = maintenance.reset_counters(
        measured.view, patience=0, clock=lambda: measured.now
    )

    assert done == {"dropped_buckets": 1, "workers_missed": 0}


def test_what_this_process_holds_is_handed_over_first(measured: Measured) -> None:
    measured.request()

    def flush() -> None:
        measured.now += 1
        measured.flush()

    done = maintenance.reset_counters(
        measured.view, patience=0, clock=lambda: measured.now, flush=flush
    )

    assert done == {"dropped_buckets": 2, "workers_missed": 0}
    assert count(measured) == 0
