"""The line that asked for a query is found though it waits on an event loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from prs_otel import conf
from prs_otel.instrumentation import awaiting, call_site
from prs_otel.observation import CallSite

HERE = Path(__file__)


@pytest.fixture(autouse=True)
def _project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "project_directory", lambda: str(HERE.parent))
    call_site._project_file.cache_clear()
    # Where other processes want the processor, who called may be long on his way to wait.
    monkeypatch.setattr(awaiting, "_LOOKS", 5_000)


# Nothing of this file is on the stack of the thread that finds.
afind: Callable[[], Coroutine[Any, Any, CallSite | None]] = sync_to_async(
    call_site.find, thread_sensitive=False
)


async def query() -> CallSite | None:
    return await afind()  # here


async def deep() -> CallSite | None:
    await asyncio.sleep(0)
    return await query()


async def serving(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    awaiting.note()
    return await work()


def shown(found: CallSite | None) -> tuple[str, str]:
    """Return the text of the line that was found, and its function."""
    assert found is not None
    assert found.file == HERE.name
    return HERE.read_text().splitlines()[found.line - 1].strip(), found.function


ASKED = ("return await afind()  # here", "query")


def in_a_context(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return copy_context().run(asyncio.run, coroutine)


def test_it_is_the_innermost_line_of_the_coroutine_that_serves() -> None:
    assert shown(in_a_context(serving(deep))) == ASKED


def test_it_is_found_where_synchronous_code_runs_the_event_loop() -> None:
    assert shown(copy_context().run(async_to_sync(deep))) == ASKED


def test_it_is_found_in_what_the_coroutine_has_started_beside_itself() -> None:
    async def both() -> Any:
        return await asyncio.gather(query(), deep(), asyncio.sleep(0))

    first, second, _ = in_a_context(serving(both))
    assert (shown(first), shown(second)) == (ASKED, ASKED)


def test_among_many_tasks_it_is_the_line_that_waits_for_all_it_has_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(awaiting, "_TASKS_LIMIT", 1)

    async def both() -> Any:
        return await asyncio.gather(query(), query())

    found, _ = in_a_context(serving(both))
    line, function = shown(found)
    assert line == "return await asyncio.gather(query(), query())"
    assert function.endswith("both")


def test_an_asynchronous_generator_hides_no_more_than_itself() -> None:
    async def rows() -> AsyncIterator[CallSite | None]:
        yield await query()

    async def read() -> CallSite | None:
        async for row in rows():
            return row
        return None

    line, function = shown(in_a_context(serving(read)))
    assert line == "async for row in rows():"
    assert function.endswith("read")


def test_a_task_that_does_not_wait_is_never_taken_for_the_one_that_does() -> None:
    async def other() -> None:
        await asyncio.Event().wait()

    async def read() -> CallSite | None:
        tasks = [asyncio.create_task(other()) for _ in range(3)]
        await asyncio.sleep(0)
        try:
            return await query()
        finally:
            for task in tasks:
                task.cancel()

    assert shown(in_a_context(serving(read))) == ASKED
    assert shown(in_a_context(read())) == ASKED


def test_the_task_that_serves_is_not_kept() -> None:
    async def work() -> None:
        """Do nothing."""

    gc.disable()
    try:
        context = copy_context()
        context.run(asyncio.run, serving(work))
        reference = context.run(awaiting._serving.get)
    finally:
        gc.enable()

    assert reference is None or reference() is None


def test_outside_of_tasks_nothing_is_noted() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.call_soon(awaiting.note)
        loop.call_soon(done.set_result, None)
        await done

    in_a_context(main())
    assert awaiting._serving.get() is None
