"""A Grafana dashboard of everything that is exported, out of the catalogue of metrics. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prs_otel.promql.families import FAMILIES, GAUGES, HITS, MISSES, Family, counter
from prs_otel.promql.names import label_name, metric_name
from prs_otel.rollup import series
from prs_otel.semconv import PRS_ALERT_ACTIVE

TITLE: Final = "Django by prs-otel"
UID: Final = "prs-otel"
WIDTH, HEIGHT, COLUMNS = 8, 8, 3
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_OF_SERVICE: Final = '{job="$job"}'
_RANGE: Final = "[$__rate_interval]"
_QUANTILES: Final = (0.5, 0.95, 0.99)
_MOST: Final = (
    10  # lines in a chart that is told apart by endpoint, task or organisation
)


@dataclass(frozen=True, slots=True)
class Line:
    """One expression, and what its series are called in the legend."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One panel; ``unit`` is Grafana's word for it."""

    title: str
    unit: str
    lines: Sequence[Line]


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it: a data source and a service to choose."""
    panels = [_panel(number, chart) for number, chart in enumerate(_charts())]
    requests = FAMILIES["http.server.request"][0].count
    return {
        "uid": UID,
        "title": TITLE,
        "tags": ["django", "opentelemetry", "prs-otel"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_datasource(), _service(requests)]},
        "annotations": {"list": [_alerts()]},
        "panels": panels,
    }


def _charts() -> Iterable[Chart]:
    yield from _of_requests()
    yield from _of_queries()
    yield from _of_the_rest()
    for name, gauge in GAUGES.items():
        unit = "percentunit" if name.endswith("utilization") else "short"
        line = Line(f"max by (host_name) ({gauge}{_OF_SERVICE})", "{{host_name}}")
        yield Chart(name, unit, [line])


def _of_requests() -> Iterable[Chart]:
    requests, _ = FAMILIES["http.server.request"]
    route = label_name("http.route")
    n_plus_one = counter(series.REQUEST, "findings")
    queries = counter(series.REQUEST, "queries")
    yield Chart("Requests", "reqps", [_most(requests.count, route)])
    yield Chart("Failed requests", "percentunit", [_share(requests, "errors", route)])
    yield Chart("Duration of requests", "s", _quantiles(requests.buckets))
    yield Chart("Slow requests", "percentunit", [_share(requests, "slow", route)])
    yield Chart("p95 of endpoints", "s", [_p95(requests.buckets, route)])
    yield Chart("Alerts that fire", "short", [_active()])
    yield Chart(
        "Queries of a request", "short", [_each(queries, requests.count, route)]
    )
    yield Chart("Repeated queries", "reqps", [_most(n_plus_one, route)])


def _of_queries() -> Iterable[Chart]:
    (queries,) = FAMILIES["db.client.operation"]
    alias = label_name("prs.db.alias")
    yield Chart("Queries", "ops", [_rate(queries.count, alias)])
    yield Chart("Duration of queries", "s", _quantiles(queries.buckets))
    yield Chart("Slow queries", "percentunit", [_share(queries, "slow", alias)])
    yield Chart("Failed queries", "percentunit", [_share(queries, "errors", alias)])


def _of_the_rest() -> Iterable[Chart]:
    _, tenants = FAMILIES["http.server.request"]
    (tasks,) = FAMILIES["prs.task"]
    (cache,) = FAMILIES["prs.cache.operation"]
    tenant, task = label_name("prs.tenant.id"), label_name("prs.task.name")
    yield Chart("Requests of organisations", "reqps", [_most(tenants.count, tenant)])
    yield Chart(
        "Failed of organisations", "percentunit", [_share(tenants, "errors", tenant)]
    )
    yield Chart("Tasks", "ops", [_most(tasks.count, task)])
    yield Chart("p95 of tasks", "s", [_p95(tasks.buckets, task)])
    yield Chart("Failed tasks", "percentunit", [_share(tasks, "errors", task)])
    yield Chart("Slow tasks", "percentunit", [_share(tasks, "slow", task)])
    operation = label_name("prs.cache.operation")
    yield Chart("Cache hits", "percentunit", [_hit_rate()])
    yield Chart("Calls of caches", "ops", [_rate(cache.count, operation)])
    yield Chart("Duration of a call", "s", [_each(cache.total, cache.count, operation)])


def _increase(name: str, by: str = "") -> str:
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({name}{_OF_SERVICE}{_RANGE}))"


def _rate(name: str, by: str) -> Line:
    return Line(_increase(name, by), f"{{{{{by}}}}}")


def _most(name: str, by: str) -> Line:
    return Line(f"topk({_MOST}, {_increase(name, by)})", f"{{{{{by}}}}}")


def _each(total: str, count: str, by: str) -> Line:
    expr = f"topk({_MOST}, {_increase(total, by)} / {_increase(count, by)})"
    return Line(expr, f"{{{{{by}}}}}")


def _share(family: Family, part: str, by: str) -> Line:
    share = f"{_increase(getattr(family, part), by)} / {_increase(family.count, by)}"
    # Only what there is any of: a hundred lines at zero say nothing.
    return Line(f"topk({_MOST}, {share} > 0)", f"{{{{{by}}}}}")


def _quantiles(buckets: str) -> list[Line]:
    return [
        Line(f"histogram_quantile({q}, {_increase(buckets, 'le')})", f"p{q * 100:.0f}")
        for q in _QUANTILES
    ]


def _p95(buckets: str, by: str) -> Line:
    inner = _increase(buckets, f"le, {by}")
    return Line(f"topk({_MOST}, histogram_quantile(0.95, {inner}))", f"{{{{{by}}}}}")


def _hit_rate() -> Line:
    by = "prs_cache_alias"
    hits, misses = _increase(HITS, by), _increase(MISSES, by)
    return Line(f"{hits} / ({hits} + {misses})", f"{{{{{by}}}}}")


def _active() -> Line:
    name = metric_name(PRS_ALERT_ACTIVE, unit="{alert}", kind="gauge")
    by = "prs_alert_name, prs_alert_severity"
    return Line(
        f"sum by ({by}) ({name}{_OF_SERVICE})",
        "{{prs_alert_name}} {{prs_alert_severity}}",
    )


def _panel(number: int, chart: Chart) -> dict[str, Any]:
    row, column = divmod(number, COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": chart.title,
        "datasource": _SOURCE,
        "gridPos": {
            "x": column * WIDTH,
            "y": row * HEIGHT,
            "w": WIDTH,
            "h": HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": chart.unit, "min": 0}, "overrides": []},
        "options": {"tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": line.expr,
                "legendFormat": line.legend,
                "exemplar": True,
            }
            for index, line in enumerate(chart.lines)
        ],
    }


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus"}


def _service(requests: str) -> dict[str, Any]:
    return {
        "name": "job",
        "label": "Service",
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values({requests}, job)",
        "refresh": 2,
    }


def _alerts() -> dict[str, Any]:
    return {
        "name": "Alerts",
        "enable": True,
        "datasource": _SOURCE,
        "expr": 'max by (alertname, severity) (ALERTS{alertstate="firing"})',
        "titleFormat": "{{alertname}}",
        "tagKeys": "severity",
        "iconColor": "red",
    }
