"""Alertmanager's webhook, version 4. Whatever is too long is cut: it would not be sent again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

from alerting.rules.severity import Severity
from alerting.webhook.errors import FieldsError
from alerting.webhook.posted import (
    KEY_LIMIT,
    LABELS_LIMIT,
    NAME_LIMIT,
    TEXT_LIMIT,
    VALUE_LIMIT,
    Posted,
    identity,
    link,
    moment,
)

__all__ = ["FORM", "alert", "entries_of", "is_form", "read", "texts"]

FORM: Final = "alertmanager"
UNNAMED: Final = "unnamed alert"
# They are what an alert is called and how bad it is, not labels beside them.
_OWN: Final = frozenset({"alertname", "severity"})
# What others call the severities.
_SEVERITIES: Final = {
    **{each.value: each for each in Severity},
    "page": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "high": Severity.ERROR,
    "major": Severity.ERROR,
    "none": Severity.INFO,
    "low": Severity.INFO,
    "informational": Severity.INFO,
}


def is_form(document: Mapping[str, Any]) -> bool:
    """Tell whether Alertmanager has posted this, or somebody who writes as it does."""
    return str(document.get("version", "4")) == "4"


def read(entries: Sequence[Any], *, now: float) -> tuple[Posted, ...]:
    """Return the alerts of a group; raises `FieldsError` for what is none."""
    return tuple(alert(entry, now=now) for entry in entries_of(entries))


def entries_of(entries: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of a group; raises `FieldsError` for what is no object."""
    for at, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise FieldsError((f"alerts.{at}: it is no object",))
        yield entry


def alert(entry: Mapping[str, Any], *, now: float) -> Posted:
    """Return one alert of a group."""
    labels, annotations = texts(entry.get("labels")), texts(entry.get("annotations"))
    name = labels.get("alertname") or UNNAMED
    ends_at = _moment(entry.get("endsAt"))
    is_over = entry.get("status") == "resolved" or (ends_at or now) < now
    kept = {key: value for key, value in labels.items() if key not in _OWN}
    print_ = entry.get("fingerprint")
    return Posted(
        fingerprint=identity(str(print_) if print_ else sorted(labels.items())),
        name=name[:NAME_LIMIT],
        severity=_severity(labels.get("severity", "")),
        message=_message(annotations)[:TEXT_LIMIT],
        is_firing=not is_over,
        labels=dict(islice(sorted(kept.items()), LABELS_LIMIT)),
        url=link(entry.get("generatorURL")),
        starts_at=_moment(entry.get("startsAt")),
        ends_at=ends_at,
        own_id=_id(annotations.get("alert_id", "")),
    )


def texts(value: object) -> dict[str, str]:
    """Return the texts among labels or annotations, as much of them as is taken."""
    if not isinstance(value, Mapping):
        return {}
    return {
        key[:KEY_LIMIT]: text[:VALUE_LIMIT]
        for key, text in value.items()
        if key and isinstance(text, str)
    }


def _severity(text: str) -> Severity:
    return _SEVERITIES.get(text.strip().lower(), Severity.WARNING)


def _message(annotations: Mapping[str, str]) -> str:
    said = (annotations.get(key, "") for key in ("summary", "description", "message"))
    return ": ".join(dict.fromkeys(text for text in said if text))


def _moment(value: object) -> float | None:
    try:
        return moment(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
