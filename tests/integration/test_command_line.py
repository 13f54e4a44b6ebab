"""The commands as they are typed: processes of their own, beside a real server."""

from __future__ import annotations

import csv
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import Client
from tests.support.monitored import QUICK, quick, status, summary, wait_for_counts
from tests.support.processes import running
from tests.support.programs import python_program
from tests.support.servers import Server, free_port, gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

NAMES = [
    "status",
    "summary",
    "top",
    "alerts",
    "export-metrics",
    "health-check",
    "doctor",
]


def monitor(
    site: Site, *arguments: str, code: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `manage_monitoring` in 80 columns; whatever happens, there is no traceback."""
    narrow = site.with_environment(COLUMNS="80")
    done = narrow.manage("manage_monitoring", *arguments, is_checked=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert code in (None, done.returncode), f"{done.returncode}: {done.stderr}"
    return done


def diagnosis(site: Site) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Return the doctor's exit code, and his findings by topic."""
    done = monitor(site, "doctor", "--format=json")
    found: dict[str, list[dict[str, str]]] = {}
    for finding in json.loads(done.stdout)["findings"]:
        found.setdefault(finding["topic"], []).append(finding)
    return done.returncode, found


def texts(findings: list[dict[str, str]]) -> str:
    return "\n".join(f"{each['message']} {each['remedy']}" for each in findings)


def worst(findings: list[dict[str, str]]) -> set[str]:
    return {each["level"] for each in findings} - {"ok"}


def ask(server: Server, count: int = 30) -> None:
    answers = server.client.get_all(repeat("/queries/one/", count))
    assert answers == {("/queries/one/", 200): count}


@pytest.fixture
def site(site: Site) -> Site:
    """Return a project of the test's own: the doctor looks for all servers of one."""
    return site.with_code_of_its_own()


@pytest.fixture
def served(site: Site) -> Iterator[tuple[Site, Server]]:
    """Serve a site under the launcher until thirty requests are known."""
    site = quick(site)
    with serving(site, gunicorn(workers=2)) as server:
        ask(server)
        wait_for_counts(site, {"/queries/one/": 30})
        yield site, server


@pytest.mark.timeout(240)  # two dozen processes, one after the other
def test_every_command_reads_what_the_server_measured(
    served: tuple[Site, Server],
) -> None:
    site, _ = served

    for name in NAMES:
        narrow = monitor(site, name)
        if name != "export-metrics":
            long = [line for line in narrow.stdout.splitlines() if len(line) > 80]
            # Only a path may be wider: it is for copying.
            assert all("/" in max(line.split(), key=len) for line in long), long
        assert isinstance(json.loads(monitor(site, name, "--format=json").stdout), dict)
    assert monitor(site, "top").stdout.count("GET /queries/one/") == 1
    assert monitor(site, "health-check").stdout.startswith("Health: ")


def test_an_export_has_every_request_in_every_format(
    served: tuple[Site, Server],
) -> None:
    site, _ = served
    file = site.directory / "metrics"

    def counted(rows: list[dict[str, Any]]) -> int:
        return sum(
            int(row["count"]) for row in rows if row["endpoint"] == "/queries/one/"
        )

    monitor(site, "export-metrics", "--hours=168", f"--output-file={file}", code=0)
    document = json.loads(file.read_text())
    assert counted(document["endpoints"]) == 30
    assert sum(p["requests"]["count"] for p in document["trends"]) == 30
    assert document["totals"]["window"]["covered_seconds"] < 600

    csv_file = ("export-metrics", "--format=csv", f"--output-file={file}")
    assert "records" in monitor(site, *csv_file, code=0).stdout
    with file.open(newline="") as opened:
        rows = [row for row in csv.DictReader(opened) if row["record"] == "endpoints"]
    assert counted(rows) == 30

    lines = monitor(site, "export-metrics", "--format=ndjson").stdout.splitlines()
    records = [json.loads(line) for line in lines]
    assert counted([each for each in records if each["record"] == "endpoints"]) == 30


def test_who_reads_only_the_beginning_of_an_export_gets_no_traceback(
    served: tuple[Site, Server],
) -> None:
    site, _ = served
    with subprocess.Popen(
        [
            sys.executable,
            str(site.code / "manage.py"),
            "manage_monitoring",
            "export-metrics",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=site.variables(),
        cwd=site.directory,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        # Before anything has been written.
        process.stdout.close()
        errors = process.stderr.read().decode()
        process.wait(30)

    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors


def test_a_test_alert_is_mailed_as_such(served: tuple[Site, Server]) -> None:
    site, _ = served

    done = monitor(site, "test-alert", "--rule-name=high_cpu_usage", code=0)

    (mail,) = [each for each in site.mails() if "TEST high_cpu_usage" in each]
    assert "This is a test" in mail
    assert "email    delivered" in done.stdout
    unknown = monitor(site, "test-alert", "--rule-name=high_cpu", code=2)
    assert "Did you mean 'high_cpu_usage'?" in unknown.stderr


# --- The doctor -----------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--preload"]])
def test_the_doctor_finds_nothing_wrong_with_a_server_that_is_well(
    options: list[str], site: Site
) -> None:
    site = quick(site)

    with serving(site, gunicorn(*options, workers=2)) as server:
        ask(server)
        wait_for_counts(site, {"/queries/one/": 30})
        wait_until(lambda: len(status(site)["workers"]) == 2, every=0.5)
        name = f"gunicorn (process {server.process.pid})"
        _, found = diagnosis(site)

    for topic in ("settings", "workers", "store", "instrumentation"):
        assert worst(found[topic]) == set(), texts(found[topic])
    # Others may be testing on this machine.
    (own,) = [each for each in found["server"] if name in each["message"]]
    assert own["level"] == "ok"
    assert "under opentelemetry-instrument" in texts(found["instrumentation"])
    assert "backend is django.core.mail.backends.filebased" in texts(found["alerting"])


def test_the_doctor_notices_that_nobody_serves(site: Site) -> None:
    site = quick(site)

    diagnosis(site)
    code, found = diagnosis(site)

    assert code == 1
    # To look is not to leave anything behind.
    assert not (site.directory / "store").exists()
    assert "opentelemetry-instrument gunicorn library.wsgi" in texts(found["server"])
    assert "last flush of any process was: never" in texts(found["workers"])
    assert "does not exist" in texts(found["store"])


def test_the_doctor_notices_a_server_without_the_launcher(site: Site) -> None:
    site = quick(site)

    with serving(site, gunicorn(workers=1), is_launched=False) as server:
        ask(server)
        wait_for_counts(site, {"/queries/one/": 30})
        _, found = diagnosis(site)

    assert "runs without opentelemetry-instrument" in texts(found["instrumentation"])


def test_the_doctor_looks_at_the_environment_of_the_server_not_at_his_own(
    site: Site,
) -> None:
    site = quick(site)
    port = free_port()
    exporting = site.with_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}"
    )

    with serving(exporting, gunicorn(workers=1)) as server:
        ask(server)
        wait_for_counts(site, {"/queries/one/": 30})
        _, found = diagnosis(site)

    assert worst(found["exporter"]) == {"warning"}
    assert f"127.0.0.1:{port}: nobody listens there" in texts(found["exporter"])


def test_the_doctor_notices_a_server_that_measures_nothing(site: Site) -> None:
    site = quick(site)
    off = quick(site, ENABLED=False)

    with serving(off, gunicorn(workers=1)) as server:
        ask(server, 5)
        # It is not blamed in its first half minute.
        _, found = diagnosis(site)
        switched_off, own = diagnosis(off)

    assert "has just started and does not report yet" in texts(found["server"])
    assert switched_off == 2
    assert 'MONITORING_SETTINGS["ENABLED"] is False' in texts(own["settings"])


def test_the_doctor_notices_a_server_with_another_store(site: Site) -> None:
    state = site.directory / "state"
    both = site.with_environment(XDG_STATE_HOME=str(state)).with_settings(
        MONITORING_SETTINGS=QUICK
    )
    release = site.directory / "release"
    release.mkdir()
    released = both.with_settings(BASE_DIR=str(release))

    with serving(released, gunicorn(workers=1)) as server:
        ask(server)
        wait_until(lambda: summary(released)["requests"]["count"] == 30, every=0.5)
        _, found = diagnosis(both)

    assert "somebody does to release-" in texts(found["store"])
    assert "BASE_DIR is another" in texts(found["store"])


def test_the_doctor_notices_that_uwsgi_was_given_no_threads(site: Site) -> None:
    site = quick(site)
    port = free_port()
    command = [
        python_program("uwsgi"),
        f"--http=127.0.0.1:{port}",
        *("--module=library.wsgi", "--master", "--processes=2", "--disable-logging"),
    ]

    with running(
        command,
        log=site.directory / "uwsgi.log",
        environment=site.variables(),
        directory=site.code,
    ) as process:
        client = Client(port)
        wait_until(lambda: _answers(client), seconds=30, what=process.output)
        code, found = diagnosis(site)
        process.stop(with_signal=signal.SIGINT)

    assert code == 2
    name = f"uwsgi (process {process.pid})"
    (own,) = [each for each in found["server"] if name in each["message"]]
    assert "starts no threads" in own["message"]
    assert "enable-threads = true" in own["remedy"]


def _answers(client: Client) -> bool:
    try:
        return client.get("/plain/").status == 200
    except OSError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_the_store_of_another_user_is_named_by_everyone_who_cannot_read_it(
    served: tuple[Site, Server],
) -> None:
    site, _ = served
    store = site.directory / "store"
    for path in (store, *store.iterdir()):
        os.chown(path, 65_534, -1)

    code, found = diagnosis(site)

    assert code == 2
    assert "critical" in worst(found["store"])
    assert "belongs to nobody" in texts(found["store"])
    assert "sudo -u nobody" in texts(found["store"])
    for name in ("summary", "top", "export-metrics"):
        assert "belongs to user 65534" in monitor(site, name, code=2).stderr


# --- Mistakes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sumary"], "invalid choice: 'sumary'"),
        ([], "required: subcommand"),
        (["summary", "--hours=0"], "above 0 and up to 8760"),
        (["export-metrics", "--hours=nan"], "above 0 and up to 8760"),
        (["export-metrics", "--format=xml"], "invalid choice: 'xml'"),
        (["export-metrics", "--output-file=/missing/file"], "create the directory"),
        (["export-metrics", "--output-file=/dev/full"], "no regular file"),
        (["top", "--interval=0"], "seconds from 0.2 to 3600"),
        (["test-alert"], "--rule-name"),
        (["explain"], "--rule-name"),
        (["token"], "required: action"),
        (["token", "create", "--user=nobody"], "no user 'nobody'"),
        (["token", "revoke", "nothing"], "No token has the key"),
        (["alerts", "--severity=fatal"], "invalid choice: 'fatal'"),
        (["test-alert", "--rule-name=no_such_rule"], "no_such_rule"),
        (["reset-counters"], "--yes"),
    ],
)
def test_a_mistake_is_answered_in_words(
    arguments: list[str], words: str, site: Site
) -> None:
    assert words in monitor(quick(site), *arguments, code=2).stderr


