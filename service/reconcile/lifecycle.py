"""A POC's lifecycle on the default branch: ship gate, kill criteria, deployments, state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from service.reconcile.commands import answer_commands
from service.reconcile.commit_files import charter_url, commit, evidence_files, proposal
from service.reconcile.commit_verdict import agreed_charter, agreement_of
from service.reconcile.context import Reconciliation
from service.reconcile.gate_check import (
    deployment_facts,
    held_environment,
    judge_default,
    judge_deployment,
    post_gate,
)
from service.reconcile.measuring import Measured
from service.reconcile.poc import Poc, PocStatus
from service.reconcile.stall_issue import home_of
from service.rules.charter.model import Charter
from service.rules.checks.judge import Judgement, declares, judge_standing
from service.rules.evidence.values import Result
from service.rules.gate.agreement import stop_signed, takes_over
from service.rules.gate.lifecycle import LifecycleFacts, State, state_of
from service.rules.gate.overview import overview
from service.rules.gate.signoffs import Round, Signature, named, standing
from service.rules.gate.verdict import Gate, Occasion
from service.rules.policy.recognition import no_poc_reason
from service.rules.values.actions import Action, OpenNotice, PostComment
from service.rules.values.github import EventKind
from service.rules.values.groups import Group
from service.rules.values.recorded import RecordedDeployment, pushed_files, recorded_deployments
from service.store.pocs import Shipment
from service.texts.render import texts

STOP_LABEL = "poc-stop-criterion"
HELD_LABEL = "poc-environment-held"
SHIPPED = "shipped"


def derive_status(ctx: Reconciliation, poc: Poc) -> PocStatus:
    """Judge the default branch's head, handle ship requests and deployments, and derive the state."""
    today = ctx.now.date()
    judgement = (
        judge_standing(poc.known.charter, today, ctx.policy)
        if poc.known.charter
        else Judgement(declared=False)
    )
    charter = judgement.charter
    _numbers_pushed(ctx, poc)
    actions: list[Action] = []
    if ctx.told(EventKind.COMMANDED):
        actions += answer_commands(ctx, poc, charter)
    gate: Gate | None = None
    measured: Measured | None = None
    head_sha = poc.record.default_head
    if charter and head_sha:
        gate, measured = judge_default(ctx, poc, judgement, head_sha, Occasion.ORDINARY)
        actions += post_gate(ctx, poc, gate, head_sha).actions
        actions += _stop_criteria(ctx, poc, charter, measured.stops)
    if charter and charter.stopped:
        poc.recalled()
    elif charter:
        actions += _deployed(ctx, poc, judgement)
    holders = deployment_facts(ctx, poc, judgement).holders
    signed = _agreed(ctx, poc, judgement, holders)
    state = _state(ctx, poc, judgement, signed, gate=gate, measured=measured)
    poc.became(state, ctx.looked_at)
    poc.shows(overview(gate.facts.charter if gate else charter, measured.results if measured else ()))
    if charter and charter.stopped:
        if stop_signed(agreement_of(ctx, poc, charter), charter, poc.record.standing, ctx.policy):
            poc.protected(None)
    elif charter and charter.target.environment and signed[Group.PLATFORM]:
        poc.protected(charter.target.environment.value)
    return PocStatus(state, judgement, signed, holders, tuple(actions))


def _numbers_pushed(ctx: Reconciliation, poc: Poc) -> None:
    """Mark the pull requests whose push changed a file of evidence: they may be judged already."""
    if not ctx.told(EventKind.FILES_PUSHED):
        return
    files = frozenset(evidence_files(ctx, poc))
    for each in pushed_files(ctx.facts):
        if files.intersection(each.paths):
            ctx.notes.pull_requests.mark_of(poc.id, each.sha)


