"""What the screen shows, read at one moment."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic evaluates it
from typing import TYPE_CHECKING, Any, Final

from prs_otel.monitoring import documents
from prs_otel.monitoring.documents.figures import utc
from prs_otel.monitoring.registry import ALERTS, DocumentRequest, requested_document
from prs_otel.monitoring.schemas import (
    CacheFigures,
    Document,
    EndpointFigures,
    FingerprintFigures,
    MonitorFigures,
    QueryFigures,
    RequestFigures,
    SystemFigures,
    WindowDocument,
)

if TYPE_CHECKING:
    from prs_otel.rollup.view import MetricsView

HOUR: Final = 3600.0
_ALERTS_HOURS: Final = 24.0
_ALERTS_LIMIT: Final = 100


class Top(Document):
    """The last minutes; `alerts` are the open ones, null where they cannot be had."""

    time: datetime
    window: WindowDocument
    requests: RequestFigures
    queries: QueryFigures
    cache: CacheFigures
    system: SystemFigures
    monitor: MonitorFigures
    endpoints: list[EndpointFigures]
    fingerprints: list[FingerprintFigures]
    alerts: list[dict[str, Any]] | None


def snapshot(view: MetricsView, *, seconds: float, now: float) -> Top:
    """Return what the last `seconds` were like; raises `StoreError`."""
    summary = documents.summary(view, hours=seconds / HOUR, now=now)
    shared = Top.model_fields.keys() & type(summary).model_fields.keys()
    return Top(
        time=utc(now),
        alerts=_open_alerts(now),
        **{name: getattr(summary, name) for name in shared},
    )


def _open_alerts(now: float) -> list[dict[str, Any]] | None:
    asked = DocumentRequest(now=now, hours=_ALERTS_HOURS, limit=_ALERTS_LIMIT)
    try:
        found: Any = requested_document(ALERTS, asked)
    except Exception:  # noqa: BLE001 - the figures are there without its database
        return None
    if found is None:
        return None
    return [item for item in found["items"] if not item.get("resolved_at")]
