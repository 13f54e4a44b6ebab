from __future__ import annotations

from collections.abc import Mapping

from prs_otel.rollup import series
from prs_otel.rollup.instant import Instant
from tests.support.measured import Measured, Whose

NOW = 1_750_000_000.0


def answered() -> Measured:
    measured = Measured(NOW)
    for route, times in {"/deals/": 3, "/users/": 2}.items():
        for _ in range(times):
            measured.request(whose=Whose(endpoint=route))
    measured.flush()
    return measured


def counts(
    instant: Instant, where: Mapping[str, str], *by: str
) -> dict[tuple[tuple[str, str], ...], int]:
    found = instant.grouped(300.0, series.REQUEST, where, by)
    return {named: figures.count for named, figures in found.items()}


def test_series_alike_in_the_labels_asked_for_are_one() -> None:
    instant = Instant(answered().view, now=NOW)

    assert counts(instant, {}) == {(): 5}
    assert counts(instant, {"http.route": "/deals/"}) == {(): 3}
    assert counts(instant, {}, "http.route") == {
        (("http.route", "/deals/"),): 3,
        (("http.route", "/users/"),): 2,
    }


def test_what_was_asked_before_is_not_read_or_merged_again() -> None:
    measured = answered()
    instant = Instant(measured.view, now=NOW)
    window, gauges = instant.window(300.0), instant.gauges(300.0)
    grouped = instant.grouped(300.0, series.REQUEST, {}, ("http.route",))

    measured.request(whose=Whose(endpoint="/deals/"))
    measured.flush()

    assert instant.window(300.0) is window
    assert instant.gauges(300.0) is gauges
    assert instant.grouped(300.0, series.REQUEST, {}, ("http.route",)) is grouped
