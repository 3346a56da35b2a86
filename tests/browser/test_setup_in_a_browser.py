"""Setting up in Chromium, without a script: from nothing to the first check run, and each page on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it brings none
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Route, ViewportSize

from service.cli.register import Asked, Console, register
from service.config.app_credentials import AppCredentials
from service.demo.emulator import Emulator
from tests.harness.setting_up import MOST_CLICKS, Place, at_setup, nothing_set_up
from tests.harness.standin.app import standing_in
from tests.harness.waiting import eventually

pytestmark = pytest.mark.browser

PHONE = ViewportSize(width=360, height=740)


@dataclass
class Clicking:
    """A person in front of Chromium; our own pages are examined before a button is pressed."""

    page: Page
    examined: Page
    """The same page with scripts, which axe needs."""
    ours: str
    clicks: int = 0
    wrong: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.page.goto(address)

    def press(self, button: str, **fields: str) -> None:
        if self.page.url.startswith(self.ours):
            self.wrong += examine(self.examined, self.page.content(), self.page.url)
        for name, value in fields.items():
            self.page.locator(f"[name={name}]").fill(value)
        self.clicks += 1
        self.page.get_by_role("button", name=button).click()


def examine(page: Page, content: str, address: str) -> list[str]:
    """What axe finds on a page, and whether it is cut off on a phone."""

    def answer(route: Route) -> None:
        # What the page before still asks for, like its style, must not get the page.
        if route.request.is_navigation_request():
            route.fulfill(body=content, content_type="text/html")
        else:
            route.continue_()

    page.route("**/*", answer)
    page.goto(address)
    page.unroute("**/*", answer)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found: dict[str, Any] = Axe().run(page, options=rules).response
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [f"{address}: {each['id']}" for each in found["violations"]] + (
        [f"{address}: {wide} px"] if wide > PHONE["width"] else []
    )


@pytest.fixture
def chromium(browser: Chromium) -> Iterator[Clicking]:
    with ExitStack() as stack:
        contexts = [
            browser.new_context(viewport=PHONE, java_script_enabled=scripts) for scripts in (False, True)
        ]
        for context in contexts:
            stack.callback(context.close)
        person = Clicking(contexts[0].new_page(), contexts[1].new_page(), "http://localhost")
        person.page.on("console", lambda message: person.wrong.append(message.text))
        yield person


@pytest.fixture
def place() -> Iterator[Place]:
    with nothing_set_up() as made:
        yield made


def test_a_service_without_an_app_is_set_up_in_four_clicks(place: Place, chromium: Clicking) -> None:
    chromium.ours = place.url
    at_setup(place, chromium)
    assert chromium.clicks <= MOST_CLICKS
    assert place.first_check_run() == "neutral"
    chromium.page.goto(f"{place.url}/setup")
    chromium.page.get_by_text("answered at").wait_for()
    chromium.wrong += examine(chromium.examined, chromium.page.content(), f"{place.url}/setup")
    assert chromium.wrong == []


def test_the_page_of_the_command_leads_to_github_and_back(chromium: Clicking) -> None:
    kept: list[AppCredentials] = []
    opened: list[str] = []
    with Emulator(users=["jane-doe"]) as emulator, standing_in(emulator, from_nothing=True) as stand_in:
        asked = Asked("acme", "http://localhost:1", stand_in.url, stand_in.url)
        console = Console(lambda _: None, lambda _: "", lambda url: not opened.append(url))  # type: ignore[func-returns-value]
        command = threading.Thread(target=lambda: register(asked, kept.append, console), daemon=True)
        command.start()
        page = eventually(lambda: opened, "the page is opened")[0]
        chromium.ours = page
        chromium.open(page)
        chromium.press("Register on GitHub")
        chromium.press("Create")
        command.join(30)
        assert [app.app_id for app in kept] == [emulator.app_id]
        assert chromium.page.url == kept[0].installing
    assert chromium.wrong == []
