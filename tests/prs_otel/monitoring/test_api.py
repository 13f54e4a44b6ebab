from __future__ import annotations

from typing import NoReturn

import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.test import Client, override_settings

from prs_otel import pipeline
from prs_otel.monitoring import documents, permissions
from prs_otel.monitoring.documents import SampleQuery
from prs_otel.rollup.moment import moment
from prs_otel.store.base import Beat, StoreError
from tests.support.measured import Measured, Whose

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.prs_otel.monitoring.mounted"),
]

BASE = "/api/monitoring/"
SUMMARY = BASE + "performance/summary/"
SLOW_QUERIES = BASE + "database/slow-queries/"
SLOW_CALLS = BASE + "api/slow-calls/"
SYSTEM = BASE + "system/metrics/"
HEALTH = BASE + "system/health/"
TRENDS = BASE + "performance/trends/"
DATABASE = BASE + "database/metrics/"
CALLS = BASE + "api/metrics/"
LATENCY = BASE + "performance/latency/"
LINES = BASE + "api/trends/"
STEADY = (
    SUMMARY,
    TRENDS,
    LATENCY,
    DATABASE,
    SLOW_QUERIES,
    CALLS,
    LINES,
    SLOW_CALLS,
)
DATA = (*STEADY, SYSTEM)


def fail(*args: object, **kwargs: object) -> NoReturn:
    raise StoreError("unable to open /var/lib/secret.sqlite3")


def test_the_answer_is_the_document(staff_client: Client, served: Measured) -> None:
    served.request(0.3, whose=Whose(organization_id="7"), queries=[0.1])
    served.query(0.1)
    view = served.flush()
    asked = SampleQuery(seconds=86_400)
    expected = {
        SUMMARY: documents.summary(view, hours=24, now=served.now),
        SLOW_QUERIES: documents.slow_queries(view, asked, now=served.now),
        SLOW_CALLS: documents.slow_calls(view, asked, now=served.now),
        SYSTEM: documents.system_metrics(view, now=served.now),
    }

    for path, document in expected.items():
        response = staff_client.get(path)
        assert response.headers["Content-Type"] == "application/json"
        assert response.content.decode() == document.model_dump_json()


def test_hours_choose_the_window(staff_client: Client, served: Measured) -> None:
    served.flush()

    assert staff_client.get(SUMMARY).json()["window"]["seconds"] == 86_400
    assert staff_client.get(f"{SUMMARY}?hours=0.5").json()["window"]["seconds"] == 1_800


@pytest.mark.parametrize("hours", ["0", "-1", "8761", "nan", "inf", "-inf", "x", ""])
@pytest.mark.parametrize("path", STEADY)
@pytest.mark.usefixtures("served")
def test_hours_out_of_bounds_are_refused(
    staff_client: Client, path: str, hours: str
) -> None:
    response = staff_client.get(f"{path}?hours={hours}")

    assert response.status_code == 422
    (problem,) = response.json()["detail"]
    assert problem["loc"] == ["query", "hours"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=1.5", "limit=all", "offset=-1"]
)
@pytest.mark.parametrize("path", [SLOW_QUERIES, SLOW_CALLS])
@pytest.mark.usefixtures("served")
def test_pages_out_of_bounds_are_refused(
    staff_client: Client, path: str, query: str
) -> None:
    response = staff_client.get(f"{path}?{query}")

    assert response.status_code == 422
    (problem,) = response.json()["detail"]
    assert problem["loc"] == ["query", query.partition("=")[0]]


def test_limit_and_offset_choose_the_page(
    staff_client: Client, served: Measured
) -> None:
    for seconds in (1.0, 2.0, 3.0):
        served.request(seconds)
    served.flush()

    document = staff_client.get(f"{SLOW_CALLS}?limit=1&offset=1").json()

    assert document["count"] == 3
    assert [item["duration"] for item in document["items"]] == [pytest.approx(2.0)]


@pytest.mark.usefixtures("served")
def test_an_unchanged_answer_is_not_sent_again(staff_client: Client) -> None:
    etag = staff_client.get(SLOW_CALLS).headers["ETag"]

    response = staff_client.get(SLOW_CALLS, headers={"If-None-Match": etag})

    assert response.status_code == 304
    assert response.content == b""


