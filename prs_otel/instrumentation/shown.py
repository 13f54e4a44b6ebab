"""Show a call of the application's own as a span, current while the call works."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from opentelemetry import context as current_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from prs_otel.guard import guarded
from prs_otel.instrumentation.measuring import current_block
from prs_otel.instrumentation.recorded import tracer
from prs_otel.semconv import ERROR_TYPE

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from contextvars import ContextVar, Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span


class _Step:
    """Let a span, and what belongs to it, be current for the length of the block."""

    __slots__ = ("_attached", "_clock", "_token", "_work")

    def __init__(self, work: Shown) -> None:
        self._work = work
        self._clock = 0
        self._token: Token[Any] | None = None
        self._attached: Token[Context] | None = None

    def __enter__(self) -> None:
        """Make it current."""
        variable, value = self._work.current()
        self._token = variable.set(value)
        around = trace.set_span_in_context(self._work.span)
        self._attached = current_context.attach(around)
        self._clock = perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        """Make current what was before."""
        self._work.duration += perf_counter_ns() - self._clock
        token, attached = self._token, self._attached
        if token is None or attached is None:
            return
        try:
            token.var.reset(token)
        except ValueError:
            return  # a coroutine that is closed where it has never run
        current_context.detach(attached)


class Shown:
    """A call that is a span, and counts nowhere."""

    def __init__(self, name: str) -> None:
        self.span: Span = tracer().start_span(name, kind=SpanKind.INTERNAL)
        self.duration = 0  # nanoseconds that the call itself has worked

    def current(self) -> tuple[ContextVar[Any], object]:
        """Return what is to be current while the call works, and where."""
        return current_block, current_block.get()

    def step(self) -> AbstractContextManager[None]:
        """Let the span be current while the call works."""
        return _Step(self)

    def end(self, failure: BaseException | None, result: object = None) -> None:
        """End the span; say of what was raised no more than its class."""
        with guarded("manual.span"):
            if failure is not None:
                self.span.set_attribute(ERROR_TYPE, class_name(failure))
                self.span.set_status(Status(StatusCode.ERROR))
            self.span.end()


def class_name(error: BaseException) -> str:
    """Return the name of an exception's class: its message may quote values."""
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
