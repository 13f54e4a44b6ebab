from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import override_settings

from prs_otel.diagnosis import storage
from prs_otel.diagnosis.finding import Finding
from tests.support.surroundings import NOW, alone, surroundings

SOMEBODY_ELSE = os.geteuid() + 1


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with a store, as we make it."""
    tmp_path.chmod(0o700)
    (tmp_path / "store.sqlite3").write_bytes(b"")
    return tmp_path


def only(directory: Path, **changes: object) -> Finding:
    (found,) = storage.examine(surroundings(directory, **changes))
    return found


def test_a_private_store_is_well(directory: Path) -> None:
    assert only(directory).level == "ok"


def test_a_store_in_memory_is_each_processes_own(directory: Path) -> None:
    found = only(directory, store_url="memory://")

    assert found.level == "critical"
    assert "sqlite:////" in found.remedy


def test_where_nothing_is_measured_there_is_no_store_to_look_at() -> None:
    assert list(storage.examine(alone(is_enabled=False, store_url=""))) == []


def test_the_store_of_another_user_is_named_with_its_owner(directory: Path) -> None:
    found = list(storage.examine(surroundings(directory, user_id=SOMEBODY_ELSE)))

    me = storage.user_name(os.geteuid())
    assert [each.level for each in found] == ["critical", "critical"]
    assert all(f"belongs to {me}" in each.message for each in found)
    assert f"sudo -u {me}" in found[0].remedy


def test_a_user_without_a_name_has_a_number() -> None:
    assert storage.user_name(2**31 - 7) == str(2**31 - 7)


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701])
def test_others_must_not_look_into_the_directory(directory: Path, mode: int) -> None:
    directory.chmod(mode)

    found = only(directory)

    assert (found.level, found.remedy) == ("warning", f"chmod 700 {directory}")


def test_a_directory_must_be_writable(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As root, whose tests these may be, everything is.
    monkeypatch.setattr(os, "access", lambda *_: False)

    found = only(directory)

    assert found.level == "critical"
    assert "cannot be written" in found.message


@pytest.mark.parametrize("name", ["store.sqlite3", "missing/store.sqlite3"])
def test_a_store_that_nobody_has_made_yet_is_missing(name: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    url = f"sqlite:///{tmp_path / name}"

    (found,) = storage.examine(alone(store_url=url))

    assert found.level == "warning"
    assert "does not exist" in found.message


def test_what_keeps_it_from_being_read_is_said(directory: Path) -> None:
    found = only(directory, store_error="the file is encrypted")

    assert found.level == "critical"
    assert "the file is encrypted" in found.message


def test_a_path_that_may_not_be_looked_at_is_somebody_elses(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)

    messages = [each.message for each in storage.examine(surroundings(directory))]

    assert len(messages) == 2
    assert all("cannot be looked at: Permission denied" in each for each in messages)


@override_settings(MONITORING_SETTINGS={})
@pytest.mark.parametrize("is_made", [True, False])
def test_a_store_beside_ours_that_somebody_writes_to_is_pointed_at(
    is_made: bool, directory: Path
) -> None:
    other = directory / "site-2.sqlite3"
    other.write_bytes(b"")
    os.utime(other, (NOW - 3, NOW - 3))
    if not is_made:
        (directory / "store.sqlite3").unlink()

    (found,) = storage.examine(alone(directory))

    assert "somebody does to site-2.sqlite3" in found.message
    assert "BASE_DIR" in found.remedy


@override_settings(MONITORING_SETTINGS={})
def test_stores_that_nobody_writes_to_or_that_we_need_not_are_not(
    directory: Path,
) -> None:
    other = directory / "site-2.sqlite3"
    other.write_bytes(b"")
    os.utime(other, (NOW - 3_600, NOW - 3_600))

    assert [each.level for each in storage.examine(alone(directory))] == ["ok"]
    os.utime(other, (NOW - 3, NOW - 3))
    assert [each.level for each in storage.examine(surroundings(directory))] == ["ok"]
