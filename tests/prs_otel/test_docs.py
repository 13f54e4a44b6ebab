from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

from django.utils.module_loading import import_string

import prs_otel
from alerting import checks as alerting_checks
from prs_otel import checks
from prs_otel.derived import catalog
from tests.support import settings_tables

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented_as_it_is() -> None:
    page = settings_tables.PAGE.read_text()

    # When this fails: python -m tests.support.settings_tables
    assert page == settings_tables.written(page, settings_tables.models())


def test_every_setting_says_what_it_means() -> None:
    silent = [
        name
        for model in settings_tables.models().values()
        for name, field in model.model_fields.items()
        if not field.description
    ]

    assert silent == []


def test_every_check_is_documented() -> None:
    page = (ROOT / "docs" / "checks.md").read_text()
    documented = re.findall(r"^\| `(prs_\w+\.[EW]\d{3})` \|", page, re.MULTILINE)

    known = [
        *checks.IDS.values(),
        *checks.FINDING_IDS,
        *alerting_checks.IDS.values(),
        *alerting_checks.WARNINGS,
    ]
    assert sorted(documented) == sorted(known)
    assert len(set(known)) == len(known)


def test_the_changelog_knows_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert f"## [{prs_otel.__version__}]" in changelog


def test_the_version_is_written_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert "version" in project["dynamic"]
    assert "version" not in project


def test_every_link_between_our_pages_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")]
    dangling = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]

    assert dangling == []


def test_every_import_that_takes_the_place_of_an_old_one_works() -> None:
    page = (ROOT / "docs" / "coming-from-core-config.md").read_text()
    named = re.findall(r"from (prs_otel|alerting) import (\w+)", page)

    assert len(named) > 5
    for package, name in named:
        assert getattr(importlib.import_module(package), name) is not None


def test_every_setting_and_import_of_the_original_has_its_place() -> None:
    page = (ROOT / "docs" / "coming-from-core-config.md").read_text()
    named = {
        *settings_tables.models()["MONITORING_SETTINGS"].model_fields,
        *settings_tables.models()["ALERTING_SETTINGS"].model_fields,
    }
    written = re.findall(r'\["([A-Z_]+)"\]', page)

    assert len(written) == 8
    assert {name.lower() for name in written} <= named


def test_the_middleware_has_the_path_that_is_written_down() -> None:
    page = (ROOT / "docs" / "coming-from-core-config.md").read_text()
    (path,) = set(re.findall(r'"(prs_otel\.\w*Middleware)"', page))

    assert import_string(path) is prs_otel.PerformanceMonitoringMiddleware


def test_every_exported_metric_is_documented() -> None:
    page = (ROOT / "docs" / "exported-metrics.md").read_text()
    documented = re.findall(r"^\| `([\w.]+)` \| \w+ \| `", page, re.MULTILINE)

    exported = (*catalog.TIMED, *catalog.COUNTED, *catalog.LOOKED, *catalog.READ)
    assert documented == [metric.name for metric in exported]
