from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client

from prs_otel import pipeline
from prs_otel.instrumentation.n_plus_one import Finding
from prs_otel.rollup.cache_call import CacheCall
from prs_otel.store.base import StoreError
from tests.support.commands import manage_monitoring
from tests.support.measured import Measured, Whose

LONG_QUERY = (
    'SELECT "deals_deal"."id", "deals_deal"."title" FROM "deals_deal" WHERE "id" = ?'
)


@pytest.mark.django_db
@pytest.mark.urls("tests.prs_otel.monitoring.mounted")
def test_json_is_what_the_api_answers(measured: Measured, client: Client) -> None:
    client.force_login(User.objects.create_user("staff", is_staff=True))
    measured.request(0.2, whose=Whose(organization_id="7"), queries=[0.1])
    measured.query(0.1)
    measured.flush()

    printed = manage_monitoring("summary", "--hours", "2", "--format", "json")
    answered = client.get("/api/monitoring/performance/summary/?hours=2")

    assert printed.exit_code == 0
    assert printed.json() == answered.json()


def test_the_table_reads_well_at_80_columns(measured: Measured) -> None:
    measured.request(
        0.2, whose=Whose("/deals/<int:pk>/documents/<uuid:document>/", "7")
    )
    measured.request(2.5, status=500, findings=[Finding("a", 10, 1)])
    measured.query(0.1, text=LONG_QUERY)
    measured.flush()

    lines = manage_monitoring("summary").text.splitlines()

    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("2023-11-13 22:13:20 to 2023-11-14 22:13:20 UTC (1.0 d")
    assert [line for line in lines if line.startswith("requests")] == [
        "requests      2  50.0 %  50.0 %    1.35 s   2.50 s    2.50 s",
        "requests that repeated a query (N+1): 1",
    ]
    assert "Organisations by total time" in lines
    assert any(line.startswith("SELECT … FROM deals_deal") for line in lines)


def test_the_table_says_how_often_the_cache_knew(measured: Measured) -> None:
    measured.flush()
    before = manage_monitoring("summary").text
    measured.rollup.record_cache(("default", "get_many"), CacheCall(3_000, 3, 1, False))
    measured.flush()

    rows = [
        [line for line in text.splitlines() if line.startswith("cache hit rate")]
        for text in (before, manage_monitoring("summary").text)
    ]

    assert [row.split()[-2:] for (row,) in rows] == [["rate", "-"], ["75.0", "%"]]


def test_without_tenants_there_is_no_table_of_them(measured: Measured) -> None:
    measured.request()
    measured.flush()

    assert "Organisations" not in manage_monitoring("summary").text


def test_a_long_list_says_how_many_more_there_are(measured: Measured) -> None:
    for number in range(13):
        measured.request(whose=Whose(f"/route-{number}/"))
    measured.flush()

    text = manage_monitoring("summary").text

    assert text.count("GET /route-") == 10
    assert "and 3 more: --format json has them all" in text


def test_an_empty_store_is_a_summary_of_zeros(measured: Measured) -> None:
    outcome = manage_monitoring("summary")

    assert outcome.exit_code == 0
    assert "Endpoints" not in outcome.text


@pytest.mark.parametrize("hours", ["0", "-1", "8761", "nan", "x"])
@pytest.mark.usefixtures("measured")
def test_hours_out_of_bounds_are_refused(hours: str) -> None:
    with pytest.raises(CommandError, match=r"above 0 and up to 8760"):
        manage_monitoring("summary", f"--hours={hours}")


@pytest.mark.usefixtures("measured")
def test_a_store_out_of_order_is_critical(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(measured.view.store, "reading", fail)

    with pytest.raises(CommandError, match="the disk is full") as caught:
        manage_monitoring("summary")

    assert caught.value.returncode == 2


@pytest.mark.usefixtures("measured")
def test_switched_off_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "is_enabled", lambda: False)

    with pytest.raises(CommandError, match="switched off") as caught:
        manage_monitoring("summary")

    assert caught.value.returncode == 2


@pytest.mark.usefixtures("measured")
def test_an_unknown_subcommand_is_refused_without_a_traceback() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        manage_monitoring("sumary")


def test_tasks_have_a_table_once_there_are_any(measured: Measured) -> None:
    measured.request(0.1)
    measured.flush()
    without = manage_monitoring("summary").text
    measured.task(2.0, name="nightly")
    measured.flush()

    text = manage_monitoring("summary").text

    assert "Tasks" not in without
    assert "Tasks by total time" in text
    assert "nightly" in text
