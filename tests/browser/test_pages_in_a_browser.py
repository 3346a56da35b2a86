"""The pages in Chromium: accessible, readable at 360 px and in the dark, by keyboard, without a script."""

from __future__ import annotations

import pytest

from tests.harness.chromium import Opened, violations

pytestmark = pytest.mark.browser

PORTFOLIO, POC = "/", "/pocs/acme/poc-ticket-triage"
GRAVEYARD, NOTHING = "/?tab=stopped", "/?find=nothing-of-this-name"
PAGES = (PORTFOLIO, "/?tab=shipped", GRAVEYARD, NOTHING, POC, "/docs/charter")
PHONE = {"width": 360, "height": 740}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Opened, path: str, scheme: str) -> None:
    assert violations(opened(path, color_scheme=scheme)) == []


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_on_a_phone_and_nothing_is_cut_off(opened: Opened, path: str) -> None:
    page = opened(path, viewport=PHONE)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize(("path", "status"), [("/?page=0", 400), ("/pocs/acme/poc-nothing", 404)])
def test_axe_finds_nothing_on_a_page_that_says_no(opened: Opened, path: str, status: int) -> None:
    assert violations(opened(path, status=status)) == []


def test_the_dark_is_dark(opened: Opened) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    assert opened(PORTFOLIO, color_scheme="light").evaluate(colour) == "rgb(255, 255, 255)"
    assert opened(PORTFOLIO, color_scheme="dark").evaluate(colour) == "rgb(13, 17, 23)"


def test_everything_works_without_a_script(opened: Opened) -> None:
    page = opened(PORTFOLIO, java_script_enabled=False)
    page.get_by_label("Find").fill("triage")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="poc-ticket-triage").last.click()
    page.get_by_role("heading", name="Ticket triage", level=1).wait_for()
    page.get_by_text("Day by day").click()
    page.locator("details li").first.wait_for()
    page.get_by_role("link", name="POCs", exact=True).click()
    page.get_by_role("link", name="Stopped").click()
    page.get_by_text("Why they were stopped").wait_for()


def test_a_filter_an_order_and_a_tab_are_in_the_address(opened: Opened) -> None:
    page = opened(PORTFOLIO)
    page.get_by_label("Waits for").select_option("security")
    page.get_by_role("button", name="Show").click()
    assert "waits_for=security" in page.url
    page.get_by_role("columnheader").get_by_role("link", name="Ships by").click()
    assert ("waits_for=security" in page.url, "sort=ships" in page.url) == (True, True)
    parties = page.locator("td[data-is='Has the ball'] small").all_inner_texts()
    assert parties
    assert all(each.startswith("security") for each in parties)


def test_a_keyboard_reaches_everything_that_a_mouse_does(opened: Opened) -> None:
    page = opened(PORTFOLIO)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    wanted = page.locator("a[href], button, input, select, summary").count()
    reached = {page.evaluate("document.activeElement.outerHTML")}
    for _ in range(wanted * 2):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        outlined = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outlined) != "none", page.evaluate("document.activeElement.outerHTML")
        reached.add(page.evaluate("document.activeElement.outerHTML"))
    everything = set(
        page.evaluate(
            "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]"
            ".filter(it => it.getClientRects().length).map(it => it.outerHTML)"
        )
    )
    assert everything <= reached


@pytest.mark.parametrize("path", ["/?find=doc-chat", "/pocs/acme/poc-doc-chat"])
@pytest.mark.parametrize("width", [360, 1240])
def test_a_charter_full_of_scripts_and_long_words_breaks_nothing(
    opened: Opened, path: str, width: int
) -> None:
    page = opened(path, viewport={"width": width, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title() != "broken"
    assert page.locator("main script, [onclick]").count() == 0
    assert "\u202e" not in page.content()
