from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from celery import Celery
from django.db import IntegrityError
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.trace import StatusCode

from prs_otel.instrumentation import celery_tasks
from tests.support.traces import Traces, tracing

SECRET = "Key (mail)=(alice@example.org) already exists"


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


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch, instrumentor: Any) -> Traces:
    """Trace the tasks of an application whose own provider is that of the test."""
    found = tracing()
    found.set_globally(monkeypatch)
    celery_tasks.install()
    assert instrumentor.is_instrumented_by_opentelemetry
    return found


def run(error: Exception, *, is_retried: bool = False, **options: Any) -> None:
    """Work off a task that raises."""
    app: Any = Celery("shop", set_as_current=False)

    def bill(task: Any) -> None:
        try:
            raise error
        except IntegrityError as failure:
            if not is_retried:
                raise
            raise task.retry(exc=failure) from failure

    app.task(name="shop.bill", bind=True, max_retries=1, **options)(bill).apply()


@pytest.mark.parametrize(
    ("throws", "is_error"),
    [((KeyError,), False), (LookupError, False), ((ValueError,), True), ((), True)],
)
def test_what_a_task_is_declared_to_throw_is_no_failure(
    traces: Traces, throws: object, is_error: bool
) -> None:
    run(KeyError("sold out"), throws=throws)

    (task,) = traces.observed_as("task")
    (span,) = traces.exported
    assert (task.labels, task.is_error) == (("shop.bill", "celery"), is_error)
    assert span.status.status_code is (StatusCode.ERROR if is_error else StatusCode.OK)


def test_what_a_database_said_is_on_no_span_of_a_task(traces: Traces) -> None:
    run(IntegrityError(SECRET))

    (span,) = traces.exported
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "django.db.utils.IntegrityError"
    assert "alice" not in str(span.to_json())


def test_nor_is_it_the_reason_of_a_retry(traces: Traces) -> None:
    run(IntegrityError(SECRET), is_retried=True)

    # An eager task is tried again within the first.
    reasons = [
        (span.attributes or {}).get("celery.retry.reason") for span in traces.exported
    ]
    assert "django.db.utils.IntegrityError" in reasons
    assert "alice" not in "".join(str(span.to_json()) for span in traces.exported)


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
