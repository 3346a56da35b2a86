"""Pull requests of our own: what the adapter sends, what it makes of each answer, and with which token."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from service.github_client.app import App
from service.github_client.pull_requests import ProposalsClient
from service.ports import GitHubError, Proposals, RenamedError
from service.rules.queue import FailureKind
from service.rules.values.actions import Proposal, ProposalState, Proposed
from service.rules.values.github import Installation
from tests.harness.github import named
from tests.unit.github_client.server import GRANTED, REPOSITORY, TOKEN, Server, raw_repository

REPO = "/repos/acme/poc-triage"
BRANCH, BASE, HEAD = "poc-governor/extend-77", "b" * 40, "c" * 40
BEFORE, AFTER = b"poc: 1\nship_by: 2027-02-26\n", b"poc: 1\nship_by: 2027-03-15\n"
PROPOSAL = Proposal(BRANCH, "main", named(BEFORE), AFTER, "Ship on 15 March 2027", "Merge this.")
LIST = f"GET {REPO}/pulls?head=acme%3Apoc-governor%2Fextend-77&per_page=100&state=all"
MAIN = f"GET {REPO}/git/ref/heads/main"
OURS = f"GET {REPO}/git/ref/heads/{BRANCH}"
READ = f"GET {REPO}/contents/POC.md?ref={{}}"
BRANCH_OFF, PUT, OPEN = f"POST {REPO}/git/refs", f"PUT {REPO}/contents/POC.md", f"POST {REPO}/pulls"
BY_ID = "GET /repositories/1"
ALL = GRANTED | {"contents": "write", "pull_requests": "write"}
THERE = {
    "message": "Validation Failed",
    "errors": [{"message": f"A pull request already exists for acme:{BRANCH}."}],
}


@pytest.fixture
def proposals(server: Server, app: App) -> Iterator[ProposalsClient]:
    """Where nothing was opened yet, and everything may be."""
    server.on(MAIN, 200, reference(BASE))
    server.on(READ.format(BASE), 200, contents(BEFORE))
    server.on(BRANCH_OFF, 201, reference(BASE))
    server.on(PUT, 200, {})
    server.on(OPEN, 201, pull())
    server.on(BY_ID, 200, raw_repository("acme/poc-triage"))
    made = app.proposals(Installation(7, "acme", ALL))
    assert made is not None
    yield made
    made.close()


def reference(sha: str) -> dict[str, Any]:
    return {"ref": "refs/heads/x", "object": {"sha": sha, "type": "commit"}}


def contents(data: bytes) -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    return {"type": "file", "encoding": "base64", "size": len(data), "sha": named(data), "content": encoded}


def pull(**more: Any) -> dict[str, Any]:
    head = {"ref": BRANCH, "sha": HEAD, "repo": {"id": 1}}
    author = {"login": "poc-governor[bot]", "type": "Bot"}
    return {"number": 12, "state": "open", "merged_at": None, "head": head, "user": author} | more


def instead(server: Server, line: str, status: int, data: Any = None) -> None:
    """Let a request be answered so, and not as before."""
    server.answers.pop(line, None)
    server.on(line, status, data)


def failing(proposals: ProposalsClient) -> GitHubError:
    with pytest.raises(GitHubError) as caught:
        proposals.open(REPOSITORY, PROPOSAL)
    return caught.value


def test_the_client_is_what_the_core_asks_for(proposals: ProposalsClient) -> None:
    port: Proposals = proposals
    assert port is proposals


def test_branch_commit_and_pull_request(server: Server, proposals: ProposalsClient) -> None:
    assert proposals.open(REPOSITORY, PROPOSAL) == Proposed(12, ProposalState.OPEN)
    assert server.asked() == [MAIN, READ.format(BASE), BRANCH_OFF, PUT, OPEN]
    assert server.bodies(BRANCH_OFF) == [{"ref": f"refs/heads/{BRANCH}", "sha": BASE}]
    [written] = server.bodies(PUT)
    assert base64.b64decode(written.pop("content")) == AFTER
    assert written == {"message": PROPOSAL.title, "sha": named(BEFORE), "branch": BRANCH}
    assert server.bodies(OPEN) == [
        {"title": PROPOSAL.title, "body": PROPOSAL.body, "head": BRANCH, "base": "main"}
    ]


@pytest.mark.parametrize(
    ("stands", "writes"),
    [pytest.param(AFTER, [], id="written already"), pytest.param(BEFORE, [PUT], id="as it was branched off")],
)
def test_a_branch_that_is_there_is_used(
    server: Server, proposals: ProposalsClient, stands: bytes, writes: list[str]
) -> None:
    instead(server, BRANCH_OFF, 422, {"message": "Reference already exists"})
    server.on(OURS, 200, reference(HEAD))
    server.on(READ.format(HEAD), 200, contents(stands))
    assert proposals.open(REPOSITORY, PROPOSAL).number == 12
    assert server.asked("PUT") == writes
    assert server.asked("POST") == [BRANCH_OFF, OPEN]


def test_another_charter_on_our_branch_is_not_overwritten(server: Server, proposals: ProposalsClient) -> None:
    instead(server, BRANCH_OFF, 422, {"message": "Reference already exists"})
    server.on(OURS, 200, reference(HEAD))
    server.on(READ.format(HEAD), 200, contents(b"# Mine\n"))
    assert failing(proposals).failure.kind is FailureKind.REFUSED
    assert (server.asked("PUT"), server.asked(OPEN)) == ([], [])


@pytest.mark.parametrize(
    "stands", [contents(b"# Another\n"), [contents(BEFORE)], None], ids=["another", "a directory", "none"]
)
def test_a_charter_that_is_another_by_now_is_not_branched_off(
    server: Server, proposals: ProposalsClient, stands: Any
) -> None:
    instead(server, READ.format(BASE), 200 if stands else 404, stands or {"message": "Not Found"})
    assert failing(proposals).failure.kind is FailureKind.REFUSED
    assert (server.asked("POST"), server.asked("PUT")) == ([], [])


@pytest.mark.parametrize(
    ("line", "status", "said", "kind"),
    [
        (BRANCH_OFF, 403, "Resource not accessible by integration", FailureKind.REFUSED),
        (BRANCH_OFF, 422, "Repository rule violations found", FailureKind.REFUSED),
        (BRANCH_OFF, 404, "Not Found", FailureKind.GONE),
        (PUT, 409, "Repository rule violations found", FailureKind.REFUSED),
        (
            PUT,
            409,
            "Could not update file: Changes must be made through a pull request.",
            FailureKind.REFUSED,
        ),
        (PUT, 409, "POC.md does not match 1234", FailureKind.REFUSED),
        (PUT, 404, "Branch not found", FailureKind.GONE),
        (OPEN, 403, "Resource not accessible by integration", FailureKind.REFUSED),
        (OPEN, 422, "Validation Failed", FailureKind.REFUSED),
        (OPEN, 502, "Bad Gateway", FailureKind.TRANSIENT),
        (PUT, 401, "Bad credentials", FailureKind.TRANSIENT),
        (OPEN, 403, "You have exceeded a secondary rate limit", FailureKind.RATE_LIMITED),
    ],
)
def test_what_is_refused_is_told_from_what_is_tried_again(  # noqa: PLR0917 - pytest passes them by name
    server: Server, proposals: ProposalsClient, line: str, status: int, said: str, kind: FailureKind
) -> None:
    instead(server, line, status, {"message": said})
    assert failing(proposals).failure.kind is kind
    assert len(server.asked(line)) == 1


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        (pull(), ProposalState.OPEN),
        (pull(state="closed"), ProposalState.CLOSED),
        (pull(state="closed", merged_at="2026-11-24T09:00:00Z"), ProposalState.MERGED),
    ],
    ids=["open", "closed", "merged"],
)
def test_our_pull_request_is_found_by_its_branch(
    server: Server, proposals: ProposalsClient, shown: dict[str, Any], state: ProposalState
) -> None:
    fork = pull(number=13, head={"ref": BRANCH, "sha": HEAD, "repo": {"id": 2}})
    orphan = pull(number=14, head={"ref": BRANCH, "sha": HEAD, "repo": None})
    persons = pull(number=15, user={"login": "mallory", "type": "User"})
    ghosts = pull(number=16, user=None)
    server.on(LIST, 200, [fork, orphan, persons, ghosts, shown, pull(number=3)])
    assert proposals.find(REPOSITORY, BRANCH) == Proposed(12, state)
    assert server.asked() == [LIST]


def test_where_nothing_was_opened_nothing_is_found(server: Server, proposals: ProposalsClient) -> None:
    server.on(LIST, 200, [pull(user={"login": "mallory", "type": "User"})])
    assert proposals.find(REPOSITORY, BRANCH) is None


@pytest.mark.parametrize(
    ("listed", "comes_to"),
    [
        pytest.param([pull()], Proposed(12, ProposalState.OPEN), id="ours"),
        pytest.param([pull(user={"login": "x", "type": "User"})], FailureKind.REFUSED, id="somebody else's"),
        pytest.param([], FailureKind.TRANSIENT, id="not shown yet"),
    ],
)
def test_a_pull_request_that_is_there_is_not_opened_again(
    server: Server, proposals: ProposalsClient, listed: list[Any], comes_to: object
) -> None:
    instead(server, OPEN, 422, THERE)
    server.on(LIST, 200, listed)
    if isinstance(comes_to, Proposed):
        assert proposals.open(REPOSITORY, PROPOSAL) == comes_to
    else:
        assert failing(proposals).failure.kind is comes_to


def test_a_repository_with_another_name_by_now_is_not_written_to(
    server: Server, proposals: ProposalsClient
) -> None:
    instead(server, MAIN, 301)
    instead(server, BY_ID, 200, raw_repository("acme/poc-sorting"))
    assert isinstance(failing(proposals), RenamedError)
    assert server.asked("POST") == []


def test_the_token_is_one_of_its_own_and_can_do_nothing_else(server: Server, app: App) -> None:
    installation = Installation(7, "acme", ALL)
    for _ in range(2):
        for client in (app.installation(installation), app.proposals(installation)):
            assert client is not None
            client.close()
    looking, proposing = (asked["permissions"] for asked in server.bodies(TOKEN))
    read = dict.fromkeys(("metadata", "contents", "pull_requests", "members"), "read")
    assert looking == read | {"checks": "write"}
    assert proposing == {"metadata": "read", "contents": "write", "pull_requests": "write"}
    app.forget_token(7)
    for client in (app.installation(installation), app.proposals(installation)):
        assert client is not None
        client.close()
    assert len(server.bodies(TOKEN)) == 4


@pytest.mark.parametrize("lacking", ["contents", "pull_requests"])
def test_without_both_no_token_is_asked_for(server: Server, app: App, lacking: str) -> None:
    assert app.proposals(Installation(7, "acme", ALL | {lacking: "read"})) is None
    assert server.bodies(TOKEN) == []


def test_a_grant_that_was_taken_back_is_a_refusal(server: Server, app: App) -> None:
    said = "The permissions requested are not granted to this installation."
    instead(server, TOKEN, 422, {"message": said})
    with pytest.raises(GitHubError) as caught:
        app.proposals(Installation(7, "acme", ALL))
    assert caught.value.failure.kind is FailureKind.REFUSED
