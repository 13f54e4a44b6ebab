"""The same measurements, judged by our rules and by Prometheus's: the same firing intervals."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from alerting.alert import AlertState
from alerting.evaluator import Key, Setting, evaluate
from alerting.rules import AnyRule, Severity, load_rule
from prs_otel.rollup.source import ViewSource
from tests.support.measured import Measured, Whose
from tests.support.promtool import STEP, Labels, PromRule, firing

pytestmark = pytest.mark.once

STEPS: Final = 240
QUIET: Final = 21  # steps until the longest window is full
ROUTES: Final = ("/deals/", "/users/")
WHERE: Final[tuple[Labels, ...]] = (
    (),
    *((("http_route", route),) for route in ROUTES),
)
HOST: Final = (("host.name", "web-1"),)
GAUGE: Final = "queue.length"
FAST, SLOW = 0.1, 3.0
BOUNDS: Final = ("0.2", "2", "5", "+Inf")
COUNTERS: Final = (
    "requests_total",
    "errors_total",
    "seconds_sum",
    *(f"seconds_bucket,{bound}" for bound in BOUNDS),
)

REQUESTS: Final = "sum by (http_route) (increase(requests_total[5m]))"
ERRORS: Final = "sum by (http_route) (increase(errors_total[5m]))"


@dataclass(frozen=True)
class Pair:
    """One rule in both languages. `slack` is how many evaluations an end may be off."""

    ours: dict[str, Any]
    prometheus: str
    slack: int = 0

    @property
    def name(self) -> str:
        return str(self.ours["name"])

    def in_prometheus(self) -> Iterator[PromRule]:
        durations = {
            name: f"{self.ours.get(key, 0)}".removesuffix("s") + "s"
            for name, key in (("for_", "for"), ("keep_firing_for", "keep_firing_for"))
        }
        threshold = self.ours["threshold"]
        steps = threshold if isinstance(threshold, dict) else {"warning": threshold}
        operator = self.ours.get("operator", ">")
        for severity, value in steps.items():
            expr = f"{self.prometheus} {operator} {value}"
            yield PromRule(f"{self.name}_{severity}", expr, **durations)


def request_rule(name: str, measure: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "metric": f"http.server.request.{measure}",
        "by": ["http.route"],
        "window": "5m",
        "no_data": "ok",
        **fields,
    }


def gauge_rule(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "metric": GAUGE, "window": "5m", "no_data": "ok", **fields}


PAIRS: Final = (
    Pair(request_rule("ratio", "error_rate", threshold=0.1), f"{ERRORS} / {REQUESTS}"),
    Pair(
        request_rule("ratio_for", "error_rate", threshold=0.07, **{"for": "60s"}),
        f"{ERRORS} / {REQUESTS}",
    ),
    Pair(
        request_rule("kept", "error_rate", threshold=0.13, keep_firing_for="90s"),
        f"{ERRORS} / {REQUESTS}",
    ),
    Pair(
        request_rule(
            "ladder",
            "error_rate",
            threshold={"warning": 0.05, "critical": 0.17},
            **{"for": "45s"},
            keep_firing_for="45s",
        ),
        f"{ERRORS} / {REQUESTS}",
    ),
    Pair(request_rule("counted", "count", threshold=90.5), REQUESTS),
    Pair(
        request_rule("few", "count", operator="<", threshold=60.5, **{"for": "30s"}),
        REQUESTS,
    ),
    Pair(
        request_rule("rated", "count", aggregation="rate", threshold=0.303),
        "sum by (http_route) (rate(requests_total[5m]))",
        slack=1,
    ),
    Pair(
        request_rule("mean", "duration", aggregation="avg", threshold=0.77),
        "sum by (http_route) (rate(seconds_sum[5m]))"
        " / sum by (http_route) (rate(requests_total[5m]))",
    ),
    Pair(
        request_rule("p90", "duration", aggregation="p90", threshold=1.0),
        "histogram_quantile(0.9, sum by (le, http_route) (rate(seconds_bucket[5m])))",
        slack=1,
    ),
    # A range has both its ends in this release of Prometheus.
    Pair(gauge_rule("gauge_mean", threshold=71.7), "avg_over_time(queue_length[299s])"),
    Pair(
        gauge_rule("gauge_max", aggregation="max", threshold=90),
        "max_over_time(queue_length[299s])",
    ),
    Pair(
        gauge_rule("gauge_low", operator="<=", threshold=30.3, **{"for": "30s"}),
        "avg_over_time(queue_length[299s])",
    ),
    Pair(
        gauge_rule("missing", aggregation="absent", threshold=0.5, window="2m"),
        "absent_over_time(queue_length[119s])",
    ),
)
BOTH: Final = [(pair, rule) for pair in PAIRS for rule in pair.in_prometheus()]


@dataclass
class Traffic:
    """What happened in each step, and its sums as Prometheus would have scraped them."""

    chance: random.Random
    # What happened before the store was made would count as not covered.
    start: float = field(default_factory=lambda: time.time() + 60)
    measured: Measured = field(init=False)
    series: dict[str, list[float | None]] = field(default_factory=dict)
    sums: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.measured = Measured(now=self.start)

    def step(self, at: int, moods: Sequence[Mood]) -> float:
        """Let one step pass; return the moment it ends."""
        now = self.measured.now = self.start + at * STEP
        for route, mood in zip(ROUTES, moods, strict=True):
            self._requests(route, mood)
        gauge = moods[0].gauge
        if gauge is not None:
            self.measured.gauge(GAUGE, gauge)
        self.series.setdefault("queue_length", []).append(gauge)
        self.measured.flush()
        return now

    def _requests(self, route: str, mood: Mood) -> None:
        sums = self.sums.setdefault(route, dict.fromkeys(COUNTERS, 0.0))
        for _ in range(mood.count):
            is_error = self.chance.random() < mood.errors
            seconds = SLOW if self.chance.random() < mood.slow else FAST
            status = 500 if is_error else 200
            self.measured.request(seconds, whose=Whose(route), status=status)
            sums["requests_total"] += 1
            sums["errors_total"] += is_error
            sums["seconds_sum"] += seconds
            for bound in BOUNDS:
                sums[f"seconds_bucket,{bound}"] += seconds <= float(bound)
        for counter, value in sums.items():
            name, _, bound = counter.partition(",")
            more = f',le="{bound}"' if bound else ""
            labels = f'{{http_route="{route}"{more}}}'
            self.series.setdefault(name + labels, []).append(value)


@dataclass(frozen=True)
class Mood:
    """How a route behaves for a while; `gauge` None is a reading that does not come."""

    count: int = 4
    errors: float = 0.0
    slow: float = 0.0
    gauge: float | None = 50.0


def moods(chance: random.Random) -> Iterator[Mood]:
    """Return the mood of every step: quiet at first, then something else now and then."""
    yield Mood(count=0)
    for _ in range(QUIET):
        yield Mood()
    while True:
        mood = Mood(
            count=chance.randint(2, 8),
            errors=chance.choice((0.0, 0.0, 0.1, 0.3)),
            slow=chance.choice((0.0, 0.0, 0.05, 0.4)),
            gauge=chance.choice((None, 20.0, 50.0, 80.0, 95.0)),
        )
        for _ in range(chance.randint(5, 30)):
            yield mood


def ours(
    rules: Sequence[AnyRule], traffic: Traffic
) -> set[tuple[str, Severity, Labels, int]]:
    """Return (rule, severity, labels, seconds since the start) of everything that fires."""
    source = ViewSource(traffic.measured.view, identity=dict(HOST))
    setting = Setting(max_gap=60.0, scope=HOST)
    behaviours = [moods(traffic.chance) for _ in ROUTES]
    states: dict[Key, AlertState] = {}
    found = set()
    for at in range(STEPS):
        now = traffic.step(at, [next(each) for each in behaviours])
        result = evaluate(rules, source, states, now=now, setting=setting)
        states = dict(result.states)
        assert all(health.health != "error" for health in result.health.values())
        for (rule, labels), state in states.items():
            found |= {
                (rule, mine.severity, _routes(labels), at * STEP)
                for mine in state.progress
                if mine.is_firing
            }
    return found


def _routes(labels: Labels) -> Labels:
    return tuple((k.replace(".", "_"), v) for k, v in labels if k == "http.route")


@pytest.mark.parametrize("seed", range(4))
def test_our_rules_fire_when_those_of_prometheus_do(seed: int, tmp_path: Path) -> None:
    traffic = Traffic(random.Random(seed))
    rules = [load_rule(pair.ours) for pair in PAIRS]
    mine = ours(rules, traffic)
    theirs = firing(
        (rule for _, rule in BOTH),
        traffic.series,
        directory=tmp_path,
    )

    fired = set()
    for pair, rule in BOTH:
        severity = Severity(rule.alert.removeprefix(f"{pair.name}_"))
        for route in WHERE:
            here = times(mine, (pair.name, severity, route))
            there = times(theirs, (rule.alert, route))
            agree(here, there, rule, slack=pair.slack)
            fired |= {pair.name} if there else set()
    # Of the thirteen at most one or two have nothing to do with what chance brought.
    assert len(fired) >= len(PAIRS) - 2, sorted(fired)


def times(fired: Iterable[tuple[Any, ...]], what: tuple[object, ...]) -> set[int]:
    """Return when `what` fired, without the beginning, when windows are not full yet."""
    return {
        each[-1] for each in fired if each[:-1] == what and each[-1] >= QUIET * STEP
    }


def agree(here: set[int], there: set[int], rule: PromRule, *, slack: int) -> None:
    def widened(times: set[int]) -> set[int]:
        off = range(-slack, slack + 1)
        return {time + by * STEP for time in times for by in off}

    assert here <= widened(there), (rule, sorted(here - widened(there)))
    assert there <= widened(here), (rule, sorted(there - widened(here)))
