"""Registers the app on GitHub from this machine, and hands its credentials on."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from service.cli.loopback import Form, listening, registration_page
from service.config.app_credentials import AppCredentials
from service.config.setting_values import left_from_an_example
from service.config.settings import LOCAL_HOSTS
from service.github_client.registration import take_over, version_of
from service.packaged import app_manifest
from service.ports import GitHubError
from service.rules.setup.manifest import (
    LONGEST_NAME,
    PUBLIC_API,
    PUBLIC_GITHUB,
    Pending,
    Registration,
    ReturnError,
    Version,
    api_of,
    code_of,
    form_address,
    left_out,
    manifest,
    parameters_of,
)

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}")
PAGE = Path("poc-governor-setup.html")
NOWHERE = "http://localhost/poc-governor/registered"
"""Where GitHub leads to when nobody listens: the address itself is all that is wanted."""

OPENED = "Your browser opens {address}"
NO_BROWSER = "Open in a browser on this machine: {address}\nWithout one, stop this and use --headless."

Keep = Callable[[AppCredentials], None]
"""Stores the app's credentials, which GitHub tells once; raises `SetupError`."""


class SetupError(Exception):
    """What keeps the app from being registered; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    org: str
    url: str
    github_url: str = PUBLIC_GITHUB
    api: str = ""
    name: str = ""
    public: bool = False

    @property
    def api_url(self) -> str:
        """GitHub's API: the one that was named, or the one that belongs to its pages."""
        return (self.api or api_of(self.github_url)).rstrip("/")


@dataclass(frozen=True, slots=True)
class Console:
    """The operator: told, asked, and shown a page."""

    say: Callable[[str], None]
    ask: Callable[[str], str]
    browse: Callable[[str], bool]
    """Opens a browser; False where there is none."""
    pause: float = 2.0
    """Seconds between two questions whether something has happened."""


def printed_manifest(asked: Asked) -> str:
    """The manifest for that GitHub, as JSON."""
    checked(asked)
    return json.dumps(manifest(app_manifest(), _registration(asked, _version(asked))), indent=2)


def checked(asked: Asked) -> None:
    """Refuse what GitHub would refuse; raises `SetupError`."""
    if not LOGIN.fullmatch(asked.org):
        raise SetupError(f"--org {asked.org}: write the login of one organisation, like acme")
    if len(asked.name) > LONGEST_NAME:
        raise SetupError(f"--name: GitHub takes {LONGEST_NAME} characters at most")
    for option, address in (("--url", asked.url), ("--github-url", asked.github_url)):
        if left := left_from_an_example(address, secret=False):
            raise SetupError(f"{option}: {left} is from an example: write your own address")
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise SetupError(f"{option} {address}: write an address such as https://governor.example.com")
    if urlsplit(asked.url).hostname in LOCAL_HOSTS and urlsplit(asked.github_url).hostname not in LOCAL_HOSTS:
        raise SetupError(f"--url {asked.url}: GitHub can't reach this; it has to be a public address")


def register(asked: Asked, keep: Keep, console: Console, *, headless: bool = False) -> AppCredentials:
    """Let a person create the app on GitHub, and keep its credentials; may raise `SetupError`."""
    version = _version(asked)
    if missing := left_out(app_manifest(), version):
        console.say(f"Left out, since this GitHub doesn't know them: {', '.join(missing)}.")
    return _by_file(asked, version, keep, console) if headless else _by_browser(asked, version, keep, console)


def _by_browser(asked: Asked, version: Version | None, keep: Keep, console: Console) -> AppCredentials:
    with listening() as listener:
        registering = _Registering(asked, listener.redirect_url, version, keep)
        listener.form, listener.exchange = registering.form, registering.finish
        opened = console.browse(listener.begin)
        console.say(
            OPENED.format(address=listener.begin) if opened else NO_BROWSER.format(address=listener.begin)
        )
        return listener.arrived.get()


def _by_file(asked: Asked, version: Version | None, keep: Keep, console: Console) -> AppCredentials:
    registering = _Registering(asked, NOWHERE, version, keep)
    try:
        with PAGE.open("x", encoding="utf-8") as out:
            out.write(registration_page(registering.form, headless=True))
    except FileExistsError as error:
        raise SetupError(f"{PAGE} is there already: move it away") from error
    try:
        console.say(f"Open {PAGE.resolve()} in a browser anywhere, and register the app.")
        while True:
            address = console.ask("The address that GitHub led to, whole: ")
            try:
                return registering.finish(address)
            except ValueError as error:
                console.say(str(error))
    finally:
        PAGE.unlink(missing_ok=True)


class _Registering:
    """One registration under way: its state is good for one return."""

    def __init__(self, asked: Asked, redirect_url: str, version: Version | None, keep: Keep) -> None:
        self._asked, self._keep = asked, keep
        self._pending: Pending | None = Pending(secrets.token_urlsafe(32), datetime.now(UTC))
        action = form_address(asked.github_url, asked.org, self._pending.state)
        shown = manifest(app_manifest(), _registration(asked, version, redirect_url))
        self.form = Form(asked.org, asked.github_url, action, shown)

    def finish(self, address: str) -> AppCredentials:
        """Check what came back, take the app over and keep it; `ValueError` says what is wrong."""
        try:
            code = code_of(self._pending, parameters_of(address), datetime.now(UTC))
        except ReturnError as error:
            raise ValueError(str(error)) from error
        self._pending = None
        try:
            app = take_over(self._asked.api_url, self._asked.github_url, code)
            self._keep(app)
        except GitHubError as error:
            raise ValueError(error.failure.message) from error
        except SetupError as error:
            raise ValueError(str(error)) from error
        return app


def _registration(asked: Asked, version: Version | None, redirect_url: str = "") -> Registration:
    return Registration(
        asked.org, asked.url.rstrip("/"), redirect_url, asked.name, public=asked.public, server=version
    )


def _version(asked: Asked) -> Version | None:
    """Asked only of a GitHub that may be older than ours; one that doesn't tell is taken for up to date."""
    if asked.api_url == PUBLIC_API:
        return None
    with suppress(GitHubError):
        return version_of(asked.api_url)
    return None


def settings_of(asked: Asked, app: AppCredentials, accounts: str) -> dict[str, str]:
    """The settings of a service that is to be started with this app."""
    found = {
        name: value
        for name, value in app.as_environment().items()
        if value not in (PUBLIC_GITHUB, PUBLIC_API)
    }
    return (
        found
        | {"PUBLIC_URL": asked.url.rstrip("/")}
        | ({"ALLOWED_ACCOUNTS": ",".join(filter(None, (asked.org, accounts)))} if asked.public else {})
    )
