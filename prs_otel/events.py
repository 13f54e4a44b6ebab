"""Say what happened as an OpenTelemetry event: a log record that has a name.

It leaves wherever the logs of the process go. Where they go nowhere this does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from opentelemetry import _logs, trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.util.types import AnyValue

SCOPE: Final = "prs_otel"
SEVERITIES: Final[Mapping[str, SeverityNumber]] = {
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}


def emit_event(  # noqa: PLR0913 - the parts of a log record
    name: str,
    *,
    at: float,
    severity: str,
    body: str,
    attributes: Mapping[str, AnyValue],
    trace_id: str = "",
    span_id: str = "",
) -> None:
    """Emit one event of the time `at` (epoch seconds), `severity` being one of `SEVERITIES`.

    With the ids of a span, 32 and 16 hexadecimal digits, it belongs to that span's trace.
    """
    _logs.get_logger(SCOPE).emit(
        timestamp=int(at * 1e9),
        context=_within(trace_id, span_id),
        severity_number=SEVERITIES[severity],
        severity_text=severity,
        body=body,
        attributes=dict(attributes),
        event_name=name,
    )


def _within(trace_id: str, span_id: str) -> Context | None:
    if not (trace_id and span_id):
        return None
    span = SpanContext(
        int(trace_id, 16),
        int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(NonRecordingSpan(span))
