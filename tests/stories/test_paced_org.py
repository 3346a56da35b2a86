"""An organisation whose POCs all stall on one day, through the real handlers, with a clock that goes on.

PostgreSQL and every look are real. GitHub is the suite's fake; content takes it a while, and every look is
woken a little later than it asked for, as in life.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from service.reconcile.context import Decision, Reconciliation
from service.rules.queue import APART, LIMITS, Failure, FailureKind
from service.rules.values.github import Issue, RepositoryRef
from service.services import Services
from service.store.database import transaction
from service.store.subjects import SubjectState
from service.sweep import mark_all, sweep
from service.worker import reconcile_while_dirty
from tests.harness.github import FakeGitHub, FakeRepository, Killed, repository
from tests.harness.world import INSTALLATION, World

log = logging.getLogger(__name__)

POCS, HOME = 600, 901
SOON = timedelta(minutes=72)
"""What so many take at five hundred an hour."""
LONG = timedelta(weeks=4)
"""Longer than a POC may be without a charter, and to a Monday again."""

NEXT = "SELECT key, not_before, attempts, last_error FROM subject WHERE wanted > done ORDER BY 2 LIMIT 1"


class SlowGitHub(FakeGitHub):
    """Takes its time for content, and notes when it came; a worker dies of some, before or after."""

    def __init__(self, org: Org) -> None:
        super().__init__(now=org.now)
        self._org = org
        self.came: list[datetime] = []
        self.dies_before: set[int] = set()
        self.dies_after: set[int] = set()

    def open_issue(
        self, repository: RepositoryRef, title: str, body: str, label: str, assignee: str | None
    ) -> Issue:
        self._org.pass_time(0.1, 0.4)
        self.now = self._org.now
        self.came.append(self.now)
        if len(self.came) in self.dies_before:
            raise Killed
        issue = super().open_issue(repository, title, body, label, assignee)
        if len(self.came) in self.dies_after:
            raise Killed
        self._org.pass_time(0.1, 0.4)
        return issue


@dataclass(frozen=True, slots=True)
class Counted(Services):
    """The services, counting the looks."""

    looks: Counter[str]

    def decide(self, ctx: Reconciliation) -> Decision:
        self.looks[ctx.key] += 1
        return Services.decide(self, ctx)


class Org(World):
    """POCs that are all alike."""

    def __init__(self, database_url: str, pocs: int, a_day: int) -> None:
        super().__init__(database_url)
        self._chance = random.Random(5)
        self.looks: Counter[str] = Counter()
        built = {field.name: getattr(self.services, field.name) for field in fields(Services)}
        self.services = Counted(**built, looks=self.looks)
        self.slow = self.app.githubs[INSTALLATION] = SlowGitHub(self)
        home = repository(HOME, "acme/.github")
        self.slow.add(home).put("main", {"poc-policy.yml": f"policy: 1\nissues_a_day: {a_day}\n"})
        self.install(repository(), home)
        mark_all(self.services)
        self.work()
        for number in range(2, pocs + 1):
            self.slow.add(repository(number, f"acme/poc-{number}"))
        others = "jsonb_build_object('id', n, 'repository_id', n, 'full_name', 'acme/poc-' || n)"
        for table in ("repository", "poc"):
            # As if each had been registered like the first.
            same = f"(jsonb_populate_record({table}, {others})).*"
            every = f"{table}, generate_series(2, :pocs) AS n WHERE id = 1"
            self._tell(f"INSERT INTO {table} SELECT {same} FROM {every}", pocs=pocs)

    @property
    def pocs(self) -> list[FakeRepository]:
        return [repo for number, repo in self.slow.repos.items() if number != HOME]

    def pass_time(self, least: float, most: float) -> None:
        self.now += timedelta(seconds=self._chance.uniform(least, most))

    def stall(self) -> None:
        """Let the day come on which all are stalled, and look until every subject is clean."""
        self.now += LONG
        mark_all(self.services)
        self.looks.clear()
        self.work()
        while waits := self.ask(NEXT):
            key, at, attempts, error = waits[0]
            assert attempts == 0, error
            self.wake(key, at)

    def let_write(self, states: Sequence[SubjectState]) -> bool:  # noqa: ARG002 - of all worlds
        return False  # it is `stall` that wakes them

    def wake(self, key: str, at: datetime | None) -> None:
        """Look at a subject that waited until a moment, as a worker does that glances once a second."""
        self.now = max(self.now, at or self.now)
        self.pass_time(0, 1)
        self._tell("UPDATE subject SET not_before = NULL WHERE key = :key", key=key)
        with suppress(Killed):
            reconcile_while_dirty(self.services, key)

    def _tell(self, statement: str, **values: Any) -> None:
        with transaction(self.services.engine) as session:
            session.connection().execute(text(statement), values)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with transaction(self.services.engine) as session:
            return [tuple(row) for row in session.connection().execute(text(query))]


@pytest.fixture
def make(database_url: str) -> Iterator[Callable[..., Org]]:
    with ExitStack() as stack:

        def made(pocs: int, *, a_day: int = POCS) -> Org:
            org = Org(database_url, pocs, a_day)
            stack.callback(org.shut_down)
            return org

        yield made


Make = Callable[..., Org]


def within_the_limits(came: list[datetime]) -> bool:
    """Whether GitHub takes content that comes at these moments."""
    apart = all(later - earlier >= APART for earlier, later in pairwise(came))
    windows = ((came[n], came[n + most], within) for most, within in LIMITS for n in range(len(came) - most))
    return apart and all(last - first >= within for first, last, within in windows)


@pytest.mark.slow
def test_six_hundred_pocs_that_stall_on_one_day_all_get_their_issue_within_githubs_limits(
    make: Make,
) -> None:
    org = make(POCS)
    org.slow.dies_before, org.slow.dies_after = {7, 250}, {100, 300, 550}
    org.stall()
    assert Counter(len(repo.issues) for repo in org.pocs) == {1: POCS}
    assert len(org.slow.came) == POCS + 2
    assert within_the_limits(org.slow.came)
    took, looks = org.slow.came[-1] - org.slow.came[0], sum(org.looks.values())
    log.info("%s for %d issues, %d looks", took, POCS, looks)
    assert took < SOON
    assert looks < 2.1 * POCS
    assert org.ask("SELECT rate_limited_until FROM installation") == [(None,)]


def test_a_rate_limit_in_the_middle_breaks_no_other_limit_and_loses_nothing(make: Make) -> None:
    org = make(30)
    slow = Failure(FailureKind.RATE_LIMITED, "slow down", org.now + LONG + timedelta(minutes=30))
    org.slow.fail_next(slow, "open_issue")
    org.stall()
    assert {len(repo.issues) for repo in org.pocs} == {1}
    assert within_the_limits(org.slow.came)


def test_who_waits_for_a_turn_counts_towards_the_days_number(make: Make) -> None:
    """Or turns would be kept for hundreds that may not write today, and others would wait behind them."""
    org = make(30, a_day=5)
    org.stall()
    assert sum(len(repo.issues) for repo in org.pocs) == 5
    assert len(org.ask("SELECT id FROM write_slot")) == 5


def test_a_sweep_says_who_waits_for_a_turn_that_comes_too_late_for_it(make: Make) -> None:
    org = make(3)
    org.now += LONG
    waiting = [state for state in sweep(org.services, as_of=None, timeout=0.5) if state.dirty]
    assert len(waiting) == 2
    assert all((state.last_error or "").startswith("waiting for a write slot at 09:00:") for state in waiting)
