from __future__ import annotations

import logging

import pytest

from prs_otel.observation import Thresholds
from prs_otel.rollup import series
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.delta import Delta
from prs_otel.rollup.sample import Sample
from prs_otel.slow_log import SlowLog
from tests.prs_otel.rollup.test_codec import sample


def lines(caplog: pytest.LogCaptureFixture, *samples: Sample) -> list[str]:
    by_kind: dict[str, list[Sample]] = {}
    for each in samples:
        by_kind.setdefault(each.kind, []).append(each)
    delta = Delta(0.0, 5.0, Cells(1), by_kind, {})
    slow_log = SlowLog(thresholds=Thresholds, text=lambda fingerprint: "SELECT ?")
    with caplog.at_level(logging.INFO, logger="performance"):
        slow_log.write(delta)
    return [record.getMessage() for record in caplog.records]


def test_a_slow_query_is_one_line_with_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (line,) = lines(caplog, sample(duration=1.5), sample(duration=0.5))

    place = "GET /deals/ at deals/views.py:12"
    assert line == f"Slow query: 1.500 s, {place}, trace {'a' * 32}: SELECT ?"


def test_a_slow_query_outside_of_a_request_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (line,) = lines(caplog, sample(endpoint=None, code=None))

    assert line.startswith("Slow query: 1.500 s, no request, trace ")


def test_a_slow_request_tells_of_its_queries(caplog: pytest.LogCaptureFixture) -> None:
    request = sample(
        kind=series.REQUEST, duration=2.5, query_count=7, query_duration=2.25
    )

    (line,) = lines(caplog, request, sample(kind=series.REQUEST, duration=1.9))

    queries = "7 queries in 2.250 s"
    assert line == f"Slow request: 2.500 s, GET /deals/, {queries}, trace {'a' * 32}"


def test_many_slow_queries_are_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    written = lines(caplog, *(sample(duration=2.0 + n) for n in range(15)))

    assert len(written) == 11
    assert written[0].startswith("Slow query: 16.000 s")
    assert written[-1] == "… and 5 more slow queries"
