"""What went wrong with a call, as one of the four kinds: the only place that classifies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import requests
from github import GithubException

from service.github_client.transport import MovedError, UnfinishedError
from service.ports import GitHubError
from service.rules.queue import Failure, FailureKind

GONE = (404, 410, 451)
RATE_LIMIT = (403, 429)
NO_COMMIT = "No commit found"
"""What GitHub says of a commit that it does not see, or not yet: a push is not everywhere at once."""
SERVER_ERROR = 500
UNAUTHORIZED = 401
FORBIDDEN = 403
UNPROCESSABLE = 422
CONFLICT = 409
"""Also what an empty repository answers, until somebody pushes."""
SECONDARY_WAIT = timedelta(minutes=1)
"""GitHub asks for at least a minute where it names no time."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise `GitHubError` for whatever PyGithub, requests or the network raise inside."""
    try:
        yield
    except GithubException as error:
        raise GitHubError(classify(error, what, datetime.now(UTC))) from error
    except UnfinishedError as error:
        raise GitHubError(Failure(FailureKind.TRANSIENT, f"{what}: GitHub is still computing it")) from error
    except MovedError as error:
        raise GitHubError(Failure(FailureKind.GONE, f"{what}: GitHub redirects elsewhere")) from error
    except (requests.RequestException, OSError) as error:
        message = f"{what}: no answer from GitHub ({type(error).__name__})"
        raise GitHubError(Failure(FailureKind.TRANSIENT, message)) from error


def classify(error: GithubException, what: str, now: datetime) -> Failure:
    """One of the four kinds, by status and headers; the text only tells a rate limit from a refusal."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    said = said_by(error)
    message = f"{what}: GitHub says {error.status}" + (f", {said}" if said else "")
    if error.status in RATE_LIMIT and (until := _rate_limited_until(error.status, headers, said, now)):
        return Failure(FailureKind.RATE_LIMITED, message, until)
    if error.status == GONE[0] and said.startswith(NO_COMMIT):
        return Failure(FailureKind.TRANSIENT, message)
    if error.status in GONE:
        return Failure(FailureKind.GONE, message)
    if error.status >= SERVER_ERROR or error.status in (UNAUTHORIZED, CONFLICT):
        # 401: a token revoked under us; the next attempt mints another.
        return Failure(FailureKind.TRANSIENT, message)
    return Failure(FailureKind.REFUSED, message)


def said_by(error: GithubException) -> str:
    """GitHub's own words."""
    data = error.data
    return str(data.get("message", "")) if isinstance(data, dict) else ""


def _rate_limited_until(status: int, headers: Mapping[str, str], said: str, now: datetime) -> datetime | None:
    """When to come back; None where this is no rate limit. `Retry-After` wins over the reset."""
    retry_after = headers.get("retry-after", "")
    if retry_after.isdigit():
        return now + timedelta(seconds=int(retry_after))
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(datetime.fromtimestamp(int(reset), UTC), now + timedelta(seconds=1))
    if status == RATE_LIMIT[1] or "rate limit" in said.lower():
        return now + SECONDARY_WAIT
    return None
