"""Whatever becomes of the store's file, requests are answered and counting resumes."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.monitored import counts, quick, status
from tests.support.programs import program, without_root_powers
from tests.support.servers import Server, gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.uncovered


def store_file(site: Site) -> Path:
    return site.directory / "store" / "store.sqlite3"


def serve_some(server: Server, requests: int = 40) -> None:
    """Expect every one of some requests to be answered."""
    answers = server.client.get_all(repeat("/queries/one/", requests))
    assert answers == {("/queries/one/", 200): requests}


def delete(file: Path) -> None:
    file.unlink()


def delete_with_its_log(file: Path) -> None:
    for each in file.parent.glob(file.name + "*"):
        each.unlink()


def overwrite(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.write(os.urandom(max(size, 8192)))


@pytest.mark.parametrize("harm", [delete, delete_with_its_log, overwrite])
def test_a_lost_file_is_replaced_and_counting_goes_on(
    site: Site, harm: Callable[[Path], None]
) -> None:
    site = quick(site)

    with serving(site, gunicorn(workers=2), may_fail=True) as server:
        serve_some(server)
        wait_until(lambda: counts(site)["/queries/one/"] == 40, every=0.5)

        harm(store_file(site))

        serve_some(server)
        wait_until(lambda: counts(site)["/queries/one/"] >= 40, every=0.5, seconds=30)
        before = counts(site)["/queries/one/"]
        serve_some(server)
        wait_until(lambda: counts(site)["/queries/one/"] == before + 40, every=0.5)


def test_an_unwritable_directory_is_reported_and_recovered_from(site: Site) -> None:
    site = quick(site)
    directory = store_file(site).parent

    with serving(
        site, gunicorn(workers=2), may_fail=True, prefix=without_root_powers()
    ) as server:
        serve_some(server)
        wait_until(lambda: counts(site)["/queries/one/"] == 40, every=0.5)
        shutil.rmtree(directory)
        directory.mkdir(mode=0o500)

        serve_some(server)
        wait_until(lambda: "store" in server.process.output(), seconds=15)
        answer = server.client.get("/api/monitoring/system/health/")
        assert answer.status == 200

        directory.chmod(0o700)
        serve_some(server)
        # What was counted meanwhile had been kept back and is handed over now.
        wait_until(lambda: counts(site)["/queries/one/"] >= 80, every=0.5, seconds=30)


@contextmanager
def small_disk(directory: Path) -> Iterator[None]:
    """Mount a file system of two megabytes at `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    mount = [program("mount"), "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs"]
    done = subprocess.run([*mount, str(directory)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing may be mounted here: {done.stderr.decode()}")
    try:
        yield
    finally:
        subprocess.run([program("umount"), "-l", str(directory)], check=True)


def test_a_full_disk_is_reported_and_recovered_from(site: Site) -> None:
    site = quick(site)
    directory = store_file(site).parent

    with (
        small_disk(directory),
        serving(site, gunicorn(workers=2), may_fail=True) as server,
    ):
        serve_some(server)
        wait_until(lambda: counts(site)["/queries/one/"] == 40, every=0.5)
        filler = directory / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as opened:
            while True:
                opened.write(bytes(4096))
                opened.flush()

        serve_some(server)
        serve_some(server)
        wait_until(lambda: _is_reported(site, server), seconds=20, every=0.5)

        filler.unlink()
        serve_some(server)
        wait_until(lambda: counts(site)["/queries/one/"] >= 160, every=0.5, seconds=30)


def _is_reported(site: Site, server: Server) -> bool:
    return "full" in server.process.output() or bool(
        status(site)["store"]["last_error"]
    )
