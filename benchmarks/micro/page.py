"""The dashboard in a real browser: a day of 200 series, 8 workers, one gunicorn worker serves it.

A round opens the page in a browser that has never seen it. *Interactive* is when its charts are
drawn and the last long task is over. Then one page stays open while the workers flush: what its
main thread does for each new answer, how far anything moves, and what share of a core the server
takes more than without it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psutil
from playwright.sync_api import Browser, Page, Response, sync_playwright

from benchmarks.isolation import isolated
from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from benchmarks.micro.reading_server import ReadingServer
from prs_otel.store import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.options import Options

GROUP: Final = "dashboard in Chromium, a day of 200 series, 8 workers"
LOAD: Final = day.Load(series=200)
# Seconds that a page stays open; it asks anew every 10 s for an hour, every 30 s for a day.
OPEN_FOR: Final = {"1h": 60.0, "24h": 120.0}
WARM_UP_SECONDS: Final = 15.0
ALL_CHARTS: Final = 8
MILLISECONDS: Final = 1e3
ALL_DRAWN: Final = f".u-over >> nth={ALL_CHARTS - 1}"
WATCH: Final = f"""
    window.busyUntil = window.drawn = window.moved = 0;
    const watch = (type, each) => new PerformanceObserver(
      (list) => list.getEntries().forEach(each)).observe({{type, buffered: true}});
    watch("longtask", (task) => {{ busyUntil = task.startTime + task.duration; }});
    watch("layout-shift", (shift) => {{ moved += shift.value; }});
    const look = () => {{
      if (document.querySelectorAll(".u-over").length >= {ALL_CHARTS}) {{
        drawn = performance.now();
      }} else {{
        requestAnimationFrame(look);
      }}
    }};
    look();
"""
FIRST_PAINT: Final = (
    "performance.getEntriesByName('first-contentful-paint')[0].startTime"
)


@dataclass(frozen=True, slots=True)
class Stay:
    """What an open page took: seconds of the main thread, refreshes, movement, share of a core."""

    main_thread: float
    refreshes: int
    moved: float
    share: float


def measure(options: Options) -> list[Measurement]:
    """Open the page again and again, then leave one open."""
    chromium = shutil.which("chromium")
    if chromium is None:
        options.tell("Chromium is not installed, so the page is not measured.")
        return []
    store = f"sqlite:///{options.directory}/page.sqlite3"
    isolated(day.prepare, store, LOAD)
    serving = ReadingServer(
        options.directory,
        store,
        hours=LOAD.hours,
        site="benchmarks.site.page",
        variables={
            "SITE_APPS": "prs_otel alerting django.contrib.sessions",
            "SITE_LAST_MIDDLEWARE": "django.contrib.sessions.middleware.SessionMiddleware "
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        },
    )
    with serving as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        time.sleep(WARM_UP_SECONDS)
        return [
            *_opened(options, browser, server),
            *_left_open(browser, server, store),
        ]


def _opened(
    options: Options, browser: Browser, server: ReadingServer
) -> Iterator[Measurement]:
    painted, interactive = [], []
    for _ in range(options.rounds):
        with _page(browser, server) as page:
            page.goto(_address(server, "24h"))
            page.locator(ALL_DRAWN).wait_for()
            page.wait_for_load_state("networkidle")
            painted.append(page.evaluate(FIRST_PAINT))
            interactive.append(page.evaluate("Math.max(drawn, busyUntil)"))
    yield Subject(GROUP, "first contentful paint", "ms", 1_000.0).median_of(painted)
    yield Subject(GROUP, "interactive", "ms", 1_500.0).median_of(interactive)


def _left_open(
    browser: Browser, server: ReadingServer, url: str
) -> Iterator[Measurement]:
    store = open_store(url)
    writer = day.Day(store, LOAD, now=time.time())
    with _page(browser, server) as blank:
        idle = _share(server, blank, writer, OPEN_FOR["1h"])
    for window, seconds in OPEN_FOR.items():
        with _page(browser, server) as page:
            stay = _stay(page, server, writer, window, seconds)
        each = stay.main_thread * MILLISECONDS / stay.refreshes
        share = max(0.0, stay.share - idle) * 100
        name = f"main thread for a refresh, {window}"
        yield Subject(GROUP, name, "ms", 60.0).exactly(each)
        yield Subject(GROUP, f"layout shift, {window}", "", 0.01).exactly(stay.moved)
        name = f"server, for an open page, {window}"
        yield Subject(GROUP, name, "% of a core", 2.0).exactly(share)
    store.close()


def _stay(
    page: Page, server: ReadingServer, writer: day.Day, window: str, seconds: float
) -> Stay:
    page.goto(_address(server, window))
    page.locator(ALL_DRAWN).wait_for()
    page.wait_for_load_state("networkidle")
    fresh: list[Response] = []
    page.on("response", lambda answer: _note(answer, fresh))
    protocol = page.context.new_cdp_session(page)
    protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _busy(protocol.send("Performance.getMetrics"))
    share = _share(server, page, writer, seconds)
    after = _busy(protocol.send("Performance.getMetrics"))
    moved = float(page.evaluate("moved"))
    return Stay(after - before, len(fresh), moved, share)


def _note(answer: Response, fresh: list[Response]) -> None:
    if "/performance/trends/" in answer.url and answer.status == 200:
        fresh.append(answer)


def _busy(metrics: Mapping[str, Any]) -> float:
    """Return the seconds that the main thread of a page has worked."""
    found = {each["name"]: each["value"] for each in metrics["metrics"]}
    return float(found["TaskDuration"])


def _share(server: ReadingServer, page: Page, writer: day.Day, seconds: float) -> float:
    """Return what share of a core the server takes while the workers go on flushing."""
    began, before = time.monotonic(), _cpu(server)
    while time.monotonic() - began < seconds:
        page.wait_for_timeout(day.STEP * MILLISECONDS)
        writer.flush(now=time.time())
    return (_cpu(server) - before) / (time.monotonic() - began)


def _cpu(server: ReadingServer) -> float:
    master = psutil.Process(server.pid)
    times = [each.cpu_times() for each in (master, *master.children(recursive=True))]
    return sum(each.user + each.system for each in times)


@contextmanager
def _page(browser: Browser, server: ReadingServer) -> Iterator[Page]:
    """Open a page of a browser that has seen nothing, signed in, for the length of the block."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    origin = f"http://127.0.0.1:{server.port}"
    context.add_cookies(
        [{"name": "sessionid", "value": server.credential, "url": origin}]
    )
    context.add_init_script(WATCH)
    try:
        yield context.new_page()
    finally:
        context.close()


def _address(server: ReadingServer, window: str) -> str:
    return f"http://127.0.0.1:{server.port}/monitoring/?window={window}"
