"""Answers that are cut off, aren't JSON, or are of another shape: GitHub's failure, to be asked for again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

from service.github_client.app import App, InstallationClient
from service.ports import GitHubError
from service.rules.queue import FailureKind
from service.rules.values.actions import CheckRunOutput, Conclusion
from service.rules.values.github import Installation
from tests.unit.github_client.server import GRANTED, REPOSITORY, Server

SHA = "a" * 40
DETAILS = "https://poc.example.com/docs/charter"
LONGEST = 250
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
OUTPUT = CheckRunOutput(Conclusion.SUCCESS, "title", "summary")
BODIES = {
    "cut JSON": b'{"sha": "aaaa", "tre',
    "a cut list": b'[{"id": 1}, {"id":',
    "HTML": b"<html>Unicorn!</html>",
    "nothing": b"",
    "null": b"null",
    "a number": b"17",
    "another object": b'{"unexpected": true}',
    "a list": b'["a", "b"]',
    "a list of null": b"[null]",
    "fields of other types": b'{"sha": 1, "tree": 2, "parents": 3, "content": 4, "type": "file"}',
    "another encoding": b'{"sha": "\xff\xfe"}',
    "too deep": b"[" * 100_000 + b"]" * 100_000,
}
"""What GitHub, or somebody on the way, may answer with 200."""
CALLS: dict[str, Callable[[InstallationClient], object]] = {
    "repository": lambda client: client.repository(1),
    "repositories": lambda client: list(client.repositories()),
    "properties": lambda client: list(client.property_values("acme")),
    "charter": lambda client: client.charter_file(REPOSITORY, "main"),
    "merge base": lambda client: client.merge_base(REPOSITORY, "main", SHA),
    "newer commits": lambda client: client.ahead(REPOSITORY, "main", SHA),
    "permission": lambda client: client.permission(REPOSITORY, "jane-doe"),
    "suspended": lambda client: client.is_suspended("jane-doe"),
    "environments": lambda client: client.environments(REPOSITORY),
    "paths": lambda client: client.existing_paths(REPOSITORY, SHA, ["x"]),
    "blobs": lambda client: client.blob_shas(REPOSITORY, SHA, ["x"]),
    "blob": lambda client: client.blob(REPOSITORY, SHA),
    "commit": lambda client: client.commit(REPOSITORY, SHA),
    "dismissed": lambda client: client.dismissed_by_push(REPOSITORY, 5, 6),
    "pulls": lambda client: list(client.open_pull_requests(REPOSITORY)),
    "head branch": lambda client: client.head_branch(REPOSITORY, 5),
    "last commit": lambda client: client.last_commit_by(REPOSITORY, "jane-doe", SINCE),
    "history": lambda client: list(client.history(REPOSITORY, "main", SINCE)),
    "rules": lambda client: client.requires_check(REPOSITORY, "main", "POC charter"),
    "find check run": lambda client: client.find_check_run(REPOSITORY, SHA, "POC charter", "x"),
    "check run": lambda client: client.create_check_run(
        REPOSITORY, SHA, "POC charter", "x", OUTPUT, details_url=DETAILS
    ),
    "complete": lambda client: client.complete_check_run(REPOSITORY, 1, OUTPUT),
    "find issue": lambda client: client.find_issue(REPOSITORY, "poc-stalled", "m"),
    "issue": lambda client: client.issue(REPOSITORY, 12),
    "open issue": lambda client: client.open_issue(REPOSITORY, "t", "b", "poc-stalled", None),
    "find comment": lambda client: client.find_comment(REPOSITORY, 12, "m"),
    "comment": lambda client: client.post_comment(REPOSITORY, 12, "b"),
    "react": lambda client: client.react(REPOSITORY, 5, 42, "+1"),
    "deployment": lambda client: client.answer_deployment(
        REPOSITORY, 18, "support-prod", approved=True, comment=""
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_answer_that_cannot_be_read_is_githubs_failure(
    server: Server, client: InstallationClient, call: Callable[[InstallationClient], object]
) -> None:
    for name, body in BODIES.items():
        server.always = (200, body, {})
        assert _read_or_failed(partial(call, client)), name


def _read_or_failed(call: Callable[[], object]) -> bool:
    """A call may also make do with what it got; it never fails in another way."""
    try:
        call()
    except GitHubError as error:
        failure = error.failure
    else:
        return True
    said = "GitHub's answer can't be read" in failure.message and len(failure.message) < LONGEST
    return failure.kind is FailureKind.TRANSIENT and said


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_body_that_is_cut_off_is_asked_for_again(
    server: Server, client: InstallationClient, call: Callable[[InstallationClient], object], status: int
) -> None:
    server.always, server.cut = (status, b'{"message": "No', {}), 20
    with pytest.raises(GitHubError) as caught:
        call(client)
    assert caught.value.failure.kind is FailureKind.TRANSIENT
    assert "no answer from GitHub" in caught.value.failure.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, FailureKind.TRANSIENT),
        (403, FailureKind.REFUSED),
        (422, FailureKind.REFUSED),
        (429, FailureKind.RATE_LIMITED),
        (451, FailureKind.REFUSED),
        (500, FailureKind.TRANSIENT),
        (503, FailureKind.TRANSIENT),
    ],
)
def test_an_error_is_told_by_its_status_whatever_is_said_with_it(
    server: Server, client: InstallationClient, status: int, kind: FailureKind
) -> None:
    for name, body in BODIES.items():
        server.always = (status, body, {})
        with pytest.raises(GitHubError, match=f"GitHub says {status}") as caught:
            client.charter_file(REPOSITORY, "main")
        assert caught.value.failure.kind is kind, name


@pytest.mark.parametrize(
    "call",
    [
        lambda app: app.describe(7),
        lambda app: app.installation_ids(),
        lambda app: list(app.failed_deliveries(SINCE)),
        lambda app: app.webhook(),
        lambda app: app.slug(),
        lambda app: app.recent_deliveries(),
        lambda app: app.covers_all(7),
        lambda app: app.team_id(Installation(7, "acme", GRANTED), "owners"),
    ],
    ids=["installation", "installations", "deliveries", "webhook", "slug", "recent", "reach", "team"],
)
def test_nor_is_an_answer_to_the_app_taken_for_anything_else(
    server: Server, app: App, call: Callable[[App], object]
) -> None:
    for name, body in BODIES.items():
        server.always = (200, body, {})
        assert _read_or_failed(partial(call, app)), name
