"""What the API answers, one class per response. Times are RFC 3339 in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from alerting.rules import Severity

__all__ = ["AlertItem", "History", "Summary"]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class AlertItem(_Document):
    """One alert. `severity` is the worst it has been, `value` what last alarmed."""

    id: UUID
    name: str
    severity: Severity
    state: str
    labels: dict[str, str]
    value: float | None
    threshold: float | None
    message: str
    evidence: dict[str, Any]
    started_at: datetime
    fired_at: datetime
    resolved_at: datetime | None


class History(_Document):
    """The alerts that were open at some time within the window, newest first."""

    items: list[AlertItem]
    count: int


class Summary(_Document):
    """How many alerts were open at some time within the window, by what they are."""

    hours: float
    start: datetime
    end: datetime
    count: int
    by_severity: dict[str, int]
    by_state: dict[str, int]
    by_rule: dict[str, int]
