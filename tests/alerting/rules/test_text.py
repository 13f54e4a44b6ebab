from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from alerting.rules import (
    Rule,
    RuleError,
    Severity,
    TextError,
    format_rule,
    load_rule,
    parse_rule,
    parse_text,
)
from alerting.rules.tokens import TEXT_LIMIT
from alerting.stored_rules import definition


def test_the_text_of_the_documentation_is_read() -> None:
    text = 'http.server.request.error_rate{http.route="/deals/"}[5m] > 0.1'

    assert parse_text(text) == {
        "metric": "http.server.request.error_rate",
        "where": {"http.route": "/deals/"},
        "window": 300.0,
        "operator": ">",
        "threshold": 0.1,
    }


def test_a_text_can_say_everything_about_time_and_severity() -> None:
    rule = parse_rule(
        "latency",
        'p95(http.server.request.duration{http.request.method="GET",http.route="/"}[5m])'
        " by (http.route, host.name) >= 2 warning, 5 critical min_count 20 for 1m"
        " keep_firing_for 5m recovery 1.5 no_data fire 10m cooldown 1h",
    )

    assert rule.quantile == 0.95
    assert rule.by == ("http.route", "host.name")
    assert [(r.severity, r.threshold, r.recovery) for r in rule.rungs] == [
        ("warning", 2, 1.5),
        ("critical", 5, 5),
    ]
    assert (rule.min_count, rule.for_, rule.keep_firing_for) == (20, 60, 300)
    assert (rule.no_data.policy, rule.no_data.for_, rule.cooldown) == (
        "fire",
        600,
        3600,
    )


def test_one_step_may_name_its_severity() -> None:
    assert parse_text("m > 5 critical")["threshold"] == {"critical": 5.0}


def test_what_is_absent_is_compared_with_nothing() -> None:
    assert parse_text("absent(m[10m]) critical for 1m") == {
        "aggregation": "absent",
        "metric": "m",
        "window": 600.0,
        "severity": "critical",
        "for": 60.0,
    }
    assert parse_text("absent(m)") == {"aggregation": "absent", "metric": "m"}


def test_a_policy_for_missing_data_needs_no_duration() -> None:
    assert parse_text("m > 1 no_data ok")["no_data"] == {"policy": "ok"}


def test_quoted_values_may_contain_anything() -> None:
    value = 'a "b" \\ } ] > é'

    assert parse_text(f"m{{l={quoted(value)}}} > 1")["where"] == {"l": value}


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "expected a metric, found the end"),
        ("m >", 4, "expected a number, found the end"),
        ("m > x", 5, "expected a number, found 'x'"),
        ("m > inf", 5, "expected a number, found 'inf'"),
        ("m => 1", 3, "expected one of >, >=, <, <=, ==, !=, found '='"),
        ("m{a=b} > 1", 5, "in double quotes"),
        ('m{a="b" > 1', 9, "expected }, found '>'"),
        ('m{a="b",} > 1', 9, "expected a label, found '}'"),
        ('m{a="b",a="c"} > 1', 9, "a label that was not named before, found 'a'"),
        ('m{a="\\x"} > 1', 5, "in double quotes"),
        ("m[5] > 1", 3, "expected a duration"),
        ("m[5m > 1", 6, "expected ], found '>'"),
        ("p95(m > 1", 7, "expected ), found '>'"),
        ("m by http.route > 1", 6, "expected (, found 'http.route'"),
        ("m by (a b) > 1", 9, "expected ), found 'b'"),
        ("m > 1 warning, 2", 17, "expected one of info, error, critical"),
        ("m > 1 info, 2 info", 15, "expected one of warning, error, critical"),
        ("absent(m) >", 12, "expected a number, found the end"),
        ("m > 1 for", 10, "expected a duration"),
        ("m > 1 for 1m for 2m", 14, "expected one of min_count, keep_firing_for"),
        ("m > 1 min_count 2.5", 17, "expected a whole number"),
        ("m > 1 min_count ²", 17, "expected a whole number"),
        ("m > 1 no_data maybe", 15, "expected one of keep, fire, ok"),
        ("m > 1 and more", 7, "expected one of min_count"),
        ("  m ! 1", 5, "cannot read '!'"),
        ('m{a="b', 5, "cannot read"),
        ("m > 1" + " " * TEXT_LIMIT, TEXT_LIMIT + 1, "up to 4096 characters"),
        (
            "m > 1 min_count 1 for 1s keep_firing_for 1s recovery 1 no_data ok cooldown 1s x",
            79,
            "expected the end, found 'x'",
        ),
    ],
)
def test_a_mistake_is_named_with_its_column(
    text: str, column: int, message: str
) -> None:
    with pytest.raises(TextError) as caught:
        parse_text(text)

    assert caught.value.column == column
    assert f"column {column}: " in str(caught.value)
    assert message in str(caught.value)


def test_a_short_text_is_written_in_full() -> None:
    rule = parse_rule("r", "m > 5")

    assert format_rule(rule) == "avg(m[5m]) > 5 warning"


def test_absence_is_written_without_comparison() -> None:
    text = "absent(m[10m]) critical for 1m"

    assert format_rule(parse_rule("r", text)) == text


