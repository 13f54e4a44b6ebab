"""One evaluation: rules, measurements and states in; states and transitions out.

A pure function of its arguments: it neither reads a clock nor remembers anything. A
rule that fails keeps the state of its alerts, says so in its health, and harms no
other rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from alerting.alert import AlertState, State, Terms
from alerting.lifecycle import advance, withdraw
from alerting.nearest import Nearest, nearest
from alerting.readings import Ask, Readings, Setting
from alerting.redefinition import CHANGED, Definition
from alerting.rules import CodeRule, ExternalRule, Judged, NoData, Rule
from alerting.rules.external import SOURCE
from alerting.text import described

if TYPE_CHECKING:
    from alerting.alert import Sample, Transition
    from alerting.labels import Labels
    from alerting.source import MetricSource

__all__ = [
    "SERIES_LIMIT",
    "Ask",
    "Evaluation",
    "Key",
    "RuleHealth",
    "Setting",
    "evaluate",
]

Key = tuple[str, "Labels"]

SILENT: Final = "nobody evaluates for it any more, so it may or may not be over"
TAKEN: Final = "another rule has taken its name"
SERIES_LIMIT: Final = 1000  # label sets that one rule may watch


@dataclass(frozen=True, slots=True)
class RuleHealth:
    """How one rule did at its last evaluation: ok, no data, or error.

    `nearest` is the series with the worst value, None where nothing was measured.
    """

    health: str
    evaluated_at: float
    last_error: str = ""
    series: int = 0
    dropped: int = 0
    nearest: Nearest | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one evaluation found.

    `states` has only what is worth remembering, `flat` the flat metrics if a condition
    wanted them, `looked_at` which of them each has read.
    """

    at: float
    states: Mapping[Key, AlertState]
    transitions: tuple[Transition, ...]
    health: Mapping[str, RuleHealth]
    flat: Mapping[str, float]
    looked_at: Mapping[str, Mapping[str, float]]


def evaluate(
    rules: Iterable[Judged],
    source: MetricSource,
    states: Mapping[Key, AlertState],
    *,
    now: float,
    setting: Setting,
) -> Evaluation:
    """Evaluate every rule once at `now`."""
    readings = Readings(source, now, setting)
    run = _Run(readings, now, setting, _by_rule(states))
    for rule in rules:
        run.evaluate(rule)
    run.withdraw_others()
    transitions = tuple(run.transitions)
    flat, looked_at = readings.flat_metrics or {}, readings.looked_at
    return Evaluation(now, run.kept, transitions, run.health, flat, looked_at)


def _by_rule(states: Mapping[Key, AlertState]) -> dict[str, dict[Labels, AlertState]]:
    grouped: dict[str, dict[Labels, AlertState]] = {}
    for (rule, labels), state in states.items():
        grouped.setdefault(rule, {})[labels] = state
    return grouped


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of one rule's alerts."""

    kept: Mapping[Key, AlertState]
    transitions: list[Transition]
    health: RuleHealth


