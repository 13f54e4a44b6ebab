"""The forms in which alerts are posted, recognised by their shape."""

from __future__ import annotations

from collections.abc import Mapping

from alerting.webhook.errors import PayloadError, TooLargeError
from alerting.webhook.forms import alertmanager, grafana, simple
from alerting.webhook.posted import ALERTS_LIMIT, Batch

__all__ = ["read"]


def read(document: object, *, now: float) -> Batch:
    """Return the alerts of a document.

    Raises `PayloadError` for a form that nobody knows, `FieldsError` for wrong fields,
    `TooLargeError` for too many alerts.
    """
    if not isinstance(document, Mapping):
        raise PayloadError("The body is no JSON object.")
    entries = document.get("alerts")
    if entries is None:
        return Batch(simple.FORM, (simple.read(document, now=now),))
    if not isinstance(entries, list):
        raise PayloadError("alerts is no list.")
    if len(entries) > ALERTS_LIMIT:
        raise TooLargeError(f"There are more than {ALERTS_LIMIT} alerts at once.")
    if grafana.is_form(document):
        return Batch(grafana.FORM, grafana.read(entries, now=now))
    if alertmanager.is_form(document):
        return Batch(alertmanager.FORM, alertmanager.read(entries, now=now))
    raise PayloadError("version is neither Alertmanager's 4 nor Grafana's 1.")
