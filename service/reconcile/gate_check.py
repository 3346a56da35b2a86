"""The check run `POC ship gate` on one commit, and the verdict that answers deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from service.ports import GitHubError
from service.reconcile.commit_files import charter_url, commit
from service.reconcile.commit_verdict import CommitCharter, merge_base
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.measuring import Measured, measure, resolve_test_merges
from service.reconcile.poc import Poc
from service.rules.charter.goalposts import Move
from service.rules.charter.model import Charter
from service.rules.checks.judge import Judgement
from service.rules.evidence.values import Result
from service.rules.gate.signoffs import Round, Signature, enforced_charter, standing, unsigned_moves
from service.rules.gate.verdict import COMPARED, Gate, GateFacts, Occasion, gate, unsigned_only
from service.rules.values.actions import GATE_CHECK, plan_check_run
from service.rules.values.groups import Group
from service.store.pocs import ShipRequest
from service.texts.gate import gate_view
from service.texts.render import texts

NOTHING = Measured((), ())


def check_gate(
    ctx: Reconciliation,
    poc: Poc,
    commit_charter: CommitCharter,
    results: tuple[Result, ...],
    number: int | None = None,
) -> Decision:
    """Bring the check run on a commit to what it should say; `number` is the pull request's, if it is one's.

    `results` are those by the commit's own charter. Goalposts that the change loosens count as they were
    before it, until the people responsible for them have signed.
    """
    signatures = poc.record.standing
    request = poc.record.poc.request
    asked_here = request is not None and request.number == number
    charter = commit_charter.charter
    unsigned: tuple[Move, ...] = ()
    if charter and commit_charter.before:
        unsigned = unsigned_moves(commit_charter.verdict.moves, commit_charter.before, charter, signatures)
        charter = enforced_charter(commit_charter.before, charter, unsigned)
        if unsigned:
            results = measure(ctx, poc, charter, commit_charter.head_sha).results
    facts = GateFacts(
        occasion=Occasion.SHIP_REQUEST if asked_here else Occasion.ORDINARY,
        today=ctx.now.date(),
        charter=charter,
        valid=commit_charter.valid,
        results=results,
        # Sign-offs are for the proposed charter even while the gate still applies the previous thresholds.
        signatures=_shipping(commit_charter.charter, signatures, request, signers=charter),
        request_number=request.number if request else None,
        asked_on=request.asked_at.date() if request else None,
        unsigned=unsigned,
        observe=ctx.observe,
    )
    verdict = gate(facts)
    if asked_here and number is not None:
        poc.ship_request_judged(number, unsigned_only(verdict), ctx.looked_at)
    return post_gate(ctx, poc, verdict, commit_charter.head_sha, rerun=commit_charter.rerun)


def post_gate(
    ctx: Reconciliation, poc: Poc, verdict: Gate, head_sha: str, *, rerun: bool = False
) -> Decision:
    """Write the verdict if it differs from what is posted on the commit."""
    repository = poc.known.repository.ref
    number = verdict.facts.request_number
    view = gate_view(
        verdict,
        base_ref=poc.known.repository.default_branch,
        charter_url=charter_url(ctx, poc),
        request_url=f"{ctx.web_url}/{repository.full_name}/pull/{number}" if number else None,
    )
    wanted = texts().gate_check(verdict, view)
    posted = ctx.posted(repository.id, head_sha, GATE_CHECK)
    actions = plan_check_run(repository, head_sha, GATE_CHECK, wanted, posted, rerun_requested=rerun)
    return Decision(f"{GATE_CHECK}: {wanted.conclusion}, {wanted.title}", actions, poc.known.installation_id)


def judge_default(
    ctx: Reconciliation, poc: Poc, judgement: Judgement, commit_sha: str, occasion: Occasion
) -> tuple[Gate, Measured]:
    """The verdict on a commit by the default branch's charter: on its head, or on what is deployed."""
    charter = judgement.charter
    measured = measure(ctx, poc, charter, commit_sha, same_tree=True) if charter else NOTHING
    stored = poc.record.poc
    request = stored.request
    if measured.results and all(each.status in COMPARED for each in measured.results):
        poc.bound(ctx.looked_at)
    given = poc.record.standing
    facts = GateFacts(
        occasion=occasion,
        today=ctx.now.date(),
        charter=charter,
        valid=judgement.valid,
        results=measured.results,
        signatures=_shipping(charter, given, request),
        request_number=request.number if request else None,
        asked_on=request.asked_at.date() if request else None,
        bound=stored.bound,
        protected=stored.environment,
        observe=ctx.observe,
    )
    return gate(facts), measured


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


def _shipping(
    charter: Charter | None,
    signatures: Sequence[Signature],
    request: ShipRequest | None,
    *,
    signers: Charter | None = None,
) -> Mapping[Group, Signature | None]:
    """The sign-offs of the ship request; empty without one."""
    if charter is None or request is None:
        return {}
    number, since = request.number, request.asked_at
    return standing(charter, signatures, Round.SHIP, number=number, since=since, signers=signers)
