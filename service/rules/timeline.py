"""The timeline of a POC: what people did, by GitHub's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Deed(StrEnum):
    """What a person did; nothing else is activity: no bot, no write of ours, no label, no `updated_at`."""

    COMMIT = "commit"
    """A push with commits of its own: not a branch that took in another."""
    PULL_REQUEST = "pull-request"
    """Opened, reopened, or marked ready."""
    MERGE = "merge"
    REVIEW = "review"
    REVIEW_REQUESTED = "review-requested"
    EVIDENCE = "evidence"
    """Numbers of a commit that had none."""
    DEPLOYMENT = "deployment"
    CHARTER = "charter"
    """The charter on the default branch changed."""
    SIGNATURE = "signature"
    COMMAND = "command"
    """One that was followed, and says something: not `recheck`, not `help`."""


ENGINEERING = frozenset({Deed.COMMIT, Deed.PULL_REQUEST, Deed.MERGE, Deed.EVIDENCE, Deed.DEPLOYMENT})
"""What makes a day one of engineering."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a person did, once; `id` is its own, so that recording it twice is recording it once."""

    id: str
    at: datetime
    actor: str
    """A GitHub login; empty where a bot asked for a review: no activity, but somebody is waited for."""
    deed: Deed
    number: int | None = None
    """The pull request or issue that it was done on."""
    asked: str = ""
    """Of a review request: whom; a login, or a team as `org/team`."""
    taken_back: bool = False
    """That it ended: a request was removed, or a pull request became a draft. No activity."""