@dataclass
class _Run:
    readings: Readings
    now: float
    setting: Setting
    states: dict[str, dict[Labels, AlertState]]
    kept: dict[Key, AlertState] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    health: dict[str, RuleHealth] = field(default_factory=dict)

    def evaluate(self, rule: Judged) -> None:
        """Evaluate one rule, and keep its states as they are if that fails."""
        known = self._own(rule, self.states.pop(rule.name, {}))
        try:
            found = self._found(rule, known)
        except Exception as error:  # noqa: BLE001 - conditions and sources are foreign code
            for labels, state in known.items():
                self.kept[rule.name, labels] = state
            self.health[rule.name] = RuleHealth("error", self.now, described(error))
            return
        self.kept |= found.kept
        self.transitions += found.transitions
        self.health[rule.name] = found.health

    def _found(self, rule: Judged, known: Mapping[Labels, AlertState]) -> _Found:
        samples = self.readings.samples(rule, known)
        definition = Definition(rule, self.setting.scope)
        steps, kept = [], {}
        gone = definition.left_behind(known, samples)
        for labels in gone:
            steps.append(withdraw(known[labels], now=self.now, reason=CHANGED))
            samples.pop(labels, None)
        chosen = _bounded(samples, known, rule)
        terms = _terms(rule, self.setting.max_gap)
        is_external = isinstance(rule, ExternalRule)
        for labels, sample in chosen.items():
            if labels not in known and _is_uneventful(sample, terms):
                continue
            before = known.get(labels) or AlertState(rule.name, labels)
            if is_external and self._goes_on(before, sample):
                kept[rule.name, labels] = replace(before, at=self.now)
                continue
            after, step = _step(definition, before, sample, terms, self.now)
            steps.append(step)
            if after is not None:
                kept[rule.name, labels] = after
        health = _health(chosen, self.now, dropped=len(samples) - len(chosen))
        if not is_external:
            near = nearest(
                chosen, rule.rungs[0], lambda labels: kept.get((rule.name, labels))
            )
            health = replace(health, nearest=near)
        return _Found(kept, [step for step in steps if step], health)

    def _goes_on(self, state: AlertState, sample: Sample) -> bool:
        """Tell whether an external alert fires as it did: time alone changes nothing of it.

        `advance` would say the same. A storm has ten thousand of these.
        """
        is_same = state.state is State.FIRING and state.value == sample.value
        is_on_time = 0 <= self.now - state.at <= self.setting.max_gap
        return is_same and is_on_time and state.no_data_since is None

    def withdraw_others(self) -> None:
        """Resolve what belongs to rules that are gone."""
        for states in self.states.values():
            for state in states.values():
                self._withdraw(state, "the rule was removed")

    def _withdraw(self, state: AlertState, reason: str) -> None:
        gone = withdraw(state, now=self.now, reason=reason)
        self.transitions += [gone] if gone else []

    def _own(
        self, rule: Judged, known: Mapping[Labels, AlertState]
    ) -> dict[Labels, AlertState]:
        """Return the states of this rule and scope; resolve those taken over from others."""
        scope = set(self.setting.scope)
        is_external = isinstance(rule, ExternalRule)
        own = {}
        for labels, state in known.items():
            is_kin = is_external is _is_external(labels)
            # Whoever evaluates it, an external alert is one and the same.
            if is_kin and (is_external or scope.issubset(labels)):
                own[labels] = state
                continue
            self._withdraw(state, SILENT if is_kin else TAKEN)
        return own


def _step(
    definition: Definition, before: AlertState, sample: Sample, terms: Terms, now: float
) -> tuple[AlertState | None, Transition | None]:
    """Return what to remember of an alert, if anything, and what has happened to it."""
    has_data = sample.value is not None
    earlier = None if has_data else definition.no_data(before)
    if has_data:
        before = replace(before, measures=definition.measures)
    if earlier:
        terms = replace(terms, no_data=earlier)
    after, transition = advance(before, sample, now=now, terms=terms)
    if transition and earlier:
        transition = replace(transition, reason=CHANGED)
    return after if _is_remembered(after, terms) else None, transition


def _health(chosen: Mapping[Labels, Sample], now: float, *, dropped: int) -> RuleHealth:
    has_data = any(sample.value is not None for sample in chosen.values())
    health = "ok" if has_data else "no_data"
    return RuleHealth(health, now, series=len(chosen), dropped=dropped)


def _is_external(labels: Labels) -> bool:
    return any(name == SOURCE for name, _ in labels)


def _terms(rule: Judged, max_gap: float) -> Terms:
    return Terms(
        rungs=rule.rungs,
        no_data=NoData() if isinstance(rule, CodeRule) else rule.no_data,
        max_gap=max_gap,
        for_=rule.for_,
        keep_firing_for=rule.keep_firing_for,
        min_count=rule.min_count if isinstance(rule, Rule) else 0,
    )


def _bounded(
    samples: dict[Labels, Sample], known: Mapping[Labels, AlertState], rule: Judged
) -> dict[Labels, Sample]:
    """Return at most `SERIES_LIMIT` samples: those known, then those in trouble."""
    if len(samples) <= SERIES_LIMIT:
        return samples
    mildest = rule.rungs[0]

    def order(labels: Labels) -> tuple[bool, bool]:
        value = samples[labels].value
        return labels not in known, value is None or not mildest.is_breached(value)

    return {
        labels: samples[labels] for labels in sorted(samples, key=order)[:SERIES_LIMIT]
    }


def _is_uneventful(sample: Sample, terms: Terms) -> bool:
    """Tell whether a series without an alert can be passed over, as nearly all can."""
    if sample.value is None or terms.no_data.policy == "fire":
        return False
    return not terms.rungs[0].is_breached(sample.value)


def _is_remembered(state: AlertState, terms: Terms) -> bool:
    if state.state is State.RESOLVED:
        return False
    # A good series is worth remembering where its absence would be an alert.
    is_watched = terms.no_data.policy == "fire" or state.no_data_since is not None
    return is_watched or state.state is not State.INACTIVE
