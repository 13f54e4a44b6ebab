"""Carry all examinations out, whatever becomes of one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from prs_otel.diagnosis import (
    configuration,
    exporter,
    flow,
    instrumentation,
    serving,
    storage,
    tables,
)
from prs_otel.diagnosis.finding import Finding
from prs_otel.monitoring import registry

if TYPE_CHECKING:
    from prs_otel.diagnosis.surroundings import Surroundings

Examination = Callable[["Surroundings"], Iterable[Finding]]


def _others(around: Surroundings) -> Iterable[Finding]:
    """Return what the packages find that have registered themselves."""
    since = min((worker.started_at for worker in around.workers), default=None)
    request = registry.StatusRequest(around.now, since)
    for topic, found in registry.requested_findings(request):
        yield Finding(topic, found.level, found.message, found.remedy)


EXAMINATIONS: Final[dict[str, Examination]] = {
    "settings": configuration.examine,
    "server": serving.examine,
    "workers": flow.examine,
    "store": storage.examine,
    "instrumentation": instrumentation.examine,
    "exporter": exporter.examine,
    "database": tables.examine,
    "alerting": _others,
}


def examined(around: Surroundings) -> list[Finding]:
    """Return all findings, in the order in which a person would look. Never raises."""
    return [
        finding
        for topic, examine in EXAMINATIONS.items()
        for finding in _carried_out(topic, examine, around)
    ]


def _carried_out(
    topic: str, examine: Examination, around: Surroundings
) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(examine(around))
    except Exception as error:  # noqa: BLE001 - it says what it could not look at
        message = f"This could not be examined: {type(error).__name__}: {error}"
        found.append(Finding(topic, "warning", message, "Report it, please."))
    return found
