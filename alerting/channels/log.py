"""Tell the log: one line per alert on the logger `alerting`."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from alerting.channels.base import DeliveryError
from alerting.channels.deadline import Deadline
from alerting.notifications.message import facts, line, plain
from alerting.notifications.telling import ALARMS
from alerting.rules import Severity

if TYPE_CHECKING:
    from alerting.notice import Notice
    from alerting.notifications.message import Message

__all__ = ["LogChannel"]

logger = logging.getLogger("alerting")

TIMEOUT: Final = 5.0  # seconds that the logger's handlers may take for one message

VALUE_LIMIT: Final = 300  # characters of each thing that stands behind an alert
_BEHIND: Final = ("also", "top", "tenant", "trace", "runbook", "silence")

_NO_TRACE: Final = "0"  # as opentelemetry-instrumentation-logging has it

_LEVELS: Final = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR,
    Severity.CRITICAL: logging.CRITICAL,
}


class LogChannel:
    """The logger `alerting`, for files and for whatever collects logs.

    Handlers that block keep a thread of their own, and only this channel waiting.
    """

    name = "log"

    def __init__(self, *, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._deadline = Deadline("logging")

    def unavailable(self) -> str:
        """Return "": there is always a log."""
        return ""

    def recipients(self) -> tuple[str, ...]:
        """Return the logger's name."""
        return (logger.name,)

    def send(self, message: Message) -> tuple[str, ...]:
        """Write every alert, also those a mail would only count."""
        try:
            failures = self._deadline.call(
                lambda: _write(message), seconds=self._timeout
            )
        except TimeoutError as error:
            raise DeliveryError(str(error)) from None
        if failures:
            # Not the error's text: it may repeat an address or a password.
            kind = type(failures[0]).__name__
            raise DeliveryError(f"a handler of the logger raised {kind}")
        return self.recipients()


def _write(message: Message) -> list[Exception]:
    """Log every notice, and return what handlers have raised."""
    failures: list[Exception] = []
    for notice in message.notices:
        try:
            _log(notice, _level(notice, is_resolution=message.is_resolution))
        except Exception as error:  # noqa: BLE001 - a handler may be anybody's code
            failures.append(error)
    return failures


def _log(notice: Notice, level: int) -> None:
    """Log one line with the ids of the trace it rests on, within that trace's context.

    There handlers that export look for it.
    """
    if not logger.isEnabledFor(level):
        return
    trace_id, span_id = _first(notice, "traces"), _first(notice, "spans")
    ids = {"trace_id": trace_id, "span_id": span_id} if trace_id else {}
    text = f"{line(notice)} {_pairs({**dict(_fields(notice)), **ids})}"
    span = SpanContext(
        int(trace_id or "0", 16), int(span_id or "0", 16), is_remote=False
    )
    token = context.attach(trace.set_span_in_context(NonRecordingSpan(span)))
    try:
        record = logger.makeRecord(logger.name, level, __file__, 0, "%s", (text,), None)
        # Not by `extra`, which refuses names that a record factory has set already.
        record.otelTraceID = trace_id or _NO_TRACE
        record.otelSpanID = span_id or _NO_TRACE
        record.alert = notice.to_json()
        logger.handle(record)
    finally:
        context.detach(token)


def _level(notice: Notice, *, is_resolution: bool) -> int:
    # Whoever keeps only warnings must see that an alert is over, too.
    return logging.WARNING if is_resolution else _LEVELS[notice.severity]


def _fields(notice: Notice) -> Iterator[tuple[str, str]]:
    yield "alert_id", notice.alert_id
    if notice.value is not None:
        yield "value", f"{notice.value:g}"
    if notice.threshold is not None:
        yield "threshold", f"{notice.threshold:g}"
    if notice.kind in ALARMS:
        yield from _behind(notice)


def _behind(notice: Notice) -> Iterator[tuple[str, str]]:
    lasting = notice.at - notice.started_at
    if lasting >= 1:
        yield "lasting_seconds", f"{lasting:.0f}"
    told: dict[str, list[str]] = {}
    for name, value in facts(notice):
        if name in _BEHIND:
            # A request that is cut is none.
            cut = value if name == "silence" else value[:VALUE_LIMIT]
            told.setdefault(name, []).append(cut)
    yield from ((name, "; ".join(told[name])) for name in _BEHIND if name in told)
    code = notice.evidence.get("code")
    if code:
        yield "code", plain(f"{code.get('file')}:{code.get('line')}")


def _pairs(fields: Mapping[str, str]) -> str:
    return " ".join(
        f"{name}={json.dumps(value, ensure_ascii=False) if ' ' in value else value}"
        for name, value in fields.items()
    )


def _first(notice: Notice, name: str) -> str:
    """Return the first id of that name in the evidence, "" when there is none."""
    found: Any = notice.evidence.get(name) or ("",)
    text = str(found[0])
    return text if text and all(c in "0123456789abcdef" for c in text) else ""
