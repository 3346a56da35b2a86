"""Slack, through an incoming webhook: one message, sent at most once."""

from __future__ import annotations

import httpx
import structlog

from service.ports import GitHubError
from service.rules.retry import Failure, FailureKind

log = structlog.get_logger(__name__)

TIMEOUT = 10.0
SERVER_ERROR = 500


class Slack:
    """`ports.Announcer` over the address of a webhook, which is a secret."""

    def __init__(self, url: str) -> None:
        self._url = url

    def announce(self, text: str) -> None:
        """Send a message.

        Raises `GitHubError` where it certainly did not arrive and may be sent again later. Where nobody knows
        whether it did, or Slack will never take it, it counts as sent.
        """
        try:
            answer = httpx.post(self._url, json={"text": text, "unfurl_links": False}, timeout=TIMEOUT)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _later("Slack is not reachable") from error
        except httpx.HTTPError as error:
            log.warning("Slack did not answer", reason=type(error).__name__)
            return
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.status_code >= SERVER_ERROR:
            raise _later(f"Slack says {answer.status_code}")
        if not answer.is_success:
            log.error("Slack refused the digest", status=answer.status_code, setting="SLACK_WEBHOOK_URL")


def _later(message: str) -> GitHubError:
    return GitHubError(Failure(FailureKind.TRANSIENT, message))
