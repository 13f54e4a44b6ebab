from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psutil
import pytest
from django.test import override_settings

from prs_otel.diagnosis import processes
from tests.support.surroundings import server

WAITS = "import sys; print('up', flush=True); sys.stdin.read()"
SPAWNS = (
    "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()',"
    " 'gunicorn', '%s'], stdin=sys.stdin); " + WAITS
)


@contextmanager
def started(
    *words: str,
    code: str = WAITS,
    directory: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run what looks like a server's command line, and give its process id."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=directory,
        env={**os.environ, **(variables or {})},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


@pytest.fixture
def shop() -> Iterator[str]:
    """Return the module of an application that no other test serves at the same time."""
    module = f"shop_{uuid.uuid4().hex}.wsgi"
    with override_settings(WSGI_APPLICATION=f"{module}.application"):
        yield module


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["/venv/bin/python", "/venv/bin/gunicorn", "shop.wsgi"], "gunicorn"),
        (["gunicorn: master [shop.wsgi]"], "gunicorn"),
        (["python", "-m", "uvicorn", "shop.asgi:application"], "uvicorn"),
        (["/usr/sbin/uwsgi", "--ini", "shop.ini"], "uwsgi"),
        (["python", "-X", "manage.py", "runserver"], "runserver"),
        (["vim", "notes", "on", "our", "gunicorn"], None),
        (["python", "manage.py", "shell"], None),
        ([], None),
    ],
)
def test_a_server_is_known_by_its_command_line(
    arguments: list[str], name: str | None
) -> None:
    assert processes.program(arguments) == name


@override_settings(WSGI_APPLICATION="shop.wsgi.application", ASGI_APPLICATION=None)
def test_a_server_of_this_project_serves_its_application_or_is_in_its_directory() -> (
    None
):
    assert processes.concerns(["gunicorn", "shop.wsgi"], "", "/srv/shop")
    assert processes.concerns(["uwsgi", "x.ini"], "/srv/shop/config", "/srv/shop")
    assert not processes.concerns(["gunicorn", "blog.wsgi"], "/srv/blog", "/srv/shop")


@override_settings(WSGI_APPLICATION="shop.wsgi.application")
def test_a_server_of_another_copy_of_the_project_is_that_copys(tmp_path: Path) -> None:
    copy = tmp_path / "staging"
    (copy / "shop").mkdir(parents=True)
    arguments = ["gunicorn", "shop.wsgi"]
    assert processes.concerns(arguments, str(copy), "/srv/shop")

    (copy / "shop" / "wsgi.py").touch()

    assert not processes.concerns(arguments, str(copy), "/srv/shop")
    assert processes.concerns(arguments, str(copy), str(copy))


@override_settings(WSGI_APPLICATION="shop.wsgi.application")
def test_a_directory_that_may_not_be_looked_into_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: Path) -> NoReturn:
        raise PermissionError

    monkeypatch.setattr(Path, "exists", refuse)

    assert processes.concerns(["gunicorn", "shop.wsgi"], "/root", "/srv/shop")


def test_a_running_server_is_found_with_its_environment(
    shop: str, tmp_path: Path
) -> None:
    variables = {
        "OTEL_SERVICE_NAME": "shop",
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "DATABASE_PASSWORD": "secret",
    }

    with started("gunicorn", shop, "--preload", variables=variables) as pid:
        (found,) = processes.servers(str(tmp_path))

    assert (found.program, found.pid, found.user_id) == ("gunicorn", pid, os.geteuid())
    assert found.preloads
    assert found.environment["OTEL_SERVICE_NAME"] == "shop"
    assert found.environment["DJANGO_SETTINGS_MODULE"] == "shop.settings"
    assert "DATABASE_PASSWORD" not in found.environment


@override_settings(WSGI_APPLICATION=None)
def test_a_server_that_runs_in_the_project_is_found(tmp_path: Path) -> None:
    with started("uwsgi", directory=tmp_path) as pid:
        (found,) = processes.servers(str(tmp_path))

    assert (found.program, found.pid) == ("uwsgi", pid)


def test_its_workers_are_no_servers_of_their_own(shop: str, tmp_path: Path) -> None:
    with started("gunicorn", shop, code=SPAWNS % shop) as pid:
        (found,) = processes.servers(str(tmp_path))

    assert found.pid == pid
    assert len(found.children) == 1
    assert found.pids == found.children | {pid}


def test_the_servers_of_others_are_not_found(shop: str, tmp_path: Path) -> None:
    with started("gunicorn", "blog.wsgi"):
        assert processes.servers(str(tmp_path)) == ()


@pytest.mark.parametrize("method", ["cwd", "environ", "ppid"])
def test_what_may_not_be_seen_of_it_is_left_out(
    method: str, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: psutil.Process) -> NoReturn:
        raise psutil.AccessDenied

    with started("gunicorn", shop) as pid:
        monkeypatch.setattr(psutil.Process, method, refuse)
        found = processes.servers(str(tmp_path))

    assert [each.pid for each in found] == [pid]
    assert method != "environ" or found[0].environment == {}


@pytest.mark.parametrize("method", ["cmdline", "uids"])
def test_a_process_that_ends_meanwhile_is_no_server(
    method: str, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(process: psutil.Process) -> NoReturn:
        raise psutil.NoSuchProcess(process.pid)

    with started("gunicorn", shop):
        monkeypatch.setattr(psutil.Process, method, vanish)

        assert processes.servers(str(tmp_path)) == ()


def test_asgi_is_spoken_by_some_programs_and_by_workers_of_their_class() -> None:
    worker = ("gunicorn", "-k", "uvicorn_worker.UvicornWorker", "shop.asgi")

    assert server(program="daphne").speaks_asgi
    assert server(arguments=worker).speaks_asgi
    assert not server().speaks_asgi
