"""The check run `POC charter` on one commit: written if it differs from what is posted."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from service.reconcile.commit_verdict import CommitCharter
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.draft import draft
from service.rules.evidence.values import Result
from service.rules.source.text import CHARTER_PATH, FileKind
from service.rules.values.actions import CHARTER_CHECK, plan_check_run
from service.texts.charter import check_view


def check_charter(
    ctx: Reconciliation, poc: Poc, commit_charter: CommitCharter, results: Sequence[Result] = ()
) -> Decision:
    """Bring the check run to what it should say, with the values that were measured."""
    repository, verdict = poc.known.repository.ref, commit_charter.verdict
    view = check_view(
        verdict,
        poc_reason=poc.known.poc_reason or "",
        base_ref=commit_charter.base_ref,
        draft_url=draft_url(ctx, poc, commit_charter.base_ref),
        observe=ctx.observe,
        results=results,
    )
    wanted = ctx.texts.check_run(verdict, view)
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


def draft_url(ctx: Reconciliation, poc: Poc, branch: str | None = None) -> str:
    """GitHub's editor with a charter filled in; it needs no write permission of ours."""
    repository = poc.known.repository
    if poc.known.charter is not None and poc.known.charter.kind is FileKind.FILE:
        return charter_url(ctx, poc)  # the new-file page refuses a name that exists already
    text = draft(repository=repository.name, owner=None, today=None)
    place = f"{ctx.web_url}/{repository.full_name}/new/{quote(branch or repository.default_branch)}"
    return f"{place}?filename={CHARTER_PATH}&value={quote(text)}"


def charter_url(ctx: Reconciliation, poc: Poc) -> str:
    """Where people edit the charter."""
    repository = poc.known.repository
    return f"{ctx.web_url}/{repository.full_name}/edit/{quote(repository.default_branch)}/{CHARTER_PATH}"
