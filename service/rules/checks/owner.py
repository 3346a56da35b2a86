"""The owner: one person."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import bare_login, is_bot, parse_login
from service.rules.charter.wording import shown


def find(sheet: Sheet) -> Iterator[Complaint]:
    """An owner that is a team, a bot, several people, or no login."""
    owner = sheet.text("owner")
    if owner is None:
        return
    name = bare_login(owner.value)
    if is_bot(name):
        yield Complaint(f"{shown(name)} is a bot: write the login of the person who answers for it", owner)
    elif "/" in name and name.lower() != "n/a":
        yield Complaint(f"{shown(name)} is a team: write one person, like `jane-doe`", owner)
    elif parse_login(owner.value):
        return
    elif parse_login(name):
        yield Complaint(f"A login stands alone: write {shown(name)}", owner, sheet.line_with(owner, name))
    elif len(name.replace(",", " ").replace("&", " ").split()) > 1:
        yield Complaint(f"{shown(name)} is not one login: write the one person who owns this", owner)
    else:
        yield Complaint(f"{shown(name)} is no GitHub login: write one, like `jane-doe`", owner)


CHECK = Check(
    "owner",
    "One person owns the POC.",
    find,
    why="A team or a bot cannot be asked what happens next; one person can.",
    examples=(
        Example("owner: acme/ml-team", "owner: jane-doe"),
        Example("owner: renovate[bot]", "owner: jane-doe"),
    ),
)
