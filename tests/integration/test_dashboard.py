"""The dashboard in a real browser, against the demo as `make demo` serves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import (
    FOUR_K,
    PHONE,
    TABLET,
    WIDE,
    Theme,
    Window,
    browsing,
    window,
)
from tests.support.demo_site import Demo, serving_demo
from tests.support.programs import npm_package

pytestmark = [pytest.mark.once, pytest.mark.timeout(240)]

PAGE = "/monitoring/"
PLANTED = "<img src=x onerror=window.planted=1><script>window.planted=1</script>"
TEXTS = {
    *("acknowledgement", "alias", "comment", "endpoint", "file", "function", "host"),
    *("message", "method", "name", "organization_id", "query", "task", "text"),
    *("user_id", "version"),
}
SCREENS = {
    "": "Requests per second",
    "?screen=endpoints": "/deals/<int:pk>/receipt/",
    "?screen=queries": "Statements",
    "?screen=tenants": "Organisations and users",
    "?screen=tenants&organization=1": "Slowest requests",
    "?screen=hosts": "Runs for",
    "?screen=alerts": "Who is told",
    "?screen=alerts&tab=history": "Lasted",
    "?screen=alerts&tab=rules": "high_cpu_usage",
    "?screen=alerts&tab=silences": "New silence",
    f"?{urlencode({'screen': 'endpoint', 'endpoint': '/deals/<int:pk>/receipt/'})}": (
        "Its queries"
    ),
}
# Where what the page shows is full of somebody's texts.
FULL_OF_TEXTS = {
    *("?screen=endpoints", "?screen=queries", "?screen=hosts", "?screen=alerts"),
    *("?screen=alerts&tab=history", "?screen=alerts&tab=rules"),
}
APPEARANCES = [
    *(("light", size) for size in (PHONE, TABLET, WIDE, FOUR_K)),
    *(("dark", size) for size in (PHONE, WIDE)),
]
READABLE = 10  # CSS pixels
STILL = (
    0.01  # of layout shift; what moves at all is mostly a figure that has grown a digit
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    npm_package("axe-core")
    with serving_demo(tmp_path_factory.mktemp("demo")) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as started:
        yield started


@pytest.fixture
def shown(demo: Demo, browser: Browser) -> Iterator[Window]:
    """Open a window of somebody who may do everything; complaints fail the test."""
    with window(browser, origin(demo)) as opened:
        opened.sign_in("demo", "demo")
        yield opened
        assert opened.complaints == []


def origin(demo: Demo) -> str:
    return f"http://127.0.0.1:{demo.client.port}"


def demo_row(demo: Demo) -> dict[str, Any]:
    """Return an endpoint as the API describes it."""
    found = demo.client.get("/api/monitoring/api/metrics/", **demo.headers).json()
    row: dict[str, Any] = found["endpoints"][0]
    return row


def planted(document: Any) -> Any:
    """Return a document with markup wherever somebody's text may stand."""
    if isinstance(document, list):
        return [planted(each) for each in document]
    if not isinstance(document, dict):
        return document
    return {
        key: PLANTED if key in TEXTS and isinstance(value, str) else planted(value)
        for key, value in document.items()
    }


def faults(opened: Window, query: str) -> list[str]:
    """Return what is wrong with a screen to whoever cannot see it, or has a small one."""
    opened.open(f"{PAGE}{query}", shows=SCREENS[query])
    wider = opened.overflow()
    smallest = opened.smallest_text()
    return [
        *opened.violations(),
        *([f"{wider} px too wide"] if wider > 0 else []),
        *([f"text of {smallest} px"] if smallest < READABLE else []),
    ]


@pytest.mark.parametrize(("theme", "size"), APPEARANCES)
def test_every_screen_is_accessible_fits_and_complains_of_nothing(
    demo: Demo, browser: Browser, theme: Theme, size: tuple[int, int]
) -> None:
    with window(browser, origin(demo), theme=theme, size=size) as opened:
        opened.sign_in("demo", "demo")
        found = {query: faults(opened, query) for query in SCREENS}
        assert {query: each for query, each in found.items() if each} == {}
        assert opened.complaints == []


