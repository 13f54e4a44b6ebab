"""Draw screen after screen until somebody has seen enough. Needs the extra `cli`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from prs_otel.management.report import Level, Line
from prs_otel.management.top.keyboard import END

if TYPE_CHECKING:
    from prs_otel.management.top.keyboard import Wait

QUIT: Final = ("q", "Q", END, "\x04")
_STYLES: Final = {
    None: "",
    Level.OK: "green",
    Level.WARNING: "yellow",
    Level.CRITICAL: "bold red",
}

Draw = Callable[[int, int], list[Line]]


def watch(
    draw: Draw, *, out: TextIO, wait: Wait, interval: float, iterations: int | None
) -> None:
    """Draw every `interval` seconds, at most `iterations` times, until q is pressed.

    The terminal is given back whatever happens.
    """
    console = Console(file=out)
    shown = 0
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            lines = draw(console.width, console.height)
            live.update(rendered(lines), refresh=True)
            shown += 1
            if shown == iterations or wait(interval) in QUIT:
                return


def rendered(lines: Iterable[Line]) -> Group:
    """Return lines as rich draws them, whatever is in them."""
    return Group(*(Text(line.text, _style(line), no_wrap=True) for line in lines))


def _style(line: Line) -> str:
    return "bold reverse" if line.is_heading else _STYLES[line.level]
