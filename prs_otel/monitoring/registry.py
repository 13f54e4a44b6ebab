"""Documents that other packages contribute to our commands and health checks.

`prs_otel` never imports `alerting`; who has a document registers what builds it here, under
the name by which a command asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import BaseModel

ALERTS = "alerts"
"""The document of `GET /api/alerting/history/`."""

ALERTING_STATUS = "alerting-status"
"""The document of `GET /api/alerting/status/`."""


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """Say what a document is asked about; a builder ignores what does not concern it."""

    now: float
    hours: float = 24.0
    severity: str | None = None


Document: TypeAlias = BaseModel | Mapping[str, object]
DocumentBuilder: TypeAlias = Callable[[DocumentRequest], Document]

_builders: dict[str, DocumentBuilder] = {}


def register_command_document(name: str, build: DocumentBuilder) -> None:
    """Offer the document called `name`; the latest registration is the one that counts."""
    _builders[name] = build


def requested_document(name: str, request: DocumentRequest) -> dict[str, object] | None:
    """Build the document called `name`, ready for JSON; None when nobody offers it.

    What the builder raises is passed on.
    """
    build = _builders.get(name)
    if build is None:
        return None
    document = build(request)
    if isinstance(document, BaseModel):
        return document.model_dump(mode="json")
    return dict(document)
