"""How PyGithub's requests travel: redirects are errors here, and every call is counted.

PyGithub follows a 301 with the path only, losing `?ref=`, and takes a 307 for a success; both come from a
renamed repository. It offers `injectConnectionClasses` to put other connections under it.
"""

from __future__ import annotations

import json
import threading
import time
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import Any, ClassVar

import requests
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)
from prometheus_client import Counter

CALLS = Counter("poc_governor_github_calls", "Calls to GitHub's API", ["verb", "status", "kind"])
CALLED_FOR: ContextVar[str] = ContextVar("the kind of subject that is reconciled", default="")
LIMITS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
CORE = "core"
"""What GitHub calls the rate limit of ordinary calls; others, as GraphQL's, count something else."""

REDIRECTS = range(300, 400)
NOT_MODIFIED = 304
ACCEPTED = 202
ERRORS = 400
HTTPS = 443
IDLE = 30.0
"""Seconds after which a session is not trusted to be connected."""


class MovedError(Exception):
    """GitHub answered with a redirect: a repository has another name by now, or an issue left it."""

    def __init__(self, location: str = "") -> None:
        super().__init__(location)
        self.location = location


class UnfinishedError(Exception):
    """GitHub answered 202 to a read: it is still computing, and PyGithub would wait in a loop."""


class _Answer(RequestsResponse):
    """An answer; an error keeps its status also where PyGithub couldn't read what is said with it."""

    def read(self) -> str:
        """The body, empty for an error that says nothing readable."""
        body = super().read()
        return body if self.status < ERRORS or _is_readable(body) else ""


def _is_readable(body: str) -> bool:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and isinstance(told.get("message"), str | None)


class _Sessions(threading.local):
    """A thread's sessions, by address: a session for each client would cost more than its calls."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[requests.Session, float]] = {}

    def at(self, address: str) -> requests.Session:
        """The session for an address; one that was idle for long has lost its connection, and begins anew."""
        session, used = self._kept.get(address, (None, 0.0))
        if session is None or time.monotonic() - used > IDLE:
            if session is not None:
                session.close()
            session = _session(address)
        self._kept[address] = session, time.monotonic()
        return session


def _session(address: str) -> requests.Session:
    """A session that has read once what the environment says of proxies and certificates."""
    session = requests.Session()
    found = session.merge_environment_settings(address, {}, None, None, None)
    session.proxies, session.verify, session.cert = found["proxies"], found["verify"], found["cert"]
    session.trust_env = False  # or the environment and .netrc are read again for each request
    # Installations share a session, and nothing that GitHub sets for one may reach another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


SESSIONS = _Sessions()


class _Connection:
    """What PyGithub asks of a connection, over a session that outlives it; counts every call."""

    default_port: ClassVar[int]
    protocol: str
    verb: str
    url: str
    input: Any
    headers: dict[str, str]

    def __init__(self, host: str, port: int | None = None, timeout: int | None = None, **_: object) -> None:
        self.host, self.protocol = host, "https" if self.default_port == HTTPS else "http"
        self._address = f"{self.protocol}://{host}:{port or self.default_port}"
        self._timeout = timeout

    def getresponse(self) -> _Answer:
        """Send the request and read the answer."""
        try:
            answer = SESSIONS.at(self._address).request(
                self.verb,
                f"{self._address}{self.url}",
                headers=self.headers,
                data=self.input,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            CALLS.labels(self.verb, type(error).__name__, CALLED_FOR.get()).inc()
            raise
        answer.encoding = answer.encoding or "utf-8"  # or requests would guess
        CALLS.labels(self.verb, str(answer.status_code), CALLED_FOR.get()).inc()
        if answer.ok and answer.headers.get("x-ratelimit-resource", CORE) != CORE:
            for name in LIMITS:
                answer.headers.pop(name, None)
        if answer.status_code in REDIRECTS and answer.status_code != NOT_MODIFIED:
            raise MovedError(answer.headers.get("location", ""))
        if answer.status_code == ACCEPTED and self.verb == "GET":
            raise UnfinishedError
        return _Answer(answer)

    def close(self) -> None:
        """The session stays for the next client."""


class _Http(_Connection, HTTPRequestsConnectionClass):
    """Plain HTTP: an emulator on this machine."""

    default_port = 80


class _Https(_Connection, HTTPSRequestsConnectionClass):
    """GitHub."""

    default_port = HTTPS


def install() -> None:
    """Put these connections under every client that is made from now on."""
    Requester.injectConnectionClasses(_Http, _Https)
