from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from prs_otel.rollup import series
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.gauge import reading
from prs_otel.rollup.sample import Code
from prs_otel.rollup.source import ViewSource
from prs_otel.store.base import Store
from prs_otel.store.memory import MemoryStore
from tests.prs_otel.rollup.stored import LIMIT, Writer, new_view
from tests.prs_otel.rollup.test_codec import sample

NOW = 1_700_000_000.0
SECOND = 1_000_000_000
HOST = {"host.name": "web-1"}


@pytest.fixture
def store() -> Store:
    return MemoryStore(clock=lambda: NOW - 86_400)


@pytest.fixture
def source(store: Store) -> ViewSource:
    return ViewSource(new_view(store), identity=HOST)


def observed(store: Store, cells: Cells, **parts: Any) -> None:
    Writer(store).append(cells, at=NOW, **parts)


def deals(*, errors: int = 0, slow: int = 0, count: int = 10) -> Cells:
    cells = Cells(LIMIT)
    for n in range(count):
        cells.cell(series.REQUEST, ("/deals/", "GET")).observe(
            (n + 1) * SECOND, is_error=n < errors, is_slow=n < slow
        )
    return cells


def values(
    source: ViewSource,
    metric: str,
    aggregation: str = "",
    *,
    where: Mapping[str, str] | None = None,
    by: tuple[str, ...] = (),
) -> dict[tuple[str, ...], Any]:
    points = source.query(
        metric, aggregation=aggregation, where=where or {}, by=by, window=300, now=NOW
    )
    for point in points:
        assert point.labels["host.name"] == "web-1"
    return {
        tuple(point.labels[name] for name in by): (point.value, point.count)
        for point in points
    }


@pytest.mark.parametrize(
    ("metric", "aggregation", "value"),
    [
        ("http.server.request.error_rate", "", 0.2),
        ("http.server.request.error_rate", "ratio", 0.2),
        ("http.server.request.error_rate", "count", 2.0),
        ("http.server.request.slow_rate", "ratio", 0.3),
        ("http.server.request.slow_rate", "rate", 3 / 300),
        ("http.server.request.count", "", 10.0),
        ("http.server.request.count", "avg", 10.0),
        ("http.server.request.rate", "avg", 10 / 300),
        ("http.server.request.duration", "rate", 10 / 300),
        ("http.server.request.duration", "count", 10.0),
        ("http.server.request.duration", "avg", 5.5),
        ("http.server.request.duration", "", 5.5),
        ("http.server.request.duration", "max", 10.0),
    ],
)
def test_each_measure_has_its_value(
    store: Store, source: ViewSource, metric: str, aggregation: str, value: float
) -> None:
    observed(store, deals(errors=2, slow=3))

    assert values(source, metric, aggregation) == {(): (pytest.approx(value), 10)}


def test_a_quantile_is_within_the_accuracy_of_the_sketch(
    store: Store, source: ViewSource
) -> None:
    observed(store, deals(count=100))

    ((value, count),) = values(source, "http.server.request.duration", "p95").values()

    assert value == pytest.approx(95, rel=0.016)
    assert count == 100


def test_a_rate_is_per_second_of_what_is_covered(
    store: Store, source: ViewSource
) -> None:
    with store.reading() as reader:
        began = reader.known_since
    Writer(store).append(deals(), at=began + 20)

    (point,) = source.query(
        "http.server.request.rate",
        aggregation="",
        where={},
        by=(),
        window=300,
        now=began + 20,
    )

    assert point.value == pytest.approx(10 / 20)


def test_points_are_grouped_and_filtered_by_label(
    store: Store, source: ViewSource
) -> None:
    cells = deals(errors=5)
    cells.cell(series.REQUEST, ("/users/", "POST")).observe(SECOND)
    observed(store, cells)
    metric = "http.server.request.error_rate"

    assert values(source, metric, by=("http.route",)) == {
        ("/deals/",): (0.5, 10),
        ("/users/",): (0.0, 1),
    }
    assert values(source, metric, where={"http.route": "/users/"}) == {(): (0.0, 1)}
    assert values(source, metric, where={"http.route": "/none/"}) == {}


def test_a_label_of_tenants_reads_the_series_of_tenants(
    store: Store, source: ViewSource
) -> None:
    cells = Cells(LIMIT)
    cells.cell(series.ORGANIZATION, ("7",)).observe(SECOND, is_error=True)
    observed(store, cells)

    assert values(source, "http.server.request.error_rate", by=("prs.tenant.id",)) == {
        ("7",): (1.0, 1)
    }


