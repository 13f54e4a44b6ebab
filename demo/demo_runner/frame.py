"""What the terminal shows: text made of readings, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo_runner.phases import CYCLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo_runner.mails import Mail
    from demo_runner.phases import Phase
    from demo_runner.rates import Rates
    from demo_runner.readings import Alert, Reading, SlowQuery

# As far as the evidence: the top query or endpoint, and its line of code.
MAIL_LINES = 7
EARLIER_MAILS = 3
ALERTS = 5
STATEMENTS = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """The state of the demo that one picture shows."""

    phase: Phase
    elapsed: float
    duration: float | None
    reading: Reading
    rates: Rates
    mails: Sequence[Mail]


def clock(seconds: float) -> str:
    """Write seconds as minutes and seconds."""
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def line(moment: Moment) -> str:
    """Say in one line what the view sees."""
    day, recent, rates = moment.reading.day, moment.reading.recent, moment.rates
    firing = [f"{a.name} ({a.severity})" for a in moment.reading.alerts if a.is_firing]
    return (
        f"{clock(moment.elapsed)} {moment.phase.name:<12} {rates.requests:5.1f} req/s  "
        f"errors {rates.errors:6.1%}  p50 {_ms(recent.p50)}  p95 {_ms(recent.p95)}  "
        f"slow queries {day.slow_query_count}  N+1 {day.n_plus_one_count}  "
        f"workers {day.workers}  firing: {', '.join(firing) or 'nothing'}"
    )


def frame(moment: Moment) -> list[str]:
    """Draw the whole picture, the most telling parts first."""
    return [
        timeline(moment),
        "",
        *_figures(moment),
        "",
        "Slowest queries",
        *_rows([slow_query(each) for each in moment.reading.slow_queries[:STATEMENTS]]),
        "",
        "Alerts",
        *_rows([alert_row(each) for each in _firing_first(moment)[:ALERTS]]),
        "",
        f"Mails ({len(moment.mails)})",
        *_rows(_post(moment.mails)),
    ]


def timeline(moment: Moment) -> str:
    """Show where in the cycle of phases the demo is."""
    names = [
        f"[{phase.name.upper()}]" if phase is moment.phase else f" {phase.name} "
        for phase in CYCLE
    ]
    end = f" of {clock(moment.duration)}" if moment.duration else ""
    return f"Now       {' > '.join(names)}   {clock(moment.elapsed)}{end}"


def _figures(moment: Moment) -> list[str]:
    day, recent, rates = moment.reading.day, moment.reading.recent, moment.rates
    requests = (
        f"Requests  {rates.requests:6.1f}/s   errors {rates.errors:6.1%}   "
        f"p50 {_ms(recent.p50)}   p95 {_ms(recent.p95)}   "
        f"{day.requests.count} in all, {day.requests.error_count} failed"
    )
    queries = (
        f"Queries   {rates.queries:6.1f}/s   slow {day.slow_query_count}   "
        f"requests with N+1 {day.n_plus_one_count}   "
        f"cache hits {_percent(recent.hit_rate)}"
    )
    machine = (
        f"Machine   CPU {_percent(day.cpu)}   memory {_percent(day.memory)}   "
        f"{day.workers} workers"
    )
    return [requests, queries, machine]


def slow_query(query: SlowQuery) -> str:
    """Describe a slow query: how long, where from, for whom, and what."""
    parts = (_ms(query.duration), query.place, query.endpoint, query.query)
    return "  ".join(part for part in parts if part)


def alert_row(alert: Alert) -> str:
    """Describe an alert: its state, when that began, and its message."""
    state = "resolved" if alert.resolved_at else alert.state
    since = alert.resolved_at or alert.fired_at
    return (
        f"{state:<9} {alert.severity:<8} {since[11:19]}  {alert.name}: {alert.message}"
    )


def _firing_first(moment: Moment) -> list[Alert]:
    return sorted(moment.reading.alerts, key=lambda alert: not alert.is_firing)


def letter(mail: Mail) -> list[str]:
    """Show a mail's subject and its first lines."""
    return [mail.subject, *(f"  {text}" for text in mail.lines[:MAIL_LINES])]


def _post(mails: Sequence[Mail]) -> list[str]:
    """Show the latest mail, and of some before it the subjects."""
    if not mails:
        return []
    *earlier, latest = mails
    return [
        *letter(latest),
        *(mail.subject for mail in earlier[: -EARLIER_MAILS - 1 : -1]),
    ]


def _rows(texts: Sequence[str]) -> list[str]:
    return [f"  {text}" for text in texts] or ["  none yet"]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:4.0f} ms"


def _percent(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.0%}"
