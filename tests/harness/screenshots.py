"""Pictures of the pages for the documents, over invented POCs:  make screenshots

Needs Debian's `chromium` (`apt-get install chromium`).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from service.store.database import connect
from tests.harness.chromium import find
from tests.harness.database import serving
from tests.harness.pages_served import pages_served
from tests.harness.places import ROOT
from tests.harness.portfolio import fill

FOLDER = ROOT / "docs" / "images"
PICTURES = (
    ("portfolio", "1240,900", "/", ()),
    ("portfolio-dark", "1240,900", "/", ("--blink-settings=preferredColorScheme=0",)),
    ("poc", "1240,1000", "/pocs/acme/poc-ticket-triage", ()),
)


def main() -> int:
    """Serve the pages, and take the pictures."""
    browser = find()
    if browser is None:
        print("Pictures need a chromium on PATH: apt-get install chromium", file=sys.stderr)  # noqa: T201
        return 1
    FOLDER.mkdir(exist_ok=True)
    with serving() as server, server.database() as url:
        engine = connect(url)
        fill(engine)
        with pages_served(engine) as address:
            for name, size, path, more in PICTURES:
                picture(browser, FOLDER / f"{name}.png", size, f"{address}{path}", *more)
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
