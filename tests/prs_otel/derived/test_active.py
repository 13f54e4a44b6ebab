from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from prs_otel.derived import active
from prs_otel.derived.active import ActiveAlerts, Kind

BUSY, LATE = ("busy", "warning"), ("late", "critical")


class Exported:
    """What is exported of the alerts that a test has fire."""

    def __init__(self) -> None:
        self.firing: Mapping[Kind, int] = {}
        self.alerts = ActiveAlerts()
        self.reader = InMemoryMetricReader()

    def points(self) -> dict[tuple[Any, ...], float]:
        data = self.reader.get_metrics_data()
        found = (
            [] if data is None else data.resource_metrics[0].scope_metrics[0].metrics
        )
        return {
            tuple((point.attributes or {}).values()): getattr(point, "value", -1)
            for metric in found
            for point in metric.data.data_points
        }


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exported]:
    found = Exported()
    provider = MeterProvider([found.reader], shutdown_on_exit=False)
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    found.alerts.follow(lambda: found.firing)
    yield found
    provider.shutdown()


def test_what_fires_is_counted_and_what_ended_is_zero(exported: Exported) -> None:
    before = exported.points()
    exported.firing = {BUSY: 2, LATE: 1}
    during = exported.points()
    exported.firing = {LATE: 1}

    assert before == {}
    assert during == {BUSY: 2, LATE: 1}
    assert exported.points() == {BUSY: 0, LATE: 1}


def test_who_no_longer_evaluates_exports_nothing(exported: Exported) -> None:
    exported.firing = {BUSY: 2}
    exported.alerts.follow(None)
    silent = exported.points()
    exported.alerts.follow(lambda: {LATE: 3})

    assert silent == {}
    assert exported.points() == {LATE: 3}


def test_a_forked_child_exports_nothing(exported: Exported) -> None:
    exported.firing = {BUSY: 2}
    exported.alerts.forget()

    assert exported.points() == {}


def test_however_many_names_there_are_the_series_are_bounded(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "KINDS", 2)
    exported.firing = {BUSY: 1, LATE: 2, ("more", "warning"): 3, ("most", "warning"): 4}

    assert exported.points() == {BUSY: 1, LATE: 2, ("__other__", "warning"): 7}
    assert exported.points() == {BUSY: 1, LATE: 2, ("__other__", "warning"): 7}
