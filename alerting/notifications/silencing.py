"""How to silence an alert: the request to the API that does it, ready to be sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from alerting.alert import Kind

if TYPE_CHECKING:
    from alerting.notice import Notice

__all__ = ["PATH", "silence_request"]

PATH: Final = "/api/alerting/silences/"
LASTS: Final = 7_200.0  # seconds from the notice on
LABELS_LIMIT: Final = 5
LENGTH_LIMIT: Final = 100  # characters of a label's value

_NAME: Final = re.compile(r"[A-Za-z_][\w.]{0,199}")


def silence_request(notice: Notice) -> dict[str, Any] | None:
    """Return the body of a POST to `PATH` that silences this alert; None when it is over.

    Labels that no matcher can have, or that are very long, are left aside.
    """
    if notice.kind is Kind.RESOLVED:
        return None
    fit = {
        name: value
        for name, value in notice.labels
        if _NAME.fullmatch(name) and 0 < len(value) <= LENGTH_LIMIT
        if value.isprintable()
    }
    labels = dict(list(fit.items())[:LABELS_LIMIT])
    ends_at = datetime.fromtimestamp(notice.at + LASTS, UTC)
    return {
        "matchers": {"alertname": notice.name, **labels},
        "ends_at": ends_at.isoformat(timespec="seconds"),
        "comment": "why",
    }
