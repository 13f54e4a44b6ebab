"""The site under tests/support/site, each time with files and settings of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

CODE: Final = Path(__file__).parent / "site"
REPOSITORY: Final = CODE.parent.parent.parent


@dataclass(frozen=True, slots=True)
class Site:
    """Where a copy of the site lives and how it is set up.

    `directory` holds its databases, mails, logs and, as its home, the store; `code` is
    what its processes run, and by default that of all sites. Without coverage they need
    two thirds of the time.
    """

    directory: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    code: Path = CODE
    is_covered: bool = True

    def with_settings(self, **settings: object) -> Site:
        """Return the same site with these Django settings on top; JSON values only."""
        return replace(self, settings={**self.settings, **settings})

    def with_environment(self, **variables: str) -> Site:
        """Return the same site with these environment variables on top."""
        return replace(self, environment={**self.environment, **variables})

    def with_code_of_its_own(self) -> Site:
        """Return the same site as another project than those of tests beside this one."""
        ignored = shutil.ignore_patterns("__pycache__")
        code = shutil.copytree(self.code, self.directory / "code", ignore=ignored)
        return replace(self, code=Path(code))

    def variables(self) -> dict[str, str]:
        """Return the whole environment its processes get: nothing of ours leaks in."""
        return {
            **clean_environment(is_covered=self.is_covered),
            "HOME": str(self.directory),
            "PYTHONPATH": f"{self.code}{os.pathsep}{REPOSITORY}",
            "PYTHONUNBUFFERED": "1",
            "SITE_DIRECTORY": str(self.directory),
            "SITE_SETTINGS": json.dumps(self.settings),
            **self.environment,
        }

    def manage(
        self,
        *arguments: str,
        seconds: float = 60.0,
        is_checked: bool = True,
        prefix: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a management command in a process of its own, with `prefix` before it."""
        done = subprocess.run(
            [*prefix, sys.executable, str(self.code / "manage.py"), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.directory,
            env=self.variables(),
            text=True,
            timeout=seconds,
            check=False,
        )
        if is_checked and done.returncode:
            message = f"{arguments} ended with {done.returncode}:\n{done.stderr}"
            raise AssertionError(message)
        return done

    def manage_json(self, *arguments: str) -> Any:
        """Run a management command and return the JSON document it prints."""
        return json.loads(self.manage(*arguments).stdout)

    def mails(self) -> list[str]:
        """Return the mails the site has sent, oldest first."""
        # Django names the files to the second: two mails of one are told apart here.
        files = sorted(
            (self.directory / "mail").glob("*.log"),
            key=lambda file: file.stat().st_mtime_ns,
        )
        return [file.read_text() for file in files]


def migrated(directory: Path) -> Site:
    """Return a site whose databases have their tables and ten books."""
    site = Site(directory)
    # Its own preparation is not measured: tests count from zero.
    quiet = site.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    for alias in ("default", "other"):
        quiet.manage("migrate", "--run-syncdb", "--verbosity=0", f"--database={alias}")
    quiet.manage("seed")
    return site


def copied(template: Site, directory: Path) -> Site:
    """Return a site that starts with the databases of `template`."""
    for file in template.directory.glob("*.sqlite3*"):
        shutil.copy(file, directory)
    return replace(template, directory=directory)


def clean_environment(*, is_covered: bool = True) -> dict[str, str]:
    """Return what a process needs to start, and what measures its coverage."""
    needed = {"PATH", "LANG", "LC_ALL", "TMPDIR", "CI"}
    return {
        name: value
        for name, value in os.environ.items()
        if name in needed or (is_covered and name.startswith("COVERAGE_"))
    }
