"""Where the project lives, and where its measurements are kept by default."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

logger = logging.getLogger("prs_otel")


def project_directory() -> str:
    """Return the absolute directory that `code.file` of our findings is relative to.

    `BASE_DIR` where the settings have one, else the directory that holds the settings'
    top package, else the working directory.
    """
    base: str | Path | None = getattr(settings, "BASE_DIR", None)
    if base:
        # resolve() would follow the link that points to the current release.
        return os.path.abspath(base)  # noqa: PTH100
    return _directory_of_settings() or str(Path.cwd())


def project_name() -> str:
    """Return the project's name as the default service and store name use it."""
    top = _settings_module().partition(".")[0]
    if top and top != "settings":
        return top
    return Path(project_directory()).name or "django"


def default_store_url() -> str:
    """Return the store that is used where `STORE` is not set.

    One file per project in a directory only this user can read, so every process of
    one user finds the same. It is created here, because only trying shows whether it
    can be written. Without any such directory each process keeps to itself.
    """
    for file in default_store_files():
        if _is_private(file.parent):
            return f"sqlite:///{file}"
    logger.error(
        "no private directory is writable, so each worker keeps its own figures; set "
        "MONITORING_SETTINGS['STORE'] to 'sqlite:////a/writable/path.sqlite3'"
    )
    return "memory://"


def default_store_files() -> list[Path]:
    """Return where the store may lie that is used without `STORE`, the best place first."""
    directory = project_directory()
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", Path(directory).name) or "django"
    return [place / f"{name}-{digest}.sqlite3" for place in _state_directories()]


def _settings_module() -> str:
    return str(getattr(settings, "SETTINGS_MODULE", None) or "")


def _directory_of_settings() -> str:
    name = _settings_module()
    top = sys.modules.get(name.partition(".")[0])
    places = [*getattr(top, "__path__", ()), getattr(top, "__file__", None)]
    return str(Path(places[0]).absolute().parent) if places[0] else ""


def _state_directories() -> Iterator[Path]:
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if state.is_absolute():  # the XDG specification says to ignore a relative one
        yield state / "prs_otel"
    else:
        with contextlib.suppress(RuntimeError):  # a user without a home directory
            yield Path("~/.local/state/prs_otel").expanduser()
    yield Path(tempfile.gettempdir(), f"prs_otel-{os.getuid()}")


def _is_private(directory: Path) -> bool:
    """Make `directory` if need be; tell whether it is ours alone and writable.

    The name under the shared temporary directory is predictable, so what is found
    there is trusted only if this user owns it and it is no link.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            return False
        if found.st_mode & 0o077:
            directory.chmod(0o700)
    except OSError:
        return False
    return os.access(directory, os.W_OK)
