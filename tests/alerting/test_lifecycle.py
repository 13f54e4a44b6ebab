from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.alert import AlertState, Kind, Sample, State, Terms, Transition
from alerting.lifecycle import LATE, advance, withdraw
from alerting.rules import Rule

MINUTE = 60.0
START = 1_700_000_000.0
FRESH = AlertState("r", ())

# One letter per minute: the state after the evaluation, upper case when critical.
LETTERS = {State.INACTIVE: ".", State.PENDING: "p", State.FIRING: "f"} | {
    State.RECOVERING: "r",
    State.RESOLVED: "x",
}
Value = float | None


def terms(*, max_gap: float = inf, **fields: Any) -> Terms:
    rule = Rule.load({"name": "r", "metric": "m", "threshold": 80, **fields})
    return Terms(
        rungs=rule.rungs,
        no_data=rule.no_data,
        max_gap=max_gap,
        for_=rule.for_,
        keep_firing_for=rule.keep_firing_for,
        min_count=rule.min_count,
    )


def played(
    values: Sequence[Value | Sample],
    rules: Terms,
    *,
    state: AlertState = FRESH,
    start: float = START,
) -> tuple[AlertState, list[AlertState], list[Transition]]:
    """Feed one value a minute; a resolved alert starts anew, as the evaluator has it."""
    states, transitions = [], []
    for minute, value in enumerate(values):
        sample = value if isinstance(value, Sample) else Sample(value, 100)
        now = start + minute * MINUTE
        state, transition = advance(state, sample, now=now, terms=rules)
        states.append(state)
        transitions += [transition] if transition else []
        if state.state is State.RESOLVED:
            state = FRESH
    return state, states, transitions


def letters(values: Sequence[Value | Sample], rules: Terms) -> str:
    _, states, _ = played(values, rules)
    return "".join(
        LETTERS[s.state].upper() if s.severity == "critical" else LETTERS[s.state]
        for s in states
    )


LADDER: dict[str, Any] = {"threshold": {"warning": 80, "critical": 90}}
FOR: dict[str, Any] = {"for": "2m"}
KEEP: dict[str, Any] = {"keep_firing_for": "2m"}
NO = None


@pytest.mark.parametrize(
    ("fields", "values", "expected"),
    [
        # Without `for`, the first breach fires and the first good value resolves.
        ({}, [70, 81, 85, 80, 70], ".ffx."),
        ({"operator": "<"}, [90, 79, 80], ".fx"),
        # `for` starts over with every good value.
        (FOR, [81, 81, 81, 81], "ppff"),
        (FOR, [81, 81, 70, 81, 81, 81], "pp.ppf"),
        # `keep_firing_for` starts over with every bad value.
        (KEEP, [81, 70, 70, 70, 70], "frrx."),
        (KEEP, [81, 70, 81, 70, 70, 70], "frfrrx"),
        (FOR | KEEP, [81, 81, 81, 70, 81, 70, 70, 70, 81], "ppfrfrrxp"),
        # Between recovery and threshold a firing alert goes on and no alert begins.
        ({"recovery": 60}, [70, 81, 70, 61, 60, 70], ".fffx."),
        ({"recovery": 60} | KEEP, [81, 60, 70, 60, 60, 60], "frfrrx"),
        # One alert goes up and down the ladder.
        (LADDER, [81, 91, 81, 70], "fFfx"),
        (LADDER, [91, 70], "FX"),
        # Every severity waits for its own `for`, as a rule of its own would.
        (LADDER | FOR, [81, 81, 91, 91, 91, 81], "ppffFf"),
        (LADDER | FOR, [91, 91, 91], "PPF"),
        (LADDER | FOR, [91, 91, 81, 81], "PPff"),
        (LADDER | FOR, [81, 91, 91, 91], "pPfF"),
        # And for its own `keep_firing_for` and recovery.
        (LADDER | KEEP, [91, 81, 81, 81, 70, 70, 70], "FFFfrrx"),
        (
            LADDER | {"recovery": {"warning": 70, "critical": 85}},
            [91, 86, 85, 71, 70],
            "FFffx",
        ),
        # Nothing is known without data: no state changes, pending does not go on.
        ({}, [81, NO, NO, 70], "fffx"),
        ({}, [NO, NO, 70, NO], "...."),
        (FOR, [81, NO, 81, 81], "ppff"),
        (KEEP, [81, 70, NO, 70, 70], "frrx."),
        # Unless the rule says what no data means.
        ({"no_data": "ok"}, [81, NO, NO], "fx."),
        ({"no_data": {"policy": "ok", "for": "2m"}}, [81, NO, NO, NO], "fffx"),
        ({"no_data": {"policy": "ok", "for": "2m"}}, [81, NO, 81, NO, NO], "fffff"),
        ({"no_data": "ok"} | KEEP, [81, NO, NO], "fx."),
        ({"no_data": "fire"}, [70, NO, NO, 70], ".ffx"),
        ({"no_data": "fire"} | FOR, [70, NO, 70], ".fx"),
        ({"no_data": {"policy": "fire", "for": "2m"}}, [70, NO, NO, NO, 70], "...fx"),
        ({"no_data": "fire"} | FOR, [81, NO, 70], "pfx"),
        ({"no_data": "fire"} | LADDER, [91, NO, 81], "FFf"),
        ({"no_data": "fire"} | LADDER, [NO, 91], "fF"),
    ],
)
def test_an_alert_lives_as_its_rule_says(
    fields: dict[str, Any], values: list[Value], expected: str
) -> None:
    assert letters(values, terms(**fields)) == expected


