"""One scene with real forks, told as JSON: `python -m tests.integration.forking STORE SCENE`."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from types import ModuleType

import django
from django.conf import settings

FORK = multiprocessing.get_context("fork")


def main(store: str, scene: str) -> None:
    """Play a scene and print what it says, and what the view has counted by its end."""
    settings.configure(
        INSTALLED_APPS=["prs_otel"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        },
        # Nothing is flushed by the clock: what is there was handed over at an end.
        MONITORING_SETTINGS={"STORE": store, "FLUSH_INTERVAL": 60.0},
    )
    django.setup()
    from prs_otel import pipeline

    if scene == a_fork_without_hooks.__name__:
        sys.modules["uwsgi"] = uwsgi_master()
    pipeline.serve()
    told = SCENES[scene]() or {}
    assert pipeline.flush(10)
    counted = pipeline.view().window(3_600, now=time.time() + 1).total("request").count
    print(json.dumps({"counted": counted, **told}))  # noqa: T201


def answer(count: int) -> None:
    """Count requests as if they had just been answered."""
    from prs_otel import pipeline
    from tests.prs_otel.rollup.observations import request

    for _ in range(count):
        pipeline.current().rollup.record(request(at=time.time()))


def in_child(task: Callable[[], None]) -> None:
    """Do something in a forked child that ends as a program does."""
    pid = os.fork()
    if pid == 0:
        task()
        sys.exit()
    os.waitpid(pid, 0)


def a_child() -> None:
    answer(2)
    in_child(lambda: answer(3))
    answer(1)


def a_child_of_a_child() -> None:
    def child() -> None:
        answer(1)
        in_child(lambda: answer(4))

    answer(1)
    in_child(child)


def a_child_of_multiprocessing() -> None:
    answer(1)
    process = FORK.Process(target=answer, args=(5,))
    process.start()
    process.join()


def a_grandchild_of_multiprocessing() -> None:
    answer(1)
    process = FORK.Process(target=a_child_of_multiprocessing)
    process.start()
    process.join()


def a_pool() -> None:
    answer(1)
    with ProcessPoolExecutor(2, mp_context=FORK) as pool:
        list(pool.map(answer, [3, 3]))


def every_lock_held() -> dict[str, object]:
    """Fork while other threads hold whatever there is to hold."""
    from prs_otel import guard, pipeline
    from prs_otel.rollup.digest import Selection

    found = pipeline.current()
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with ExitStack() as stack:
            for each in (pipeline._making, guard._lock):
                stack.enter_context(each)
            view = found.view
            for lock in (found.rollup._lock, view._lock, view.drawing.digests._lock):
                stack.enter_context(lock)
            stack.enter_context(found.store.reading())
            held.set()
            released.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)

    def in_the_child() -> None:
        pipeline.activate()
        guard.tolerated("here", OSError("noted all the same"))
        answer(200)
        pipeline.view().window(60, now=time.time())
        pipeline.view().trend(Selection(), seconds=60, step=None, now=time.time())

    started = time.monotonic()
    in_child(in_the_child)
    seconds = time.monotonic() - started
    released.set()
    holder.join()
    return {"is_prompt": seconds < 8}


def uwsgi_master() -> ModuleType:
    """Return what tells us of uWSGI's master: before such a fork no thread of ours may run."""
    module = ModuleType("uwsgi")
    vars(module)["worker_id"] = lambda: 0
    return module


def a_fork_without_hooks() -> None:
    """Fork as a server written in C may, and be told of it."""
    from prs_otel import pipeline

    answer(2)
    pid = ctypes.PyDLL(None).fork()
    if pid == 0:
        del sys.modules["uwsgi"]
        pipeline.postfork()
        answer(3)
        sys.exit()
    os.waitpid(pid, 0)
    # Unlike uWSGI's master this one hands over its own, to show that none counts twice.
    pipeline.current().background.start()


def helpers_of_a_server() -> dict[str, object]:
    """Fork helpers from a process that has answered requests."""
    from prs_otel import pipeline

    answer(1)
    assert pipeline.flush(10)
    mine, theirs = os.pipe()

    def tell() -> None:
        serves = pipeline.current().worker.serves
        os.write(theirs, json.dumps(serves).encode())

    in_child(tell)
    return {
        "leads": pipeline.current().worker.serves,
        "helps": os.read(mine, 10).decode(),
    }


def a_terminated_flush() -> None:
    """End a child by a signal that it handles, while its thread is handing over."""
    from prs_otel import pipeline

    def serve() -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        answer(1_000)
        pipeline.current().worker.hurry()
        pipeline.current().background.wake()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    in_child(serve)


SCENES: dict[str, Callable[[], dict[str, object] | None]] = {
    scene.__name__: scene
    for scene in (
        a_child,
        a_child_of_a_child,
        a_child_of_multiprocessing,
        a_grandchild_of_multiprocessing,
        a_pool,
        every_lock_held,
        a_fork_without_hooks,
        helpers_of_a_server,
        a_terminated_flush,
    )
}

if __name__ == "__main__":
    main(*sys.argv[1:])
