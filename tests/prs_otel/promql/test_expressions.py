from __future__ import annotations

from typing import Any

import pytest

from prs_otel.promql.expressions import (
    EXTRAPOLATED,
    INTERPOLATED,
    LARGEST,
    Question,
    expression,
)

COUNT = "http_server_request_duration_seconds_count"
BUCKETS = "http_server_request_duration_seconds_bucket"
SUM = "http_server_request_duration_seconds_sum"
ERRORS = "prs_http_server_request_errors_total"
HITS, MISSES = "prs_cache_hits_total", "prs_cache_misses_total"


def asked(metric: str, aggregation: str = "avg", **fields: Any) -> Question:
    return Question(
        metric,
        aggregation,
        fields.get("where", {}),
        fields.get("by", ()),
        fields.get("window", 300.0),
    )


@pytest.mark.parametrize(
    ("metric", "aggregation", "value"),
    [
        ("duration", "avg", f"sum (rate({SUM}[300s])) / sum (rate({COUNT}[300s]))"),
        ("duration", "p95", f"histogram_quantile(0.95, sum by (le) (rate({BUCKETS}[300s])))"),
        ("duration", "p99.9", f"histogram_quantile(0.999, sum by (le) (rate({BUCKETS}[300s])))"),
        ("duration", "max", f"histogram_quantile(1, sum by (le) (rate({BUCKETS}[300s])))"),
        ("duration", "count", f"sum (increase({COUNT}[300s]))"),
        ("count", "avg", f"sum (increase({COUNT}[300s]))"),
        ("count", "rate", f"sum (rate({COUNT}[300s]))"),
        ("rate", "avg", f"sum (rate({COUNT}[300s]))"),
        ("error_rate", "count", f"sum (increase({ERRORS}[300s]))"),
        ("error_rate", "rate", f"sum (rate({ERRORS}[300s]))"),
        (
            "error_rate",
            "ratio",
            (f"(sum (rate({ERRORS}[300s])) or sum (rate({COUNT}[300s])) * 0)"
            f" / sum (rate({COUNT}[300s]))"),
        ),
    ],
)  # fmt: skip
def test_every_figure_of_requests_is_asked_for(
    metric: str, aggregation: str, value: str
) -> None:
    found = expression(asked(f"http.server.request.{metric}", aggregation))

    assert found.value == value
    assert found.count == f"sum (increase({COUNT}[300s]))"


def test_labels_select_and_group() -> None:
    found = expression(
        asked(
            "http.server.request.count",
            "rate",
            where={"http.request.method": "GET", "http.route": '/a"b/'},
            by=("http.route",),
            window=60.0,
        )
    )

    assert found.by == ("http_route",)
    assert found.value == (
        f"sum by (http_route) (rate({COUNT}"
        '{http_request_method="GET",http_route="/a\\"b/"}[60s]))'
    )


def test_an_organisation_has_series_of_its_own() -> None:
    found = expression(
        asked("http.server.request.count", "rate", by=("prs.tenant.id",))
    )

    assert found.value == (
        "sum by (prs_tenant_id) (rate(prs_tenant_requests_total[300s]))"
    )


@pytest.mark.parametrize(
    ("metric", "aggregation", "difference"),
    [
        ("http.server.request.duration", "p95", INTERPOLATED),
        ("http.server.request.duration", "max", LARGEST),
        ("http.server.request.count", "count", EXTRAPOLATED),
    ],
)
def test_what_differs_is_said(metric: str, aggregation: str, difference: str) -> None:
    assert list(expression(asked(metric, aggregation)).differences) == [difference]


def test_a_gauge_is_told_by_host() -> None:
    found = expression(
        asked("system.cpu.utilization", "max", where={"host.name": "web-1"})
    )

    assert found.by == ("host_name",)
    assert found.value == (
        "max by (host_name) "
        '(max_over_time(system_cpu_utilization_ratio{host_name="web-1"}[300s]))'
    )
    assert found.absence == f"absent({found.value})"


def test_nothing_observed_is_no_increase() -> None:
    found = expression(asked("http.server.request.count", "rate"))

    assert found.absence == f"(sum(sum (increase({COUNT}[300s]))) or vector(0)) == 0"


def test_a_hit_rate_needs_but_one_of_its_series() -> None:
    found = expression(asked("prs.cache.hit_rate", "ratio", by=("prs.cache.alias",)))

    by = "sum by (prs_cache_alias)"
    hits, misses = f"{by} (rate({HITS}[300s]))", f"{by} (rate({MISSES}[300s]))"
    both = f"({hits} + {misses} or {hits} or {misses})"
    assert found.value == f"({hits} or {misses} * 0) / {both}"


@pytest.mark.parametrize(
    ("metric", "fields"),
    [
        ("http.server.request.count", {"by": ("user.id",)}),
        ("http.server.request.count", {"by": ("host.name",)}),
        ("http.server.request.duration", {"by": ("prs.tenant.id",)}),
        ("http.server.request.slow_rate", {"by": ("prs.tenant.id",)}),
        ("db.client.operation.count", {"by": ("prs.db.query.fingerprint",)}),
        ("prs.cache.operation.duration", {"aggregation": "p95"}),
        ("prs.cache.hit_rate", {"by": ("prs.cache.operation",)}),
        ("system.cpu.utilization", {"aggregation": "count"}),
        ("shop.basket.size", {}),
    ],
)
def test_what_is_not_exported_is_refused(metric: str, fields: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match=r"."):
        expression(asked(metric, **fields))