def few(value: float) -> Sample:
    return Sample(value, 4)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([few(99), few(99), 99], "..f"),
        # Too few bad measurements do not resolve what many had shown …
        ([99, few(99), 99], "fff"),
        # … but any good one does.
        ([99, few(1)], "fx"),
    ],
)
def test_too_few_measurements_prove_no_breach(
    values: list[Value | Sample], expected: str
) -> None:
    assert letters(values, terms(min_count=5)) == expected


def test_too_few_measurements_do_not_serve_the_waiting_time() -> None:
    values: list[Value | Sample] = [99, few(99), 99, 99, 99]

    assert letters(values, terms(min_count=5, **FOR)) == "p.ppf"


def test_a_transition_says_what_happened() -> None:
    _, _, transitions = played(
        [81, 81, 81, 91, 91, 91, 81, 81, 70, 81, 70, 70],
        terms(**LADDER, **FOR, keep_firing_for="1m"),
    )

    assert [
        (t.kind, (t.at - START) / MINUTE, t.state.sequence) for t in transitions
    ] == [
        (Kind.PENDING, 0, 0),
        (Kind.FIRING, 2, 1),
        (Kind.ESCALATED, 5, 2),
        (Kind.DEESCALATED, 7, 3),
        (Kind.RECOVERING, 8, 4),
        (Kind.RELAPSED, 9, 5),
        (Kind.RECOVERING, 10, 6),
        (Kind.RESOLVED, 11, 7),
    ]


def test_a_pending_alert_that_clears_says_so() -> None:
    _, _, transitions = played([81, 70], terms(**FOR))

    assert [t.kind for t in transitions] == [Kind.PENDING, Kind.CLEARED]


def test_an_alert_remembers_when_it_began_and_when_it_fired() -> None:
    state, _, [_, fired] = played([70, 81, 81, 83], terms(**FOR))

    assert (state.started_at, state.fired_at) == (START + 60, START + 180)
    assert (fired.before.state, fired.state.value) == (State.PENDING, 83)


def test_an_escalation_keeps_the_episode() -> None:
    fired, _ = advance(FRESH, Sample(81, 9), now=START, terms=terms(**LADDER))
    named = replace(fired, alert_id="the-one")

    worse, escalated = advance(
        named, Sample(95, 9), now=START + 60, terms=terms(**LADDER)
    )

    assert (worse.alert_id, worse.fired_at) == ("the-one", START)
    assert escalated is not None
    assert escalated.before.severity == "warning"


def test_a_resolution_keeps_the_severity_it_resolves() -> None:
    _, _, transitions = played([95, 10], terms(**LADDER))

    assert transitions[-1].state.severity == "critical"
    assert transitions[-1].state.value == 10


def test_missing_data_is_a_flag_with_a_beginning() -> None:
    state, states, _ = played([81, NO, NO], terms())

    assert [s.no_data_since for s in states] == [None, START + 60, START + 60]
    assert state.state is State.FIRING

    state, _ = advance(state, Sample(81, 9), now=START + 180, terms=terms())
    assert state.no_data_since is None


def test_a_resolution_for_want_of_data_says_so() -> None:
    _, _, transitions = played([81, NO], terms(no_data="ok"))

    assert transitions[-1].reason == "no data"


# --- clocks -----------------------------------------------------------------------------


def test_an_evaluation_done_twice_changes_nothing() -> None:
    rules = terms(**LADDER, **FOR)
    state = FRESH
    for minute, value in enumerate([81, 81, 91, 91, 91, 70]):
        now = START + minute * MINUTE
        state, _ = advance(state, Sample(value, 9), now=now, terms=rules)
        if state.state is State.RESOLVED:
            break
        again, transition = advance(state, Sample(value, 9), now=now, terms=rules)
        assert (again, transition) == (state, None)


