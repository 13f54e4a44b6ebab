from __future__ import annotations

import json
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from prs_otel import conf
from prs_otel.instrumentation import call_site
from prs_otel.observation import CallSite

HERE = Path(__file__)


@pytest.fixture(autouse=True)
def _project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "project_directory", lambda: str(HERE.parent))
    call_site._project_file.cache_clear()


def moved(function: Any, file: str) -> Any:
    """Return the function as if its code stood in another file."""
    code: CodeType = function.__code__.replace(co_filename=file)
    return FunctionType(code, function.__globals__)


def find() -> CallSite | None:
    return call_site.find()


def test_it_is_the_innermost_line_of_the_project() -> None:
    def view() -> CallSite | None:
        return call_site.find()

    found = view()

    assert found is not None
    assert found.file == HERE.name
    assert HERE.read_text().splitlines()[found.line - 1].strip() == (
        "return call_site.find()"
    )
    assert found.function.endswith(
        "test_it_is_the_innermost_line_of_the_project.<locals>.view"
    )


@pytest.mark.parametrize(
    "file",
    [
        json.__file__,
        pytest.__file__,
        call_site.__file__,
        "<string>",
        "<frozen importlib._bootstrap>",
    ],
)
def test_code_of_others_is_passed_over(file: str) -> None:
    def caller() -> CallSite | None:
        found: CallSite | None = moved(find, file)()
        return found

    found = caller()

    assert found is not None
    assert found.function.endswith("caller")


def test_code_outside_the_project_directory_keeps_its_path() -> None:
    found = moved(find, "/srv/shared/money.py")()

    assert found.file == "/srv/shared/money.py"


def test_equal_code_in_two_files_has_the_path_of_each() -> None:
    files = ["/srv/a/views.py", "/srv/b/views.py"]

    assert [moved(find, file)().file for file in files] == files


def test_where_nobodys_own_code_runs_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_site, "_project_file", lambda filename: None)
    assert find() is None

    monkeypatch.setattr(call_site, "_DEPTH_LIMIT", 1)
    assert find() is None
