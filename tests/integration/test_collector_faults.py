"""Collectors that are away, slow, refuse, or have no room left: the site does not notice."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.collector import Collector, collecting
from tests.support.monitored import quick, summary, wait_for_counts
from tests.support.otelcol import Otelcol, Place, otelcol
from tests.support.programs import program
from tests.support.servers import Server, gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = [pytest.mark.once, pytest.mark.uncovered, pytest.mark.timeout(180)]

PATH = "/queries/one/"
DURATION = "http.server.request.duration"
REQUESTS = "http_server_request_duration_seconds_count"
ACCEPTED = "otelcol_receiver_accepted_spans_total"
REFUSED = "otelcol_exporter_enqueue_failed_spans_total"
SMALL_QUEUE = {"OTEL_BSP_MAX_QUEUE_SIZE": "64", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "32"}
LARGE_QUEUE = {"OTEL_BSP_MAX_QUEUE_SIZE": "8192"}
FILE_LIMIT = 256 * 1024


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found
        found.recovers()


def exporting_to(site: Site, endpoint: str) -> Site:
    return quick(site).with_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        OTEL_METRICS_EXPORTER="otlp",
        OTEL_LOGS_EXPORTER="none",
        OTEL_METRIC_EXPORT_INTERVAL="500",
        OTEL_BSP_SCHEDULE_DELAY="100",
        **SMALL_QUEUE,
    )


def lost(site: Site) -> int:
    return int(summary(site)["monitor"]["lost_spans"])


def counted(collector: Collector) -> float:
    return sum(point.value for point in collector.latest(DURATION))


def ask(server: Server, times: int) -> None:
    answers = server.client.get_all(repeat(PATH, times), at_once=4)
    assert answers == Counter({(PATH, 200): times})


def refuses(status: int) -> Callable[[Collector], None]:
    def fail(collector: Collector) -> None:
        collector.status = status

    return fail


def hangs(collector: Collector) -> None:
    collector.held = threading.Event()


@pytest.mark.parametrize(
    "fail",
    [refuses(429), refuses(503), refuses(400), hangs],
    ids=["429", "503", "400", "hangs"],
)
def test_no_request_waits_and_what_is_lost_is_counted(
    site: Site, collector: Collector, fail: Callable[[Collector], None]
) -> None:
    site = exporting_to(site, f"http://127.0.0.1:{collector.port}")
    with serving(site, gunicorn(workers=2)) as server:
        fail(collector)
        ask(server, 20)
        wait_until(lambda: collector.refused or collector.waiting)
        # While the exporter has not had its answer.
        ask(server, 200)
        waited = collector.held
        assert waited is None or not waited.is_set()
        wait_for_counts(site, {PATH: 220})
        # Each request is two spans, and the queues of both workers take 64 each.
        wait_until(lambda: lost(site) > 0, seconds=30, every=0.5)
        collector.recovers()

        ask(server, 20)
        # The figures lose nothing: what was not taken is in the next export.
        wait_until(lambda: counted(collector) == 240, seconds=40)
        wait_until(
            lambda: lost(site) + len(collector.spans) == 480, seconds=40, every=0.5
        )


def agent(
    place: Place, directory: Path, gateway: Place, *prefix: str
) -> AbstractContextManager[Otelcol]:
    return otelcol(
        place,
        "agent.yaml",
        directory=directory,
        variables={
            "AGENT_QUEUE": str(directory / "queue"),
            "GATEWAY_ENDPOINT": gateway.grpc,
        },
        prefix=prefix,
    )


def requests_told(gateway: Otelcol) -> float:
    return sum(gateway.told(REQUESTS).values())


def test_an_agent_that_is_killed_and_started_again_is_used_again(
    site: Site, tmp_path: Path
) -> None:
    place, gateway_place = Place.of("AGENT"), Place.of("GATEWAY")
    site = exporting_to(site, place.http)
    with (
        otelcol(gateway_place, "gateway.yaml", directory=tmp_path) as gateway,
        serving(site, gunicorn(workers=2)) as server,
    ):
        with agent(place, tmp_path, gateway_place) as first:
            ask(server, 20)
            wait_until(lambda: requests_told(gateway) == 20, seconds=30)
            first.process.stop(with_signal=signal.SIGKILL)
        ask(server, 100)
        wait_for_counts(site, {PATH: 120})
        with agent(place, tmp_path, gateway_place):
            ask(server, 20)

            wait_until(lambda: requests_told(gateway) == 140, seconds=60, every=0.5)


def test_what_a_gateway_was_away_for_reaches_it_through_a_restart_of_the_agent(
    site: Site, tmp_path: Path
) -> None:
    place, gateway_place = Place.of("AGENT"), Place.of("GATEWAY")
    site = exporting_to(site, place.http)
    with agent(place, tmp_path, gateway_place) as first:
        with serving(site, gunicorn(workers=2)) as server:
            ask(server, 20)
            server.process.stop()
        wait_until(lambda: first.own(ACCEPTED) == 40, seconds=30)
        wait_until(lambda: first.own("otelcol_exporter_queue_size") > 0, seconds=30)
        first.process.stop(with_signal=signal.SIGKILL)
    with (
        otelcol(gateway_place, "gateway.yaml", directory=tmp_path) as gateway,
        agent(place, tmp_path, gateway_place),
    ):
        wait_until(lambda: gateway.own(ACCEPTED) == 40, seconds=40, every=0.5)
        wait_until(lambda: requests_told(gateway) == 20, seconds=40, every=0.5)


def test_a_full_disk_under_the_agent_is_counted_and_holds_up_nobody(
    site: Site, tmp_path: Path
) -> None:
    place, gateway_place = Place.of("AGENT"), Place.of("GATEWAY")
    # No file may grow beyond this: what a full disk says when it is written to.
    full = (program("prlimit"), f"--fsize={FILE_LIMIT}")
    site = exporting_to(site, place.http).with_environment(**LARGE_QUEUE)
    with (
        agent(place, tmp_path, gateway_place, *full) as found,
        serving(site, gunicorn(workers=2)) as server,
    ):
        asked = 0
        while not found.own(REFUSED):
            assert asked < 4_000, found.process.output()
            ask(server, 100)
            asked += 100
        wait_for_counts(site, {PATH: asked})
        assert found.process.is_running
        with otelcol(gateway_place, "gateway.yaml", directory=tmp_path) as gateway:
            ask(server, 50)
            wait_until(
                lambda: requests_told(gateway) == asked + 50, seconds=60, every=0.5
            )
