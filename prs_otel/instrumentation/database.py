"""Measure every query that Django runs, whatever the backend, alias or driver.

An observer sits next to the driver, inside all wrappers of the application, so that it
sees what is really sent, as often as it is really sent. It is put into a connection
when that is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from itertools import chain
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import connections
from django.db.backends.signals import connection_created
from opentelemetry.instrumentation.utils import suppress_instrumentation

from prs_otel import guard
from prs_otel.database_errors import type_name
from prs_otel.instrumentation import call_site, opened, procedures
from prs_otel.instrumentation.measuring import (
    EXPECTED,
    REFUSED,
    UNMEASURED,
    QueryRefusedError,
    current_block,
    mode,
    unmeasured,
)
from prs_otel.instrumentation.opened import open_connections
from prs_otel.instrumentation.query_span import QueryTracer
from prs_otel.instrumentation.statements import Description, Descriptions
from prs_otel.observation import Thresholds, current_request
from prs_otel.semconv import (
    CODE_FILE_PATH,
    CODE_FUNCTION_NAME,
    CODE_LINE_NUMBER,
    DB_OPERATION_BATCH_SIZE,
    ERROR_TYPE,
)

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["install", "open_connections", "uninstall", "unmeasured"]

_Execute = Callable[[object, object, bool, dict[str, Any]], object]
_DISPATCH_UID: Final = "prs_otel.instrumentation.database"


class Outcome(NamedTuple):
    """How a query ended; a batch is the number of its runs."""

    batch: int = 1
    failure: BaseException | None = None
    is_expected: bool = False


_WELL: Final = Outcome()
_WELL_EXPECTED: Final = Outcome(is_expected=True)


class QueryObserver:
    """Observe the queries of this process; one instance serves all connections."""

    def __init__(
        self,
        thresholds: Callable[[], Thresholds],
        remember: Callable[[str, str], object],
        tracer: QueryTracer,
    ) -> None:
        self.thresholds = thresholds
        self.remember = remember
        self._descriptions = Descriptions(remember)
        self._tracer = tracer

    def __call__(
        self,
        execute: _Execute,
        sql: object,
        params: object,
        many: bool,
        context: dict[str, Any],
    ) -> object:
        """Run a query, or a batch of the same, and observe it. A Django wrapper."""
        current_mode = mode.get()
        if current_mode == REFUSED:
            message = "this code may not query the database"
            raise QueryRefusedError(message)
        if current_mode == UNMEASURED:
            return execute(sql, params, many, context)
        if _is_traced(context["cursor"]):
            execute = _untraced(execute)
        batch = _batch_size(params) if many else 1
        well = _WELL if current_mode != EXPECTED else _WELL_EXPECTED
        # One clock for the duration: the wall clock may be set meanwhile.
        started, clock = time_ns(), perf_counter_ns()
        try:
            result = execute(sql, params, many, context)
        except BaseException as error:
            times = started, started + perf_counter_ns() - clock
            outcome = Outcome(batch, error, well.is_expected)
            self._ended(sql, context["connection"], times, outcome)
            raise
        times = started, started + perf_counter_ns() - clock
        outcome = well if batch == 1 else well._replace(batch=batch)
        self._ended(sql, context["connection"], times, outcome)
        return result

    def _ended(
        self,
        sql: object,
        connection: BaseDatabaseWrapper,
        times: tuple[int, int],
        outcome: Outcome,
    ) -> None:
        try:
            self._observe(sql, connection, times, outcome)
        except Exception:  # noqa: BLE001 - the guard logs and counts it
            guard.failed("database.observe")

    def _observe(
        self,
        sql: object,
        connection: BaseDatabaseWrapper,
        times: tuple[int, int],
        outcome: Outcome,
    ) -> None:
        described = self._descriptions.of(sql, connection)
        self.emit(described, times, outcome)

    def emit(
        self, described: Description, times: tuple[int, int], outcome: Outcome
    ) -> None:
        """Make the span of a query that has ended, and count it in its request."""
        thresholds = self.thresholds()
        duration = times[1] - times[0]
        is_slow = duration > thresholds.slow_query
        attributes = described.attributes
        if is_slow or outcome is not _WELL:
            attributes = _extended(attributes, outcome, is_slow=is_slow)
        parent = None
        request = current_request.get()
        if request is not None and not request.is_finished:
            parent = request.span_context
            count = request.add_query(
                described.fingerprint,
                duration,
                is_error=outcome.failure is not None,
                is_slow=is_slow,
                is_expected=outcome.is_expected,
            )
            if count == thresholds.n_plus_one_count:
                request.locate(described.fingerprint, call_site.find())
        else:
            block = current_block.get()
            if block is not None:
                block.has_queries = True
        self._tracer.emit(described.name, attributes, times, parent)


class _Wrappers(list[Any]):
    """A connection's `execute_wrappers` with an observer inside of all of them.

    Django iterates the list backwards and applies the first it gets innermost. What the
    application appends and pops is untouched, also while a connection is opened within
    `with connection.execute_wrapper(…)`.
    """

    __slots__ = ("observer",)

    def __init__(self, wrappers: list[Any], observer: QueryObserver) -> None:
        super().__init__(wrappers)
        self.observer = (observer,)

    def __reversed__(self) -> Iterator[Any]:
        return chain(self.observer, super().__reversed__())


_observer: QueryObserver | None = None


def _ignore(fingerprint: str, text: str) -> None:
    """Forget a text."""


def install(
    *,
    thresholds: Callable[[], Thresholds],
    remember: Callable[[str, str], object] = _ignore,
) -> None:
    """Observe every connection that is open in this thread or opened from now on.

    `remember(fingerprint, text)` is told the sanitised text of what is run. Calling
    again replaces the arguments.
    """
    global _observer
    _observer = QueryObserver(thresholds, remember, QueryTracer())
    procedures.install(_observer)
    connection_created.connect(
        _observe_connection, weak=False, dispatch_uid=_DISPATCH_UID
    )
    for connection in (*connections.all(initialized_only=True), *opened.known()):
        _observe_connection(connection=connection)


def observer() -> QueryObserver | None:
    """Return what observes queries, `None` while nothing is measured."""
    return _observer


def uninstall() -> None:
    """Leave no wrapper in any connection."""
    global _observer
    _observer = None
    procedures.uninstall()
    connection_created.disconnect(dispatch_uid=_DISPATCH_UID)
    for connection in opened.known():
        connection.execute_wrappers = list(connection.execute_wrappers)


def _observe_connection(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    if _observer is None:
        return
    opened.note(connection)
    wrappers = connection.execute_wrappers
    if not (isinstance(wrappers, _Wrappers) and wrappers.observer[0] is _observer):
        connection.execute_wrappers = _Wrappers(list(wrappers), _observer)


def _extended(
    attributes: Mapping[str, Any], outcome: Outcome, *, is_slow: bool
) -> dict[str, Any]:
    """Return a copy with what only this run of the query has to say."""
    extended = dict(attributes)
    if outcome.batch > 1:
        extended[DB_OPERATION_BATCH_SIZE] = outcome.batch
    if outcome.failure is not None:
        extended[ERROR_TYPE] = type_name(outcome.failure)
    code = call_site.find() if is_slow else None
    if code is not None:
        extended[CODE_FILE_PATH] = code.file
        extended[CODE_LINE_NUMBER] = code.line
        extended[CODE_FUNCTION_NAME] = code.function
    return extended


def _batch_size(params: object) -> int:
    # An iterator is the driver's to consume, so its length stays unknown.
    return len(params) if isinstance(params, Sized) else 1


_traced: dict[type, bool] = {}  # by the class of the driver's cursor


def _is_traced(cursor: object) -> bool:
    """Tell whether a driver's own instrumentor would make a second span."""
    kind = type(getattr(cursor, "cursor", cursor))
    found = _traced.get(kind)
    if found is None:
        found = _traced[kind] = any(
            base.__module__.startswith("opentelemetry.instrumentation")
            for base in kind.__mro__
        )
    return found


def _untraced(execute: _Execute) -> _Execute:
    def untraced(
        sql: object, params: object, many: bool, context: dict[str, Any]
    ) -> object:
        with suppress_instrumentation():
            return execute(sql, params, many, context)

    return untraced
