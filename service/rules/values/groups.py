"""The groups that sign, and how far a number can be trusted."""

from __future__ import annotations

from enum import StrEnum


class Group(StrEnum):
    """Those who sign, by their key."""

    DATA_SCIENCE = "data_science"
    PLATFORM = "platform"
    PRODUCT = "product"
    SECURITY = "security"


class Level(StrEnum):
    """How far a number can be trusted."""

    SELF_REPORTED = "self-reported"
    """It stands in a file of the repository, and so do its conditions: in the charter."""
    MEASURED = "measured"
    """A workflow run that GitHub vouches for sent it, for one commit."""
