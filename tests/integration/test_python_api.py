"""What a project calls and decorates by itself, in the processes that it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import pytest

from tests.support.collector import collecting
from tests.support.monitored import quick, summary, wait_for_counts
from tests.support.servers import gunicorn, serving, uvicorn
from tests.support.sites import Site

OURS: Final = "prs_otel.PerformanceMonitoringMiddleware"
MIDDLEWARE: Final = [
    "library.middleware.name_the_worker",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
PLACES: Final = {
    "first": [OURS, *MIDDLEWARE],
    "last": [*MIDDLEWARE, OURS],
    "twice": [OURS, *MIDDLEWARE, OURS],
}
COMMANDS: Final = {
    "gunicorn": gunicorn("--threads=2"),
    "uvicorn": uvicorn(),
}
PATHS: Final = [
    "/manual/records/",
    "/manual/streams/",
    "/manual/expects/",
    "/manual/awaits/",
    "/plain/",
    "/queries/n-plus-one/",
    "/fails/",
    "/nowhere/",
]
ENDPOINTS: Final = {
    **dict.fromkeys(PATHS[:-1], 2),
    "/elsewhere/": 2,
    "__unresolved__": 2,
}
# Two each: those of the views, and one that is recorded.
QUERIES: Final = 2 * (2 + 1 + 9 + 3 + 11)

# Every way in which work is begun that no request is around.
SCRIPT: Final = """
import asyncio, threading
from concurrent.futures import ThreadPoolExecutor
from library.manual import authors, work
from prs_otel import monitor_api_performance, monitor_query_performance

work()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda _: work(), range(20)))
thread = threading.Thread(target=work)
thread.start(); thread.join()

@monitor_query_performance(name="library.work")
async def awork():
    await asyncio.sleep(0)

@monitor_api_performance(name="job")
def job():
    work()
    list(authors())

async def main():
    await asyncio.gather(*(awork() for _ in range(5)))

asyncio.run(main())
list(authors())
job()
"""


@pytest.fixture
def manual(site: Site) -> Site:
    return quick(site, N_PLUS_ONE_MIN_DURATION=0).with_settings(
        ROOT_URLCONF="library.manual_urls"
    )


@pytest.mark.parametrize(
    ("server", "place", "is_automatic"),
    [
        *product(COMMANDS, ["twice"], [True]),
        *product(COMMANDS, ["first"], [False]),
        ("gunicorn", "last", True),
    ],
)
def test_everything_is_counted_once_wherever_the_middleware_is(
    manual: Site, server: str, place: str, is_automatic: bool
) -> None:
    site = manual.with_settings(MIDDLEWARE=PLACES[place])
    if not is_automatic:
        site = site.with_environment(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="django")
    with serving(site, COMMANDS[server]) as served:
        served.client.get_all(PATHS * 2)
        wait_for_counts(site, ENDPOINTS)
        figures = summary(site)

    assert figures["requests"]["count"] == sum(ENDPOINTS.values())
    assert figures["requests"]["error_count"] == 4
    assert figures["queries"]["count"] == QUERIES
    assert figures["queries"]["n_plus_one_count"] == 2
    assert "library.work" not in {row["query"] for row in figures["fingerprints"]}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_what_is_recorded_goes_over_the_wire_with_its_true_start_and_end(
    manual: Site, command: Sequence[str]
) -> None:
    with collecting() as collector:
        site = manual.with_environment(**collector.variables())
        with serving(site, command) as served:
            served.client.get("/manual/records/")
            spans = {span.name: span for span in collector.requests(2)}
            collector.wait_for(2, kind="CLIENT")
    request, elsewhere = spans["GET /manual/records/"], spans["POST /elsewhere/"]
    by_name = {span.name: span for span in collector.spans}
    query = by_name["SELECT elsewhere"]

    assert query.end - query.start == 250_000_000
    assert request.start < query.end < request.end
    assert query.trace_id == request.trace_id
    assert query.attributes["db.query.text"] == "SELECT * FROM elsewhere WHERE card = ?"
    assert elsewhere.end - elsewhere.start == 1_500_000_000
    assert request.start < elsewhere.end < request.end
    assert elsewhere.attributes["http.response.status_code"] == 503
    for name in ("library.work", "library.manual.records", "library.manual.authors"):
        assert by_name[name].kind == "INTERNAL"
        assert by_name[name].trace_id == request.trace_id
        assert request.start <= by_name[name].start <= by_name[name].end <= request.end
    assert "4111222233334444" not in str(collector.spans)


def test_outside_of_requests_everything_counts_exactly(manual: Site) -> None:
    manual.manage("shell", "-c", SCRIPT)

    figures = summary(manual)
    counted = Counter({row["query"]: row["count"] for row in figures["fingerprints"]})
    authors = [text for text in counted if "library_author" in text]
    assert counted["library.work"] == 1 + 20 + 1 + 5
    assert [counted[text] for text in authors] == [2]
    assert [(row["endpoint"], row["count"]) for row in figures["endpoints"]] == [
        ("job", 1)
    ]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_over_all_workers_the_parts_of_tenants_sum_to_the_total(
    site: Site, command: Sequence[str]
) -> None:
    organizations = [*map(str, range(40)), "", "x" * 5_000, "-1"]
    found = quick(site, TENANT_RESOLVER="library.tenants.of_request", SERIES_LIMIT=20)
    with serving(found, command) as served:
        for name in organizations:
            served.client.get("/queries/one/", **{"X-Organization": name})
        served.client.get("/fails/")
        total = len(organizations)
        wait_for_counts(found, {"/queries/one/": total, "/fails/": 1})
        figures = summary(found)

    rows: list[dict[str, Any]] = figures["organizations"]
    assert sum(row["count"] for row in rows) == total + 1
    assert sum(row["error_count"] for row in rows) == 1
    assert len(rows) <= 22
    named = {row["organization_id"] for row in rows}
    assert {None, "__other__"} <= named
