"""Four groups, four people."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.layout import SIGNOFFS
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown
from service.rules.finding import Severity

FEWEST_PEOPLE = 2


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Somebody who signs for more than one group."""
    signoffs = sheet.charter.signoffs
    if len(signoffs.all) < len(SIGNOFFS) or not FEWEST_PEOPLE <= len(signoffs.people) < len(SIGNOFFS):
        return
    seen: set[str] = set()
    for signer in signoffs.all:
        if signer.value.lower() in seen:
            yield Complaint(f"{shown(signer.value)} signs for two groups: name somebody else for one", signer)
        seen.add(signer.value.lower())


CHECK = Check(
    "signoffs-distinct",
    "Each group has a signer of its own.",
    find,
    Severity.WARNING,
    why="Each group sees what the others do not; one person for two sees with one pair of eyes.",
    examples=(Example("platform: alice-k", "platform: bob-m", "signoffs"),),
)
