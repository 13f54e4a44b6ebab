"""Keys as they are pressed, from a terminal that is left as it was."""

from __future__ import annotations

import os
import select
import signal
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

Wait = Callable[[float], str]


@contextmanager
def keys(stream: IO[str]) -> Iterator[Wait]:
    """Give what waits so many seconds for a key and returns it, `""` when there was none.

    Being told to end raises `KeyboardInterrupt` like Ctrl-C, so that a screen is given back.
    """
    with _ended_politely():
        if not stream.isatty():
            yield _pause
            return
        number = stream.fileno()
        before = termios.tcgetattr(number)
        # What was typed ahead is not to be lost.
        tty.setcbreak(number, termios.TCSANOW)
        try:
            yield lambda seconds: _key(number, seconds)
        finally:
            termios.tcsetattr(number, termios.TCSADRAIN, before)


def _pause(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def _key(number: int, seconds: float) -> str:
    ready, _, _ = select.select([number], [], [], seconds)
    return os.read(number, 1).decode(errors="replace") if ready else ""


@contextmanager
def _ended_politely() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, signal.default_int_handler) for each in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
