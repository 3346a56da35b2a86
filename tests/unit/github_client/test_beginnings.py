"""The history in one call: the same as REST's lists tell, and nothing where the answer isn't whole."""

from __future__ import annotations

from typing import Any

import pytest

from service.github_client.app import InstallationClient
from service.rules.values.activity import Activity
from tests.harness import graphql
from tests.unit.github_client.lists import (
    ALICE,
    BOT,
    CHARTERS,
    COMMITS,
    COPILOT,
    DEPLOYMENTS,
    JANE,
    PULLS,
    SINCE,
    STATUSES,
    TIMELINE,
    event,
    raw_commit,
    raw_pull,
)
from tests.unit.github_client.server import REPOSITORY, Server

GRAPHQL = "POST /graphql"
COMMIT_LIST = [raw_commit("a"), raw_commit("b", parents=2), raw_commit("c", BOT), raw_commit("d", None)]
EVENTS = [
    event("review_requested", requested_reviewer=ALICE),
    event("review_requested", requested_team={"slug": "security"}),
    event("review_requested", requested_reviewer=COPILOT),
    event("review_requested", actor=BOT, requested_reviewer=ALICE),
    event("review_request_removed", "2026-11-03T10:00:00Z", requested_team={"slug": "security"}),
    {"event": "reviewed", "id": 70, "user": ALICE, "submitted_at": "2026-11-04T09:00:00Z"},
    {"event": "reviewed", "id": 71, "user": ALICE, "submitted_at": None},
    event("convert_to_draft", "2026-11-04T10:00:00Z"),
    event("ready_for_review", "2026-11-04T11:00:00Z"),
    event("reopened", "2026-11-04T12:00:00Z"),
    event("merged", "2026-11-05T09:00:00Z", ALICE),
]
PULL_LIST = [
    (raw_pull(state="closed", draft=True), EVENTS),
    (raw_pull(8, draft=True), []),
    (raw_pull(9, user=None), [event("ready_for_review")]),
    (raw_pull(10, user=BOT), []),
    (raw_pull(11, updated_at="2026-05-01T09:00:00Z"), EVENTS),
]
DEPLOYED = {"sha": "a", "environment": "support-prod", "created_at": "2026-11-06T08:00:00Z"}
STATUS_LIST = [
    {"state": "inactive", "created_at": "2026-11-07T08:30:00Z", "creator": ALICE},
    {"state": "success", "created_at": "2026-11-06T08:30:00Z", "creator": ALICE},
    {"state": "success", "created_at": "2026-11-06T08:20:00Z", "creator": ALICE},
]
FAILED = [{"state": "failure", "created_at": "2026-11-06T08:10:00Z", "creator": BOT}]
DEPLOYMENT_LIST = [
    ({"id": 1, "creator": JANE} | DEPLOYED, STATUS_LIST),
    ({"id": 2, "creator": BOT} | DEPLOYED, STATUS_LIST),
    ({"id": 3, "creator": JANE} | DEPLOYED, FAILED),
    ({"id": 4, "creator": JANE} | DEPLOYED | {"created_at": "2026-01-01T00:00:00Z"}, STATUS_LIST),
]
EMPTY = graphql.history(1) | {"ref": None}


@pytest.fixture
def server(server: Server) -> Server:
    """REST's lists."""
    server.on(COMMITS.format(1), 200, COMMIT_LIST)
    server.on(CHARTERS, 200, COMMIT_LIST[:1])
    server.on(PULLS, 200, [pull for pull, _ in PULL_LIST])
    for pull, events in PULL_LIST:
        server.on(TIMELINE.format(pull["number"], 1), 200, events)
    server.on(DEPLOYMENTS, 200, [raw for raw, _ in DEPLOYMENT_LIST])
    for raw, statuses in DEPLOYMENT_LIST:
        server.on(STATUSES.format(raw["id"]), 200, statuses)
    return server


def told(client: InstallationClient) -> tuple[Activity, ...] | None:
    found = client.beginnings(REPOSITORY, "main", SINCE)
    return found.activities if found else None


