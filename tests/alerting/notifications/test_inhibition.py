from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.notifications.inhibition import Firing, Inhibition, inhibited

Edges = list[tuple[str, str]]


def alert(
    name: str, severity: str = "warning", at: float = 0.0, **labels: str
) -> Firing:
    return Firing(name, {**labels, "alertname": name, "severity": severity}, at)


def rules(*edges: tuple[str, str]) -> list[Inhibition]:
    return [rule({"alertname": a}, {"alertname": b}) for a, b in edges]


def rule(source: Any, target: Any, *equal: str) -> Inhibition:
    return Inhibition.model_validate(
        {"source": source, "target": target, "equal": equal}
    )


def by(alerts: list[Firing], inhibitions: list[Inhibition]) -> dict[str, str]:
    """Return who is inhibited by whom."""
    found = inhibited(alerts, inhibitions)
    return {name: other.alert_id for name, other in found.items()}


PAIR = rules(("a", "b"), ("b", "a"))
CIRCLE = rules(("a", "b"), ("b", "c"), ("c", "a"))


@pytest.mark.parametrize(
    ("names", "inhibitions", "expected"),
    [
        ("ab", rules(("a", "b")), {"b": "a"}),
        ("b", rules(("a", "b")), {}),
        ("a", rules(("a", "a")), {}),
        # Who is inhibited inhibits all the same.
        ("abc", rules(("a", "b"), ("b", "c")), {"b": "a", "c": "b"}),
        # Of two that inhibit each other one is told, …
        ("ab", PAIR, {"b": "a"}),
        ("ba", PAIR, {"b": "a"}),
        # … and of a longer circle.
        ("abc", CIRCLE, {"b": "a", "c": "b"}),
        ("abcd", [*CIRCLE, *rules(("b", "d"))], {"b": "a", "c": "b", "d": "b"}),
        # A circle that something else inhibits is explained.
        ("abx", [*PAIR, *rules(("x", "a"))], {"a": "b", "b": "a"}),
        ("abcx", [*CIRCLE, *rules(("x", "b"))], {"a": "c", "b": "a", "c": "b"}),
        # Two circles have one each.
        ("abcd", [*PAIR, *rules(("c", "d"), ("d", "c"))], {"b": "a", "d": "c"}),
        ("abcd", [*CIRCLE, *rules(("b", "a"))], {"b": "a", "c": "b"}),
    ],
)
def test_who_is_inhibited_by_whom(
    names: str, inhibitions: list[Inhibition], expected: dict[str, str]
) -> None:
    assert by([alert(name) for name in names], inhibitions) == expected


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (alert("a"), alert("b", "critical"), "b"),
        (alert("a", at=2.0), alert("b", at=1.0), "b"),
        (alert("a", "critical", at=2.0), alert("b", at=1.0), "a"),
        (alert("a", "no severity"), alert("b", "info"), "b"),
    ],
)
def test_of_a_pair_the_worst_is_told_then_who_fired_first(
    one: Firing, other: Firing, told: str
) -> None:
    for alerts in ([one, other], [other, one]):
        assert by(alerts, PAIR).keys() == {"a", "b"} - {told}


def test_what_matches_both_sides_is_not_inhibited_by_what_does_too() -> None:
    severe = rule(
        {"severity": "critical"}, [{"name": "team", "operator": "~", "value": "*"}]
    )
    alerts = [alert("a", "critical"), alert("b", "critical"), alert("c")]

    assert by(alerts, [severe]) == {"c": "a"}


def test_only_alerts_alike_in_equal_labels_make_a_circle() -> None:
    pair = [
        rule({"kind": "down"}, {"kind": "slow"}, "route"),
        rule({"kind": "slow"}, {"kind": "down"}, "route"),
    ]
    alerts = [
        alert("a", kind="down", route="/a/"),
        alert("b", kind="slow", route="/a/"),
        alert("c", kind="slow", route="/b/"),
        alert("d", kind="down", route="/d/"),
    ]

    assert by(alerts, pair) == {"b": "a"}


def test_a_storm_of_alerts_that_inhibit_each_other_takes_no_time() -> None:
    pair = [
        rule({"kind": "down"}, {"kind": "slow"}),
        rule({"kind": "slow"}, {"kind": "down"}),
    ]
    alerts = [
        alert(f"{kind}{n}", kind=kind)
        for n in range(2_000)
        for kind in ("down", "slow")
    ]

    before = time.process_time()
    found = inhibited(alerts, pair)

    assert len(found) == len(alerts) - 1
    assert time.process_time() - before < 2.0


names = st.sampled_from("abcdef")


@given(st.sets(names), st.lists(st.tuples(names, names), max_size=12), st.randoms())
def test_everything_that_is_not_told_is_explained_by_something_that_is(
    firing: set[str], edges: Edges, random: Any
) -> None:
    alerts = [alert(name) for name in sorted(firing)]
    silent = by(alerts, rules(*edges))
    told = firing - silent.keys()

    reached, new = set(told), set(told)
    while new:
        new = {b for a, b in edges if a in new and b in firing} - reached
        reached |= new
    assert reached == firing
    assert told if firing else not told
    # Whom nobody inhibits is told; who explains does inhibit.
    assert told >= firing - {b for a, b in edges if a in firing and a != b}
    assert all((other, name) in edges for name, other in silent.items())
    random.shuffle(alerts)
    assert by(alerts, rules(*edges)) == silent
