"""Was everything seen and told? Pure comparisons; each finding says what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo_runner.ledger import Series, Tally

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from demo_runner.mails import Mail
    from demo_runner.readings import Alert, Summary

NOTHING = Tally(0, 0)
TOTAL = Series("all requests", "")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was received of a series, and what the view has counted of it."""

    series: Series
    received: Tally
    seen: Tally

    @property
    def is_equal(self) -> bool:
        """Whether the view is right."""
        return self.received == self.seen


def compare(received: Mapping[Series, Tally], summary: Summary) -> list[Comparison]:
    """Hold the view's counts against the responses: per series, and in total."""
    seen = summary.endpoints
    rows = [
        Comparison(series, received.get(series, NOTHING), seen.get(series, NOTHING))
        for series in sorted(received.keys() | seen.keys())
    ]
    everything = Tally(
        sum(tally.count for tally in received.values()),
        sum(tally.error_count for tally in received.values()),
    )
    return [*rows, Comparison(TOTAL, everything, summary.requests)]


def count_findings(rows: Sequence[Comparison]) -> list[str]:
    """Say which counts differ."""
    return [
        f"{' '.join(filter(None, (row.series.method, row.series.endpoint)))}: "
        f"{row.received.count} responses ({row.received.error_count} errors) received, "
        f"{row.seen.count} ({row.seen.error_count} errors) in the view"
        for row in rows
        if not row.is_equal
    ]


def alert_findings(expected: Collection[str], alerts: Sequence[Alert]) -> list[str]:
    """Say which of the expected alerts have not fired, or are not over."""
    findings = []
    for name in expected:
        fired = [alert for alert in alerts if alert.name == name and alert.fired_at]
        if not fired:
            findings.append(f"{name}: never fired")
        elif any(not alert.resolved_at for alert in fired):
            findings.append(f"{name}: fired, but is not resolved")
    return findings


def mail_findings(expected: Collection[str], mails: Sequence[Mail]) -> list[str]:
    """Say of which expected alerts nobody was told the beginning or the end."""
    findings = []
    for name in expected:
        about = [mail for mail in mails if name in mail.subject]
        if all(mail.is_resolution for mail in about):
            findings.append(f"{name}: no mail says that it fires")
        if not any(mail.is_resolution for mail in about):
            findings.append(f"{name}: no mail says that it is resolved")
    return findings


def missing_findings(missing: Mapping[str, int]) -> list[str]:
    """Say how many requests of the demo were never answered."""
    return [f"{count} requests unanswered: {why}" for why, count in missing.items()]


def table(rows: Sequence[Comparison]) -> list[str]:
    """Lay the comparison out for people."""
    width = max(len(name) for name in ["endpoint", *(r.series.endpoint for r in rows)])
    header = f"{'endpoint':<{width}}  method  received    seen  errors    seen"
    lines = [header, "-" * len(header)]
    for row in rows:
        figures = (row.received.count, row.seen.count, row.received.error_count)
        received, seen, errors = figures
        mark = "" if row.is_equal else "  differs"
        lines.append(
            f"{row.series.endpoint:<{width}}  {row.series.method:<6}"
            f"{received:>10}{seen:>8}{errors:>8}{row.seen.error_count:>8}{mark}"
        )
    return lines