def _agreed(
    ctx: Reconciliation, poc: Poc, judgement: Judgement, holders: Mapping[Group, str | None]
) -> Mapping[Group, Signature | None]:
    """The start sign-offs of the default branch's charter, which is agreed on from now on if none is missing.

    The first one is agreed on as is. What makes a later one easier is also for those to sign who
    signed the one before.
    """
    charter, file = judgement.charter, poc.known.charter
    if charter is None or file is None:
        return {}
    signed = standing(charter, poc.record.standing, Round.START)
    if not judgement.valid or charter.stopped:
        return signed
    if takes_over(agreement_of(ctx, poc, charter), charter, poc.record.standing, ctx.policy):
        poc.agreed_on(file)
    return {group: None if group in holders else given for group, given in signed.items()}


def left_behind(ctx: Reconciliation, poc: Poc) -> tuple[Action, ...]:
    """Tell owner and product once that an environment stays held although POC or charter are gone."""
    environment, known = held_environment(poc), poc.known
    if environment is None or ctx.observe or known.repository.archived:
        return ()
    gone = known.poc_reason is None or known.charter is None or not declares(known.charter)
    if not gone or (agreed := agreed_charter(ctx, poc)) is None:
        return ()
    home, since = home_of(ctx, poc, None), known.registered_at
    key = f"left:{poc.id}:{since.timestamp() if since else 0:.0f}"
    if home is None or ctx.store.messages.was_said(home.id, key):
        return ()
    reason = "" if known.poc_reason else no_poc_reason(known.repository, ctx.policy)
    title, body = texts().left_behind(agreed, environment, known.repository.full_name, reason)
    return (OpenNotice(home, key, title, body, HELD_LABEL, agreed.owner_login),)


def _state(
    ctx: Reconciliation,
    poc: Poc,
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
            proposed=judgement.charter is None and proposal(ctx, poc) is not None,
            unsigned=tuple(group for group, signature in signed.items() if signature is None),
            measured=bool(measured and any(result.measurement for result in measured.results)),
            proven=bool(gate and gate.proven),
            shipped=poc.record.poc.shipped_at is not None,
            archived=poc.known.repository.archived,
        )
    )


def _deployed(ctx: Reconciliation, poc: Poc, judgement: Judgement) -> Iterator[Action]:
    """A deployment of a commit that met everything ships the POC, which is announced once.

    Until then the last deployments are judged again each time: a missing number may arrive later.
    """
    said = poc.record.poc.shipped_at is not None and ctx.store.messages.was_said(poc.id, SHIPPED)
    held = deployment_facts(ctx, poc, judgement).protected
    for told in recorded_deployments(ctx.facts if said else ctx.store.timeline.deployed(poc.id)):
        environment, sha = told.deployed.environment, told.deployed.sha
        if environment.lower() not in held:
            continue
        verdict = judge_deployment(ctx, poc, judgement, sha)
        if verdict.ready:
            poc.shipped(environment, Shipment(sha, commit(ctx, poc, sha).tree_sha, told.at))
            yield from () if said else _announce(ctx, poc, verdict, told)
            said = True


def _announce(ctx: Reconciliation, poc: Poc, verdict: Gate, told: RecordedDeployment) -> Iterator[Action]:
    number = verdict.facts.request_number
    if number is not None and not ctx.observe:
        text = texts().shipped(verdict, told.deployed.environment, told.deployed.sha, told.at.date())
        yield PostComment(poc.known.repository.ref, number, SHIPPED, text)


def _stop_criteria(
    ctx: Reconciliation, poc: Poc, charter: Charter, stops: Sequence[Result]
) -> Iterator[Action]:
    """Report each kill criterion that came true once, to the owner and to product."""
    repository = poc.known.repository
    shipped = poc.record.poc.shipped_at is not None
    if ctx.observe or shipped or charter.stopped or not repository.has_issues:
        return
    owner, product = charter.owner_login, named(charter, Group.PRODUCT)
    for result in stops:
        key = f"stop-if:{result.threshold.printed}"
        if result.met and not ctx.store.messages.was_said(repository.id, key):
            title, body = texts().stop_criterion(result, owner, product, charter_url=charter_url(ctx, poc))
            yield OpenNotice(repository.ref, key, title, body, STOP_LABEL, owner)
