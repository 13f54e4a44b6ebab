from __future__ import annotations

import logging
import threading

import pytest

from prs_otel import guard
from prs_otel.slow_log.entry import Entry
from prs_otel.slow_log.writer import WAITING_LIMIT, Writer

PATIENCE = 10.0


def numbered(number: int) -> Entry:
    return Entry({"number": number})


class Gate(logging.Handler):
    """A handler that blocks until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun, self.is_open = threading.Event(), threading.Event()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.has_begun.set()
        assert self.is_open.wait(PATIENCE)
        self.lines.append(record.getMessage())


class Broken(logging.Handler):
    """A handler that raises on every second line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if len(self.lines) % 2:
            raise OSError("no space left on device")


def test_a_handler_that_blocks_holds_up_nobody(logger: logging.Logger) -> None:
    gate = Gate()
    logger.addHandler(gate)
    writer = Writer(logger)

    assert writer.write(numbered(0))
    assert gate.has_begun.wait(PATIENCE)
    taken = [writer.write(numbered(n)) for n in range(1, WAITING_LIMIT + 11)]
    assert not writer.stop(0.01)

    assert taken == [True] * WAITING_LIMIT + [False] * 10
    gate.is_open.set()
    assert writer.stop(PATIENCE)
    assert gate.lines == [f"number={n}" for n in range(WAITING_LIMIT + 1)]


def test_a_handler_that_raises_costs_its_own_line_only(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "reraise", False)
    broken = Broken()
    logger.addHandler(broken)
    writer = Writer(logger)

    for number in range(4):
        assert writer.write(numbered(number))
    assert writer.stop(PATIENCE)

    assert broken.lines == [f"number={n}" for n in range(4)]
    assert guard.report()["slow_log"] == 2


def test_a_writer_without_a_line_has_no_thread(logger: logging.Logger) -> None:
    writer = Writer(logger)

    assert writer.stop(0.0)
    assert not writer._background.is_alive
