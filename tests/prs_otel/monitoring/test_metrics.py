from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prs_otel.instrumentation.n_plus_one import Finding
from prs_otel.monitoring import documents
from prs_otel.monitoring.documents import Page
from prs_otel.observation import CallSite
from tests.support.measured import Measured, Whose

NOW = 1_700_000_000.0
HOUR = Page(seconds=3_600.0)


def test_a_statement_has_its_share_and_the_databases_that_ran_it(
    measured: Measured,
) -> None:
    measured.query(0.3, text="SELECT a")
    measured.query(0.3, text="SELECT a", alias="replica", is_error=True)
    measured.query(0.2, text="SELECT b")

    document = documents.database_metrics(measured.flush(), HOUR, now=NOW)

    first, second = document.fingerprints
    assert (first.fingerprint, first.query, first.count) == ("a", "SELECT a", 2)
    assert first.aliases == ["default", "replica"]
    assert first.time_share == pytest.approx(0.75)
    assert first.error_count == 1
    assert second.time_share == pytest.approx(0.25)
    assert {row.alias: row.count for row in document.aliases} == {
        "default": 2,
        "replica": 1,
    }
    assert [row.time_share for row in document.aliases] == [
        pytest.approx(0.625),
        pytest.approx(0.375),
    ]


def test_a_statement_names_the_routes_that_ran_it(measured: Measured) -> None:
    measured.query(0.3, text="SELECT of-request")
    measured.request(whose=Whose("/a/"), queries=[0.1])
    measured.request(whose=Whose("/b/"), queries=[0.2, 0.2])

    document = documents.database_metrics(measured.flush(), HOUR, now=NOW)

    (statement,) = document.fingerprints
    assert [
        (each.endpoint, each.request_count, each.count) for each in statement.endpoints
    ] == [("/b/", 1, 2), ("/a/", 1, 1)]
    assert statement.endpoints[0].total_duration == pytest.approx(0.4)


def test_of_a_statement_that_all_routes_run_twenty_are_named(
    measured: Measured,
) -> None:
    measured.query(text="SELECT of-request")
    for number in range(21):
        measured.request(whose=Whose(f"/{number}/"), queries=[0.1 + number / 100])

    document = documents.database_metrics(measured.flush(), HOUR, now=NOW)

    (statement,) = document.fingerprints
    assert [each.endpoint for each in statement.endpoints] == [
        f"/{number}/" for number in range(20, 0, -1)
    ]
    assert statement.endpoint_count == 21


def test_the_thousand_costliest_findings_are_told(measured: Measured) -> None:
    for number in range(1_001):
        code = CallSite("views.py", 1 + number, "listing")
        measured.request(findings=[Finding("f", 6, 1_000 + number, code)])

    document = documents.database_metrics(measured.flush(), HOUR, now=NOW)

    lines = [each.code.line for each in document.n_plus_one if each.code]
    assert lines == list(range(1_001, 1, -1))


def test_a_repeated_statement_is_found_with_its_line(measured: Measured) -> None:
    measured.texts.remember("f", "SELECT f")
    code = CallSite("views.py", 12, "listing")
    measured.request(findings=[Finding("f", 6, 10, code)])
    measured.request(findings=[Finding("f", 8, 10, code), Finding("g", 5, 1, None)])
    measured.query(text="SELECT f")

    document = documents.database_metrics(measured.flush(), HOUR, now=NOW)

    first, second = document.n_plus_one
    assert (first.query, first.endpoint, first.task) == ("SELECT f", "/deals/", None)
    assert (first.count, first.repeat_count) == (2, 14)
    assert first.code is not None
    assert first.code.model_dump() == code._asdict()
    assert second.code is None
    assert document.queries.n_plus_one_count == 2
    assert [row.n_plus_one_count for row in document.fingerprints] == [2]


def test_what_a_task_repeats_is_a_finding_too(measured: Measured) -> None:
    measured.query(text="SELECT f")
    measured.task(findings=[Finding("f", 6, 10, CallSite("jobs.py", 12, "bill"))])

    document = documents.database_metrics(measured.flush(), HOUR, now=NOW)

    (found,) = document.n_plus_one
    assert (found.endpoint, found.task, found.query) == (None, "shop.bill", "SELECT f")
    assert (found.count, found.repeat_count) == (1, 6)


def test_what_exceeds_the_cap_is_a_finding_without_a_line() -> None:
    measured = Measured(now=NOW, series_limit=1)
    for fingerprint in ("f", "g"):
        code = CallSite("views.py", 12, "listing")
        measured.request(findings=[Finding(fingerprint, 6, 10, code)])

    document = documents.database_metrics(measured.flush(), HOUR, now=NOW)

    assert {row.fingerprint for row in document.n_plus_one} == {"f", "__other__"}


