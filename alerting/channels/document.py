"""The JSON that the webhook posts. Its form is documented in docs/channels.md.

A key is never renamed or removed within one version; new ones may come.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from alerting.alert import Kind
from alerting.notifications.message import subject
from alerting.notifications.silencing import PATH, silence_request
from alerting.text import cleaned
from alerting.times import utc

if TYPE_CHECKING:
    from alerting.notice import Notice
    from alerting.notifications.message import Message

__all__ = ["LIMIT", "VERSION", "encoded"]

VERSION: Final = "1"
LIMIT: Final = 262_144  # bytes of one document
# Of one alert; beyond that it goes without its evidence.
ALERT_LIMIT: Final = 32_768
# As much as anything else in the document takes.
_REST: Final = 1_024


def encoded(message: Message) -> bytes:
    """Return the document, the same bytes at every attempt, at most `LIMIT` of them.

    What does not fit is counted in `truncated`; the worst alerts come first.
    """
    alerts, room = [], LIMIT - _REST
    for notice in message.worst_first:
        text = _alert_text(notice)
        room -= len(text) + 2
        if room < 0:
            break
        alerts.append(text)
    head = {
        "version": VERSION,
        "id": message.key,
        "status": "resolved" if message.is_resolution else "firing",
        "subject": subject(message),
        "project": message.project,
        "is_digest": message.is_digest,
        "total": len(message.notices),
        "truncated": len(message.notices) - len(alerts),
    }
    return _text(head)[:-1] + b', "alerts": [' + b", ".join(alerts) + b"]}"


def _alert_text(notice: Notice) -> bytes:
    document = _alert(notice)
    text = _text(document)
    if len(text) > ALERT_LIMIT:
        text = _text({**document, "evidence": {}})
    return text


def _alert(notice: Notice) -> dict[str, Any]:
    is_over = notice.kind is Kind.RESOLVED
    return {
        "id": notice.alert_id,
        "fingerprint": notice.fingerprint,
        "sequence": notice.sequence,
        "status": "resolved" if is_over else "firing",
        "kind": notice.kind.value,
        "name": notice.name,
        "severity": notice.severity.value,
        "previous_severity": notice.previous_severity
        and notice.previous_severity.value,
        "message": notice.message,
        "labels": notice.all_labels,
        "annotations": dict(notice.annotations),
        "runbook_url": notice.runbook_url,
        "metric": notice.metric,
        "aggregation": notice.aggregation,
        "operator": notice.operator,
        "threshold": _finite(notice.threshold),
        "value": _finite(notice.value),
        "window_seconds": notice.window,
        "lasting_seconds": round(max(0.0, notice.at - notice.started_at), 3),
        "started_at": utc(notice.started_at).isoformat(),
        "fired_at": utc(notice.fired_at).isoformat(),
        "at": utc(notice.at).isoformat(),
        "ended_at": utc(notice.at).isoformat() if is_over else None,
        "reason": notice.reason,
        "evidence": notice.evidence,
        "silence": _silence(notice),
    }


def _silence(notice: Notice) -> dict[str, Any] | None:
    body = silence_request(notice)
    return None if body is None else {"method": "POST", "path": PATH, "body": body}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _text(document: dict[str, Any]) -> bytes:
    return json.dumps(cleaned(document), ensure_ascii=False).encode()
