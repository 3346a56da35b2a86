"""Who is logged in, with which tokens, what GitHub said they see, and the tokens of their machines.

Everything secret comes here hashed or encrypted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.store.database import Database
from service.store.pocs import IS_LISTED
from service.store.table import Table
from service.store.tables_people import PersonalTokenRow, PersonRow, SessionRow


@dataclass(frozen=True, slots=True)
class SealedTokens:
    """The tokens of a person, encrypted; without an end they hold until they are taken back."""

    access: bytes
    access_ends: datetime | None
    refresh: bytes | None
    refresh_ends: datetime | None

    def as_columns(self) -> Mapping[str, object]:
        """As they are stored."""
        return {
            "access_token": self.access,
            "access_ends": self.access_ends,
            "refresh_token": self.refresh,
            "refresh_ends": self.refresh_ends,
        }


Renew = Callable[[bytes], SealedTokens | None]
"""New tokens for a refresh token; None where it is refused."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who logged in."""

    id: int
    login: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What GitHub said somebody sees, and when it was asked; while `seen_at` is None it is being asked."""

    visible: tuple[int, ...]
    rows_of: tuple[int, ...]
    seen_at: datetime | None
    asking_since: datetime | None


CLAIM = text("""
UPDATE person SET asking_since = :now, refused = '{}',
    visible = CASE WHEN :anew THEN '{}' ELSE visible END,
    rows_of = CASE WHEN :anew THEN '{}' ELSE rows_of END,
    seen_at = CASE WHEN :anew THEN NULL ELSE seen_at END
WHERE id = :person AND (asking_since IS NULL OR asking_since < :given_up) RETURNING id
""")
KEEP = text("""
UPDATE person SET rows_of = :rows_of, seen_at = coalesce(:seen_at, seen_at),
    visible = ARRAY(SELECT unnest(CAST(:visible AS bigint[])) EXCEPT SELECT unnest(refused)),
    asking_since = CASE WHEN CAST(:seen_at AS timestamptz) IS NULL THEN asking_since END
WHERE id = :person AND asking_since = :mine
""")
"""What was refused meanwhile stays refused, and a question that was given up answers nothing."""
LET_GO = text("UPDATE person SET asking_since = NULL WHERE id = :person AND asking_since = :mine")
REFUSE = text("""
UPDATE person SET visible = array_remove(visible, :repository),
    refused = array_append(array_remove(refused, :repository), :repository)
WHERE id = :person
""")
POCS = text(f"""
SELECT r.id, r.full_name FROM repository r
JOIN installation i ON i.id = r.installation_id AND i.deleted_at IS NULL
JOIN poc p ON p.repository_id = r.id
WHERE r.removed_at IS NULL AND {IS_LISTED} ORDER BY r.id
""")  # noqa: S608 - our own words
POCS_OF = text(f"""
SELECT r.id FROM repository r JOIN poc p ON p.repository_id = r.id
WHERE r.installation_id = ANY(:installations) AND r.removed_at IS NULL
    AND {IS_LISTED}
""")  # noqa: S608 - our own words
TIDY = text("""
DELETE FROM person p WHERE refresh_ends < :now
    OR NOT EXISTS (SELECT FROM session s WHERE s.person_id = p.id AND s.ends_at > :now)
    AND NOT EXISTS (SELECT FROM personal_token t WHERE t.person_id = p.id AND t.ends_at > :now)
