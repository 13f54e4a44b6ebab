"""Aligned text for a terminal of any width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

GAP: Final = "  "
ELLIPSIS: Final = "…"
_NARROWEST: Final = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One column: numbers are aligned right, a flexible one gives way to a narrow screen."""

    title: str
    is_number: bool = False
    is_flexible: bool = False


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int
) -> list[str]:
    """Return the lines of a table no wider than `width`, as far as its columns can give."""
    titles = [column.title for column in columns]
    widths = _widths(columns, [titles, *rows], width=width)
    return [_line(columns, cells, widths) for cells in (titles, *rows)]


def pairs(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return names and values, the values aligned."""
    widest = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{widest}}{GAP}{value}".rstrip() for name, value in rows]


def shortened(text: str, width: int) -> str:
    """Return `text` on one line, cut to `width` with an ellipsis.

    Control characters go: what was measured must not be able to steer a terminal.
    """
    line = "".join(filter(str.isprintable, " ".join(text.split())))
    return line if len(line) <= width else line[: width - 1] + ELLIPSIS


def _widths(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int
) -> list[int]:
    natural = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    flexible = [i for i, column in enumerate(columns) if column.is_flexible]
    excess = sum(natural) + len(GAP) * (len(columns) - 1) - width
    # The widest gives way first, one step at a time, so that none is squeezed for another.
    while excess > 0 and flexible:
        widest = max(flexible, key=lambda i: natural[i])
        if natural[widest] <= _NARROWEST:
            break
        natural[widest] -= 1
        excess -= 1
    return natural


def _line(
    columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]
) -> str:
    shown = []
    for column, cell, width in zip(columns, cells, widths, strict=True):
        text = shortened(cell, width)
        shown.append(text.rjust(width) if column.is_number else text.ljust(width))
    return GAP.join(shown).rstrip()
