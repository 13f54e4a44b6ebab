"""How far a long command is, on a terminal; nothing where nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Advance = Callable[[], None]


def is_rich_installed() -> bool:
    """Tell whether the extra `cli` is there."""
    try:
        import rich  # noqa: F401 - whether it can be imported is the question
    except ImportError:
        return False
    return True


@contextmanager
def progress(stream: TextIO, title: str, *, total: int) -> Iterator[Advance]:
    """Show a bar on `stream`; what is given counts one of `total` steps."""
    if not stream.isatty():
        yield lambda: None
    elif is_rich_installed():
        with _rich(stream, title, total) as advance:
            yield advance
    else:
        with _plain(stream, title, total) as advance:
            yield advance


@contextmanager
def _rich(stream: TextIO, title: str, total: int) -> Iterator[Advance]:
    # Imported here: it belongs to the extra `cli`.
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=stream)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def _plain(stream: TextIO, title: str, total: int) -> Iterator[Advance]:
    done = 0

    def show() -> None:
        stream.write(f"\r{title} {done / max(total, 1):4.0%}")
        stream.flush()

    def advance() -> None:
        nonlocal done
        done += 1
        show()

    show()
    try:
        yield advance
    finally:
        # Whatever comes next begins on an empty line.
        stream.write(f"\r{' ' * (len(title) + 5)}\r")
        stream.flush()
