"""Commands with arguments: a snooze is noted; one that would change the charter is answered with the line.

If the organisation granted the permissions, the answer is a pull request that writes the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote

from service.reconcile.commit_files import charter_at
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.amend import Change, amended
from service.rules.charter.model import Charter
from service.rules.checks.judge import judge
from service.rules.commands.arguments import (
    LONGEST_LINE,
    CharterCommand,
    CommandArguments,
    HandOver,
    Snooze,
    read_order,
)
from service.rules.commands.parsing import PREFIX, Command, Refusal, amended_data, branch_for
from service.rules.commands.refusals import PocState, may_not_own, may_not_wait_for, refusal_of, rest_of
from service.rules.source.text import CHARTER_PATH, CharterFile, shown
from service.rules.stall.waiting_on import PausePeriod
from service.rules.values.actions import PULL_REQUEST, Offer, Proposal, ProposalState
from service.rules.values.github import CommandLine, PullRequest, RepositoryRef
from service.rules.values.recorded import RecordedCommand
from service.store.waiting import SNOOZE
from service.texts.commands import AmendView, EditLocation, RequestedChange, amend_view, change_of
from service.texts.render import texts


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where commands were given, about which POC, and what GitHub lets their author do in it."""

    poc: Poc
    charter: Charter | None
    """The default branch's."""
    place: RepositoryRef
    permission: str | None
    pull: PullRequest | None
    brings_charter: bool

    @property
    def elsewhere(self) -> str:
        """The POC's repository, if the command was written in another one."""
        repository = self.poc.known.repository
        return "" if self.place.id == repository.id else repository.full_name


def follow_order(
    ctx: Reconciliation, conversation: Conversation, told: RecordedCommand, command: Command
) -> str | Offer | Refusal:
    """Carry out a command, or explain the refusal; returns the answer, which may be empty."""
    today = ctx.policy.calendar.day(told.at)
    order = read_order(command, today)
    if order is None or isinstance(order, Refusal):
        return order or ""
    if isinstance(order, Snooze):
        return _snooze(ctx, conversation, told, order, today)
    return _amend(ctx, conversation, told, order, today)


def _snooze(
    ctx: Reconciliation, conversation: Conversation, told: RecordedCommand, order: Snooze, today: date
) -> str | Refusal:
    poc, line = conversation.poc, told.line
    source = f"{SNOOZE}{line.source}:{line.index}"
    earlier = tuple(_earlier(poc, told.at, source))
    refusal = refusal_of(order, _present(poc, conversation.charter, today, earlier))
    if refusal is not None:
        return refusal
    order, blocker = order.waits_for(
        poc=poc.known.repository.full_name,
        place=conversation.place.full_name,
        but=tuple(_conversations(conversation, line.number)),
    )
    if blocker is not None and (refusal := _unreadable_to(ctx, poc, told.actor, blocker)):
        return refusal
    poc.paused(source, rest_of(order, today), actor=told.actor, at=told.at)
    if blocker is not None:
        poc.blocked(blocker, told.at, commanded=True)
    return ""


def _unreadable_to(ctx: Reconciliation, poc: Poc, login: str, reference: str) -> Refusal | None:
    """Why somebody may not wait for an issue of another repository; one that we don't read tells nothing."""
    installation_id, name = poc.known.installation_id, reference.partition("#")[0]
    repository = ctx.store.repositories.named(installation_id, name) if name else None
    if repository is None:
        return None
    return may_not_wait_for(reference, ctx.github(installation_id).permission(repository, login))


def _earlier(poc: Poc, at: datetime, source: str) -> Iterator[PausePeriod]:
    """The snoozes from before this one: an interrupted reconciliation may have noted this one already."""
    for each in poc.waiting.snoozes:
        if (each.at, *_numbers(each.source)) < (at, *_numbers(source)):
            yield each.period


def _numbers(source: str) -> list[int]:
    """A comment, and the place of a command in it."""
    return [int(number) for number in source.removeprefix(SNOOZE).split(":")]


def _conversations(conversation: Conversation, number: int) -> Iterator[tuple[str, int]]:
    """Issues that nobody can wait for: the one with the command, and the POC's own stall issue."""
    yield conversation.place.full_name, number
    issue = conversation.poc.record.issue
    if issue is not None and issue.number is not None:
        yield (issue.home or conversation.poc.known.repository.ref).full_name, issue.number


