"""Say as OpenTelemetry events what happens to alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import prs_otel
from alerting.alert import Kind
from alerting.rules import Severity

if TYPE_CHECKING:
    from alerting.notice import Notice

EVENT: Final = "prs.alert.state_changed"


def announce(notices: Iterable[Notice]) -> None:
    """Emit an event for each step of an alert. Never raises."""
    for notice in notices:
        with prs_otel.guarded("alerting.announce"):
            _emit(notice)


def _emit(notice: Notice) -> None:
    traces, spans = notice.evidence.get("traces"), notice.evidence.get("spans")
    is_over = notice.kind is Kind.RESOLVED
    prs_otel.emit_event(
        EVENT,
        at=notice.at,
        severity=(Severity.INFO if is_over else notice.severity).value,
        body=notice.message,
        attributes=_attributes(notice),
        trace_id=traces[0] if traces and spans else "",
        span_id=spans[0] if traces and spans else "",
    )


def _attributes(notice: Notice) -> Mapping[str, str | float | list[str]]:
    known = {
        "prs.alert.id": notice.alert_id,
        "prs.alert.name": notice.name,
        "prs.alert.severity": notice.severity.value,
        "prs.alert.transition": notice.kind.value,
        "prs.alert.state": notice.state.value,
        "prs.alert.metric": notice.metric,
        "prs.alert.value": notice.value,
        "prs.alert.threshold": notice.threshold,
        "prs.alert.reason": notice.reason,
        "prs.alert.traces": list(notice.evidence.get("traces") or ()),
        **{f"prs.alert.label.{k}": v for k, v in notice.all_labels.items()},
    }
    return {name: value for name, value in known.items() if value not in (None, "", [])}
