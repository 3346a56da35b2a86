"""Who signed what, and what was withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.gate.signoffs import OPENED, Round, Signature
from service.rules.values import activity
from service.rules.values.activity import Activity
from service.rules.values.groups import Group
from service.rules.values.subjects import PocId, repository_key
from service.store import subjects, timeline
from service.store.table import Table
from service.store.tables import SignatureRow, SignerAccount


@dataclass(frozen=True, slots=True)
class StoredSignature:
    """A signature, and whether it was withdrawn since."""

    signature: Signature
    withdrawn: bool


class Signatures(Table):
    """The table of signatures."""

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
                "commit_sha": signature.commit,
                "behalf": signature.behalf,
                "at": signature.at,
            }
            for signature in given
        ]
        if rows:
            statement = insert(SignatureRow).values(rows).on_conflict_do_nothing()
            with self._database.transaction() as session:
                if session.execute(statement.returning(col(SignatureRow.id))).all():
                    timeline.append(session, repository_id, signing_activities(repository_id, given))
                    subjects.mark(session, [repository_key(repository_id)])

    def accounts(self, repository_id: int) -> Mapping[str, int]:
        """The accounts that signers' logins are bound to, by the login in small letters."""
        with self._database.reading() as session:
            rows = session.exec(select(SignerAccount).where(SignerAccount.repository_id == repository_id))
            return {row.login: row.account_id for row in rows}

    def bind(self, repository_id: int, accounts: Mapping[str, int]) -> None:
        """Bind logins to the accounts that they are now; what is bound stays so."""
        rows = [
            {"repository_id": repository_id, "login": login.lower(), "account_id": account_id}
            for login, account_id in sorted(accounts.items())
        ]
        self._keep(SignerAccount, rows)

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


def signing_activities(repository_id: int, given: Iterable[Signature]) -> Iterator[Activity]:
    """What giving signatures counts as; an author signs by the commits that are there already."""
    for each in given:
        if not each.source.startswith(OPENED):
            yield activity.signed(repository_id, each.source, each.number, each.login, each.at)


def stored_signature_of(row: SignatureRow | Row[Any]) -> StoredSignature:
    """A row as a signature."""
    signature = Signature(
        row.login,
        Group(row.signs_for),
        Round(row.round),
        row.hash,
        row.at,
        row.number,
        row.source,
        row.commit_sha,
        row.behalf,
    )
    return StoredSignature(signature, row.withdrawn_at is not None)
