"""A management command is a task where a person or a schedule has started it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.test_celery import READ, python
from tests.support.sites import Site

pytestmark = pytest.mark.integration


def counted(site: Site) -> dict[str, tuple[object, ...]]:
    """Return kind, count and failures of each task, and whether it ran queries."""
    environment = {"DJANGO_SETTINGS_MODULE": "library.settings"}
    summary: dict[str, Any] = json.loads(
        python(site.with_environment(**environment), READ)
    )
    return {
        row["task"]: (
            row["kind"],
            row["count"],
            row["error_count"],
            row["query_count"] > 0,
        )
        for row in summary["tasks"]["tasks"]
    }


def test_each_command_from_the_command_line_counts_once(site: Site) -> None:
    site.manage("clearsessions")
    site.manage("check")  # it is about the code, and leaves no trace
    site.manage("seed")
    site.manage("seed")
    assert site.manage("loaddata", "nothing", is_checked=False).returncode == 1

    assert counted(site) == {
        "clearsessions": ("command", 1, 0, True),
        "seed": ("command", 2, 0, True),
        "loaddata": ("command", 1, 1, True),
    }


def test_what_ran_no_command_counts_none(site: Site) -> None:
    site.manage("seed", "--help")
    for mistaken in (("seed", "--no-such-option"), ("nothing",)):
        assert site.manage(*mistaken, is_checked=False).returncode != 0
    site.manage("manage_monitoring", "status", is_checked=False)

    assert counted(site) == {}


def test_commands_are_left_alone_where_that_is_wanted(site: Site) -> None:
    site.with_settings(MONITORING_SETTINGS={"MONITOR_COMMANDS": False}).manage("seed")
    site.with_settings(MONITORING_SETTINGS={"IGNORED_COMMANDS": ["seed"]}).manage(
        "seed"
    )
    site.with_settings(MONITORING_SETTINGS={"ENABLED": False}).manage("seed")

    assert counted(site) == {}


def test_a_command_says_and_returns_what_it_would_without_us(site: Site) -> None:
    switched_off = site.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    for command in (("clearsessions",), ("loaddata", "nothing")):
        alone = switched_off.manage(*command, is_checked=False)
        measured = site.manage(*command, is_checked=False)

        assert (measured.returncode, measured.stdout, measured.stderr) == (
            alone.returncode,
            alone.stdout,
            alone.stderr,
        )
