from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import override_settings

from prs_otel import checks
from prs_otel.checks import store
from prs_otel.checks.finding import INSECURE, UNREACHABLE


def found_at(file: Path) -> list[str]:
    return [finding.id for finding in store.findings(f"sqlite:///{file}")]


def read_only(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    """Forbid to write to these, as the superuser may write to everything."""
    forbidden = {str(path) for path in paths}
    access = os.access

    def answer(path: object, mode: int) -> bool:
        return not (str(path) in forbidden and mode & os.W_OK) and access(
            str(path), mode
        )

    monkeypatch.setattr(os, "access", answer)


@pytest.fixture
def _somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)


def test_a_file_that_can_be_made_is_fine_and_stays_unmade(tmp_path: Path) -> None:
    assert found_at(tmp_path / "new" / "deep" / "store.sqlite3") == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite3"
    file.touch()

    assert found_at(file) == []


def test_a_store_in_memory_is_always_within_reach() -> None:
    assert list(store.findings("memory://")) == []


def test_a_url_without_a_file_is_named(tmp_path: Path) -> None:
    with override_settings(MONITORING_SETTINGS={"STORE": "sqlite:////."}):
        [finding] = checks.findings()

    assert finding.id == UNREACHABLE
    assert "MONITORING_SETTINGS['STORE']: 'sqlite:////.' is no store" in finding.message


def test_a_directory_that_is_a_file_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()

    assert found_at(tmp_path / "taken" / "store.sqlite3") == [UNREACHABLE]
    assert found_at(tmp_path / "taken" / "deep" / "store.sqlite3") == [UNREACHABLE]


def test_a_directory_that_is_read_only_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only(monkeypatch, tmp_path)

    [finding] = store.findings(f"sqlite:///{tmp_path}/store.sqlite3")

    assert finding.id == UNREACHABLE
    assert f"the directory {tmp_path} cannot be written to" in finding.message
    assert "MONITORING_SETTINGS['STORE'] = 'sqlite:////absolute" in finding.hint


def test_a_directory_that_cannot_be_made_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only(monkeypatch, tmp_path)

    [finding] = store.findings(f"sqlite:///{tmp_path}/new/store.sqlite3")

    assert finding.id == UNREACHABLE
    assert f"{tmp_path}/new is missing" in finding.message


def test_a_file_that_is_none_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").mkdir()

    assert found_at(tmp_path / "store.sqlite3") == [UNREACHABLE]


def test_what_cannot_be_looked_at_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    file = tmp_path / "store.sqlite3"

    assert store.why_unusable(file) == f"{file} cannot be looked at: Permission denied"


@pytest.mark.usefixtures("_somebody_else")
def test_a_directory_of_another_user_is_not_safe(tmp_path: Path) -> None:
    [finding] = store.findings(f"sqlite:///{tmp_path}/store.sqlite3")

    assert finding.id == INSECURE
    assert f"the directory {tmp_path} belongs to user {os.getuid()}" in finding.message
    assert "run manage.py as that user" in finding.hint


@pytest.mark.usefixtures("_somebody_else")
def test_a_file_of_another_user_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").touch()

    assert found_at(tmp_path / "store.sqlite3") == [UNREACHABLE, INSECURE]


def test_a_directory_that_everybody_may_write_to_is_not_safe(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)

    [finding] = store.findings(f"sqlite:///{tmp_path}/store.sqlite3")

    assert finding.id == INSECURE
    assert f"everybody may write to the directory {tmp_path}" in finding.message
    assert f"chmod 700 {tmp_path}" in finding.hint


def test_without_a_setting_any_usable_place_is_fine(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    files = [tmp_path / "taken" / "s.sqlite3", tmp_path / "free" / "s.sqlite3"]

    assert list(store.default_findings(files)) == []


@pytest.mark.usefixtures("_somebody_else")
def test_without_a_setting_and_a_place_each_worker_is_on_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").touch()
    (tmp_path / "theirs" / "prs_otel-0").mkdir(parents=True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "theirs"))
    monkeypatch.setattr(os, "getuid", lambda: 0)

    [finding] = checks.findings()

    assert finding.id == UNREACHABLE
    assert finding.message.startswith("Each worker keeps its own figures")
    assert f"{tmp_path}/state is not a directory; the directory" in finding.message


def test_looking_for_a_place_creates_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert checks.findings() == []
    assert list(tmp_path.iterdir()) == []
