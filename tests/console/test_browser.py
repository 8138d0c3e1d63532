"""The pages in headless Chromium: accessible, narrow enough, quiet, and usable with the keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from dashboard_city import PASSWORD, SCRIPT

from console.security import COOKIE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests
    from browser_fixture import Watch
    from console_fixtures import Console
    from playwright.sync_api import Browser, Page

pytest_plugins = ["browser_fixture", "console_fixtures"]

WIDTHS = (1280, 320)
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
INSIDE = ("/", "/accounts/library", "/nowhere")
NOT_FOUND = "error: Failed to load resource: the server responded with a status of 404 (Not Found)"
"""What Chromium itself says of any page that is not there."""


@pytest.fixture(params=WIDTHS)
def page(request: pytest.FixtureRequest, browser: Browser, served: Console) -> Iterator[Page]:
    """A window of that width, in which nobody is logged in."""
    context = browser.new_context(viewport={"width": request.param, "height": 800}, base_url=served.url)
    yield context.new_page()
    context.close()


@pytest.fixture
def inside(page: Page, served: Console, dana: requests.Session) -> Page:
    """A window in which dana is logged in, at the overview."""
    page.context.add_cookies([{"name": COOKIE, "value": dana.cookies[COOKIE], "url": served.url}])
    page.goto("/")
    return page


def violations(page: Page) -> list[str]:
    found: Any = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['target']} {node['html'][:200]}" for one in found for node in one["nodes"]]


def assert_narrow_enough(page: Page) -> None:
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window


def open_all(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.click()
    assert page.locator("details:not([open])").count() == 0


def test_the_login_is_accessible_before_and_after_an_error(page: Page) -> None:
    page.goto("/login")
    assert violations(page) == []
    assert_narrow_enough(page)
    page.get_by_label("Name").fill("dana")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    assert page.title().startswith("Error: ")
    assert violations(page) == []
    assert_narrow_enough(page)


def test_a_mistake_would_be_found(page: Page) -> None:
    page.goto("/login")
    page.evaluate("document.querySelectorAll('label').forEach(label => label.remove())")
    assert [one.partition(":")[0] for one in violations(page)] == ["label", "label"]


def test_every_page_is_accessible_and_narrow_enough_open_or_closed(inside: Page) -> None:
    for path in INSIDE:
        inside.goto(path)
        assert violations(inside) == []
        assert_narrow_enough(inside)
        if inside.locator("summary").count():
            open_all(inside)
            assert violations(inside) == []
            assert_narrow_enough(inside)


def test_pages_say_nothing_in_the_console_and_ask_nobody_else(
    page: Page, served: Console, watch: Callable[[Page], Watch]
) -> None:
    seen = watch(page)
    page.goto("/")
    page.get_by_label("Name").fill("dana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    page.get_by_role("heading", level=1, name="Activity").wait_for()
    open_all(page)
    for path in INSIDE:
        page.goto(path, wait_until="networkidle")
    assert page.evaluate("document.fonts.check('16px \"Source Sans Pro Web\"')")
    assert seen.messages == [NOT_FOUND]
    assert seen.failed == [f"{served.url}/nowhere"]
    assert seen.outside(served.url) == []
    assert not [url for url in seen.requests if "merriweather" in url.lower()]


def test_one_picture_of_each_chart_is_shown_with_letters_large_enough(inside: Page) -> None:
    shown = [chart for chart in inside.locator("svg.chart").all() if chart.is_visible()]
    assert len(shown) == 2
    for chart in shown:
        sizes = chart.evaluate(
            "svg => [...svg.querySelectorAll('text')].map(t => parseFloat(t.getAttribute('font-size')) * svg.getScreenCTM().a)"
        )
        assert min(sizes) >= 11
        inner, outer = chart.evaluate(
            "svg => { const b = svg.getBBox(), v = svg.viewBox.baseVal; return [b.x + b.width, v.width]; }"
        )
        assert inner <= outer


def test_a_hostile_title_is_read_as_text(inside: Page) -> None:
    inside.goto("/accounts/library")
    assert inside.get_by_role("heading", level=1).inner_text() == SCRIPT
    assert inside.title().startswith(SCRIPT)
    assert inside.locator("img, script").count() == 0


def test_the_keyboard_reaches_everything_in_reading_order(inside: Page) -> None:
    open_all(inside)
    inside.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
    inside.goto("/")
    stops = []
    for _ in range(60):
        inside.keyboard.press("Tab")
        stop = inside.evaluate(
            """() => {
                const e = document.activeElement;
                if (e === document.body) return null;
                const box = e.getBoundingClientRect(), style = getComputedStyle(e);
                const name = (e.getAttribute("aria-label") || e.textContent).trim().replace(/\\s+/g, " ");
                return { name, top: box.top + scrollY, ring: parseFloat(style.outlineWidth) * (style.outlineStyle !== "none") };
            }"""
        )
        if stop is None:
            break
        stops.append(stop)
    names = [stop["name"] for stop in stops]
    assert names[:4] == ["Skip to main content", "Onrecord", "Activity", "Sign out"]
    assert names.index("Show the numbers: posts and comments by week") < names.index("Table: accounts")
    assert names[-1] == "Download accounts as CSV"
    assert len(names) == len({(stop["name"], stop["top"]) for stop in stops})
    assert all(stop["ring"] >= 2 for stop in stops)


def test_the_skip_link_leads_to_the_content(inside: Page) -> None:
    inside.keyboard.press("Tab")
    inside.keyboard.press("Enter")
    assert inside.evaluate("document.activeElement.id") == "content"


def test_the_numbers_can_be_opened_and_scrolled_with_the_keyboard(inside: Page) -> None:
    summary = inside.locator("summary").first
    summary.focus()
    inside.keyboard.press("Enter")
    region = inside.get_by_role("region", name="Table: posts and comments by week")
    region.wait_for()
    inside.keyboard.press("Tab")
    assert region.evaluate("e => e === document.activeElement")
    accounts = inside.get_by_role("region", name="Table: accounts")
    accounts.focus()
    inside.keyboard.press("ArrowRight")
    if accounts.evaluate("e => e.scrollWidth > e.clientWidth"):
        inside.wait_for_function("e => e.scrollLeft > 0", arg=accounts.element_handle())


def test_signing_out_works_without_a_script(page: Page, served: Console) -> None:
    page.goto("/login?next=/accounts/city-hall")
    page.get_by_label("Name").fill("dana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    page.wait_for_url("**/accounts/city-hall")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto("/accounts/city-hall")
    assert page.url == f"{served.url}/login?next=/accounts/city-hall"
