"""A deployment that waits for our answer gets it: the ship gate's verdict on the commit to be deployed."""

from __future__ import annotations

from dataclasses import replace

from service.ports import GitHubError
from service.reconcile.commit_files import commit
from service.reconcile.commit_verdict import merge_base
from service.reconcile.context import Decision, Look
from service.reconcile.gate_check import judge_default
from service.reconcile.measuring import resolve_test_merges
from service.reconcile.registration import registered
from service.rules.checks.judge import Judgement, judge_standing
from service.rules.gate.verdict import Gate, GateFacts, Occasion, answer_deployment, elsewhere, gate
from service.rules.policy.poc import KnownRepository
from service.rules.values.actions import AnswerDeployment
from service.rules.values.github import DeploymentRequest
from service.rules.values.recorded import deployment_requests


def look_at_deployment(look: Look, repository_id: int) -> Decision:
    """Answer each request by the charter of the default branch: what is deployed cannot bring its own."""
    known = registered(look, repository_id)
    if known is None:
        return Decision("not covered by an installation any more")
    answers = tuple(_answer(look, known, request) for request in deployment_requests(look.facts))
    outcome = "; ".join(str(answer) for answer in answers) or "answered before"
    return Decision(outcome, answers, known.installation_id)


def judge_deployment(look: Look, known: KnownRepository, judgement: Judgement, sha: str) -> Gate:
    """The verdict on a commit that is to be deployed, or was: also whether it is what was asked for."""
    for number in look.records.evidence.unresolved_numbers(known.repository.id):
        resolve_test_merges(look, known, number)
    try:
        verdict, _ = judge_default(look, known, judgement, sha, Occasion.DEPLOYMENT)
        if verdict.ready and not _contained(look, known, sha):
            return gate(replace(verdict.facts, contained=False))
    except GitHubError as error:
        if not error.gone:
            raise
        # GitHub does not know the commit any more: nothing was measured on it.
        facts = GateFacts(Occasion.DEPLOYMENT, look.now.date(), judgement.charter, judgement.valid)
        return gate(replace(facts, observe=look.observe))
    return verdict


def _answer(look: Look, known: KnownRepository, request: DeploymentRequest) -> AnswerDeployment:
    today, stored = look.now.date(), look.records.pocs.find(known.repository.id)
    judged = known.charter if known.poc_reason else None
    judgement = judge_standing(judged, today, look.policy) if judged else Judgement(declared=False)
    facts = GateFacts(
        Occasion.DEPLOYMENT,
        today,
        judgement.charter,
        protected=stored.environment if known.poc_reason else None,
        observe=look.observe,
    )
    # Nothing has to be measured to let another environment pass.
    passes = elsewhere(facts, request.environment)
    verdict = gate(facts) if passes else judge_deployment(look, known, judgement, request.sha)
    answer = answer_deployment(verdict, request.environment)
    comment = look.texts.deployment_comment(verdict, answer, request.environment)
    return AnswerDeployment(
        known.repository.ref, request.run_id, request.environment, answer.approved, comment
    )


def _contained(look: Look, known: KnownRepository, sha: str) -> bool:
    """Whether a commit is what was asked for: the ship request's head or files, or on the default branch."""
    repository = known.repository
    request = look.records.pocs.find(repository.id).request
    asked = look.records.pull_requests.find(repository.id, request.number) if request else None
    if asked and (asked.head_sha == sha or _same_tree(look, known, asked.head_sha, sha)):
        return True
    head = look.records.repositories.default_head(repository.id)
    if head is None:
        found = look.github(known.installation_id).merge_base(repository.ref, sha, repository.default_branch)
        return found == sha
    return head == sha or merge_base(look, known, sha, head) == sha


def _same_tree(look: Look, known: KnownRepository, one: str, other: str) -> bool:
    return commit(look, known, one).tree_sha == commit(look, known, other).tree_sha