def test_what_this_host_measured_is_no_answer_about_another(
    store: Store, source: ViewSource
) -> None:
    observed(store, deals())
    metric = "http.server.request.count"

    assert values(source, metric, where=HOST) == {(): (10.0, 10)}
    assert values(source, metric, where={"host.name": "web-2"}) == {}


def test_no_data_is_no_point(source: ViewSource) -> None:
    assert values(source, "http.server.request.error_rate") == {}
    assert values(source, "system.cpu.utilization", "avg") == {}
    assert values(source, "prs.cache.hit_rate") == {}


def test_what_a_cache_holds_is_a_gauge_by_host_and_alias(
    store: Store, source: ViewSource
) -> None:
    name, alias = "prs.cache.memory.usage", "prs.cache.alias"
    gauges = {
        (name, ("web-1", "shop")): reading(5_000.0, NOW),
        (name, ("web-1", "sessions")): reading(700.0, NOW),
    }
    observed(store, Cells(LIMIT), gauges=gauges)

    assert values(source, name, by=(alias,)) == {
        ("shop",): (5_000.0, 1),
        ("sessions",): (700.0, 1),
    }
    where = {alias: "shop", "host.name": "web-1"}
    assert values(source, name, "max", where=where) == {(): (5_000.0, 1)}
    assert values(source, name, where={"host.name": "web-2"}) == {}
    assert name not in source.flat(now=NOW)
    with pytest.raises(LookupError, match=r"only the label host\.name and prs\.cache"):
        values(source, name, where={"shop": "1"})


def test_a_gauge_is_aggregated_per_host(store: Store, source: ViewSource) -> None:
    name = "system.cpu.utilization"
    key = (name, ("web-1",))
    other = ("system.memory.utilization", ("web-1",))
    gauges = {other: reading(0.9, NOW), key: reading(0.25, NOW)}
    observed(store, Cells(LIMIT), gauges=gauges)
    Writer(store, "w2").append(at=NOW, gauges={key: reading(0.75, NOW)})

    assert values(source, name, "avg") == {(): (0.5, 2)}
    assert values(source, name, "max", by=("host.name",)) == {("web-1",): (0.75, 2)}
    assert values(source, name, "last", where=HOST) == {(): (0.75, 2)}
    assert values(source, name, "count") == {(): (2.0, 2)}
    assert values(source, name, "avg", where={"host.name": "web-2"}) == {}


def test_the_cache_hit_rate_is_a_ratio_of_look_ups(
    store: Store, source: ViewSource
) -> None:
    cells = Cells(LIMIT)
    cells.count(series.CACHE_HITS, ("default",), 3)
    cells.count(series.CACHE_MISSES, ("default",), 1)
    cells.count(series.CACHE_MISSES, ("sessions",), 4)
    observed(store, cells)
    name = "prs.cache.hit_rate"

    assert values(source, name) == {(): (pytest.approx(3 / 8), 8)}
    assert values(source, name, by=("prs.cache.alias",)) == {
        ("default",): (0.75, 4),
        ("sessions",): (0.0, 4),
    }
    assert values(source, name, where={"prs.cache.alias": "default"}) == {(): (0.75, 4)}
    assert values(source, name, "count") == {(): (8.0, 8)}


def test_calls_of_caches_are_told_apart_by_alias_and_operation(
    store: Store, source: ViewSource
) -> None:
    cells = Cells(10)
    for operation, is_error in (("get", False), ("get", True), ("set", False)):
        cell = cells.cell(series.CACHE, ("default", operation))
        cell.observe(SECOND, is_error=is_error)
    observed(store, cells)

    name = "prs.cache.operation"
    where = {"prs.cache.operation": "get"}
    assert values(source, f"{name}.count") == {(): (3.0, 3)}
    assert values(source, f"{name}.error_rate", where=where) == {(): (0.5, 2)}
    assert values(source, f"{name}.duration", "max", by=("prs.cache.alias",)) == {
        ("default",): (pytest.approx(1.0), 3)
    }


