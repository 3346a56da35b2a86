"""Slack, through an incoming webhook: one message, sent at most once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import structlog

from service.ports import GitHubError
from service.rules.queue import Failure, FailureKind

log = structlog.get_logger(__name__)

TIMEOUT = 10.0
SERVER_ERROR = 500
USUAL_WAIT = timedelta(minutes=1)
"""Where Slack names no time."""
LONGEST_WAIT = timedelta(days=1)
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
SETTING = "SLACK_WEBHOOK_URL"
"""Names the address, which is a secret itself."""

_WORD = re.compile(r"[a-z_]{1,40}")
"""Slack's own words for a refusal: `no_service`, `channel_is_archived`."""
_SECONDS = re.compile(r"[0-9]{1,9}")


class Slack:
    """`ports.Announcer` over the address of a webhook."""

    def __init__(self, url: str) -> None:
        self._url = url

    def announce(self, text: str) -> None:
        """Send a message.

        Raises `GitHubError` where it certainly did not arrive; where nobody knows, it counts as sent.
        """
        try:
            answer = httpx.post(self._url, json={"text": text, "unfurl_links": False}, timeout=TIMEOUT)
        except NEVER_SENT as error:
            reason = f"Slack isn't reachable at {SETTING} ({type(error).__name__})"
            raise GitHubError(
                Failure(FailureKind.TRANSIENT, f"{reason}: check this network's way out")
            ) from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            # What these say may quote the address.
            raise GitHubError(_refused("the address is none")) from None
        except httpx.HTTPError as error:
            log.warning("Slack did not answer, and may have heard", reason=type(error).__name__)
            return
        if not answer.is_success:
            raise GitHubError(_failure(answer, datetime.now(UTC)))


def _failure(answer: httpx.Response, now: datetime) -> Failure:
    status = answer.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Failure(FailureKind.RATE_LIMITED, f"Slack says {status}", now + _wait(answer))
    if status >= SERVER_ERROR:
        message = f"Slack says {status} to {SETTING}: see https://slack-status.com"
        return Failure(FailureKind.TRANSIENT, message)
    said = answer.text.strip()
    return _refused(f"Slack says {status}, {said}" if _WORD.fullmatch(said) else f"Slack says {status}")


def _wait(answer: httpx.Response) -> timedelta:
    asked = answer.headers.get("Retry-After", "")
    return min(timedelta(seconds=int(asked)), LONGEST_WAIT) if _SECONDS.fullmatch(asked) else USUAL_WAIT


def _refused(why: str) -> Failure:
    remedy = f"make an incoming webhook for a channel that is in use, and set {SETTING} to its address"
    return Failure(FailureKind.REFUSED, f"{why}: {remedy}")
