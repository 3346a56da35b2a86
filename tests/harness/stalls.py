"""The one issue of a stalled POC on the emulated GitHub."""

from __future__ import annotations

from service.rules.policy.model import NO_POLICY
from tests.harness.emulator import Repo, Stage

STALLED = NO_POLICY.limits.waiting + 2
"""Working days after which a signer has the first step of the ladder behind them, and not the second."""
OWNER_STALLED = 12
"""The same for the owner of a charter whose ship date is three months ahead: their limit is 10."""


def issue_of(repo: Repo, state: str = "open") -> int:
    """The number of the one issue of a repository."""
    (issue,) = repo.issues()
    assert issue.state == state
    return issue.number


def wait_for_state(stage: Stage, repo: Repo, state: str) -> None:
    stage.until(lambda: [i.state for i in repo.issues()] == [state], f"the issue is {state}")
    stage.settle()