@pytest.mark.parametrize(
    ("metric", "aggregation", "where", "message"),
    [
        ("prs.cache.operation.slow_rate", "avg", {"x": "1"}, "no metric derived"),
        ("http.server.request.duration", "median", {}, "use avg, max, count"),
        ("http.server.request.duration", "p101", {}, "no quantile"),
        ("http.server.request.duration", "pfast", {}, "no quantile"),
        ("http.server.request.error_rate", "p95", {}, "cannot be aggregated"),
        ("http.server.request.duration", "avg", {"shop": "1"}, "its labels are"),
        ("http.server.requests", "avg", {"shop": "1"}, "no metric derived"),
        ("http.server.request.median", "avg", {"shop": "1"}, "no metric derived"),
        ("prs.cache.hit_rate", "ratio", {"shop": "1"}, "only the label"),
        ("prs.cache.hit_rate", "p95", {}, "use ratio or count"),
        ("system.cpu.utilization", "avg", {"shop": "1"}, "no metric derived"),
        ("system.cpu.utilization", "median", {}, "cannot be aggregated"),
    ],
)
def test_what_does_not_exist_is_named_in_the_error(
    store: Store,
    source: ViewSource,
    metric: str,
    aggregation: str,
    where: dict[str, str],
    message: str,
) -> None:
    key = ("system.cpu.utilization", ("web-1",))
    cells = deals()
    cells.count(series.CACHE_HITS, ("default",), 3)
    observed(store, cells, gauges={key: reading(0.25, NOW)})

    with pytest.raises(LookupError, match=message):
        values(source, metric, aggregation, where=where)


def test_the_evidence_of_an_error_rate_names_endpoint_line_and_trace(
    store: Store, source: ViewSource
) -> None:
    cells = deals(errors=4)
    cells.cell(series.REQUEST, ("/users/", "GET")).observe(SECOND, is_error=True)
    failure = sample(
        kind=series.FAILURES[series.REQUEST],
        endpoint="/deals/",
        trace_id="d" * 32,
        code=Code("deals/views.py", 7, "listing"),
        is_error=True,
    )
    other = sample(kind=failure.kind, endpoint="/users/", at=2_000.0, is_error=True)
    observed(store, cells, samples={failure.kind: [failure, other]})

    found = source.evidence(
        "http.server.request.error_rate", where={}, window=300, now=NOW
    )

    assert found == {
        "contributors": [
            {
                "endpoint": "/deals/",
                "method": "GET",
                "count": 10,
                "value": pytest.approx(5.5),
                "share": 0.8,
            },
            {
                "endpoint": "/users/",
                "method": "GET",
                "count": 1,
                "value": 1.0,
                "share": 0.2,
            },
        ],
        "code": {"file": "deals/views.py", "line": 7, "function": "listing"},
        "traces": ["d" * 32],
        "spans": ["b" * 16],
    }


def test_the_evidence_of_slow_queries_names_the_statement(
    store: Store, source: ViewSource
) -> None:
    cells = Cells(LIMIT)
    cells.cell(series.QUERY, ("default", "f1")).observe(SECOND, is_slow=True)
    cells.cell(series.QUERY, ("default", "f2")).observe(1)
    slow = sample(fingerprint="f1", trace_id="e" * 32)
    observed(store, cells, samples={series.QUERY: [slow]}, texts={"f1": "SELECT ?"})

    found = source.evidence(
        "db.client.operation.slow_rate", where={}, window=300, now=NOW
    )

    assert found["contributors"] == [
        {
            "fingerprint": "f1",
            "query": "SELECT ?",
            "count": 1,
            "value": 1.0,
            "share": 1.0,
        }
    ]
    assert found["traces"] == ["e" * 32]


def test_the_evidence_of_a_gauge_is_what_took_the_time(
    store: Store, source: ViewSource
) -> None:
    observed(store, deals())

    found = source.evidence("system.cpu.utilization", where=HOST, window=300, now=NOW)

    assert found["contributors"] == [
        {
            "endpoint": "/deals/",
            "method": "GET",
            "count": 10,
            "value": pytest.approx(5.5),
            "share": 1.0,
        }
    ]
    assert found["code"] is None


def test_evidence_keeps_to_the_series_the_rule_is_about(
    store: Store, source: ViewSource
) -> None:
    cells = deals(errors=1)
    cells.cell(series.REQUEST, ("/users/", "GET")).observe(SECOND, is_error=True)
    observed(store, cells)

    found = source.evidence(
        "http.server.request.error_rate",
        where={"http.route": "/users/"},
        window=300,
        now=NOW,
    )

    contributors = found["contributors"]
    assert isinstance(contributors, list)
    assert [each["endpoint"] for each in contributors] == ["/users/"]


