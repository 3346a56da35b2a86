"""How PyGithub's requests travel: redirects are errors here, and every call is counted.

PyGithub follows a 301 with the path only, losing `?ref=`, and takes a 307 for a success; both come from a
renamed repository. It offers `injectConnectionClasses` to put other connections under it.
"""

from __future__ import annotations

from typing import Any

import requests
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester
from prometheus_client import Counter

CALLS = Counter("poc_governor_github_calls", "Calls to GitHub's API", ["verb", "status"])

REDIRECTS = range(300, 400)
NOT_MODIFIED = 304
ACCEPTED = 202


class MovedError(Exception):
    """GitHub answered with a redirect: a repository has another name by now, or an issue left it."""

    def __init__(self, location: str = "") -> None:
        super().__init__(location)
        self.location = location


class UnfinishedError(Exception):
    """GitHub answered 202 to a read: it is still computing, and PyGithub would wait in a loop."""


class _Counted:
    """Mixed into PyGithub's connections."""

    verb: str

    def getresponse(self) -> Any:  # noqa: ANN401 (PyGithub's own signature)
        try:
            response = super().getresponse()  # type: ignore[misc]  # the connection class beside this one
        except requests.RequestException as error:
            CALLS.labels(self.verb, type(error).__name__).inc()
            raise
        CALLS.labels(self.verb, str(response.status)).inc()
        if response.status in REDIRECTS and response.status != NOT_MODIFIED:
            raise MovedError(response.headers.get("location", ""))
        if response.status == ACCEPTED and self.verb == "GET":
            raise UnfinishedError
        return response


class _Http(_Counted, HTTPRequestsConnectionClass):
    """Plain HTTP: an emulator on this machine."""


class _Https(_Counted, HTTPSRequestsConnectionClass):
    """GitHub."""


def install() -> None:
    """Put these connections under every client that is made from now on."""
    Requester.injectConnectionClasses(_Http, _Https)