@pytest.mark.parametrize("path", DATA)
def test_while_nothing_is_stored_no_document_is_built(
    staff_client: Client,
    served: Measured,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    served.request()
    served.flush()
    etag = staff_client.get(path).headers["ETag"]
    served.now += 3
    monkeypatch.setattr(served.view, "window", pytest.fail)
    monkeypatch.setattr(served.view, "trend", pytest.fail)
    monkeypatch.setattr(served.view, "slowest", pytest.fail)
    monkeypatch.setattr(served.view, "all_gauges", pytest.fail)

    response = staff_client.get(path, headers={"If-None-Match": etag})

    assert (response.status_code, response.content) == (304, b"")
    assert "private" in response.headers["Cache-Control"]


def test_what_a_process_says_of_itself_is_another_answer(
    staff_client: Client, served: Measured
) -> None:
    served.request()
    served.flush()
    etag = staff_client.get(SYSTEM).headers["ETag"]
    before = moment(served.view.store, now=served.now)
    # Another worker has begun, and has measured nothing so far.
    beat = Beat("new", "web-1", 4_001, served.now, served.now, {}, {})
    served.view.store.append(None, worker="new", sequence=1, beat=beat, texts={})
    assert moment(served.view.store, now=served.now) == before

    response = staff_client.get(SYSTEM, headers={"If-None-Match": etag})

    assert response.status_code == 200
    assert "new" in [each["worker"] for each in response.json()["workers"]]


def test_to_measure_no_cache_any_more_is_another_answer(
    staff_client: Client, served: Measured
) -> None:
    served.flush()
    etag = staff_client.get(SYSTEM).headers["ETag"]
    with override_settings(MONITORING_SETTINGS={"TRACK_CACHE": False}):
        response = staff_client.get(SYSTEM, headers={"If-None-Match": etag})

    assert response.json()["caches"] is None


def test_other_parameters_are_another_answer(
    staff_client: Client, served: Measured
) -> None:
    served.flush()
    etag = staff_client.get(SUMMARY).headers["ETag"]

    response = staff_client.get(f"{SUMMARY}?hours=2", headers={"If-None-Match": etag})

    assert response.status_code == 200


@pytest.mark.parametrize("path", [SUMMARY, TRENDS, LATENCY, SLOW_QUERIES, SLOW_CALLS])
def test_an_answer_is_not_another_organisations(
    alice_client: Client, staff_client: Client, served: Measured, path: str
) -> None:
    served.flush()
    tags = {staff_client.get(path).headers["ETag"]}
    for organization in (7, 8):
        settings = {"USER_ORGANIZATION": lambda user, mine=organization: mine}
        with override_settings(MONITORING_SETTINGS=settings):
            tags.add(alice_client.get(path).headers["ETag"])

    assert len(tags) == 3


def test_a_changed_answer_is_sent_again(staff_client: Client, served: Measured) -> None:
    etag = staff_client.get(SLOW_CALLS).headers["ETag"]
    served.request()
    served.flush()

    response = staff_client.get(SLOW_CALLS, headers={"If-None-Match": etag})

    assert response.status_code == 200


@pytest.mark.usefixtures("served")
def test_no_cache_may_hand_an_answer_to_somebody_else(staff_client: Client) -> None:
    headers = staff_client.get(SUMMARY).headers

    assert "private" in headers["Cache-Control"]
    assert {"Authorization", "Cookie"} <= set(headers["Vary"].split(", "))


@pytest.mark.parametrize("path", DATA)
def test_a_store_out_of_order_is_503(
    staff_client: Client,
    served: Measured,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    monkeypatch.setattr(served.view.store, "reading", fail)

    response = staff_client.get(path)

    assert response.status_code == 503
    assert "unable to open" in response.json()["detail"]


def test_only_staff_are_told_what_is_wrong_with_the_store(
    alice_client: Client, served: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.view.store, "reading", fail)

    with override_settings(MONITORING_SETTINGS={"USER_ORGANIZATION": lambda user: 7}):
        response = alice_client.get(SUMMARY)

    assert response.status_code == 503
    assert response.json() == {"detail": "The monitoring store cannot be read."}


def test_health_stays_up_while_the_store_is_out_of_order(
    client: Client,
    staff: User,
    served: Measured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(served.view.store, "reading", fail)

    public = client.get(HEALTH)
    client.force_login(staff)
    detailed = client.get(HEALTH)

    assert (public.status_code, public.json()) == (200, {"status": "healthy"})
    assert (detailed.status_code, detailed.json()["status"]) == (200, "degraded")


@pytest.mark.parametrize("path", DATA)
@pytest.mark.usefixtures("served")
def test_switched_off_is_503(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(pipeline, "is_enabled", lambda: False)

    response = staff_client.get(path)

    assert response.status_code == 503
    assert response.json() == {"detail": "Monitoring is switched off."}


@pytest.mark.usefixtures("served")
def test_health_tells_staff_that_monitoring_is_switched_off(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "is_enabled", lambda: False)

    assert staff_client.get(HEALTH).json()["status"] == "degraded"


@pytest.fixture(params=[OperationalError, InterfaceError])
def _database_is_down(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> NoReturn:
        raise request.param("connection refused")

    monkeypatch.setattr(permissions, "_session_user", fail)


@pytest.mark.parametrize(
    "path", [SYSTEM, BASE + "openapi.json", BASE + "docs/", BASE + "docs/x.css"]
)
@pytest.mark.usefixtures("served", "_database_is_down")
def test_a_database_out_of_order_is_503(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 503
    assert set(response.json()) == {"detail"}
    assert "connection refused" not in response.content.decode()


@pytest.mark.usefixtures("served", "_database_is_down")
def test_health_stays_up_while_the_database_is_out_of_order(client: Client) -> None:
    response = client.get(HEALTH)

    assert (response.status_code, response.json()) == (200, {"status": "healthy"})


@pytest.mark.parametrize("path", DATA)
@pytest.mark.usefixtures("served")
def test_another_method_is_refused_as_json(staff_client: Client, path: str) -> None:
    response = staff_client.delete(path)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"
    assert response.json() == {"detail": "Method Not Allowed"}


def test_health_answers_the_head_request_of_an_uptime_check(client: Client) -> None:
    response = client.head(HEALTH)

    assert (response.status_code, response.content) == (200, b"")


def test_an_unknown_path_is_404_as_json(client: Client) -> None:
    response = client.get(BASE + "no/such/thing/")

    assert response.status_code == 404
    assert response.json() == {"detail": "Not Found"}


def test_a_path_without_its_slash_is_redirected(client: Client) -> None:
    response = client.get(BASE + "system/health")

    assert response.status_code == 301
    assert response.headers["Location"] == HEALTH


def test_paths_outside_the_api_are_left_alone(client: Client) -> None:
    assert client.get("/").content == b"home"
    assert client.get("/no/such/thing/").headers["Content-Type"] != "application/json"


def test_the_docs_page_needs_nothing_from_elsewhere(staff_client: Client) -> None:
    page = staff_client.get(BASE + "docs/").content.decode()

    assert "//" not in page.replace("<!DOCTYPE", "")
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-init.js"):
        assert f'"{name}"' in page
        assert staff_client.get(f"{BASE}docs/{name}").status_code == 200


@pytest.mark.parametrize("name", ["redoc.standalone.js", "..", "secrets.py"])
def test_only_the_files_of_the_docs_page_are_served(
    staff_client: Client, name: str
) -> None:
    assert staff_client.get(f"{BASE}docs/{name}").status_code == 404


def test_openapi_describes_every_endpoint_and_its_answers(
    staff_client: Client,
) -> None:
    document = staff_client.get(BASE + "openapi.json").json()

    administration = {
        f"{BASE}{each}/"
        for each in ("config", "config/changes", "maintenance", "metrics")
    }
    assert set(document["paths"]) == {*DATA, HEALTH, *administration}
    for path in DATA:
        responses = document["paths"][path]["get"]["responses"]
        assert {"200", "401", "403", "503"} <= set(responses)
    assert "security" not in document["paths"][HEALTH]["get"]


def test_no_two_operations_share_an_id(staff_client: Client) -> None:
    document = staff_client.get(BASE + "openapi.json").json()
    ids = [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]

    assert sorted(ids) == sorted(set(ids))
