"""Files, reviews, comments and deployments: what the adapter sends, and what it makes of each answer."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from service.github_client.app import InstallationClient
from service.ports import LARGEST_BLOB, GitHub, GitHubError, RenamedError
from service.rules.queue import FailureKind
from service.rules.values.github import Commit
from tests.unit.github_client.server import REPOSITORY, Server, raw_repository

SHA = "a" * 40
REPO = "/repos/acme/poc-triage"
TREE = f"GET {REPO}/git/trees/{SHA}?recursive=1"
CONTENTS = f"GET {REPO}/contents/{{}}?ref={SHA}"
BLOB = f"GET {REPO}/git/blobs/b1"
EVENTS = f"GET {REPO}/issues/7/events?page={{}}&per_page=100"
COMMENTS = f"GET {REPO}/issues/7/comments?page={{}}&per_page=100"
POST_COMMENT = f"POST {REPO}/issues/7/comments"
REACT = f"POST {REPO}/issues/comments/42/reactions"
ANSWER = f"POST {REPO}/actions/runs/18/deployment_protection_rule"
MARKER = "<!-- poc-governor:x -->"
BY_ID = "GET /repositories/1"

ENTRIES: list[dict[str, Any]] = [
    {"path": "eval", "type": "tree", "mode": "040000", "sha": "t1"},
    {"path": "eval/metrics.json", "type": "blob", "mode": "100644", "sha": "b1", "size": 12},
    {"path": "run.sh", "type": "blob", "mode": "100755", "sha": "b2", "size": 3},
    {"path": "linked.json", "type": "blob", "mode": "120000", "sha": "b3", "size": 9},
    {"path": "vendored", "type": "commit", "mode": "160000", "sha": "c1"},
]


def test_the_client_is_what_the_core_asks_for(client: InstallationClient) -> None:
    port: GitHub = client
    assert port is client


@pytest.mark.parametrize(
    ("path", "blob_sha"),
    [
        pytest.param("eval/metrics.json", "b1", id="a file"),
        pytest.param("./eval//metrics.json", "b1", id="a file by a longer way"),
        pytest.param("run.sh", "b2", id="a program"),
        pytest.param("linked.json", None, id="a link is no file"),
        pytest.param("vendored", None, id="a submodule is no file"),
        pytest.param("eval", None, id="a folder is no file"),
        pytest.param("eval/Metrics.json", None, id="case matters"),
        pytest.param("../eval/metrics.json", None, id="outside the repository"),
    ],
)
def test_a_file_is_looked_up_in_the_tree(
    server: Server, client: InstallationClient, path: str, blob_sha: str | None
) -> None:
    server.on(TREE, 200, {"tree": ENTRIES, "truncated": False})
    assert client.blob_shas(REPOSITORY, SHA, [path]) == {path: blob_sha}
    assert server.asked() == [TREE]


def test_all_files_take_one_call(server: Server, client: InstallationClient) -> None:
    server.on(TREE, 200, {"tree": ENTRIES, "truncated": False})
    paths = ["eval/metrics.json", "run.sh", "none.json"]
    assert client.blob_shas(REPOSITORY, SHA, paths) == dict(zip(paths, ["b1", "b2", None], strict=True))
    assert len(server.asked()) == 1


def test_in_a_tree_too_large_for_an_answer_what_was_not_listed_is_asked_for(
    server: Server, client: InstallationClient
) -> None:
    server.on(TREE, 200, {"tree": ENTRIES, "truncated": True})
    server.on(CONTENTS.format("late%20file.json"), 200, {"type": "file", "sha": "b9", "size": 4})
    server.on(CONTENTS.format("late-link.json"), 200, {"type": "symlink", "sha": "b8", "size": 4})
    server.on(CONTENTS.format("folder"), 200, [{"type": "file"}])
    found = client.blob_shas(
        REPOSITORY, SHA, ["run.sh", "late file.json", "late-link.json", "folder", "none.json"]
    )
    assert found == {
        "run.sh": "b2",
        "late file.json": "b9",
        "late-link.json": None,
        "folder": None,
        "none.json": None,
    }
    assert len(server.asked()) == 5


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda client: client.blob_shas(REPOSITORY, SHA, ["x"]), id="its tree"),
        pytest.param(lambda client: client.commit(REPOSITORY, SHA), id="the commit itself"),
        pytest.param(lambda client: client.blob(REPOSITORY, SHA), id="a file"),
        pytest.param(lambda client: client.merge_base(REPOSITORY, "main", SHA), id="where it began"),
    ],
)
def test_a_commit_that_is_not_there_may_only_not_be_visible_yet(
    server: Server, client: InstallationClient, read: Callable[[InstallationClient], object]
) -> None:
    server.on(BY_ID, 200, raw_repository("acme/poc-triage"))
    with pytest.raises(GitHubError) as caught:
        read(client)
    assert caught.value.failure.kind is FailureKind.UNSEEN


COMPARE = f"GET /repos/acme/poc-triage/compare/main...{SHA}?per_page=1"
TOO_LONG = "Server Error: Sorry, this diff is taking too long to generate."


def commits(ref: str, page: int = 1) -> str:
    return f"GET /repos/acme/poc-triage/commits?page={page}&per_page=100&sha={ref}"


def raw_commits(*names: str) -> list[dict[str, Any]]:
    """A list of commits in a row, newest first."""
    pairs = zip(names, (*names[1:], None), strict=True)
    return [{"sha": name, "parents": [{"sha": before}] if before else []} for name, before in pairs]


def test_how_many_commits_are_newer_is_one_call(server: Server, client: InstallationClient) -> None:
    server.on(COMPARE, 200, {"merge_base_commit": {"sha": "m2"}, "ahead_by": 3})
    assert client.ahead(REPOSITORY, "main", SHA) == ("m2", 3)
    assert len(server.asked()) == 1


@pytest.mark.parametrize(
    ("status", "said"), [(422, TOO_LONG), (500, TOO_LONG), (422, "Validation Failed")], ids=str
)
def test_where_a_branch_began_is_found_without_a_diff(
    server: Server, client: InstallationClient, status: int, said: str
) -> None:
    server.on(COMPARE, status, {"message": said})
    server.on(commits("main"), 200, raw_commits("m3", "m2", "m1"))
    server.on(commits(SHA), 200, raw_commits(SHA, "w1", "m2", "m1"))
    assert client.merge_base(REPOSITORY, "main", SHA) == "m2"
    assert len(server.asked()) == 3


def test_it_is_looked_for_further_back(server: Server, client: InstallationClient) -> None:
    server.on(COMPARE, 422, {"message": TOO_LONG})
    tip = [f"m{number}" for number in range(300)]
    server.on(commits("main"), 200, raw_commits(*tip[:101])[:100])
    server.on(commits("main", 2), 200, raw_commits(*tip[100:201])[:100])
    server.on(commits(SHA), 200, raw_commits(SHA, "w1", *tip[150:249])[:100])
    server.on(commits(SHA, 2), 200, raw_commits(*tip[248:300]))
    assert client.merge_base(REPOSITORY, "main", SHA) == "m150"


def test_what_is_too_far_back_is_said_as_github_said_it(server: Server, client: InstallationClient) -> None:
    server.on(COMPARE, 422, {"message": TOO_LONG})
    for page in range(1, 6):
        names = [f"w{number}" for number in range(page * 100, page * 100 + 101)]
        server.on(commits("main", page), 200, raw_commits(*(f"m{name}" for name in names))[:100])
        server.on(commits(SHA, page), 200, raw_commits(*names)[:100])
    with pytest.raises(GitHubError, match="GitHub says 422, Server Error: Sorry, this diff is") as caught:
        client.merge_base(REPOSITORY, "main", SHA)
    assert caught.value.failure.kind is FailureKind.REFUSED


def test_a_server_error_without_a_word_of_the_diff_is_no_reason_to_look_elsewhere(
    server: Server, client: InstallationClient
) -> None:
    server.on(COMPARE, 502, {"message": "Bad Gateway"})
    with pytest.raises(GitHubError):
        client.merge_base(REPOSITORY, "main", SHA)
    assert server.asked() == [COMPARE]


def test_a_blob_is_read(server: Server, client: InstallationClient) -> None:
    server.on(BLOB, 200, raw_blob(b'{"accuracy": 0.93}\n'))
    assert client.blob(REPOSITORY, "b1") == b'{"accuracy": 0.93}\n'


def test_an_empty_blob_is_read(server: Server, client: InstallationClient) -> None:
    server.on(BLOB, 200, raw_blob(b""))
    assert client.blob(REPOSITORY, "b1") == b""


@pytest.mark.parametrize(("size", "read"), [(LARGEST_BLOB, True), (LARGEST_BLOB + 1, False)])
def test_a_blob_has_five_megabytes_at_most(
    server: Server, client: InstallationClient, size: int, read: bool
) -> None:
    server.on(BLOB, 200, raw_blob(b"x") | {"size": size})
    assert (client.blob(REPOSITORY, "b1") is not None) is read


def test_a_blob_that_the_tree_showed_to_be_too_large_is_not_asked_for(
    server: Server, client: InstallationClient
) -> None:
    server.on(TREE, 200, {"tree": [ENTRIES[1] | {"size": LARGEST_BLOB + 1}], "truncated": False})
    assert client.blob_shas(REPOSITORY, SHA, ["eval/metrics.json"]) == {"eval/metrics.json": "b1"}
    assert client.blob(REPOSITORY, "b1") is None
    assert server.asked() == [TREE]


def test_a_blob_that_github_does_not_send_is_too_large(server: Server, client: InstallationClient) -> None:
    message = "This API returns blobs up to 100 MB in size. The requested blob is too large."
    server.on(BLOB, 403, {"message": message})
    assert client.blob(REPOSITORY, "b1") is None


def test_a_refusal_is_no_large_blob(server: Server, client: InstallationClient) -> None:
    server.on(BLOB, 403, {"message": "Resource not accessible by integration"})
    with pytest.raises(GitHubError) as caught:
        client.blob(REPOSITORY, "b1")
    assert caught.value.failure.kind is FailureKind.REFUSED


@pytest.mark.parametrize("parents", [(), ("p1",), ("p1", "p2")], ids=len)
def test_a_commit_has_a_tree_and_parents(
    server: Server, client: InstallationClient, parents: tuple[str, ...]
) -> None:
    raw = {"sha": SHA, "tree": {"sha": "t1"}, "parents": [{"sha": parent} for parent in parents]}
    server.on(f"GET {REPO}/git/commits/{SHA}", 200, raw)
    assert client.commit(REPOSITORY, SHA) == Commit(SHA, "t1", parents)


def test_a_commit_names_the_people_who_asked_for_it(server: Server, client: InstallationClient) -> None:
    message = "Fix it\n\nCo-authored-by: jane-doe <5+jane-doe@users.noreply.github.com>"
    raw = {"sha": SHA, "tree": {"sha": "t1"}, "parents": [], "message": message}
    server.on(f"GET {REPO}/git/commits/{SHA}", 200, raw)
    assert client.commit(REPOSITORY, SHA).co_authors == ("jane-doe",)


@pytest.mark.parametrize(
    ("review", "by_push"),
    [
        pytest.param({"review_id": 11, "dismissal_commit_id": "c" * 40}, True, id="new commits did it"),
        pytest.param({"review_id": 11, "dismissal_message": "outdated"}, False, id="a person did it"),
        pytest.param({"review_id": 11, "dismissal_commit_id": None}, False, id="no commit is named"),
        pytest.param({"review_id": 12, "dismissal_commit_id": "c" * 40}, False, id="another review"),
        pytest.param(None, False, id="an event without a review"),
    ],
)
def test_by_whom_a_review_was_dismissed(
    server: Server, client: InstallationClient, review: dict[str, Any] | None, by_push: bool
) -> None:
    events = [{"event": "labeled"}, {"event": "review_dismissed", "dismissed_review": review}]
    server.on(EVENTS.format(1), 200, events)
    assert client.dismissed_by_push(REPOSITORY, 7, 11) is by_push


def test_a_dismissal_is_found_among_many_events(server: Server, client: InstallationClient) -> None:
    server.on(EVENTS.format(1), 200, [{"event": "labeled"}] * 100)
    review = {"review_id": 11, "dismissal_commit_id": SHA}
    server.on(EVENTS.format(2), 200, [{"event": "review_dismissed", "dismissed_review": review}])
    assert client.dismissed_by_push(REPOSITORY, 7, 11)
    assert server.asked() == [EVENTS.format(1), EVENTS.format(2)]


def test_where_no_events_are_a_person_dismissed(server: Server, client: InstallationClient) -> None:
    assert not client.dismissed_by_push(REPOSITORY, 7, 11)
    assert server.asked() == [EVENTS.format(1)]


@pytest.mark.parametrize(
    ("repo", "branch"),
    [
        pytest.param(raw_repository("acme/poc-triage"), "later", id="a branch of the repository"),
        pytest.param(raw_repository("jane-doe/poc-triage") | {"id": 2}, None, id="a branch of a fork"),
        pytest.param(None, None, id="a branch of a fork that was deleted"),
    ],
)
def test_the_branch_of_a_pull_request(
    server: Server, client: InstallationClient, repo: dict[str, Any] | None, branch: str | None
) -> None:
    pull = {"number": 7, "head": {"ref": "later", "sha": SHA, "repo": repo}}
    server.on(f"GET {REPO}/pulls/7", 200, pull)
    assert client.head_branch(REPOSITORY, 7) == branch


def test_our_comment_is_found_by_its_marker_among_others(server: Server, client: InstallationClient) -> None:
    first = [raw_comment(n, "hello") for n in range(98)]
    fakes = [raw_comment(98, f"{MARKER}\nforged", "User"), raw_comment(99, f"see {MARKER}")]
    server.on(COMMENTS.format(1), 200, [*first, *fakes])
    server.on(
        COMMENTS.format(2), 200, [{"id": 1, "body": None, "user": None}, raw_comment(7, f"{MARKER}\nx")]
    )
    assert client.find_comment(REPOSITORY, 7, MARKER) == 7


def test_a_comment_that_was_never_posted_is_not_found(server: Server, client: InstallationClient) -> None:
    server.on(COMMENTS.format(1), 200, [raw_comment(1, "hello")])
    assert client.find_comment(REPOSITORY, 7, MARKER) is None


def test_a_comment_is_posted(server: Server, client: InstallationClient) -> None:
    server.on(POST_COMMENT, 201, raw_comment(99, "hello"))
    assert client.post_comment(REPOSITORY, 7, "hello") == 99
    assert server.bodies(POST_COMMENT) == [{"body": "hello"}]


def test_a_comment_under_a_former_name_is_not_posted_twice(
    server: Server, client: InstallationClient
) -> None:
    server.on(POST_COMMENT, 307, {}, Location=f"{server.url}/repositories/1/issues/7/comments")
    server.on(BY_ID, 200, raw_repository("acme/poc-routing"))
    with pytest.raises(RenamedError):
        client.post_comment(REPOSITORY, 7, "hello")
    assert server.asked() == [POST_COMMENT, BY_ID]


@pytest.mark.parametrize("status", [200, 201, 404])
def test_a_reaction_may_be_there_already_or_be_unknown(
    server: Server, client: InstallationClient, status: int
) -> None:
    server.on(REACT, status, {"id": 1})
    client.react(REPOSITORY, 5, 42, "+1")
    assert server.bodies(REACT) == [{"content": "+1"}]
    assert server.asked() == [REACT]


def test_a_pull_requests_own_text_is_reacted_to_by_its_number(
    server: Server, client: InstallationClient
) -> None:
    place = f"POST {REPO}/issues/5/reactions"
    server.on(place, 201, {"id": 1})
    client.react(REPOSITORY, 5, None, "+1")
    assert server.asked() == [place]


def test_a_reaction_that_is_refused_is_said_to_be(server: Server, client: InstallationClient) -> None:
    server.on(REACT, 403, {"message": "Resource not accessible by integration"})
    with pytest.raises(GitHubError) as caught:
        client.react(REPOSITORY, 5, 42, "+1")
    assert caught.value.failure.kind is FailureKind.REFUSED


@pytest.mark.parametrize(("approved", "state"), [(True, "approved"), (False, "rejected")])
def test_a_deployment_is_answered(
    server: Server, client: InstallationClient, approved: bool, state: str
) -> None:
    server.on(ANSWER, 204)
    client.answer_deployment(REPOSITORY, 18, "support-prod", approved=approved, comment="why")
    assert server.bodies(ANSWER) == [{"environment_name": "support-prod", "state": state, "comment": "why"}]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, FailureKind.UNSEEN),
        (422, FailureKind.UNSEEN),
        (403, FailureKind.REFUSED),
        (500, FailureKind.TRANSIENT),
    ],
)
def test_a_deployment_that_waits_for_no_answer_may_not_wait_yet(
    server: Server, client: InstallationClient, status: int, kind: FailureKind
) -> None:
    server.on(ANSWER, status, {"message": "no"})
    server.on(BY_ID, 200, raw_repository("acme/poc-triage"))
    with pytest.raises(GitHubError) as caught:
        client.answer_deployment(REPOSITORY, 18, "support-prod", approved=True, comment="")
    assert caught.value.failure.kind is kind


def raw_blob(data: bytes) -> dict[str, Any]:
    encoded = base64.encodebytes(data).decode()
    return {"sha": "b1", "size": len(data), "encoding": "base64", "content": encoded}


def raw_comment(comment_id: int, body: str, author: str = "Bot") -> dict[str, Any]:
    return {"id": comment_id, "body": body, "user": {"login": "somebody", "type": author}}
