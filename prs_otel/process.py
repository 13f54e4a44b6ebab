"""Tell what kind of process this is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MANAGERS = ("manage.py", "django-admin", "django-admin.py", "__main__.py")
_PYTEST_RUNS = ("PYTEST_VERSION", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")


def is_test_run() -> bool:
    """Tell whether this process runs a project's tests, in which nothing may start.

    A server that merely imports pytest, or has an argument `test`, runs none.
    """
    program, *arguments = getattr(sys, "argv", None) or [""]
    by_pytest = "pytest" in sys.modules and (
        "pytest" in program or any(name in os.environ for name in _PYTEST_RUNS)
    )
    by_django = Path(program).name in _MANAGERS and arguments[:1] == ["test"]
    utils = sys.modules.get("django.test.utils")
    return (
        by_pytest
        or by_django
        or "django.core.management.commands.test" in sys.modules
        or hasattr(getattr(utils, "_TestState", None), "saved_data")
    )


def is_about_to_fork() -> bool:
    """Tell whether this is uWSGI's master, which loads the application only to fork it.

    Its fork is C's: a thread of ours could be in the middle of anything.
    """
    uwsgi: Any = sys.modules.get("uwsgi")
    return uwsgi is not None and uwsgi.worker_id() == 0


def finish_by_multiprocessing(finish: Callable[[], None]) -> None:
    """Call ``finish`` at the end of a child of multiprocessing, which has no ``atexit``.

    Callable when the child has just been forked, or from within what it runs.
    """
    process: Any = sys.modules.get("multiprocessing.process")
    util: Any = sys.modules.get("multiprocessing.util")
    if process is None or util is None:
        return

    def register(_: object = None) -> None:
        util.Finalize(None, finish, exitpriority=100)

    # Between the fork and its task a child forgets what its parent wanted to finalize.
    util.register_after_fork(finish, register)
    if process.parent_process() is not None:
        register()
