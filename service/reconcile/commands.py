"""Commands in comments: each is carried out, or refused with the reason, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from service.reconcile.command_arguments import Conversation, follow_order
from service.reconcile.commit_verdict import agreed_charter
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.model import Charter
from service.rules.commands.parsing import (
    SAYS_NOTHING,
    WRITERS,
    Command,
    Refusal,
    Verb,
    another_account,
    authorise,
    misplaced,
    parse_commands,
)
from service.rules.gate.signoffs import give, groups_of, is_another, rounds_of
from service.rules.values import activity
from service.rules.values.actions import Action, Offer, PostComment, Propose, React
from service.rules.values.github import CommandLine, PullRequest, RepositoryRef, SaidIn
from service.rules.values.recorded import RecordedCommand, answer_key, recorded_commands
from service.texts.render import texts

SEEN = "+1"


@dataclass(slots=True)
class Answers:
    """The result of one comment: the answers to its commands, and whether any was carried out."""

    said: list[str | Offer] = field(default_factory=list)
    followed: bool = False

    def say(self, what: str | Offer) -> None:
        """Add an answer; the same text is added once."""
        if what and what not in self.said:
            self.said.append(what)


def answer_commands(
    ctx: Reconciliation,
    poc: Poc,
    charter: Charter | None,
    pull: PullRequest | None = None,
    *,
    brings_charter: bool = False,
) -> tuple[Action, ...]:
    """Carry out the commands that were recorded since the last time, and answer each comment once.

    `pull` is the pull request that they were given on, `brings_charter` whether it changes the charter.
    """
    actions: list[Action] = []
    permissions: dict[str, str | None] = {}
    for _, told in groupby(recorded_commands(ctx.facts), key=lambda each: each.line.source):
        each, *more = told
        place = _place(poc, each.line)
        if place is None:
            continue
        if each.actor not in permissions:
            github = ctx.github(poc.known.installation_id)
            permissions[each.actor] = github.permission(poc.known.repository.ref, each.actor)
        conversation = Conversation(poc, charter, place, permissions[each.actor], pull, brings_charter)
        answers = _heard(ctx, conversation, (each, *more))
        actions += _acknowledged(place, each.line, answers)
    return () if ctx.observe else tuple(actions)


def _place(poc: Poc, line: CommandLine) -> RepositoryRef | None:
    """Where a command was given; None if its issue isn't this POC's stall issue after all."""
    if line.home is None:
        return poc.known.repository.ref
    issue = poc.record.issue
    if issue is None or issue.home is None or (issue.home.id, issue.number) != (line.home, line.number):
        return None
    return issue.home


def _heard(ctx: Reconciliation, conversation: Conversation, comment: tuple[RecordedCommand, ...]) -> Answers:
    """Carry out the commands of a comment; a repeated line counts once."""
    answers = Answers()
    heard: set[str] = set()
    for told in comment:
        command = next(iter(parse_commands(told.line.text)), None)
        if command is None or command.text in heard:
            continue
        heard.add(command.text)
        refusal = _refusal(ctx, conversation, told, command)
        said = refusal or _followed(ctx, conversation, told, command)
        if isinstance(said, Refusal):
            answers.say(texts().refused_command(command.text, said.reason))
            continue
        answers.say(said)
        answers.followed = True
        if command.verb not in SAYS_NOTHING:
            repository_id = conversation.poc.known.repository.id
            did = activity.commanded(repository_id, told.line, told.actor, told.at)
            conversation.poc.acted(did)
    return answers


def _acknowledged(place: RepositoryRef, line: CommandLine, answers: Answers) -> Iterator[Action]:
    number, key = line.number, answer_key(line)
    said = [each for each in answers.said if isinstance(each, str)]
    if len(said) < len(answers.said):
        yield Propose(place, number, key, tuple(answers.said))
    elif said:
        yield PostComment(place, number, key, "\n".join(said))
    # GitHub's REST API has no reactions to reviews.
    if answers.followed and line.said_in is not SaidIn.REVIEW:
        yield React(place, number, line.comment_id if line.said_in is SaidIn.COMMENT else None, SEEN)


def _refusal(
    ctx: Reconciliation, conversation: Conversation, told: RecordedCommand, command: Command
) -> Refusal | None:
    agreed = agreed_charter(ctx, conversation.poc)
    allows = bool(
        ctx.policy.groups_of(told.actor)
        or ctx.policy.deputy_of(told.actor)
        or (agreed and groups_of(agreed, told.actor))
    )
    refusal = authorise(
        command,
        permission=conversation.permission,
        login=told.actor,
        charter=conversation.charter,
        is_pull_request=told.line.is_pull_request,
        elsewhere=conversation.elsewhere,
        allows=allows,
        belongs=command.verb is Verb.SIGN and _belongs(ctx, conversation, told.actor),
    )
    if refusal is None and command.verb is Verb.SIGN:
        accounts = ctx.store.signatures.accounts(conversation.poc.id)
        if is_another(accounts, told.actor, told.line.account_id):
            return another_account(told.actor)
    pull = conversation.pull
    if refusal is not None or pull is None:
        return refusal
    return misplaced(
        command,
        number=pull.number,
        state=pull.state,
        base_ref=pull.base_ref,
        default_branch=conversation.poc.known.repository.default_branch,
    )


def _belongs(ctx: Reconciliation, conversation: Conversation, login: str) -> bool:
    """Whether somebody is of the organisation or the repository; who may write is, without a question."""
    if conversation.permission in WRITERS:
        return True
    known = conversation.poc.known
    return conversation.permission is not None and ctx.github(known.installation_id).belongs(
        known.repository.ref, login
    )


def _followed(
    ctx: Reconciliation, conversation: Conversation, told: RecordedCommand, command: Command
) -> str | Offer | Refusal:
    """Carry out a command; returns the answer, which may be empty."""
    line, charter = told.line, conversation.charter
    match command.verb:
        case Verb.HELP:
            return texts().help_text()
        case Verb.SHIP:
            conversation.poc.asked_to_ship(line.number, told.at)
        case Verb.SIGN if charter is not None:
            before = [agreed] if (agreed := agreed_charter(ctx, conversation.poc)) else []
            source, members = f"comment:{line.comment_id}", ctx.policy.groups_of(told.actor)
            deputies = ctx.policy.deputy_of(told.actor)
            for each in rounds_of(charter):
                given = give(
                    charter,
                    told.actor,
                    each,
                    told.at,
                    None,
                    source,
                    before=before,
                    members=members,
                    deputies=deputies,
                )
                conversation.poc.signed(given)
        case Verb.SNOOZE | Verb.EXTEND | Verb.OWNER | Verb.STOP | Verb.WAIVE:
            return follow_order(ctx, conversation, told, command)
        case _:
            """Nothing to do: this reconciliation is the check that was asked for."""
    return ""
