"""Evaluate the charter at a commit: which version applies, its findings, which goalposts the change moves.

Facts from GitHub about what a charter names are read when its text is new, and once a day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from service.ports import GitHub, GitHubError, RenamedError
from service.reconcile.commit_files import charter_at
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.model import Charter
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
from service.rules.checks.verdict import CharterChange, Verdict, conclude, needs_merge_base, situate
from service.rules.gate.agreement import Agreement, agreement
from service.rules.queue import FailureKind
from service.rules.source.text import CharterFile
from service.rules.values.daily_round import round_before
from service.rules.values.github import EventKind, RepositoryRef


@dataclass(frozen=True, slots=True)
class CommitCharter:
    """What both check runs of a commit rest on."""

    head_sha: str
    base_ref: str
    verdict: Verdict
    before: Charter | None
    """The charter that the change began with."""
    unanswered: tuple[str, ...] = ()
    """The questions that GitHub gave no answer to."""
    rerun: bool = False

    @property
    def charter(self) -> Charter | None:
        """The charter that the commit is judged by, if any can be read."""
        return self.verdict.judgement.charter if self.verdict.judgement else None

    @property
    def valid(self) -> bool:
        """Whether that charter has no error."""
        return self.verdict.judgement is not None and self.verdict.judgement.valid


def evaluate_charter(
    ctx: Reconciliation,
    poc: Poc,
    *,
    head_sha: str,
    base: CharterFile,
    base_ref: str,
    base_sha: str,
    author: str | None,
) -> CommitCharter:
    """Evaluate the charter of `head_sha`; a merge queue's head has no author."""
    rerun = ctx.asked_again(head_sha)
    head = charter_at(ctx, poc, head_sha, again=rerun)
    began = None
    if needs_merge_base(head, base):
        began_at = merge_base(ctx, poc, base_sha, head_sha)
        # The charter of the default branch is known without a call.
        at_tip = base_ref == poc.known.repository.default_branch and began_at == poc.record.default_head
        began = base if at_tip else charter_at(ctx, poc, began_at)
    case = situate(head, base, began)
    outside, unanswered = outside_of(ctx, poc, case, head_sha=head_sha, base_ref=base_ref)
    today = ctx.now.date()
    verdict = conclude(
        case,
        author=author,
        observe=ctx.observe,
        today=today,
        outside=outside,
        policy=ctx.policy,
        agreed=agreed_charter(ctx, poc),
    )
    before = judge(case.before, today=today).charter if case.before else None
    return CommitCharter(head_sha, base_ref, verdict, before, unanswered, rerun)


def agreed_charter(ctx: Reconciliation, poc: Poc) -> Charter | None:
    """The charter that was agreed on last."""
    agreed = poc.record.poc.agreed
    return judge(agreed, today=ctx.now.date()).charter if agreed else None


def agreement_of(ctx: Reconciliation, poc: Poc, charter: Charter) -> Agreement:
    """What was agreed on, and by whom; before that, the charter as is, by nobody."""
    agreed = agreed_charter(ctx, poc)
    ever = [each.signature for each in poc.record.signatures]
    return agreement(agreed, ever) if agreed else Agreement(charter, frozenset())


def base_charter(ctx: Reconciliation, poc: Poc, base_ref: str, base_sha: str) -> CharterFile:
    """The charter that a pull request goes to; the default branch's is known without a call."""
    if base_ref == poc.known.repository.default_branch and poc.known.charter is not None:
        return poc.known.charter
    return charter_at(ctx, poc, base_sha)


def merge_base(ctx: Reconciliation, poc: Poc, base_sha: str, head_sha: str) -> str:
    """The commit at which a branch began; it stays the same for the same two commits."""
    found = poc.merge_bases.get((base_sha, head_sha))
    if found is None:
        found = ctx.store.pull_requests.merge_base(poc.id, base_sha, head_sha)
    if found is None:
        found = ctx.github(poc.known.installation_id).merge_base(poc.known.repository.ref, base_sha, head_sha)
        ctx.notes.pull_requests.remember_merge_base(poc.id, base_sha, head_sha, found)
    poc.merge_bases[base_sha, head_sha] = found
    return found


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
