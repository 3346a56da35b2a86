"""A deployment that waits for our answer gets it: the ship gate's verdict on the commit to be deployed."""

from __future__ import annotations

from service.events.context import Decision, Look
from service.events.gate_check import judge_default
from service.events.registration import registered
from service.events.told import deployment_requests
from service.rules.facts import DeploymentRequest
from service.rules.gate import Gate, GateFacts, Occasion, answer_deployment, gate
from service.rules.judge import judge
from service.rules.plan import AnswerDeployment
from service.rules.poc import KnownRepository


def look_at_deployment(look: Look, repository_id: int) -> Decision:
    """Answer each request by the charter of the default branch: what is deployed cannot bring its own."""
    known = registered(look, repository_id)
    if known is None:
        return Decision("not covered by an installation any more")
    requests = deployment_requests(look.facts)
    answers = tuple(_answer(look, known, request) for request in requests)
    outcome = "; ".join(str(answer) for answer in answers) or "answered before"
    return Decision(outcome, answers, known.installation_id)


def _answer(look: Look, known: KnownRepository, request: DeploymentRequest) -> AnswerDeployment:
    verdict = _verdict(look, known, request)
    answer = answer_deployment(verdict, request.environment)
    comment = look.texts.deployment_comment(verdict, answer, request.environment)
    return AnswerDeployment(
        known.repository.ref, request.run_id, request.environment, answer.approved, comment
    )


def _verdict(look: Look, known: KnownRepository, request: DeploymentRequest) -> Gate:
    today = look.now.date()
    judgement = judge(known.charter, today=today) if known.charter and known.poc_reason else None
    if judgement is None or judgement.charter is None:
        return gate(GateFacts(Occasion.DEPLOYMENT, today, None, observe=look.observe))
    verdict, _ = judge_default(
        look,
        known,
        judgement.charter,
        request.sha,
        valid=judgement.valid,
        occasion=Occasion.DEPLOYMENT,
    )
    return verdict
