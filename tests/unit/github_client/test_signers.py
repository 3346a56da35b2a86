"""Who belongs to an organisation, which account a login is, and asking for a review."""

from __future__ import annotations

import pytest

from service.github_client.app import App, InstallationClient
from service.ports import GitHubError, Reviewers
from service.rules.queue import FailureKind
from service.rules.values.github import Installation
from tests.unit.github_client.server import REPOSITORY, TOKEN, Server

COLLABORATOR = "GET /repos/acme/poc-triage/collaborators/dan-w"
MEMBER = "GET /orgs/acme/members/dan-w"
ASK = "POST /repos/acme/poc-triage/pulls/5/requested_reviewers"
GRANTED = {"metadata": "read", "contents": "read", "pull_requests": "write"}
NOT_FOUND = {"message": "Not Found"}


@pytest.mark.parametrize(
    ("collaborator", "member", "belongs"),
    [
        pytest.param(204, 404, True, id="a collaborator"),
        pytest.param(404, 204, True, id="a member"),
        pytest.param(404, 404, False, id="a stranger"),
        pytest.param(404, 403, False, id="members are not shown to us"),
    ],
)
def test_who_belongs(
    server: Server, client: InstallationClient, collaborator: int, member: int, belongs: bool
) -> None:
    for place, status in ((COLLABORATOR, collaborator), (MEMBER, member)):
        server.on(place, status, *(() if status == 204 else (NOT_FOUND,)))
    assert client.belongs(REPOSITORY, "dan-w") is belongs
    assert server.asked() == [COLLABORATOR, *([] if collaborator == 204 else [MEMBER])]


def test_an_outage_is_no_answer(server: Server, client: InstallationClient) -> None:
    server.on(COLLABORATOR, 502, {"message": "Bad Gateway"})
    with pytest.raises(GitHubError):
        client.belongs(REPOSITORY, "dan-w")


def test_the_accounts_of_logins(server: Server, client: InstallationClient) -> None:
    server.on("GET /users/dan-w", 200, {"login": "dan-w", "id": 7})
    server.on("GET /users/nobody", 404, NOT_FOUND)
    assert client.account_ids(["dan-w", "nobody"]) == {"dan-w": 7}


def test_a_review_is_asked_for_with_a_token_of_its_own(server: Server, app: App) -> None:
    asking: Reviewers | None = app.reviewers(Installation(7, "acme", GRANTED))
    assert asking is not None
    server.on(ASK, 201, {"number": 5})
    asking.ask(REPOSITORY, 5, "dan-w")
    asking.close()
    assert server.bodies(ASK) == [{"reviewers": ["dan-w"]}]
    assert server.bodies(TOKEN) == [{"permissions": {"metadata": "read", "pull_requests": "write"}}]


def test_who_may_not_review_is_refused(server: Server, app: App) -> None:
    asking = app.reviewers(Installation(7, "acme", GRANTED))
    assert asking is not None
    server.on(ASK, 422, {"message": "Reviews may only be requested from collaborators."})
    with pytest.raises(GitHubError) as caught:
        asking.ask(REPOSITORY, 5, "dan-w")
    assert caught.value.failure.kind is FailureKind.REFUSED
    asking.close()


def test_without_the_grant_no_token_is_asked_for(server: Server, app: App) -> None:
    assert app.reviewers(Installation(7, "acme", GRANTED | {"pull_requests": "read"})) is None
    assert server.bodies(TOKEN) == []
