from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest
from django.test import override_settings

from prs_otel import pipeline
from prs_otel.diagnosis import look_around, processes
from prs_otel.store import open_store
from prs_otel.store.base import StoreError
from tests.support.surroundings import NOW, alone, beat, server, surroundings


@pytest.fixture(autouse=True)
def _own_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_current", None)
    monkeypatch.setattr(processes, "servers", lambda directory: ())


def with_store(path: Path) -> override_settings:
    return override_settings(MONITORING_SETTINGS={"STORE": f"sqlite:///{path}"})


def test_a_store_that_does_not_exist_is_not_made_by_looking(tmp_path: Path) -> None:
    path = tmp_path / "own" / "store.sqlite3"

    with with_store(path):
        around = look_around(now=NOW)

    assert around.store_path == path
    assert (around.beats, around.latest, around.store_error) == ((), None, "")
    assert not path.parent.exists()


def test_the_signs_of_life_of_a_store_are_read(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    store = open_store(f"sqlite:///{path}")
    store.append(None, worker="w1", sequence=0, beat=beat(), texts={})
    store.close()

    with with_store(path):
        around = look_around(now=NOW)
        pipeline.store().close()

    assert [each.worker for each in around.workers] == ["w1"]
    assert around.user_id == os.geteuid()


def test_a_store_that_cannot_be_read_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> NoReturn:
        raise StoreError("it belongs to user 33")

    path = tmp_path / "store.sqlite3"
    path.write_bytes(b"")
    with with_store(path):
        monkeypatch.setattr(pipeline.store(), "reading", fail)

        assert look_around(now=NOW).store_error == "it belongs to user 33"


@override_settings(MONITORING_SETTINGS={"ENABLED": False})
def test_where_nothing_is_measured_no_store_is_looked_for() -> None:
    around = look_around(now=NOW)

    assert (around.is_enabled, around.store_url, around.store_path) == (False, "", None)


def test_who_has_been_silent_for_long_is_no_worker() -> None:
    around = surroundings(
        beats=(beat(), beat(seen_at=NOW - 16), beat(host="web-2", pid=1))
    )

    assert len(around.workers) == 2
    assert around.reporting == {4_000}


def test_without_a_server_the_environment_is_that_of_the_command() -> None:
    assert alone(environment={"A": "1"}).server_environment == {"A": "1"}


def test_the_environment_of_a_server_that_reports_comes_first() -> None:
    other = server(pid=1, children=frozenset(), environment={"A": "other"})
    own = server(environment={"A": "own"})

    assert surroundings(servers=(other, own)).server_environment == {"A": "own"}
    assert surroundings(servers=(other,)).server_environment == {"A": "other"}
