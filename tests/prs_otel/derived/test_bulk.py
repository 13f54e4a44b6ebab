from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.metrics import Histogram
from opentelemetry.sdk.metrics import Histogram as SdkHistogram
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    InMemoryMetricReader,
)
from opentelemetry.sdk.metrics.view import (
    ExponentialBucketHistogramAggregation,
    View,
)

from prs_otel.derived.bulk import add, counting
from prs_otel.derived.catalog import BOUNDARIES
from prs_otel.derived.durations import Duration

ROUTE = {"http.route": "/deals/"}
OTHER = {"http.route": "/users/"}

DURATIONS = st.lists(
    st.builds(
        Duration,
        st.just(("/deals/",)),
        # What is right on a boundary belongs to the bucket below it.
        st.one_of(st.floats(0, 100), st.sampled_from(BOUNDARIES)),
        st.integers(0, 5),
    ),
    max_size=20,
)


@dataclass
class Exported:
    """A histogram, and who reads it."""

    views: Sequence[View] = ()
    temporality: AggregationTemporality = AggregationTemporality.CUMULATIVE
    reader: InMemoryMetricReader = field(init=False)
    provider: MeterProvider = field(init=False)
    histogram: Histogram = field(init=False)

    def __post_init__(self) -> None:
        self.reader = InMemoryMetricReader(
            preferred_temporality={SdkHistogram: self.temporality}
        )
        self.provider = MeterProvider(
            [self.reader], views=self.views, shutdown_on_exit=False
        )
        self.histogram = self.provider.get_meter("test").create_histogram(
            "duration", unit="s", explicit_bucket_boundaries_advisory=BOUNDARIES
        )

    def points(self) -> list[tuple[Any, ...]]:
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        metrics = data.resource_metrics[0].scope_metrics[0].metrics
        return [
            (
                dict(point.attributes or {}),
                point.count,
                pytest.approx(point.sum),
                point.bucket_counts,
                point.min,
                point.max,
            )
            for point in metrics[0].data.data_points
            if isinstance(point, HistogramDataPoint)
        ]


@pytest.mark.parametrize(
    "temporality", [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA]
)
@given(parts=st.lists(DURATIONS, max_size=3))
def test_what_is_added_is_as_if_it_had_been_recorded(
    temporality: AggregationTemporality, parts: list[list[Duration]]
) -> None:
    one_by_one = Exported(temporality=temporality)
    at_once = Exported(temporality=temporality)
    for exported in (one_by_one, at_once):
        exported.histogram.record(0.3, ROUTE)
    into = counting(at_once.provider, at_once.histogram, ROUTE)
    assert into is not None

    for durations in parts:
        for each in durations:
            for _ in range(each.times):
                one_by_one.histogram.record(each.seconds, ROUTE)
        add(into, [each for each in durations if each.times])

        assert at_once.points() == one_by_one.points()


def test_every_reader_is_told() -> None:
    first, second = InMemoryMetricReader(), InMemoryMetricReader()
    provider = MeterProvider([first, second], shutdown_on_exit=False)
    histogram = provider.get_meter("test").create_histogram("duration")
    histogram.record(1.0, ROUTE)

    into = counting(provider, histogram, ROUTE)

    assert into is not None
    assert len(into) == 2


def test_only_what_was_recorded_first_a_moment_ago_is_found() -> None:
    exported = Exported()
    exported.histogram.record(1.0, ROUTE)
    exported.histogram.record(1.0, OTHER)

    found = [
        counting(exported.provider, exported.histogram, attributes) is not None
        for attributes in (ROUTE, OTHER)
    ]

    assert found == [False, True]


def test_what_counts_in_another_way_is_left_to_the_sdk() -> None:
    exponential = ExponentialBucketHistogramAggregation()
    view = View(instrument_name="duration", aggregation=exponential)
    exported = Exported(views=[view])
    exported.histogram.record(1.0, ROUTE)

    assert counting(exported.provider, exported.histogram, ROUTE) is None


@pytest.mark.parametrize("provider", [None, object(), MeterProvider([])])
def test_a_provider_that_is_unknown_or_has_no_reader_is_left_alone(
    provider: object,
) -> None:
    assert counting(provider, Exported().histogram, ROUTE) is None


def test_where_nothing_has_been_recorded_nothing_is_found() -> None:
    exported = Exported()

    assert counting(exported.provider, exported.histogram, ROUTE) is None


def test_what_the_sdk_keeps_elsewhere_is_not_guessed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exported = Exported()
    exported.histogram.record(1.0, ROUTE)
    monkeypatch.setattr("prs_otel.derived.bulk._NEEDED", ("_moved",))

    assert counting(exported.provider, exported.histogram, ROUTE) is None
