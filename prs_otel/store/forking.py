"""Let everything that cannot cross a fork step aside before it, and start anew after.

Forks that bypass Python's hooks (a server written in C may do that) are noticed later, by
the process id, in each place that matters.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Protocol

from prs_otel import native


class Forkable(Protocol):
    """Something with connections or locks of one process."""

    def pause(self) -> Callable[[], None] | None:
        """Come to rest in the parent; return how to resume there, None if too busy."""
        ...

    def forget(self) -> None:
        """Start anew in the child."""
        ...


_registered: weakref.WeakSet[Forkable] = weakref.WeakSet()
_resuming: list[Callable[[], None]] = []
_lock = native.allocate_lock()  # held from before a fork until after it


def register(forkable: Forkable) -> None:
    """Take part in every fork from now on, for as long as the object lives."""
    with _lock:
        _registered.add(forkable)


def _before() -> None:
    _lock.acquire()
    _resuming.extend(
        resume for each in list(_registered) if (resume := each.pause()) is not None
    )


def _after_in_parent() -> None:
    for resume in _resuming:
        resume()
    _resuming.clear()
    _lock.release()


def _after_in_child() -> None:
    global _lock
    _lock = native.allocate_lock()
    _resuming.clear()
    for each in list(_registered):
        each.forget()


os.register_at_fork(
    before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
)
