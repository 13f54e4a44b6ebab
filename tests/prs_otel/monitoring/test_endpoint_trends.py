from __future__ import annotations

import pytest
from django.test import Client

from prs_otel.monitoring import documents
from prs_otel.monitoring.documents import LineQuery, Page
from prs_otel.monitoring.schemas import EndpointTrend
from prs_otel.rollup import salvage
from tests.support.measured import Measured, Whose

NOW = 1_700_000_000.0
MINUTE = LineQuery(Page(seconds=60.0), points=6)


def last(item: EndpointTrend) -> tuple[int | None, int | None]:
    return item.counts[-1], item.error_counts[-1]


def test_each_endpoint_has_a_line_the_heaviest_first(measured: Measured) -> None:
    measured.request(0.2, whose=Whose("/light/"))
    for status in (200, 500):
        measured.request(0.4, whose=Whose("/heavy/"), status=status)

    document = documents.endpoint_trends(measured.flush(), MINUTE, now=NOW)

    heavy, light = document.items
    assert (heavy.endpoint, heavy.method, last(heavy)) == ("/heavy/", "GET", (2, 1))
    assert (light.endpoint, last(light)) == ("/light/", (1, 0))
    assert heavy.mean_durations[-1] == pytest.approx(0.4)
    assert (document.count, document.step) == (2, 10)
    assert len(document.times) == len(heavy.counts) == len(heavy.mean_durations)


def test_what_nobody_measured_is_null_and_an_idle_step_is_zero(
    measured: Measured,
) -> None:
    measured.request(0.2)
    measured.flush()
    measured.now += 15
    measured.query(0.1)

    (line,) = documents.endpoint_trends(
        measured.flush(), MINUTE, now=measured.now
    ).items

    assert line.counts == [None, None, None, None, 1, 0, 0]
    assert line.mean_durations[-1] is None


def test_a_page_of_endpoints_or_just_one_can_be_asked_for(measured: Measured) -> None:
    for number in range(3):
        measured.request(0.1 * (1 + number), whose=Whose(f"/{number}/"))
    view = measured.flush()
    second = LineQuery(Page(seconds=60.0, limit=1, offset=1))
    just_one = LineQuery(Page(seconds=60.0, endpoint="/0/"))

    (on_page,) = documents.endpoint_trends(view, second, now=NOW).items
    one = documents.endpoint_trends(view, just_one, now=NOW)

    assert on_page.endpoint == "/1/"
    assert ([each.endpoint for each in one.items], one.count) == (["/0/"], 1)


def test_what_is_damaged_leaves_the_rest(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured.request(0.1)
    view = measured.flush()
    monkeypatch.setattr(salvage, "cells", lambda data: None)

    assert documents.endpoint_trends(view, MINUTE, now=NOW).items == []


@pytest.mark.django_db
@pytest.mark.urls("tests.prs_otel.monitoring.mounted")
@pytest.mark.parametrize("query", ["points=1", "points=61", "limit=201", "hours=0"])
@pytest.mark.usefixtures("served")
def test_what_cannot_be_drawn_is_refused(staff_client: Client, query: str) -> None:
    response = staff_client.get(f"/api/monitoring/api/trends/?{query}")

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]
