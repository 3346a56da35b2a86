"""The adapter against a server on this machine: what it sends, and what it makes of each answer."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.github_client import app as app_module
from service.github_client.app import App, InstallationClient
from service.ports import GitHubError, RenamedError
from service.rules.queue import Calls, FailureKind
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.actions import Annotation, CheckRunOutput, Conclusion
from service.rules.values.github import Installation, IssueState
from tests.unit.github_client.server import GRANTED, REPOSITORY, TOKEN, Server, raw_repository

READ = "GET /repos/acme/poc-triage/contents/POC.md?ref=main"
HOUR = timedelta(hours=1)
DETAILS = "https://poc.example.com/docs/charter"


def failing(client: InstallationClient) -> GitHubError:
    with pytest.raises(GitHubError) as caught:
        client.charter_file(REPOSITORY, "main")
    return caught.value


def header(value: str) -> str:
    """A header's value; `in 900` is a moment so many seconds from now."""
    seconds = value.removeprefix("in ")
    return value if seconds == value else str(int(datetime.now(UTC).timestamp()) + int(seconds))


def limits(remaining: int, resource: str) -> dict[str, str]:
    """The headers in which GitHub says what is left."""
    return {
        "x_ratelimit_limit": "12500",
        "x_ratelimit_remaining": str(remaining),
        "x_ratelimit_reset": "1795431600",
        "x_ratelimit_resource": resource,
    }


def test_what_is_left_of_the_calls_is_what_the_newest_answer_said(
    server: Server, client: InstallationClient
) -> None:
    assert client.calls_left() is None
    server.on("GET /repositories/1", 200, raw_repository("acme/x"), **limits(12499, "core"))
    server.on("GET /repositories/1", 200, raw_repository("acme/x"), **limits(12498, "core"))
    server.on("GET /repositories/1", 200, raw_repository("acme/x"), **limits(4999, "graphql"))
    for _ in range(3):
        client.repository(1)
    # The points of GraphQL are others.
    assert client.calls_left() == Calls(12500, 12498, datetime(2026, 11, 23, 11, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "message", "headers", "kind", "waits"),
    [
        pytest.param(
            403,
            "Resource not accessible by integration",
            {},
            FailureKind.REFUSED,
            None,
            id="403 is a refusal",
        ),
        pytest.param(
            403,
            "API rate limit exceeded",
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "in 900"},
            FailureKind.RATE_LIMITED,
            900,
            id="403 by the primary rate limit waits for the reset",
        ),
        pytest.param(
            403,
            "You have exceeded a secondary rate limit",
            {"Retry-After": "42"},
            FailureKind.RATE_LIMITED,
            42,
            id="403 by the secondary rate limit waits as asked",
        ),
        pytest.param(
            403,
            "You have exceeded a secondary rate limit",
            {},
            FailureKind.RATE_LIMITED,
            60,
            id="403 by the secondary rate limit without a time waits a minute",
        ),
        pytest.param(
            403,
            "You have exceeded a secondary rate limit",
            {"Retry-After": "30", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "in 900"},
            FailureKind.RATE_LIMITED,
            30,
            id="Retry-After wins over the reset",
        ),
        pytest.param(
            403,
            "Repository was archived so is read-only.",
            {"X-RateLimit-Remaining": "0"},
            FailureKind.REFUSED,
            None,
            id="403 with the last call of the hour is still a refusal",
        ),
        pytest.param(
            429, "Slow down", {"Retry-After": "7"}, FailureKind.RATE_LIMITED, 7, id="429 waits as asked"
        ),
        pytest.param(
            429, "Slow down", {}, FailureKind.RATE_LIMITED, 60, id="429 without a time waits a minute"
        ),
        pytest.param(410, "Issues are disabled", {}, FailureKind.GONE, None, id="410 is gone"),
        pytest.param(451, "Repository access blocked", {}, FailureKind.REFUSED, None, id="451 is a refusal"),
        pytest.param(
            404, "No commit found for the ref main", {}, FailureKind.UNSEEN, None, id="404 of a commit"
        ),
        pytest.param(
            422, f"No commit found for SHA: {'a' * 40}", {}, FailureKind.UNSEEN, None, id="422 of a commit"
        ),
        pytest.param(422, "Validation Failed", {}, FailureKind.REFUSED, None, id="422 is a refusal"),
        pytest.param(
            401, "Bad credentials", {}, FailureKind.TRANSIENT, None, id="401 is tried with a new token"
        ),
        pytest.param(
            409, "Git Repository is empty.", {}, FailureKind.TRANSIENT, None, id="409 is tried again"
        ),
        pytest.param(500, "Server Error", {}, FailureKind.TRANSIENT, None, id="500 is tried again"),
        pytest.param(502, "Bad Gateway", {}, FailureKind.TRANSIENT, None, id="502 is tried again"),
        pytest.param(202, "Computing", {}, FailureKind.TRANSIENT, None, id="202 to a read is tried again"),
    ],
)
def test_an_answer_is_classified_and_asked_for_once(  # noqa: PLR0917 - pytest passes them by name
    server: Server,
    client: InstallationClient,
    status: int,
    message: str,
    headers: dict[str, str],
    kind: FailureKind,
    waits: int | None,
) -> None:
    server.on(
        READ,
        status,
        {"message": message},
        **{name.replace("-", "_"): header(at) for name, at in headers.items()},
    )
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-triage"))
    before = datetime.now(UTC)
    failure = failing(client).failure
    assert failure.kind is kind
    assert server.asked("GET /repos/") == [READ]
    if waits is None:
        assert failure.until is None
    else:
        assert failure.until is not None
        assert abs(failure.until - before - timedelta(seconds=waits)) < timedelta(seconds=5)
    assert "ghs_token" not in failure.message