numbers = st.floats(-1e9, 1e9, allow_nan=False).map(lambda n: n + 0.0)
durations = st.integers(0, 10**7).map(lambda ms: ms / 1000)
names = st.from_regex(r"[a-z_][a-z0-9_.]{0,8}", fullmatch=True)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    low = draw(numbers)
    ladder = {"warning": low, "critical": low + 1 + draw(st.integers(0, 9))}
    fields: dict[str, Any] = {
        "metric": draw(names),
        "aggregation": draw(st.sampled_from(["avg", "max", "rate", "p50", "p99.9"])),
        "where": draw(st.dictionaries(names, st.text(max_size=9), max_size=3)),
        "by": draw(st.lists(names, max_size=2, unique=True)),
        "window": draw(durations) + 1,
        "operator": draw(st.sampled_from([">", ">="])),
        "threshold": draw(st.sampled_from([low, ladder])),
        "severity": draw(st.sampled_from(["info", "critical"])),
        "recovery": draw(st.sampled_from([None, low, low - 1])),
        "min_count": draw(st.integers(0, 99)),
        "for": draw(durations),
        "keep_firing_for": draw(durations),
        "no_data": {
            "policy": draw(st.sampled_from(["keep", "ok"])),
            "for": draw(durations),
        },
        "cooldown": draw(st.none() | durations),
    }
    return Rule.load({"name": "r", **fields})


@given(rules())
def test_what_is_written_means_the_same_when_read(rule: Rule) -> None:
    again = parse_rule("r", format_rule(rule))

    spelled = {"threshold", "severity"}  # one step: as number and severity, or a ladder
    assert again.model_dump(exclude=spelled) == rule.model_dump(exclude=spelled)
    assert again.rungs == rule.rungs
    assert format_rule(again) == format_rule(rule)


figures = st.floats(allow_nan=False, allow_infinity=False) | st.integers(
    -(10**9), 10**9
)
times = st.integers(0, 31_536_000_000).map(lambda ms: ms / 1000) | durations
severities = st.sampled_from(list(Severity))
words = ["by", "for", "absent", "p95", "warning", "min_count", "fire", "_.", "recovery"]
identifiers = names | st.sampled_from(words)
labels = st.dictionaries(
    identifiers, st.text(max_size=20) | st.just('"\\\\"} ]\n\t…'), max_size=3
)
steps = figures | st.dictionaries(severities, figures, max_size=4)
anything = st.fixed_dictionaries(
    {"name": st.just("r"), "metric": identifiers, "threshold": steps},
    optional={
        "aggregation": st.sampled_from(
            ["avg", "max", "rate", "ratio", "count", "absent", "p0.001", "p99.999999"]
        ),
        "where": labels,
        "by": st.lists(identifiers, max_size=3),
        "window": times,
        "operator": st.sampled_from([">", ">=", "<", "<=", "==", "!="]),
        "severity": severities,
        "recovery": st.none() | steps,
        "min_count": st.integers(0, 10**18 - 1),
        "for": times,
        "keep_firing_for": times,
        "no_data": st.fixed_dictionaries(
            {"policy": st.sampled_from(["keep", "fire", "ok"])}, optional={"for": times}
        ),
        "cooldown": st.none() | times,
        "labels": labels,
        "annotations": labels,
        "runbook_url": st.none() | st.just('https://wiki.example.org/é?"x"=\\'),
    },
)


@st.composite
def any_rules(draw: st.DrawFn) -> Rule:
    """Any rule at all, of everything that may be written in one."""
    fields = draw(anything)
    if draw(st.booleans()):
        fields.pop("aggregation", None)
        fields["quantile"] = draw(st.floats(1e-7, 1 - 1e-7))
    try:
        return Rule.load(fields)
    except RuleError:
        reject()


def beside(rule: Rule) -> dict[str, Any]:
    """Return what no text says."""
    return rule.model_dump(include={"labels", "annotations", "runbook_url"})


def meant(rule: Rule) -> tuple[object, ...]:
    """Return every field; one step is the same as a number and its severity."""
    return rule.model_dump(exclude={"threshold", "severity"}), rule.rungs


@given(any_rules())
def test_any_rule_is_the_same_when_its_text_is_read(rule: Rule) -> None:
    text = format_rule(rule)

    again = parse_rule(rule.name, text, **beside(rule))

    assert meant(again) == meant(rule)
    assert format_rule(again) == text
    assert load_rule({"name": "r", "expr": text, **beside(rule)}) == again


@given(any_rules())
def test_any_rule_is_the_same_when_it_was_stored(rule: Rule) -> None:
    stored = json.loads(json.dumps(definition(rule)))

    assert Rule.load({**stored, "name": rule.name}) == rule


@pytest.mark.parametrize(
    "text",
    [
        "absent(m[5m]) >= 1 critical",
        "absent(m[5m]) > 0 warning, 0.5 critical for 1m",
        "p99.999999(m[5m]) > 1 warning",
        "p0.000001(m[5m]) > 1 warning",
        "p50(m[5m]) > 1e-300 info, 1e+300 error",
        "avg(m[5m]) > 1 warning min_count 999999999999999999",
    ],
)
def test_a_text_is_written_as_it_was_read(text: str) -> None:
    assert format_rule(parse_rule("r", text)) == text


def test_the_severity_of_absence_may_be_a_step() -> None:
    rule = Rule.load(
        {
            "name": "r",
            "metric": "m",
            "aggregation": "absent",
            "threshold": {"critical": 0},
        }
    )

    assert format_rule(rule) == "absent(m[5m]) critical"


@given(st.text(alphabet='am1.5>[](){}="\\, x', max_size=30))
def test_any_text_is_a_rule_or_an_error_with_a_column(text: str) -> None:
    column = 1
    try:
        parse_text(text)
    except TextError as error:
        column = error.column

    assert 1 <= column <= len(text) + 1


def quoted(value: str) -> str:
    return json.dumps(value)
