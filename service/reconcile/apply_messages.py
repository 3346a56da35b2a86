"""Post messages once, and answer waiting deployments: comments, reactions, notices, the digest.

Messages matter less than verdicts: if GitHub refuses a message, the check runs are still written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import structlog

from service.ports import GitHub, GitHubError
from service.reconcile.context import Reconciliation
from service.rules.queue import LIMITS, Failure, FailureKind
from service.rules.values.actions import Announce, AnswerDeployment, OpenNotice, PostComment, React
from service.store.messages import MessageState, NotYetError

_MOST = LIMITS[-1][0]


@contextmanager
def paced(ctx: Reconciliation, installation_id: int) -> Iterator[None]:
    """Hold the installation's write slot within the block; raises `GitHubError` until this subject has one.

    Record the beginning of a write inside the block: a subject that waits for a slot has begun nothing.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(ctx.writing.pacing.writing(installation_id, ctx.key, ctx.clock))
        except NotYetError as error:
            said = f"waiting for a write slot at {error.until:%H:%M:%S} UTC: GitHub takes {_MOST} in an hour"
            raise GitHubError(Failure(FailureKind.PACED, said, error.until)) from error
        yield


log = structlog.get_logger(__name__)

LONGEST_BODY = 65_536
"""GitHub's, in characters, for a comment and an issue."""
_PLAIN_KEY = re.compile(r"[a-z0-9]+(?:[:.-][a-z0-9]+)*")
"""A key that needs no escaping in an HTML comment."""


def marker(key: str) -> str:
    """The hidden first line by which a message of ours is found again."""
    plain = key if _PLAIN_KEY.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"<!-- poc-governor:{plain} -->"


Message = PostComment | OpenNotice | Announce | React | AnswerDeployment


def say(ctx: Reconciliation, installation_id: int, action: Message) -> None:
    """Carry out one action that posts a message; raises `GitHubError`."""
    match action:
        case PostComment():
            post_comment(ctx, installation_id, action)
        case OpenNotice():
            open_notice(ctx, installation_id, action)
        case Announce():
            announce(ctx, action)
        case React():
            react(ctx, installation_id, action)
        case AnswerDeployment():
            answer_deployment(ctx, installation_id, action)


def post_comment(ctx: Reconciliation, installation_id: int, action: PostComment) -> None:
    """Post a comment that was never posted before."""
    repository, number = action.repository, action.number

    def find(github: GitHub) -> tuple[int, int] | None:
        found = github.find_comment(repository, number, marker(action.key))
        return None if found is None else (number, found)

    def say(github: GitHub) -> tuple[int, int]:
        return number, github.post_comment(repository, number, _marked(action.key, action.body))

    _say_once(ctx, installation_id, action, find, say)


def open_notice(ctx: Reconciliation, installation_id: int, action: OpenNotice) -> None:
    """Open an issue that was never opened before."""
    repository, label = action.repository, action.label

    def find(github: GitHub) -> tuple[int, int] | None:
        found = github.find_issue(repository, label, marker(action.key))
        return None if found is None else (found.number, found.number)

    def say(github: GitHub) -> tuple[int, int]:
        body = _marked(action.key, action.body)
        number = github.open_issue(repository, action.title, body, label, action.assignee).number
        return number, number

    _say_once(ctx, installation_id, action, find, say)
    if action.then and ctx.writing.messages.was_said(repository.id, action.key):
        ctx.writing.installations.mark(action.then)


def react(ctx: Reconciliation, installation_id: int, action: React) -> None:
    """React; GitHub keeps one reaction of a kind, so it may be repeated."""
    with _if_allowed(ctx, action):
        ctx.github(installation_id).react(action.repository, action.number, action.comment_id, action.content)


def announce(ctx: Reconciliation, action: Announce) -> None:
    """Announce each text once; one that was begun may have arrived, so it isn't sent again."""
    messages = ctx.writing.messages
    if ctx.announcer is None or messages.begin(0, action.key) is not MessageState.NEW:
        return
    try:
        ctx.announcer.announce(action.text)
    except GitHubError as error:
        if error.failure.kind is FailureKind.RATE_LIMITED:
            messages.forget(0, action.key)
        else:
            messages.refused(0, action.key, error.failure.message)
        raise
    messages.said(0, action.key, 0, 0)


def answer_deployment(ctx: Reconciliation, installation_id: int, action: AnswerDeployment) -> None:
    """Answer a deployment; one that doesn't wait yet is answered later, and one that never does is left."""
    try:
        ctx.github(installation_id).answer_deployment(
            action.repository,
            action.run_id,
            action.environment,
            approved=action.approved,
            comment=action.comment,
        )
    except GitHubError as error:
        if not ctx.absent(error):
            raise
        log.info("deployment no longer waiting", subject=ctx.key, action=str(action))


def _say_once(
    ctx: Reconciliation,
    installation_id: int,
    action: PostComment | OpenNotice,
    find: Callable[[GitHub], tuple[int, int] | None],
    say: Callable[[GitHub], tuple[int, int]],
) -> None:
    """Post a message once; `find` and `say` return the number and the id that it has on GitHub."""
    messages, repository_id, key = ctx.writing.messages, action.repository.id, action.key
    if messages.was_said(repository_id, key):
        return
    with _if_allowed(ctx, action), paced(ctx, installation_id):
        saying = messages.begin(repository_id, key)
        if saying is MessageState.SAID:
            return
        github = ctx.github(installation_id)
        place = find(github) if saying is MessageState.PENDING else None
        try:
            place = place or say(github)
        except GitHubError as error:
            # If GitHub refused, there is no message to find later.
            if error.final:
                messages.refused(repository_id, key, error.failure.message)
            elif error.failure.kind is not FailureKind.TRANSIENT:
                messages.forget(repository_id, key)
            raise
        messages.said(repository_id, key, *place)


@contextmanager
def _if_allowed(ctx: Reconciliation, action: PostComment | OpenNotice | React) -> Iterator[None]:
    """Carry on if GitHub refuses the message: a conversation may be locked, an issue deleted."""
    try:
        yield
    except GitHubError as error:
        if not error.final:
            raise
        if not isinstance(action, React):
            ctx.unsaid.add(action.key)
        log.warning("message not posted", subject=ctx.key, action=str(action), reason=error.failure.message)


def _marked(key: str, body: str) -> str:
    return f"{marker(key)}\n{body}"[:LONGEST_BODY]
