from __future__ import annotations

from pathlib import Path

import pytest

from prs_otel.store import open_store


def test_a_path_opens_a_file_that_is_not_yet_touched(tmp_path: Path) -> None:
    path = tmp_path / "directory" / "store.sqlite3"

    store = open_store(f"sqlite:///{path}")

    assert store.url == f"sqlite:///{path}"
    assert not path.parent.exists()


def test_memory_is_the_same_store_wherever_it_is_opened() -> None:
    assert open_store("memory://one") is open_store("memory://one")


def test_memory_stores_of_other_names_are_others() -> None:
    assert open_store("memory://one") is not open_store("memory://two")
    assert open_store("memory://") is not open_store("memory://two")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite:///relative/path",
        "sqlite:///",
        "sqlite:////",
        "redis://localhost",
        "/a/path",
    ],
)
def test_any_other_url_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ValueError, match="is no store: write sqlite:////absolute"):
        open_store(url)


@pytest.mark.parametrize("url", ["memory://small", "sqlite:////tmp/small"])
def test_a_quota_that_holds_nothing_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="needs at least"):
        open_store(url, quota_bytes=999_999)
