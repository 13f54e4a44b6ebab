"""What the view says, read over HTTP as any client of the API would."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from demo_runner.client import Call
from demo_runner.ledger import Series, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo_runner.client import Client

SUMMARY = "/api/monitoring/performance/summary/"
SLOW_QUERIES = "/api/monitoring/database/slow-queries/"
HISTORY = "/api/alerting/history/"
OK = 200
RECENT_SECONDS = 15.0


class ReadingError(Exception):
    """The API did not answer as it should."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of the demo out of the performance summary."""

    at: float
    requests: Tally
    p50: float
    p95: float
    query_count: int
    slow_query_count: int
    n_plus_one_count: int
    hit_rate: float | None
    cpu: float | None
    memory: float | None
    workers: int
    endpoints: Mapping[Series, Tally]

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, at: float) -> Self:
        """Read the API's document."""
        requests, queries = document["requests"], document["queries"]
        return cls(
            at=at,
            requests=_tally(requests),
            p50=requests["duration"]["p50"],
            p95=requests["duration"]["p95"],
            query_count=queries["count"],
            slow_query_count=queries["slow_count"],
            n_plus_one_count=queries["n_plus_one_count"],
            hit_rate=document["cache"]["hit_rate"],
            cpu=document["system"]["cpu_utilization"],
            memory=document["system"]["memory_utilization"],
            workers=document["monitor"]["workers"],
            endpoints={
                Series(row["endpoint"], row["method"]): _tally(row)
                for row in document["endpoints"]
            },
        )


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """One slow execution of a statement."""

    query: str
    duration: float
    endpoint: str
    place: str

    @classmethod
    def from_document(cls, item: Mapping[str, Any]) -> Self:
        """Read an item of the list."""
        code = item["code"]
        return cls(
            query=" ".join((item["query"] or "").split()),
            duration=item["duration"],
            endpoint=item["endpoint"] or "",
            place=f"{code['file']}:{code['line']}" if code else "",
        )


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of the history; times as the API writes them, "" for not yet."""

    name: str
    severity: str
    state: str
    message: str
    fired_at: str
    resolved_at: str

    @classmethod
    def from_document(cls, item: Mapping[str, Any]) -> Self:
        """Read an item of the history."""
        return cls(
            name=item["name"],
            severity=item["severity"],
            state=item["state"],
            message=item["message"],
            fired_at=item["fired_at"] or "",
            resolved_at=item["resolved_at"] or "",
        )

    @property
    def is_firing(self) -> bool:
        """Whether it has fired and is not over."""
        return bool(self.fired_at) and not self.resolved_at


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything the display shows, read at about the same time."""

    day: Summary
    recent: Summary
    slow_queries: tuple[SlowQuery, ...]
    alerts: tuple[Alert, ...]


class View:
    """The server's API, as the demo's staff user sees it; belongs to one thread."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def reading(self) -> Reading:
        """Read it all."""
        recent = self.summary(hours=RECENT_SECONDS / 3600)
        return Reading(self.summary(), recent, self.slow_queries(), self.alerts())

    def summary(self, *, hours: float = 24) -> Summary:
        """Read the performance summary, by default of the day: of the whole demo."""
        document = self._get(SUMMARY, f"hours={hours:.4f}")
        return Summary.from_document(document, at=time.monotonic())

    def slow_queries(self) -> tuple[SlowQuery, ...]:
        """Read the slowest queries, of each statement the slowest alone."""
        slowest: dict[str, SlowQuery] = {}
        for item in self._get(SLOW_QUERIES, "limit=50")["items"]:
            slowest.setdefault(item["fingerprint"], SlowQuery.from_document(item))
        return tuple(slowest.values())

    def alerts(self) -> tuple[Alert, ...]:
        """Read the alerts of the day."""
        items = self._get(HISTORY, "hours=24")["items"]
        return tuple(Alert.from_document(item) for item in items)

    def _get(self, endpoint: str, query: str) -> dict[str, Any]:
        answer = self._client.send(Call(endpoint, f"{endpoint}?{query}"))
        if answer is None or answer.status != OK:
            said = (
                f"{answer.status}: {answer.body[:200]!r}" if answer else "no response"
            )
            raise ReadingError(f"GET {endpoint} {said}")
        return answer.json()


def _tally(figures: Mapping[str, Any]) -> Tally:
    return Tally(figures["count"], figures["error_count"])
