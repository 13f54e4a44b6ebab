from __future__ import annotations

from typing import Any

from demo_runner.ledger import Series, Tally
from demo_runner.readings import Alert, SlowQuery, Summary

FIGURES: dict[str, Any] = {
    "count": 10,
    "error_count": 2,
    "slow_count": 1,
    "duration": {"p50": 0.1, "p95": 0.2},
}


def test_a_summary_is_read_from_the_apis_document() -> None:
    document: dict[str, Any] = {
        "requests": FIGURES,
        "queries": FIGURES | {"count": 30, "n_plus_one_count": 4},
        "cache": {"hit_rate": None},
        "system": {"cpu_utilization": 0.5, "memory_utilization": 0.25},
        "monitor": {"workers": 4},
        "endpoints": [{"endpoint": "/deals/", "method": "GET"} | FIGURES],
    }
    assert Summary.from_document(document, at=1.5) == Summary(
        at=1.5,
        requests=Tally(10, 2),
        p50=0.1,
        p95=0.2,
        query_count=30,
        slow_query_count=1,
        n_plus_one_count=4,
        hit_rate=None,
        cpu=0.5,
        memory=0.25,
        workers=4,
        endpoints={Series("/deals/", "GET"): Tally(10, 2)},
    )


def test_a_slow_query_is_read_on_one_line() -> None:
    code = {"file": "payments/statement.py", "line": 31, "function": "find"}
    item = {"query": "SELECT\n  1", "duration": 0.5, "endpoint": "/a/", "code": code}
    assert SlowQuery.from_document(item) == SlowQuery(
        "SELECT 1", 0.5, "/a/", "payments/statement.py:31"
    )


def test_a_slow_query_may_come_from_nowhere_known() -> None:
    item = {"query": None, "duration": 0.5, "endpoint": None, "code": None}
    assert SlowQuery.from_document(item) == SlowQuery("", 0.5, "", "")


def test_an_alert_fires_from_its_firing_to_its_resolution() -> None:
    item = {"name": "n", "severity": "warning", "state": "pending", "message": "m"}
    states = [
        Alert.from_document(item | {"fired_at": fired, "resolved_at": resolved})
        for fired, resolved in [(None, None), ("t1", None), ("t1", "t2")]
    ]
    assert [state.is_firing for state in states] == [False, True, False]
