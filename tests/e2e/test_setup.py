"""From nothing to the first check run: one command, or /setup of a service without an app, and few clicks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.harness.processes import run
from tests.harness.setting_up import MOST_CLICKS, Place, at_setup, by_one_command, nothing_set_up, of_file
from tests.harness.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def place() -> Iterator[Place]:
    with nothing_set_up() as made:
        yield made


def test_one_command_and_three_clicks(place: Place) -> None:
    file, browser = place.folder / "governor.env", place.browser()
    setup = by_one_command(place, browser, file)
    assert browser.clicks <= MOST_CLICKS
    assert "1 POC in 2 repositories; observing; 1 would fail, for `no-charter`." in setup.said
    assert file.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" not in setup.said
    assert place.emulator.webhook_secret not in setup.said
    place.started(place.environment | of_file(file))
    eventually(lambda: not setup.running(), f"it ends; it said {setup.said}")
    assert "The service answered GitHub's ping." in setup.said
    assert "to fix" in setup.said
    assert setup.terminate() == 0, setup.said
    assert place.first_check_run() == "neutral"  # a new installation observes
    there = place.environment | place.github
    again = run("setup", there, "--org", "acme", "--url", place.url, "--out", str(file))
    assert again.returncode == 2
    assert "may hold a key" in again.stderr


def test_in_the_browser_of_a_service_that_has_no_app(place: Place) -> None:
    browser = place.browser()
    serve = at_setup(place, browser)
    assert browser.clicks <= MOST_CLICKS
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
