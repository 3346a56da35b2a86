"""The check run `POC charter` on one commit: written if it differs from what is posted."""

from __future__ import annotations

from collections.abc import Sequence

from service.reconcile.commit_files import draft_url
from service.reconcile.commit_verdict import CommitCharter
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.pauses import present_pause
from service.reconcile.poc import Poc
from service.rules.evidence.values import Result
from service.rules.values.actions import CHARTER_CHECK, plan_check_run
from service.texts.charter import Signing, check_view
from service.texts.render import texts


def check_charter(
    ctx: Reconciliation,
    poc: Poc,
    commit_charter: CommitCharter,
    results: Sequence[Result] = (),
    signing: Signing | None = None,
) -> Decision:
    """Bring the check run to what it should say, with the values that were measured, and who signs next."""
    repository, verdict, charter = poc.known.repository.ref, commit_charter.verdict, commit_charter.charter
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
    wanted = texts().check_run(verdict, view)
    posted = ctx.posted(repository.id, commit_charter.head_sha, CHARTER_CHECK)
    actions = plan_check_run(
        repository,
        commit_charter.head_sha,
        CHARTER_CHECK,
        wanted,
        posted,
        rerun_requested=commit_charter.rerun,
    )
    outcome = f"{CHARTER_CHECK}: {wanted.conclusion}, {wanted.title}"
    outcome += "".join(f"; not known for now: {reason}" for reason in commit_charter.unanswered)
    return Decision(outcome, actions, poc.known.installation_id)
