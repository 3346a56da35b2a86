"""Answer a waiting deployment with the ship gate's verdict on its commit."""

from __future__ import annotations

from datetime import date

from service.ports import GitHubError
from service.reconcile.commit_files import commit
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.gate_check import deployment_facts, judge_deployment
from service.reconcile.poc import Poc
from service.reconcile.registration import gather, registered
from service.rules.checks.judge import Judgement, judge_standing
from service.rules.gate.verdict import answer_deployment, elsewhere, gate
from service.rules.values.actions import AnswerDeployment
from service.rules.values.github import DeploymentRequest
from service.rules.values.recorded import deployment_requests
from service.texts.render import texts


def reconcile_deployment(ctx: Reconciliation, repository_id: int) -> Decision:
    """Answer each request by the default branch's charter: a deployed commit can't bring its own."""
    poc = registered(ctx, gather(ctx, repository_id))
    if poc is None:
        return Decision("not covered by an installation any more")
    answers = tuple(_answer(ctx, poc, request) for request in deployment_requests(ctx.facts))
    outcome = "; ".join(str(answer) for answer in answers) or "answered before"
    return Decision(outcome, answers, poc.known.installation_id)


def _answer(ctx: Reconciliation, poc: Poc, request: DeploymentRequest) -> AnswerDeployment:
    judged = poc.known.charter if poc.known.poc_reason else None
    judgement = judge_standing(judged, ctx.now.date(), ctx.policy) if judged else Judgement(declared=False)
    facts = deployment_facts(ctx, poc, judgement)
    # Other environments pass without any measurement.
    passes = elsewhere(facts, request.environment)
    verdict = gate(facts) if passes or facts.outside else judge_deployment(ctx, poc, judgement, request.sha)
    shipped_on = None if passes or facts.outside or verdict.ready else _shipped_on(ctx, poc, request)
    answer = answer_deployment(verdict, request.environment, shipped_on=shipped_on)
    comment = texts().deployment_comment(verdict, answer, request.environment)
    return AnswerDeployment(
        poc.known.repository.ref, request.run_id, request.environment, answer.approved, comment
    )


def _shipped_on(ctx: Reconciliation, poc: Poc, request: DeploymentRequest) -> date | None:
    """When the commit, or one with the same files, shipped to the same environment; None if it never did."""
    shipments = ctx.store.pocs.shipments(poc.record.poc_id, request.environment)
    if not shipments:
        return None
    same = [each for each in shipments if each.sha == request.sha]
    if not same and (tree_sha := _tree_sha(ctx, poc, request.sha)):
        same = [each for each in shipments if (each.tree_sha or _tree_sha(ctx, poc, each.sha)) == tree_sha]
    return same[0].at.date() if same else None


def _tree_sha(ctx: Reconciliation, poc: Poc, sha: str) -> str | None:
    """What names a commit's files; None if GitHub no longer knows the commit."""
    try:
        return commit(ctx, poc, sha).tree_sha
    except GitHubError as error:
        if not ctx.absent(error):
            raise
        return None
