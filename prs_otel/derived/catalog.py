"""Every metric that is exported: its name, its unit, its labels, and where its figures come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from prs_otel.rollup import series

BOUNDARIES: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5),
    *(0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
"""The buckets of durations in seconds, as the semantic conventions advise."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Name a counter: the sum of a ``figure`` of the cells of ``kind``, told apart by ``labels``."""

    name: str
    unit: str
    description: str
    kind: str
    figure: str
    labels: series.Labels
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Timed:
    """Name a histogram of the durations (seconds) of ``kind``, told apart by ``labels``."""

    name: str
    description: str
    kind: str
    labels: series.Labels


@dataclass(frozen=True, slots=True)
class Looked:
    """Name a counter of what caches were asked for, which is counted by itself."""

    name: str
    unit: str
    description: str
    counter: str
    labels: series.Labels


@dataclass(frozen=True, slots=True)
class Read:
    """Name a gauge that is read from the host."""

    name: str
    unit: str
    description: str


_ROUTE: Final = ("http.route", "http.request.method")
_ALIAS: Final = ("prs.db.alias",)
_TENANT: Final = ("prs.tenant.id",)
_TASK: Final = ("prs.task.name", "prs.task.kind")
_CACHE: Final = ("prs.cache.alias", "prs.cache.operation")

TIMED: Final = (
    Timed(
        "http.server.request.duration",
        "Duration of HTTP requests.",
        series.REQUEST,
        _ROUTE,
    ),
    Timed(
        "db.client.operation.duration",
        "Duration of database queries.",
        series.QUERY,
        _ALIAS,
    ),
    Timed("prs.task.duration", "Duration of tasks.", series.TASK, _TASK),
)

COUNTED: Final = (
    Counted(
        "prs.http.server.request.errors",
        "{request}",
        "Requests that the server failed to answer.",
        series.REQUEST,
        "errors",
        _ROUTE,
    ),
    Counted(
        "prs.http.server.request.slow",
        "{request}",
        "Requests that took longer than the threshold.",
        series.REQUEST,
        "slow",
        _ROUTE,
    ),
    Counted(
        "prs.http.server.request.queries",
        "{query}",
        "Queries that requests ran.",
        series.REQUEST,
        "queries",
        _ROUTE,
    ),
    Counted(
        "prs.http.server.request.n_plus_one",
        "{request}",
        "Requests that repeated a query.",
        series.REQUEST,
        "findings",
        _ROUTE,
    ),
    Counted(
        "prs.db.client.operation.errors",
        "{query}",
        "Queries that failed.",
        series.QUERY,
        "errors",
        _ALIAS,
    ),
    Counted(
        "prs.db.client.operation.slow",
        "{query}",
        "Queries that took longer than the threshold.",
        series.QUERY,
        "slow",
        _ALIAS,
    ),
    Counted(
        "prs.tenant.requests",
        "{request}",
        "Requests of an organisation.",
        series.ORGANIZATION,
        "count",
        _TENANT,
    ),
    Counted(
        "prs.tenant.request.errors",
        "{request}",
        "Requests of an organisation that the server failed to answer.",
        series.ORGANIZATION,
        "errors",
        _TENANT,
    ),
    Counted(
        "prs.task.errors",
        "{task}",
        "Tasks that failed.",
        series.TASK,
        "errors",
        _TASK,
    ),
    Counted(
        "prs.task.slow",
        "{task}",
        "Tasks that took longer than the threshold.",
        series.TASK,
        "slow",
        _TASK,
    ),
    Counted(
        "prs.cache.operations",
        "{operation}",
        "Calls of caches.",
        series.CACHE,
        "count",
        _CACHE,
    ),
    Counted(
        "prs.cache.operation.time",
        "s",
        "Time that calls of caches took.",
        series.CACHE,
        "total",
        _CACHE,
        1e-9,
    ),
)

LOOKED: Final = (
    Looked(
        "prs.cache.hits",
        "{key}",
        "Keys that a cache had.",
        series.CACHE_HITS,
        ("prs.cache.alias",),
    ),
    Looked(
        "prs.cache.misses",
        "{key}",
        "Keys that a cache did not have.",
        series.CACHE_MISSES,
        ("prs.cache.alias",),
    ),
)

READ: Final = (
    Read("system.cpu.utilization", "1", "Use of the host's processors."),
    Read("system.memory.utilization", "1", "Use of the host's memory."),
    Read(
        "system.filesystem.utilization",
        "1",
        "Use of the file system that the project is on.",
    ),
    Read(
        "db.client.connection.count",
        "{connection}",
        "Open database connections of all workers of the host.",
    ),
)