def test_the_evidence_about_a_tenant_is_that_tenants_own(
    store: Store, source: ViewSource
) -> None:
    cells = deals(errors=9)
    cells.cell(series.REQUEST, ("/users/", "GET")).observe(SECOND, is_error=True)
    cells.cell(series.ORGANIZATION, ("7",)).observe(SECOND, is_error=True)
    kind = series.FAILURES[series.REQUEST]
    failures = [
        sample(
            kind=kind,
            endpoint=endpoint,
            organization_id=tenant,
            trace_id=trace * 32,
            is_error=True,
        )
        for endpoint, tenant, trace in (
            ("/users/", "7", "a"),
            ("/users/", "7", "b"),
            ("/deals/", "7", "c"),
            ("/deals/", "8", "d"),
        )
    ]
    observed(store, cells, samples={kind: failures})

    found = source.evidence(
        "http.server.request.error_rate",
        where={"prs.tenant.id": "7", **HOST},
        window=300,
        now=NOW,
    )

    contributors: Any = found["contributors"]
    assert [(each["endpoint"], each["count"]) for each in contributors] == [
        ("/users/", 2),
        ("/deals/", 1),
    ]
    assert contributors[0]["share"] == pytest.approx(2 / 3)
    assert found["traces"] == ["a" * 32, "b" * 32]


def test_the_evidence_about_a_tenants_queries_names_statements(
    store: Store, source: ViewSource
) -> None:
    cells = Cells(LIMIT)
    cells.cell(series.ORGANIZATION_QUERY, ("7",)).observe(SECOND, is_slow=True)
    slow = sample(fingerprint="f1", organization_id="7", duration=3.0)
    observed(store, cells, samples={series.QUERY: [slow]}, texts={"f1": "SELECT ?"})

    found = source.evidence(
        "db.client.operation.slow_rate",
        where={"prs.tenant.id": "7"},
        window=300,
        now=NOW,
    )

    assert found["contributors"] == [
        {
            "fingerprint": "f1",
            "query": "SELECT ?",
            "count": 1,
            "value": 3.0,
            "share": 1.0,
        }
    ]


def test_the_evidence_names_the_organisations_with_the_largest_shares(
    store: Store, source: ViewSource
) -> None:
    cells = deals(errors=10)
    for tenant, errors in (("7", 6), ("8", 2), ("9", 1), ("10", 0), ("11", 0)):
        for n in range(7):
            is_error = n < errors
            cells.cell(series.ORGANIZATION, (tenant,)).observe(
                SECOND, is_error=is_error
            )
    observed(store, cells)

    found = source.evidence(
        "http.server.request.error_rate", where=HOST, window=300, now=NOW
    )

    assert found["organizations"] == [
        {"organization": "7", "count": 7, "share": 0.6},
        {"organization": "8", "count": 7, "share": 0.2},
        {"organization": "9", "count": 7, "share": 0.1},
    ]


def test_of_one_endpoint_the_shares_of_organisations_are_those_of_its_samples(
    store: Store, source: ViewSource
) -> None:
    tenants = ("7", "7", "8", None)
    slow = [
        sample(kind=series.REQUEST, endpoint="/deals/", organization_id=tenant)
        for tenant in tenants
    ]
    other = sample(kind=series.REQUEST, endpoint="/users/", organization_id="9")
    observed(store, deals(), samples={series.REQUEST: [*slow, other]})

    found = source.evidence(
        "http.server.request.duration",
        where={"http.route": "/deals/"},
        window=300,
        now=NOW,
    )

    assert found["organizations"] == [
        {"organization": "7", "count": 2, "share": 0.5},
        {"organization": "8", "count": 1, "share": 0.25},
    ]


def test_a_statements_share_by_organisation_is_of_its_queries(
    store: Store, source: ViewSource
) -> None:
    cells = Cells(LIMIT)
    for _ in range(4):
        cells.cell(series.QUERY, ("default", "f1")).observe(SECOND, is_slow=True)
    cells.cell(series.ORGANIZATION_QUERY, ("7",)).observe(SECOND, is_slow=True)
    observed(store, cells)

    found = source.evidence(
        "db.client.operation.slow_rate", where={}, window=300, now=NOW
    )

    assert found["organizations"] == [{"organization": "7", "count": 1, "share": 0.25}]


def test_tasks_are_no_organisations(store: Store, source: ViewSource) -> None:
    cells = Cells(LIMIT)
    cells.cell(series.TASK, ("daily", "celery")).observe(SECOND)
    cells.cell(series.ORGANIZATION, ("7",)).observe(SECOND)
    observed(store, cells)

    found = source.evidence("prs.task.duration", where=HOST, window=300, now=NOW)

    assert "organizations" not in found
    contributors: Any = found["contributors"]
    assert [each["task"] for each in contributors] == ["daily"]


