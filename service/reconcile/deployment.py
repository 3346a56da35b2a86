"""Answer a waiting deployment with the ship gate's verdict on its commit."""

from __future__ import annotations

from dataclasses import replace

from service.ports import GitHubError
from service.reconcile.commit_files import commit
from service.reconcile.commit_verdict import merge_base
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.gate_check import judge_default
from service.reconcile.measuring import resolve_test_merges
from service.reconcile.poc import Poc
from service.reconcile.registration import gather, registered
from service.rules.checks.judge import Judgement, judge_standing
from service.rules.gate.verdict import Gate, GateFacts, Occasion, answer_deployment, elsewhere, gate
from service.rules.values.actions import AnswerDeployment
from service.rules.values.github import DeploymentRequest
from service.rules.values.recorded import deployment_requests


def reconcile_deployment(ctx: Reconciliation, repository_id: int) -> Decision:
    """Answer each request by the default branch's charter: a deployed commit can't bring its own."""
    poc = registered(ctx, gather(ctx, repository_id))
    if poc is None:
        return Decision("not covered by an installation any more")
    answers = tuple(_answer(ctx, poc, request) for request in deployment_requests(ctx.facts))
    outcome = "; ".join(str(answer) for answer in answers) or "answered before"
    return Decision(outcome, answers, poc.known.installation_id)


def judge_deployment(ctx: Reconciliation, poc: Poc, judgement: Judgement, sha: str) -> Gate:
    """The verdict on a commit that is or was deployed, and whether it is the requested one."""
    for number in ctx.store.evidence.unresolved_numbers(poc.id):
        resolve_test_merges(ctx, poc, number)
    try:
        verdict, _ = judge_default(ctx, poc, judgement, sha, Occasion.DEPLOYMENT)
        if verdict.ready and not _contained(ctx, poc, sha):
            return gate(replace(verdict.facts, contained=False))
    except GitHubError as error:
        if not ctx.absent(error):
            raise
        # GitHub no longer knows the commit: nothing was measured on it.
        facts = GateFacts(Occasion.DEPLOYMENT, ctx.now.date(), judgement.charter, judgement.valid)
        return gate(replace(facts, observe=ctx.observe))
    return verdict


def _answer(ctx: Reconciliation, poc: Poc, request: DeploymentRequest) -> AnswerDeployment:
    today, stored = ctx.now.date(), poc.record.poc
    judged = poc.known.charter if poc.known.poc_reason else None
    judgement = judge_standing(judged, today, ctx.policy) if judged else Judgement(declared=False)
    facts = GateFacts(
        Occasion.DEPLOYMENT,
        today,
        judgement.charter,
        protected=stored.environment if poc.known.poc_reason else None,
        observe=ctx.observe,
    )
    # Other environments pass without any measurement.
    passes = elsewhere(facts, request.environment)
    verdict = gate(facts) if passes else judge_deployment(ctx, poc, judgement, request.sha)
    answer = answer_deployment(verdict, request.environment)
    comment = ctx.texts.deployment_comment(verdict, answer, request.environment)
    return AnswerDeployment(
        poc.known.repository.ref, request.run_id, request.environment, answer.approved, comment
    )


def _contained(ctx: Reconciliation, poc: Poc, sha: str) -> bool:
    """Whether a commit was requested: the ship request's head or files, or one on the default branch."""
    repository = poc.known.repository
    request = poc.record.poc.request
    asked = poc.record.pulls.get(request.number) if request else None
    if asked and (asked.head_sha == sha or _same_tree(ctx, poc, asked.head_sha, sha)):
        return True
    head = poc.record.default_head
    if head is None:
        found = ctx.github(poc.known.installation_id).merge_base(
            repository.ref, sha, repository.default_branch
        )
        return found == sha
    return head == sha or merge_base(ctx, poc, sha, head) == sha


def _same_tree(ctx: Reconciliation, poc: Poc, one: str, other: str) -> bool:
    return commit(ctx, poc, one).tree_sha == commit(ctx, poc, other).tree_sha
