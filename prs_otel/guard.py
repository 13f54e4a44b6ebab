"""Keep our failures away from the host application.

Every hook body runs inside the guard: a failure of ours becomes a counter and one
rate-limited log line, never an exception in somebody's request. Tests set `reraise`
so that nothing is hidden from them.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ContextDecorator, suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from prs_otel import native
from prs_otel.database_errors import described, quotes_values, stack_of

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger("prs_otel")

# Places are written in our code, so the bound only matters if one is ever computed.
PLACES_LIMIT: Final = 256
OVERFLOW: Final = "__other__"
LOG_INTERVAL: Final = 60.0  # seconds between two log lines for the same place
_FAILED: Final = (
    "prs_otel failed in %s (%d so far); your application is not affected, "
    "but what was being measured there is lost"
)

reraise = os.environ.get("PRS_OTEL_RERAISE") == "1"

_failures: dict[str, int] = {}
_logged_at: dict[str, float] = {}
_lock = native.new_rlock()  # protects both tables


class guarded(ContextDecorator):  # noqa: N801 - reads as a verb: with guarded("…")
    """Swallow, count and log any `Exception` raised inside the block or function.

    `where` names the place in logs and in `report()`. `KeyboardInterrupt` and the
    like always pass.
    """

    __slots__ = ("where",)

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        """Start guarding."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception) or reraise:
            return False
        _note(self.where, error)
        return True


def failed(where: str) -> None:
    """Count and log the exception being handled; re-raise it in our tests.

    For hot paths, where a plain try/except is cheaper than a context manager. Call it
    from an `except Exception` block only.
    """
    error = sys.exception()
    if not isinstance(error, Exception):
        message = "guard.failed() must be called while an exception is handled"
        raise RuntimeError(message)  # noqa: TRY004 - a misuse, not a wrong type
    if reraise:
        raise error
    _note(where, error)


def tolerated(where: str, error: Exception) -> None:
    """Count a fault from outside that is expected to pass, such as a full disk.

    Logged like a failure of ours but without a traceback, and never re-raised.
    """
    count, is_due = _count(where)
    # A broken log handler is the application's own, but it would surface here.
    if is_due:
        with suppress(Exception):
            logger.warning("%s (%s, %d times so far)", described(error), where, count)


def report() -> dict[str, int]:
    """Return how often each place has failed in this process."""
    with _lock:
        return dict(_failures)


def reset() -> None:
    """Forget all failures: a forked worker starts its own count."""
    global _lock
    # The parent's other threads may have held the lock at the moment of the fork.
    _lock = native.new_rlock()
    _failures.clear()
    _logged_at.clear()


def _note(where: str, error: Exception) -> None:
    count, is_due = _count(where)
    if is_due:
        _log(where, count, error)


def _count(where: str) -> tuple[int, bool]:
    """Return how often the place has failed, and whether a log line is due again."""
    now = monotonic()
    with _lock:
        place = where if where in _failures or _has_room() else OVERFLOW
        _failures[place] = _failures.get(place, 0) + 1
        is_due = now - _logged_at.get(place, -LOG_INTERVAL) >= LOG_INTERVAL
        if is_due:
            _logged_at[place] = now
        return _failures[place], is_due


def _has_room() -> bool:
    return len(_failures) < PLACES_LIMIT


def _log(where: str, count: int, error: Exception) -> None:
    with suppress(Exception):  # as above
        if quotes_values(error):
            logger.error(f"{_FAILED}\n%s", where, count, stack_of(error))  # noqa: G004 - a constant
        else:
            logger.error(_FAILED, where, count, exc_info=error)
