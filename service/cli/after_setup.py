"""What `setup` does once there is an app: it is installed, looked at, started, asked for, and examined."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import httpx

from service.app_credentials import AppCredentials
from service.cli.doctor import Mark, examine, told
from service.cli.organisation import Organisation, installed_on
from service.cli.register import Asked, Console
from service.github_client.app import App
from service.ports import GitHubError
from service.rules.queue import unanswered
from service.rules.values.github import Installation

T = TypeVar("T")

PING = "ping"
TRIES = 15


def first_look(asked: Asked, credentials: AppCredentials, console: Console, *, observe: bool) -> None:
    """Wait until the app is installed, and say what it finds there."""
    app = App(credentials.app_id, credentials.private_key, credentials.api_url)
    console.say(f"Install it on {asked.org}: {credentials.installing}")
    installation = _eventually(lambda: _installed(app, asked.org), console)
    console.say(f"Installed on {installation.account}. Looking at its repositories …")
    try:
        look = Organisation(app, credentials.app_id, installation).first_look(
            datetime.now(UTC).date(), observe=observe
        )
        console.say(look.says)
    except GitHubError as error:
        console.say(f"We couldn't look at what is there: {error.failure.message}")


def _installed(app: App, org: str) -> Installation | None:
    """The installation; what keeps GitHub from answering now may pass."""
    with suppress(GitHubError):
        return installed_on(app, org)
    return None


def finish(
    asked: Asked, credentials: AppCredentials, environment: Mapping[str, str], console: Console
) -> bool:
    """Wait for the service, have it answer what it missed, and examine all; whether nothing is wrong."""
    url = asked.url.rstrip("/")
    console.say(f"Waiting until {url}/readyz names app {credentials.app_id} …")
    _eventually(lambda: _serves(url, credentials.app_id), console)
    app = App(credentials.app_id, credentials.private_key, credentials.api_url)
    console.say(_caught_up(app, console))
    lines = list(examine(environment))
    for _ in range(TRIES):
        if not any(line.mark is Mark.WRONG for line in lines):
            break
        time.sleep(console.pause)  # a worker that starts has no heartbeat yet
        lines = list(examine(environment))
    return told(lines, console.say) == 0


def _serves(url: str, app_id: int) -> bool | None:
    """Whether the service answers with this app; None while it does not."""
    with suppress(httpx.HTTPError, ValueError):
        answer = httpx.get(f"{url}/readyz", timeout=5, follow_redirects=False)
        said = answer.json()
        if answer.is_success and isinstance(said, dict) and said.get("app") == app_id:
            return True
    return None


def _caught_up(app: App, console: Console) -> str:
    """Have GitHub send again what came while nobody served, its ping first, and say what became of it."""
    asked_for: set[int] = set()
    try:
        for _ in range(TRIES):
            attempts = app.recent_deliveries()
            missing = unanswered([attempt for _, attempt in attempts])
            if not missing and any(event == PING for event, _ in attempts):
                return "The service answered GitHub's ping."
            for attempt in missing:
                if attempt.id not in asked_for:
                    asked_for.add(attempt.id)
                    app.redeliver(attempt.id)
            time.sleep(console.pause)
    except GitHubError as error:
        if error.gone:
            return "This GitHub doesn't tell what became of its ping."
        return f"We couldn't ask GitHub for its ping: {error.failure.message}"
    return "GitHub's ping hasn't been answered yet: see the app's settings, Advanced, Recent deliveries."


def _eventually(look: Callable[[], T | None], console: Console) -> T:
    """What is there once it is there; whoever waits too long presses Ctrl-C."""
    while (found := look()) is None:
        time.sleep(console.pause)
    return found
