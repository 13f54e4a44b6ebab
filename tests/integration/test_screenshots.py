"""Every screen of the dashboard as a picture; `make screenshots` puts them into docs/."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser

from demo_runner.program import PASSWORD, VISITORS
from demo_runner.traffic import Traffic
from tests.support.browser import PHONE, WIDE, Theme, Window, browsing, window
from tests.support.demo_site import SEED_WHOLLY, Demo, serving_demo
from tests.support.sites import REPOSITORY

pytestmark = [pytest.mark.once, pytest.mark.timeout(400)]

DOCS: Final = REPOSITORY / "docs"
KEPT: Final = os.environ.get("SCREENSHOTS")
# Long enough for the charts to have a shape, where anybody will look at them.
DURATION, FAILING_AT = (180.0, 135.0) if KEPT else (4.0, 0.0)
MACHINE: Final = "web-1"

RECEIPT = "/deals/<int:pk>/receipt/"
FAILS = "Customers cannot open their receipts"
# Each picture: the address, what has to be there, theme and size.
PICTURES: Final[dict[str, tuple[str, str, Theme, tuple[int, int]]]] = {
    "overview": ("", "Requests per second", "light", WIDE),
    "overview-dark": ("", "Requests per second", "dark", WIDE),
    "overview-phone": ("", "Requests per second", "light", PHONE),
    "endpoints": ("screen=endpoints", RECEIPT, "light", WIDE),
    "endpoint": (
        urlencode({"screen": "endpoint", "endpoint": RECEIPT}),
        "Its queries",
        "light",
        WIDE,
    ),
    "queries": ("screen=queries", "Repeated within one request", "light", WIDE),
    "tenants": ("screen=tenants", "Organisations and users", "light", WIDE),
    "hosts": ("screen=hosts", "Runs for", "light", WIDE),
    "alerts": ("screen=alerts", "Who is told", "light", WIDE),
    "history": ("screen=alerts&tab=history", "Lasted", "light", WIDE),
    "rules": ("screen=alerts&tab=rules", "high_cpu_usage", "light", WIDE),
    "silences": ("screen=alerts&tab=silences", "New silence", "light", WIDE),
}
# The address, what is clicked there, and what has to be there then.
CLICKED: Final = {
    "query": ("screen=queries", "td .sql-line", "Called from"),
    "alert": (
        "screen=alerts&tab=history",
        "tr:has-text('receipt_errors') a",
        "Who was told",
    ),
}
BLANK: Final = 10_000  # bytes; a picture of nothing is smaller


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = REPOSITORY / KEPT if KEPT else tmp_path_factory.mktemp("screenshots")
    kept.mkdir(parents=True, exist_ok=True)
    return kept


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser, directory: Path
) -> Iterator[Demo]:
    """Serve the demo until its visitors have gone; meanwhile an alert is photographed."""
    with serving_demo(tmp_path_factory.mktemp("demo"), seed=SEED_WHOLLY) as served:
        traffic = Traffic(served.client.port, served.ledger, duration=DURATION)
        traffic.start(VISITORS, PASSWORD)
        try:
            time.sleep(FAILING_AT)
            with opened(served, browser) as shown:
                shown.open("/monitoring/?window=15m", shows=FAILS)
                photograph(shown, directory / "firing.png")
            time.sleep(max(0.0, DURATION - traffic.elapsed))
        finally:
            traffic.stop()
        yield served


@contextmanager
def opened(
    demo: Demo,
    browser: Browser,
    theme: Theme = "light",
    size: tuple[int, int] = WIDE,
) -> Iterator[Window]:
    """Open a window of somebody who may do everything."""
    origin = f"http://127.0.0.1:{demo.client.port}"
    with window(browser, origin, theme=theme, size=size) as shown:
        shown.sign_in("demo", "demo")
        shown.rewrite("**/api/**", anywhere)
        yield shown


def anywhere(document: Any) -> Any:
    """Return a document of the API as any machine would have written it."""
    return json.loads(json.dumps(document).replace(socket.gethostname(), MACHINE))


def photograph(shown: Window, path: Path) -> None:
    """Take a picture of what the window shows, once it has been drawn."""
    shown.page.wait_for_load_state("networkidle")
    shown.page.mouse.move(0, 0)
    shown.page.screenshot(path=path, animations="disabled")
    assert path.stat().st_size > BLANK, path
    assert shown.complaints == []


@pytest.mark.parametrize("name", PICTURES)
def test_a_screen_is_photographed(
    demo: Demo, browser: Browser, directory: Path, name: str
) -> None:
    query, shows, theme, size = PICTURES[name]
    with opened(demo, browser, theme, size) as shown:
        shown.open(f"/monitoring/?window=15m&{query}", shows=shows)
        photograph(shown, directory / f"{name}.png")


@pytest.mark.parametrize("name", CLICKED)
def test_what_a_click_leads_to_is_photographed(
    demo: Demo, browser: Browser, directory: Path, name: str
) -> None:
    query, target, shows = CLICKED[name]
    with opened(demo, browser) as shown:
        shown.open(f"/monitoring/?window=15m&{query}", shows="prs-otel")
        shown.page.locator(target).first.click()
        shown.page.get_by_text(shows).first.wait_for()
        photograph(shown, directory / f"{name}.png")


def test_every_picture_is_in_the_documentation_once() -> None:
    pictures = {"firing", *PICTURES, *CLICKED}

    text = (DOCS / "dashboard.md").read_text()

    assert {each.stem for each in (DOCS / "screenshots").glob("*.png")} == pictures
    assert {name: text.count(f"(screenshots/{name}.png)") for name in pictures} == (
        dict.fromkeys(pictures, 1)
    )
