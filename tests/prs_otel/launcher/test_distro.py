from __future__ import annotations

import logging
import os
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.distro import (  # type: ignore[attr-defined]
    BaseDistro,
    DefaultDistro,
)
from opentelemetry.sdk.trace import TracerProvider

from prs_otel.launcher import deferral, hook, instrumentors, preference
from prs_otel.launcher.distro import PrsDistro
from prs_otel.sampling import RecordAll


class EntryPoint:
    """An instrumentor's entry point that notes with what it was run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.options: dict[str, object] | None = None

    def load(self) -> Any:
        return lambda: self

    def instrument(self, **options: object) -> None:
        self.options = options


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    calls: list[bool] = []
    monkeypatch.setattr(deferral, "install", lambda: calls.append(True))
    monkeypatch.setattr(os, "environ", {})
    return calls


def test_the_distribution_sets_defaults_and_waits(installed: list[bool]) -> None:
    PrsDistro().configure()

    assert installed == [True]
    assert os.environ["OTEL_TRACES_EXPORTER"] == "none"


@pytest.mark.parametrize(
    ("name", "is_run"),
    [("django", False), ("sqlite3", False), ("psycopg", False), ("requests", True)],
)
def test_what_is_measured_by_us_is_not_instrumented_twice(
    name: str, is_run: bool
) -> None:
    entry_point: Any = EntryPoint(name)
    PrsDistro().load_instrumentor(entry_point, skip_dep_check=True)

    assert entry_point.options == ({"skip_dep_check": True} if is_run else None)


def test_under_another_distribution_it_is_not_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BaseDistro, "load_instrumentor", BaseDistro.load_instrumentor)
    instrumentors.skip_ours_in_any_distro()
    once = BaseDistro.load_instrumentor
    instrumentors.skip_ours_in_any_distro()
    assert BaseDistro.load_instrumentor is once

    ours: Any = EntryPoint("django")
    theirs: Any = EntryPoint("requests")
    DefaultDistro().load_instrumentor(ours, skip_dep_check=True)
    DefaultDistro().load_instrumentor(theirs, skip_dep_check=True)

    assert ours.options is None
    assert theirs.options == {"skip_dep_check": True}


def test_the_hook_prepares_whatever_provider_there_is(
    installed: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(BaseDistro, "load_instrumentor", BaseDistro.load_instrumentor)
    hook.ensure_installed()

    assert isinstance(provider.sampler, RecordAll)
    assert installed == [True]
    assert os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] == "http,database"


@pytest.mark.parametrize(
    ("installed_distros", "chosen"),
    [
        ({"prs_otel", "distro"}, "prs_otel"),
        ({"prs_otel"}, None),
        ({"prs_otel", "distro", "vendor"}, None),
        ({"prs_otel", "vendor"}, None),
    ],
)
def test_ours_is_preferred_to_the_generic_distribution_only(
    installed_distros: set[str], chosen: str | None
) -> None:
    environment: dict[str, str] = {}
    preference.prefer_ours(environment, installed_distros)

    assert environment.get("OTEL_PYTHON_DISTRO") == chosen
    assert environment.get("OTEL_PYTHON_CONFIGURATOR") == chosen


def test_a_distribution_the_user_chose_is_kept() -> None:
    environment = {"OTEL_PYTHON_DISTRO": "distro"}
    preference.prefer_ours(environment, {"prs_otel", "distro"})

    assert environment["OTEL_PYTHON_DISTRO"] == "distro"


def test_the_preference_adds_no_option_to_the_launcher() -> None:
    # The launcher makes one of every name that begins like this.
    assert [name for name in dir(preference) if name.startswith("OTEL_")] == []


@pytest.mark.parametrize(
    ("name", "is_told"), [("configurator", False), ("vendor", True)]
)
def test_the_generic_configurator_stands_back_in_silence(
    name: str, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger(preference._LAUNCHER)
    preference.say_nothing_of_the_generic()
    logger.warning(
        "Configuration of %s not loaded, %s already loaded", name, "prs_otel"
    )
    logger.warning("Instrumenting of %s failed", "configurator")
    logger.removeFilter(preference._is_news)

    assert len(caplog.records) == 1 + is_told
