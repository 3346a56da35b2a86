"""Pictures of the pages for the documents, over invented POCs:  make screenshots

That of a check is the text that `docs/first-poc.md` quotes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from service.store.database import connect
from tests.harness.chromium import find
from tests.harness.database import serving
from tests.harness.pages_served import pages_served
from tests.harness.places import ROOT
from tests.harness.portfolio import fill

FOLDER = ROOT / "docs" / "images"


@dataclass(frozen=True, slots=True)
class Picture:
    """What is shown in a window of that size: the whole of it, or what a selector finds first."""

    name: str
    path: str
    width: int
    height: int
    scheme: Literal["light", "dark"] = "light"
    only: str = ""


PICTURES = (
    Picture("check", "/docs/first-poc", 1000, 900, only="blockquote:has-text('findings to fix')"),
    Picture("portfolio", "/", 1240, 900),
    Picture("portfolio-dark", "/", 1240, 900, scheme="dark"),
    Picture("poc", "/pocs/acme/poc-ticket-triage", 1240, 1000),
)


def main() -> int:
    """Serve the pages, and take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with serving() as server, server.database() as url, sync_playwright() as playwright:
        engine = connect(url)
        fill(engine)
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        with pages_served(engine) as address:
            for picture in PICTURES:
                take(browser, address, picture)
        browser.close()
        engine.dispose()
    return 0


def take(browser: Browser, address: str, picture: Picture) -> None:
    """One picture."""
    size = {"width": picture.width, "height": picture.height}
    page = browser.new_page(viewport=size, color_scheme=picture.scheme)  # type: ignore[arg-type] # it has both
    page.goto(f"{address}{picture.path}")
    file = FOLDER / f"{picture.name}.png"
    if picture.only:
        page.locator(picture.only).first.screenshot(path=file)
    else:
        page.screenshot(path=file)
    page.close()


if __name__ == "__main__":
    sys.exit(main())