def test_silence_is_transient_and_asked_for_once(
    server: Server, private_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "TIMEOUT", 1)
    impatient = App(4711, private_key, server.url).installation(Installation(7, "acme", GRANTED))
    server.on(READ, 0)
    assert failing(impatient).failure.kind is FailureKind.TRANSIENT
    assert server.asked() == [READ]
    impatient.close()


def test_a_refused_connection_is_transient(private_key: str) -> None:
    server = Server()
    server.stop()
    with pytest.raises(GitHubError) as caught:
        App(4711, private_key, server.url).describe(7)
    assert caught.value.failure.kind is FailureKind.TRANSIENT
    assert "no answer from GitHub" in caught.value.failure.message


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirected_read_says_what_the_repository_is_called_now(
    server: Server, client: InstallationClient, status: int
) -> None:
    server.on(READ, status, {"message": "Moved"}, Location=f"{server.url}/repositories/1/contents/POC.md")
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-routing"))
    with pytest.raises(RenamedError) as caught:
        client.charter_file(REPOSITORY, "main")
    assert caught.value.repository.full_name == "acme/poc-routing"
    assert server.asked() == [READ, "GET /repositories/1"]


@pytest.mark.parametrize("status", [307, 404])
def test_a_write_under_a_former_name_is_not_repeated_but_said_to_be_one(
    server: Server, client: InstallationClient, status: int
) -> None:
    old = "POST /repos/acme/poc-triage/check-runs"
    server.on(old, status, {"message": "Not Found"}, Location=f"{server.url}/repositories/1/check-runs")
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-routing"))
    with pytest.raises(RenamedError, match="called acme/poc-routing now"):
        client.create_check_run(REPOSITORY, "a" * 40, "POC charter", "x", output(), details_url=DETAILS)
    assert server.asked() == [old, "GET /repositories/1"]


def test_a_redirect_that_leads_back_is_not_followed_for_ever(
    server: Server, client: InstallationClient
) -> None:
    server.on(READ, 301, {}, Location=f"{server.url}/elsewhere")
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-triage"))
    assert failing(client).gone
    assert server.asked() == [READ, "GET /repositories/1"]


