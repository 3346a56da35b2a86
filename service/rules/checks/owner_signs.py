"""Nobody signs their own POC."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Sign-offs that name the owner."""
    owner = sheet.charter.owner
    for signer in sheet.charter.signoffs.all:
        if owner and signer.value.lower() == owner.value.lower():
            yield Complaint(
                f"{shown(signer.value)} owns this POC and cannot sign it: name somebody else", signer
            )


CHECK = Check(
    "owner-signs",
    "The owner is not among those who sign.",
    find,
    why="A signature is worth something when it is somebody else's.",
    examples=(Example("product: jane-doe", "product: carol-s", "signoffs"),),
)
