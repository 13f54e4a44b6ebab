"""Where the picture goes: redrawn on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from demo_runner.frame import frame, letter, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from demo_runner.frame import Moment

OTHER_SCREEN, MAIN_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
# Lines of a mail are cut here where nothing knows how wide the reader's window is.
WIDTH = 120
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


class Display(Protocol):
    """Shows moments as they pass."""

    @property
    def interval(self) -> float:
        """The seconds from one moment shown to the next."""

    def show(self, moment: Moment) -> None:
        """Show a moment."""


class Screen:
    """The whole terminal, redrawn in place."""

    interval = 1.0

    def __init__(self, out: TextIO, heading: Sequence[str]) -> None:
        self._out = out
        self._heading = heading

    def show(self, moment: Moment) -> None:
        """Redraw."""
        columns, rows = shutil.get_terminal_size()
        lines = [*self._heading, "", *frame(moment)][: rows - 1]
        drawn = "".join(f"{each[:columns]}{CLEAR_LINE}\n" for each in lines)
        self._out.write(f"{HOME}{drawn}{CLEAR_BELOW}")
        self._out.flush()


class Lines:
    """Plain lines, for a pipe or a log."""

    interval = 5.0

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._mails_shown = 0

    def show(self, moment: Moment) -> None:
        """Write a line, and the mails that have come since the last one."""
        lines = [line(moment)]
        for mail in moment.mails[self._mails_shown :]:
            lines += [f"  mail: {text}"[:WIDTH] for text in letter(mail)]
        self._mails_shown = len(moment.mails)
        self._out.write("".join(f"{each}\n" for each in lines))
        self._out.flush()


@contextmanager
def display_on(out: TextIO, heading: Sequence[str]) -> Iterator[Display]:
    """Show moments on an output, in the way that suits it, while the block runs."""
    if not out.isatty():
        out.write("".join(f"{each}\n" for each in heading))
        yield Lines(out)
        return
    # The terminal's other screen: what was on it before is back afterwards.
    out.write(OTHER_SCREEN)
    try:
        yield Screen(out, heading)
    finally:
        out.write(MAIN_SCREEN)
        out.flush()
