"""One round of the leader's work, or what it would be, as a report.

Alerting is another package; what evaluates is found in the registry.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from django.core.management.base import CommandError

from prs_otel import maintenance, pipeline
from prs_otel.management.report import Level, Line, Report, section
from prs_otel.management.source import opened_view
from prs_otel.management.subcommands.alerts import NOT_INSTALLED
from prs_otel.management.tables import Column, shortened, table
from prs_otel.management.units import UNKNOWN
from prs_otel.monitoring import documents
from prs_otel.monitoring.registry import ALERTING, RoundRequest, requested_round

if TYPE_CHECKING:
    from prs_otel.store.base import Store

Clock: TypeAlias = Callable[[], float]

LONGEST: Final = 90.0
"""Seconds for which a round keeps others from leading, should it not end by itself.

A lease of more than ten times the usual length would be taken for one from before a clock was
set back.
"""

_ALERTS: Final = (
    Column("alert", is_flexible=True),
    Column("what"),
    Column("severity"),
    Column("value", is_number=True),
    Column("limit", is_number=True),
    Column("labels", is_flexible=True),
)
_TOLD: Final = (
    Column("alert", is_flexible=True),
    Column("what"),
    Column("channel"),
    Column("outcome"),
    Column("reason", is_flexible=True),
)
_GIVEN_UP: Final = "dead"


def once(*, clock: Clock = time.time) -> Report:
    """Do all that a leader does, where nobody leads; raises `StoreError`."""
    view = opened_view()
    with maintenance.leading(view.store, now=clock(), ttl=LONGEST) as lease:
        if lease is None:
            return _refused(view.store)
        pipeline.current().worker.sample_host()
        now = clock()
        done = requested_round(ALERTING, RoundRequest(now, lease))
        compacted = documents.compact(view, now=now)
        cleaned = documents.trim(view, now=now)
    document = {
        "alerting": done,
        "compaction": compacted.model_dump(mode="json"),
        "cleanup": cleaned.model_dump(mode="json"),
    }
    merged = f"{compacted.merged_buckets:,} into {compacted.resulting_buckets:,}"
    dropped = cleaned.expired_buckets + cleaned.evicted_buckets
    lines = [
        Line(),
        Line(f"Buckets compacted: {merged}"),
        Line(f"Buckets dropped, too old or too many: {dropped:,}"),
    ]
    return Report(document, lambda width: [*_lines(done, width), *lines], _level(done))


def dry_run(*, clock: Clock = time.time) -> Report:
    """Say what a round would do; writes and sends nothing. Raises `StoreError`."""
    opened_view()
    done = requested_round(ALERTING, RoundRequest(clock(), None))
    if done is None:
        raise CommandError(NOT_INSTALLED, returncode=Level.CRITICAL)
    return Report({"alerting": done}, lambda width: _lines(done, width), _level(done))


def _refused(store: Store) -> Report:
    leader = maintenance.holder(store)
    who = (
        "Another process"
        if leader is None
        else f"Process {leader.pid} on {leader.host}"
    )
    text = f"{who} leads: it evaluates, tells and compacts. Nothing was done here."
    document = {
        "alerting": None,
        "compaction": None,
        "cleanup": None,
        "problems": [text],
    }
    return Report(document, lambda _: [Line(text, Level.WARNING)], Level.WARNING)


def _level(done: Mapping[str, Any] | None) -> Level:
    if done is None:
        return Level.OK
    outcomes = {each["outcome"] for each in done["notifications"]}
    is_well = not done["problems"] and _GIVEN_UP not in outcomes
    return Level.OK if is_well else Level.WARNING


def _lines(done: Mapping[str, Any] | None, width: int) -> list[Line]:
    if done is None:
        return [Line(NOT_INSTALLED)]
    is_dry = done["is_dry"]
    alerts = "Alerts that would change" if is_dry else "Alerts that changed"
    told = "Notifications that would be due" if is_dry else "Notifications"
    problems = [shortened(f"- {each}", width) for each in done["problems"]]
    return [
        Line(f"Rules evaluated: {done['rules']:,}"),
        *_section(alerts, _ALERTS, list(map(_alert, done["alerts"])), width),
        *_section(told, _TOLD, list(map(_telling, done["notifications"])), width),
        *(section("Problems", problems) if problems else []),
    ]


def _section(
    title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> list[Line]:
    return section(title, table(columns, rows, width=width) if rows else ["none"])


def _alert(step: Mapping[str, Any]) -> list[str]:
    labels = ", ".join(f"{name}={value}" for name, value in step["labels"].items())
    return [
        step["alert"],
        step["kind"],
        step["severity"],
        _number(step["value"]),
        _number(step["threshold"]),
        labels,
    ]


def _telling(told: Mapping[str, Any]) -> list[str]:
    return [
        told["alert"],
        told["kind"],
        told["channel"],
        told["outcome"],
        told["reason"],
    ]


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.4g}"


ROUNDS: Final[Mapping[bool, Callable[..., Report]]] = {True: dry_run, False: once}
"""By whether it is a dry one."""
