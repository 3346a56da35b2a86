"""What `setup` does once there is an app: it is installed, looked at, started, asked for, and examined."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import httpx

from service.app_credentials import AppCredentials
from service.cli.doctor import examine, told
from service.cli.organisation import Organisation
from service.cli.register import Asked, Console
from service.github_client.app import App
from service.ports import GitHubError
from service.rules.values.github import Installation

T = TypeVar("T")

ANSWERED = range(200, 300)
PING_TRIES = 30


def first_look(asked: Asked, credentials: AppCredentials, console: Console) -> None:
    """Wait until the app is installed, and say what it finds there."""
    app = App(credentials.app_id, credentials.private_key, credentials.api_url)
    console.say(f"Install it on {asked.org}: {credentials.installing}")
    installation = _eventually(lambda: _installed(app, asked.org), console)
    console.say(f"Installed on {installation.account}. Looking at its repositories …")
    try:
        look = Organisation(app, credentials.app_id, installation).first_look(
            datetime.now(UTC).date(), observe=True
        )
        console.say(look.says)
    except GitHubError as error:
        console.say(f"What is there could not be looked at: {error.failure.message}")


def _installed(app: App, org: str) -> Installation | None:
    """The installation; what keeps GitHub from answering now may pass."""
    with suppress(GitHubError):
        for installation_id in app.installation_ids():
            installation = app.describe(installation_id)
            if installation.account.lower() == org.lower():
                return installation
    return None


def finish(
    asked: Asked, credentials: AppCredentials, environment: Mapping[str, str], console: Console
) -> bool:
    """Wait for the service, have it answer a ping, and examine everything; whether nothing is wrong."""
    url = asked.url.rstrip("/")
    console.say(f"Waiting until {url}/readyz names app {credentials.app_id} …")
    _eventually(lambda: _serves(url, credentials.app_id), console)
    app = App(credentials.app_id, credentials.private_key, credentials.api_url)
    console.say(_pinged(app, console))
    return told(examine(environment), console.say) == 0


def _serves(url: str, app_id: int) -> bool | None:
    """Whether the service answers with this app; None while it does not."""
    with suppress(httpx.HTTPError, ValueError):
        answer = httpx.get(f"{url}/readyz", timeout=5, follow_redirects=False)
        said = answer.json()
        if answer.is_success and isinstance(said, dict) and said.get("app") == app_id:
            return True
    return None


def _pinged(app: App, console: Console) -> str:
    """Have GitHub send its ping again, since nobody served when it came, and say what became of it."""
    asked_for: set[int] = set()
    try:
        for _ in range(PING_TRIES):
            ping = app.ping()
            if ping is not None and ping.status_code in ANSWERED:
                return "The service answered GitHub's ping."
            if ping is not None and ping.id not in asked_for:
                app.redeliver(ping.id)
                asked_for.add(ping.id)
            time.sleep(console.pause)
    except GitHubError as error:
        if error.gone:
            return "This GitHub doesn't tell what became of its ping."
        return f"GitHub's ping could not be asked for: {error.failure.message}"
    return "GitHub's ping was not answered yet: see the app's settings, Advanced, Recent deliveries."


def _eventually(look: Callable[[], T | None], console: Console) -> T:
    """What is there once it is there; whoever waits too long presses Ctrl-C."""
    while (found := look()) is None:
        time.sleep(console.pause)
    return found
