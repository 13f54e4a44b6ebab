from __future__ import annotations

import multiprocessing.process
import multiprocessing.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.test import utils

from prs_otel import process

TEST_COMMAND = "django.core.management.commands.test"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Look like a process that runs no tests, then as a test says."""

    def looking(
        *arguments: str, modules: tuple[str, ...] = (), **variables: str
    ) -> None:
        monkeypatch.setattr(sys, "argv", list(arguments))
        for name in ("pytest", TEST_COMMAND):
            monkeypatch.delitem(sys.modules, name, raising=False)
        for name in modules:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.delattr(utils._TestState, "saved_data", raising=False)
        monkeypatch.setattr("os.environ", variables)

    return looking


@pytest.mark.parametrize(
    "arguments",
    [
        ("/venv/bin/gunicorn", "shop.wsgi"),
        ("/srv/shop/manage.py", "runserver"),
        ("/srv/shop/worker.py", "test"),
        ("/venv/bin/celery", "test"),
        ("",),
        (),
    ],
)
def test_a_server_or_command_is_no_test_run(
    server: Callable[..., None], arguments: tuple[str, ...]
) -> None:
    server(*arguments)

    assert not process.is_test_run()


def test_an_interpreter_without_arguments_is_no_test_run(
    server: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    server()
    monkeypatch.delattr(sys, "argv")

    assert not process.is_test_run()


def test_importing_pytest_makes_no_test_run(server: Callable[..., None]) -> None:
    server("/venv/bin/gunicorn", "shop.wsgi", modules=("pytest",))

    assert not process.is_test_run()


def test_a_server_that_a_test_has_started_is_no_test_run(
    server: Callable[..., None],
) -> None:
    server("/venv/bin/gunicorn", "shop.wsgi", PYTEST_VERSION="9.2.0")

    assert not process.is_test_run()


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("/venv/bin/pytest", "-q"), {}),
        (("/venv/lib/python3.11/site-packages/pytest/__main__.py",), {}),
        (("/opt/ide/helpers/_jb_pytest_runner.py",), {}),
        (("check.py",), {"PYTEST_VERSION": "9.2.0"}),
        (("-c",), {"PYTEST_XDIST_WORKER": "gw0"}),
        (("check.py",), {"PYTEST_CURRENT_TEST": "test_a.py::test_b (call)"}),
    ],
)
def test_pytest_is_known_however_it_is_started(
    server: Callable[..., None], arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    server(*arguments, modules=("pytest",), **variables)

    assert process.is_test_run()


@pytest.mark.parametrize(
    "program",
    [
        "manage.py",
        "/srv/shop/manage.py",
        "/venv/bin/django-admin",
        "/venv/lib/python3.11/site-packages/django/__main__.py",
    ],
)
def test_the_command_test_is_a_test_run_from_its_first_moment(
    server: Callable[..., None], program: str
) -> None:
    server(program, "test")

    assert process.is_test_run()


def test_the_command_test_is_known_by_whatever_script_it_is_run(
    server: Callable[..., None],
) -> None:
    server("/srv/shop/do", "check", modules=(TEST_COMMAND,))

    assert process.is_test_run()


def test_any_other_runner_is_known_by_djangos_test_environment(
    server: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    server("-m", "unittest")
    monkeypatch.setattr(utils._TestState, "saved_data", object(), raising=False)

    assert process.is_test_run()


@pytest.mark.parametrize(("worker", "expected"), [(0, True), (1, False)])
def test_the_master_of_uwsgi_is_about_to_fork(
    monkeypatch: pytest.MonkeyPatch, worker: int, expected: bool
) -> None:
    assert not process.is_about_to_fork()

    uwsgi: Any = ModuleType("uwsgi")
    uwsgi.worker_id = lambda: worker
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)

    assert process.is_about_to_fork() is expected


# --- The end of a child of multiprocessing --------------------------------------------


def finish() -> None:
    """Stand for what is to be done at the end."""


@pytest.fixture
def finalized(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note what is to be done at the end; undo what is asked for after a fork."""
    monkeypatch.setattr(multiprocessing.util, "_afterfork_registry", {})
    noted: list[object] = []

    def finalize(_: object, callback: object, *, exitpriority: int) -> None:
        assert exitpriority >= 0  # only then before what is joined
        noted.append(callback)

    monkeypatch.setattr(multiprocessing.util, "Finalize", finalize)
    return noted


def test_a_forked_child_finishes_though_it_forgets_what_its_parent_wanted(
    finalized: list[object],
) -> None:
    process.finish_by_multiprocessing(finish)
    assert finalized == []

    multiprocessing.util._run_after_forkers()  # type: ignore[attr-defined]

    assert finalized == [finish]


def test_a_child_that_begins_by_itself_finishes_too(
    finalized: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiprocessing.process, "parent_process", object)

    process.finish_by_multiprocessing(finish)

    assert finalized == [finish]


def test_without_multiprocessing_there_is_nothing_to_do(
    finalized: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "multiprocessing.util")

    process.finish_by_multiprocessing(finish)

    assert finalized == []
