"""What one line says of a slow query, request or task: no literal of SQL, nothing about a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import series

if TYPE_CHECKING:
    from prs_otel.rollup.sample import Sample
    from prs_otel.slow_log.logfmt import Value

TEXT_LIMIT: Final = 500
"""Characters of a sanitised statement in a line."""

EVENTS: Final = {
    series.QUERY: "slow_query",
    series.REQUEST: "slow_request",
    series.TASK: "slow_task",
}

# A resolver may have answered with a name or an address, which is no business of a log.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line on its way: its fields, and the trace and span it belongs to, "" for none."""

    fields: Mapping[str, Value]
    trace_id: str = ""
    span_id: str = ""


def entry(sample: Sample, text: str, *, suppressed: int) -> Entry:
    """Return the line of a slow sample; `text` is the sanitised SQL of its fingerprint.

    `suppressed` are the lines of its kind that were left out before it.
    """
    fields: dict[str, Value] = {
        "event": EVENTS[sample.kind],
        "duration": sample.duration,
        **dict(_place(sample)),
        **dict(_query(sample, text) if sample.fingerprint else _request(sample)),
    }
    if sample.is_error:
        fields["error"] = True
    if sample.organization_id is not None and _ID.fullmatch(sample.organization_id):
        fields["organization_id"] = sample.organization_id
    if suppressed:
        fields["suppressed"] = suppressed
    fields["trace_id"], fields["span_id"] = sample.trace_id, sample.span_id
    return Entry(fields, sample.trace_id, sample.span_id)


def summary(kind: str, *, suppressed: int) -> Entry:
    """Return the line that says how many were left out when nothing slow has followed."""
    return Entry({"event": EVENTS[kind], "suppressed": suppressed})


def _place(sample: Sample) -> Iterator[tuple[str, Value]]:
    if sample.endpoint is not None:
        yield "method", sample.method
        yield "route", sample.endpoint
    if sample.task is not None:
        yield "task", sample.task
    if sample.status_code:
        yield "status", sample.status_code
    if sample.code is not None:
        yield "code", f"{sample.code.file}:{sample.code.line}"
        yield "function", sample.code.function


def _request(sample: Sample) -> Iterator[tuple[str, Value]]:
    yield "query_count", sample.query_count
    yield "query_duration", sample.query_duration


def _query(sample: Sample, text: str) -> Iterator[tuple[str, Value]]:
    yield "db", sample.alias
    yield "fingerprint", sample.fingerprint
    if text:
        yield "query", text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}…"