def test_a_write_to_what_is_gone_looks_the_name_up_once(server: Server, client: InstallationClient) -> None:
    with pytest.raises(GitHubError) as caught:
        client.create_check_run(REPOSITORY, "a" * 40, "POC charter", "x", output(), details_url=DETAILS)
    assert caught.value.gone
    assert server.asked() == ["POST /repos/acme/poc-triage/check-runs", "GET /repositories/1"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            {"type": "file", "encoding": "base64", "content": "cG9jOiAx\nCg==\n", "size": 7, "sha": "s"},
            CharterFile(FileKind.FILE, b"poc: 1\n", "s", 7),
            id="a file",
        ),
        pytest.param(
            {"type": "file", "encoding": "none", "content": "", "size": 2_000_000, "sha": "s"},
            CharterFile(FileKind.TOO_LARGE, None, "s", 2_000_000),
            id="a file of two megabytes",
        ),
        pytest.param(
            {"type": "file", "encoding": "base64", "content": "", "size": 0, "sha": "s"},
            CharterFile(FileKind.FILE, b"", "s", 0),
            id="an empty file",
        ),
        pytest.param([{"type": "file", "name": "x"}], CharterFile(FileKind.DIRECTORY), id="a directory"),
        pytest.param(
            {"type": "symlink", "size": 3, "sha": "s", "target": "no"},
            CharterFile(FileKind.SYMLINK, None, "s", 3),
            id="a dangling link",
        ),
        pytest.param(
            {"type": "submodule", "size": 0, "sha": "s"},
            CharterFile(FileKind.SUBMODULE, None, "s", 0),
            id="a submodule",
        ),
    ],
)
def test_what_stands_at_the_charters_path(
    server: Server, client: InstallationClient, answer: Any, expected: CharterFile
) -> None:
    server.on(READ, 200, answer)
    assert client.charter_file(REPOSITORY, "main") == expected


def test_a_commit_that_github_does_not_see_yet_is_no_missing_charter(
    server: Server, client: InstallationClient
) -> None:
    server.on(READ, 404, {"message": "No commit found for the ref main"})
    assert failing(client).failure.kind is FailureKind.UNSEEN


def test_failed_deliveries_are_listed_as_far_back_as_asked_and_one_is_asked_for_again(
    server: Server, private_key: str
) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    moments = {9: now, 8: now - timedelta(hours=2), 7: now - timedelta(days=2)}
    rows = [
        {"id": key, "guid": f"g{key}", "delivered_at": at.isoformat(), "status_code": 503, "status": "x"}
        for key, at in moments.items()
    ]
    server.on("GET /app/hook/deliveries?per_page=100&status=failure", 200, rows)
    server.on("POST /app/hook/deliveries/9/attempts", 202, {})
    app = App(4711, private_key, server.url)
    found = list(app.failed_deliveries(now - timedelta(days=1)))
    assert [(one.id, one.guid, one.delivered_at, one.status_code) for one in found] == [
        (9, "g9", moments[9], 503),
        (8, "g8", moments[8], 503),
    ]
    app.redeliver(9)


RULES = "GET /repos/acme/poc-triage/rules/branches/{}?page=1&per_page=100"
CHECKS = {"required_status_checks": [{"context": "build"}, {"context": "POC charter", "integration_id": 1}]}


@pytest.mark.parametrize(
    ("rules", "required"),
    [
        pytest.param([], False, id="none"),
        pytest.param([{"type": "deletion"}], False, id="another rule"),
        pytest.param(
            [
                {"type": "pull_request", "parameters": {}},
                {"type": "required_status_checks", "parameters": CHECKS},
            ],
            True,
            id="among others",
        ),
        pytest.param(
            [{"type": "required_status_checks", "parameters": {"required_status_checks": []}}],
            False,
            id="no check run",
        ),
    ],
)
def test_a_branch_requires_a_check_run(
    server: Server, client: InstallationClient, rules: list[Any], required: bool
) -> None:
    server.on(RULES.format("release%2F1"), 200, rules)
    assert client.requires_check(REPOSITORY, "release/1", "POC charter") is required


@pytest.mark.parametrize("status", [403, 404])
def test_a_branch_whose_rules_are_not_shown_requires_none(
    server: Server, client: InstallationClient, status: int
) -> None:
    server.on(RULES.format("main"), status, {"message": "no"})
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-triage"))
    assert not client.requires_check(REPOSITORY, "main", "POC charter")


