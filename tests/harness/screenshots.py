"""Pictures of the pages for the documents, over invented POCs:  make screenshots

Needs Debian's `chromium` (`apt-get install chromium`).
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from service.demo.emulator import free_port
from service.store.database import Database, connect
from service.store.portfolio import Portfolio
from service.web.app import security_headers
from service.web.pages import OpenHere, Pages, Shown
from tests.harness.database import serving
from tests.harness.places import ROOT
from tests.harness.portfolio import NOW, fill

FOLDER = ROOT / "docs" / "images"
PICTURES = (
    ("portfolio", "1240,900", "/", ()),
    ("portfolio-dark", "1240,900", "/", ("--blink-settings=preferredColorScheme=0",)),
    ("poc", "1240,1000", "/pocs/acme/poc-ticket-triage", ()),
)


def main() -> int:
    """Serve the pages, and take the pictures."""
    browser = shutil.which("chromium")
    if browser is None:
        print("No chromium was found: apt-get install chromium", file=sys.stderr)  # noqa: T201
        return 1
    port = free_port()
    FOLDER.mkdir(exist_ok=True)
    with serving() as server, server.database() as url:
        engine = connect(url)
        fill(engine)
        shown = Shown("https://github.com", observe=False, evidence_level="self-reported", clock=lambda: NOW)
        app = Starlette(routes=Pages(Portfolio(Database(engine)), OpenHere(), shown).routes())
        headers = security_headers("http://localhost", "https://github.com")
        web = uvicorn.Server(uvicorn.Config(app, port=port, headers=headers, log_level="error"))
        thread = threading.Thread(target=lambda: asyncio.run(web.serve()))
        thread.start()
        try:
            for name, size, path, more in PICTURES:
                picture(browser, FOLDER / f"{name}.png", size, f"http://127.0.0.1:{port}{path}", *more)
        finally:
            web.should_exit = True
            thread.join()
            engine.dispose()
    return 0


def picture(browser: str, file: Path, size: str, address: str, *more: str) -> None:
    """One picture."""
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *more]
    subprocess.run(
        [*command, f"--window-size={size}", f"--screenshot={file}", address],
        check=True,
        timeout=60,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main())
