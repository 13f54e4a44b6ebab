"""Follow the tasks of this process: what the application does on its own, for no request.

A task is a span without a parent in this process, of kind CONSUMER or INTERNAL: a message
that is worked off, a management command, a thread's or a schedule's own work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from prs_otel.observation import Observation, Thresholds, times
from prs_otel.request_context import TaskContext, current_request, finish
from prs_otel.rollup import series
from prs_otel.semconv import (
    CELERY_SCOPE,
    CELERY_TASK_NAME,
    COMMAND_SCOPE,
    ERROR_TYPE,
    MANUAL_SCOPE,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, Span

CELERY: Final = "celery"
COMMAND: Final = "command"
CONSUMER: Final = "consumer"
INTERNAL: Final = "internal"

_OPEN_LIMIT: Final = 10_000
_NAME_LIMIT: Final = 200  # characters
_KINDS: Final = {CELERY_SCOPE: CELERY, COMMAND_SCOPE: COMMAND}


class Tasks:
    """Know the tasks whose spans are open. Thread-safe.

    `conclude` looks at what a task has gathered when it ends. Of too many tasks the oldest
    is taken for one that never ends.
    """

    def __init__(self, conclude: Callable[[TaskContext, Thresholds], object]) -> None:
        self._conclude = conclude
        # A span may end in another context than it began in, so its id leads to its task.
        self._open: dict[int, TaskContext] = {}

    def begin(self, span: Span) -> None:
        """Begin a task with a span that has no parent here, unless it is part of something."""
        scope = span.instrumentation_scope
        name = "" if scope is None else scope.name
        if name == MANUAL_SCOPE or _is_within_another():
            return
        task = TaskContext(_kind(span, name), span.name)
        task.stand_for(span.context, name)
        if len(self._open) >= _OPEN_LIMIT:
            self._forget_oldest()
        self._open[task.span_id] = task
        current_request.set(task)

    def end(self, span: ReadableSpan, thresholds: Thresholds) -> Observation | None:
        """Return what a task was, `None` for a span that began none."""
        context = span.context
        task = None if context is None else self._open.pop(context.span_id, None)
        if context is None or task is None:
            return None
        attributes = span.attributes or {}
        task.name = _name(span.name, task.kind, attributes.get(CELERY_TASK_NAME))
        duration, end = times(span.start_time, span.end_time)
        self._conclude(task, thresholds)
        finish(task)
        return Observation(
            kind=series.TASK,
            labels=(task.name, task.kind),
            duration=duration,
            is_error=span.status.status_code is StatusCode.ERROR
            or ERROR_TYPE in attributes,
            is_slow=duration > thresholds.slow_task,
            at=end,
            trace_id=context.trace_id,
            span_id=context.span_id,
            request=task,
            code=None,
        )

    def forget(self) -> None:
        """Let go of all tasks, as a forked child must: they are its parent's."""
        self._open = {}
        if isinstance(current_request.get(), TaskContext):
            current_request.set(None)

    def _forget_oldest(self) -> None:
        oldest = next(iter(self._open))
        self._open.pop(oldest).is_finished = True


def _is_within_another() -> bool:
    """Tell whether a request or task is under way here, and not merely left behind."""
    around = current_request.get()
    if around is None or around.is_finished:
        return False
    # While a response is streamed, its span has ended already.
    if around.is_streaming or around.span_context is None:
        return True
    current = trace.get_current_span().get_span_context()
    return current.trace_id == around.span_context.trace_id


def _kind(span: Span, scope: str) -> str:
    known = _KINDS.get(scope)
    if known is not None:
        return known
    return CONSUMER if span.kind is SpanKind.CONSUMER else INTERNAL


def _name(span_name: str, kind: str, told: object) -> str:
    """Return the name the application knows the task by; Celery's spans put a verb before."""
    if kind == CELERY:
        span_name = told if isinstance(told, str) else span_name.removeprefix("run/")
    return span_name[:_NAME_LIMIT]
