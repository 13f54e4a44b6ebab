"""Export how many alerts are open, as long as this process is the one that evaluates."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from opentelemetry import metrics
from opentelemetry.metrics import Observation

from prs_otel.rollup.series import OTHER
from prs_otel.semconv import PRS_ALERT_ACTIVE, PRS_ALERT_NAME, PRS_ALERT_SEVERITY

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions

SCOPE: Final = "prs_otel"
KINDS: Final = 1_000
"""Of rules and severities; other systems' alerts may have any name."""

Kind: TypeAlias = tuple[str, str]
"""A rule's name and a severity."""
Count: TypeAlias = Callable[[], Mapping[Kind, int]]


class ActiveAlerts:
    """The gauge `prs.alert.active`. The meter provider reads it from a thread of its own."""

    def __init__(self) -> None:
        self._is_registered = False
        self.forget()

    def forget(self) -> None:
        """Export nothing, as a forked child must: its parent evaluates."""
        self._lock = threading.Lock()
        self._count: Count | None = None
        self._known: set[Kind] = set()

    def follow(self, count: Count | None) -> None:
        """Export what `count` returns from now on; None where somebody else evaluates."""
        with self._lock:
            self._count, self._known = count, set()
            if count is not None and not self._is_registered:
                self._is_registered = True
                metrics.get_meter(SCOPE).create_observable_gauge(
                    PRS_ALERT_ACTIVE,
                    [self._observe],
                    unit="{alert}",
                    description="Alerts that fire",
                )

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        with self._lock:
            if self._count is None:
                return []
            counts = _bounded(self._count(), self._known)
            # What was there once is 0 from its end on, and not merely gone.
            self._known |= counts.keys()
            return [
                Observation(
                    counts.get(kind, 0),
                    {PRS_ALERT_NAME: kind[0], PRS_ALERT_SEVERITY: kind[1]},
                )
                for kind in sorted(self._known)
            ]


def _bounded(counts: Mapping[Kind, int], known: Collection[Kind]) -> Mapping[Kind, int]:
    """Return the counts with those under another name that would be one kind too many."""
    room = KINDS - len(known)
    found: Counter[Kind] = Counter()
    for kind, count in counts.items():
        if kind not in known and kind not in found:
            room -= 1
        found[kind if kind in known or room >= 0 else (OTHER, kind[1])] += count
    return found


active_alerts: Final = ActiveAlerts()
os.register_at_fork(after_in_child=active_alerts.forget)


def follow_active_alerts(count: Count | None) -> None:
    """Export what `count` returns (how many alerts fire, by rule and severity); None ends it."""
    active_alerts.follow(count)