def _present(
    poc: Poc,
    charter: Charter | None,
    today: date,
    snoozes: tuple[PausePeriod, ...] = (),
) -> PocState:
    shipped = poc.record.poc.shipped_at is not None
    return PocState(today, charter, shipped=shipped, snoozes=snoozes)


def _amend(
    ctx: Reconciliation,
    conversation: Conversation,
    told: RecordedCommand,
    order: CharterCommand,
    today: date,
) -> str | Offer | Refusal:
    poc = conversation.poc
    file, desk = _desk(ctx, conversation)
    charter = judge(file, today=ctx.now.date()).charter if file else None
    refusal = refusal_of(order, _present(poc, charter, today)) or _no_owner(ctx, poc, order)
    if refusal is not None:
        return refusal
    change = change_of(order, today)
    amendment = amended(file, change) if file else None
    if file is None or amendment is None or charter is None:
        return _unreadable(order, change)
    dates = [each.ship_by for each in poc.waiting.ship_dates]
    view = amend_view(order, charter, amendment, desk, dates)
    line = texts().charter_line(view)
    if not desk.is_default or not ctx.may_propose(poc.known.installation_id):
        return line
    reason = "" if isinstance(order, HandOver) else order.reason
    asked = RequestedChange(told.actor, reason, _address(ctx, conversation, told.line))
    proposal = _proposal(told.line, file, view, asked)
    if proposal is None:
        return line
    said = {state: texts().charter_proposed(view, PULL_REQUEST, state) for state in ProposalState}
    return Offer(poc.known.repository.ref, proposal, said, line)


def _proposal(
    line: CommandLine, file: CharterFile, view: AmendView, asked: RequestedChange
) -> Proposal | None:
    """The change as a pull request from a branch of the command's own."""
    data = amended_data(file, view.amendment)
    if data is None or file.blob_sha is None:
        return None
    title, body = texts().proposal(view, asked)
    branch = branch_for(view.verb, line)
    return Proposal(branch, view.desk.branch, file.blob_sha, data, title, body)


def _address(ctx: Reconciliation, conversation: Conversation, line: CommandLine) -> str:
    """The page on which a command stands."""
    kind = "pull" if line.is_pull_request else "issues"
    page = f"{ctx.web_url}/{conversation.place.full_name}/{kind}/{line.number}"
    return page + line.anchor


def _no_owner(ctx: Reconciliation, poc: Poc, order: CommandArguments) -> Refusal | None:
    if not isinstance(order, HandOver):
        return None
    permission = ctx.github(poc.known.installation_id).permission(poc.known.repository.ref, order.login)
    return may_not_own(order.login, permission)


def _unreadable(order: CommandArguments, change: Change) -> Refusal:
    line = shown(change.line, LONGEST_LINE)
    where = f" under `{change.key}`, which is a list" if change.is_item else ""
    return Refusal(
        f"`{PREFIX} {order.verb}`: the charter can't be read far enough to name the line. The check "
        f"`POC charter` says why. Once that is fixed, write {line}{where}."
    )


def _desk(ctx: Reconciliation, conversation: Conversation) -> tuple[CharterFile | None, EditLocation]:
    """The charter that would be changed, and where: on the branch that changes it already, or the default."""
    poc, pull = conversation.poc, conversation.pull
    repository = poc.known.repository
    if pull is not None and pull.state == "open" and conversation.brings_charter:
        branch = ctx.github(poc.known.installation_id).head_branch(repository.ref, pull.number)
        if branch is not None:
            file = charter_at(ctx, poc, pull.head_sha)
            return file, EditLocation(_editor(ctx, repository.full_name, branch), branch, is_default=False)
    branch, elsewhere = repository.default_branch, conversation.elsewhere
    path = f"{elsewhere}/{CHARTER_PATH}" if elsewhere else CHARTER_PATH
    return poc.known.charter, EditLocation(
        _editor(ctx, repository.full_name, branch), branch, is_default=True, path=path
    )


def _editor(ctx: Reconciliation, full_name: str, branch: str) -> str:
    return f"{ctx.web_url}/{full_name}/edit/{quote(branch)}/{CHARTER_PATH}"
