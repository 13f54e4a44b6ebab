"""A site for each integration test, and which of them begin."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import sites
from tests.support.sites import Site


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Begin with the files that may take longest, so that none is left alone at the end."""
    usual = float(config.getini("timeout"))
    seconds: defaultdict[Path, float] = defaultdict(float)
    for item in items:
        own = item.get_closest_marker("timeout")
        seconds[item.path] += own.args[0] if own else usual
    items.sort(key=lambda item: -seconds[item.path])


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return sites.migrated(tmp_path_factory.mktemp("template"))


@pytest.fixture
def site(request: pytest.FixtureRequest, _template: Site, tmp_path: Path) -> Site:
    """Return a site of the test's own: migrated, with ten books, nothing measured."""
    is_covered = request.node.get_closest_marker("uncovered") is None
    return replace(sites.copied(_template, tmp_path), is_covered=is_covered)
