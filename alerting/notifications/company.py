"""What else fires, and where its traces can be looked at: put into what is told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from alerting.notifications.telling import ALARMS
from alerting.rules import Severity

if TYPE_CHECKING:
    from alerting.notice import Notice
    from alerting.notifications.muting import Firing

__all__ = ["TRACE_ID", "in_company"]

TRACE_ID: Final = "{trace_id}"
"""What stands for a trace in a template of addresses."""
SHOWN_LIMIT: Final = 5
TRACES_LIMIT: Final = 3


@dataclass(slots=True)
class _Group:
    """How many alerts of one rule fire, and how bad the worst of them is."""

    name: str
    severity: Severity
    count: int = 1


def in_company(
    notices: Sequence[Notice], alerts: Iterable[Firing], *, trace_url: str | None
) -> tuple[Notice, ...]:
    """Return the notices, those that alarm with what else fires and links to their traces.

    `alerts` are all that are open, those of the notices among them.
    """
    if not any(notice.kind in ALARMS for notice in notices):
        return tuple(notices)
    groups = _worst_first(alerts)
    alone = {group.name for group in groups if group.count == 1}
    return tuple(
        replace(
            notice,
            evidence=_completed(
                notice, groups, trace_url, is_alone=notice.name in alone
            ),
        )
        if notice.kind in ALARMS
        else notice
        for notice in notices
    )


def _worst_first(alerts: Iterable[Firing]) -> list[_Group]:
    groups: dict[str, _Group] = {}
    for alert in alerts:
        name = alert.labels["alertname"]
        severity = Severity(alert.labels["severity"])
        group = groups.get(name)
        if group is None:
            groups[name] = _Group(name, severity)
            continue
        group.count += 1
        if severity.rank > group.severity.rank:
            group.severity = severity
    return sorted(groups.values(), key=lambda each: (-each.severity.rank, each.name))


def _completed(
    notice: Notice, groups: Sequence[_Group], trace_url: str | None, *, is_alone: bool
) -> dict[str, Any]:
    """Return the evidence of a notice; it `is_alone` where no other of its rule fires."""
    evidence = dict(notice.evidence)
    if trace_url and evidence.get("traces"):
        traces = evidence["traces"][:TRACES_LIMIT]
        evidence["trace_urls"] = [trace_url.replace(TRACE_ID, str(t)) for t in traces]
    # The alert itself is one of those of its rule.
    more = len(groups) - is_alone - SHOWN_LIMIT
    if others := list(_others(notice, groups)):
        evidence["also_firing"] = others
    if more > 0:
        evidence["also_firing_more"] = more
    return evidence


def _others(notice: Notice, groups: Iterable[_Group]) -> Iterator[dict[str, Any]]:
    shown = 0
    for each in groups:
        count = each.count - (each.name == notice.name)
        if count and shown < SHOWN_LIMIT:
            shown += 1
            yield {"name": each.name, "severity": each.severity.value, "count": count}
        elif shown == SHOWN_LIMIT:
            return
