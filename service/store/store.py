"""All that is stored, a table or two each; and notes: what a reconciliation learned and decided, as values.

A handler notes by calling a method of a table (`ctx.notes.pocs.set_state(...)`); nothing is written then, but
in one transaction later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Engine

from service.rules.queue import USUAL_PACE, Pace, Urgency
from service.store import subjects
from service.store.check_runs import BranchRules, CheckRuns
from service.store.contents import Contents, OutsideFacts
from service.store.database import Database, WithinSession, transaction
from service.store.digests import Digests
from service.store.evidence import Evidence
from service.store.installations import Installations
from service.store.litter import Purge
from service.store.messages import Messages, Pacing
from service.store.people import People
from service.store.poc_records import PocRecords
from service.store.pocs import Pocs
from service.store.policies import Policies
from service.store.portfolio import Portfolio
from service.store.pull_requests import PullRequests
from service.store.repositories import Repositories
from service.store.signatures import Signatures
from service.store.stall_issues import StallIssues
from service.store.timeline import Timeline
from service.store.waiting import Forecasts, Waiting


class Store:
    """All tables; `Database` says in whose session they are read and changed."""

    def __init__(self, database: Database, pace: Pace = USUAL_PACE) -> None:
        self.installations = Installations(database)
        self.repositories = Repositories(database)
        self.pull_requests = PullRequests(database)
        self.check_runs = CheckRuns(database)
        self.branch_rules = BranchRules(database)
        self.outside_facts = OutsideFacts(database)
        self.stall_issues = StallIssues(database)
        self.contents = Contents(database)
        self.evidence = Evidence(database)
        self.signatures = Signatures(database)
        self.pocs = Pocs(database)
        self.poc_records = PocRecords(database)
        self.messages = Messages(database)
        self.pacing = Pacing(database, pace)
        self.timeline = Timeline(database)
        self.waiting = Waiting(database)
        self.policies = Policies(database)
        self.digests = Digests(database)
        self.forecasts = Forecasts(database)
        self.purge = Purge(database)
        self.portfolio = Portfolio(database)
        self.people = People(database)


@dataclass(frozen=True, slots=True)
class Note:
    """A change of one table: the method that makes it, and what it takes."""

    table: str
    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def write(self, store: Store) -> None:
        """Make the change."""
        getattr(getattr(store, self.table), self.method)(*self.args, **self.kwargs)


class _Table:
    """Takes a table's place: each call of a method becomes a note."""

    def __init__(self, name: str, notes: list[Note]) -> None:
        self._name = name
        self._notes = notes

    def __getattr__(self, method: str) -> Callable[..., None]:
        def note(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (typed by the table's own method)
            self._notes.append(Note(self._name, method, args, kwargs))

        return note


class _Notebook:
    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes

    def __getattr__(self, table: str) -> _Table:
        return _Table(table, self._notes)


def notebook(notes: list[Note]) -> Store:
    """A store whose changes are appended to `notes` instead of made; it answers no question."""
    return cast("Store", _Notebook(notes))


def write(engine: Engine, notes: Iterable[Note], at_most: Urgency = Urgency.PEOPLE) -> None:
    """Write notes in their order, in one transaction; none at all without one.

    What they mark is `at_most` as urgent as the look was.
    """
    pending = tuple(notes)
    if pending:
        with transaction(engine) as session:
            store = Store(WithinSession(session))
            with subjects.marking_last(session, at_most):
                for note in pending:
                    note.write(store)
