"""Evaluate the charter at a commit: which version applies, its findings, which goalposts the change moves."""

from __future__ import annotations

from dataclasses import dataclass

from service.reconcile.commit_files import charter_at
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.reconcile.surroundings import outside_of
from service.rules.charter.model import Charter
from service.rules.checks.judge import judge
from service.rules.checks.verdict import Verdict, conclude, needs_merge_base, situate
from service.rules.gate.agreement import Agreement, agreement
from service.rules.source.text import CharterFile


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
