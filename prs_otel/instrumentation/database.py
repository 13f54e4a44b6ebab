"""Measure every query that Django runs, whatever the backend, alias or driver.

An observer sits next to the driver, inside all wrappers of the application, so that it
sees what is really sent, as often as it is really sent. It is put into a connection
when that is opened. What Django says to a database in order to open one is no query:
most backends let nobody see it, and MySQL's only from the second time on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from django.db import connections
from django.db.backends.signals import connection_created

from prs_otel.instrumentation import opened, procedures, server_data
from prs_otel.instrumentation.measuring import unmeasured
from prs_otel.instrumentation.opened import open_connections
from prs_otel.instrumentation.query_observer import QueryObserver
from prs_otel.instrumentation.query_span import QueryTracer

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from prs_otel.observation import Thresholds

__all__ = ["install", "open_connections", "uninstall", "unmeasured"]

_DISPATCH_UID: Final = "prs_otel.instrumentation.database"
_SET_UP: Final = "init_connection_state"


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


class _SetUp:
    """A connection's `init_connection_state`, whose queries are not the application's."""

    __slots__ = ("original",)

    def __init__(self, original: Callable[[], None]) -> None:
        self.original = original

    def __call__(self) -> None:
        with unmeasured():
            self.original()


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
    server_data.install()
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
        if isinstance(vars(connection).get(_SET_UP), _SetUp):
            delattr(connection, _SET_UP)


def _observe_connection(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    if _observer is None:
        return
    opened.note(connection)
    wrappers = connection.execute_wrappers
    if not (isinstance(wrappers, _Wrappers) and wrappers.observer[0] is _observer):
        connection.execute_wrappers = _Wrappers(list(wrappers), _observer)
    if _SET_UP not in vars(connection):
        setattr(connection, _SET_UP, _SetUp(connection.init_connection_state))
