"""Slack's answers, and what becomes of a message for each of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx
from structlog.testing import capture_logs

from service.ports import GitHubError
from service.rules.queue import FailureKind
from service.slack import Slack

HOOK = "https://hooks.slack.example.com/services/T/B/secret"


def answered(answer: httpx.Response | Exception) -> GitHubError | None:
    with respx.mock:
        route = respx.post(HOOK)
        route.side_effect = answer if isinstance(answer, Exception) else [answer]
        try:
            Slack(HOOK).announce("hello")
        except GitHubError as error:
            return error
        finally:
            assert route.call_count == 1
    return None


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        pytest.param(httpx.Response(429), FailureKind.RATE_LIMITED, "Slack says 429", id="too many"),
        pytest.param(
            httpx.Response(502), FailureKind.TRANSIENT, "Slack says 502 to SLACK_WEBHOOK_URL", id="broken"
        ),
        pytest.param(
            httpx.ConnectError(f"no way to {HOOK}"),
            FailureKind.TRANSIENT,
            "Slack isn't reachable at SLACK_WEBHOOK_URL (ConnectError)",
            id="never sent",
        ),
        pytest.param(
            httpx.Response(404, text="no_service"),
            FailureKind.REFUSED,
            "Slack says 404, no_service",
            id="gone",
        ),
        pytest.param(
            httpx.Response(403, text="action_prohibited"),
            FailureKind.REFUSED,
            "Slack says 403, action_prohibited",
            id="prohibited",
        ),
        pytest.param(
            httpx.Response(410, text="channel_is_archived"),
            FailureKind.REFUSED,
            "Slack says 410, channel_is_archived",
            id="archived",
        ),
        pytest.param(
            httpx.Response(302, text=f"<a href='{HOOK}'>elsewhere</a>"),
            FailureKind.REFUSED,
            "Slack says 302:",
            id="another page, which may quote the address",
        ),
        pytest.param(
            httpx.UnsupportedProtocol(f"in {HOOK}"),
            FailureKind.REFUSED,
            "the address is none",
            id="no address",
        ),
    ],
)
def test_what_certainly_did_not_arrive(
    answer: httpx.Response | Exception, kind: FailureKind, says: str
) -> None:
    error = answered(answer)
    assert error is not None
    assert error.failure.kind is kind
    assert error.failure.message.startswith(says)
    assert "hooks.slack" not in error.failure.message
    if kind is FailureKind.REFUSED:
        assert "set SLACK_WEBHOOK_URL" in error.failure.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param({"Retry-After": "90"}, 90, id="as Slack asks"),
        pytest.param({}, 60, id="a minute where it does not say"),
        pytest.param({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60, id="a date"),
        pytest.param({"Retry-After": "999999999"}, 86400, id="a day at most"),
    ],
)
def test_a_rate_limit_is_waited_for(header: dict[str, str], seconds: int) -> None:
    before = datetime.now(UTC)
    error = answered(httpx.Response(429, headers=header))
    assert error is not None
    assert error.failure.until is not None
    asked = timedelta(seconds=seconds)
    assert before + asked <= error.failure.until <= datetime.now(UTC) + asked


def test_what_was_taken() -> None:
    assert answered(httpx.Response(200, text="ok")) is None


def test_what_nobody_knows_of_is_not_repeated_and_logged_without_the_address() -> None:
    with capture_logs() as logs:
        assert answered(httpx.ReadTimeout(f"slow {HOOK}")) is None
    assert [each["log_level"] for each in logs] == ["warning"]
    assert "hooks.slack" not in str(logs)
