from __future__ import annotations

from prs_otel.rollup import series
from prs_otel.rollup.reservoir import Reservoir
from tests.prs_otel.rollup.observations import query


def test_a_kind_that_is_never_sampled_is_passed_over() -> None:
    reservoir = Reservoir()

    reservoir.offer(query()._replace(kind=series.CACHE, labels=("default",)))

    assert reservoir.drawn(1_000.0) == ({}, [])
