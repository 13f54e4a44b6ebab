"""Read what was recorded: the documents of the API, the commands and Python."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Case, Count, IntegerField, Q, When

from alerting.models import Alert
from alerting.rules import Severity
from alerting.schemas import AlertItem, CurrentAlerts, History, Summary
from alerting.status import Status
from alerting.times import from_datetime, to_datetime, utc

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.db.models import QuerySet

    from alerting.alert import State

__all__ = ["Selection", "current", "history", "item", "status", "summary"]

SECONDS_AN_HOUR: Final = 3600.0
# Evaluations that may fail to come before the evaluator counts as gone, and the least.
MISSED_LIMIT: Final = 3
SILENCE_LIMIT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Which alerts to show."""

    hours: float = 24.0
    severity: Severity | None = None
    limit: int = 100
    offset: int = 0
    state: State | None = None
    name: str | None = None


def history(selection: Selection, *, now: float) -> History:
    """Return the alerts that were open at some time in the last hours."""
    alerts = _open_since(now - selection.hours * SECONDS_AN_HOUR)
    wanted = {
        "severity": selection.severity,
        "state": selection.state,
        "name": selection.name,
    }
    alerts = alerts.filter(**{k: v for k, v in wanted.items() if v is not None})
    page = alerts[selection.offset : selection.offset + selection.limit]
    return History(items=[item(alert) for alert in page], count=alerts.count())


def current(*, limit: int, offset: int) -> CurrentAlerts:
    """Return the alerts that are open, the worst first, of those the newest."""
    alerts = Alert.objects.filter(resolved_at__isnull=True)
    ranks = [When(severity=each, then=each.rank) for each in Severity]
    worst = Case(*ranks, default=0, output_field=IntegerField())
    page = alerts.order_by(worst.desc(), "-fired_at", "id")[offset : offset + limit]
    return CurrentAlerts(items=[item(alert) for alert in page], count=alerts.count())


def summary(*, hours: float, now: float) -> Summary:
    """Return how many alerts were open in the last hours."""
    since = now - hours * SECONDS_AN_HOUR
    alerts = _open_since(since)
    return Summary(
        hours=hours,
        start=utc(since),
        end=utc(now),
        count=alerts.count(),
        by_severity=_counts(alerts, "severity"),
        by_state=_counts(alerts, "state"),
        by_rule=_counts(alerts, "name"),
    )


def status(
    document: bytes | None, *, known_rules: Collection[str], now: float
) -> Status:
    """Return the evaluator's published status as it is to be read now."""
    if document is None:
        return Status(unevaluated_rules=sorted(known_rules))
    published = Status.model_validate_json(document)
    evaluated = {rule.name for rule in published.rules}
    unevaluated = sorted(set(known_rules) - evaluated)
    evaluator = published.evaluator
    if evaluator is not None:
        longest = max(MISSED_LIMIT * evaluator.interval, SILENCE_LIMIT)
        silence = timedelta(seconds=longest)
        is_alive = utc(now) - evaluator.last_evaluation_at < silence
        evaluator = evaluator.model_copy(update={"is_alive": is_alive})
    return published.model_copy(
        update={"evaluator": evaluator, "unevaluated_rules": unevaluated}
    )


def _open_since(at: float) -> QuerySet[Alert]:
    since = to_datetime(at)
    return Alert.objects.filter(Q(resolved_at__isnull=True) | Q(resolved_at__gte=since))


def _counts(alerts: QuerySet[Alert], field: str) -> dict[str, int]:
    rows = alerts.order_by(field).values_list(field).annotate(Count("id"))
    return dict(rows)


def item(alert: Alert) -> AlertItem:
    """Return an alert as it is shown."""
    return AlertItem(
        id=alert.id,
        name=alert.name,
        severity=Severity(alert.severity),
        state=alert.state,
        labels=alert.labels,
        value=alert.value,
        threshold=alert.threshold,
        message=alert.message,
        evidence=alert.evidence,
        started_at=_shown(alert.started_at),
        fired_at=_shown(alert.fired_at),
        resolved_at=_shown(alert.resolved_at) if alert.resolved_at else None,
        acknowledged_at=_shown(alert.acknowledged_at)
        if alert.acknowledged_at
        else None,
        acknowledged_by=alert.acknowledged_by or None,
        acknowledgement=alert.acknowledgement or None,
    )


def _shown(moment: datetime) -> datetime:
    return utc(from_datetime(moment))
