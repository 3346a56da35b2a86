"""A POC's life as the default branch shows it: ship gate, kill criteria, deployments, state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from service.reconcile.charter_check import charter_url
from service.reconcile.commands import answer_commands
from service.reconcile.context import Reconciliation
from service.reconcile.deployment import judge_deployment
from service.reconcile.gate_check import judge_default, post_gate
from service.reconcile.measuring import Measured
from service.rules.charter.model import Charter
from service.rules.checks.judge import Judgement, judge_standing
from service.rules.evidence.values import Result
from service.rules.gate.lifecycle import LifecycleFacts, State, state_of
from service.rules.gate.signoffs import Round, Signature, standing
from service.rules.gate.verdict import Gate, Occasion
from service.rules.policy.poc import KnownRepository
from service.rules.values.actions import Action, OpenNotice, PostComment
from service.rules.values.github import EventKind
from service.rules.values.groups import Group
from service.rules.values.recorded import RecordedDeployment, recorded_deployments

STOP_LABEL = "poc-stop-criterion"
SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class PocStatus:
    """What a look at the default branch came to."""

    state: State
    judgement: Judgement
    signed: Mapping[Group, Signature | None]
    """The start round as it stands; empty without a charter."""
    actions: tuple[Action, ...] = ()


def derive_status(ctx: Reconciliation, known: KnownRepository) -> PocStatus:
    """Judge the default branch's head, hear what was asked and deployed, and derive the state."""
    today, records, repository_id = ctx.now.date(), ctx.records, known.repository.id
    judgement = (
        judge_standing(known.charter, today, ctx.policy) if known.charter else Judgement(declared=False)
    )
    charter = judgement.charter
    actions: list[Action] = []
    if ctx.told(EventKind.COMMANDED):
        actions += answer_commands(ctx, known, charter)
    gate: Gate | None = None
    measured: Measured | None = None
    head_sha = records.repositories.default_head(repository_id)
    if charter and head_sha:
        gate, measured = judge_default(ctx, known, judgement, head_sha, Occasion.ORDINARY)
        actions += post_gate(ctx, known, gate, head_sha).actions
        actions += _stop_criteria(ctx, known, charter, measured.stops)
    if charter:
        actions += _deployed(ctx, known, judgement, charter)
    signed = standing(charter, records.signatures.standing(repository_id), Round.START) if charter else {}
    state = _state(ctx, known, judgement, signed, gate=gate, measured=measured)
    if not ctx.dry:
        records.pocs.set_state(repository_id, state, ctx.looked_at)
        if charter and charter.target.environment and signed[Group.PLATFORM]:
            records.pocs.protect(repository_id, charter.target.environment.value)
    return PocStatus(state, judgement, signed, tuple(actions))


def _state(
    ctx: Reconciliation,
    known: KnownRepository,
    judgement: Judgement,
    signed: Mapping[Group, Signature | None],
    *,
    gate: Gate | None,
    measured: Measured | None,
) -> State:
    return state_of(
        LifecycleFacts(
            charter=judgement.charter,
            valid=judgement.valid,
            proposed=ctx.records.pull_requests.proposes_charter(known.repository.id),
            unsigned=tuple(group for group, signature in signed.items() if signature is None),
            measured=bool(measured and any(result.measurement for result in measured.results)),
            proven=bool(gate and gate.proven),
            shipped=ctx.records.pocs.find(known.repository.id).shipped_at is not None,
            archived=known.repository.archived,
        )
    )


def _deployed(
    ctx: Reconciliation, known: KnownRepository, judgement: Judgement, charter: Charter
) -> Iterator[Action]:
    """A deployment of a commit that met everything ships the POC, which is said once.

    The last deployments are looked at again each time: what a commit lacked may arrive after it.
    """
    target, pocs = charter.target.environment, ctx.records.pocs
    shipped = pocs.find(known.repository.id).shipped_at is not None
    if target is None or (shipped and ctx.records.messages.was_said(known.repository.id, SHIPPED)):
        return
    for told in recorded_deployments(pocs.deployed(known.repository.id)):
        if told.deployed.environment.lower() != target.value.lower():
            continue
        verdict = judge_deployment(ctx, known, judgement, told.deployed.sha)
        if verdict.ready:
            if not ctx.dry:
                pocs.ship(known.repository.id, told.deployed.sha, told.at)
            yield from _announce(ctx, known, verdict, told)
            return


def _announce(
    ctx: Reconciliation, known: KnownRepository, verdict: Gate, told: RecordedDeployment
) -> Iterator[Action]:
    number = verdict.facts.request_number
    if number is not None and not ctx.observe:
        text = ctx.texts.shipped(verdict, told.deployed.environment, told.deployed.sha, told.at.date())
        yield PostComment(known.repository.ref, number, SHIPPED, text)


def _stop_criteria(
    ctx: Reconciliation, known: KnownRepository, charter: Charter, stops: Sequence[Result]
) -> Iterator[Action]:
    """Each kill criterion that is true is told once, to the owner and to product."""
    records, repository = ctx.records, known.repository
    shipped = records.pocs.find(repository.id).shipped_at is not None
    if ctx.observe or shipped or charter.stopped or not repository.has_issues:
        return
    owner = charter.owner.value if charter.owner else None
    product = charter.signoffs.product.value if charter.signoffs.product else None
    for result in stops:
        key = f"stop-if:{result.threshold.printed}"
        if result.met and not records.messages.was_said(repository.id, key):
            title, body = ctx.texts.stop_criterion(
                result, owner, product, charter_url=charter_url(ctx, known)
            )
            yield OpenNotice(repository.ref, key, title, body, STOP_LABEL, owner)
