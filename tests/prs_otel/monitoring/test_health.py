from __future__ import annotations

from typing import NoReturn

import pytest

from prs_otel.monitoring import documents
from prs_otel.store.base import StoreError
from tests.support.measured import Measured

NOW = 1_700_000_000.0


def test_the_public_hears_nothing_but_the_status() -> None:
    assert documents.ALIVE.model_dump() == {"status": "healthy"}


def test_a_monitor_whose_workers_report_is_healthy(measured: Measured) -> None:
    health = documents.detailed_health(measured.flush(), now=NOW + 2)

    assert health.status == "healthy"
    assert health.model_dump()["checks"] == [
        {"name": "monitoring", "status": "healthy", "detail": "switched on"},
        {
            "name": "store",
            "status": "healthy",
            "detail": "workers: 1, the quietest reported 2.0 s ago",
        },
    ]


def test_a_monitor_that_hears_of_no_worker_is_degraded(measured: Measured) -> None:
    health = documents.detailed_health(measured.view, now=NOW)

    assert health.status == "degraded"
    assert health.checks[1].detail == "no worker reports"


def test_a_store_out_of_order_degrades_the_monitor(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> NoReturn:
        raise StoreError("the disk is full")

    monkeypatch.setattr(measured.view.store, "reading", fail)

    health = documents.detailed_health(measured.view, now=NOW)

    assert health.status == "degraded"
    assert health.checks[1].detail == "the disk is full"


def test_a_monitor_switched_off_is_degraded() -> None:
    health = documents.detailed_health(None, now=NOW)

    assert health.status == "degraded"
    assert [check.detail for check in health.checks] == ["switched off"]
