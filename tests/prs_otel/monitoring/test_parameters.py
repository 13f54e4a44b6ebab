"""What may be asked of each reading endpoint: its bounds, its defaults, and that it is heard."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from prs_otel.instrumentation.n_plus_one import Finding
from tests.support.measured import Measured, Whose

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.prs_otel.monitoring.mounted"),
]

BASE = "/api/monitoring/"
HOURS = ("hours", "0.001", "8760", "0", "8761")
SAMPLES = [
    HOURS,
    ("limit", "1", "100", "0", "101"),
    ("offset", "0", "100", "-1", "101"),
]
ROWS = [
    HOURS,
    ("limit", "1", "1000", "0", "1001"),
    ("offset", "0", "100000", "-1", "100001"),
]
STEPS = [HOURS, ("step", "1", "31536000", "0", "31536001")]
BOUNDS = {
    "performance/summary/": [HOURS],
    "performance/trends/": STEPS,
    "performance/latency/": STEPS,
    "database/metrics/": ROWS,
    "database/slow-queries/": SAMPLES,
    "api/metrics/": ROWS,
    "api/slow-calls/": SAMPLES,
    "api/trends/": [
        HOURS,
        ("limit", "1", "200", "0", "201"),
        ("points", "2", "60", "1", "61"),
    ],
}
NAMES = {
    "performance/trends/": ("endpoint", "organization_id"),
    "performance/latency/": ("endpoint", "organization_id"),
    "database/metrics/": ("endpoint", "fingerprint"),
    "database/slow-queries/": ("endpoint", "organization_id", "fingerprint"),
    "api/metrics/": ("endpoint",),
    "api/slow-calls/": ("endpoint", "organization_id"),
    "api/trends/": ("endpoint",),
}


def get(client: Client, path: str, **asked: object) -> Any:
    return client.get(BASE + path, {key: str(each) for key, each in asked.items()})


@pytest.mark.parametrize(
    ("path", "name", "least", "most", "below", "above"),
    [(path, *bounds) for path, all_ in BOUNDS.items() for bounds in all_],
)
@pytest.mark.usefixtures("served")
def test_a_number_is_taken_up_to_its_bounds_and_refused_beyond(
    staff_client: Client,
    path: str,
    name: str,
    least: str,
    most: str,
    below: str,
    above: str,
) -> None:
    for value in (least, most):
        assert get(staff_client, path, **{name: value}).status_code == 200, value
    for value in (below, above, "nan", "inf", "x"):
        response = get(staff_client, path, **{name: value})
        assert response.status_code == 422, value
        assert response.json()["detail"][0]["loc"] == ["query", name]


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, names in NAMES.items() for name in names]
)
@pytest.mark.usefixtures("served")
def test_a_name_is_no_longer_than_any_that_is_kept(
    staff_client: Client, path: str, name: str
) -> None:
    assert get(staff_client, path, **{name: "x" * 1_000}).status_code == 200
    assert get(staff_client, path, **{name: "x" * 1_001}).status_code == 422


@pytest.mark.parametrize(
    ("path", "hours"),
    [
        ("performance/summary/", 24),
        ("performance/trends/", 24),
        ("performance/latency/", 24),
        ("database/metrics/", 1),
        ("database/slow-queries/", 24),
        ("api/metrics/", 1),
        ("api/slow-calls/", 24),
        ("api/trends/", 24),
    ],
)
def test_who_asks_for_no_hours_gets_the_usual_ones(
    staff_client: Client, served: Measured, path: str, hours: float
) -> None:
    served.request()
    served.flush()

    assert (
        get(staff_client, path).content == get(staff_client, path, hours=hours).content
    )
    assert get(staff_client, path).json()["window"]["seconds"] == hours * 3_600


@pytest.mark.parametrize("path", ["database/slow-queries/", "api/slow-calls/"])
def test_who_asks_for_no_number_gets_fifty_samples(
    staff_client: Client, served: Measured, path: str
) -> None:
    for _ in range(60):
        served.request(3.0)
        served.query(3.0)
    served.flush()

    document = get(staff_client, path).json()
    assert (len(document["items"]), document["count"]) == (50, 60)


@pytest.mark.parametrize("path", ["database/slow-queries/", "api/slow-calls/"])
def test_samples_are_those_of_the_endpoint_and_organisation_asked_for(
    staff_client: Client, served: Measured, path: str
) -> None:
    for endpoint in ("/deals/", "/users/"):
        for organization_id in ("7", "8"):
            whose = Whose(endpoint, organization_id)
            served.request(3.0, whose=whose)
            served.query(3.0, whose=whose)
    served.flush()

    asked = {"endpoint": "/users/", "organization_id": "8"}
    (item,) = get(staff_client, path, **asked).json()["items"]
    assert {name: item[name] for name in asked} == asked
    for name, value in asked.items():
        items = get(staff_client, path, **{name: value}).json()["items"]
        assert [item[name] for item in items] == [value] * 2


@pytest.mark.parametrize(
    ("path", "items"),
    [("database/slow-queries/", "items"), ("database/metrics/", "fingerprints")],
)
def test_a_statement_can_be_asked_for(
    staff_client: Client, served: Measured, path: str, items: str
) -> None:
    served.query(3.0, text="SELECT one")
    served.query(3.0, text="SELECT two")
    served.flush()

    found = get(staff_client, path, fingerprint="two").json()[items]
    assert [each["fingerprint"] for each in found] == ["two"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {("one", "/deals/"), ("two", "/users/")}),
        ({"endpoint": "/users/"}, {("two", "/users/")}),
        ({"fingerprint": "one"}, {("one", "/deals/")}),
        ({"endpoint": "/users/", "fingerprint": "one"}, set()),
    ],
)
def test_what_was_repeated_can_be_narrowed_likewise(
    staff_client: Client,
    served: Measured,
    asked: dict[str, str],
    found: set[tuple[str, str]],
) -> None:
    for fingerprint, endpoint in (("one", "/deals/"), ("two", "/users/")):
        repeated = Finding(fingerprint, 6, 60_000_000)
        served.request(whose=Whose(endpoint), findings=[repeated])
    served.flush()

    findings = get(staff_client, "database/metrics/", **asked).json()["n_plus_one"]
    assert {(each["fingerprint"], each["endpoint"]) for each in findings} == found


@pytest.mark.parametrize(
    ("path", "items"),
    [("database/metrics/", "fingerprints"), ("api/metrics/", "endpoints")],
)
def test_a_page_of_a_table_is_what_was_asked_for(
    staff_client: Client, served: Measured, path: str, items: str
) -> None:
    for number in range(110):
        served.query(1.0 / (number + 1), text=f"SELECT {number}")
        served.request(1.0 / (number + 1), whose=Whose(f"/{number}/"))
    served.flush()

    usual = get(staff_client, path).json()[items]
    page = get(staff_client, path, limit=3, offset=2).json()[items]
    rest = get(staff_client, path, offset=100).json()[items]
    assert (len(usual), page, len(rest)) == (100, usual[2:5], 10)
