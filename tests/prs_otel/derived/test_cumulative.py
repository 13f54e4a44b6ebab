from __future__ import annotations

import pytest

from prs_otel.derived import catalog
from prs_otel.derived.cumulative import Cumulative
from prs_otel.rollup import series
from tests.prs_otel.derived.deltas import NOW, Counting
from tests.prs_otel.rollup.observations import query, request

ERRORS = "prs.http.server.request.errors"
OF_A = ("/a/", "GET")
CPU = "system.cpu.utilization"


@pytest.fixture
def counting() -> Counting:
    return Counting()


def test_each_delta_adds_to_what_was_counted_before(counting: Counting) -> None:
    cumulative = Cumulative(50)
    for _ in range(2):
        counting.rollup.record(request(endpoint="/a/", is_error=True))
        counting.rollup.record(request(endpoint="/a/"))
        cumulative.add(counting.seal())

    assert dict(cumulative.sums(ERRORS)) == {OF_A: 2}


def test_the_statements_of_a_database_are_counted_together(counting: Counting) -> None:
    cumulative = Cumulative(50)
    for fingerprint in "ab":
        counting.rollup.record(query(fingerprint=fingerprint, is_slow=True))
    cumulative.add(counting.seal())

    assert dict(cumulative.sums("prs.db.client.operation.slow")) == {("default",): 2}


def test_what_caches_were_asked_for_is_counted(counting: Counting) -> None:
    cumulative = Cumulative(50)
    counting.rollup.count(series.CACHE_HITS, ("default",), 3)
    cumulative.add(counting.seal())

    assert dict(cumulative.sums("prs.cache.hits")) == {("default",): 3}
    assert dict(cumulative.sums("prs.cache.misses")) == {}


def test_a_metric_has_no_more_series_than_its_limit(counting: Counting) -> None:
    cumulative = Cumulative(2)
    for endpoint in ("/a/", "/b/", "/c/", "/d/"):
        counting.rollup.record(request(endpoint=endpoint, is_error=True))
        cumulative.add(counting.seal())

    assert dict(cumulative.sums(ERRORS)) == {
        OF_A: 1,
        ("/b/", "GET"): 1,
        (series.OTHER, series.OTHER): 2,
    }


def test_a_gauge_is_its_latest_reading_until_that_is_stale(counting: Counting) -> None:
    cumulative = Cumulative(50)
    for at, value in ((NOW - 2, 0.5), (NOW - 1, 0.25)):
        counting.rollup.gauge(CPU, value, ("web-1",), at)
    cumulative.add(counting.seal())
    assert dict(cumulative.readings(CPU)) == {("web-1",): 0.25}

    for later, readings in ((60, {("web-1",): 0.25}), (180, {})):
        counting.rollup.record(request())
        cumulative.add(counting.seal(now=NOW + later))
        assert dict(cumulative.readings(CPU)) == readings


def test_a_gauge_of_the_application_is_its_own_to_export(counting: Counting) -> None:
    cumulative = Cumulative(50)
    counting.rollup.gauge("shop.basket.size", 3, ("web-1",), NOW)
    cumulative.add(counting.seal())

    assert dict(cumulative.readings("shop.basket.size")) == {}


def test_every_label_is_one_of_its_kind() -> None:
    for counted in (*catalog.COUNTED, *catalog.TIMED):
        assert set(counted.labels) <= set(series.LABEL_NAMES[counted.kind])


def test_every_name_is_told_once() -> None:
    metrics = (*catalog.COUNTED, *catalog.TIMED, *catalog.LOOKED, *catalog.READ)
    names = [each.name for each in metrics]

    assert len(names) == len(set(names))