def test_where_the_largest_contributor_has_no_sample_others_stand_in(
    store: Store, source: ViewSource
) -> None:
    cells = Cells(LIMIT)
    for _ in range(5):
        cells.cell(series.REQUEST, series.other(series.REQUEST)).observe(SECOND)
    slow = sample(kind=series.REQUEST, endpoint="/deals/", trace_id="a" * 32)
    observed(store, cells, samples={series.REQUEST: [slow]})

    found = source.evidence("http.server.request.count", where={}, window=300, now=NOW)

    assert found["traces"] == ["a" * 32]


def test_flat_metrics_have_the_units_of_the_original(
    store: Store, source: ViewSource
) -> None:
    cells = deals(errors=1)
    cells.cell(series.QUERY, ("default", "f1")).observe(1, is_slow=True)
    gauges = {
        ("system.cpu.utilization", ("web-1",)): reading(0.5, NOW),
        ("db.client.connection.count", ("web-1",)): reading(12.0, NOW),
        ("queue_length", ()): reading(3.0, NOW),
    }
    observed(store, cells, gauges=gauges)

    assert source.flat(now=NOW) == {
        "api_error_rate": pytest.approx(10.0),
        "slow_query_rate": pytest.approx(100.0),
        "cpu_percent": 50.0,
        "database_connections": 12.0,
        "db_connections": 12.0,
        "queue_length": 3.0,
    }


def test_a_measure_that_no_span_has_is_looked_for_among_the_gauges(
    store: Store, source: ViewSource
) -> None:
    observed(store, deals())

    assert values(source, "http.server.request.colour") == {}


def billing() -> Cells:
    cells = Cells(LIMIT)
    for n, labels in enumerate((("shop.bill", "celery"), ("seed", "command")), 1):
        for failed in range(4):
            cells.cell(series.TASK, labels).observe(n * SECOND, is_error=not failed)
    return cells


@pytest.mark.parametrize(
    ("metric", "aggregation", "value"),
    [
        ("prs.task.count", "", 8),
        ("prs.task.error_rate", "", 0.25),
        ("prs.task.slow_rate", "", 0),
        ("prs.task.duration", "avg", 1.5),
        ("prs.task.duration", "max", 2),
        ("prs.task.rate", "", pytest.approx(8 / 300)),
    ],
)
def test_rules_may_ask_of_tasks(
    store: Store, source: ViewSource, metric: str, aggregation: str, value: Any
) -> None:
    observed(store, billing())

    assert values(source, metric, aggregation) == {(): (value, 8)}


def test_tasks_are_told_apart_by_name_and_kind(
    store: Store, source: ViewSource
) -> None:
    observed(store, billing())

    by = ("prs.task.name", "prs.task.kind")
    assert values(source, "prs.task.duration", by=by) == {
        ("shop.bill", "celery"): (1, 4),
        ("seed", "command"): (2, 4),
    }
    where = {"prs.task.kind": "command"}
    assert values(source, "prs.task.count", where=where) == {(): (4, 4)}
    with pytest.raises(LookupError, match=r"prs\.task\.kind, prs\.task\.name"):
        values(source, "prs.task.count", where={"http.route": "/deals/"})


def test_the_evidence_about_tasks_names_them_and_a_trace(
    store: Store, source: ViewSource
) -> None:
    kind = series.FAILURES[series.TASK]
    bill = sample(kind=kind, task="shop.bill", endpoint=None, trace_id="c" * 32)
    seed = sample(kind=kind, task="seed", endpoint=None, trace_id="d" * 32, code=None)
    observed(store, billing(), samples={kind: [bill, seed]})

    found: Any = source.evidence(
        "prs.task.error_rate", where={"prs.task.kind": "command"}, window=300, now=NOW
    )

    assert found == {
        "contributors": [{"task": "seed", "count": 4, "value": 2.0, "share": 1.0}],
        "code": None,
        "traces": ["d" * 32],
        "spans": ["b" * 16],
    }


def test_the_evidence_about_slow_requests_is_not_of_tasks(
    store: Store, source: ViewSource
) -> None:
    task = sample(kind=series.TASK, task="shop.bill", endpoint=None)
    observed(store, billing(), samples={series.TASK: [task]})

    found: Any = source.evidence(
        "http.server.request.duration", where={}, window=300, now=NOW
    )

    assert (found["contributors"], found["traces"]) == ([], [])
