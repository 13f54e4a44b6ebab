"""A logger for each test, whose handlers are the test's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Return a logger that nobody else listens to."""
    logger = logging.getLogger("performance.of_a_test")
    logger.propagate = False
    yield logger
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
