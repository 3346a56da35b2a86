"""What the check run says of a commit that could not be judged: a required check never stays away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from service.rules.checks.verdict import same
from service.rules.policy.model import WhenUnjudged
from service.rules.source.text import CharterFile
from service.rules.values.actions import Conclusion


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A commit that could not be judged: why, and when that is tried again."""

    cause: str
    again_at: datetime
    when: WhenUnjudged
    """What the policy says."""
    leaves_charter: bool
    """Whether it is known to leave the charter as it is."""
    observe: bool
    observing: date | None = None
    """Since when nothing is held up here."""

    @property
    def conclusion(self) -> Conclusion:
        """Neutral only where nobody gains by a commit that can't be judged: its author can make it so."""
        spared = self.when is WhenUnjudged.NEUTRAL and self.leaves_charter
        return Conclusion.NEUTRAL if self.observe or spared else Conclusion.FAILURE


def leaves_charter(head: CharterFile | None, base: CharterFile | None) -> bool:
    """Whether a commit is known to hold the charter of the branch it goes to."""
    return head is not None and base is not None and same(head, base)
