"""The alerts that are open, with all the labels by which people mean them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from alerting.notifications.muting import Firing

if TYPE_CHECKING:
    from alerting.alert import AlertState
    from alerting.notice import Notice
    from alerting.rules import Judged, Severity

__all__ = ["labels_of", "open_alerts"]


def open_alerts(
    states: Iterable[AlertState], rules: Mapping[str, Judged]
) -> Iterator[Firing]:
    """Yield each open alert with the labels it has and those its rule adds.

    `alertname` and `severity` are among them, as in Prometheus.
    """
    for state in states:
        if state.is_open and state.severity is not None:
            rule = rules.get(state.rule)
            labels = {**(rule.labels if rule else {}), **dict(state.labels)}
            named = _named(labels, state.rule, state.severity)
            yield Firing(state.alert_id, named, state.fired_at or 0.0)


def labels_of(notice: Notice) -> dict[str, str]:
    """Return the labels by which people mean the alert of a notice."""
    return _named(notice.all_labels, notice.name, notice.severity)


def _named(labels: dict[str, str], name: str, severity: Severity) -> dict[str, str]:
    return {**labels, "alertname": name, "severity": severity.value}
