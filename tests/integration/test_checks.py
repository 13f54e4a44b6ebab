"""What `manage.py check` says in a process of its own, under permissions that bind it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.programs import without_root_powers
from tests.support.sites import Site

OUR_ID = re.compile(r"\((prs_\w+\.[EW]\d{3})\)")


def with_store(site: Site, file: Path) -> Site:
    return site.with_settings(MONITORING_SETTINGS={"STORE": f"sqlite:///{file}"})


def checked(site: Site, *options: str) -> list[str]:
    """Return our ids in what `manage.py check` prints."""
    done = site.manage("check", *options, prefix=without_root_powers())
    return OUR_ID.findall(done.stderr)


def listed(directory: Path) -> set[Path]:
    return set(directory.rglob("*"))


def test_a_good_site_has_nothing_to_be_told(site: Site) -> None:
    before = listed(site.directory)

    assert checked(site) == []

    assert listed(site.directory) == before


def test_a_store_whose_directory_is_sealed_is_out_of_reach(site: Site) -> None:
    sealed = site.directory / "sealed"
    sealed.mkdir(mode=0o500)

    assert checked(with_store(site, sealed / "store.sqlite3")) == ["prs_otel.W005"]
    assert checked(with_store(site, sealed / "new" / "store.sqlite3")) == [
        "prs_otel.W005"
    ]


def test_a_store_that_everybody_may_swap_is_not_safe(site: Site) -> None:
    shared = site.directory / "shared"
    shared.mkdir()
    shared.chmod(0o777)

    assert checked(with_store(site, shared / "store.sqlite3")) == ["prs_otel.W006"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser gives files away")
def test_a_store_of_another_user_is_not_safe(site: Site) -> None:
    theirs = site.directory / "theirs"
    theirs.mkdir(mode=0o777)
    os.chown(theirs, 12_345, -1)

    assert checked(with_store(site, theirs / "store.sqlite3")) == [
        "prs_otel.W005",
        "prs_otel.W006",
    ]


def test_before_deployment_mail_that_goes_nowhere_is_told(site: Site) -> None:
    tags = ("--tag", "prs_otel", "--tag", "prs_alerting")
    closed = {"WEBHOOK_SECRET": "a long random value"}

    assert checked(site.with_settings(ALERTING_SETTINGS=closed), "--deploy", *tags) == [
        "prs_alerting.W003"
    ]
    # Nor is it told who may post alerts.
    assert checked(site, "--deploy", *tags) == [
        "prs_alerting.W003",
        "prs_alerting.W004",
    ]