def answer(server: Server, repository: Any, **more: Any) -> None:
    server.answers[GRAPHQL] = []
    server.on(GRAPHQL, 200, {"data": {"repository": repository}} | more)


def test_it_tells_what_the_lists_tell(server: Server, client: InstallationClient) -> None:
    answer(
        server,
        graphql.history(
            1,
            commits=COMMIT_LIST,
            charters=COMMIT_LIST[:1],
            pulls=PULL_LIST,
            deployments=DEPLOYMENT_LIST,
        ),
    )
    assert told(client) == tuple(client.history(REPOSITORY, "main", SINCE))
    [body] = server.bodies(GRAPHQL)
    asked = {"owner": "acme", "name": "poc-triage", "branch": "refs/heads/main", "charter": "POC.md"}
    assert body["variables"] == asked | {"since": "2026-05-24T09:00:00+00:00"}


def test_an_empty_repository_has_no_commits(server: Server, client: InstallationClient) -> None:
    answer(server, EMPTY)
    assert told(client) == ()


def test_later_pages_of_commits_are_read_by_themselves(server: Server, client: InstallationClient) -> None:
    server.on(COMMITS.format(2), 200, [raw_commit("z")])
    answer(server, graphql.history(1, commits=COMMIT_LIST[:1], more=True))
    assert [each.id for each in told(client) or ()] == ["repository:1:commit:a", "repository:1:commit:z"]
    assert server.asked() == [GRAPHQL, COMMITS.format(2)]


@pytest.mark.parametrize(
    ("people", "author", "behind"),
    [
        pytest.param({"user": JANE | {"id": 1}}, "jane-doe", "jane-doe", id="a person"),
        pytest.param(
            {"user": BOT | {"id": 2}, "assignees": [ALICE | {"id": 3}]},
            "renovate[bot]",
            "alice-k",
            id="a bot that somebody asked",
        ),
        pytest.param({"user": None}, "", "", id="nobody any more"),
    ],
)
def test_open_pull_requests_are_as_the_list_shows_them(
    server: Server, client: InstallationClient, people: dict[str, Any], author: str, behind: str
) -> None:
    ends = {"head": {"ref": "work", "sha": "1" * 40}, "base": {"ref": "main", "sha": "b" * 40}}
    raw = raw_pull(**{"assignees": [], "merged_at": None} | ends | people)
    answer(server, graphql.history(1, now_open=[raw]))
    server.on("GET /repos/acme/poc-triage/pulls?per_page=100&state=open", 200, [raw])
    found = client.beginnings(REPOSITORY, "main", SINCE)
    assert found is not None
    assert found.open_pull_requests == tuple(client.open_pull_requests(REPOSITORY))
    assert [(each.author, each.behind) for each in found.open_pull_requests] == [(author, behind)]


def test_more_open_pull_requests_than_one_answer_holds_are_not_told(
    server: Server, client: InstallationClient
) -> None:
    cut = {"pageInfo": {"hasNextPage": True}, "nodes": []}
    answer(server, graphql.history(1) | {"open": cut})
    found = client.beginnings(REPOSITORY, "main", SINCE)
    assert found is not None
    assert found.open_pull_requests is None


@pytest.mark.parametrize(
    ("repository", "errors"),
    [
        pytest.param(None, [{"type": "NOT_FOUND", "path": ["repository"]}], id="it isn't shown"),
        pytest.param(graphql.history(2), [], id="another repository of that name"),
        pytest.param(
            graphql.history(1), [{"type": "FORBIDDEN", "path": ["repository", "deployments"]}], id="a part"
        ),
        pytest.param({"databaseId": 1}, [], id="a shape that isn't known"),
    ],
)
def test_an_answer_that_is_not_whole_is_none(
    server: Server, client: InstallationClient, repository: Any, errors: list[Any]
) -> None:
    answer(server, repository, errors=errors)
    assert client.beginnings(REPOSITORY, "main", SINCE) is None


@pytest.mark.parametrize("status", [401, 403, 404, 502])
def test_a_refusal_is_none(server: Server, client: InstallationClient, status: int) -> None:
    server.on(GRAPHQL, status, {"message": "no"})
    assert client.beginnings(REPOSITORY, "main", SINCE) is None
