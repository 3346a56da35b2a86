"""From nothing to the first check run: one command, or /setup of a service without an app, and few clicks."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.demo.emulator import Emulator, SeedRepo, free_port
from service.first_start import TOKEN_FILE
from service.rules.values.actions import CHARTER_CHECK
from tests.harness.clicks import Clicks, create_and_install, register_and_install
from tests.harness.emulator import good_charter
from tests.harness.processes import Process, Serve, inherited, quick_folder, run, serving
from tests.harness.program import PROGRAM
from tests.harness.standin.app import StandIn, standing_in
from tests.harness.waiting import eventually

pytestmark = pytest.mark.slow

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


@pytest.fixture
def place() -> Iterator[Place]:
    with nothing_set_up() as made:
        yield made


def of_file(file: Path) -> dict[str, str]:
    """The settings in it, as a shell reads them."""
    script = 'set -a; . "$1"; env -0'
    done = subprocess.run(
        ["sh", "-c", script, "sh", str(file)], env={}, capture_output=True, check=True, text=True
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)


def test_one_command_and_three_clicks(place: Place) -> None:
    file = place.folder / "governor.env"
    setup, browser = place.setup("--out", str(file)), place.browser()
    place.stack.callback(setup.kill)
    page = eventually(lambda: LISTENING.search(setup.said), f"the page is named; it said {setup.said}")[0]
    register_and_install(browser, page)
    assert browser.clicks <= MOST_CLICKS
    eventually(lambda: "readyz names app" in setup.said, f"it waits for the service; it said {setup.said}")
    assert "1 POC in 2 repositories; observing; 1 would fail, for `no-charter`." in setup.said
    assert file.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" not in setup.said
    assert place.emulator.webhook_secret not in setup.said
    place.started(place.environment | of_file(file))
    eventually(lambda: not setup.running(), f"it ends; it said {setup.said}")
    assert "The service answered GitHub's ping." in setup.said
    assert "to fix" in setup.said
    assert setup.terminate() == 0, setup.said
    assert place.first_check_run() == "neutral"  # MODE=observe
    there = place.environment | place.github
    again = run("setup", there, "--org", "acme", "--url", place.url, "--out", str(file))
    assert again.returncode == 2
    assert "may hold a key" in again.stderr


def test_in_the_browser_of_a_service_that_has_no_app(place: Place) -> None:
    serve = place.started(place.environment | place.github)
    assert serve.health() == {"ready": True, "app": None}
    token = (place.folder / "data" / TOKEN_FILE).read_text().strip()
    assert token not in serve.said
    browser = place.browser()
    browser.open(f"{place.url}/setup")
    browser.press("Continue", token=token, org="acme")
    browser.press("Register on GitHub")
    create_and_install(browser)
    assert browser.clicks <= MOST_CLICKS
    eventually(lambda: serve.health().get("app") == place.emulator.app_id, "it names its app")
    eventually(lambda: serve.health().get("workers"), "a worker works")
    assert not (place.folder / "data" / TOKEN_FILE).exists()
    eventually(
        lambda: [
            each
            for each in place.stand_in.registered.attempts
            if each["event"] == "ping" and each["status"] == "OK"
        ],
        "the ping was answered",
    )
    assert place.first_check_run() == "neutral"  # an app that was set up begins by observing
    browser.open(f"{place.url}/setup")
    assert "POC Governor has its app" in browser.page
    ruleset = run("ruleset", place.environment | place.github, "--org", "acme", "--by", "ids")
    assert ruleset.returncode == 0, ruleset.stderr
    assert place.emulator.private_key[100:140] not in serve.said
    browser.http.post(f"{place.stand_in.url}/orgs/acme/rulesets", json=json.loads(ruleset.stdout))
    doctor = run("doctor", place.environment | place.github)
    assert doctor.returncode == 0, doctor.stdout
    assert "ping: answered" in doctor.stdout
    assert "required by a ruleset in 1 of 1 POC repositories" in doctor.stdout
