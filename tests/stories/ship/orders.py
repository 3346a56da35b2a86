"""Commands given in a story, and the answers to them."""

from __future__ import annotations

from typing import Any

from tests.harness.charters import CHARTER, OWNER
from tests.harness.story import Story

EXTEND = "/poc extend 2027-03-15 the cluster comes late"
LATER = CHARTER.replace("owner: jane-doe\n", "owner: jane-doe\n# by the board\n")


def commanded(story: Story) -> list[tuple[Any, ...]]:
    """Who is remembered to have given a command."""
    return story.rows(
        "SELECT actor FROM fact WHERE kind = 'activity' AND detail LIKE '%command%' ORDER BY id"
    )


def ask(story: Story, said: str, login: str = OWNER, **more: Any) -> int:
    """Comment in an issue of the POC."""
    return story.say(said, login, number=9, on_pull=False, **more)


def answers(story: Story) -> list[str]:
    """What was said, without the hidden line by which it is found."""
    return [comment.partition("\n")[2] for comment in story.comments()]
