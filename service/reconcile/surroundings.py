"""Facts from GitHub about what a charter names: read when its text is new, and once a day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from service.ports import GitHub, GitHubError, RenamedError
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.checks.judge import judge
from service.rules.checks.surroundings import (
    NOT_KNOWN,
    Access,
    Gathered,
    Questions,
    RepositoryFacts,
    access_of,
    is_due,
    questions_of,
)
from service.rules.checks.verdict import CharterChange
from service.rules.queue import FailureKind
from service.rules.values.daily_round import round_before
from service.rules.values.github import EventKind, RepositoryRef


def ask_access(github: GitHub, repository: RepositoryRef, login: str) -> Access:
    """Ask for a permission and, where it lets them write, whether the account can use it."""
    found = access_of(github.permission(repository, login))
    return Access.SUSPENDED if found is Access.WRITE and github.is_suspended(login) else found


T = TypeVar("T")


def outside_of(
    ctx: Reconciliation, poc: Poc, case: CharterChange, *, head_sha: str, base_ref: str
) -> tuple[RepositoryFacts, tuple[str, ...]]:
    """The facts about a change's charter, and the questions that GitHub gave no answer to.

    If the change brings the charter, its paths are looked up in the change, otherwise on its base.
    """
    file, repository = case.judged, poc.known.repository.ref
    if file is None or file.blob_sha is None:
        return NOT_KNOWN, ()
    ref = head_sha if case.written else base_ref
    last = ctx.store.outside_facts.find(repository.id, file.blob_sha)
    again = max((fact.at for fact in ctx.facts if fact.kind is EventKind.RERUN_REQUESTED), default=None)
    since = round_before(ctx.looked_at, repository.id)
    if last and not is_due(
        last, ref=ref, written=case.written, asked_again_at=again, now=ctx.looked_at, since=since
    ):
        ctx.look_again(last.stands_until)
        return last.outside, ()
    questions = questions_of(judge(file, today=ctx.now.date()).charter)
    if questions.nothing:
        return NOT_KNOWN, ()
    questioner = _Questioner(ctx, poc, last)
    outside = questioner.ask(questions, ref)
    gathered = Gathered(outside, ref, ctx.looked_at, complete=not questioner.unanswered)
    ctx.look_again(gathered.stands_until)
    ctx.notes.outside_facts.remember(repository.id, file.blob_sha, gathered)
    return outside, tuple(questioner.unanswered)


class _Questioner:
    """Asks one question after the other; without an answer from GitHub the last one still counts."""

    def __init__(self, ctx: Reconciliation, poc: Poc, last: Gathered | None) -> None:
        self._ctx = ctx
        self._github = ctx.github(poc.known.installation_id)
        self._repository = poc.known.repository.ref
        self._last = last.outside if last else NOT_KNOWN
        self.unanswered: list[str] = []

    def ask(self, questions: Questions, ref: str) -> RepositoryFacts:
        """The answers to everything that a charter names."""
        github, repository, last = self._github, self._repository, self._last
        owner, paths = questions.owner, questions.paths
        return RepositoryFacts(
            owner_access=self._answer(lambda: ask_access(github, repository, owner), last.owner_access)
            if owner
            else None,
            environments=self._answer(lambda: github.environments(repository), last.environments)
            if questions.environments
            else None,
            missing_paths=self._answer(
                lambda: frozenset(paths) - github.existing_paths(repository, ref, paths), last.missing_paths
            )
            if paths
            else None,
            strangers=self._answer(lambda: self._strangers(questions.signers), last.strangers)
            if questions.signers
            else None,
        )

    def _strangers(self, signers: Sequence[str]) -> frozenset[str]:
        """Bind signers' logins to their accounts, and say which are others than they were bound to."""
        ctx, repository_id = self._ctx, self._repository.id
        bound = ctx.store.signatures.accounts(repository_id)
        found = self._github.account_ids(signers)
        if new := {login: each for login, each in found.items() if login.lower() not in bound}:
            ctx.notes.signatures.bind(repository_id, new)
        present = {login.lower(): each for login, each in found.items()}
        return frozenset(login for login, each in present.items() if bound.get(login, each) != each)

    def _answer(self, question: Callable[[], T | None], last: T | None) -> T | None:
        """The answer; None if GitHub refuses it. A rate limit stops the whole reconciliation, as it must."""
        try:
            return question()
        except RenamedError:
            raise
        except GitHubError as error:
            if error.failure.kind is FailureKind.RATE_LIMITED:
                raise
            if error.failure.kind in (FailureKind.TRANSIENT, FailureKind.UNSEEN):
                self.unanswered.append(error.failure.message)
                return last
            return None
