from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client, override_settings

from prs_otel import semconv
from prs_otel.monitoring import documents
from prs_otel.monitoring.documents import TrendQuery
from prs_otel.rollup import series
from prs_otel.rollup.digest import Selection
from tests.support.measured import Measured, Whose

NOW = 1_700_000_000.0
TRENDS = "/api/monitoring/performance/trends/"
EVERYTHING = TrendQuery(Selection(), seconds=60.0, step=10)


def in_organization(number: int) -> dict[str, Callable[[object], int]]:
    return {"USER_ORGANIZATION": lambda user: number}


def test_a_point_has_every_figure(measured: Measured) -> None:
    measured.request(0.1)
    measured.request(3.0, status=500)
    measured.query(0.01)
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.5)
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.25, host="web-2")
    measured.gauge(semconv.DB_CLIENT_CONNECTION_COUNT, 3)

    document = documents.trends(measured.flush(), EVERYTHING, now=NOW)

    point = document.points[-1]
    assert point.time.timestamp() == NOW - 10
    assert point.covered_seconds == 10.0
    requests, queries, system = point.requests, point.queries, point.system
    assert (requests.count, requests.error_rate, requests.slow_rate) == (2, 0.5, 0.5)
    assert requests.p50 == pytest.approx(0.1, rel=0.016)
    assert requests.p99 == pytest.approx(3.0, rel=0.016)
    assert (queries.count, queries.slow_rate) == (1, 0.0)
    assert (system.cpu_utilization, system.memory_utilization) == (0.5, None)
    assert system.database_connections == 3


def test_nothing_covered_is_null_and_nothing_asked_is_zero(measured: Measured) -> None:
    measured.query(0.01)

    document = documents.trends(measured.flush(), EVERYTHING, now=NOW)

    unknown, idle = document.points[0], document.points[-1]
    assert set(unknown.requests.model_dump().values()) == {None}
    assert set(unknown.queries.model_dump().values()) == {None}
    assert (idle.requests.count, idle.requests.error_rate) == (0, 0.0)
    assert idle.requests.p95 is None


def test_of_an_endpoint_the_queries_are_counted(measured: Measured) -> None:
    measured.request(whose=Whose("/a/"), queries=[0.1, 0.1, 0.1, 1.5])
    measured.request(whose=Whose("/b/"), queries=[0.1])
    asked = TrendQuery(Selection(endpoint="/a/"), seconds=60.0, step=10)

    document = documents.trends(measured.flush(), asked, now=NOW)

    point = document.points[-1]
    assert (point.requests.count, point.queries.count) == (1, 4)
    assert point.queries.slow_rate == 0.25
    assert point.tasks.count is None


def test_look_ups_in_caches_are_drawn_beside_requests(measured: Measured) -> None:
    for name, amount in ((series.CACHE_HITS, 3), (series.CACHE_MISSES, 1)):
        measured.rollup.count(name, ("default",), amount)
    of_endpoint = TrendQuery(Selection(endpoint="/a/"), seconds=60.0, step=10)
    view = measured.flush()

    before, *_, point = documents.trends(view, EVERYTHING, now=NOW).points
    of_one = documents.trends(view, of_endpoint, now=NOW).points[-1]

    assert before.cache.hits is None
    assert (point.cache.hits, point.cache.misses) == (3, 1)
    assert point.cache.hit_rate == 0.75
    assert of_one.cache.hits is None


def test_without_look_ups_there_is_no_hit_rate(measured: Measured) -> None:
    measured.request(0.1)

    point = documents.trends(measured.flush(), EVERYTHING, now=NOW).points[-1]

    assert (point.cache.hits, point.cache.hit_rate) == (0, None)


def test_deploys_are_told_to_staff(measured: Measured) -> None:
    for version in ("1", "2"):
        measured.gauge(series.VERSION_GAUGE, 1.0, host=version)
    view = measured.flush()
    of_organization = replace(EVERYTHING, shows_system=False)

    (deploy,) = documents.trends(view, EVERYTHING, now=NOW).deploys

    assert deploy.version == "2"
    assert documents.trends(view, of_organization, now=NOW).deploys == []


