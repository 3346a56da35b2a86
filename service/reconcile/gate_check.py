"""The check run `POC ship gate` on one commit, and the verdict that answers deployments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from service.ports import GitHubError
from service.reconcile.commit_files import charter_url, commit
from service.reconcile.commit_verdict import CommitCharter, agreed_charter, merge_base
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.measuring import NOTHING, Measured, measure, resolve_test_merges
from service.reconcile.poc import Poc
from service.rules.charter.model import Charter
from service.rules.checks.judge import Judgement
from service.rules.evidence.values import Result
from service.rules.gate.agreement import Agreement, Applied, agreement, applied
from service.rules.gate.signoffs import Round, Signature, named, people_of, standing
from service.rules.gate.verdict import COMPARED, Gate, GateFacts, Occasion, gate, unsigned_only
from service.rules.policy.recognition import no_poc_reason
from service.rules.queue import FailureKind
from service.rules.stall.forecast import forecast, outlook
from service.rules.values.actions import GATE_CHECK
from service.rules.values.groups import Group
from service.texts.charter import Signing
from service.texts.gate import gate_view
from service.texts.render import texts
from service.texts.stall import outlook_on_pull_request


def gate_speaks(
    ctx: Reconciliation, poc: Poc, commit_charter: CommitCharter, measured: Measured, number: int | None
) -> bool:
    """Whether the gate is posted on a commit: on ordinary work only where it bears on shipping.

    That is where the change is known, without a call, to touch the charter or a number: by the upload of a
    workflow run, or by what the push to its branch named. What is posted already is kept true.
    """
    request, head_sha = poc.record.poc.request, commit_charter.head_sha
    if number is None or (request is not None and request.number == number):
        return True
    if commit_charter.verdict.case.touched or measured.sent:
        return True
    if ctx.posted(poc.id, head_sha, GATE_CHECK) is not None:
        return True
    charter = commit_charter.charter
    files = {line.reading.file for line in charter.evidence} if charter else set[str]()
    return bool(files) and not files.isdisjoint(ctx.store.timeline.files_pushed(poc.id, head_sha))


def check_gate(
    ctx: Reconciliation,
    poc: Poc,
    commit_charter: CommitCharter,
    results: tuple[Result, ...],
    number: int | None = None,
) -> Decision:
    """Bring the check run on a commit to what it should say; `number` is the pull request's, if it is one's.

    `results` are those by the commit's own charter. What that makes easier counts as it was before, until the
    people responsible for it have signed.
    """
    request = poc.record.poc.request
    asked_here = request is not None and request.number == number
    charter = commit_charter.charter
    count = _applied(ctx, poc, charter, commit_charter)
    if charter and count.charter != charter:
        results = measure(ctx, poc, count.charter, commit_charter.head_sha).results
    if asked_here:
        _note_bound(ctx, poc, results)
    facts = GateFacts(
        occasion=Occasion.SHIP_REQUEST if asked_here else Occasion.ORDINARY,
        today=ctx.now.date(),
        charter=count.charter if charter else None,
        valid=commit_charter.valid,
        results=results,
        request_number=number if asked_here else None,
        asked_on=request.asked_at.date() if request and asked_here else None,
        unsigned=count.unsigned,
        holders=count.holders,
        observe=ctx.observe,
        observed=ctx.policy.observed.rules,
    )
    # Sign-offs are for the proposed charter even while the gate still applies the previous thresholds.
    verdict = gate(_with_signoffs(ctx, poc, facts, charter, head=commit_charter.head_sha))
    if asked_here and number is not None:
        poc.ship_request_judged(number, unsigned_only(verdict), ctx.looked_at)
    return post_gate(ctx, poc, verdict, commit_charter.head_sha, rerun=commit_charter.rerun)


def signing_of(ctx: Reconciliation, poc: Poc, commit_charter: CommitCharter) -> Signing | None:
    """How far the charter that a change brings is signed to start; None where nobody is asked to sign it."""
    charter = commit_charter.charter
    written = commit_charter.verdict.case.written and commit_charter.valid
    if charter is None or not written or charter.stopped:
        return None
    holders = _applied(ctx, poc, charter, commit_charter).holders
    given = standing(charter, poc.record.standing, Round.START)
    asked = dict.fromkeys((*given, *holders))
    missing = [group for group in asked if given.get(group) is None or group in holders]
    people = (holders.get(group) or named(charter, group) for group in missing)
    by_name = {login.lower(): login for login in people if login}
    said = _outlook(ctx, poc, charter, missing)
    return Signing(tuple(by_name.values()), len(asked) - len(missing), len(asked), said)


def _outlook(ctx: Reconciliation, poc: Poc, charter: Charter, missing: Collection[Group]) -> str:
    """What past signatures say of the ship date; read only where one is missing, empty without a record."""
    if not missing or charter.ship_by is None:
        return ""
    calendar = ctx.policy.calendar
    # A text that stays must not be another one with each signature that somebody gives elsewhere.
    month = calendar.day(ctx.now).replace(day=1)
    turns = ctx.store.forecasts.past_turns(poc.known.installation_id)
    known = forecast([each for each in turns if calendar.day(each.until) < month], calendar)
    today, ship_by = calendar.day(ctx.now), charter.ship_by.value
    found = outlook(known, missing, ship_by=ship_by, today=today, calendar=calendar)
    return outlook_on_pull_request(found) if found else ""


def _applied(
    ctx: Reconciliation, poc: Poc, charter: Charter | None, commit_charter: CommitCharter | None = None
) -> Applied:
    """A charter as it counts for shipping, held against the one agreed on, or else what a change began with.

    Whom the charter before names is asked about a change even if they never signed it; once it is merged,
    only who had signed.
    """
    agreed = agreed_charter(ctx, poc)
    before = agreed or (commit_charter.before if commit_charter and commit_charter.valid else None)
    if charter is None or before is None:
        return Applied(charter or Charter(line=1))
    held = Agreement(before)
    if agreed and not (commit_charter and commit_charter.verdict.case.written):
        held = agreement(agreed, [each.signature for each in poc.record.signatures])
    return applied(held, charter, poc.record.standing, ctx.policy)


def post_gate(
    ctx: Reconciliation, poc: Poc, verdict: Gate, head_sha: str, *, rerun: bool = False
) -> Decision:
    """Write the verdict if it differs from what is posted on the commit."""
    repository = poc.known.repository
    view = gate_view(
        verdict,
        base_ref=repository.default_branch,
        charter_url=charter_url(ctx, poc),
        compare_url=f"{ctx.web_url}/{repository.full_name}/compare/",
        observing=ctx.observing_day,
    )
    wanted = texts().gate_check(verdict, view)
    return ctx.check_run(poc.known, head_sha, GATE_CHECK, wanted, rerun=rerun)


def deployment_facts(ctx: Reconciliation, poc: Poc, judgement: Judgement) -> GateFacts:
    """What a deployment is judged by before anything is measured: the charter as it counts, and where.

    Where there is no charter any more, or no POC, only the environment that platform signed for is held.
    """
    stored, charter = poc.record.poc, judgement.charter
    count = _applied(ctx, poc, charter) if charter else Applied(Charter(line=1))
    agreed = agreed_charter(ctx, poc)
    targets = [each.target.environment for each in (charter, agreed) if each and judgement.declared]
    named = [target.value for target in targets if target]
    held = [held_environment(poc) if charter is None else stored.environment, *named]
    outside = "" if poc.known.poc_reason else no_poc_reason(poc.known.repository, ctx.policy)
    return GateFacts(
        occasion=Occasion.DEPLOYMENT,
        today=ctx.now.date(),
        charter=agreed if outside else count.charter if charter else None,
        valid=judgement.valid,
        request_number=stored.request.number if stored.request else None,
        asked_on=stored.request.asked_at.date() if stored.request else None,
        unsigned=count.unsigned,
        holders=count.holders,
        bound=stored.bound,
        protected=frozenset(name.lower() for name in held if name),
        outside=outside,
        observe=ctx.observe,
        observed=ctx.policy.observed.rules,
    )


def held_environment(poc: Poc) -> str | None:
    """The environment that platform signed for, until the POC ships or product has signed its stop."""
    return None if poc.record.poc.shipped_at else poc.record.poc.environment


def judge_default(
    ctx: Reconciliation, poc: Poc, judgement: Judgement, commit_sha: str, occasion: Occasion
) -> tuple[Gate, Measured]:
    """The verdict on a commit by the default branch's charter: on its head, or on what is deployed."""
    facts = deployment_facts(ctx, poc, judgement)
    measured = measure(ctx, poc, facts.charter, commit_sha, same_tree=True) if facts.charter else NOTHING
    _note_bound(ctx, poc, measured.results)
    facts = replace(facts, occasion=occasion, results=measured.results)
    return gate(_with_signoffs(ctx, poc, facts, judgement.charter)), measured


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
        return gate(deployment_facts(ctx, poc, judgement))  # no such commit: nothing was measured on it
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