def test_a_late_evaluation_is_ignored() -> None:
    rules = terms(**FOR)
    state, _, _ = played([81, 81], rules)

    late = advance(state, Sample(10, 9), now=state.at - LATE, terms=rules)

    assert late == (state, None)


@pytest.mark.parametrize("back", [LATE + 1, 3600, 10 * 365 * 86_400])
def test_a_clock_set_back_neither_shortens_nor_lengthens_the_waiting(
    back: float,
) -> None:
    rules = terms(**FOR)
    state, _, _ = played([81, 81], rules)

    reached = []
    for minute in range(3):
        now = state.at + MINUTE if minute else state.at - back
        state, _ = advance(state, Sample(81, 9), now=now, terms=rules)
        reached.append(state.state)

    # One of two minutes had been served before, the other one after the change.
    assert reached == [State.PENDING, State.FIRING, State.FIRING]


def test_a_clock_set_back_does_not_prolong_the_absence_of_data() -> None:
    rules = terms(no_data={"policy": "ok", "for": "2m"})
    state, _, _ = played([81, NO], rules)

    for now in (START - 3600, START - 3540, START - 3480):
        state, _ = advance(state, Sample(None), now=now, terms=rules)

    assert state.state is State.RESOLVED


MISSING: dict[str, Any] = {"no_data": {"policy": "fire", "for": "3m"}}


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        # Minutes after the last data, and when absence has lasted for three of them.
        ((1, 2, 3, 4), "...f"),
        # Nobody evaluated for an hour, of which two minutes count (`max_gap`).
        ((1, 61, 62), "..f"),
        ((1, 61), ".."),
        ((1, 61, 121), "..f"),
        # The first evaluation after a long time without any begins to count.
        ((60, 61, 62, 63), "...f"),
        # The clock goes an hour forward, or back, or to and fro.
        ((1, 2, 62), "..f"),
        ((1, 2, -60, -59, -58), "....f"),
        ((1, 2, -60, 2), "...f"),
        # Evaluations that come late or twice count for nothing.
        ((1, 2, 2, 1.5, 3, 4), ".....f"),
        ((1, 1, 1, 1, 1, 1), "......"),
    ],
)
def test_the_absence_of_data_lasts_while_somebody_looks(
    moments: Sequence[float], expected: str
) -> None:
    rules = terms(max_gap=2 * MINUTE, **MISSING)
    state, _ = advance(FRESH, Sample(70, 9), now=START, terms=rules)

    found = ""
    for minute in moments:
        now = START + minute * MINUTE
        state, _ = advance(state, Sample(None), now=now, terms=rules)
        found += LETTERS[state.state]

    assert found == expected


def test_a_restart_is_no_absence_of_data_for_an_open_alert_either() -> None:
    rules = terms(max_gap=MINUTE, no_data={"policy": "ok", "for": "10m"})
    state, _, _ = played([81, NO], rules)

    state, transition = advance(state, Sample(None), now=START + 86_400, terms=rules)

    assert (state.state, transition) == (State.FIRING, None)


def test_what_an_earlier_release_remembered_of_missing_data_is_no_obstacle() -> None:
    rules = terms(max_gap=MINUTE, **MISSING)
    old = replace(FRESH, no_data_since=START)

    state, transition = advance(old, Sample(None), now=START + 3600, terms=rules)

    assert transition is None
    assert state.no_data_since == START + 3600 - MINUTE


def test_a_late_good_value_does_not_end_what_is_missing_by_now() -> None:
    state, _, _ = played([81, NO], terms(**MISSING))

    late = advance(state, Sample(70, 9), now=START + 30, terms=terms(**MISSING))

    assert late == (state, None)


def test_time_without_evaluations_counts_only_up_to_the_gap() -> None:
    rules = terms(max_gap=2 * MINUTE, **{"for": "10m"})
    state, _, _ = played([81, 81], rules)

    state, _ = advance(state, Sample(81, 9), now=START + 3600, terms=rules)
    assert state.state is State.PENDING
    assert state.progress[0].active_since == START + 3600 - 3 * MINUTE

    for _ in range(7):
        state, _ = advance(state, Sample(81, 9), now=state.at + MINUTE, terms=rules)
    assert state.state is State.FIRING


def test_a_frozen_evaluator_does_not_resolve_by_waking_up() -> None:
    rules = terms(max_gap=MINUTE, keep_firing_for="10m")
    state, _, _ = played([81, 70], rules)

    state, transition = advance(state, Sample(70, 9), now=START + 86_400, terms=rules)

    assert (state.state, transition) == (State.RECOVERING, None)


