"""What a request does while it runs, gathered where all its code can reach it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple

from prs_otel.rollup import series

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from prs_otel.instrumentation.n_plus_one import Finding
    from prs_otel.observation import Observation

REPEATS_LIMIT: Final = 1_000
OUTCOMES_LIMIT: Final = 10_000
OTHER_METHOD: Final = "_OTHER"  # as the semantic conventions spell it

_new = tuple.__new__  # a NamedTuple's own constructor costs twice as much


class CallSite(NamedTuple):
    """A place in the project's own code; `file` is relative to the project directory."""

    file: str
    line: int
    function: str


class Repeat(NamedTuple):
    """How often one fingerprint ran within a request, and how long that took (ns)."""

    runs: int
    duration: int
    code: CallSite | None


class RequestContext:
    """Gather what one request does while it runs. Lives in `current_request`.

    Not thread-safe: a request that runs queries in several threads at once may lose a
    repeat, never more.
    """

    __slots__ = (
        "failed_at",
        "findings",
        "is_finished",
        "is_streaming",
        "keeps_outcomes",
        "method",
        "organization_id",
        "outer",
        "outer_span_id",
        "pending",
        "query_count",
        "query_outcomes",
        "query_time",
        "repeats",
        "route",
        "scope",
        "slow_query_count",
        "span_context",
        "span_id",
        "status_code",
        "user_id",
    )

    def __init__(self, *, outer: RequestContext | None = None) -> None:
        self.span_context: SpanContext | None = None
        self.span_id = 0
        self.scope = ""
        self.outer = outer  # the request within which this one runs
        self.outer_span_id = 0  # of a server's span around the one that counts
        self.method = OTHER_METHOD
        self.route: str | None = None
        self.status_code = 0
        self.failed_at: CallSite | None = (
            None  # where the unhandled exception was raised
        )
        self.organization_id: str | None = None
        self.user_id: str | None = None
        self.query_count = 0
        self.slow_query_count = 0
        self.query_time = 0
        self.keeps_outcomes = False
        self.query_outcomes: list[tuple[int, bool, bool]] = []
        self.repeats: dict[str, Repeat] = {}
        self.findings: tuple[Finding, ...] = ()
        self.is_finished = False
        self.is_streaming = False
        self.pending: Observation | None = None  # until the stream is closed

    def stand_for(self, span_context: SpanContext, scope: str) -> None:
        """Belong to the span of an instrumentation scope, the innermost for a request."""
        self.span_context, self.scope = span_context, scope
        self.span_id = span_context.span_id

    @property
    def endpoint(self) -> str | None:
        """Return the route with its leading slash, or what stands for none."""
        return series.UNRESOLVED if self.route is None else self.route

    @property
    def task(self) -> str | None:
        """Return the name of the task this is, `None` for a request."""
        return None

    def add_query(  # noqa: PLR0913 - what a query was, on a hot path
        self,
        fingerprint: str,
        duration: int,
        *,
        is_error: bool = False,
        is_slow: bool = False,
        is_expected: bool = False,
        is_of_tenant: bool = True,
    ) -> int:
        """Count a query; return how often its fingerprint has run in this request.

        An expected one is no repeat: the answer is 0. One that is not of the request's
        own tenant is left out of that tenant's figures.
        """
        self.query_count += 1
        self.query_time += duration
        if is_slow:
            self.slow_query_count += 1
        if (
            self.keeps_outcomes
            and is_of_tenant
            and len(self.query_outcomes) < OUTCOMES_LIMIT
        ):
            self.query_outcomes.append((duration, is_error, is_slow))
        if is_expected:
            return 0
        repeats = self.repeats
        before = repeats.get(fingerprint)
        if before is not None:
            count = before[0] + 1
            repeats[fingerprint] = _new(
                Repeat, (count, before[1] + duration, before[2])
            )
            return count
        if len(repeats) >= REPEATS_LIMIT:
            return 0
        repeats[fingerprint] = _new(Repeat, (1, duration, None))
        return 1

    def locate(self, fingerprint: str, code: CallSite | None) -> None:
        """Note the line of code that repeats a fingerprint."""
        repeat = self.repeats.get(fingerprint)
        if repeat is not None:
            self.repeats[fingerprint] = repeat._replace(code=code)


class TaskContext(RequestContext):
    """Gather what a task does while it runs: no request, but with queries like one."""

    __slots__ = ("kind", "name")

    def __init__(self, kind: str, name: str) -> None:
        super().__init__()
        self.kind = kind
        self.name = name

    @property
    def endpoint(self) -> str | None:
        """Return `None`: a task has no route."""
        return None

    @property
    def task(self) -> str | None:
        """Return the name of the task."""
        return self.name


class TenantContext(RequestContext):
    """Stand for the request of something that is known to belong to a tenant."""

    __slots__ = ("_is_within", "_task")

    def __init__(self, organization_id: str) -> None:
        super().__init__()
        self.organization_id = organization_id
        self._is_within = False
        self._task: str | None = None

    def stand_in_for(self, request: RequestContext) -> None:
        """Lie within a request or task that may be another tenant's."""
        self._is_within = request.task is None
        self._task = request.task
        self.route, self.method = request.route, request.method
        self.span_context = request.span_context

    @property
    def endpoint(self) -> str | None:
        """Return the route of the request around, `None` outside of all requests."""
        return super().endpoint if self._is_within else None

    @property
    def task(self) -> str | None:
        """Return the name of the task around, `None` outside of all tasks."""
        return self._task


current_request: ContextVar[RequestContext | None] = ContextVar(
    "prs_otel_request", default=None
)


def finish(request: RequestContext) -> None:
    """Mark a request as finished and take it out of the current context."""
    request.is_finished = True
    # While a server's own span is still open around it, that span's end takes it out.
    if current_request.get() is request and not request.outer_span_id:
        current_request.set(request.outer)
        request.outer = None
