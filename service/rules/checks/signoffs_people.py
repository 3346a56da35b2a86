"""Who signs: people, and at least two of them."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.layout import SIGNOFFS
from service.rules.charter.nodes import Scalar
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import bare_login, is_bot, parse_login
from service.rules.charter.wording import shown

FEWEST_PEOPLE = 2


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Signers that are no person, and one person signing for all."""
    for field in SIGNOFFS:
        signer = sheet.text("signoffs", field.name)
        if signer:
            yield from not_a_person(sheet, signer)
    signoffs = sheet.charter.signoffs
    if len(signoffs.all) == len(SIGNOFFS) and len(signoffs.people) < FEWEST_PEOPLE:
        message = f"{shown(signoffs.all[0].value)} would sign alone: name at least two people"
        yield Complaint(message, sheet.key("signoffs"))


def not_a_person(sheet: Sheet, signer: Scalar) -> Iterator[Complaint]:
    """What keeps one signer from being one login."""
    name = bare_login(signer.value)
    if is_bot(name):
        yield Complaint(f"{shown(name)} is a bot: name a person", signer)
    elif "/" in name and name.lower() != "n/a":
        yield Complaint(f"{shown(name)} is a team: name the person who signs for it", signer)
    elif not parse_login(name):
        yield Complaint(f"{shown(name)} is no GitHub login: write one, like `dan-w`", signer)
    elif name != signer.value:
        yield Complaint(f"A login stands alone: write {shown(name)}", signer, sheet.line_with(signer, name))


CHECK = Check(
    "signoffs-people",
    "At least two people sign, one login a group.",
    find,
    why="Four groups have to agree; a team has no signature, and one person cannot speak for four.",
    examples=(Example("security: acme/security", "security: dan-w", "signoffs"),),
)
