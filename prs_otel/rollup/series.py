"""The kinds of series a rollup keeps, and the labels that tell the series of a kind apart."""

from __future__ import annotations

Labels = tuple[str, ...]

REQUEST = "request"
QUERY = "query"
ORGANIZATION = "organization"
ORGANIZATION_QUERY = "organization_query"
USER = "user"
TASK = "task"
N_PLUS_ONE = "n_plus_one"
TASK_N_PLUS_ONE = "task_n_plus_one"
CACHE = "cache"
QUERY_ENDPOINT = "query_endpoint"
"""Which requests ran a statement: a count is of requests, `queries` of executions."""

LABEL_NAMES: dict[str, Labels] = {
    REQUEST: ("http.route", "http.request.method"),
    QUERY: ("prs.db.alias", "prs.db.query.fingerprint"),
    ORGANIZATION: ("prs.tenant.id",),
    ORGANIZATION_QUERY: ("prs.tenant.id",),
    USER: ("user.id",),
    TASK: ("prs.task.name", "prs.task.kind"),
    N_PLUS_ONE: (
        "prs.db.query.fingerprint",
        "http.route",
        "code.file.path",
        "code.line.number",
        "code.function.name",
    ),
    TASK_N_PLUS_ONE: (
        "prs.db.query.fingerprint",
        "prs.task.name",
        "code.file.path",
        "code.line.number",
        "code.function.name",
    ),
    CACHE: ("prs.cache.alias", "prs.cache.operation"),
    QUERY_ENDPOINT: ("prs.db.query.fingerprint", "http.route"),
}
"""Every kind with the names of its labels, in the order in which :data:`Labels` holds them."""

CACHE_GAUGES = (
    "prs.cache.memory.usage",
    "prs.cache.memory.limit",
    "prs.cache.item.count",
    "prs.cache.evictions",
)

VERSION_GAUGE = "prs.service.info"
"""1 from each process that serves, labelled by the version of what it serves."""

GAUGE_LABELS: dict[str, Labels] = {
    **dict.fromkeys(CACHE_GAUGES, ("host.name", "prs.cache.alias")),
    VERSION_GAUGE: ("service.version",),
}
"""The labels of gauges that are told apart by more than the host that read them."""

FAILURES = {
    REQUEST: "request_failure",
    QUERY: "query_failure",
    TASK: "task_failure",
}
"""The sampled kinds, each with the name under which its latest failures are kept as samples."""

UNRESOLVED = "__unresolved__"
"""The endpoint of requests that no route matched."""

OTHER = "__other__"
"""The label value of the series that takes what exceeds the cap, so that parts sum to the total."""

CACHE_HITS = "prs.cache.hits"
CACHE_MISSES = "prs.cache.misses"


def other(kind: str) -> Labels:
    """Return the labels of the series into which ``kind`` folds what exceeds its cap."""
    return (OTHER,) * len(LABEL_NAMES[kind])
