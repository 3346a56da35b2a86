"""A person in front of a browser, as far as forms go: pages are opened, fields filled, buttons pressed."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Protocol
from urllib.parse import urljoin

import httpx

from tests.harness.webhooks import PLAIN


class Browser(Protocol):
    """What setting up needs; a real browser can be put in its place."""

    def open(self, address: str) -> None:
        """Open a page."""
        ...

    def press(self, button: str, **fields: str) -> None:
        """Fill fields of the page's form, and press its button."""
        ...


def register_and_install(browser: Browser, address: str) -> None:
    """From the page with the button that leads to GitHub, through its two pages: three clicks."""
    browser.open(address)
    browser.press("Register on GitHub")
    create_and_install(browser)


def create_and_install(browser: Browser) -> None:
    """GitHub's own two pages."""
    browser.press("Create")
    browser.press("Install")


class _Form(HTMLParser):
    """The one form of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.fields, self.buttons = "", dict[str, str](), list[str]()
        self._in_button = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self.action = given["action"]
            case "input" | "textarea":
                self.fields[given["name"]] = given.get("value", "")
            case "button":
                self._in_button = True
            case _:
                pass

    def handle_data(self, data: str) -> None:
        if self._in_button:
            self.buttons.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self._in_button = self._in_button and tag != "button"


@dataclass
class Clicks:
    """A browser without scripts and pictures."""

    clicks: int = 0
    address: str = ""
    page: str = ""
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(trust_env=False, verify=PLAIN, follow_redirects=True, timeout=30)
    )

    def open(self, address: str) -> None:
        self._shown(httpx.Request("GET", address))

    def press(self, button: str, **fields: str) -> None:
        form = _Form(self.page)
        assert button in form.buttons, self.page
        assert fields.keys() <= form.fields.keys(), self.page
        self.clicks += 1
        self._shown(
            self.http.build_request("POST", urljoin(self.address, form.action), data=form.fields | fields)
        )

    def _shown(self, request: httpx.Request) -> None:
        try:
            answer = self.http.send(request)
        except httpx.ConnectError as error:
            # Where GitHub leads to after installing, nobody may serve yet.
            self.address, self.page = str(error.request.url), ""
            return
        assert answer.is_success, answer.text
        self.address, self.page = str(answer.url), answer.text
