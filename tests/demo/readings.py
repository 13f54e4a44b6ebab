"""Readings made up for tests, with sober values wherever a test does not care."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo_runner.ledger import Series, Tally
from demo_runner.readings import Alert, Reading, SlowQuery, Summary

NOTHING = Tally(0, 0)


def summary(
    *,
    at: float = 0.0,
    requests: Tally = NOTHING,
    query_count: int = 0,
    endpoints: Mapping[Series, Tally] | None = None,
) -> Summary:
    return Summary(
        at=at,
        requests=requests,
        p50=0.005,
        p95=0.041,
        query_count=query_count,
        slow_query_count=12,
        n_plus_one_count=7,
        hit_rate=0.75,
        cpu=0.5,
        memory=None,
        workers=4,
        endpoints=endpoints or {},
    )


def alert(name: str, **fields: Any) -> Alert:
    known = {
        "severity": "critical",
        "state": "firing",
        "message": "0.7 > 0.3",
        "fired_at": "2026-01-02T03:04:05Z",
        "resolved_at": "",
    }
    return Alert(name=name, **(known | fields))


def reading(*, alerts: tuple[Alert, ...] = ()) -> Reading:
    day = summary(requests=Tally(100, 3))
    slow = SlowQuery("SELECT 1", 0.512, "/search/", "payments/statement.py:31")
    return Reading(day, summary(), (slow,), alerts)
