from __future__ import annotations

from typing import Any

import pytest

import prs_otel
from prs_otel import conf, pipeline
from prs_otel.monitoring import permissions
from tests.support.measured import Measured

NOW = 1_700_000_000.0


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    found = Measured(NOW)
    monkeypatch.setattr(pipeline, "view", lambda: found.view)
    monkeypatch.setattr(pipeline, "store", lambda: found.view.store)
    return found


@pytest.mark.parametrize("name", prs_otel.__all__)
def test_everything_the_package_offers_is_there(name: str) -> None:
    assert getattr(prs_otel, name) is not None


def test_what_the_package_does_not_offer_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        prs_otel.nothing  # noqa: B018


def test_the_service_is_called_what_its_user_called_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_default = prs_otel.service_name()
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=from-attributes")
    by_attributes = prs_otel.service_name()
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")

    assert (by_default, by_attributes) == ("tests", "from-attributes")
    assert prs_otel.identity()["service.name"] == "shop"


def test_a_metric_is_read_with_the_names_of_host_and_service(
    measured: Measured,
) -> None:
    measured.request(1.0)
    measured.request(3.0, status=500)
    measured.flush()

    (point,) = prs_otel.metric_source().query(
        "http.server.request.error_rate",
        aggregation="",
        where={},
        by=("http.route",),
        window=300,
        now=NOW,
    )

    assert point.labels == {"http.route": "/deals/", **prs_otel.identity()}
    assert (point.value, point.count) == (0.5, 2)


def test_evidence_and_flat_metrics_are_read_from_the_same_view(
    measured: Measured,
) -> None:
    measured.request(3.0, status=500)
    measured.flush()
    source = prs_otel.metric_source()

    evidence: dict[str, Any] = source.evidence(
        "http.server.request.error_rate", where={}, window=300, now=NOW
    )

    assert [each["endpoint"] for each in evidence["contributors"]] == ["/deals/"]
    assert source.flat(now=NOW)["api_error_rate"] == 100.0


def test_documents_are_kept_in_the_store(measured: Measured) -> None:
    assert prs_otel.document_store() is measured.view.store


def test_the_thresholds_of_rules_are_those_of_the_settings(settings: Any) -> None:
    settings.MONITORING_SETTINGS = {
        "CPU_WARNING_THRESHOLD": 70,
        "DATABASE_CONNECTIONS_CRITICAL_THRESHOLD": 80,
    }

    thresholds = prs_otel.thresholds()

    assert thresholds["cpu_warning"] == 70.0
    assert thresholds["api_error_rate_critical"] == 20.0
    assert thresholds["database_connections_critical"] == 80.0
    assert thresholds["system_metrics_interval"] == 15.0
    assert len(thresholds) == 12


def test_the_service_is_named_after_the_project() -> None:
    assert prs_otel.service_name() == conf.project_name()


def test_only_staff_can_be_asked_for_by_name() -> None:
    assert len(prs_otel.authentication("staff")) == len(permissions.staff_auth())
    with pytest.raises(ValueError, match="takes \"staff\", not 'everybody'"):
        prs_otel.authentication("everybody")
