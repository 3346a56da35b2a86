"""The browser of the tests: on PATH, else Debian's package, else what Playwright downloads.

    python -m tests.harness.chromium

installs it where there is none: once, before the processes of the tests look for it side by side.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it brings none
from playwright.sync_api import Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
Opened = Callable[..., Page]
"""Opens a path of the pages; what else is given goes to the browser's context, `status` is the answer's."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
HOW = "Install Debian's package (`apt-get install chromium`), or run `playwright install chromium`."


class NoBrowserError(RuntimeError):
    """There is none, and none could be installed; the message says what was tried."""


def find() -> str | None:
    """The program of a browser; None where Playwright has one of its own."""
    found = _on_path()
    if found:
        return found
    tried = []
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and (not as_root or shutil.which("sudo")):
        # A mirror that cannot be reached must not hold the tests up for long.
        apt = [*as_root, "apt-get", "-q", "-o", "Acquire::Retries=2"]
        tried.append(_run([*apt, "update"]))
        tried.append(_run([*apt, "-y", "install", "--no-install-recommends", "chromium"]))
        found = _on_path()
        if found:
            return found
    tried.append(_run([sys.executable, "-m", "playwright", "install", "chromium"]))
    if tried[-1]:
        raise NoBrowserError("\n".join(["No Chromium was found, and none could be installed.", *tried, HOW]))
    return None


def violations(page: Page) -> list[str]:
    """What axe finds, by its rule and the first place."""
    found: dict[str, Any] = Axe().run(page, options=RULES).response
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found["violations"]]


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _run(command: Sequence[str]) -> str:
    """Empty where it worked, else what it said last."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    said = (done.stderr or done.stdout).strip()[-500:]
    return f"{' '.join(command)}: exit {done.returncode}\n{said}" if done.returncode else ""


if __name__ == "__main__":
    try:
        print(find() or "Playwright's Chromium")  # noqa: T201
    except NoBrowserError as error:
        sys.exit(str(error))
