from __future__ import annotations

import sys
from io import StringIO

import pytest

from prs_otel.management.export.progress import progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: StringIO, *, total: int, steps: int) -> str:
    with progress(stream, "Exporting", total=total) as advance:
        for _ in range(steps):
            advance()
    return stream.getvalue()


def test_nothing_is_shown_where_nobody_watches() -> None:
    assert shown(StringIO(), total=2, steps=2) == ""


def test_a_bar_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")

    text = shown(Terminal(), total=2, steps=2)

    assert "Exporting" in text
    assert "100%" in text


@pytest.mark.parametrize("total", [0, 4])
def test_without_rich_it_is_a_percentage_that_leaves_no_trace(
    total: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)

    text = shown(Terminal(), total=total, steps=total)

    assert text.startswith("\rExporting   0%")
    assert ("\rExporting  50%" in text) is (total == 4)
    assert text.endswith("\r" + " " * 14 + "\r")
