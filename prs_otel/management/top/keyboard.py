"""Keys as they are pressed, from a terminal that is left as it was."""

from __future__ import annotations

import os
import select
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

END: Final = "\x03"
"""What Ctrl-C types where the terminal makes no signal of it, and any request to end here."""

Wait = Callable[[float], str]


@contextmanager
def keys(stream: IO[str]) -> Iterator[Wait]:
    """Give what waits so many seconds for a key and returns it, `""` when there was none.

    Being told to end by a signal is the key `END`; a second time it is `KeyboardInterrupt`.
    """
    with _told_to_end() as told, _unbuffered(stream) as typed:
        yield lambda seconds: _key(told, typed, seconds)


def _key(told: int, typed: int | None, seconds: float) -> str:
    watched = [told] if typed is None else [told, typed]
    ready, _, _ = select.select(watched, [], [], seconds)
    if not ready:
        return ""
    if typed not in ready or told in ready:
        return END
    # A terminal that is gone is readable, and has nothing.
    return os.read(typed, 1).decode(errors="replace") or END


@contextmanager
def _unbuffered(stream: IO[str]) -> Iterator[int | None]:
    if not stream.isatty():
        yield None
        return
    number = stream.fileno()
    before = termios.tcgetattr(number)
    # What was typed ahead is not to be lost.
    tty.setcbreak(number, termios.TCSANOW)
    try:
        yield number
    finally:
        # It may be gone.
        with suppress(termios.error):
            termios.tcsetattr(number, termios.TCSADRAIN, before)


@contextmanager
def _told_to_end() -> Iterator[int]:
    """Give what is readable once a signal has asked for the end.

    An exception would be lost wherever Python cannot raise it, such as in a finalizer.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def tell(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        with suppress(BlockingIOError):
            os.write(writing, b"\0")

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, tell) for each in numbers}
    with closing(os.fdopen(reading)), closing(os.fdopen(writing, "w")):
        try:
            yield reading
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