def test_what_waits_without_data_does_not_wait_for_ever() -> None:
    rules = terms(max_gap=MINUTE, **FOR)
    state, states, transitions = played([81, NO, NO, NO, NO], rules)

    assert [LETTERS[s.state] for s in states] == list("ppp..")
    assert [(t.kind, t.reason) for t in transitions] == [
        (Kind.PENDING, ""),
        (Kind.CLEARED, "no data"),
    ]

    week = state.at + 7 * 86_400
    again, _ = advance(state, Sample(81, 9), now=week, terms=rules)
    assert again.state is State.PENDING


@pytest.mark.parametrize(
    ("fields", "steps", "expected"),
    [
        # Seconds since the evaluation before, and the value; of a gap one minute counts.
        # Late, twice, and late by as much as is still late.
        (FOR, [(0, 81), (60, 81), (-30, 1), (90, 81)], "pppf"),
        (FOR, [(0, 81), (60, 81), (0, 81), (60, 81)], "pppf"),
        (FOR, [(0, 81), (60, 81), (-60, 1), (120, 81)], "pppf"),
        (KEEP, [(0, 81), (60, 70), (-60, 81), (60, 70), (60, 70), (60, 70)], "frrrrx"),
        # Back by more than that: a good value counts, and nothing is served twice.
        (FOR, [(0, 81), (60, 81), (-61, 1), (60, 81)], "pp.p"),
        (FOR, [(0, 81), (60, 81), (-61, 81), (60, 81)], "pppf"),
        (FOR, [(0, 81), (-3600, 81), (-3600, 81), (60, 81), (60, 81)], "ppppf"),
        (KEEP, [(0, 81), (0, 70), (60, 70), (-3600, 70), (60, 70)], "frrrx"),
        (KEEP, [(0, 81), (60, 70), (-3600, 81), (60, 70), (60, 70)], "frfrr"),
        # Forward: it counts like any time without evaluations.
        (FOR, [(0, 81), (86_400, 81), (60, 81)], "ppf"),
        (KEEP, [(0, 81), (60, 70), (86_400, 70), (60, 70)], "frrx"),
        # Forward and back again.
        (FOR, [(0, 81), (3600, 81), (-3600, 81), (60, 81)], "pppf"),
        # Both severities of a ladder keep their own time.
        (LADDER | FOR, [(0, 81), (60, 91), (-3600, 91), (60, 91), (60, 91)], "pPPfF"),
        # Without waiting times no clock matters.
        ({}, [(0, 81), (-3600, 81), (-3600, 70)], "ffx"),
        ({}, [(0, 81), (0, 70)], "fx"),
    ],
)
def test_a_clock_may_do_what_it_likes(
    fields: dict[str, Any], steps: list[tuple[float, float]], expected: str
) -> None:
    rules = terms(max_gap=MINUTE, **fields)
    state, now, found = FRESH, START, ""
    for seconds, value in steps:
        now += seconds
        state, _ = advance(state, Sample(value, 9), now=now, terms=rules)
        letter = LETTERS[state.state]
        found += letter.upper() if state.severity == "critical" else letter

    assert found == expected


# --- rules that change, rules that go ---------------------------------------------------


def test_an_alert_of_a_rule_that_gained_a_severity_goes_on() -> None:
    state, _, _ = played([81], terms())

    state, transition = advance(
        state, Sample(95, 9), now=START + 60, terms=terms(**LADDER)
    )

    assert transition is not None
    assert (transition.kind, state.severity) == (Kind.ESCALATED, "critical")


def test_an_alert_whose_severity_the_rule_lost_resolves() -> None:
    state, _, _ = played([95], terms(threshold={"critical": 90}))

    state, transition = advance(
        state, Sample(95, 9), now=START + 60, terms=terms(**FOR)
    )

    assert transition is not None
    assert transition.kind is Kind.RESOLVED
    assert transition.reason == (
        "the rule was changed and has no severity critical any more"
    )


def test_what_is_over_needs_no_other_reason_when_the_rule_lost_its_severity() -> None:
    state, _, _ = played([95], terms(threshold={"critical": 90}))

    _, transition = advance(state, Sample(10, 9), now=START + 60, terms=terms(**FOR))

    assert transition is not None
    assert (transition.kind, transition.reason) == (Kind.RESOLVED, "")


