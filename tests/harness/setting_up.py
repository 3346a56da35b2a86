"""A machine on which nothing is set up, a GitHub that knows no app, and the two ways from there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.demo.emulator import Emulator, SeedRepo, free_port
from service.first_start import TOKEN_FILE
from service.rules.values.actions import CHARTER_CHECK
from tests.harness.clicks import Browser, Clicks, create_and_install, register_and_install
from tests.harness.emulator import good_charter
from tests.harness.processes import Process, Serve, inherited, quick_folder, serving
from tests.harness.program import PROGRAM
from tests.harness.standin.app import StandIn, standing_in
from tests.harness.waiting import eventually

MOST_CLICKS = 4
LISTENING = re.compile(r"http://localhost:\d+/[\w-]{20,}")


@dataclass
class Place:
    """A machine on which nothing is set up, and a GitHub that knows no app."""

    folder: Path
    port: int
    emulator: Emulator
    stand_in: StandIn
    stack: ExitStack

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return inherited() | {
            "BROWSER": "true",  # a program that opens nothing
            "DATA_DIR": str(self.folder / "data"),
            "HOST": "127.0.0.1",
        }

    @property
    def github(self) -> dict[str, str]:
        return {"GITHUB_URL": self.stand_in.url, "GITHUB_API_URL": self.stand_in.url, "PUBLIC_URL": self.url}

    def browser(self) -> Clicks:
        made = Clicks()
        self.stack.callback(made.http.close)
        return made

    def started(self, environment: dict[str, str]) -> Serve:
        log = self.folder / "serve.log"
        return self.stack.enter_context(serving(log, environment, program=PROGRAM, port=self.port))

    def setup(self, *options: str) -> Process:
        words = ["--org", "acme", "--url", self.url, "--github-url", self.stand_in.url]
        words += ["--github-api-url", self.stand_in.url, *options]
        return Process(self.folder / "setup.log", self.environment, "service.cli.app", "setup", *words)

    def first_check_run(self) -> str:
        """Open a pull request with a charter, and wait for its check run."""
        person = self.stack.enter_context(self.emulator.person("jane-doe"))
        person.create_branch("poc-triage", "charter")
        person.write_file("poc-triage", "POC.md", good_charter(), branch="charter")
        pull = person.open_pull("poc-triage", head="charter", title="The charter")
        runs = eventually(
            lambda: person.check_runs("poc-triage", pull.head_sha, name=CHARTER_CHECK),
            "its check run is there",
        )
        return str(runs[0].conclusion)


@contextmanager
def nothing_set_up() -> Iterator[Place]:
    port = free_port()
    repos = (SeedRepo("poc-triage"), SeedRepo("website"))
    emulator = Emulator(
        users=["jane-doe", "alice-k", "bob-m", "carol-s", "dan-w"],
        repos=repos,
        webhook_url=f"http://localhost:{port}/webhooks/github",
    )
    with (
        quick_folder() as folder,
        emulator,
        standing_in(emulator, from_nothing=True) as stand_in,
        ExitStack() as stack,
    ):
        yield Place(folder, port, emulator, stand_in, stack)


def by_one_command(place: Place, browser: Browser, file: Path) -> Process:
    """Run `setup` until it waits for the service: three clicks."""
    setup = place.setup("--out", str(file))
    place.stack.callback(setup.kill)
    page = eventually(lambda: LISTENING.search(setup.said), f"the page is named; it said {setup.said}")[0]
    register_and_install(browser, page)
    eventually(lambda: "readyz names app" in setup.said, f"it waits for the service; it said {setup.said}")
    return setup


def at_setup(place: Place, browser: Browser) -> Serve:
    """Start the service without an app, and set it up in the browser: four clicks."""
    serve = place.started(place.environment | place.github)
    assert serve.health() == {"ready": True, "app": None}
    token = (place.folder / "data" / TOKEN_FILE).read_text().strip()
    assert token not in serve.said
    browser.open(f"{place.url}/setup")
    browser.press("Continue", token=token, org="acme")
    browser.press("Register on GitHub")
    create_and_install(browser)
    eventually(lambda: serve.health().get("app") == place.emulator.app_id, "it names its app")
    eventually(lambda: serve.health().get("workers"), "a worker works")
    assert not (place.folder / "data" / TOKEN_FILE).exists()
    return serve


def of_file(file: Path) -> dict[str, str]:
    """The settings in it, as a shell reads them."""
    script = 'set -a; . "$1"; env -0'
    done = subprocess.run(
        ["sh", "-c", script, "sh", str(file)], env={}, capture_output=True, check=True, text=True
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)
