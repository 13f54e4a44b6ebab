"""Find the line of the project's own code that is responsible for what happens now."""

from __future__ import annotations

import site
import sys
import sysconfig
import traceback
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prs_otel import conf, texts
from prs_otel.instrumentation import awaiting
from prs_otel.observation import CallSite

if TYPE_CHECKING:
    from types import FrameType

_DEPTH_LIMIT: Final = 400  # frames; a recursion deeper than that is not searched

_LENGTH_LIMIT: Final = 4_096  # characters of a path


def find() -> CallSite | None:
    """Return the innermost frame that is the project's own; `None` if there is none."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect builds a list
    for _ in range(_DEPTH_LIMIT):
        if frame is None:
            return None
        if awaiting.is_called(frame):
            # Below are the threads' own affairs, or whoever runs the event loop.
            places = [place for each in awaiting.frames(frame) if (place := _at(each))]
            return places[-1] if places else None
        place = _at(frame)
        if place is not None:
            return place
        frame = frame.f_back
    return None


def _at(frame: FrameType) -> CallSite | None:
    file = _project_file(frame.f_code.co_filename)
    if file is None:
        return None
    return CallSite(file, frame.f_lineno or 0, frame.f_code.co_qualname)


def of_error(error: BaseException) -> CallSite | None:
    """Return the innermost place of the project's own through which `error` came."""
    found: CallSite | None = None
    for frame, line in islice(traceback.walk_tb(error.__traceback__), _DEPTH_LIMIT):
        file = _project_file(frame.f_code.co_filename)
        if file is not None:
            found = CallSite(file, line, frame.f_code.co_qualname)
    return found


@lru_cache(maxsize=4096)
def _project_file(filename: str) -> str | None:
    """Return a file as the project names it, `None` for others' code."""
    if filename.startswith("<"):
        return None
    path = Path(filename).absolute()
    if any(path.is_relative_to(directory) for directory in _foreign_directories()):
        return None
    project = Path(conf.project_directory()).absolute()
    shown = path.relative_to(project) if path.is_relative_to(project) else path
    return texts.storable(str(shown), _LENGTH_LIMIT)


@lru_cache(maxsize=1)
def _foreign_directories() -> tuple[Path, ...]:
    """Return where the standard library, installed packages and we ourselves are.

    A virtual environment often lies inside the project, so these are excluded by name.
    """
    paths = sysconfig.get_paths()
    return tuple(
        {
            *(Path(paths[name]) for name in ("stdlib", "platstdlib")),
            *(Path(paths[name]) for name in ("purelib", "platlib")),
            *map(Path, site.getsitepackages()),
            Path(site.getusersitepackages()),
            Path(__file__).absolute().parent.parent,
        }
    )
