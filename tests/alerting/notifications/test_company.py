from __future__ import annotations

from typing import Any

import pytest

from alerting.alert import Kind
from alerting.notice import Notice
from alerting.notifications.behind import behind
from alerting.notifications.company import in_company
from alerting.notifications.muting import Firing
from tests.support.notices import notice, resolution

TEMPLATE = "https://traces.example/trace/{trace_id}"


def firing(name: str, severity: str = "warning", *, times: int = 1) -> list[Firing]:
    labels = {"alertname": name, "severity": severity}
    return [Firing(f"{name}:{n}", labels) for n in range(times)]


def completed(
    *alerts: Firing, about: Notice | None = None, trace_url: str | None = None
) -> dict[str, Any]:
    [found] = in_company([about or notice()], alerts, trace_url=trace_url)
    return found.evidence


def test_what_else_fires_is_named_the_worst_first() -> None:
    found = completed(
        *firing("deals_errors"),
        *firing("low_disk_space", times=2),
        *firing("low_disk_space", "critical"),
        *firing("high_cpu_usage"),
    )

    assert found == {
        "also_firing": [
            {"name": "low_disk_space", "severity": "critical", "count": 3},
            {"name": "high_cpu_usage", "severity": "warning", "count": 1},
        ]
    }


def test_an_alert_is_no_company_for_itself() -> None:
    assert completed(*firing("deals_errors")) == {}
    others = completed(*firing("deals_errors", times=3))["also_firing"]
    assert [(each["name"], each["count"]) for each in others] == [("deals_errors", 2)]


def test_of_a_storm_the_worst_rules_are_named_and_the_others_counted() -> None:
    names = [f"rule_{n}" for n in range(9)]
    alerts = [each for name in names for each in firing(name, times=1_000)]

    alone = completed(*alerts, *firing("deals_errors"))
    among = completed(*alerts, *firing("deals_errors", "critical", times=2))

    assert [each["name"] for each in alone["also_firing"]] == names[:5]
    assert alone["also_firing_more"] == 4
    assert [each["name"] for each in among["also_firing"]] == [
        "deals_errors",
        *names[:4],
    ]
    assert among["also_firing_more"] == 5


@pytest.mark.parametrize(("rules", "said"), [(6, "1 more rule"), (7, "2 more rules")])
def test_in_a_message_it_is_one_line_each_and_one_for_the_rest(
    rules: int, said: str
) -> None:
    found = completed(
        *(each for n in range(rules) for each in firing(f"rule_{n}", times=1 + n % 2))
    )

    told = [text for name, text in behind(found) if name == "also"]

    assert told[:2] == ["rule_0 (warning)", "rule_1 (warning, 2 alerts)"]
    assert (len(told), told[-1]) == (6, f"and {said}")


def test_in_a_storm_of_as_many_rules_each_has_the_same_company() -> None:
    names = [f"rule_{n:04}" for n in range(5_000)]
    alerts = [each for name in names for each in firing(name)]

    found = in_company([notice(name=name) for name in names], alerts, trace_url=None)

    assert {each.evidence["also_firing_more"] for each in found} == {4_994}
    assert {len(each.evidence["also_firing"]) for each in found} == {5}


def test_traces_are_linked_where_the_settings_say_where_they_are() -> None:
    about = notice(evidence={"traces": ["a" * 32, "b" * 32]})

    assert "trace_urls" not in completed(about=about)
    assert completed(about=about, trace_url=TEMPLATE)["trace_urls"] == [
        f"https://traces.example/trace/{'a' * 32}",
        f"https://traces.example/trace/{'b' * 32}",
    ]
    assert completed(trace_url=TEMPLATE) == {}


@pytest.mark.parametrize("kind", [Kind.RECOVERING, Kind.RELAPSED, Kind.RESOLVED])
def test_only_alarms_are_told_in_company(kind: Kind) -> None:
    about = resolution(kind=kind)

    assert in_company([about], firing("x"), trace_url=TEMPLATE) == (about,)
