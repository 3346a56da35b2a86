"""A POC's life as the default branch shows it: ship gate, kill criteria, deployments, state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.events.charter_check import charter_url
from service.events.command import answer_commands
from service.events.context import Look
from service.events.gate_check import judge_default, post_gate
from service.events.measuring import Measured
from service.events.told import ToldDeployment, deployments
from service.rules.charter.model import Charter
from service.rules.evidence.values import Result, Status
from service.rules.facts import FactKind
from service.rules.gate import Gate, Occasion
from service.rules.judge import Judgement, judge
from service.rules.lifecycle import LifecycleFacts, State, state_of
from service.rules.plan import Action, OpenNotice, PostComment
from service.rules.poc import KnownRepository
from service.rules.signoffs import Round, standing

STOP_LABEL = "poc-stop-criterion"
SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Life:
    """What a look at the default branch came to."""

    state: State
    actions: tuple[Action, ...] = ()


def follow(look: Look, known: KnownRepository) -> Life:
    """Judge the default branch's head, hear what was asked and deployed, and derive the state."""
    judgement = judge(known.charter, today=look.now.date()) if known.charter else None
    charter = judgement.charter if judgement else None
    actions: list[Action] = []
    if look.told(FactKind.COMMANDED):
        actions += answer_commands(look, known, charter)
    gate: Gate | None = None
    measured: Measured | None = None
    head_sha = look.records.repositories.default_head(known.repository.id)
    if judgement and charter and head_sha:
        gate, measured = judge_default(
            look, known, charter, head_sha, valid=judgement.valid, occasion=Occasion.ORDINARY
        )
        actions += post_gate(look, known, gate, head_sha).actions
        actions += _stop_criteria(look, known, charter, measured.stops)
    if judgement and charter:
        actions += _deployed(look, known, judgement, charter)
    state = _state(look, known, judgement, gate, measured)
    look.records.pocs.set_state(known.repository.id, state, look.looked_at)
    return Life(state, tuple(actions))


def _state(
    look: Look,
    known: KnownRepository,
    judgement: Judgement | None,
    gate: Gate | None,
    measured: Measured | None,
) -> State:
    charter = judgement.charter if judgement else None
    given = look.records.signatures.standing(known.repository.id)
    signed = standing(charter, given, Round.START) if charter else {}
    stored = look.records.pocs.find(known.repository.id)
    return state_of(
        LifecycleFacts(
            charter=charter,
            valid=bool(judgement and judgement.valid),
            proposed=look.records.pull_requests.proposes_charter(known.repository.id),
            unsigned=tuple(group for group, signature in signed.items() if signature is None),
            measured=bool(measured and any(result.measurement for result in measured.results)),
            proven=bool(gate and gate.proven),
            shipped=stored.shipped_at is not None,
            archived=known.repository.archived,
        )
    )


def _deployed(look: Look, known: KnownRepository, judgement: Judgement, charter: Charter) -> Iterator[Action]:
    """A deployment of a commit that met everything ships the POC, which is said once."""
    target = charter.target.environment
    for told in deployments(look.facts):
        if target is None or told.deployed.environment.lower() != target.value.lower():
            continue
        verdict, _ = judge_default(
            look,
            known,
            charter,
            told.deployed.sha,
            valid=judgement.valid,
            occasion=Occasion.DEPLOYMENT,
        )
        if verdict.ready:
            look.records.pocs.ship(known.repository.id, told.deployed.sha, told.at)
            yield from _announce(look, known, verdict, told)


def _announce(look: Look, known: KnownRepository, verdict: Gate, told: ToldDeployment) -> Iterator[Action]:
    number = verdict.facts.request_number
    if number is not None and not look.observe:
        text = look.texts.shipped(verdict, told.deployed.environment, told.deployed.sha, told.at.date())
        yield PostComment(known.repository.ref, number, SHIPPED, text)


def _stop_criteria(
    look: Look, known: KnownRepository, charter: Charter, stops: Sequence[Result]
) -> Iterator[Action]:
    """Each kill criterion that is true is told once, to the owner and to product."""
    if look.observe or charter.stopped or not known.repository.has_issues:
        return
    owner = charter.owner.value if charter.owner else None
    product = charter.signoffs.product.value if charter.signoffs.product else None
    for result in stops:
        if result.status is Status.MET:
            title, body = look.texts.stop_criterion(
                result, owner, product, charter_url=charter_url(look, known)
            )
            key = f"stop-if:{result.threshold.printed}"
            yield OpenNotice(known.repository.ref, key, title, body, STOP_LABEL, owner)
