"""What went wrong with a call, as one of the kinds of failure: the only place that classifies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import requests
from github import BadAttributeException, GithubException, IncompletableObject

from service.github_client.transport import MovedError, UnfinishedError
from service.ports import GitHubError
from service.rules.queue import Failure, FailureKind

GONE = (404, 410)
RATE_LIMIT = (403, 429)
NO_COMMIT = "No commit found"
"""What GitHub says, with a 404 or a 422, of a commit that it doesn't see, or not yet."""
UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
    BadAttributeException,
)
"""What reading an answer raises if it was cut off, isn't JSON, or has another shape than GitHub documents."""
SHOWN = 80
"""Characters of an error's text: it may quote a whole answer."""
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
    except IncompletableObject as error:
        raise _unreadable(what, error) from error
    except GithubException as error:
        raise GitHubError(classify(error, what, datetime.now(UTC))) from error
    except UnfinishedError as error:
        raise GitHubError(Failure(FailureKind.TRANSIENT, f"{what}: GitHub is still computing it")) from error
    except MovedError as error:
        raise GitHubError(Failure(FailureKind.GONE, f"{what}: GitHub redirects elsewhere")) from error
    except (requests.RequestException, OSError) as error:
        message = f"{what}: no answer from GitHub ({type(error).__name__})"
        raise GitHubError(Failure(FailureKind.TRANSIENT, message)) from error
    except UNREADABLE as error:
        raise _unreadable(what, error) from error


def _unreadable(what: str, error: Exception) -> GitHubError:
    message = f"{what}: GitHub's answer can't be read ({type(error).__name__}: {str(error)[:SHOWN]})"
    return GitHubError(Failure(FailureKind.TRANSIENT, message))


def classify(error: GithubException, what: str, now: datetime) -> Failure:
    """The kind, by status and headers; the text only tells a rate limit and an unseen commit apart."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    said = said_by(error)
    message = f"{what}: GitHub says {error.status}" + (f", {said}" if said else "")
    if error.status in RATE_LIMIT and (until := _rate_limited_until(error.status, headers, said, now)):
        return Failure(FailureKind.RATE_LIMITED, message, until)
    if error.status in (GONE[0], UNPROCESSABLE) and said.startswith(NO_COMMIT):
        return Failure(FailureKind.UNSEEN, message)
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
    """When to come back; None where this isn't a rate limit. `Retry-After` wins over the reset."""
    retry_after = headers.get("retry-after", "")
    if retry_after.isdigit():
        return now + timedelta(seconds=int(retry_after))
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(datetime.fromtimestamp(int(reset), UTC), now + timedelta(seconds=1))
    if status == RATE_LIMIT[1] or "rate limit" in said.lower():
        return now + SECONDARY_WAIT
    return None
