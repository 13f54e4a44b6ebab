"""Ctrl-C and its kin: one exception, never in the middle of starting or ending a server."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants the demo to end."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class _Watch:
    """Which signals are put off, and which of them came meanwhile."""

    def __init__(self) -> None:
        self.holders = 0
        self.pending: int | None = None

    def handle(self, signum: int, _: FrameType | None) -> None:
        if self.holders:
            self.pending = signum
        else:
            raise Interrupted(signum)

    def release(self) -> None:
        self.holders -= 1
        signum, self.pending = self.pending, None
        if signum is not None and not self.holders:
            raise Interrupted(signum)


_watch = _Watch()


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the signals that end a program into `Interrupted`; for the main thread."""
    before = {number: signal.signal(number, _watch.handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """Put interruptions off until the end of the block."""
    _watch.holders += 1
    try:
        yield
    finally:
        _watch.release()
