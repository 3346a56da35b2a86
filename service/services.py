"""What a worker and the sweep work with: the parts that belong together, how long they wait, and shares:
no installation takes all looks of a process while others wait.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Engine

from service.github_client.app import TIMEOUT
from service.ports import Announcer, GitHubApp
from service.reconcile.context import Decision, Reconciliation
from service.rules.policy.model import Mode
from service.rules.queue import MOST_GLANCES, USUAL_PACE, Pace
from service.rules.values.actions import Action
from service.rules.values.github import RepositoryRef
from service.rules.values.groups import Level
from service.store.database import Database, WithinSession, connect, reading
from service.store.store import Store
from service.store.store import write as write_notes
from service.store.subjects import Claim

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a worker waits for things. Nobody configures these; tests set shorter ones."""

    untouched: timedelta = timedelta(seconds=45)
    """A dirty subject that nobody touched for this long is woken; with `wake` that is within two minutes."""
    wake: str = "* * * * * */20"
    """When forgotten subjects are looked for; Procrastinate takes the seconds as the sixth field."""
    poll: float = 1.0
    """Seconds between two questions for jobs whose time has come."""
    answer: int = TIMEOUT
    """Seconds that GitHub has for an answer."""
    pace: Pace = USUAL_PACE
    """The pause between two writes that people are notified of."""
    jitter: Callable[[], float] = random.random
    """Spreads retries in time, from 0 to 1; nothing secret depends on it."""


USUAL_WAITS = Waits()


@dataclass(frozen=True, slots=True)
class Services:
    """What a worker and the sweep work with."""

    engine: Engine
    store: Store
    app: GitHubApp
    announcer: Announcer | None
    clock: Clock
    waits: Waits
    mode: Mode | None
    """The mode for organisations whose policy is silent; None for what each installation began with."""
    evidence_level: Level
    web_url: str
    details_url: Callable[[RepositoryRef, str], str]
    """Where a repository's check run of a name leads to."""
    docs_url: str
    """Where the documents are served."""
    reconcile: Callable[[Reconciliation], Decision]
    """Decides about any subject."""
    say_unjudged: Callable[[Reconciliation, str, datetime], Decision]
    """Decides what is said of a subject that can't be reconciled."""
    carry_out: Callable[[Reconciliation, int, Sequence[Action]], None]
    """Writes to GitHub, with an installation's rights."""
    serves: Callable[[str], bool]
    """Whether the installation on an account counts."""

    @property
    def announces(self) -> bool:
        """Whether the weekly digest also goes somewhere besides GitHub."""
        return self.announcer is not None

    def reconciliation(self, claim: Claim) -> Reconciliation:
        """One reconciliation of a claimed subject, at the time that the claim or the clock says."""
        present = self.clock()
        session = reading(self.engine)
        return Reconciliation(
            key=claim.key,
            urgency=claim.urgency,
            now=claim.as_of or present,
            looked_at=present,
            clock=self.clock,
            facts=claim.facts,
            waited=claim.attempts + 1 >= MOST_GLANCES,
            release=session.close,
            store=Store(WithinSession(session, read_only=True)),
            writing=self.store,
            app=self.app,
            announcer=self.announcer,
            serves=self.serves,
            mode=self.mode,
            evidence_level=self.evidence_level,
            web_url=self.web_url,
            details_url=self.details_url,
            docs_url=self.docs_url,
        )

    def decide(self, ctx: Reconciliation) -> Decision:
        """Gather the facts about the subject and decide what is to be noted and written."""
        try:
            return self.reconcile(ctx)
        finally:
            ctx.release()  # what follows takes connections of its own

    def note(self, ctx: Reconciliation) -> None:
        """Write what was learned and decided, in one transaction."""
        write_notes(self.engine, ctx.noted, ctx.urgency)
        ctx.noted.clear()

    def apply(self, ctx: Reconciliation, decision: Decision, actions: Sequence[Action]) -> None:
        """Carry out those of the actions that were decided and granted, in their order."""
        ctx.release()  # what was asked since
        if actions:
            assert decision.installation_id is not None
            self.carry_out(ctx, decision.installation_id, actions)

    def read_only(self) -> Services:
        """The same services, whose database refuses every change."""
        engine = connect(self.engine.url, pool_size=2, read_only=True)
        return replace(self, engine=engine, store=Store(Database(engine)))


MOST = 1 / 4
"""Of a process's looks, how many are at one installation while others wait."""


class Shares:
    """How many looks of this process each installation has; one that has its share is crowded.

    Only memory: a process that is killed leaves no share taken.
    """

    def __init__(self, looks: int) -> None:
        self._most = ceil(looks * MOST)
        self._taken: Counter[int | None] = Counter()
        self._lock = threading.Lock()
        self.looks = looks

    @contextmanager
    def taken(self, installation_id: int | None) -> Iterator[bool]:
        """Take one, and give it back at the end; whether its installation had its share already."""
        with self._lock:
            crowded = installation_id is not None and self._taken[installation_id] >= self._most
            self._taken[installation_id] += 1
        try:
            yield crowded
        finally:
            with self._lock:
                self._taken[installation_id] -= 1

    def not_behind(self, installation_id: int | None) -> list[int]:
        """The installations that have as many looks as this one has besides that of who asks, or more."""
        with self._lock:
            least = self._taken[installation_id] - 1
            return [key for key, taken in self._taken.items() if key is not None and taken >= least]
