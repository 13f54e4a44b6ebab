from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from django.core import checks
from django.core.checks.registry import CheckRegistry

from prs_otel.instrumentation import measuring
from prs_otel.launcher import system_checks


class Registry(CheckRegistry):
    """Run checks as Django's does, and be followed in its place."""


@pytest.fixture
def modes() -> list[int]:
    """Return how queries were taken in each check that has run."""
    return []


@pytest.fixture
def registry(modes: list[int], monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return a registry with one check, not yet followed."""

    def check(**_: object) -> list[checks.CheckMessage]:
        modes.append(measuring.mode.get())
        return [checks.Info("asked")]

    monkeypatch.setattr(Registry, "get_checks", CheckRegistry.get_checks)
    found = Registry()
    found.register(check, checks.Tags.models)
    return found


def follow() -> None:
    module: Any = ModuleType("django.core.checks.registry")
    module.CheckRegistry = Registry
    system_checks._follow(module)


def test_what_a_check_asks_is_not_measured(
    registry: Registry, modes: list[int]
) -> None:
    follow()

    assert registry.run_checks() == [checks.Info("asked")]
    assert registry.run_checks(tags=[checks.Tags.urls]) == []
    assert modes == [measuring.UNMEASURED]
    assert measuring.mode.get() == measuring.MEASURED


def test_who_took_the_function_before_it_was_followed_is_not_measured_either(
    registry: Registry, modes: list[int]
) -> None:
    taken = registry.run_checks
    follow()

    taken()

    assert modes == [measuring.UNMEASURED]