def test_an_open_alert_of_a_rule_that_is_gone_resolves_with_the_reason() -> None:
    state, _, _ = played([81], terms())

    gone = withdraw(state, now=START + 60, reason="the rule was removed")

    assert gone is not None
    assert (gone.kind, gone.reason, gone.state.sequence) == (
        Kind.RESOLVED,
        "the rule was removed",
        2,
    )


def test_an_alert_that_never_fired_just_goes() -> None:
    state, _, _ = played([81], terms(**FOR))

    assert withdraw(state, now=START, reason="gone") is None


# --- properties -------------------------------------------------------------------------

values = st.lists(st.none() | st.integers(60, 100).map(float), min_size=1, max_size=40)
shapes = st.fixed_dictionaries(
    {
        "for": st.sampled_from(["0s", "1m", "3m"]),
        "keep_firing_for": st.sampled_from(["0s", "1m", "3m"]),
        "recovery": st.sampled_from([None, 70]),
        "threshold": st.sampled_from([80, {"warning": 80, "critical": 90}]),
    }
)


@given(values, shapes)
def test_only_a_good_value_resolves(
    series: list[Value], fields: dict[str, Any]
) -> None:
    _, _, transitions = played(series, terms(**fields))

    for transition in transitions:
        if transition.kind is Kind.RESOLVED:
            value = series[round((transition.at - START) / MINUTE)]
            assert value is not None
            assert value <= 80


@given(values, shapes)
def test_no_alert_fires_before_its_time(
    series: list[Value], fields: dict[str, Any]
) -> None:
    rules = terms(**fields)
    _, _, transitions = played(series, rules)

    for transition in transitions:
        if transition.kind is Kind.FIRING:
            minute = round((transition.at - START) / MINUTE)
            since = minute - round(rules.for_ / MINUTE)
            held = [v for v in series[max(since, 0) : minute + 1] if v is not None]
            assert since >= 0
            assert all(value > 80 for value in held)


@given(values, shapes)
def test_every_step_of_an_episode_has_the_next_number(
    series: list[Value], fields: dict[str, Any]
) -> None:
    _, _, transitions = played(series, terms(**fields))

    expected = 0
    for transition in transitions:
        if transition.kind in {Kind.PENDING, Kind.CLEARED}:
            continue
        expected = 1 if transition.kind is Kind.FIRING else expected + 1
        assert transition.state.sequence == expected


@given(values, shapes)
def test_the_alert_is_as_bad_as_the_worst_rule_of_its_own_would_be(
    series: list[Value], fields: dict[str, Any]
) -> None:
    ladder = {**fields, "threshold": {"warning": 80, "critical": 90}}
    _, together, _ = played(series, terms(**ladder))
    warning = [
        s.is_open for s in played(series, terms(**{**fields, "threshold": 80}))[1]
    ]
    alone = {**fields, "threshold": {"critical": 90}, "recovery": None}
    critical = [s.is_open for s in played(series, terms(**alone))[1]]

    assert [s.is_open for s in together] == warning
    assert [s.is_open and s.severity == "critical" for s in together] == critical


jumps = st.sampled_from([-86_400, -3600, -61, -60, -1, 0, 1, 15, 60, 61, 600, 86_400])


@given(st.lists(st.tuples(jumps, st.integers(60, 100)), max_size=40), shapes)
def test_a_clock_that_jumps_is_as_good_as_one_that_counts_what_was_served(
    steps: list[tuple[int, int]], fields: dict[str, Any]
) -> None:
    rules = terms(max_gap=MINUTE, **fields)
    jumping, steady = FRESH, FRESH
    now, served = START, START
    last = now
    for seconds, value in steps:
        now += seconds
        is_late = -LATE <= now - last < 0 and jumping.state is not State.INACTIVE
        jumping, told = advance(jumping, Sample(value, 9), now=now, terms=rules)
        if is_late:
            assert told is None
            continue
        served += min(max(now - last, 0.0), MINUTE)
        last = now
        steady, same = advance(steady, Sample(value, 9), now=served, terms=rules)

        assert (jumping.state, jumping.severity) == (steady.state, steady.severity)
        assert (told and told.kind) == (same and same.kind)
        if jumping.state is State.RESOLVED:
            jumping, steady = FRESH, FRESH


@given(values, shapes, st.integers(0, 39), st.floats(0, LATE))
def test_a_late_copy_of_an_evaluation_changes_nothing(
    series: list[Value], fields: dict[str, Any], at: int, late: float
) -> None:
    rules = terms(**fields)
    state, _, _ = played(series[: at + 1], rules)

    copy, transition = advance(
        state, Sample(60, 9), now=state.at - max(late, 0.001), terms=rules
    )

    if state.state is not State.INACTIVE:
        assert (copy, transition) == (state, None)
