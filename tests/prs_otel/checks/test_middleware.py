from __future__ import annotations

import os

import pytest
from django.test import override_settings

from prs_otel import checks
from prs_otel.checks import middleware
from prs_otel.checks.finding import ORDER, REPEATED
from prs_otel.instrumentation.django_instrumentor import is_disabled

SECURITY = "django.middleware.security.SecurityMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
OURS = "prs_otel.PerformanceMonitoringMiddleware"


def ids(*names: str, is_automatic: bool = True) -> list[str]:
    found = middleware.findings(names, is_automatic=is_automatic)
    return [finding.id for finding in found]


@pytest.mark.parametrize(
    "names",
    [
        [],
        [SECURITY, AUTHENTICATION],
        [SECURITY, AUTHENTICATION, OURS],
        [SECURITY, OURS],
        [AUTHENTICATION, "prs_otel.manual.middleware.PerformanceMonitoringMiddleware"],
    ],
)
def test_below_the_authentication_it_stands_right(names: list[str]) -> None:
    assert ids(*names) == []


def test_above_the_authentication_it_is_of_no_use() -> None:
    [finding] = middleware.findings([OURS, AUTHENTICATION], is_automatic=True)

    assert finding.id == ORDER
    assert "stands above AuthenticationMiddleware" in finding.message
    assert f"below '{AUTHENTICATION}'" in finding.hint


def test_where_nothing_else_counts_it_has_to_be_the_first() -> None:
    [finding] = middleware.findings([SECURITY, OURS], is_automatic=False)

    assert finding.id == ORDER
    assert f"stands below '{SECURITY}'" in finding.message
    assert "Put it first" in finding.hint
    assert ids(OURS, AUTHENTICATION, is_automatic=False) == []


def test_one_of_it_is_enough() -> None:
    assert ids(AUTHENTICATION, OURS, OURS) == [REPEATED]


def test_the_setting_of_the_project_is_judged() -> None:
    with override_settings(MIDDLEWARE=[OURS, AUTHENTICATION]):
        assert [finding.id for finding in checks.findings()] == [ORDER]


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis, django", True),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "*", True),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis", False),
        ("OTEL_PYTHON_DJANGO_INSTRUMENT", "False", True),
        ("OTEL_PYTHON_DJANGO_INSTRUMENT", "True", False),
    ],
)
def test_the_environment_says_who_counts(
    variable: str, value: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    assert is_disabled(os.environ) is expected
    with override_settings(MIDDLEWARE=[SECURITY, OURS]):
        assert [finding.id for finding in checks.findings()] == [ORDER] * expected
