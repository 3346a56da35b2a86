"""Content writes go out one by one, each in its turn; a look whose turn is later is postponed until then.

Content is what GitHub tells people of: issues opened and edited, comments. Check runs, reactions and answers
to deployments notify nobody and are not paced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from service.events.context import Look
from service.ports import GitHubError
from service.rules.pacing import LIMITS
from service.rules.retry import Failure, FailureKind
from service.store.pacing import NotYetError

_MOST = LIMITS[-1][0]


@contextmanager
def paced(look: Look, installation_id: int) -> Iterator[None]:
    """Write content within the block, alone; raises `GitHubError` until it is this subject's turn.

    What notes that a write was begun belongs into the block: who waits for a turn has begun nothing.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(look.records.pacing.writing(installation_id, look.key, look.clock))
        except NotYetError as error:
            said = f"its turn to write comes at {error.until:%H:%M:%S} UTC: GitHub takes {_MOST} in an hour"
            raise GitHubError(Failure(FailureKind.PACED, said, error.until)) from error
        yield
