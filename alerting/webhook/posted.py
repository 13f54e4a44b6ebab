"""One alert as another system has posted it, and whether it is news."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alerting.rules.severity import Severity

__all__ = [
    "ALERTS_LIMIT",
    "KEY_LIMIT",
    "LABELS_LIMIT",
    "METRICS_LIMIT",
    "NAME_LIMIT",
    "TEXT_LIMIT",
    "VALUE_LIMIT",
    "Batch",
    "Known",
    "Posted",
    "Value",
    "identity",
    "is_news",
    "link",
    "moment",
]

ALERTS_LIMIT: Final = 500
NAME_LIMIT: Final = 100
TEXT_LIMIT: Final = 4_000
KEY_LIMIT: Final = 100
VALUE_LIMIT: Final = 1_024  # bytes
LABELS_LIMIT: Final = 32
METRICS_LIMIT: Final = 50
URL_LIMIT: Final = 2_000
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_EARLIEST: Final = datetime(1970, 1, 2, tzinfo=UTC)

Value = str | float | bool | None


@dataclass(frozen=True, slots=True)
class Posted:
    """An alert from elsewhere. Times are epoch seconds.

    `fingerprint` tells it from the others of its source; `own_id` is the id of the alert
    of ours that it may be, on its way back.
    """

    fingerprint: str
    name: str
    severity: Severity
    message: str
    is_firing: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Value] = field(default_factory=dict)
    url: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    own_id: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request has posted, and in which form."""

    form: str
    alerts: tuple[Posted, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an alert when it is posted again; `ends_at` is None until told."""

    is_firing: bool
    starts_at: float | None
    ends_at: float | None


def is_news(posted: Posted, known: Known | None) -> bool:
    """Tell whether an alert is worth writing down: not late, not over, not unheard of."""
    if known is None:
        return posted.is_firing
    if posted.starts_at is not None and known.starts_at is not None:
        if posted.starts_at < known.starts_at:
            return False
        was_ended = not known.is_firing and known.ends_at is not None
        if was_ended and posted.starts_at == known.starts_at:
            # Its beginning, delivered once more after its end.
            return False
    return posted.is_firing or known.is_firing


def identity(*parts: object) -> str:
    """Return 32 hex digits that are the same for the same parts."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def moment(text: str) -> float | None:
    """Return an RFC 3339 time as epoch seconds, None for Go's zero time.

    Raises `ValueError` for what is none, or in no year of ours.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("it has no time zone")
    if found.year == 1:
        return None
    if not _EARLIEST <= found <= _LATEST:
        raise ValueError("it is in no year of ours")
    return found.timestamp()


def link(text: object) -> str:
    """Return `text` if it is a link that people may follow, else ""."""
    if not isinstance(text, str) or len(text) > URL_LIMIT or not text.isprintable():
        return ""
    is_link = text.startswith(("http://", "https://")) and " " not in text
    return text if is_link else ""
