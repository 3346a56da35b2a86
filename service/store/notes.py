"""Notes: what a reconciliation learned and decided, as values, written in one transaction later.

A handler notes by calling a method of a table (`ctx.notes.pocs.set_state(...)`); nothing is written then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Engine

from service.rules.queue import Urgency
from service.store import subjects
from service.store.database import WithinSession, transaction
from service.store.store import Store


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
