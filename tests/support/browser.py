"""A real browser that looks at pages, and notes all that they complain of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from playwright.sync_api import (
    Browser,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)

from tests.support.programs import program
from tests.support.sites import REPOSITORY

Theme = Literal["light", "dark"]

AXE: Final = REPOSITORY / "frontend/node_modules/axe-core/axe.min.js"
FOUR_K: Final = (3840, 2160)
WIDE: Final = (1440, 900)
TABLET: Final = (768, 1024)
PHONE: Final = (360, 780)
PATIENCE: Final = 40_000  # milliseconds
SMALLEST_TEXT: Final = """
    () => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      let smallest = Infinity;
      while (texts.nextNode()) {
        const {textContent, parentElement} = texts.currentNode;
        if (textContent.trim() !== "" && parentElement.checkVisibility()) {
          smallest = Math.min(smallest, parseFloat(getComputedStyle(parentElement).fontSize));
        }
      }
      return smallest;
    }
"""
# Sums up what moved without anybody having asked for it, and by what it was moved.
WATCH_SHIFTS: Final = """
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const each of list.getEntries()) {
        if (!each.hadRecentInput) {
          const moved = each.sources.map(({node, previousRect: was, currentRect: is}) => [
            node?.outerHTML?.slice(0, 40) ?? "", was.y, was.height, is.y, is.height]);
          shifts.push({value: each.value, moved});
        }
      }
    }).observe({type: "layout-shift", buffered: true});
"""


@dataclass(slots=True)
class Window:
    """A page that is open; `complaints` are errors of scripts, and what a policy refused."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str, *, shows: str) -> None:
        """Open a page and wait until a text is on it."""
        self.page.goto(f"{self.origin}{path}")
        self.page.get_by_text(shows).first.wait_for()

    def sign_in(self, name: str, password: str) -> None:
        """Sign in on the demo's login page."""
        self.page.goto(f"{self.origin}/login/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", password)
        self.page.click("button")
        self.page.wait_for_url(f"{self.origin}/")

    def text(self) -> str:
        return self.page.inner_text("body")

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        wider = "document.documentElement.scrollWidth - innerWidth"
        return int(self.page.evaluate(wider))

    def watch_shifts(self) -> None:
        """Note from the next page on what moves on it."""
        self.page.add_init_script(WATCH_SHIFTS)

    def shift(self) -> tuple[float, list[Any]]:
        """Return the cumulative layout shift, and its three largest steps."""
        steps: list[dict[str, Any]] = self.page.evaluate("shifts")
        largest = sorted(steps, key=lambda step: -step["value"])[:3]
        return sum(step["value"] for step in steps), largest

    def smallest_text(self) -> float:
        """Return the size of the smallest text on the page, in CSS pixels."""
        return float(self.page.evaluate(SMALLEST_TEXT))

    def violations(self) -> list[str]:
        """Return what axe finds on the page as it is now."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run()")["violations"]
        return [
            f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
            for each in found
            for node in each["nodes"]
        ]

    def rewrite(self, path: str, change: Callable[[Any], Any]) -> None:
        """Let the page see another document than the API's at addresses like `path`."""

        def answer(route: Route, request: Request) -> None:
            headers = {**request.headers, "if-none-match": ""}
            response = route.fetch(headers=headers)
            body = json.dumps(change(response.json()))
            route.fulfill(status=200, body=body, content_type="application/json")

        self.page.route(path, answer)

    def refuse(self, path: str, status: int, detail: str) -> None:
        """Let the API answer with an error at addresses like `path`."""
        body = json.dumps({"detail": detail})
        self.page.route(
            path,
            lambda route: route.fulfill(
                status=status, body=body, content_type="application/json"
            ),
        )


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a browser while the block runs."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium"), args=["--no-sandbox"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(
    browser: Browser,
    origin: str,
    *,
    theme: Theme = "light",
    size: tuple[int, int] = WIDE,
) -> Iterator[Window]:
    """Open a window with cookies of its own while the block runs."""
    context = browser.new_context(
        color_scheme=theme,
        viewport={"width": size[0], "height": size[1]},
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(PATIENCE)
    shown = Window(context.new_page(), origin)
    shown.page.on("pageerror", lambda error: shown.complaints.append(str(error)))
    shown.page.on(
        "console",
        lambda message: (
            shown.complaints.append(f"{message.text} ({message.location['url']})")
            if message.type in ("error", "warning")
            # The demo's own pages have no icon.
            and not message.location["url"].endswith("/favicon.ico")
            else None
        ),
    )
    try:
        yield shown
    finally:
        # Answers that are still being rewritten are nobody's any more.
        shown.page.unroute_all(behavior="ignoreErrors")
        context.close()