def test_tasks_are_drawn_beside_requests(measured: Measured) -> None:
    measured.task(61.0, is_error=True)
    measured.task(1.0)
    asked = TrendQuery(Selection(), seconds=60.0, step=10)

    before, *_, point = documents.trends(measured.flush(), asked, now=NOW).points

    assert before.tasks.count is None
    assert (point.requests.count, point.requests.p50) == (0, None)
    assert point.tasks.count == 2
    assert (point.tasks.error_rate, point.tasks.slow_rate) == (0.5, 0.5)
    assert point.tasks.p50 == pytest.approx(1.0, rel=0.016)


def test_too_fine_a_step_is_coarsened_and_said_to_be(measured: Measured) -> None:
    asked = TrendQuery(Selection(), seconds=86_400.0, step=1)

    document = documents.trends(measured.flush(), asked, now=NOW)

    assert document.is_coarsened
    assert (document.requested_step, len(document.points) <= 400) == (1, True)
    assert not documents.trends(measured.view, EVERYTHING, now=NOW).is_coarsened


@pytest.mark.django_db
@pytest.mark.urls("tests.prs_otel.monitoring.mounted")
@pytest.mark.parametrize(
    "query", ["step=0", "step=1.5", "step=x", "endpoint=/a/&organization_id=7"]
)
@pytest.mark.usefixtures("served")
def test_what_cannot_be_drawn_is_refused(staff_client: Client, query: str) -> None:
    response = staff_client.get(f"{TRENDS}?{query}")

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


@pytest.mark.django_db
@pytest.mark.urls("tests.prs_otel.monitoring.mounted")
def test_a_user_sees_his_own_organisation_and_no_host(
    alice_client: Client, served: Measured
) -> None:
    served.request(whose=Whose(organization_id="7"), queries=[0.1])
    served.request(whose=Whose(organization_id="8"))
    served.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.5)
    served.flush()

    with override_settings(MONITORING_SETTINGS=in_organization(7)):
        document = alice_client.get(TRENDS).json()
        own = alice_client.get(f"{TRENDS}?organization_id=7")
        foreign = alice_client.get(f"{TRENDS}?organization_id=8")
        endpoint = alice_client.get(f"{TRENDS}?endpoint=/deals/")

    (point,) = [each for each in document["points"] if each["requests"]["count"]]
    assert document["organization_id"] == "7"
    assert (point["requests"]["count"], point["queries"]["count"]) == (1, 1)
    assert set(point["system"].values()) == {None}
    assert (own.status_code, foreign.status_code) == (200, 403)
    assert endpoint.status_code == 422


@pytest.mark.django_db
@pytest.mark.urls("tests.prs_otel.monitoring.mounted")
@pytest.mark.parametrize("path", ["database/metrics/", "api/metrics/", "api/trends/"])
@pytest.mark.usefixtures("served")
def test_the_tables_are_for_staff(alice_client: Client, path: str) -> None:
    with override_settings(MONITORING_SETTINGS=in_organization(7)):
        assert alice_client.get(f"/api/monitoring/{path}").status_code == 403


@pytest.mark.django_db
@pytest.mark.urls("tests.prs_otel.monitoring.mounted")
@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1", "hours=inf"])
@pytest.mark.parametrize("path", ["database/metrics/", "api/metrics/"])
@pytest.mark.usefixtures("served")
def test_pages_of_tables_out_of_bounds_are_refused(
    staff_client: Client, path: str, query: str
) -> None:
    assert staff_client.get(f"/api/monitoring/{path}?{query}").status_code == 422


@pytest.mark.django_db
@pytest.mark.urls("tests.prs_otel.monitoring.mounted")
@pytest.mark.parametrize("path", ["api/slow-calls/", "database/slow-queries/"])
@pytest.mark.usefixtures("served")
def test_the_slowest_of_another_organisation_are_refused(
    alice_client: Client, staff_client: Client, path: str
) -> None:
    path = f"/api/monitoring/{path}"
    with override_settings(MONITORING_SETTINGS=in_organization(7)):
        own = alice_client.get(f"{path}?organization_id=7")
        foreign = alice_client.get(f"{path}?organization_id=8")

    assert (own.status_code, foreign.status_code) == (200, 403)
    assert staff_client.get(f"{path}?organization_id=8").status_code == 200
