"""Registering the app: the manifest, `app-manifest.yml` for one service and one GitHub, and what GitHub leads
back with: the code, and the state by which we know that we sent a browser there.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

Version = tuple[int, int]

LONGEST_NAME = 34
"""Characters of an app's name."""
NEWER = {
    "deployment_protection_rule": (3, 10),
    "merge_group": (3, 12),
    "merge_queues": (3, 12),
    "custom_property_values": (3, 13),
    "organization_custom_properties": (3, 13),
}
"""Events and permissions that an Enterprise Server knows from a version on; others it refuses."""
WEBHOOKS, CALLBACK, SETUP, REGISTERED = "/webhooks/github", "/login/callback", "/setup", "/setup/registered"
PUBLIC_GITHUB, PUBLIC_API = "https://github.com", "https://api.github.com"


@dataclass(frozen=True, slots=True)
class Registration:
    """Which app is to be registered, and where GitHub leads to after that."""

    org: str
    public_url: str
    redirect_url: str = ""
    name: str = ""
    public: bool = False
    """Whether other accounts may install it."""
    server: Version | None = None
    """The version of an Enterprise Server; None for github.com and ghe.com."""


def manifest(template: Mapping[str, Any], asked: Registration) -> dict[str, Any]:
    """What `app-manifest.yml` says, for one service, without what that GitHub doesn't know."""
    url = asked.public_url
    return {
        **template,
        "name": asked.name or default_name(asked.org),
        "url": url,
        "public": asked.public,
        "hook_attributes": {"url": f"{url}{WEBHOOKS}", "active": True},
        "redirect_url": asked.redirect_url or f"{url}{REGISTERED}",
        "callback_urls": [f"{url}{CALLBACK}"],
        "setup_url": f"{url}{SETUP}",
        "default_permissions": {
            name: level
            for name, level in template["default_permissions"].items()
            if _known(name, asked.server)
        },
        "default_events": [name for name in template["default_events"] if _known(name, asked.server)],
    }


def left_out(template: Mapping[str, Any], server: Version | None) -> tuple[str, ...]:
    """The permissions and events that this GitHub doesn't know yet."""
    names = (*template["default_permissions"], *template["default_events"])
    return tuple(name for name in names if not _known(name, server))


def default_name(org: str) -> str:
    """A name that is probably free: app names are unique on all of GitHub."""
    return f"POC Governor {org}"[:LONGEST_NAME].rstrip(" -")


def form_address(github_url: str, org: str, state: str) -> str:
    """Where a browser posts the manifest to."""
    return f"{github_url}/organizations/{quote(org, safe='')}/settings/apps/new?{urlencode({'state': state})}"


def api_of(github_url: str) -> str:
    """The API that belongs to GitHub's pages: github.com's, an enterprise's own at ghe.com, or a server's."""
    if github_url == PUBLIC_GITHUB:
        return PUBLIC_API
    parts = urlsplit(github_url)
    if (parts.hostname or "").endswith(".ghe.com"):
        return f"{parts.scheme}://api.{parts.netloc}"
    return f"{github_url}/api/v3"


def server_version(text: str) -> Version | None:
    """`3.12` of `3.12.4`, as an Enterprise Server writes it; None for any other text."""
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None


def _known(name: str, server: Version | None) -> bool:
    return server is None or server >= NEWER.get(name, (0, 0))


GOOD_FOR = timedelta(hours=1)
"""GitHub's own limit for the three steps from the form to the exchange of the code."""


class ReturnError(Exception):
    """What came back is not what was waited for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Pending:
    """One registration that was begun."""

    state: str
    begun_at: datetime


def code_of(pending: Pending | None, returned: Mapping[str, str], now: datetime) -> str:
    """The code to exchange; raises `ReturnError` where the state is not that of a registration under way."""
    state, code = returned.get("state", ""), returned.get("code", "")
    if not state or not code:
        raise ReturnError("This address has no code and state: paste all of it, with everything after `?`.")
    if pending is None:
        raise ReturnError("This registration is over: each state works only once. Start again.")
    if not hmac.compare_digest(state.encode(), pending.state.encode()):
        raise ReturnError("The state isn't the one that we sent to GitHub. Start again.")
    if now - pending.begun_at >= GOOD_FOR:
        raise ReturnError("This registration was started more than an hour ago. Start again.")
    return code


def parameters_of(address: str) -> dict[str, str]:
    """What stands behind the `?` of an address that was pasted."""
    return dict(parse_qsl(urlsplit(address.strip()).query))