""")


class People(Table):
    """The tables of people and their sessions."""

    def log_in(
        self, person: Person, tokens: SealedTokens, session: bytes, *, now: datetime, lasts: timedelta
    ) -> None:
        """Begin a session of somebody, with new tokens."""
        values = {"login": person.login, **tokens.as_columns()}
        row = insert(PersonRow).values(id=person.id, **values)
        with self._database.transaction() as stored:
            stored.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))
            stored.add(SessionRow(hash=session, person_id=person.id, made_at=now, ends_at=now + lasts))

    def logged_in(self, session: bytes, now: datetime) -> Person | None:
        """Who a session is of; None where it has ended."""
        return _whose(self._database, SessionRow, session, now)

    def log_out(self, session: bytes, now: datetime) -> None:
        """End a session, and forget the tokens of a person for whom nothing else needs them."""
        with self._database.transaction() as stored:
            stored.execute(delete(SessionRow).where(col(SessionRow.hash) == session))
            stored.connection().execute(TIDY, {"now": now})

    def tidy(self, now: datetime) -> None:
        """Forget the sessions that have ended, and whose tokens nothing needs any more."""
        with self._database.transaction() as stored:
            stored.execute(delete(SessionRow).where(col(SessionRow.ends_at) <= now))
            stored.execute(delete(PersonalTokenRow).where(col(PersonalTokenRow.ends_at) <= now))
            stored.connection().execute(TIDY, {"now": now})

    def forget(self, person_id: int, refused: bytes) -> None:
        """End all sessions of somebody, and forget their tokens, unless they have others by now."""
        is_theirs = col(PersonRow.id) == person_id
        self._execute(delete(PersonRow).where(is_theirs, col(PersonRow.access_token) == refused))

    def held_token(self, person_id: int, refused: bytes | None, until: datetime) -> bytes | None:
        """The token of somebody; None where it does not hold until then, or was refused."""
        row = self._get(PersonRow, person_id)
        return row.access_token if row and _holds(row, refused, until) else None

    def renewed_token(
        self, person_id: int, refused: bytes | None, until: datetime, renew: Renew
    ) -> bytes | None:
        """The same, renewed if need be; where that can't be, they are forgotten.

        A refresh token is good for once, so the row is locked until the new one is stored.
        """
        with self._database.transaction() as stored:
            locked = select(PersonRow).where(col(PersonRow.id) == person_id).with_for_update()
            row = stored.exec(locked).first()
            if row is None or _holds(row, refused, until):
                return row.access_token if row else None
            renewed = renew(row.refresh_token) if row.refresh_token is not None else None
            if renewed is None:
                # While the row is locked: who logs in again at this moment has a new one.
                stored.delete(row)
                return None
            for name, value in renewed.as_columns().items():
                setattr(row, name, value)
            return row.access_token

    def kept(self, person_id: int) -> Kept | None:
        """What is known of what somebody sees; None where they are gone."""
        row = self._get(PersonRow, person_id)
        return Kept(tuple(row.visible), tuple(row.rows_of), row.seen_at, row.asking_since) if row else None

    def begin_asking(self, person_id: int, now: datetime, given_up: datetime, *, anew: bool) -> bool:
        """Claim to ask what somebody sees; `anew` forgets what is kept. False where others ask already."""
        values = {"person": person_id, "now": now, "given_up": given_up, "anew": anew}
        with self._database.transaction() as stored:
            return stored.connection().execute(CLAIM, values).first() is not None

    def keep(
        self,
        person_id: int,
        visible: Collection[int],
        rows_of: Collection[int],
        *,
        asking_since: datetime,
        whole: bool,
    ) -> None:
        """Keep what the question found that began then: all, or what is known so far.

        Nothing is kept where another question has taken its place.
        """
        values = {"visible": list(visible), "rows_of": list(rows_of), "mine": asking_since}
        values |= {"person": person_id, "seen_at": asking_since if whole else None}
        self._execute(KEEP, **values)

    def stop_asking(self, person_id: int, asking_since: datetime) -> None:
        """Let others ask: the question that began then found nothing out."""
        self._execute(LET_GO, person=person_id, mine=asking_since)

    def refuse(self, person_id: int, repository_id: int) -> None:
        """Show somebody a repository no longer."""
        self._execute(REFUSE, person=person_id, repository=repository_id)

    def pocs(self) -> list[tuple[int, str]]:
        """The repositories of all POCs, with their names."""
        return [(row.id, row.full_name) for row in self._rows(POCS)]

    def pocs_of(self, installations: Collection[int]) -> list[int]:
        """The repositories of the POCs of some installations."""
        rows = self._rows(POCS_OF, installations=list(installations)) if installations else ()
        return [row.id for row in rows]


def _holds(row: PersonRow, refused: bytes | None, until: datetime) -> bool:
    return row.access_token != refused and (row.access_ends is None or row.access_ends > until)


NOTED = timedelta(hours=1)
"""That a token is used is written no more often."""
USED = text("""
UPDATE personal_token SET used_at = :now WHERE hash = :hash AND coalesce(used_at, made_at) < :noted
""")


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A token, without what it is used with."""

    id: int
    name: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None


class PersonalTokens(Table):
    """The table of personal tokens."""

    def make(  # noqa: PLR0917 - the columns of a token
        self, person_id: int, name: str, hashed: bytes, now: datetime, ends_at: datetime, most: int
    ) -> bool:
        """Store a new one; False where somebody has as many as they may."""
        with self._database.transaction() as stored:
            # One at a time: the lock is on their own row.
            stored.exec(select(PersonRow.id).where(col(PersonRow.id) == person_id).with_for_update())
            having = select(func.count()).where(
                col(PersonalTokenRow.person_id) == person_id, col(PersonalTokenRow.ends_at) > now
            )
            if stored.exec(having).one() >= most:
                return False
            stored.add(
                PersonalTokenRow(person_id=person_id, name=name, hash=hashed, made_at=now, ends_at=ends_at)
            )
            return True

    def of(self, person_id: int, now: datetime) -> Sequence[PersonalToken]:
        """Those of somebody that still hold, the newest first."""
        statement = (
            select(PersonalTokenRow)
            .where(col(PersonalTokenRow.person_id) == person_id, col(PersonalTokenRow.ends_at) > now)
            .order_by(col(PersonalTokenRow.id).desc())
        )
        with self._database.reading() as stored:
            return [
                PersonalToken(row.id or 0, row.name, row.made_at, row.ends_at, row.used_at)
                for row in stored.exec(statement)
            ]

    def revoke(self, person_id: int, token_id: int) -> None:
        """End one of somebody's own."""
        self._execute(
            delete(PersonalTokenRow).where(
                col(PersonalTokenRow.id) == token_id, col(PersonalTokenRow.person_id) == person_id
            )
        )

    def whose(self, hashed: bytes, now: datetime) -> Person | None:
        """Whose token it is; None where it has ended, or never was one."""
        person = _whose(self._database, PersonalTokenRow, hashed, now)
        if person is not None:
            self._execute(USED, now=now, hash=hashed, noted=now - NOTED)
        return person


def _whose(
    database: Database, holding: type[SessionRow | PersonalTokenRow], hashed: bytes, now: datetime
) -> Person | None:
    statement = (
        select(PersonRow.id, PersonRow.login)
        .join(holding, col(holding.person_id) == col(PersonRow.id))
        .where(col(holding.hash) == hashed, col(holding.ends_at) > now)
    )
    with database.reading() as stored:
        found = stored.exec(statement).first()
    return Person(*found) if found else None