@pytest.mark.parametrize(
    "arguments", [["token", "list"], ["alerts"], ["health-check"], ["doctor"]]
)
def test_a_database_without_tables_is_answered_in_words(
    arguments: list[str], tmp_path: Path
) -> None:
    done = monitor(quick(Site(tmp_path)), *arguments)

    assert done.returncode in (1, 2)


# --- On a terminal --------------------------------------------------------------------


class OnTerminal:
    """A command on a terminal of 80 by 24, and somebody who looks at it."""

    def __init__(self, site: Site, *arguments: str) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (24, 80))
        self.before = termios.tcgetattr(self.slave)
        self.popen = subprocess.Popen(
            [
                sys.executable,
                str(site.code / "manage.py"),
                "manage_monitoring",
                *arguments,
            ],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**site.variables(), "TERM": "xterm"},
            cwd=site.directory,
            start_new_session=True,
        )
        self.text = ""

    def read(self) -> str:
        """Return all that has been drawn so far."""
        while select.select([self.master], [], [], 0)[0]:
            self.text += os.read(self.master, 65_536).decode(errors="replace")
        return self.text

    def press(self, key: str) -> None:
        os.write(self.master, key.encode())

    def end(self) -> int:
        """Wait for its end, looking on."""
        wait_until(lambda: [self.read(), self.popen.poll() is not None][1], seconds=20)
        self.read()
        return self.popen.returncode

    def is_clean(self) -> bool:
        """Tell whether the terminal is as it was: its screen, its cursor, its keys."""
        return (
            self.text.rfind("\x1b[?1049l") > self.text.rfind("\x1b[?1049h")
            and self.text.rfind("\x1b[?25h") > self.text.rfind("\x1b[?25l")
            and termios.tcgetattr(self.slave) == self.before
        )

    def close(self) -> None:
        with suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.mark.parametrize("how", ["q", signal.SIGINT, signal.SIGTERM])
def test_top_refreshes_until_it_is_left_and_leaves_the_terminal_clean(
    how: str | signal.Signals, served: tuple[Site, Server]
) -> None:
    site, server = served
    terminal = OnTerminal(site, "top", "--interval=0.3")
    try:
        wait_until(lambda: "GET /queries/one/" in terminal.read(), seconds=30)
        ask(server, 70)
        wait_until(lambda: "    100 " in terminal.read(), seconds=30)
        if isinstance(how, str):
            terminal.press(how)
        else:
            terminal.popen.send_signal(how)
        code = terminal.end()

        assert code == 0
        assert terminal.is_clean()
        assert "Traceback" not in terminal.text
    finally:
        terminal.close()


def test_an_export_shows_how_far_it_is(served: tuple[Site, Server]) -> None:
    site, _ = served
    file = site.directory / "metrics.json"
    terminal = OnTerminal(site, "export-metrics", f"--output-file={file}")
    try:
        code = terminal.end()

        assert code == 0
        assert "Exporting" in terminal.text
        assert f"written to {file}" in terminal.text.replace("\r\n", "")
    finally:
        terminal.close()
