"""What leading costs: compaction, the rolling total, the six built-in rules.

Ten made-up minutes of 8 workers and 200 series on a store with a whole day in it. While the leader
works, a second thread asks for the interpreter all the time, as a server's request threads would:
what the leader computes before it hands it over is the slice. Both figures are read from the
leader's CPU clock, which a busy machine does not stretch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from alerting.evaluator import Setting, evaluate
from alerting.rules.builtin import built_in_rules
from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from prs_otel.rollup.source import ViewSource
from prs_otel.schedule import Every
from prs_otel.store import Store, open_store

if TYPE_CHECKING:
    from alerting.alert import AlertState
    from alerting.evaluator import Key
    from benchmarks.options import Options

GROUP: Final = "leading, 200 series, 8 workers"
LOAD: Final = day.Load(series=200)
MINUTES: Final = 10
STEPS_A_MINUTE: Final = 12
MINUTE: Final = STEPS_A_MINUTE * day.STEP
EVALUATION_INTERVAL: Final = 15.0
PROBE_SECONDS: Final = 0.0002
PERCENT: Final = 100.0
MILLISECONDS: Final = 1e3


class Prober(threading.Thread):
    """Note how much another thread computes each time before this one gets the interpreter."""

    def __init__(self, watched: int) -> None:
        super().__init__(daemon=True)
        self._clock = time.pthread_getcpuclockid(watched)
        self._is_wanted = True
        self.longest = 0.0

    def run(self) -> None:
        """Ask until stopped."""
        while self._is_wanted:
            before = time.clock_gettime(self._clock)
            time.sleep(PROBE_SECONDS)
            held = time.clock_gettime(self._clock) - before - PROBE_SECONDS
            self.longest = max(self.longest, held)

    def stop(self) -> float:
        """Return the longest slice, in seconds."""
        self._is_wanted = False
        self.join()
        return self.longest


class Leader:
    """Do what the leader does at a made-up time: its own work, and the rules when due."""

    def __init__(self, store: Store, *, now: float, keeps_lifetime: bool) -> None:
        view = day.view_of(store)
        self._leadership = day.leadership(view, now=now, keeps_lifetime=keeps_lifetime)
        self._source = ViewSource(view, identity={})
        self._rules = built_in_rules({})
        self._states: Mapping[Key, AlertState] = {}
        self._evaluating = Every(EVALUATION_INTERVAL)

    def step(self, now: float) -> None:
        """Do what is due; raises RuntimeError when somebody else has the lease."""
        if not self._leadership.contend(now):
            raise RuntimeError("somebody else leads the benchmark's own store")
        self._leadership.work(now)
        if self._evaluating.is_due(now):
            setting = Setting(max_gap=4 * EVALUATION_INTERVAL)
            evaluation = evaluate(
                self._rules, self._source, self._states, now=now, setting=setting
            )
            self._states = evaluation.states


def measure(options: Options) -> list[Measurement]:
    """Lead for ten minutes of made-up time, then with a scrape endpoint once more."""
    return [
        *_led(options, "", keeps_lifetime=False),
        *_led(options, ", scraped", keeps_lifetime=True),
    ]


def _led(options: Options, how: str, *, keeps_lifetime: bool) -> Iterator[Measurement]:
    now = time.time()
    file = options.directory / f"leading-{keeps_lifetime}.sqlite3"
    store = open_store(f"sqlite:///{file}")
    writer = day.Day(store, LOAD, now=now)
    writer.fill(now=now)
    leader = Leader(store, now=now, keeps_lifetime=keeps_lifetime)
    leader.step(now)
    shares, slices = [], []
    for minute in range(MINUTES):
        share, longest = _minute(leader, writer, now + MINUTE * minute)
        shares.append(share * PERCENT)
        slices.append(longest * MILLISECONDS)
    name = f"CPU, mean of ten minutes{how}"
    yield Subject(GROUP, name, "% of a core", 2.0).mean_of(shares)
    name = f"longest slice of a minute{how}"
    yield Subject(GROUP, name, "ms", 5.0).median_of(slices)


def _minute(leader: Leader, writer: day.Day, start: float) -> tuple[float, float]:
    """Return the share of a core and the longest slice of one minute, in seconds."""
    used, longest = 0.0, 0.0
    for step in range(1, STEPS_A_MINUTE + 1):
        now = start + day.STEP * step
        writer.flush(now=now)
        prober = Prober(threading.get_ident())
        prober.start()
        before = time.thread_time()
        leader.step(now)
        used += time.thread_time() - before
        longest = max(longest, prober.stop())
    return used / MINUTE, longest