def test_nothing_at_the_path_is_an_answer_and_costs_one_call(
    server: Server, client: InstallationClient
) -> None:
    assert client.charter_file(REPOSITORY, "main") == CharterFile(FileKind.ABSENT)
    assert server.asked() == [READ]


@pytest.mark.parametrize(("number", "sent"), [(0, 0), (1, 1), (50, 50), (51, 50), (130, 50)])
def test_the_first_fifty_annotations_go_with_the_run(
    server: Server, client: InstallationClient, number: int, sent: int
) -> None:
    notes = tuple(Annotation("POC.md", n + 1, n + 1, "failure", "m", "c", 3) for n in range(number))
    create = "POST /repos/acme/poc-triage/check-runs"
    server.on(create, 201, {"id": 900, "url": f"{server.url}/repos/acme/poc-triage/check-runs/900"})
    client.create_check_run(REPOSITORY, "a" * 40, "POC charter", "ours", output(notes), details_url=DETAILS)
    [first] = server.bodies(create)
    assert [note["start_line"] for note in first["output"]["annotations"]] == list(range(1, sent + 1))
    assert (first["status"], first["conclusion"], first["external_id"]) == ("completed", "failure", "ours")
    assert first["completed_at"].endswith("Z")
    assert first["details_url"] == DETAILS


def test_completing_again_sends_no_annotation(server: Server, client: InstallationClient) -> None:
    update = "PATCH /repos/acme/poc-triage/check-runs/900"
    server.on(update, 200, {"id": 900})
    client.complete_check_run(REPOSITORY, 900, output((Annotation("POC.md", 1, 1, "failure", "m", "c"),)))
    [body] = server.bodies(update)
    assert (body["output"]["annotations"], body["conclusion"]) == ([], "failure")
    assert server.asked() == [update]


def test_a_token_is_minted_once_with_only_what_was_granted(server: Server, app: App) -> None:
    for _ in range(3):
        app.installation(Installation(7, "acme", GRANTED)).close()
    [asked] = server.bodies(TOKEN)
    used = {"metadata": "read", "contents": "read", "members": "read", "checks": "write"}
    assert asked == {"permissions": used}


def test_a_token_from_before_a_permission_was_granted_is_not_used(server: Server, app: App) -> None:
    app.installation(Installation(7, "acme", {"metadata": "read"}))
    app.installation(Installation(7, "acme", {"metadata": "read", "checks": "write"}))
    asked = [body["permissions"] for body in server.bodies(TOKEN)]
    assert asked == [{"metadata": "read"}, {"metadata": "read", "checks": "write"}]


def test_a_token_that_is_about_to_end_is_not_used(server: Server, app: App) -> None:
    server.answers[TOKEN].clear()
    server.on(TOKEN, 201, {"token": "ghs_old", "expires_at": (datetime.now(UTC) + HOUR / 20).isoformat()})
    for _ in range(2):
        app.installation(Installation(7, "acme", GRANTED)).close()
    assert len(server.bodies(TOKEN)) == 2


def test_a_refused_token_is_forgotten(server: Server, app: App) -> None:
    server.on(READ, 401, {"message": "Bad credentials"})
    server.on(READ, 200, contents(b"poc: 1\n"))
    first = app.installation(Installation(7, "acme", GRANTED))
    assert failing(first).failure.kind is FailureKind.TRANSIENT
    second = app.installation(Installation(7, "acme", GRANTED))
    assert second.charter_file(REPOSITORY, "main").data == b"poc: 1\n"
    assert len(server.bodies(TOKEN)) == 2
    first.close()
    second.close()


def test_every_request_names_the_version_of_the_api(server: Server, client: InstallationClient) -> None:
    client.charter_file(REPOSITORY, "main")
    assert {headers["X-GitHub-Api-Version"] for _, _, headers in server.requests} == {"2022-11-28"}


def test_an_app_whose_key_is_refused_is_told_apart(server: Server, app: App) -> None:
    server.on("GET /app", 401, {"message": "A JSON web token could not be decoded"})
    with pytest.raises(GitHubError) as caught:
        app.slug()
    assert "GitHub says 401" in caught.value.failure.message


