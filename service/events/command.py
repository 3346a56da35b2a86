"""Commands in comments: each is answered once, by what it asks for or by why not."""

from __future__ import annotations

from collections.abc import Iterator

from service.events.context import Look
from service.events.told import ToldCommand, commands
from service.rules.charter.model import Charter
from service.rules.command import Command, Refusal, Verb, authorise, misplaced, parse_commands
from service.rules.facts import PullRequest
from service.rules.plan import Action, PostComment, React
from service.rules.poc import KnownRepository
from service.rules.signoffs import Round, give

SEEN = "+1"


def answer_commands(
    look: Look, known: KnownRepository, charter: Charter | None, pull: PullRequest | None = None
) -> tuple[Action, ...]:
    """Carry out the commands that led to this look, and acknowledge them; a comment gets one answer.

    `pull` is the pull request that they were given on.
    """
    answered: set[int] = set()
    actions: list[Action] = []
    permissions: dict[str, str | None] = {}
    for told in commands(look.facts):
        if told.actor not in permissions:
            github = look.github(known.installation_id)
            permissions[told.actor] = github.permission(known.repository.ref, told.actor)
        for action in _answer(look, known, charter, told, pull=pull, permission=permissions[told.actor]):
            if told.line.comment_id not in answered or isinstance(action, React):
                actions.append(action)
            if isinstance(action, PostComment):
                answered.add(told.line.comment_id)
    return () if look.observe else tuple(actions)


def _answer(
    look: Look,
    known: KnownRepository,
    charter: Charter | None,
    told: ToldCommand,
    *,
    pull: PullRequest | None,
    permission: str | None,
) -> Iterator[Action]:
    repository, line = known.repository.ref, told.line
    command = next(iter(parse_commands(line.text)), None)
    if command is None:
        return
    key = f"answer:{line.comment_id}"
    refusal = _refusal(known, charter, told, command, pull=pull, permission=permission)
    if refusal is not None:
        body = look.texts.refused_command(command.text, refusal.reason)
        yield PostComment(repository, line.number, key, body)
        return
    if not look.dry:
        _carry_out(look, known, charter, told, command)
    if command.verb is Verb.HELP:
        yield PostComment(repository, line.number, key, look.texts.help_text())
    yield React(repository, line.comment_id, SEEN)


def _refusal(
    known: KnownRepository,
    charter: Charter | None,
    told: ToldCommand,
    command: Command,
    *,
    pull: PullRequest | None,
    permission: str | None,
) -> Refusal | None:
    refusal = authorise(
        command,
        permission=permission,
        login=told.actor,
        charter=charter,
        is_pull_request=told.line.is_pull_request,
    )
    if refusal is not None or pull is None:
        return refusal
    return misplaced(
        command,
        number=pull.number,
        state=pull.state,
        base_ref=pull.base_ref,
        default_branch=known.repository.default_branch,
    )


def _carry_out(
    look: Look, known: KnownRepository, charter: Charter | None, told: ToldCommand, command: Command
) -> None:
    repository_id, line = known.repository.id, told.line
    match command.verb:
        case Verb.SHIP:
            look.records.pocs.ask_to_ship(repository_id, line.number, told.at)
        case Verb.SIGN if charter is not None:
            given = give(charter, told.actor, Round.START, told.at, None, f"comment:{line.comment_id}")
            look.records.signatures.give(repository_id, given)
        case _:
            """Looking again, which this look does, or help."""
