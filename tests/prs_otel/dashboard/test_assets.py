from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import Client

from prs_otel.dashboard import assets

pytestmark = [
    pytest.mark.urls("tests.prs_otel.dashboard.mounted"),
    pytest.mark.usefixtures("bundle"),
]


def address(name: str) -> str:
    return f"/monitoring/assets/{assets.asset(name).digest}/{name}"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [(assets.SCRIPT, "text/javascript"), (assets.STYLE, "text/css")],
)
def test_a_file_is_served_for_browsers_to_keep(
    client: Client, name: str, content_type: str
) -> None:
    response = client.get(address(name))

    assert response.status_code == 200
    assert response["Content-Type"].startswith(content_type)
    assert "immutable" in response["Cache-Control"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_page_from_before_an_update_gets_the_new_file_and_keeps_it_not(
    client: Client,
) -> None:
    response = client.get(f"/monitoring/assets/0123456789abcdef/{assets.SCRIPT}")

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-cache"


def test_a_file_that_was_built_anew_gets_another_address(bundle: Path) -> None:
    before = address(assets.SCRIPT)
    file = bundle / assets.SCRIPT
    file.write_bytes(b"console.log('another')")
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))

    assert address(assets.SCRIPT) != before


@pytest.mark.parametrize("name", ["manifest.json", "..", "dashboard.js.map"])
def test_nothing_else_is_served(client: Client, bundle: Path, name: str) -> None:
    (bundle / "manifest.json").write_text("{}")

    assert client.get(f"/monitoring/assets/abc/{name}").status_code == 404


def test_without_a_bundle_there_is_nothing_to_serve(
    client: Client, bundle: Path
) -> None:
    (bundle / assets.STYLE).unlink()

    assert client.get(f"/monitoring/assets/abc/{assets.SCRIPT}").status_code == 404
