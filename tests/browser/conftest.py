"""A browser for the whole run, the pages of an organisation with many POCs, and an eye on what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright
from sqlalchemy import Engine, text

from service.store.database import connect, transaction
from tests.harness.chromium import Opened, find
from tests.harness.database import Server
from tests.harness.pages_served import pages_served
from tests.harness.portfolio import fill

LEFT = "net::ERR_ABORTED"
"""What the browser gives up by itself, because somebody went on to another page."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, which is never skipped: where there is none, and none can be had, the tests fail."""
    program = find()
    with sync_playwright() as playwright:
        # Without a user of its own, in a container, Chromium cannot make its sandbox; the pages are ours.
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def address(server: Server) -> Iterator[str]:
    """Where the pages are."""
    with server.database() as url:
        engine = connect(url)
        poison(engine, fill(engine)["doc-chat"])
        with pages_served(engine) as found:
            yield found
        engine.dispose()


def poison(engine: Engine, repository_id: int) -> None:
    """Let the charter of a POC be full of what would break a page that trusted it."""
    evil = f"<script>document.title = 'broken'</script><b onclick=x>\u202e{'x' * 10_000}"
    values = {"evil": evil, "id": repository_id}
    with transaction(engine) as session:
        session.execute(text("UPDATE poc SET owner = :evil WHERE repository_id = :id"), values)
        session.execute(
            text(
                "UPDATE repository SET charter_data = convert_to(regexp_replace("
                "convert_from(charter_data, 'UTF8'), '^# [^\n]*', '# ' || CAST(:evil AS text)), 'UTF8')"
                " WHERE id = :id"
            ),
            values,
        )


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Opened]:
    """Open a path in a browser of one's own; what its console says, or it cannot load, fails the test."""
    wrong: list[str] = []

    def failed(request: Request) -> None:
        if request.failure != LEFT:
            wrong.append(f"{request.url}: {request.failure}")

    with ExitStack() as stack:

        def open_(path: str, *, status: int = 200, **context: Any) -> Page:
            made = browser.new_context(base_url=address, **context)
            stack.callback(made.close)
            page = made.new_page()
            if status < 400:
                page.on("console", lambda message: wrong.append(message.text))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("requestfailed", failed)
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == status
            return page

        yield open_
        assert wrong == []