def _note_bound(ctx: Reconciliation, poc: Poc, results: Sequence[Result]) -> None:
    """From when every threshold had a value, one that is missing later is missing."""
    if results and all(each.status in COMPARED for each in results):
        poc.bound(ctx.looked_at)


def _with_signoffs(
    ctx: Reconciliation, poc: Poc, facts: GateFacts, charter: Charter | None, *, head: str = ""
) -> GateFacts:
    """Add the ship request's sign-offs of a charter, by the people whom `facts.charter` names.

    Ordinary work has none. `head` is the commit that has to be approved, if it is not the request's newest.
    """
    request = poc.record.poc.request
    if charter is None or facts.charter is None or request is None or facts.occasion is Occasion.ORDINARY:
        return facts
    pull, signers = poc.record.pulls.get(request.number), people_of(facts.charter)
    head = head or (pull.head_sha if pull else "")

    def given(of: str | None) -> Mapping[Group, Signature | None]:
        return standing(
            charter,
            poc.record.standing,
            Round.SHIP,
            number=request.number,
            since=request.asked_at,
            head=of,
            signers=signers,
        )

    of_head, of_any = given(head), given(None)
    signatures = {group: of_head[group] or of_any[group] for group in of_any}
    earlier = {group: each for group, each in signatures.items() if each and not of_head[group]}
    approved = dict.fromkeys(each.commit for each in earlier.values() if each.commit)
    return replace(
        facts,
        signatures=of_head if ctx.policy.of_head else signatures,
        outdated=earlier if ctx.policy.of_head else {},
        newer={sha: _ahead(ctx, poc, sha, head) for sha in approved},
        head_sha=head,
    )


def _ahead(ctx: Reconciliation, poc: Poc, sha: str, head: str) -> int | None:
    """How many commits came after one that was approved; no verdict waits for this number."""
    known = ctx.store.pull_requests.ahead(poc.id, sha, head)
    if known is not None:
        return known
    try:
        base, ahead = ctx.github(poc.known.installation_id).ahead(poc.known.repository.ref, sha, head)
    except GitHubError as error:
        if error.failure.kind is FailureKind.RATE_LIMITED:
            raise
        ctx.look_again(ctx.now)
        return None
    ctx.notes.pull_requests.remember_ahead(poc.id, sha, head, base, ahead)
    return ahead
