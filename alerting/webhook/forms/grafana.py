"""Grafana's webhook: Alertmanager's, with figures and more links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from alerting.webhook.forms import alertmanager
from alerting.webhook.posted import KEY_LIMIT, METRICS_LIMIT, Posted, Value, link

__all__ = ["FORM", "is_form", "read"]

FORM: Final = "grafana"
_LINKS: Final = ("panelURL", "dashboardURL", "generatorURL")


def is_form(document: Mapping[str, Any]) -> bool:
    """Tell whether Grafana has posted this: Alertmanager knows no organisations."""
    return "orgId" in document or str(document.get("version")) == "1"


def read(entries: Sequence[Any], *, now: float) -> tuple[Posted, ...]:
    """Return the alerts of a group; raises `FieldsError` for what is none."""
    return tuple(
        replace(
            alertmanager.alert(entry, now=now),
            metrics=_figures(entry.get("values")),
            url=next(filter(None, (link(entry.get(key)) for key in _LINKS)), ""),
        )
        for entry in alertmanager.entries_of(entries)
    )


def _figures(values: object) -> dict[str, Value]:
    if not isinstance(values, Mapping):
        return {}
    found = {
        key[:KEY_LIMIT]: value
        for key, value in values.items()
        if value is None or isinstance(value, int | float)
    }
    return dict(islice(found.items(), METRICS_LIMIT))
