"""Observe a query while it runs: its time, its outcome, and in which request it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from prs_otel import guard
from prs_otel.database_errors import type_name
from prs_otel.instrumentation import call_site
from prs_otel.instrumentation.driver_spans import is_traced, untraced
from prs_otel.instrumentation.measuring import (
    EXPECTED,
    REFUSED,
    UNMEASURED,
    QueryRefusedError,
    current_block,
    mode,
)
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

    from prs_otel.instrumentation.driver_spans import Execute
    from prs_otel.instrumentation.query_span import QueryTracer


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
        execute: Execute,
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
        if is_traced(context["cursor"]):
            execute = untraced(execute)
        if current_mode == UNMEASURED:
            return execute(sql, params, many, context)
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
        if not described.is_of_backend:
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
