from __future__ import annotations

import pytest

from prs_otel.rollup.gauge import Gauge, Gauges, merge_into, reading


def test_gauges_merge_into_mean_maximum_and_latest() -> None:
    gauge = (
        reading(0.2, at=10.0)
        .merged(reading(0.8, at=20.0))
        .merged(reading(0.5, at=15.0))
    )

    assert gauge == Gauge(count=3, total=1.5, maximum=0.8, last=0.8, at=20.0)
    assert gauge.mean == 0.5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_gauge_takes_finite_numbers_only(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        reading(value, at=1.0)


def test_gauges_beyond_the_limit_are_turned_away_and_counted() -> None:
    gauges: Gauges = {("a", ()): reading(1.0, at=1.0)}

    refused = merge_into(
        gauges,
        {("a", ()): reading(3.0, at=2.0), ("b", ()): reading(1.0, at=1.0)},
        limit=1,
    )

    assert refused == 1
    assert gauges == {
        ("a", ()): Gauge(count=2, total=4.0, maximum=3.0, last=3.0, at=2.0)
    }