def test_statements_come_in_pages(measured: Measured) -> None:
    for number in range(5):
        measured.query(0.1 + number, text=f"SELECT {number}")
    page = Page(seconds=3_600, limit=2, offset=1)

    document = documents.database_metrics(measured.flush(), page, now=NOW)

    assert [row.fingerprint for row in document.fingerprints] == ["3", "2"]
    assert document.count == 5


def test_an_endpoint_says_how_it_was_answered(measured: Measured) -> None:
    for status in (200, 302, 404, 404, 503):
        measured.request(0.1, status=status, queries=[0.02])
    measured.request(0.1, method="POST")

    document = documents.api_metrics(measured.flush(), HOUR, now=NOW)

    first, second = document.endpoints
    assert (first.method, first.count, second.method) == ("GET", 5, "POST")
    assert first.status_classes.model_dump() == {
        "success": 1,
        "redirection": 1,
        "client_error": 2,
        "server_error": 1,
    }
    assert first.queries_per_request == 1.0
    assert first.database_share == pytest.approx(0.2)
    assert second.database_share == 0.0


def test_organisations_and_users_sum_to_the_total(measured: Measured) -> None:
    measured.request(whose=Whose(organization_id="7", user_id="3"), status=404)
    measured.request(whose=Whose(organization_id="8"))
    measured.request()

    document = documents.api_metrics(measured.flush(), HOUR, now=NOW)

    for rows in (document.organizations, document.users):
        assert rows is not None
        assert sum(row.count for row in rows) == document.requests.count == 3
        classes = [row.status_classes for row in rows]
        assert sum(each.client_error for each in classes) == 1
    ids = {row.organization_id for row in document.organizations or ()}
    assert ids == {"7", "8", None}
    assert (document.organization_count, document.user_count) == (3, 2)


def test_organisations_and_users_come_in_pages(measured: Measured) -> None:
    for number in range(5):
        whose = Whose(organization_id=f"o{number}", user_id=f"u{number}")
        measured.request(0.1 + number, whose=whose)
    page = Page(seconds=3_600, limit=2, offset=1)

    document = documents.api_metrics(measured.flush(), page, now=NOW)

    organizations, users = document.organizations or (), document.users or ()
    assert [row.organization_id for row in organizations] == ["o3", "o2"]
    assert [row.user_id for row in users] == ["u3", "u2"]
    assert (document.organization_count, document.user_count) == (5, 5)


def test_dimensions_that_are_switched_off_are_null(
    measured: Measured, settings: Any
) -> None:
    measured.request(whose=Whose(organization_id="7", user_id="3"))
    settings.MONITORING_SETTINGS = {"TRACK_ORGANIZATIONS": False}
    without = documents.api_metrics(measured.flush(), HOUR, now=NOW)
    settings.MONITORING_SETTINGS = {"TRACK_USERS": False}
    of_nobody = documents.api_metrics(measured.flush(), HOUR, now=NOW)

    assert (without.organizations, without.organization_count) == (None, None)
    assert without.user_count == 1
    assert (of_nobody.users, of_nobody.user_count) == (None, None)
    assert of_nobody.organization_count == 1


def test_the_statements_of_one_endpoint_or_just_one_can_be_asked_for(
    measured: Measured,
) -> None:
    of_a, of_b = (Finding(name, 6, 10, None) for name in "ab")
    measured.request(whose=Whose("/a/"), queries=[0.1], findings=[of_a])
    measured.request(whose=Whose("/b/"), queries=[0.1], findings=[of_b])
    for text in ("SELECT a", "SELECT b", "SELECT of-request"):
        measured.query(0.1, text=text)
    view = measured.flush()

    of_endpoint = documents.database_metrics(
        view, replace(HOUR, endpoint="/a/"), now=NOW
    )
    just_b = documents.database_metrics(view, replace(HOUR, fingerprint="b"), now=NOW)

    assert [row.fingerprint for row in of_endpoint.fingerprints] == ["of-request"]
    assert [row.fingerprint for row in of_endpoint.n_plus_one] == ["a"]
    assert [row.fingerprint for row in just_b.fingerprints] == ["b"]
    assert [row.endpoint for row in just_b.n_plus_one] == ["/b/"]
    assert of_endpoint.queries.count == just_b.queries.count == 3
    assert just_b.count == 1


def test_of_one_endpoint_the_figures_are_its_own(measured: Measured) -> None:
    for method, endpoint in (("GET", "/a/"), ("POST", "/a/"), ("GET", "/b/")):
        measured.request(
            0.1, method=method, whose=Whose(endpoint, organization_id="7", user_id="3")
        )
    page = replace(HOUR, endpoint="/a/")

    document = documents.api_metrics(measured.flush(), page, now=NOW)

    assert document.requests.count == 2
    assert {row.method for row in document.endpoints} == {"GET", "POST"}
    assert {row.endpoint for row in document.endpoints} == {"/a/"}
    assert (document.organizations, document.users) == (None, None)
