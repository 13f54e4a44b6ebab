"""Redis, HTTP clients and logs, by the instrumentations of others, beside ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cache_servers import CacheServer, redis
from tests.support.collector import Collector, ReceivedEvent, collecting
from tests.support.monitored import quick, summary, wait_for_counts
from tests.support.receiver import Receiver, receiver
from tests.support.servers import gunicorn, serving, uvicorn
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

TIMES = 5
SCOPES = {
    "opentelemetry.instrumentation.redis",
    "opentelemetry.instrumentation.urllib",
}
SERVERS = [
    pytest.param(gunicorn(workers=2), id="gunicorn"),
    pytest.param(uvicorn(), id="uvicorn"),
]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture
def service() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def server_of_redis(tmp_path: Path) -> Iterator[CacheServer]:
    with redis(tmp_path) as found:
        yield found


@pytest.mark.parametrize("command", SERVERS)
def test_they_work_beside_ours(
    site: Site,
    collector: Collector,
    service: Receiver,
    server_of_redis: CacheServer,
    command: list[str],
) -> None:
    variables = {
        **collector.variables(),
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
        "SITE_OTHER_SERVICE": service.origin,
        "SITE_REDIS": f"redis://{server_of_redis.address}",
    }
    site = quick(site).with_environment(**variables)
    with serving(site, command) as server:
        assert server.client.get_all(["/others/"] * TIMES) == {("/others/", 200): TIMES}
        requests = collector.requests(TIMES)
        wait_until(
            lambda: len(logs(collector)) == TIMES, what=lambda: str(collector.logs)
        )
        wait_for_counts(site, {"/others/": TIMES})

    for request in requests:
        inner = [s for s in collector.spans if s.parent_id == request.span_id]
        assert {span.scope for span in inner} == SCOPES
        assert {span.kind for span in inner} == {"CLIENT"}
    traces = {request.trace_id for request in requests}
    # The other service is told whose trace it is, and each record says the same.
    assert {
        each.headers["Traceparent"].split("-")[1] for each in service.requests
    } == traces
    assert {each.trace_id for each in logs(collector)} == traces
    # Neither is a query of the database.
    assert summary(site)["queries"]["count"] == 0


def logs(collector: Collector) -> list[ReceivedEvent]:
    return [each for each in collector.logs if each.body == "others were asked"]
