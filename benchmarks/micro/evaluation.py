"""What one evaluation of alert rules costs: many rules, and a rule with very many label sets.

Each step is a flush of every worker and an evaluation after it, as a leader sees them; the first,
which reads a day that nobody has read yet, is left out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from alerting.evaluator import Setting, evaluate
from alerting.rules import load_rule
from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from prs_otel.rollup.query import Point
from prs_otel.rollup.source import ViewSource
from prs_otel.store import open_store

if TYPE_CHECKING:
    from alerting.alert import AlertState
    from alerting.evaluator import Key
    from alerting.rules import AnyRule
    from alerting.source import MetricSource
    from benchmarks.options import Options

GROUP: Final = "one evaluation"
LOAD: Final = day.Load(series=200)
RULES: Final = 500
LABEL_SETS: Final = 10_000
WINDOWS: Final = ("1m", "5m", "15m", "1h")
SETTING: Final = Setting(max_gap=60.0)
STEPS_A_ROUND: Final = 4
MILLISECONDS: Final = 1e3


class Storm:
    """A source in which ten thousand label sets are in trouble at once."""

    def __init__(self) -> None:
        self._points = [
            Point({"http.route": f"/{number}/"}, value=1.0, count=100)
            for number in range(LABEL_SETS)
        ]

    def query(self, *_: object, **__: object) -> Sequence[Point]:
        """Return all of them."""
        return self._points

    def flat(self, *, now: float) -> Mapping[str, float]:
        """Return no flat metric."""
        return {}

    def evidence(self, *_: object, **__: object) -> Mapping[str, Any]:
        """Return nothing that an alert rests on."""
        return {}


def measure(options: Options) -> list[Measurement]:
    """Evaluate after each flush."""
    now = time.time()
    store = open_store(f"sqlite:///{options.directory}/evaluation.sqlite3")
    writer = day.Day(store, LOAD, now=now)
    writer.fill(now=now)
    view = day.view_of(store)
    routes = sorted(
        {labels[0] for labels in view.window(300, now=now).figures("request")}
    )
    many, by_route = (
        _rules(routes),
        [load_rule(_rule(0, "error_rate", by=["http.route"]))],
    )
    steady, stormy = (
        _Evaluator(many, ViewSource(view, identity={})),
        _Evaluator(by_route, Storm()),
    )
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(options.rounds * STEPS_A_ROUND + 1):
        now += day.STEP
        writer.flush(now=now)
        taken[0].append(steady.step(now))
        taken[1].append(stormy.step(now))
    return [
        Subject(GROUP, f"{RULES} rules over 200 series, CPU", "ms", 250.0).median_of(
            taken[0][1:]
        ),
        Subject(
            GROUP, f"a rule over {LABEL_SETS:,} label sets, CPU", "ms", 1_000.0
        ).median_of(taken[1][1:]),
    ]


class _Evaluator:
    def __init__(self, rules: Sequence[AnyRule], source: MetricSource) -> None:
        self._rules, self._source = rules, source
        self._states: Mapping[Key, AlertState] = {}

    def step(self, now: float) -> float:
        """Evaluate once; return the CPU milliseconds it took."""
        before = time.thread_time()
        found = evaluate(
            self._rules, self._source, self._states, now=now, setting=SETTING
        )
        took = (time.thread_time() - before) * MILLISECONDS
        wrong = {health.health for health in found.health.values()} - {"ok"}
        if wrong:
            raise RuntimeError(f"rules were not evaluated: {wrong}")
        self._states = found.states
        return took


def _rules(routes: Sequence[str]) -> list[AnyRule]:
    """Return rules of every kind: of all, of one endpoint, and of each endpoint."""
    rules = []
    for number in range(RULES):
        measure = ("error_rate", "duration", "slow_rate")[number % 3]
        scope: dict[str, Any] = {}
        if number % 2:
            scope = {"where": {"http.route": routes[number % len(routes)]}}
        elif number % 5 == 0:
            scope = {"by": ["http.route"]}
        rules.append(load_rule(_rule(number, measure, **scope)))
    return rules


def _rule(number: int, measure: str, **scope: object) -> dict[str, object]:
    return {
        "name": f"rule_{number}",
        "metric": f"http.server.request.{measure}",
        "aggregation": "p95" if measure == "duration" else "ratio",
        "threshold": 0.9,
        "window": WINDOWS[number % len(WINDOWS)],
        **scope,
    }
