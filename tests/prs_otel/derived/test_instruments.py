from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from prs_otel.derived import instruments
from prs_otel.derived.catalog import BOUNDARIES
from prs_otel.derived.durations import Duration, told_apart
from prs_otel.derived.instruments import Instruments
from tests.prs_otel.derived.deltas import NOW, Counting
from tests.prs_otel.rollup.observations import request

DURATION = "http.server.request.duration"
ERRORS = "prs.http.server.request.errors"
OF_A = {"http.route": "/a/", "http.request.method": "GET"}


class Exporting:
    """A process whose meter provider is read by a test."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider(metric_readers=[self.reader])
        self.instruments = Instruments(limit=50, new_lock=threading.Lock)
        self.counting = Counting()

    def request(self, **figures: Any) -> None:
        self.counting.rollup.record(request(endpoint="/a/", **figures))

    def flush(self) -> None:
        self.instruments.add(self.counting.seal())

    def points(self, name: str) -> list[Any]:
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        return [
            point
            for of_resource in data.resource_metrics
            for of_scope in of_resource.scope_metrics
            for metric in of_scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture
def exporting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exporting]:
    exporting = Exporting()
    serve_by(monkeypatch, exporting.provider)
    yield exporting
    exporting.provider.shutdown()


def serve_by(monkeypatch: pytest.MonkeyPatch, provider: Any) -> None:
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)


def test_durations_are_a_histogram_with_the_advised_buckets(
    exporting: Exporting,
) -> None:
    for duration in (3_000_000, 60_000_000, 20_000_000_000):
        exporting.request(duration=duration)
    exporting.flush()

    (point,) = exporting.points(DURATION)

    assert dict(point.attributes) == OF_A
    assert tuple(point.explicit_bounds) == BOUNDARIES
    assert (point.count, point.bucket_counts[0], point.bucket_counts[-1]) == (3, 1, 1)
    assert point.sum == pytest.approx(20.063)


def test_where_the_sdk_counts_otherwise_durations_are_recorded_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    for is_known in (True, False):
        exporting = Exporting()
        serve_by(monkeypatch, exporting.provider)
        if not is_known:
            monkeypatch.setattr(instruments, "counting", lambda *_: None)
        for _ in range(2):
            for duration in (3_000_000, 3_000_001, 60_000_000, 20_000_000_000):
                exporting.request(duration=duration)
            exporting.flush()
        (point,) = exporting.points(DURATION)
        exporting.provider.shutdown()
        found.append((point.count, point.bucket_counts, pytest.approx(point.sum)))

    assert found[0] == found[1]
    assert found[0][0] == 8


def test_of_each_bucket_the_slowest_is_named() -> None:
    fast, slow = (
        Duration((), 0.2, 1, "a" * 32, "b" * 16),
        Duration((), 0.3, 1, "c", "d"),
    )
    long, plain = Duration((), 7.0, 1, "e", "f"), Duration((), 0.31, 4)

    named, rest = told_apart([fast, plain, slow, long], (0.5, 1.0))

    assert named == [slow, long]
    assert rest == [fast, plain]


def test_an_exemplar_names_the_trace_of_a_request(exporting: Exporting) -> None:
    exporting.request(trace_id=7, span_id=8)
    exporting.flush()

    ((exemplar,),) = [point.exemplars for point in exporting.points(DURATION)]

    assert (exemplar.trace_id, exemplar.span_id) == (7, 8)


def test_failures_are_counted_from_the_beginning_of_the_process(
    exporting: Exporting,
) -> None:
    for _ in range(2):
        exporting.request(is_error=True)
        exporting.flush()

    (point,) = exporting.points(ERRORS)

    assert (dict(point.attributes), point.value) == (OF_A, 2)


def test_the_host_is_a_gauge(exporting: Exporting) -> None:
    exporting.counting.rollup.gauge("system.cpu.utilization", 0.5, ("web-1",), NOW)
    exporting.flush()

    (point,) = exporting.points("system.cpu.utilization")

    assert (dict(point.attributes), point.value) == ({"host.name": "web-1"}, 0.5)


def test_a_forked_child_counts_from_zero(exporting: Exporting) -> None:
    exporting.request(is_error=True)
    exporting.flush()

    exporting.instruments.begin()

    assert exporting.points(ERRORS) == []


def test_what_the_application_sets_later_is_followed(
    exporting: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporting.request()
    exporting.flush()
    later = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[later])
    serve_by(monkeypatch, provider)

    exporting.request()
    exporting.flush()
    exporting.reader = later

    assert [point.count for point in exporting.points(DURATION)] == [1]
    provider.shutdown()


@pytest.mark.parametrize("provider", [MeterProvider(), metrics.NoOpMeterProvider()])
def test_where_nobody_reads_nothing_is_told(
    exporting: Exporting, monkeypatch: pytest.MonkeyPatch, provider: object
) -> None:
    serve_by(monkeypatch, provider)
    told: list[object] = []
    monkeypatch.setattr(exporting.instruments, "_register", told.append)

    exporting.request()
    exporting.flush()

    assert not told
