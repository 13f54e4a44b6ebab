from __future__ import annotations

import os
from typing import Any

import pytest

from prs_otel.diagnosis import serving
from prs_otel.diagnosis.finding import Finding
from tests.support.surroundings import NOW, alone, beat, server, surroundings

NOBODY = {"user_id": os.geteuid() + 1, "user": "www-data"}


def only(**changes: Any) -> Finding:
    (found,) = serving.examine(surroundings(**changes))
    return found


def test_a_server_that_reports_is_well() -> None:
    assert only().level == "ok"


def test_without_any_server_there_is_one_to_start() -> None:
    (found,) = serving.examine(alone())

    assert found.level == "warning"
    assert "opentelemetry-instrument gunicorn" in found.remedy


def test_a_server_that_cannot_be_seen_but_reports_is_no_finding() -> None:
    assert list(serving.examine(surroundings(servers=()))) == []


def test_the_server_of_another_user_is_named_with_the_command_to_type() -> None:
    found = only(beats=(), servers=(server(**NOBODY),))

    assert found.level == "critical"
    assert "runs as www-data" in found.message
    assert "sudo -u www-data" in found.remedy


def test_uwsgi_is_to_be_given_threads() -> None:
    found = only(beats=(), servers=(server(program="uwsgi"),))

    assert found.level == "critical"
    assert "enable-threads = true" in found.remedy


def test_what_has_just_started_may_take_a_moment() -> None:
    found = only(beats=(), servers=(server(started_at=NOW - 5),))

    assert (found.level, found.remedy) == ("warning", "Look again in half a minute.")


def test_a_server_that_does_not_report_may_have_other_settings() -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "library.production"}

    found = only(beats=(), servers=(server(environment=environment),))

    assert found.level == "critical"
    assert "of its settings (library.production)" in found.remedy
    assert "settings, that" in only(beats=(), servers=(server(),)).remedy


def test_what_is_loaded_before_the_fork_may_need_to_be_told_of_it() -> None:
    arguments = ("gunicorn", "--preload", "library.wsgi")

    found = only(beats=(), servers=(server(arguments=arguments),))

    assert "prs_otel.postfork()" in found.remedy


@pytest.mark.parametrize(
    ("arguments", "remedy"), [((), "its log"), (("--preload",), "post_fork")]
)
def test_single_workers_that_do_not_report_are_named(
    arguments: tuple[str, ...], remedy: str
) -> None:
    children = frozenset({4_000, 4_001, 4_002})

    found = only(servers=(server(children=children, arguments=arguments),))

    assert "these workers do not report: 4001, 4002." in found.message
    assert remedy in found.remedy


def test_the_helpers_of_other_servers_need_not_report() -> None:
    children = frozenset({4_000, 4_001})

    assert only(servers=(server(program="uvicorn", children=children),)).level == "ok"


def test_the_workers_of_another_host_are_not_those_of_a_server_here() -> None:
    assert only(beats=(beat(host="web-2"),)).level == "critical"


@pytest.mark.parametrize(("seconds", "level"), [(20, "warning"), (36, "critical")])
def test_the_moment_a_start_may_take_is_its_own_and_a_flush(
    seconds: float, level: str
) -> None:
    # Until it has started, and then until its first flush should have come.
    found = only(beats=(), servers=(server(started_at=NOW - seconds),))

    assert found.level == level
