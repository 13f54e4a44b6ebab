"""The demo's site, a copy of it served as `make demo` does, with something to show."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from demo_runner import client as demo_client
from demo_runner.client import Call
from demo_runner.ledger import Ledger
from demo_runner.visitor import sign_in
from prs_otel.monitoring import documents
from prs_otel.monitoring.schemas import Summary
from prs_otel.rollup.view import MetricsView
from prs_otel.store import open_store
from tests.support.http import Client
from tests.support.processes import Process, running
from tests.support.programs import python_program
from tests.support.servers import port_named_by
from tests.support.sites import REPOSITORY, clean_environment
from tests.support.wait import wait_until

# Without the bank statement, whose size would first have to be measured.
TENANTS_ONLY: Final = """
from payments import models, seeding
models.User.objects.create_superuser("demo", password="demo")
seeding.make_tenants("demo")
"""
SEED_QUICKLY: Final = ("shell", "--command", TENANTS_ONLY)
SEED_WHOLLY: Final = ("seed",)
FAILURES: Final = 8  # more than the demo's rule about receipts needs


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that is running, the bearer token of its superuser, and what it has answered."""

    process: Process
    client: Client
    token: str
    home: Path
    environment: Mapping[str, str]
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def manage(self, *arguments: str) -> str:
        """Run a management command of its, and return what that prints."""
        return _manage(self.home, self.environment, *arguments)

    def summary(self) -> Summary:
        """Return the last hour's summary out of its store, also when it has ended."""
        url = f"sqlite:///{self.home}/.state/monitoring.sqlite3"
        with closing(open_store(url)) as store:
            view = MetricsView(store, series_limit=1_000, new_lock=threading.Lock)
            return documents.summary(view, hours=1, now=time.time())


@contextmanager
def serving_demo(
    directory: Path,
    *,
    seed: Sequence[str] = SEED_QUICKLY,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Demo]:
    """Serve the demo for the length of the block, once an alert of its fires."""
    ignored = shutil.ignore_patterns(".state", "__pycache__")
    home = Path(
        shutil.copytree(REPOSITORY / "demo", directory / "demo", ignore=ignored)
    )
    (home / ".state").mkdir()
    environment = {
        # Its pages and the programs behind it are looked at, not lines of code: twice as fast.
        **clean_environment(is_covered=False),
        "DJANGO_SETTINGS_MODULE": "demo_site.settings",
        "HOME": str(directory),
        "PYTHONPATH": f"{home}{os.pathsep}{REPOSITORY}",
    }
    for arguments in (("migrate", "--verbosity=0"), seed):
        _manage(home, {**environment, "DEMO_MONITORED": "no"}, *arguments)
    created = ("token", "create", "--user=demo", "--format=json")
    token = json.loads(_manage(home, environment, "manage_monitoring", *created))
    command = ("opentelemetry-instrument", "gunicorn")
    with running(
        # How long a URL may be is to be our own answer, not the server's.
        [*map(python_program, command), "--bind=127.0.0.1:0", "--limit-request-line=0"],
        log=directory / "server.log",
        environment={**environment, **variables},
        directory=home,
    ) as process:
        client = Client(port_named_by(process))
        demo = Demo(process, client, token["token"], home, environment)
        _visit(demo)
        yield demo


def _manage(home: Path, environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=home,
        env=dict(environment),
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _visit(demo: Demo) -> None:
    """Open every page, with all its faults."""
    visitor = demo_client.Client(demo.client.port, demo.ledger)
    known = sign_in(visitor, "albatross1", "demo")
    paths = [
        *("/", "/statement/duplicates/?archive=1", "/deals/0/", "/nowhere/"),
        *(
            f"/organizations/{known.organization}/{name}/"
            for name in ("payments", "totals")
        ),
        *(f"/deals/{pk}/receipt/" for pk in known.unpaid[:1] * FAILURES),
    ]
    for path in paths:
        visitor.send(Call(path))

    def told() -> int:
        history = demo.client.get("/api/alerting/history/", **demo.headers)
        return int(history.json()["count"])

    wait_until(told, seconds=40, every=0.5, what=demo.process.output)