@pytest.mark.parametrize("size", [PHONE, WIDE, FOUR_K])
def test_nothing_moves_when_an_alert_fires_and_is_resolved(
    demo: Demo, browser: Browser, size: tuple[int, int]
) -> None:
    told = demo.client.get("/api/alerting/history/", **demo.headers).json()["items"][0]
    firing = {**told, "state": "firing", "resolved_at": None}
    over = {**told, "state": "resolved", "resolved_at": told["fired_at"]}
    now: dict[str, list[Any]] = {"alerts": [], "history": []}

    def listed(name: str) -> Callable[[Any], Any]:
        return lambda _: {"items": now[name], "count": len(now[name])}

    covered = cycle([60.0, 719.0])

    def measured_for(document: Any) -> Any:
        document["window"]["covered_seconds"] = next(covered)
        return document

    with window(browser, origin(demo), size=size) as opened:
        opened.sign_in("demo", "demo")
        opened.rewrite("**/api/alerting/alerts/?*", listed("alerts"))
        opened.rewrite("**/api/alerting/history/?*", listed("history"))
        opened.rewrite("**/performance/trends/?*", measured_for)
        opened.watch_shifts()
        opened.open(f"{PAGE}?window=15m", shows="No alert is firing")
        opened.page.get_by_text("evaluated every").wait_for()
        opened.page.wait_for_load_state("networkidle")
        card = opened.page.get_by_role("article", name=told["name"])

        now["alerts"] = now["history"] = [firing]
        expect(card).to_contain_text("since")
        now["alerts"], now["history"] = [], [over]
        expect(card).to_contain_text("resolved")
        now["history"] = []
        expect(card).to_have_count(0)

        moved, by = opened.shift()
        assert moved < STILL, str(by)
        assert opened.complaints == []


def test_an_alert_leads_to_its_cause_and_to_who_was_told(shown: Window) -> None:
    shown.open(PAGE, shows="Customers cannot open their receipts")
    card = shown.page.get_by_role("article", name="receipt_errors")

    expect(card).to_contain_text("payments/views.py")
    card.get_by_role("link", name="Who was told?").click()

    expect(shown.page.get_by_role("heading", level=1)).to_have_text("receipt_errors")
    expect(shown.page.locator(".steps")).to_contain_text("email")


def test_a_statement_is_shown_with_its_line_of_code(shown: Window) -> None:
    shown.open(f"{PAGE}?screen=queries", shows="Repeated within one request")

    shown.page.locator("td .sql-line").first.click()

    expect(shown.page.get_by_label("SQL")).to_contain_text("SELECT")
    shown.page.get_by_role("heading", name="Called from").wait_for()


def test_dragging_over_a_chart_zooms_all_and_the_address_keeps_it(
    shown: Window,
) -> None:
    shown.open(f"{PAGE}?window=15m", shows="Requests per second")
    box = shown.page.locator(".u-over").first.bounding_box()
    assert box is not None
    mouse, y = shown.page.mouse, box["y"] + 40
    mouse.move(box["x"] + box["width"] * 0.3, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.7, y, steps=4)
    mouse.up()

    shown.page.wait_for_url("**from=*until=*")
    shown.page.go_back()
    shown.page.wait_for_url("**/monitoring/?window=15m")


def test_charts_zoom_by_keyboard(shown: Window) -> None:
    shown.open(PAGE, shows="Requests per second")

    shown.page.locator(".chart").first.focus()
    shown.page.keyboard.press("+")
    shown.page.wait_for_url("**from=*until=*")
    shown.page.keyboard.press("Escape")
    shown.page.wait_for_url(f"**{PAGE}")


def test_an_alert_is_acknowledged_and_silenced_in_place(shown: Window) -> None:
    shown.open(PAGE, shows="Customers cannot open their receipts")
    page = shown.page

    page.get_by_role("button", name="Acknowledge").first.click()
    page.get_by_label("What is being done").fill(PLANTED)
    page.get_by_role("button", name="Acknowledge").first.click()
    expect(page.locator(".acknowledged").first).to_contain_text(PLANTED)

    page.get_by_role("button", name="Silence").first.click()
    page.get_by_label("Why").fill("deploying")
    with page.expect_response("**/silences/") as answer:
        page.locator("form.prompt button.main").click()
    assert answer.value.status == 201, answer.value.text()
    expect(page.locator("form.prompt")).to_have_count(0)
    shown.open(f"{PAGE}?screen=alerts&tab=silences", shows="deploying")
    page.get_by_role("button", name="End").first.click()
    page.get_by_text("Nothing is silenced").wait_for()
    assert page.evaluate("window.planted") is None


def test_what_a_silence_may_not_be_is_said_and_what_was_typed_stays(
    shown: Window,
) -> None:
    shown.open(f"{PAGE}?screen=alerts&tab=silences", shows="New silence")
    page = shown.page

    page.get_by_role("button", name="New silence").click()
    page.get_by_label("Alerts with").fill("nonsense")
    page.get_by_label("Why").fill("because")
    page.locator("form.prompt button.main").click()

    expect(page.get_by_role("alert")).to_contain_text("instead of nonsense")
    expect(page.get_by_label("Why")).to_have_value("because")


def test_a_rule_is_tried_on_the_figures_of_now(shown: Window) -> None:
    shown.open(f"{PAGE}?screen=alerts&tab=rules", shows="high_cpu_usage")

    shown.page.get_by_role("button", name="Test low_disk_space").click()

    shown.page.get_by_text("fire", exact=False).first.wait_for()


