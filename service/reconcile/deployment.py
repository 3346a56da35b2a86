"""A deployment that waits for our answer gets it: the ship gate's verdict on the commit to be deployed."""

from __future__ import annotations

from dataclasses import replace

from service.ports import GitHubError
from service.reconcile.commit_files import commit
from service.reconcile.commit_verdict import merge_base
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.gate_check import judge_default
from service.reconcile.measuring import resolve_test_merges
from service.reconcile.registration import registered
from service.rules.checks.judge import Judgement, judge_standing
from service.rules.gate.verdict import Gate, GateFacts, Occasion, answer_deployment, elsewhere, gate
from service.rules.policy.poc import KnownRepository
from service.rules.values.actions import AnswerDeployment
from service.rules.values.github import DeploymentRequest
from service.rules.values.recorded import deployment_requests


def reconcile_deployment(ctx: Reconciliation, repository_id: int) -> Decision:
    """Answer each request by the charter of the default branch: what is deployed cannot bring its own."""
    known = registered(ctx, repository_id)
    if known is None:
        return Decision("not covered by an installation any more")
    answers = tuple(_answer(ctx, known, request) for request in deployment_requests(ctx.facts))
    outcome = "; ".join(str(answer) for answer in answers) or "answered before"
    return Decision(outcome, answers, known.installation_id)


def judge_deployment(ctx: Reconciliation, known: KnownRepository, judgement: Judgement, sha: str) -> Gate:
    """The verdict on a commit that is to be deployed, or was: also whether it is what was asked for."""
    for number in ctx.records.evidence.unresolved_numbers(known.repository.id):
        resolve_test_merges(ctx, known, number)
    try:
        verdict, _ = judge_default(ctx, known, judgement, sha, Occasion.DEPLOYMENT)
        if verdict.ready and not _contained(ctx, known, sha):
            return gate(replace(verdict.facts, contained=False))
    except GitHubError as error:
        if not error.gone:
            raise
        # GitHub does not know the commit any more: nothing was measured on it.
        facts = GateFacts(Occasion.DEPLOYMENT, ctx.now.date(), judgement.charter, judgement.valid)
        return gate(replace(facts, observe=ctx.observe))
    return verdict


def _answer(ctx: Reconciliation, known: KnownRepository, request: DeploymentRequest) -> AnswerDeployment:
    today, stored = ctx.now.date(), ctx.records.pocs.find(known.repository.id)
    judged = known.charter if known.poc_reason else None
    judgement = judge_standing(judged, today, ctx.policy) if judged else Judgement(declared=False)
    facts = GateFacts(
        Occasion.DEPLOYMENT,
        today,
        judgement.charter,
        protected=stored.environment if known.poc_reason else None,
        observe=ctx.observe,
    )
    # Nothing has to be measured to let another environment pass.
    passes = elsewhere(facts, request.environment)
    verdict = gate(facts) if passes else judge_deployment(ctx, known, judgement, request.sha)
    answer = answer_deployment(verdict, request.environment)
    comment = ctx.texts.deployment_comment(verdict, answer, request.environment)
    return AnswerDeployment(
        known.repository.ref, request.run_id, request.environment, answer.approved, comment
    )


def _contained(ctx: Reconciliation, known: KnownRepository, sha: str) -> bool:
    """Whether a commit is what was asked for: the ship request's head or files, or on the default branch."""
    repository = known.repository
    request = ctx.records.pocs.find(repository.id).request
    asked = ctx.records.pull_requests.find(repository.id, request.number) if request else None
    if asked and (asked.head_sha == sha or _same_tree(ctx, known, asked.head_sha, sha)):
        return True
    head = ctx.records.repositories.default_head(repository.id)
    if head is None:
        found = ctx.github(known.installation_id).merge_base(repository.ref, sha, repository.default_branch)
        return found == sha
    return head == sha or merge_base(ctx, known, sha, head) == sha


def _same_tree(ctx: Reconciliation, known: KnownRepository, one: str, other: str) -> bool:
    return commit(ctx, known, one).tree_sha == commit(ctx, known, other).tree_sha