def test_the_repositories_come_a_hundred_a_call(server: Server, client: InstallationClient) -> None:
    for page, size in ((1, 100), (2, 100), (3, 50)):
        found = [raw_repository(f"acme/r{page}-{n}") for n in range(size)]
        line = f"GET /installation/repositories?page={page}&per_page=100"
        server.on(line, 200, {"total_count": 250, "repositories": found})
    assert len(list(client.repositories())) == 250
    assert len(server.asked()) == 3


def test_an_assignee_whom_github_does_not_accept_is_left_out(
    server: Server, client: InstallationClient
) -> None:
    line = "POST /repos/acme/poc-triage/issues"
    server.on(line, 422, {"message": "Validation Failed"})
    server.on(line, 201, raw_issue("<!-- x -->"))
    opened = client.open_issue(REPOSITORY, "t", "<!-- x -->", "poc-stalled", "nobody")
    assert (opened.number, opened.state) == (12, IssueState.OPEN)
    assert [body.get("assignees") for body in server.bodies(line)] == [["nobody"], None]


def test_our_issue_is_found_by_its_marker_among_others(server: Server, client: InstallationClient) -> None:
    line = "GET /repos/acme/poc-triage/issues?labels=poc-stalled&per_page=100&state=all"
    pull = raw_issue("<!-- m -->", 3) | {"pull_request": {"url": "x"}}
    ours = raw_issue("<!-- m -->\n", 6) | {"url": f"{server.url}/repos/acme/poc-triage/issues/6"}
    server.on("GET /repos/acme/poc-triage/issues/6", 200, ours)
    server.on(line, 200, [pull, raw_issue(None, 4), raw_issue("see <!-- m -->", 5), ours])
    found = client.find_issue(REPOSITORY, "poc-stalled", "<!-- m -->")
    assert found is not None
    assert found.number == 6
    assert server.asked() == [line, "GET /repos/acme/poc-triage/issues/6"]


@pytest.mark.parametrize("status", [404, 410, 301])
def test_an_issue_that_is_not_there_any_more_is_gone(
    server: Server, client: InstallationClient, status: int
) -> None:
    server.on("GET /repos/acme/poc-triage/issues/12", status, {"message": "gone"}, Location=f"{server.url}/x")
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-triage"))
    with pytest.raises(GitHubError) as caught:
        client.issue(REPOSITORY, 12)
    assert caught.value.gone


def test_an_issue_that_was_transferred_is_followed(server: Server, client: InstallationClient) -> None:
    there = raw_issue("<!-- m -->", 3) | {"html_url": "https://github.com/acme/other/issues/3"}
    server.on(
        "GET /repos/acme/poc-triage/issues/12", 301, {}, Location=f"{server.url}/repositories/9/issues/3"
    )
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-triage"))
    server.on("GET /repositories/9/issues/3", 200, there)
    issue = client.issue(REPOSITORY, 12)
    assert (issue.full_name, issue.number, issue.assignees) == ("acme/other", 3, ("jane-doe",))


def test_an_issue_gets_another_assignee_beside_those_of_people(
    server: Server, client: InstallationClient
) -> None:
    place = "/repos/acme/poc-triage/issues/12"
    server.on(f"GET {place}", 200, raw_issue("x") | {"url": f"{server.url}{place}"})
    server.on(f"DELETE {place}/assignees", 200, raw_issue("x"))
    server.on(f"POST {place}/assignees", 422, {"message": "Validation Failed"})
    client.edit_issue(REPOSITORY, 12, assign="dan-w", unassign="jane-doe")
    assert server.bodies(f"POST {place}/assignees") == [{"assignees": ["dan-w"]}]
    assert server.bodies(f"DELETE {place}/assignees") == [{"assignees": ["jane-doe"]}]


PERMISSION = "GET /repos/acme/poc-triage/collaborators/jane-doe/permission"
ENVIRONMENTS = "GET /repos/acme/poc-triage/environments?page={}&per_page=100"
TREE = "GET /repos/acme/poc-triage/git/trees/" + "a" * 40 + "?recursive=1"