def test_endpoints_are_sorted_and_filtered_in_the_address(shown: Window) -> None:
    shown.open(f"{PAGE}?screen=endpoints", shows="/deals/<int:pk>/receipt/")
    page = shown.page

    page.get_by_role("button", name="Errors").click()
    page.get_by_label("Filter Endpoints").fill("receipt")

    expect(page.locator("tbody tr")).to_have_count(1)
    assert "sort=-errors" in page.url
    assert "filter=receipt" in page.url


def test_two_thousand_endpoints_are_shown_piece_by_piece(
    shown: Window, demo: Demo
) -> None:
    row = {**demo_row(demo), "method": "GET"}

    def many(document: Any) -> Any:
        rows = [{**row, "endpoint": f"/number/{n}/"} for n in range(1000)]
        return {**document, "endpoints": rows, "endpoint_count": 2000}

    shown.rewrite("**/api/metrics/?*", many)

    shown.open(f"{PAGE}?screen=endpoints", shows="/number/99/")

    assert shown.page.locator("tbody tr").count() == 100
    shown.page.get_by_role("button", name="Show 100 more of 1900").wait_for()


@pytest.mark.parametrize("query", SCREENS)
def test_planted_markup_stays_text(shown: Window, query: str) -> None:
    shown.rewrite("**/api/**", planted)

    shown.open(f"{PAGE}{query}", shows=SCREENS[""] if query == "" else "prs-otel")
    shown.page.wait_for_load_state("networkidle")

    assert shown.page.evaluate("window.planted") is None
    if query in FULL_OF_TEXTS:
        assert PLANTED in shown.text()


@pytest.mark.parametrize("size", [PHONE, WIDE])
def test_a_server_that_fails_is_said_and_the_figures_stay_where_they_are(
    demo: Demo, browser: Browser, size: tuple[int, int]
) -> None:
    with window(browser, origin(demo), size=size) as opened:
        opened.sign_in("demo", "demo")
        opened.watch_shifts()
        opened.open(f"{PAGE}?window=15m", shows="Requests per second")
        opened.page.wait_for_load_state("networkidle")
        opened.refuse("**/api/**", 503, "The monitoring store cannot be read.")

        opened.page.locator(".trouble").wait_for()

        moved, by = opened.shift()
        assert moved < STILL, str(by)
        assert "The monitoring store cannot be read." in opened.text()
        assert "Next try in" in opened.text()
        assert "Requests per second" in opened.text()


def test_before_anything_is_measured_the_page_says_what_to_do(shown: Window) -> None:
    def nothing(document: Any) -> Any:
        return {
            **document,
            "points": [],
            "window": {**document["window"], "covered_seconds": 0},
        }

    shown.rewrite("**/performance/trends/*", nothing)

    shown.open(PAGE, shows="Nothing has been measured yet")

    assert "manage_monitoring doctor" in shown.text()


def test_a_store_that_nobody_writes_is_called_stale(shown: Window) -> None:
    def old(document: Any) -> Any:
        end = "2026-01-01T00:00:00Z"
        return {**document, "window": {**document["window"], "end": end}}

    shown.rewrite("**/performance/trends/*", old)

    shown.open(PAGE, shows="Nothing new for")


def test_a_user_sees_his_own_organization_and_no_button(
    demo: Demo, browser: Browser
) -> None:
    with window(browser, origin(demo)) as opened:
        opened.sign_in("albatross1", "demo")
        opened.open(PAGE, shows="Requests per second")
        opened.page.get_by_text("Slowest requests").first.wait_for()

        assert "Organisation " in opened.page.inner_text("h1")
        assert "Processors" not in opened.text()
        assert opened.page.get_by_role("button", name="Acknowledge").count() == 0
        assert opened.violations() == []
        assert opened.complaints == []


def test_a_hidden_page_asks_nothing(shown: Window) -> None:
    shown.page.clock.install()
    shown.open(f"{PAGE}?window=15m", shows="Requests per second")
    shown.page.wait_for_load_state("networkidle")
    hide = """
        Object.defineProperty(document, "hidden", {value: true, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    """
    shown.page.evaluate(hide)
    asked: list[str] = []
    shown.page.on("request", lambda request: asked.append(request.url))

    shown.page.clock.run_for(600_000)

    assert asked == []
    with shown.page.expect_request("**/performance/trends/*"):
        shown.page.evaluate(hide.replace("true, conf", "false, conf"))


def test_the_theme_is_the_readers_choice_and_kept(shown: Window) -> None:
    shown.open(PAGE, shows="Requests per second")
    button = shown.page.get_by_role("button", name="Theme")
    button.click()
    button.click()

    shown.page.reload()

    expect(button).to_have_accessible_name("Theme: Dark")
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert shown.page.evaluate(scheme) == "dark"
