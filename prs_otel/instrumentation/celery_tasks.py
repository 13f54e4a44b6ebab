"""Have Celery's tasks traced where its instrumentation is installed and nobody has begun it.

Once Celery is used, under the launcher too: its instrumentation imports it.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from prs_otel.database_errors import quotes_values, type_name
from prs_otel.guard import guarded
from prs_otel.semconv import CELERY_RETRY_REASON, CELERY_SCOPE

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_DISPATCH_UID: Final = "prs_otel.instrumentation.celery_tasks"
_DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def install() -> None:
    """Trace the tasks that this process sends or works off from now on. Idempotent."""
    if "celery" not in sys.modules or _is_disabled():
        return
    try:
        from opentelemetry.instrumentation.celery import CeleryInstrumentor
    except ImportError:
        return
    instrumentor_class: Any = CeleryInstrumentor  # untyped
    instrumentor = instrumentor_class()
    if not instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.instrument()
    _correct()


def _correct() -> None:
    """Put right, from now on, what the instrumentation says of a failure or a retry."""
    from celery import signals

    # Later than the instrumentation's own receivers, whose words these replace.
    for signal, receiver in (
        (signals.task_failure, _acquit),
        (signals.task_retry, _redact),
    ):
        signal.disconnect(dispatch_uid=_DISPATCH_UID)
        signal.connect(receiver, weak=False, dispatch_uid=_DISPATCH_UID)


def _acquit(
    sender: object = None, exception: BaseException | None = None, **_: object
) -> None:
    """Take no exception for an error that the task declares in `throws`.

    The instrumentation means to, but looks at billiard's wrapper around the exception.
    """
    with guarded("celery_tasks.acquit"):
        span = _span()
        if span is not None and isinstance(exception, getattr(sender, "throws", ())):
            # Not even a later ERROR prevails over it.
            span.set_status(Status(StatusCode.OK))


def _redact(reason: object = None, **_: object) -> None:
    """Of a database's exception, tell no more than its kind as the reason of a retry."""
    with guarded("celery_tasks.redact"):
        span, error = _span(), getattr(reason, "exc", None) or reason
        if (
            span is not None
            and isinstance(error, BaseException)
            and quotes_values(error)
        ):
            span.set_attribute(CELERY_RETRY_REASON, type_name(error))


def _span() -> Span | None:
    """Return the span of the task that runs here, if it is one."""
    span = trace.get_current_span()
    scope = getattr(span, "instrumentation_scope", None)
    return span if getattr(scope, "name", "") == CELERY_SCOPE else None


def _is_disabled() -> bool:
    names = os.environ.get(_DISABLED, "").split(",")
    return not {"celery", "*"}.isdisjoint(name.strip() for name in names)
