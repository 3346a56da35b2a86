"""The groups that sign, and how far a number can be trusted."""

from __future__ import annotations

from enum import StrEnum


class Group(StrEnum):
    """Those who sign, by their key."""

    DATA_SCIENCE = "data_science"
    PLATFORM = "platform"
    PRODUCT = "product"
    SECURITY = "security"
    LEGAL = "legal"
    PRIVACY = "privacy"
    WORKS_COUNCIL = "works_council"

    @property
    def words(self) -> str:
        """It in words: `data science`."""
        return self.value.replace("_", " ")


FOUR = (Group.DATA_SCIENCE, Group.PLATFORM, Group.PRODUCT, Group.SECURITY)
"""The groups of every charter."""
FURTHER = (Group.LEGAL, Group.PRIVACY, Group.WORKS_COUNCIL)
"""Those that a charter may name besides, and has to where the organisation's policy names them."""
NEEDED = frozenset({Group.PLATFORM, Group.PRODUCT})
"""Those that no charter goes without: pauses, stops and the environment are theirs to answer for."""


class Level(StrEnum):
    """How far a number can be trusted."""

    SELF_REPORTED = "self-reported"
    """It stands in a file of the repository, and so do its conditions: in the charter."""
    MEASURED = "measured"
    """A workflow run that GitHub vouches for sent it, for one commit."""
