"""The owner can act: an error for whoever names one who cannot, a notice for everybody else (design 5.5)."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown
from service.rules.finding import Severity
from service.rules.outside import Access


def find(sheet: Sheet) -> Iterator[Complaint]:
    """An owner who may not write to the repository, is suspended, or is not known to GitHub."""
    owner, access = sheet.charter.owner, sheet.outside.owner_access
    if owner is None or access in (None, Access.WRITE):
        return
    name = shown(owner.value)
    if access is Access.UNKNOWN:
        message = f"GitHub knows no {name} here: mend the login, or give its person write access"
    elif access is Access.SUSPENDED:
        message = f"the account {name} is suspended: name an owner who can write to this repository"
    else:
        message = f"{name} cannot write to this repository: give them write access, or name an owner who can"
    written = sheet.writes(lambda charter: charter.owner)
    yield Complaint(message, owner, severity=Severity.ERROR if written else Severity.NOTICE)


CHECK = Check(
    "owner-access",
    "The owner can write to the repository.",
    find,
    why="An owner who cannot push cannot bring it to production; asked of GitHub, not offline.",
    examples=(Example("owner: somebody-who-left", "owner: jane-doe"),),
)