@pytest.mark.parametrize("word", ["admin", "write", "read", "none"])
def test_a_permission_is_githubs_word(server: Server, client: InstallationClient, word: str) -> None:
    server.on(PERMISSION, 200, {"permission": word, "role_name": "triage"})
    assert client.permission(REPOSITORY, "jane-doe") == word
    assert server.asked() == [PERMISSION]


def test_somebody_whom_github_does_not_know_has_no_permission(
    server: Server, client: InstallationClient
) -> None:
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-triage"))
    assert client.permission(REPOSITORY, "jane-doe") is None
    assert server.asked() == [PERMISSION, "GET /repositories/1"]


def test_a_404_under_a_former_name_says_nothing_about_a_person(
    server: Server, client: InstallationClient
) -> None:
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-routing"))
    with pytest.raises(RenamedError):
        client.permission(REPOSITORY, "jane-doe")


@pytest.mark.parametrize(
    ("status", "account", "suspended"),
    [
        pytest.param(200, {"login": "jane-doe", "type": "User"}, False, id="github.com's account"),
        pytest.param(200, {"login": "jane-doe", "suspended_at": None}, False, id="the server's account"),
        pytest.param(200, {"login": "jane-doe", "suspended_at": "2026-11-02T09:00:00Z"}, True, id="so said"),
        pytest.param(404, {"message": "Not Found"}, True, id="gone"),
    ],
)
def test_an_account_is_suspended(
    server: Server, client: InstallationClient, status: int, account: dict[str, object], suspended: bool
) -> None:
    server.on("GET /users/jane-doe", status, account)
    assert client.is_suspended("jane-doe") is suspended


@pytest.mark.parametrize(
    ("status", "membership", "member", "owner"),
    [
        pytest.param(200, {"state": "active", "role": "member"}, True, False, id="a member"),
        pytest.param(200, {"state": "active", "role": "admin"}, True, True, id="an owner"),
        pytest.param(200, {"state": "pending", "role": "admin"}, False, False, id="invited only"),
        pytest.param(404, {"message": "Not Found"}, False, False, id="none"),
    ],
)
def test_who_belongs_to_an_organisation(
    server: Server,
    client: InstallationClient,
    status: int,
    membership: dict[str, object],
    *,
    member: bool,
    owner: bool,
) -> None:
    server.on("GET /orgs/acme/teams/leaders/memberships/jane-doe", status, membership)
    server.on("GET /orgs/acme/memberships/jane-doe", status, membership)
    assert client.is_team_member("acme", "leaders", "jane-doe") is member
    assert client.is_owner("acme", "jane-doe") is owner


def test_membership_that_is_not_shown_is_an_error(server: Server, client: InstallationClient) -> None:
    server.on("GET /orgs/acme/memberships/jane-doe", 403, {"message": "Resource not accessible"})
    with pytest.raises(GitHubError):
        client.is_owner("acme", "jane-doe")


def test_an_account_that_is_not_shown_now_is_not_taken_for_suspended(
    server: Server, client: InstallationClient
) -> None:
    server.on("GET /users/jane-doe", 502, {"message": "Bad Gateway"})
    with pytest.raises(GitHubError):
        client.is_suspended("jane-doe")


def test_environments_come_a_hundred_a_call(server: Server, client: InstallationClient) -> None:
    for page, size in ((1, 100), (2, 3)):
        listed = [{"name": f"e{page}-{n}"} for n in range(size)]
        server.on(ENVIRONMENTS.format(page), 200, {"total_count": 103, "environments": listed})
    names = client.environments(REPOSITORY)
    assert names is not None
    assert len(names) == 103
    assert len(server.asked()) == 2


def test_no_environment_is_an_answer(server: Server, client: InstallationClient) -> None:
    server.on(ENVIRONMENTS.format(1), 200, {"total_count": 0, "environments": []})
    assert client.environments(REPOSITORY) == frozenset()


def test_more_environments_than_anybody_lists_are_not_known(
    server: Server, client: InstallationClient
) -> None:
    for page in range(1, 12):
        data = {"total_count": 5000, "environments": [{"name": f"e{page}"}]}
        server.on(ENVIRONMENTS.format(page), 200, data)
    assert client.environments(REPOSITORY) is None
    assert len(server.asked()) == 10


