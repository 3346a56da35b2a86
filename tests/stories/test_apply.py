"""Saying something once, whatever is lost or killed in between, and answering deployments."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from service.ports import GitHubError
from service.reconcile.apply import apply
from service.reconcile.apply_messages import LONGEST_BODY, marker
from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import (
    STALL_MARKER,
    Action,
    AnswerDeployment,
    OpenNotice,
    PostComment,
    React,
)
from service.rules.values.github import Installation, IssueState
from service.store.database import Database
from service.store.messages import MessageState
from service.store.store import Store
from tests.harness.github import NOW, PERMISSIONS, FakeApp, FakeGitHub, FakeRepository, repository
from tests.harness.reconciliation import reconciling

INSTALLATION = 7
POC = repository()
COMMENT = PostComment(POC.ref, 5, "shipped", "Shipped.")
NOTICE = OpenNotice(POC.ref, "stop-if:cost > 5 USD", "A criterion is true", "Stop?", "poc-stop", "jane-doe")
REACTION = React(POC.ref, 5, 42, "+1")
ANSWER = AnswerDeployment(POC.ref, 18, "support-prod", approved=True, comment="Ready.")
MESSAGES: list[PostComment | OpenNotice] = [COMMENT, NOTICE]
WRITE = {PostComment: "post_comment", OpenNotice: "open_issue"}
FIND = {PostComment: "find_comment", OpenNotice: "find_issue"}

LOST = Failure(FailureKind.TRANSIENT, "no answer from GitHub")
WAIT = Failure(FailureKind.RATE_LIMITED, "slow down", NOW)
NO = Failure(FailureKind.REFUSED, "GitHub says 403, the conversation is locked")
GONE = Failure(FailureKind.GONE, "GitHub says 404, Not Found")

Apply = Callable[..., None]


@pytest.fixture
def app() -> FakeApp:
    made = FakeApp(Installation(INSTALLATION, "acme", dict(PERMISSIONS)))
    made.githubs[INSTALLATION].add(POC)
    return made


@pytest.fixture
def github(app: FakeApp) -> FakeGitHub:
    return app.githubs[INSTALLATION]


@pytest.fixture
def repo(github: FakeGitHub) -> FakeRepository:
    return github.repos[POC.id]


@pytest.fixture
def records(engine: Engine) -> Store:
    return Store(Database(engine))


@pytest.fixture
def carry_out(app: FakeApp, engine: Engine) -> Apply:
    """Carry an action out in a look of its own; between two looks there is time enough to write again."""
    moments = itertools.count(step=2)

    def clock() -> datetime:
        return NOW + timedelta(seconds=next(moments))

    def carry_out(action: Action, *, waited: bool = False) -> None:
        with reconciling(engine, app, clock=clock, waited=waited) as ctx:
            apply(ctx, INSTALLATION, [action])

    return carry_out


def said(repo: FakeRepository) -> list[str]:
    """The bodies of all that was said."""
    return [comment.body for comment in repo.comments] + [issue.body for issue in repo.issues.values()]


@pytest.mark.parametrize("action", MESSAGES, ids=str)
def test_it_is_said_once_under_a_hidden_line(
    carry_out: Apply, github: FakeGitHub, repo: FakeRepository, action: PostComment | OpenNotice
) -> None:
    for _ in range(3):
        carry_out(action)
    assert said(repo) == [f"{marker(action.key)}\n{action.body}"]
    assert github.made() == github.made(WRITE[type(action)])


def test_a_notice_is_labelled_and_assigned(carry_out: Apply, repo: FakeRepository) -> None:
    carry_out(NOTICE)
    [issue] = repo.issues.values()
    assert (issue.title, issue.labels, issue.state) == (NOTICE.title, ("poc-stop",), IssueState.OPEN)
    assert repo.assignees == {issue.number: "jane-doe"}


@pytest.mark.parametrize("done", [True, False], ids=["the answer was lost", "the question was lost"])
@pytest.mark.parametrize("action", MESSAGES, ids=str)
def test_it_is_said_once_when_a_call_got_no_answer(
    carry_out: Apply, github: FakeGitHub, repo: FakeRepository, action: PostComment | OpenNotice, done: bool
) -> None:
    github.fail_next(LOST, WRITE[type(action)], done=done)
    with pytest.raises(GitHubError):
        carry_out(action)
    carry_out(action)
    carry_out(action)
    assert len(said(repo)) == 1
    assert len(github.made(FIND[type(action)])) == 1


@pytest.mark.parametrize("failure", [LOST, WAIT, NO], ids=lambda failure: failure.kind)
@pytest.mark.parametrize("action", MESSAGES, ids=str)
def test_it_is_said_once_when_looking_for_it_failed(
    carry_out: Apply,
    github: FakeGitHub,
    repo: FakeRepository,
    action: PostComment | OpenNotice,
    failure: Failure,
) -> None:
    github.fail_next(LOST, WRITE[type(action)], done=True)
    with pytest.raises(GitHubError):
        carry_out(action)
    github.fail_next(failure, FIND[type(action)])
    if failure is NO:
        carry_out(action)
    else:
        with pytest.raises(GitHubError):
            carry_out(action)
    carry_out(action)
    assert len(said(repo)) == 1


@pytest.mark.parametrize("action", MESSAGES, ids=str)
def test_who_must_wait_says_it_later_without_looking_for_it(
    carry_out: Apply, github: FakeGitHub, repo: FakeRepository, action: PostComment | OpenNotice
) -> None:
    github.fail_next(WAIT, WRITE[type(action)])
    with pytest.raises(GitHubError):
        carry_out(action)
    carry_out(action)
    assert len(said(repo)) == 1
    assert github.made(FIND[type(action)]) == []


@pytest.mark.parametrize("failure", [NO, GONE], ids=lambda failure: failure.kind)
@pytest.mark.parametrize("action", [*MESSAGES, REACTION], ids=str)
def test_what_is_refused_stops_nothing_and_is_not_remembered_as_said(
    carry_out: Apply, github: FakeGitHub, repo: FakeRepository, action: Action, failure: Failure
) -> None:
    write = WRITE.get(type(action), "react")
    github.fail_next(failure, write)
    carry_out(action)
    assert not said(repo)
    assert not repo.reactions
    carry_out(action)
    assert len(said(repo)) + len(repo.reactions) == 1


def test_different_keys_and_repositories_are_said_apart(
    carry_out: Apply, github: FakeGitHub, repo: FakeRepository
) -> None:
    other = repository(2, "acme/poc-other")
    github.add(other)
    carry_out(COMMENT)
    carry_out(PostComment(POC.ref, 5, "answer:9", "No."))
    carry_out(PostComment(other.ref, 5, COMMENT.key, COMMENT.body))
    assert [comment.body.splitlines()[1] for comment in repo.comments] == ["Shipped.", "No."]
    assert len(github.repos[2].comments) == 1


def test_what_a_person_wrote_under_our_marker_is_not_ours(
    carry_out: Apply, github: FakeGitHub, repo: FakeRepository
) -> None:
    github.fail_next(LOST, "post_comment")
    with pytest.raises(GitHubError):
        carry_out(COMMENT)
    forged = f"{marker(COMMENT.key)}\nforged"
    github.post_comment(POC.ref, 5, forged)
    repo.comments = [type(comment)(comment.id, 5, comment.body, ours=False) for comment in repo.comments]
    carry_out(COMMENT)
    assert said(repo) == [forged, f"{marker(COMMENT.key)}\nShipped."]


def test_a_reaction_may_be_repeated(carry_out: Apply, repo: FakeRepository) -> None:
    carry_out(REACTION)
    carry_out(REACTION)
    assert repo.reactions == {(42, "+1")}


def test_a_lost_reaction_is_tried_again(carry_out: Apply, github: FakeGitHub) -> None:
    github.fail_next(LOST, "react")
    with pytest.raises(GitHubError):
        carry_out(REACTION)


@pytest.mark.parametrize("done", [True, False], ids=["the answer was lost", "the question was lost"])
def test_a_deployment_is_answered_once(
    carry_out: Apply, github: FakeGitHub, repo: FakeRepository, done: bool
) -> None:
    github.fail_next(LOST, "answer_deployment", done=done)
    with pytest.raises(GitHubError):
        carry_out(ANSWER)
    for _ in range(2):  # GitHub doesn't tell one that was answered from one that doesn't wait yet
        carry_out(ANSWER, waited=True)
    [answer] = repo.answers
    assert (answer.run_id, answer.environment, answer.approved) == (18, "support-prod", True)
    assert answer.comment == "Ready."


def test_a_refused_answer_is_no_answer(carry_out: Apply, github: FakeGitHub) -> None:
    github.fail_next(NO, "answer_deployment")
    with pytest.raises(GitHubError):
        carry_out(ANSWER)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        pytest.param("shipped", "shipped", id="a word"),
        pytest.param("answer:492700400", "answer:492700400", id="a comment's id"),
        pytest.param("stop-if:cost > 5 USD --> x", None, id="an end of the comment"),
        pytest.param("a--b", None, id="two dashes"),
        pytest.param("a\nb", None, id="two lines"),
        pytest.param("a\n", None, id="a line's end"),
        pytest.param("é", None, id="another alphabet"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_marker_is_one_hidden_line(key: str, shown: str | None) -> None:
    line = marker(key)
    inner = line.removeprefix("<!-- poc-governor:").removesuffix(" -->")
    assert line == f"<!-- poc-governor:{inner} -->"
    assert inner == shown if shown else len(inner) == 32
    assert "--" not in inner
    assert line.splitlines() == [line]
    assert line != STALL_MARKER


def test_markers_differ_where_keys_do() -> None:
    keys = ["stop-if:a > 1", "stop-if:a > 2", "stop-if:a >  1", "shipped"]
    assert len({marker(key) for key in keys}) == len(keys)


def test_no_more_is_said_than_github_takes(carry_out: Apply, repo: FakeRepository) -> None:
    carry_out(PostComment(POC.ref, 5, "long", "x" * LONGEST_BODY))
    assert len(repo.comments[0].body) == LONGEST_BODY
    assert repo.comments[0].body.startswith(marker("long"))


def test_how_far_the_saying_is_stands_in_its_row(records: Store) -> None:
    messages = records.messages
    assert messages.begin(1, "k") is MessageState.NEW
    assert messages.begin(1, "k") is MessageState.PENDING
    assert messages.begin(2, "k") is MessageState.NEW
    messages.said(1, "k", 5, 99)
    assert messages.begin(1, "k") is MessageState.SAID
    assert messages.begin(2, "k") is MessageState.PENDING
    messages.forget(1, "k")
    assert messages.begin(1, "k") is MessageState.NEW
