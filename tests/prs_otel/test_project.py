from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from django.test import override_settings

from prs_otel import project


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the user a home and a temporary directory of the test's own."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "home"


def path_of(url: str) -> Path:
    scheme, _, path = url.partition("://")
    assert scheme == "sqlite"
    return Path(path.removeprefix("/"))


class TestProjectDirectory:
    @pytest.mark.parametrize("base", ["/srv/shop", Path("/srv/shop"), "/srv/x/../shop"])
    def test_is_base_dir(self, base: str | Path) -> None:
        with override_settings(BASE_DIR=base):
            assert project.project_directory() == "/srv/shop"

    def test_is_where_the_settings_package_is(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        package = ModuleType("shop")
        package.__path__ = ["/srv/project/shop"]
        monkeypatch.setitem(sys.modules, "shop", package)

        with override_settings(BASE_DIR=None, SETTINGS_MODULE="shop.settings.live"):
            assert project.project_directory() == "/srv/project"

    def test_is_where_the_settings_module_is(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = ModuleType("settings")
        module.__file__ = "/srv/project/settings.py"
        monkeypatch.setitem(sys.modules, "settings", module)

        with override_settings(BASE_DIR=None, SETTINGS_MODULE="settings"):
            assert project.project_directory() == "/srv/project"

    @pytest.mark.parametrize("module", [None, "no.such.module", "sys"])
    def test_is_the_working_directory_otherwise(self, module: str | None) -> None:
        with override_settings(BASE_DIR=None, SETTINGS_MODULE=module):
            assert project.project_directory() == str(Path.cwd())


class TestProjectName:
    def test_is_the_settings_package(self) -> None:
        with override_settings(SETTINGS_MODULE="shop.settings"):
            assert project.project_name() == "shop"

    @pytest.mark.parametrize("module", ["settings", "", None])
    def test_is_the_directory_otherwise(self, module: str | None) -> None:
        with override_settings(SETTINGS_MODULE=module, BASE_DIR="/srv/bookshop"):
            assert project.project_name() == "bookshop"

    def test_is_never_empty(self) -> None:
        with override_settings(SETTINGS_MODULE="", BASE_DIR="/"):
            assert project.project_name() == "django"


class TestDefaultStore:
    def test_is_a_file_in_a_private_directory_of_the_user(self, home: Path) -> None:
        path = path_of(project.default_store_url())

        assert path.parent == home / ".local/state/prs_otel"
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert not path.exists()

    def test_follows_xdg_state_home(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

        path = path_of(project.default_store_url())

        assert path.parent == tmp_path / "state/prs_otel"

    def test_ignores_a_relative_xdg_state_home(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", "state")

        assert path_of(project.default_store_url()).is_relative_to(home)

    def test_is_the_same_for_every_process_of_a_project(self, home: Path) -> None:
        assert project.default_store_url() == project.default_store_url()

    def test_is_another_for_another_project_of_the_same_name(self, home: Path) -> None:
        with override_settings(BASE_DIR="/srv/one/shop"):
            one = project.default_store_url()
        with override_settings(BASE_DIR="/srv/two/shop"):
            two = project.default_store_url()

        assert path_of(one).name.startswith("shop-")
        assert one != two

    def test_has_a_plain_name_whatever_the_project_is_called(self, home: Path) -> None:
        with override_settings(BASE_DIR="/srv/my shop?#%"):
            name = path_of(project.default_store_url()).name

        assert name.startswith("my_shop___-")

    def test_closes_a_directory_that_others_could_read(self, home: Path) -> None:
        directory = home / ".local/state/prs_otel"
        directory.mkdir(parents=True)
        directory.chmod(0o755)

        assert path_of(project.default_store_url()).parent == directory
        assert directory.stat().st_mode & 0o777 == 0o700

    def test_goes_to_the_temporary_directory_when_home_is_a_file(
        self, home: Path
    ) -> None:
        home.write_text("no directory")

        path = path_of(project.default_store_url())

        assert path.parent.name == f"prs_otel-{os.getuid()}"
        assert path.parent.stat().st_mode & 0o777 == 0o700

    def test_goes_to_the_temporary_directory_when_there_is_no_home(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def nobody(path: Path) -> Path:
            raise RuntimeError

        monkeypatch.setattr(Path, "expanduser", nobody)

        path = path_of(project.default_store_url())

        assert path.parent.name == f"prs_otel-{os.getuid()}"

    def test_never_follows_a_link_somebody_laid(
        self, home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        home.write_text("no directory")
        (tmp_path / "temporary").mkdir()
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        trap = tmp_path / "temporary" / f"prs_otel-{os.getuid()}"
        trap.symlink_to(tmp_path / "elsewhere")

        assert project.default_store_url() == "memory://"
        assert "set MONITORING_SETTINGS['STORE']" in caplog.text

    def test_never_trusts_a_directory_of_somebody_else(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project.default_store_url()
        owner = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: owner + 1)

        assert project.default_store_url() == "memory://"