@pytest.mark.parametrize("status", [403, 404])
def test_environments_that_are_not_shown_are_not_known(
    server: Server, client: InstallationClient, status: int
) -> None:
    server.on(ENVIRONMENTS.format(1), status, {"message": "Resource not accessible by integration"})
    assert client.environments(REPOSITORY) is None
    assert len(server.asked()) == 1


def test_a_rate_limit_is_no_answer_about_environments(server: Server, client: InstallationClient) -> None:
    server.on(ENVIRONMENTS.format(1), 403, {"message": "API rate limit exceeded"}, Retry_After="9")
    with pytest.raises(GitHubError) as caught:
        client.environments(REPOSITORY)
    assert caught.value.failure.kind is FailureKind.RATE_LIMITED


TREE_ENTRIES = [
    {"path": "eval", "type": "tree", "mode": "040000"},
    {"path": "eval/run.yml", "type": "blob", "mode": "100644"},
    {"path": "vendored", "type": "commit", "mode": "160000"},
    {"path": "linked", "type": "blob", "mode": "120000"},
]


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("eval/run.yml", True),
        ("./eval//run.yml", True),
        ("eval/", True),
        ("./", True),
        ("eval/Run.yml", False),
        ("eval/run.yml/x", False),
        ("run.yml", False),
        ("vendored/x/y.yml", True),
        ("linked/x", True),
    ],
)
def test_a_path_is_looked_up_in_the_tree(
    server: Server, client: InstallationClient, path: str, there: bool
) -> None:
    server.on(TREE, 200, {"tree": TREE_ENTRIES, "truncated": False})
    assert client.existing_paths(REPOSITORY, "a" * 40, [path]) == (
        frozenset({path}) if there else frozenset()
    )
    assert server.asked() == [TREE]


def test_in_a_tree_too_large_for_an_answer_each_path_is_looked_up(
    server: Server, client: InstallationClient
) -> None:
    server.on(TREE, 200, {"tree": TREE_ENTRIES, "truncated": True})
    place = "GET /repos/acme/poc-triage/contents/late{}?ref=" + "a" * 40
    server.on(place.format("%20folder"), 200, [{"type": "file"}])
    paths = ["eval/run.yml", "late folder/", "late.yml"]
    assert client.existing_paths(REPOSITORY, "a" * 40, paths) == {"eval/run.yml", "late folder/"}
    assert server.asked() == [TREE, place.format("%20folder"), place.format(".yml")]


def test_a_branch_with_a_slash_has_a_tree(server: Server, client: InstallationClient) -> None:
    server.on("GET /repos/acme/poc-triage/git/trees/feature%2Fx?recursive=1", 200, {"tree": TREE_ENTRIES})
    assert client.existing_paths(REPOSITORY, "feature/x", ["eval"]) == {"eval"}


def test_a_commit_without_a_tree_is_no_answer_about_paths(server: Server, client: InstallationClient) -> None:
    server.on("GET /repositories/1", 200, raw_repository("acme/poc-triage"))
    with pytest.raises(GitHubError) as caught:
        client.existing_paths(REPOSITORY, "a" * 40, ["x"])
    assert caught.value.failure.kind is FailureKind.UNSEEN


def output(notes: tuple[Annotation, ...] = ()) -> CheckRunOutput:
    return CheckRunOutput(Conclusion.FAILURE, "title", "summary", notes)


def contents(data: bytes) -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    return {"type": "file", "encoding": "base64", "content": encoded, "size": len(data), "sha": "s"}


def raw_issue(body: str | None, number: int = 12) -> dict[str, Any]:
    return {
        "number": number,
        "state": "open",
        "labels": [{"name": "poc-stalled"}],
        "body": body,
        "created_at": "2026-11-20T10:15:30Z",
        "html_url": "https://github.com/acme/poc-triage/issues/12",
        "title": "t",
        "assignees": [{"login": "jane-doe", "type": "User", "id": 5}],
        "user": {"login": "poc-governor[bot]", "type": "Bot"},
    }
