"""What every test may rely on: nothing of ours fails in silence."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from prs_otel import guard
from prs_otel.request_context import current_request


@pytest.fixture(autouse=True)
def _failures_are_raised_and_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    monkeypatch.setattr(guard, "reraise", True)
    yield
    guard.reset()


@pytest.fixture(autouse=True)
def _no_task_goes_on() -> Iterator[None]:
    """End what a span has begun that the test never ended."""
    yield
    current_request.set(None)


@pytest.fixture(autouse=True)
def _connections_of_other_threads_are_closed() -> Iterator[None]:
    """Close what Python 3.13 would blame on whichever test the collector runs in."""
    found: list[BaseDatabaseWrapper] = []

    def remember(connection: BaseDatabaseWrapper, **_: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            found.append(connection)

    connection_created.connect(remember)
    yield
    connection_created.disconnect(remember)
    for connection in found:
        connection.inc_thread_sharing()
        # SQLite's own `close` ignores databases in memory, which all of ours are.
        BaseDatabaseWrapper.close(connection)
        connection.dec_thread_sharing()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything under tests/integration, so that `-m` can choose by speed."""
    for item in items:
        if "integration" in item.path.parts:
            item.add_marker(pytest.mark.integration)
