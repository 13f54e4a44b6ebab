"""The end of a timed run: let the alerts resolve, stop, compare, and say it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo_runner import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo_runner.frame import Moment
    from demo_runner.ledger import Ledger
    from demo_runner.mails import Mail
    from demo_runner.readings import View
    from demo_runner.verdict import Comparison

# On a slow machine the last alert may need calm traffic beyond the end of the run.
RESOLVES_WITHIN = 60.0
FLUSHES_WITHIN = 60.0
# Twice the demo's FLUSH_INTERVAL: then the previous reading itself is counted too.
FIRST_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Ending:
    """Tells when a timed run is over."""

    duration: float | None
    expected: Sequence[str]

    def is_reached(self, moment: Moment) -> bool:
        """Whether the time is up and, if it comes to that, every alert is over."""
        if self.duration is None or moment.elapsed < self.duration:
            return False
        is_late = moment.elapsed > self.duration + RESOLVES_WITHIN
        return is_late or not self.findings(moment)

    def findings(self, moment: Moment) -> list[str]:
        """Say what is missing of the alerts and their mails."""
        return [
            *verdict.alert_findings(self.expected, moment.reading.alerts),
            *verdict.mail_findings(self.expected, moment.mails),
        ]


def settled_counts(ledger: Ledger, view: View) -> list[Comparison]:
    """Compare until everything is flushed, or for as long as that may take."""
    deadline, pause = time.monotonic() + FLUSHES_WITHIN, FIRST_PAUSE
    while True:
        # Without the reading itself: it is counted only after it was answered.
        received = ledger.tallies()
        rows = verdict.compare(received, view.summary())
        if all(row.is_equal for row in rows) or time.monotonic() > deadline:
            return rows
        time.sleep(pause)
        # Where the machine is so busy that flushes are late, that was not long enough.
        pause *= 1.5


def pronounce(
    rows: Sequence[Comparison], findings: Sequence[str], *, mails: Sequence[Mail]
) -> bool:
    """Print what was mailed, the table and the verdict; return whether all is well."""
    lines = [f"{len(mails)} mails", *(f"  {mail.subject}" for mail in mails), ""]
    lines += [*verdict.table(rows), ""]
    if findings:
        lines += ["FAILED", *(f"  {finding}" for finding in findings)]
        lines.append("With --keep, what the server logged stays in demo/.state.")
    else:
        lines.append(
            "PASSED: the view has counted every response, and the alerts fired, "
            "resolved, and were mailed."
        )
    sys.stdout.write("".join(f"{each}\n" for each in lines))
    return not findings
