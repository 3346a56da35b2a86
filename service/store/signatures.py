"""Who signed what, and what was withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.gate.signoffs import OPENED, Round, Signature
from service.rules.values import activity
from service.rules.values.activity import Activity
from service.rules.values.github import EventKind, EventRecord, PullRequest
from service.rules.values.groups import Group
from service.rules.values.recorded import RecordedReview, recorded_reviews
from service.rules.values.subjects import PocId, pull_request_key, repository_key
from service.store import subjects, timeline
from service.store.database import Database
from service.store.tables import FactRow, SignatureRow


@dataclass(frozen=True, slots=True)
class StoredSignature:
    """A signature, and whether it was withdrawn since."""

    signature: Signature
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class ToldOfPull:
    """What events told of a pull request that bears on signatures."""

    reviews: tuple[RecordedReview, ...]
    """In the order in which they happened, dismissals among them."""
    moved_by_author: bool
    """Whether its author moved it to its head, or opened it with that."""

    @property
    def any_objection(self) -> bool:
        """Whether a reviewer ever asked for changes."""
        return any(each.review.state == "changes_requested" for each in self.reviews)


class Signatures:
    """The table of signatures; each method is a statement or a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(self, poc_id: PocId, repository_id: int, signatures: Iterable[Signature]) -> None:
        """Record signatures; what a source signs it signs once, and what was withdrawn stays so.

        The repository's look, which may be over by now, rests on them as well. Reviews and comments that sign
        are in the timeline too; an author signs by the commits that are there already.
        """
        given = tuple(signatures)
        rows = [
            {
                "poc_id": poc_id,
                "number": signature.number,
                "login": signature.login,
                "signs_for": str(signature.group),
                "round": str(signature.round),
                "hash": signature.hash,
                "source": signature.source,
                "at": signature.at,
            }
            for signature in given
        ]
        if rows:
            statement = insert(SignatureRow).values(rows).on_conflict_do_nothing()
            with self._database.transaction() as session:
                if session.execute(statement.returning(col(SignatureRow.id))).all():
                    timeline.append(session, repository_id, _signed(repository_id, given))
                    subjects.mark(session, [repository_key(repository_id)])

    def withdraw(self, poc_id: PocId, repository_id: int, sources: Iterable[str], at: datetime) -> None:
        """Note that what was given by these sources holds no more."""
        statement = (
            update(SignatureRow)
            .where(
                col(SignatureRow.poc_id) == poc_id,
                col(SignatureRow.source).in_(list(sources)),
                col(SignatureRow.withdrawn_at).is_(None),
            )
            .values(withdrawn_at=at)
        )
        with self._database.transaction() as session:
            if session.execute(statement.returning(col(SignatureRow.id))).all():
                subjects.mark(session, [repository_key(repository_id)])

    def reviews(self, subject: str) -> tuple[EventRecord, ...]:
        """All that was ever told of a pull request's reviews, in the order in which it happened."""
        kinds = (EventKind.REVIEWED, EventKind.REVIEW_DISMISSED)
        with self._database.reading() as session:
            rows = session.exec(
                select(FactRow)
                .where(FactRow.subject == subject, col(FactRow.kind).in_(kinds))
                .order_by(col(FactRow.at), col(FactRow.id))
            )
            return tuple(
                EventRecord(r.id, r.subject, EventKind(r.kind), r.at, r.actor, r.detail) for r in rows
            )

    def told_of(self, pull: PullRequest) -> ToldOfPull:
        """What events told of a pull request's reviews, and of who moved it to its head."""
        kinds = (EventKind.REVIEWED, EventKind.REVIEW_DISMISSED, EventKind.HEAD_MOVED)
        with self._database.reading() as session:
            rows = session.exec(
                select(FactRow)
                .where(
                    FactRow.subject == pull_request_key(pull.repository_id, pull.number),
                    col(FactRow.kind).in_(kinds),
                )
                .order_by(col(FactRow.at), col(FactRow.id))
            ).all()
        events = [EventRecord(r.id, r.subject, EventKind(r.kind), r.at, r.actor, r.detail) for r in rows]
        moved_by = {
            e.actor.lower() for e in events if e.kind is EventKind.HEAD_MOVED and e.detail == pull.head_sha
        }
        return ToldOfPull(recorded_reviews(events), pull.author.lower() in moved_by)


def _signed(repository_id: int, given: Iterable[Signature]) -> Iterator[Activity]:
    for each in given:
        if not each.source.startswith(OPENED):
            yield activity.signed(repository_id, each.source, each.number, each.login, each.at)


def stored_signature_of(row: SignatureRow) -> StoredSignature:
    """A row as a signature."""
    signature = Signature(
        row.login, Group(row.signs_for), Round(row.round), row.hash, row.at, row.number, row.source
    )
    return StoredSignature(signature, row.withdrawn_at is not None)
