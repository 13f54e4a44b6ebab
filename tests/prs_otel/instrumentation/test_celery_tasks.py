from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.instrumentation.celery import CeleryInstrumentor

from prs_otel.instrumentation import celery_tasks


@pytest.fixture
def instrumentor() -> Iterator[Any]:
    kind: Any = CeleryInstrumentor
    found = kind()
    # Celery stays imported, so that any test of a whole pipeline has it traced.
    if found.is_instrumented_by_opentelemetry:
        found.uninstrument()
    yield found
    if found.is_instrumented_by_opentelemetry:
        found.uninstrument()


def test_tasks_are_traced_once(instrumentor: Any) -> None:
    celery_tasks.install()
    celery_tasks.install()

    assert instrumentor.is_instrumented_by_opentelemetry


def test_what_somebody_else_has_begun_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, instrumentor: Any
) -> None:
    instrumentor.instrument()
    monkeypatch.setattr(instrumentor, "instrument", None)
    celery_tasks.install()

    assert instrumentor.is_instrumented_by_opentelemetry


@pytest.mark.parametrize("names", ["celery", "redis, celery", "*"])
def test_who_disables_it_is_heard(
    monkeypatch: pytest.MonkeyPatch, instrumentor: Any, names: str
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", names)
    celery_tasks.install()

    assert not instrumentor.is_instrumented_by_opentelemetry


def test_where_celery_is_not_used_nothing_is_imported(
    monkeypatch: pytest.MonkeyPatch, instrumentor: Any
) -> None:
    monkeypatch.delitem(sys.modules, "celery")
    celery_tasks.install()

    assert not instrumentor.is_instrumented_by_opentelemetry


def test_without_its_instrumentation_tasks_are_not_traced(
    monkeypatch: pytest.MonkeyPatch, instrumentor: Any
) -> None:
    name = "opentelemetry.instrumentation.celery"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    celery_tasks.install()

    assert not instrumentor.is_instrumented_by_opentelemetry
