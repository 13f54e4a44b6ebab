"""Find the coroutine that waits for the synchronous code which runs on this thread.

Django queries from a coroutine through asgiref, on a thread whose stack ends there: who asked
is on no stack, but suspended on an event loop.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asgiref.sync import SyncToAsync

from prs_otel import native

if TYPE_CHECKING:
    from types import CodeType, FrameType

_DEPTH_LIMIT: Final = 200  # coroutines that await one another
_TASKS_LIMIT: Final = 50
_LOOKS: Final = 10
_PAUSE: Final = 0.000_2  # seconds: enough to let another thread run


def _code(name: str) -> CodeType | None:
    return getattr(getattr(SyncToAsync, name, None), "__code__", None)


# What runs on the thread, and what waits for it: both hold the list of the same name.
_CALLED: Final = _code("thread_handler")
_CALLING: Final = _code("__call__")
_SHARED: Final = "task_context"

# Weak: the task holds the context that this is in.
_serving: ContextVar[weakref.ref[asyncio.Task[Any]] | None] = ContextVar(
    "prs_otel_serving", default=None
)


def note() -> None:
    """Note the current task as the one that serves a request."""
    task = asyncio.current_task()
    _serving.set(None if task is None else weakref.ref(task))


def is_called(frame: FrameType) -> bool:
    """Tell whether a coroutine called what runs in `frame`, by way of asgiref."""
    return frame.f_code is _CALLED


def frames(called: FrameType) -> list[FrameType]:
    """Return the frames of the coroutines that wait for `called`, outermost first.

    An asynchronous generator hides those within it. Where an event loop has many tasks, only
    that of the request is looked at: then what it has started beside itself, as
    `asyncio.gather` does, is found at the line that waits for all of it.
    """
    shared, loop = called.f_locals.get(_SHARED), called.f_locals.get("loop")
    serving = _serving_task()
    chains: list[_Chain] = []
    for _ in range(_LOOKS):
        chains = [_chain(task) for task in _candidates(serving, loop)]
        for chain in chains:
            if chain.is_calling and chain.frames[-1].f_locals.get(_SHARED) is shared:
                return chain.frames
        # Who has just called may still be on its way to wait.
        if not any(chain.is_running for chain in chains):
            break
        native.sleep(_PAUSE)
    # Without a task that serves, the loop may be that of one synchronous caller.
    of_request = chains if serving is None else chains[:1]
    possible = [chain.frames for chain in of_request if not chain.is_calling]
    return possible[0] if len(possible) == 1 else []


class _Chain(NamedTuple):
    """The coroutines that await one another in one task."""

    frames: list[FrameType]
    is_running: bool

    @property
    def is_calling(self) -> bool:
        """Tell whether the innermost waits for synchronous code."""
        return bool(self.frames) and self.frames[-1].f_code is _CALLING


def _chain(task: asyncio.Task[Any]) -> _Chain:
    found: list[FrameType] = []
    coroutine: Any = task.get_coro()
    while len(found) < _DEPTH_LIMIT:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is None:
            return _Chain(found, is_running=False)
        found.append(frame)
        if coroutine.cr_running:
            return _Chain(found, is_running=True)
        coroutine = coroutine.cr_await
    return _Chain(found, is_running=False)


def _serving_task() -> asyncio.Task[Any] | None:
    reference = _serving.get()
    return None if reference is None else reference()


def _candidates(
    serving: asyncio.Task[Any] | None, loop: object
) -> Iterator[asyncio.Task[Any]]:
    if serving is not None:
        yield serving
    if isinstance(loop, asyncio.AbstractEventLoop):
        tasks = asyncio.all_tasks(loop)
        if len(tasks) <= _TASKS_LIMIT:
            yield from tasks - {serving}
