"""`run_monitoring --once` and `--dry-run`, as a schedule runs them: processes of their own."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from itertools import repeat
from typing import Any

import pytest

from tests.support.monitored import host_thresholds, quick, status, wait_for_counts
from tests.support.servers import gunicorn, serving
from tests.support.sites import Site

pytestmark = pytest.mark.integration

BUSY = {
    "name": "busy",
    "metric": "http.server.request.duration",
    "aggregation": "count",
    "window": "1h",
    "threshold": 9,
    "severity": "critical",
}


def run(site: Site, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it in 80 columns; whatever happens, there is no traceback."""
    narrow = site.with_environment(COLUMNS="80")
    done = narrow.manage("run_monitoring", *options, is_checked=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def document(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def kept(site: Site) -> list[str]:
    """Return all that there is in the database and in the store."""
    lines: list[str] = []
    for file in ("default.sqlite3", "store/store.sqlite3"):
        with closing(sqlite3.connect(site.directory / file)) as connection:
            lines += connection.iterdump()
    return lines


def test_a_schedule_alerts_where_nobody_leads(site: Site) -> None:
    # Whatever else this machine does, the built-in rules have nothing to say of it.
    site = quick(site, **host_thresholds(99.99, 100)).with_settings(
        ALERTING_SETTINGS={"CHANNELS": ["email"], "RULES": [BUSY]}
    )
    # A server that has ended leaves its figures, and nobody who evaluates.
    quiet = site.with_settings(ALERTING_SETTINGS={"CHANNELS": ["log"]})
    with serving(quiet, gunicorn(workers=1)) as server:
        answers = server.client.get_all(repeat("/plain/", 10))
        assert answers == {("/plain/", 200): 10}
        wait_for_counts(quiet, {"/plain/": 10})

        beside = run(site, "--once")
        dry_beside = run(site, "--dry-run", "--format=json")

    assert beside.returncode == 1
    assert "leads" in beside.stdout
    assert "busy" in {a["alert"] for a in document(dry_beside)["alerting"]["alerts"]}

    before = kept(site)
    dry = run(site, "--dry-run")
    assert dry.returncode == 0, dry.stdout
    assert "busy" in dry.stdout
    assert max(map(len, dry.stdout.splitlines())) <= 80
    assert kept(site) == before
    assert site.mails() == []

    once = run(site, "--once", "--format=json")
    assert once.returncode == 0, once.stdout
    told = document(once)["alerting"]["notifications"]
    assert {(t["alert"], t["outcome"]) for t in told} >= {("busy", "sent")}
    mails = len(site.mails())
    assert mails >= 1

    again = run(site, "--once", "--format=json")
    assert again.returncode == 0
    assert document(again)["alerting"]["alerts"] == []
    assert len(site.mails()) == mails


def test_a_round_reads_the_host_and_leaves_no_worker_behind(site: Site) -> None:
    full = {"name": "full", "metric": "system.memory.utilization", "threshold": 0.001}
    site = quick(site).with_settings(
        ALERTING_SETTINGS={"CHANNELS": ["log"], "RULES": [full]}
    )

    assert "full" not in run(site, "--dry-run").stdout
    assert "full" in run(site, "--once").stdout

    assert status(site)["workers"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format=json"], "add --once or --dry-run"),
        (["--onc"], "unrecognized arguments: --onc"),
        (["--once", "--format=xml"], "invalid choice: 'xml'"),
    ],
)
def test_a_mistake_is_answered_in_words(
    site: Site, options: list[str], said: str
) -> None:
    done = run(quick(site), *options)

    assert done.returncode == 2
    assert said in done.stderr


def test_without_a_database_the_alert_is_told_and_the_exit_code_says_so(
    site: Site,
) -> None:
    gone = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere/db.sqlite3"}
    site = quick(site).with_settings(
        ALERTING_SETTINGS={"CHANNELS": ["log"]},
        DATABASES={"default": gone, "other": gone},
    )

    for option in ("--once", "--dry-run"):
        done = run(site, option)
        assert done.returncode == 1, done.stderr
        assert "The database does not take the alerts" in done.stdout
