"""Before there is an app: its registration is taken over from GitHub, without any token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from service.config.app_credentials import AppCredentials
from service.github_client.app import API_VERSION, TIMEOUT
from service.ports import GitHubError
from service.rules.queue import Failure, FailureKind
from service.rules.setup.manifest import Version, server_version

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION}
VERSION = "X-GitHub-Enterprise-Version"
GONE = (404, 422)
"""What GitHub answers to a code that was used, is too old, or never was."""


def take_over(api_url: str, github_url: str, code: str) -> AppCredentials:
    """Exchange the code for the app's credentials; GitHub does that once, so it is never tried again."""
    what = "exchanging the code for the app's credentials"
    address = f"{api_url}/app-manifests/{quote(code, safe='')}/conversions"
    answer = _asked("POST", address, what)
    if answer.status_code in GONE:
        raise _failed(f"{what}: GitHub doesn't know the code. It works once, within an hour: start again")
    data = _read(answer, what)
    try:
        app = AppCredentials(
            app_id=int(data["id"]),
            slug=str(data["slug"]),
            html_url=str(data["html_url"]),
            github_url=github_url,
            api_url=api_url,
            client_id=str(data["client_id"]),
            private_key=str(data["pem"]),
            webhook_secret=str(data["webhook_secret"] or ""),
            client_secret=str(data["client_secret"]),
        )
    except (LookupError, ValueError) as error:
        raise _failed(f"{what}: GitHub's answer has no {error}") from error
    if not app.webhook_secret:
        raise _failed(f"{what}: GitHub made no webhook secret. Delete the app again on {app.html_url}")
    return app


def version_of(api_url: str) -> Version | None:
    """The version of an Enterprise Server; None for github.com and ghe.com, which have none."""
    answer = _asked("GET", f"{api_url}/meta", "asking GitHub for its version")
    # A server that shows strangers nothing still says this with its refusal.
    said = answer.headers.get(VERSION, "").rpartition("@")[2]
    return server_version(said or str(_read(answer, "asking GitHub").get("installed_version") or ""))


def _asked(method: str, url: str, what: str) -> httpx.Response:
    try:
        return httpx.request(method, url, headers=HEADERS, timeout=TIMEOUT, follow_redirects=False)
    except httpx.HTTPError as error:
        raise _failed(f"{what}: no answer from {url.partition('/app-manifests')[0]}", error) from error


def _read(answer: httpx.Response, what: str) -> Mapping[str, Any]:
    if not answer.is_success:
        raise _failed(f"{what}: GitHub says {answer.status_code}")
    try:
        data = answer.json()
    except ValueError as error:
        raise _failed(f"{what}: that isn't GitHub's API, which answers in JSON") from error
    return data if isinstance(data, dict) else {}


def _failed(message: str, error: Exception | None = None) -> GitHubError:
    why = f" ({type(error).__name__})" if error else ""
    return GitHubError(Failure(FailureKind.REFUSED, f"{message}{why}"))
