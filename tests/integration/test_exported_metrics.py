"""The derived metrics over the wire: what collectors get is what the view says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import repeat

import pytest

from tests.support.alerted import alerted
from tests.support.collector import (
    Collector,
    ReceivedEvent,
    ReceivedPoint,
    collecting,
)
from tests.support.monitored import quick, wait_for_counts
from tests.support.servers import gunicorn, serving, uvicorn
from tests.support.sites import Site
from tests.support.wait import wait_until

DURATION = "http.server.request.duration"
ERRORS = "prs.http.server.request.errors"
QUERIES = "db.client.operation.duration"
SERVERS = [
    pytest.param(gunicorn(workers=2), id="gunicorn"),
    pytest.param(gunicorn("--preload", workers=2), id="preload"),
    pytest.param(uvicorn(), id="uvicorn"),
]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


def exporting_to(collector: Collector, site: Site) -> Site:
    variables = {
        **collector.variables(),
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
    }
    return quick(site).with_environment(**variables)


def by_route(points: Sequence[ReceivedPoint]) -> dict[str, float]:
    """Return the sum over all workers for each route."""
    sums: Counter[str] = Counter()
    for point in points:
        sums[point.attributes["http.route"]] += int(point.value)
    return dict(sums)


@pytest.mark.parametrize("command", SERVERS)
def test_counts_at_the_collector_are_those_of_the_view(
    site: Site, collector: Collector, command: Sequence[str]
) -> None:
    site = exporting_to(collector, site)
    asked = {"/plain/": 40, "/queries/one/": 20, "/fails/": 10}
    with serving(site, command) as server:
        for path, times in asked.items():
            server.client.get_all(repeat(path, times), at_once=4)
        wait_for_counts(site, asked)
        wait_until(
            lambda: by_route(collector.latest(DURATION)) == asked,
            what=lambda: str(collector.latest(DURATION)),
        )
        server.process.stop()

    # The last export, at the end of each worker, neither loses nor doubles any.
    assert by_route(collector.latest(DURATION)) == asked
    # An error is told as 0 before there is any.
    errors = {"/plain/": 0, "/queries/one/": 0, "/fails/": 10}
    assert by_route(collector.latest(ERRORS)) == errors
    assert sum(point.value for point in collector.latest(QUERIES)) >= 20


@pytest.mark.parametrize("command", SERVERS)
def test_what_was_counted_last_is_exported_before_a_server_ends(
    site: Site, collector: Collector, command: Sequence[str]
) -> None:
    variables = {
        "OTEL_METRIC_EXPORT_INTERVAL": "60000",
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
    }
    site = exporting_to(collector, site).with_environment(**variables)
    with serving(site, command) as server:
        server.client.get_all(repeat("/plain/", 40), at_once=4)
        server.process.stop()

    assert by_route(collector.latest(DURATION)) == {"/plain/": 40}
    assert sum(span.kind == "SERVER" for span in collector.spans) == 40


def test_every_worker_is_an_instance_and_their_master_is_none(
    site: Site, collector: Collector
) -> None:
    site = exporting_to(collector, site)
    with serving(site, gunicorn("--preload", workers=2)) as server:
        answered: set[int] = set()

        def both_have_answered() -> bool:
            answered.add(server.client.get("/plain/").worker)
            return len(answered) == 2

        wait_until(both_have_answered)
        wait_until(lambda: len(collector.latest(DURATION)) == 2)

    assert len({point.series[0] for point in collector.points}) == 2


def test_an_exemplar_names_a_trace_that_was_exported(
    site: Site, collector: Collector
) -> None:
    site = exporting_to(collector, site)
    with serving(site, gunicorn(workers=1)) as server:
        server.client.get("/plain/")
        wait_until(lambda: collector.latest(DURATION))
        collector.wait_for(1, kind="SERVER")

    named = {trace for point in collector.points for trace in point.exemplars}
    assert named
    assert named <= {span.trace_id for span in collector.spans}


def test_durations_and_gauges_have_their_standard_names_and_units(
    site: Site, collector: Collector
) -> None:
    site = exporting_to(collector, site)
    with serving(site, gunicorn(workers=1)) as server:
        server.client.get("/plain/")
        wait_until(lambda: collector.latest("system.memory.utilization"))
        wait_until(lambda: collector.latest(DURATION))

    (duration,) = collector.latest(DURATION)
    (memory,) = collector.latest("system.memory.utilization")
    assert (duration.kind, duration.unit) == ("histogram", "s")
    assert 0 < duration.total < 10
    assert duration.attributes["http.request.method"] == "GET"
    assert (memory.kind, memory.unit) == ("gauge", "1")
    assert 0 < memory.value < 1


def test_alerts_are_events_and_a_gauge(site: Site, collector: Collector) -> None:
    variables = {
        **collector.variables(),
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_METRIC_EXPORT_INTERVAL": "300",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
    }
    failing = {
        "name": "failing",
        "metric": "http.server.request.error_rate",
        "window": "5s",
        "threshold": 0.5,
        "severity": "critical",
        "no_data": "ok",
    }
    site = alerted(site, ["log"], rules=[failing]).with_environment(**variables)

    def active() -> list[float]:
        return [
            point.value
            for point in collector.latest("prs.alert.active")
            if point.attributes["prs.alert.name"] == "failing"
        ]

    def told() -> list[ReceivedEvent]:
        return [
            event
            for event in collector.events
            if event.attributes["prs.alert.name"] == "failing"
        ]

    with serving(site, gunicorn(workers=2)) as server:
        server.client.get_all(repeat("/fails/", 10))
        wait_until(lambda: active() == [1.0], seconds=30)
        wait_until(lambda: active() == [0.0], seconds=30)
        wait_until(lambda: len(told()) == 2)

    events = told()
    assert [e.attributes["prs.alert.transition"] for e in events] == [
        "firing",
        "resolved",
    ]
    assert {event.name for event in events} == {"prs.alert.state_changed"}
    assert events[0].trace_id in {span.trace_id for span in collector.spans}


def wait_for_another_export(collector: Collector) -> None:
    seen = len(collector.points)
    wait_until(lambda: len(collector.points) > seen)


def test_deltas_add_up_to_what_was_counted(site: Site, collector: Collector) -> None:
    preference = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
    site = exporting_to(collector, site).with_environment(**{preference: "delta"})
    with serving(site, gunicorn(workers=2)) as server:
        for _ in range(4):
            server.client.get_all([*repeat("/plain/", 20), *repeat("/fails/", 5)])
            wait_for_another_export(collector)
        wait_for_counts(site, {"/plain/": 80, "/fails/": 20})
        server.process.stop()

    def added(name: str) -> dict[str, float]:
        found = [point for point in collector.points if point.name == name]
        return {route: count for route, count in by_route(found).items() if count}

    assert added(DURATION) == {"/plain/": 80, "/fails/": 20}
    assert added(ERRORS) == {"/fails/": 20}


def test_headers_and_compression_are_those_of_the_standard_variables(
    site: Site, collector: Collector
) -> None:
    site = exporting_to(collector, site).with_environment(
        OTEL_EXPORTER_OTLP_HEADERS="api-key=a%20key",
        OTEL_EXPORTER_OTLP_METRICS_HEADERS="api-key=another",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
    )
    with serving(site, gunicorn(workers=1)) as server:
        server.client.get("/plain/")
        collector.wait_for(1, kind="SERVER")
        wait_until(lambda: collector.latest(DURATION))

    assert {each["content-encoding"] for each in collector.headers} == {"gzip"}
    assert {each["api-key"] for each in collector.headers} == {"a key", "another"}
