"""The README's quick start, followed to the letter with the wheel we would publish."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import Client
from tests.support.processes import running
from tests.support.servers import port_named_by
from tests.support.sites import REPOSITORY, clean_environment
from tests.support.wait import wait_until

REQUESTS = 40

pytestmark = pytest.mark.timeout(400)  # installs a virtual environment


def run(*command: str | Path, cwd: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def blocks(language: str) -> list[str]:
    readme = (REPOSITORY / "README.md").read_text()
    start = readme.index("## Quick start")
    section = readme[start : readme.index("\n## ", start)]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a user who has installed the wheel, and nothing else."""
    home = tmp_path_factory.mktemp("home")
    variables = {**clean_environment(is_covered=False), "HOME": str(home)}
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(home)]
    run(*build, REPOSITORY, cwd=home, environment=dict(os.environ))
    (wheel,) = home.glob("*.whl")

    run(sys.executable, "-m", "venv", home / "venv", cwd=home, environment=variables)
    install = blocks("sh")[0].replace("prs-otel", str(wheel)).split()
    # pip may need the machine's own configuration to reach its index.
    run(
        home / "venv/bin/python", "-m", *install, cwd=home, environment=dict(os.environ)
    )
    return {**variables, "PATH": f"{home / 'venv/bin'}{os.pathsep}{variables['PATH']}"}


@pytest.fixture
def project(environment: dict[str, str], tmp_path: Path) -> Path:
    """Return an ordinary project, changed as the README says."""
    start = ("django-admin", "startproject", "project", str(tmp_path))
    run(*start, cwd=tmp_path, environment=environment)
    for block in blocks("python"):
        first, _, code = block.partition("\n")
        with (tmp_path / first.removeprefix("# ")).open("a") as file:
            file.write(code)
    return tmp_path


def test_the_quick_start_shows_the_requests_of_all_workers(
    project: Path, environment: dict[str, str]
) -> None:
    migrate, serve = blocks("sh")[1].splitlines()
    (look,) = blocks("sh")[2].splitlines()
    run(*migrate.split(), cwd=project, environment=environment)

    with running(
        [*serve.split(), "--bind=127.0.0.1:0"],
        log=project / "server.log",
        environment=environment,
        directory=project,
    ) as process:
        client = Client(port_named_by(process))
        statuses = Counter(client.get("/admin/login/").status for _ in range(REQUESTS))

        def summary() -> Any:
            text = run(
                *look.split(), "--format", "json", cwd=project, environment=environment
            )
            document = json.loads(text)
            # A worker that has answered nothing is seen a little after it has loaded.
            is_complete = document["requests"]["count"] >= REQUESTS and document[
                "monitor"
            ]["workers"] >= len(process.children())
            return document if is_complete else None

        found = wait_until(summary, seconds=30, every=1, what=process.output)
        workers = len(process.children())

    assert statuses == {200: REQUESTS}
    assert workers == 4
    assert found["requests"]["count"] == REQUESTS
    assert [
        (row["endpoint"], row["method"], row["count"]) for row in found["endpoints"]
    ] == [("/admin/login/", "GET", REQUESTS)]
    assert found["monitor"]["workers"] == workers


def test_the_wheel_holds_what_it_needs_and_no_more(environment: dict[str, str]) -> None:
    script = (
        "import importlib.metadata as m;"
        "print('\\n'.join(str(f) for f in m.files('prs-otel')))"
    )
    home = Path(environment["HOME"])
    files = run("python", "-c", script, cwd=home, environment=environment).split()

    top = {name.split("/")[0] for name in files if not name.startswith("..")}
    assert {"prs_otel/py.typed", "alerting/py.typed"} <= set(files)
    assert {name for name in top if not name.endswith(".dist-info")} == {
        "prs_otel",
        "alerting",
    }
