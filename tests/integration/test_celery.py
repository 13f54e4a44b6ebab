"""Whatever pool a Celery worker has: each task counts once, with the queries it ran."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.cache_servers import redis
from tests.support.processes import Process, running
from tests.support.programs import python_program
from tests.support.sites import CODE, Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

SETTINGS = {"FLUSH_INTERVAL": 1.0, "N_PLUS_ONE_MIN_DURATION": 0.0}
SEND = """
import django
django.setup()
from library import jobs
for _ in range(5):
    for task in (jobs.count, jobs.think, jobs.repeat, jobs.fail, jobs.refuse):
        task.delay()
    jobs.try_again.delay()
"""
READ = """
import json, django
django.setup()
from prs_otel import performance_monitor
print(json.dumps(performance_monitor.get_performance_summary(1)))
"""
RECYCLED = ("--pool=prefork", "--concurrency=2", "--max-tasks-per-child=3")


@pytest.fixture
def measured(site: Site, tmp_path: Path) -> Iterator[Site]:
    """Yield the site as Celery finds it, its worker's store in the home of all."""
    # By a broker without an event loop the pool's processes end with the thread that
    # replaced them, killed, and now and then its main process waits for one of them.
    with redis(tmp_path) as broker:
        settings = site.with_settings(MONITORING_SETTINGS=SETTINGS)
        yield settings.with_environment(
            CELERY_BROKER_URL=f"redis://{broker.address}",
            DJANGO_SETTINGS_MODULE="library.settings",
        )


def python(site: Site, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        cwd=CODE,
        env=site.variables(),
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def worked_off(site: Site, *options: str, is_launched: bool = True) -> dict[str, Any]:
    """Send tasks, let a worker do them, and return the summary once it has ended."""
    python(site, SEND)
    launcher = [python_program("opentelemetry-instrument")] if is_launched else []
    with running(
        [*launcher, *worker(options)],
        log=site.directory / "worker.log",
        environment=site.variables(),
        directory=CODE,
    ) as process:
        wait_until(lambda: has_done(process, 35), seconds=60, what=process.output)
        assert process.stop(seconds=30) == 0
        assert "prs_otel failed" not in process.output()
    found: dict[str, Any] = json.loads(python(site, READ))
    return found


def worker(options: Sequence[str]) -> list[str]:
    return [
        *(python_program("celery"), "--app=library.jobs", "worker", "--loglevel=info"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", *options),
    ]


def has_done(process: Process, number: int) -> bool:
    if not process.is_running:
        raise AssertionError(process.output())
    ends = " succeeded in ", " raised unexpected: ", " raised expected: ", " retry: "
    return sum(process.output().count(end) for end in ends) == number


@pytest.mark.parametrize(
    ("options", "is_launched"),
    [
        (RECYCLED, True),
        (RECYCLED, False),
        (("--pool=threads", "--concurrency=4"), True),
        (("--pool=solo",), False),
    ],
    ids=["prefork", "prefork without launcher", "threads", "solo without launcher"],
)
def test_every_task_counts_once(
    measured: Site, options: Sequence[str], is_launched: bool
) -> None:
    summary = worked_off(measured, *options, is_launched=is_launched)

    tasks = summary["tasks"]
    assert {each["task"]: counted(each) for each in tasks["tasks"]} == {
        # how many, how many failed, how many queries, how many repeated one
        "library.count": ("celery", 5, 0, 5, 0),
        "library.think": ("celery", 5, 0, 0, 0),
        "library.repeat": ("celery", 5, 0, 55, 5),
        "library.fail": ("celery", 5, 5, 5, 0),
        "library.refuse": ("celery", 5, 0, 0, 0),
        "library.try_again": ("celery", 10, 0, 0, 0),
    }
    assert (tasks["count"], tasks["error_count"], tasks["query_count"]) == (35, 5, 65)
    assert summary["queries"]["count"] == 65
    assert summary["requests"]["count"] == 0


def counted(row: dict[str, Any]) -> tuple[object, ...]:
    figures = ("kind", "count", "error_count", "query_count", "n_plus_one_count")
    return tuple(row[figure] for figure in figures)
