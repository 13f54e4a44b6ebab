"""A site for each integration test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import sites
from tests.support.sites import Site


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return sites.migrated(tmp_path_factory.mktemp("template"))


@pytest.fixture
def site(_template: Site, tmp_path: Path) -> Site:
    """Return a site of the test's own: migrated, with ten books, nothing measured."""
    return sites.copied(_template, tmp_path)
