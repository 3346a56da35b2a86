"""The check run `POC charter` on one commit: written if it differs from what is posted.

A commit that could not be judged gets it too, and so does one of a repository that isn't a POC where a
ruleset requires it: a required check must not stay away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.reconcile.commit_files import draft_url
from service.reconcile.commit_verdict import CommitCharter
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.poc import Poc
from service.reconcile.registration import gather
from service.reconcile.waiting_on import present_pause
from service.rules.checks.judge import declares
from service.rules.checks.verdict import Unjudged, leaves_charter
from service.rules.evidence.values import Result
from service.rules.policy.recognition import exclusion, poc_reason
from service.rules.source.text import CharterFile
from service.rules.values.actions import CHARTER_CHECK
from service.rules.values.github import PullRequest
from service.rules.values.subjects import SubjectKind
from service.texts.charter import UNJUDGED, Signing, check_view
from service.texts.render import texts


def check_charter(
    ctx: Reconciliation,
    poc: Poc,
    commit_charter: CommitCharter,
    results: Sequence[Result] = (),
    signing: Signing | None = None,
) -> Decision:
    """Bring the check run to what it should say, with the values that were measured, and who signs next."""
    verdict, charter = commit_charter.verdict, commit_charter.charter
    at = None if verdict.case.written else poc.known.charter_changed_at
    first, judged = ctx.policy.calendar.day(at or ctx.now), verdict.case.judged
    pause = present_pause(ctx, poc, charter, judged.blob_sha, first) if charter and judged else None
    view = check_view(
        verdict,
        poc_reason=poc.known.poc_reason or "",
        base_ref=commit_charter.base_ref,
        draft_url=draft_url(ctx, poc, commit_charter.base_ref),
        observe=ctx.observe,
        results=results,
        pause=pause,
        docs_url=ctx.docs_url,
        signing=signing,
        observing=ctx.observing_day,
    )
    wanted, head_sha = texts().check_run(verdict, view), commit_charter.head_sha
    decision = ctx.check_run(poc.known, head_sha, CHARTER_CHECK, wanted, rerun=commit_charter.rerun)
    unknown = "".join(f"; not known for now: {reason}" for reason in commit_charter.unanswered)
    return replace(decision, outcome=decision.outcome + unknown)


FRESH = timedelta(days=1)
"""For how long it is known whether a branch requires it."""


def check_not_a_poc(ctx: Reconciliation, poc: Poc, branch: str, head_sha: str) -> Decision:
    """Let a commit pass whose branch requires the check run: GitHub is asked once a day for each branch."""
    known, rerun = poc.known, ctx.asked_again(head_sha)
    if known.repository.archived or not _requires(ctx, poc, branch):
        return Decision("not a POC")
    wanted = texts().not_a_poc(exclusion(known.repository, ctx.policy))
    decision = ctx.check_run(known, head_sha, CHARTER_CHECK, wanted, rerun=rerun)
    return replace(decision, outcome=f"not a POC, and {branch} requires the check")


def _requires(ctx: Reconciliation, poc: Poc, branch: str) -> bool:
    rule = ctx.store.branch_rules.find(poc.id, branch)
    if rule is None or rule.asked_at <= ctx.looked_at - FRESH:
        github = ctx.github(poc.known.installation_id)
        required = github.requires_check(poc.known.repository.ref, branch, CHARTER_CHECK)
        ctx.notes.branch_rules.remember(poc.id, branch, required=required, at=ctx.looked_at)
        return required
    return rule.required


NOTHING = Decision("nothing to say of it")
"""Of a subject without a commit that waits for its check run."""


def say_unjudged(ctx: Reconciliation, cause: str, again_at: datetime) -> Decision:
    """Say on the commit of a pull request or a merge queue why it isn't judged; asks GitHub nothing."""
    kind, *parts = ctx.key.split(":")
    match SubjectKind(kind):
        case SubjectKind.PULL_REQUEST:
            number = int(parts[1])
            poc = gather(ctx, int(parts[0]), number=number)
            pull = poc.record.pulls.get(number) if poc else None
            if poc is None or pull is None or pull.state != "open":
                return NOTHING
            known = leaves_charter(_stored(ctx, poc, pull.head_sha), _base(ctx, poc, pull))
            return _say(ctx, poc, pull.head_sha, cause, again_at, leaves_charter=known)
        case SubjectKind.MERGE_GROUP:
            poc, head_sha, base_sha = gather(ctx, int(parts[0])), parts[1], parts[2]
            if poc is None:
                return NOTHING
            known = leaves_charter(_stored(ctx, poc, head_sha), _stored(ctx, poc, base_sha))
            return _say(ctx, poc, head_sha, cause, again_at, leaves_charter=known)
        case _:
            return NOTHING


def _say(
    ctx: Reconciliation,
    poc: Poc,
    head_sha: str,
    cause: str,
    again_at: datetime,
    *,
    leaves_charter: bool,
) -> Decision:
    ctx.under(poc.record.policy, poc.record.installation, poc.known.repository)
    # Asked anew: the reconciliation that failed may have posted its verdict first.
    known, posted = poc.known, ctx.posted(poc.id, head_sha, CHARTER_CHECK, anew=True)
    rerun = ctx.asked_again(head_sha)
    # A verdict that was begun, and got no answer, may have arrived.
    judged = posted is not None and not posted.title.startswith(UNJUDGED)
    declared = known.charter is not None and declares(known.charter)
    is_poc = known.poc_reason or poc_reason(known.repository, declares_charter=declared, policy=ctx.policy)
    if known.removed or not is_poc or (judged and not rerun):
        return NOTHING
    wanted = texts().unjudged(
        Unjudged(cause, again_at, ctx.policy.when_unjudged, leaves_charter, ctx.observe, ctx.observing_day)
    )
    return ctx.check_run(known, head_sha, CHARTER_CHECK, wanted, rerun=rerun)


def _base(ctx: Reconciliation, poc: Poc, pull: PullRequest) -> CharterFile | None:
    """The charter of the branch that a pull request goes to, if it is known."""
    at_default = pull.base_ref == poc.known.repository.default_branch
    return (poc.known.charter if at_default else None) or _stored(ctx, poc, pull.base_sha)


def _stored(ctx: Reconciliation, poc: Poc, commit_sha: str) -> CharterFile | None:
    return ctx.store.pull_requests.charter_at(poc.id, commit_sha)
