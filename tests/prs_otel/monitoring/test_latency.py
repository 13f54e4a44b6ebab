from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client, override_settings

from prs_otel.monitoring import documents
from prs_otel.monitoring.documents import TrendQuery
from prs_otel.rollup.digest import Selection
from tests.support.measured import Measured, Whose

NOW = 1_700_000_000.0
LATENCY = "/api/monitoring/performance/latency/"
EVERYTHING = TrendQuery(Selection(), seconds=60.0, step=10)


def in_organization(number: int) -> dict[str, Callable[[object], int]]:
    return {"USER_ORGANIZATION": lambda user: number}


def test_each_request_is_in_the_band_of_its_duration(measured: Measured) -> None:
    for seconds in (0.1, 0.1, 0.9):
        measured.request(seconds)

    document = documents.latency(measured.flush(), EVERYTHING, now=NOW)

    (counts,) = [each.counts for each in document.points if each.counts]
    lows, highs = document.bounds[:-1], document.bounds[1:]
    assert len(counts) == len(lows)
    assert all(
        high / low == pytest.approx(1.5, abs=0.2)
        for low, high in zip(lows, highs, strict=True)
    )
    bands = zip(lows, highs, counts, strict=True)
    found = [(low, high, count) for low, high, count in bands if count]
    assert [count for _, _, count in found] == [2, 1]
    assert found[0][0] <= 0.1 < found[0][1]
    assert found[-1][0] <= 0.9 < found[-1][1]


def test_what_nobody_measured_is_null_and_an_idle_step_is_empty(
    measured: Measured,
) -> None:
    measured.query(0.1)

    document = documents.latency(measured.flush(), EVERYTHING, now=NOW)

    assert document.bounds == []
    assert [each.counts for each in document.points] == [None] * 5 + [[]]


def test_nobody_who_says_no_step_gets_more_columns_than_can_be_seen(
    measured: Measured,
) -> None:
    asked = TrendQuery(Selection(), seconds=86_400.0)

    document = documents.latency(measured.flush(), asked, now=NOW)

    assert 90 <= len(document.points) <= 101


def test_of_an_endpoint_they_are_its_own(measured: Measured) -> None:
    measured.request(0.1, whose=Whose("/a/"))
    measured.request(0.1, whose=Whose("/b/"))
    asked = TrendQuery(Selection(endpoint="/a/"), seconds=60.0, step=10)

    document = documents.latency(measured.flush(), asked, now=NOW)

    assert (document.endpoint, document.is_covered) == ("/a/", True)
    assert [sum(each.counts) for each in document.points if each.counts] == [1]


@pytest.mark.django_db
@pytest.mark.urls("tests.prs_otel.monitoring.mounted")
def test_a_user_sees_how_long_his_own_organisation_waited(
    alice_client: Client, served: Measured
) -> None:
    for number in ("7", "8", "8"):
        served.request(whose=Whose(organization_id=number))
    served.flush()

    with override_settings(MONITORING_SETTINGS=in_organization(7)):
        document = alice_client.get(LATENCY).json()
        foreign = alice_client.get(f"{LATENCY}?organization_id=8")

    counts = [each["counts"] for each in document["points"] if each["counts"]]
    assert sum(map(sum, counts)) == 1
    assert document["organization_id"] == "7"
    assert foreign.status_code == 403
