"""The history of a repository, as the adapter makes it of what GitHub lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.github_client.app import InstallationClient
from service.ports import GitHubError, RenamedError
from service.rules.queue import FailureKind
from service.rules.values.activity import Activity
from tests.unit.github_client.lists import (
    ALICE,
    BOT,
    CHARTERS,
    COMMITS,
    COPILOT,
    DEPLOYMENTS,
    HERE,
    JANE,
    NOT_FOUND,
    PULLS,
    REVIEWS,
    SINCE,
    STATUSES,
    TIMELINE,
    event,
    raw_commit,
    raw_pull,
)
from tests.unit.github_client.server import REPOSITORY, Server, raw_repository


@pytest.fixture
def server(server: Server) -> Server:
    """An empty list of everything, where a test says nothing else."""
    server.on(COMMITS.format(1), 200, [])
    for line in (CHARTERS, PULLS, DEPLOYMENTS):
        server.on(line, 200, [])
    return server


def answer(server: Server, line: str, data: Any, status: int = 200) -> None:
    server.answers[line] = []
    server.on(line, status, data)


def read(client: InstallationClient) -> list[Activity]:
    return list(client.history(REPOSITORY, "main", SINCE))


def told(client: InstallationClient) -> list[str]:
    """What the history tells, in words."""
    return [
        f"{'no more ' if each.taken_back else ''}{each.deed} #{each.number or '-'} "
        f"by {each.actor or 'nobody'} at {each.at:%d %H:%M}{f' of {each.asked}' if each.asked else ''}"
        for each in read(client)
    ]


def test_commits_are_dated_by_when_they_came_to_be_and_merges_are_none(
    server: Server, client: InstallationClient
) -> None:
    answer(server, COMMITS.format(1), [raw_commit("a"), raw_commit("b", parents=2), raw_commit("c", BOT)])
    assert [(each.id, each.actor) for each in read(client)] == [
        ("repository:1:commit:a", "jane-doe"),
        ("repository:1:commit:c", ""),
    ]
    assert read(client)[0].at == datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


def test_a_commit_of_nobody_known_has_no_actor(server: Server, client: InstallationClient) -> None:
    answer(server, COMMITS.format(1), [raw_commit("a", None)])
    assert [each.actor for each in read(client)] == [""]


def test_commits_are_read_three_pages_at_most(server: Server, client: InstallationClient) -> None:
    for page in range(1, 5):
        answer(server, COMMITS.format(page), [raw_commit(f"{page}-{n}") for n in range(100)])
    assert len(read(client)) == 300
    assert COMMITS.format(4) not in server.asked()


def test_changes_of_the_charter_are_told_beside_their_commits(
    server: Server, client: InstallationClient
) -> None:
    answer(server, COMMITS.format(1), [raw_commit("a")])
    answer(server, CHARTERS, [raw_commit("a")])
    assert [each.id for each in read(client)] == ["repository:1:commit:a", "repository:1:charter-changed:a"]


def test_an_empty_repository_has_no_commits(server: Server, client: InstallationClient) -> None:
    answer(server, COMMITS.format(1), {"message": "Git Repository is empty."}, 409)
    assert read(client) == []


def test_the_timeline_of_a_pull_request(server: Server, client: InstallationClient) -> None:
    answer(server, PULLS, [raw_pull(state="closed")])
    events = [
        event("labeled", label={"name": "ai"}),
        event("committed"),
        event("review_requested", requested_reviewer=ALICE),
        event("review_requested", requested_team={"slug": "security"}),
        event("review_requested", requested_reviewer=COPILOT),
        event("review_requested", actor=BOT, requested_reviewer=ALICE),
        event("review_request_removed", "2026-11-03T10:00:00Z", requested_team={"slug": "security"}),
        {
            "event": "reviewed",
            "id": 70,
            "user": ALICE,
            "submitted_at": "2026-11-04T09:00:00Z",
            "state": "commented",
        },
        {"event": "reviewed", "id": 71, "user": ALICE, "state": "pending"},
        event("convert_to_draft", "2026-11-04T10:00:00Z"),
        event("ready_for_review", "2026-11-04T11:00:00Z"),
        event("reopened", "2026-11-04T12:00:00Z"),
        event("merged", "2026-11-05T09:00:00Z", ALICE),
        event("closed", "2026-11-05T09:00:00Z", ALICE),
    ]
    answer(server, TIMELINE.format(7, 1), events)
    assert told(client) == [
        "pull-request #7 by jane-doe at 02 09:00",
        "review-requested #7 by jane-doe at 03 09:00 of alice-k",
        "review-requested #7 by jane-doe at 03 09:00 of acme/security",
        "review-requested #7 by nobody at 03 09:00 of alice-k",
        "no more review-requested #7 by jane-doe at 03 10:00 of acme/security",
        "review #7 by alice-k at 04 09:00",
        "no more pull-request #7 by jane-doe at 04 10:00",
        "pull-request #7 by jane-doe at 04 11:00",
        "pull-request #7 by jane-doe at 04 12:00",
        "merge #7 by alice-k at 05 09:00",
    ]


@pytest.mark.parametrize(
    ("draft", "events", "as_draft"),
    [
        pytest.param(True, [], True, id="it is one, and never was anything else"),
        pytest.param(False, [], False, id="it is none, and never was one"),
        pytest.param(False, ["ready_for_review"], True, id="it became ready"),
        pytest.param(True, ["convert_to_draft"], False, id="it became a draft"),
        pytest.param(True, ["ready_for_review", "convert_to_draft"], True, id="it became a draft again"),
    ],
)
def test_whether_it_was_opened_as_a_draft(
    server: Server, client: InstallationClient, draft: bool, events: list[str], as_draft: bool
) -> None:
    answer(server, PULLS, [raw_pull(draft=draft)])
    answer(server, TIMELINE.format(7, 1), [event(kind) for kind in events])
    assert ("no more pull-request #7 by jane-doe at 02 09:00" in told(client)) is as_draft


def test_where_there_is_no_timeline_reviews_and_present_requests_are_told(
    server: Server, client: InstallationClient
) -> None:
    asked = {"requested_reviewers": [ALICE, COPILOT], "requested_teams": [{"slug": "security"}]}
    answer(server, PULLS, [raw_pull(**asked), raw_pull(8, state="closed", draft=True, **asked)])
    review = {"id": 70, "user": ALICE, "submitted_at": "2026-11-04T09:00:00Z", "state": "APPROVED"}
    answer(server, REVIEWS.format(7), [review])
    assert told(client) == [
        "pull-request #7 by jane-doe at 02 09:00",
        "review #7 by alice-k at 04 09:00",
        "review-requested #7 by jane-doe at 05 09:00 of alice-k",
        "review-requested #7 by jane-doe at 05 09:00 of acme/security",
        "pull-request #8 by jane-doe at 02 09:00",
        "no more pull-request #8 by jane-doe at 02 09:00",
    ]


def test_pull_requests_without_change_since_then_are_not_looked_into(
    server: Server, client: InstallationClient
) -> None:
    answer(server, PULLS, [raw_pull(updated_at="2026-05-01T09:00:00Z")])
    assert read(client) == []
    assert not server.asked(f"{HERE}/issues")


def test_a_deployment_is_dated_by_its_first_success(server: Server, client: InstallationClient) -> None:
    shown = {"sha": "a", "environment": "support-prod", "created_at": "2026-11-06T08:00:00Z"}
    answer(
        server,
        DEPLOYMENTS,
        [
            {"id": 1, "creator": JANE} | shown,
            {"id": 2, "creator": BOT} | shown,
            {"id": 3, "creator": JANE} | shown | {"created_at": "2026-01-01T00:00:00Z"},
        ],
    )
    statuses = [
        {"state": "inactive", "created_at": "2026-11-07T08:30:00Z", "creator": ALICE},
        {"state": "success", "created_at": "2026-11-06T08:30:00Z", "creator": ALICE},
        {"state": "success", "created_at": "2026-11-06T08:20:00Z", "creator": ALICE},
        {"state": "in_progress", "created_at": "2026-11-06T08:10:00Z", "creator": ALICE},
    ]
    answer(server, STATUSES.format(1), statuses)
    answer(
        server,
        STATUSES.format(2),
        [{"state": "failure", "created_at": "2026-11-06T08:10:00Z", "creator": BOT}],
    )
    assert told(client) == ["deployment #- by jane-doe at 06 08:20"]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_not_shown_is_gone_on_without(
    server: Server, client: InstallationClient, status: int
) -> None:
    answer(server, COMMITS.format(1), [raw_commit("a")])
    for line in (CHARTERS, PULLS, DEPLOYMENTS):
        answer(server, line, NOT_FOUND, status)
    assert [each.id for each in read(client)] == ["repository:1:commit:a"]


@pytest.mark.parametrize(
    ("status", "kind"), [(403, FailureKind.REFUSED), (404, FailureKind.GONE), (502, FailureKind.TRANSIENT)]
)
def test_without_commits_there_is_no_history(
    server: Server, client: InstallationClient, status: int, kind: FailureKind
) -> None:
    answer(server, COMMITS.format(1), NOT_FOUND, status)
    with pytest.raises(GitHubError) as caught:
        read(client)
    assert caught.value.failure.kind is kind


@pytest.mark.parametrize("line", [PULLS, DEPLOYMENTS])
def test_a_rate_limit_is_not_taken_for_an_empty_list(
    server: Server, client: InstallationClient, line: str
) -> None:
    answer(server, line, {"message": "API rate limit exceeded"}, 429)
    with pytest.raises(GitHubError) as caught:
        read(client)
    assert caught.value.failure.kind is FailureKind.RATE_LIMITED


def test_a_repository_that_was_renamed_meanwhile_is_read_again(
    server: Server, client: InstallationClient
) -> None:
    server.answers[PULLS] = []
    server.on(PULLS, 301, {"message": "Moved Permanently"}, Location="/repositories/1/pulls")
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-sorting"))
    with pytest.raises(RenamedError):
        read(client)
