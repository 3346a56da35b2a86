"""Commands in comments: each is answered once, by what it asks for or by why not."""

from __future__ import annotations

from collections.abc import Iterator

from service.events.context import Look
from service.events.told import ToldCommand, commands
from service.rules.charter.model import Charter
from service.rules.command import Refusal, Verb, authorise, parse_commands
from service.rules.plan import Action, PostComment, React
from service.rules.poc import KnownRepository
from service.rules.signoffs import Round, give

SEEN = "+1"


def answer_commands(look: Look, known: KnownRepository, charter: Charter | None) -> tuple[Action, ...]:
    """Carry out the commands that led to this look, and acknowledge them; a comment gets one answer."""
    answered: set[int] = set()
    actions: list[Action] = []
    for told in commands(look.facts):
        for action in _answer(look, known, charter, told):
            if told.line.comment_id not in answered or isinstance(action, React):
                actions.append(action)
            if isinstance(action, PostComment):
                answered.add(told.line.comment_id)
    return () if look.observe else tuple(actions)


def _answer(
    look: Look, known: KnownRepository, charter: Charter | None, told: ToldCommand
) -> Iterator[Action]:
    repository, line = known.repository.ref, told.line
    command = next(iter(parse_commands(line.text)), None)
    if command is None:
        return
    permission = look.github(known.installation_id).permission(repository, told.actor)
    refusal = authorise(
        command,
        permission=permission,
        login=told.actor,
        charter=charter,
        is_pull_request=line.is_pull_request,
    )
    key = f"answer:{line.comment_id}"
    if isinstance(refusal, Refusal):
        body = look.texts.refused_command(command.text, refusal.reason)
        yield PostComment(repository, line.number, key, body)
        return
    match command.verb:
        case Verb.SHIP:
            look.records.pocs.ask_to_ship(repository.id, line.number, told.at)
        case Verb.SIGN if charter is not None:
            given = give(charter, told.actor, Round.START, told.at, None, f"comment:{line.comment_id}")
            look.records.signatures.give(repository.id, given)
        case Verb.HELP:
            yield PostComment(repository, line.number, key, look.texts.help_text())
    yield React(repository, line.comment_id, SEEN)
