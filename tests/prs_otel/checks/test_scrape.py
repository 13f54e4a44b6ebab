from __future__ import annotations

import sys

import pytest
from django.test import override_settings

from prs_otel import checks
from prs_otel.checks.finding import SCRAPE


def found() -> list[str]:
    return [finding.id for finding in checks.findings()]


@pytest.fixture
def _without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)


@override_settings(MONITORING_SETTINGS={"SCRAPE_ENDPOINT": True})
def test_the_endpoint_with_its_library_is_fine() -> None:
    assert found() == []


@pytest.mark.usefixtures("_without_the_library")
@override_settings(MONITORING_SETTINGS={"SCRAPE_ENDPOINT": True})
def test_the_endpoint_without_its_library_answers_nothing() -> None:
    assert found() == [SCRAPE]


@pytest.mark.usefixtures("_without_the_library")
def test_without_the_endpoint_nobody_needs_the_library() -> None:
    assert found() == []
