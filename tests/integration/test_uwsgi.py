"""uWSGI forks in C: with the documented hook every worker is measured all the same."""

from __future__ import annotations

import re
import signal
from itertools import repeat
from pathlib import Path

from tests.support.http import Client
from tests.support.monitored import quick, status, wait_for_counts
from tests.support.processes import running
from tests.support.programs import python_program
from tests.support.servers import free_port
from tests.support.sites import REPOSITORY, Site
from tests.support.wait import wait_until

WSGI = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "library.settings")
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""


def documented_hook() -> str:
    """Return what docs/servers.md tells people to write."""
    text = (REPOSITORY / "docs" / "servers.md").read_text()
    (found,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return str(found)


def test_all_workers_are_measured_with_the_documented_hook(
    site: Site, tmp_path: Path
) -> None:
    site = quick(site)
    (tmp_path / "served.py").write_text(WSGI + documented_hook())
    port = free_port()
    command = [
        python_program("uwsgi"),
        f"--http=127.0.0.1:{port}",
        *("--module=served", "--master", "--processes=3", "--enable-threads"),
        *("--need-app", f"--pythonpath={tmp_path}", "--disable-logging"),
    ]
    variables = site.variables()

    with running(
        command,
        log=tmp_path / "uwsgi.log",
        environment=variables,
        directory=tmp_path,
    ) as process:
        client = Client(port)
        wait_until(lambda: _answers(client), seconds=30, what=process.output)
        answers = client.get_all(repeat("/queries/one/", 60))
        wait_for_counts(site, {"/queries/one/": 60})
        wait_until(lambda: len(status(site)["workers"]) == 3, every=0.5)
        workers = {worker["pid"] for worker in status(site)["workers"]}
        output = process.output()
        process.stop(with_signal=signal.SIGINT)

    assert answers == {("/queries/one/", 200): 60}
    assert process.pid not in workers
    assert "prs_otel failed" not in output


def _answers(client: Client) -> bool:
    try:
        return client.get("/plain/").status == 200
    except OSError:
        return False
