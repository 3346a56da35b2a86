"""How PyGithub's requests travel: redirects are errors here, and every call is counted.

PyGithub follows a 301 with the path only, losing `?ref=`, and takes a 307 for a success; both come from a
renamed repository. It offers `injectConnectionClasses` to put other connections under it.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
import time
from collections.abc import ItemsView
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import requests
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)
from prometheus_client import Counter
from requests.utils import (
    DEFAULT_CA_BUNDLE_PATH,
    get_auth_from_url,
    get_environ_proxies,
    prepend_scheme_if_needed,
    select_proxy,
)
from urllib3 import PoolManager, ProxyManager, exceptions
from urllib3.util import create_urllib3_context, make_headers

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
"""Seconds after which a connection is not trusted to be open."""
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables of the environment that name a file, or a directory, of certificates to trust."""
ASKED_WITH = {"Accept": "*/*", **make_headers(accept_encoding=True)}
NAMES = (
    (exceptions.NewConnectionError, requests.ConnectionError),
    (exceptions.ConnectTimeoutError, requests.ConnectTimeout),
    (exceptions.ReadTimeoutError, requests.ReadTimeout),
    (exceptions.SSLError, requests.exceptions.SSLError),
    (exceptions.ProxyError, requests.exceptions.ProxyError),
    (exceptions.DecodeError, requests.exceptions.ContentDecodingError),
)
"""What the log and the metric call an error of urllib3; any other is a ConnectionError."""


class MovedError(Exception):
    """GitHub answered with a redirect: a repository has another name by now, or an issue left it."""

    def __init__(self, location: str = "") -> None:
        super().__init__(location)
        self.location = location


class UnfinishedError(Exception):
    """GitHub answered 202 to a read: it is still computing, and PyGithub would wait in a loop."""


class _Answer(RequestsResponse):
    """An answer; an error keeps its status also where PyGithub couldn't read what is said with it."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self._headers, self._body = status, headers, body

    def getheaders(self) -> ItemsView[str, str]:
        """The headers, by their names in small letters."""
        return self._headers.items()

    def read(self) -> str:
        """The body, empty for an error that says nothing readable."""
        body = self._body.decode(errors="replace")
        return body if self.status < ERRORS or _is_readable(body) else ""


def _is_readable(body: str) -> bool:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and isinstance(told.get("message"), str | None)


class _Kept(threading.local):
    """A thread's connections, by address: one for each client would cost more than its calls."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[PoolManager, float]] = {}

    def at(self, address: str) -> PoolManager:
        """What sends to an address; after a long pause its connection may be lost, so it gets a new one."""
        manager, used = self._kept.get(address, (None, 0.0))
        if manager is None or time.monotonic() - used > IDLE:
            if manager is not None:
                manager.clear()
            manager = _manager(address)
        self._kept[address] = manager, time.monotonic()
        return manager


def _manager(address: str) -> PoolManager:
    """What sends to an address as the environment says: through a proxy, with certificates of our own."""
    trusted = _trusted(next(filter(None, map(os.environ.get, CERTIFICATES)), DEFAULT_CA_BUNDLE_PATH))
    proxy = select_proxy(address, get_environ_proxies(address))
    if not proxy:
        return PoolManager(ssl_context=trusted)
    proxy = prepend_scheme_if_needed(proxy, "http")
    user, password = get_auth_from_url(proxy)
    headers = make_headers(proxy_basic_auth=f"{user}:{password}") if user else None
    return ProxyManager(proxy, proxy_headers=headers, ssl_context=trusted, proxy_ssl_context=trusted)


@cache
def _trusted(certificates: str) -> ssl.SSLContext:
    """Reading them takes longer than a call, so it's done once."""
    context = create_urllib3_context()
    if Path(certificates).is_dir():
        context.load_verify_locations(capath=certificates)
    else:
        context.load_verify_locations(certificates)
    return context


KEPT = _Kept()


class _Connection:
    """What PyGithub asks of a connection, over connections that outlive it; counts every call."""

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
            answer = KEPT.at(self._address).urlopen(
                self.verb,
                f"{self._address}{self.url}",
                body=self.input,
                headers=ASKED_WITH | self.headers,
                timeout=self._timeout,
                redirect=False,
                retries=False,
            )
        except exceptions.HTTPError as error:
            named = next((name for kind, name in NAMES if isinstance(error, kind)), requests.ConnectionError)
            self._count(named.__name__)
            raise named(error) from error
        self._count(str(answer.status))
        headers = {name.lower(): value for name, value in answer.headers.itermerged()}
        if answer.status < ERRORS and headers.get("x-ratelimit-resource", CORE) != CORE:
            for name in LIMITS:
                headers.pop(name, None)
        if answer.status in REDIRECTS and answer.status != NOT_MODIFIED:
            raise MovedError(headers.get("location", ""))
        if answer.status == ACCEPTED and self.verb == "GET":
            raise UnfinishedError
        return _Answer(answer.status, headers, answer.data)

    def _count(self, status: str) -> None:
        CALLS.labels(self.verb, status, CALLED_FOR.get()).inc()

    def close(self) -> None:
        """The connection stays for the next client."""


class _Http(_Connection, HTTPRequestsConnectionClass):
    """Plain HTTP: an emulator on this machine."""

    default_port = 80


class _Https(_Connection, HTTPSRequestsConnectionClass):
    """GitHub."""

    default_port = HTTPS


def install() -> None:
    """Put these connections under every client that is made from now on."""
    Requester.injectConnectionClasses(_Http, _Https)
