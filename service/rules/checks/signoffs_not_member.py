"""Who signs for a group belongs to it, where the organisation's policy says who does."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.goalposts import Group
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import bare_login, is_bot, parse_login
from service.rules.charter.wording import shown

MOST_LISTED = 2
SHOWN = 20


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Signers whom the policy does not list for their group."""
    for group in Group:
        known, signer = sheet.policy.groups.get(group), sheet.text("signoffs", group)
        if known is None or not known.members or signer is None:
            continue
        name = bare_login(signer.value)
        if not parse_login(name) or is_bot(name) or name.lower() in known.members:
            continue
        members = sorted(known.members)
        fix = sheet.line_with(signer, members[0]) if len(members) == 1 else None
        message = f"{shown(name, SHOWN)} is not in `{group}` of the policy: name {choice(members)}"
        yield Complaint(message, signer, fix)


def choice(members: list[str]) -> str:
    """The first of them."""
    names = [shown(name, SHOWN) for name in members[:MOST_LISTED]]
    more = len(members) - len(names)
    return f"{', '.join(names)} or {more} more" if more else " or ".join(names)


CHECK = Check(
    "signoffs-not-member",
    "A signer is one of the people whom the organisation's policy lists for that group.",
    find,
    why="A signature speaks for the group, so one of them gives it; asked of the policy, not offline.",
    examples=(Example("security: mallory", "security: dan-w", "signoffs"),),
)
