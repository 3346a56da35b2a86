"""All that one reconciliation goes by: what is stored of a POC, read in a handful of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from service.rules.gate.signoffs import Signature
from service.rules.policy.model import Policy
from service.rules.policy.recognition import KnownRepository
from service.rules.source.text import CHARTER_PATH
from service.rules.stall.waiting_on import PausePeriod, WaitingOn
from service.rules.values.activity import Activity, ActivityKind
from service.rules.values.github import EventKind, PullRequest, StallIssue
from service.rules.values.subjects import PocId, repository_key
from service.store.installations import KnownInstallation, installation_of
from service.store.pocs import StoredPoc, stored_poc_of
from service.store.policies import policy_of
from service.store.pull_requests import pull_of
from service.store.query import Query, any_of
from service.store.repositories import default_head_of, known_of
from service.store.signatures import StoredSignature, stored_signature_of
from service.store.stall_issues import issue_of, issues_of
from service.store.table import Table
from service.store.tables import (
    FactRow,
    InstallationRow,
    PocRow,
    PullRequestRow,
    RepositoryRow,
    SignatureRow,
    StallIssueRow,
)
from service.store.tables_waiting import BlockerRow, PolicyRow, RestRow, ShipDateRow, TurnRow
from service.store.timeline import acted_by_kind, asked_reviews
from service.store.waiting import SNOOZE, KnownBlocker, ShipDate, blocker_of, pause_of, waiting_on_of


@dataclass(frozen=True, slots=True)
class PocRecord:
    """A repository, whether it is a POC, and what both kinds of subjects in it go by."""

    known: KnownRepository
    policy: Policy
    """Of the organisation; the defaults where it has none."""
    installation: KnownInstallation | None
    poc_id: PocId | None
    """None for what never was a POC, or is found to be one just now."""
    poc: StoredPoc
    default_head: str | None
    """The commit that the default branch was last pushed to, if a push was ever told."""
    pulls: Mapping[int, PullRequest]
    """The open pull requests by number, the ship request, and the one that was asked for."""
    signatures: tuple[StoredSignature, ...]
    """Also those that were withdrawn, oldest first."""
    issue: StallIssue | None

    @property
    def open_numbers(self) -> tuple[int, ...]:
        """The numbers of the open pull requests."""
        return tuple(number for number, pull in self.pulls.items() if pull.state == "open")

    @property
    def standing(self) -> tuple[Signature, ...]:
        """The signatures that were not withdrawn, oldest first."""
        return tuple(each.signature for each in self.signatures if not each.withdrawn)


@dataclass(frozen=True, slots=True)
class StoredPause:
    """A pause of the charter, or a snooze; `source` is the blob or the comment that asked for it."""

    source: str
    at: datetime
    period: PausePeriod


@dataclass(frozen=True, slots=True)
class WaitingRecord:
    """Whom a POC waited for, and what tells whether it still does."""

    periods: tuple[WaitingOn, ...]
    """Who had the ball, oldest first; the last one has it now."""
    ship_dates: tuple[ShipDate, ...]
    """Every ship date that the default branch's charter named, in their order."""
    pauses: tuple[StoredPause, ...]
    """In the order of their last days."""
    blockers: tuple[KnownBlocker, ...]
    """What was named as blocking, the oldest first."""
    acted: Mapping[tuple[str, ActivityKind], datetime]
    """When each person, in small letters, last did something of each kind."""
    asked: tuple[Activity, ...]
    """What tells which reviews are waited for, oldest first; what was taken back among it."""

    @property
    def snoozes(self) -> tuple[StoredPause, ...]:
        """The pauses that a command asked for."""
        return tuple(each for each in self.pauses if each.source.startswith(SNOOZE))


R = TypeVar("R", TurnRow, RestRow)
NOTHING_DONE: Mapping[str, datetime] = {}
NOT_BEGUN = PocId(0), StoredPoc()
"""Of a POC without a record; no record has this id."""


@dataclass(frozen=True, slots=True)
class StoredStall:
    """What is stored of one POC, as far as a stall is decided by it."""

    standing: StoredPoc
    turn: WaitingOn | None = None
    """Who has the ball by the last look."""
    rest: PausePeriod | None = None
    """The pause or snooze that lasts longest."""
    issue: StallIssue | None = None
    acted: Mapping[str, datetime] = field(default_factory=dict)
    """When each person last did anything, by the login in small letters."""

    @property
    def activity_at(self) -> datetime | None:
        """When anybody last did anything."""
        return max(self.acted.values(), default=None)

    def acted_at(self, people: Iterable[str]) -> datetime | None:
        """When one of these people last did anything."""
        moments = (self.acted.get(login.lower()) for login in people)
        return max((at for at in moments if at is not None), default=None)


HOME = aliased(RepositoryRow)
FOUND = Query(
    sa.select(
        RepositoryRow,
        PocRow,
        PolicyRow,
        InstallationRow,
        StallIssueRow,
        HOME,
        default_head_of(bindparam("subject")),
    )
    .outerjoin(
        PocRow,
        (col(PocRow.repository_id) == col(RepositoryRow.id)) & (col(PocRow.charter_path) == CHARTER_PATH),
    )
    .outerjoin(PolicyRow, col(PolicyRow.installation_id) == col(RepositoryRow.installation_id))
    .outerjoin(InstallationRow, col(InstallationRow.id) == col(RepositoryRow.installation_id))
    .outerjoin(StallIssueRow, col(StallIssueRow.poc_id) == col(PocRow.id))
    .outerjoin(HOME, col(HOME.id) == col(StallIssueRow.home_repository_id))
    .where(col(RepositoryRow.id) == bindparam("repository_id")),
    RepositoryRow,
    PocRow,
    PolicyRow,
    InstallationRow,
    StallIssueRow,
    RepositoryRow,
)
PULLS = Query(
    sa.select(PullRequestRow).where(
        col(PullRequestRow.repository_id) == bindparam("repository_id"),
        (col(PullRequestRow.state) == "open") | (col(PullRequestRow.number) == any_of("asked", sa.Integer)),
    )
)
SIGNATURES = Query(
    sa.select(SignatureRow)
    .where(col(SignatureRow.poc_id) == bindparam("poc_id"))
    .order_by(col(SignatureRow.at), col(SignatureRow.id))
)
OF_POC: sa.BindParameter[int] = bindparam("poc_id")
PERIODS = Query(sa.select(TurnRow).where(col(TurnRow.poc_id) == OF_POC).order_by(col(TurnRow.id)))
SHIP_DATES = Query(
    sa.select(ShipDateRow).where(col(ShipDateRow.poc_id) == OF_POC).order_by(col(ShipDateRow.id))
)
PAUSES = Query(
    sa.select(RestRow).where(col(RestRow.poc_id) == OF_POC).order_by(col(RestRow.until), col(RestRow.source))
)
BLOCKERS = Query(
    sa.select(BlockerRow)
    .where(col(BlockerRow.poc_id) == OF_POC)
    .order_by(col(BlockerRow.named_at), col(BlockerRow.reference))
)


class PocRecords(Table):
    """Reads over many tables."""

    def find(self, repository_id: int, *, number: int | None = None) -> PocRecord | None:
        """What is stored of a repository, with one pull request whatever its state; None if unheard of."""
        with self._database.reading() as session:
            named = {"repository_id": repository_id, "subject": repository_key(repository_id)}
            row = FOUND.first(session, **named)
            if row is None:
                return None
            repository, poc, policy, installation, issue, home, default_head = row
            poc_id = poc.id if poc else None
            asked = [each for each in (number, poc.ship_request if poc else None) if each is not None]
            pulls = PULLS.all(session, repository_id=repository_id, asked=asked)
            signatures = SIGNATURES.all(session, poc_id=poc_id)
            return PocRecord(
                known=known_of(repository),
                policy=policy_of(policy.good_text if policy else None),
                installation=installation_of(installation) if installation else None,
                poc_id=poc_id,
                poc=stored_poc_of(poc) if poc else StoredPoc(),
                default_head=default_head,
                pulls={each.number: pull_of(each) for each in pulls},
                signatures=tuple(map(stored_signature_of, signatures)),
                issue=issue_of(issue, home) if issue else None,
            )

    def waiting(self, poc_id: PocId | None, repository_id: int) -> WaitingRecord:
        """Whom the POC of a repository waited for, as far as it is stored."""
        with self._database.reading() as session:
            return WaitingRecord(
                periods=tuple(map(waiting_on_of, PERIODS.all(session, poc_id=poc_id))),
                ship_dates=tuple(
                    ShipDate(row.ship_by, row.at) for row in SHIP_DATES.all(session, poc_id=poc_id)
                ),
                pauses=tuple(
                    StoredPause(row.source, row.at, pause_of(row))
                    for row in PAUSES.all(session, poc_id=poc_id)
                ),
                blockers=tuple(map(blocker_of, BLOCKERS.all(session, poc_id=poc_id))),
                acted=acted_by_kind(session, repository_id),
                asked=asked_reviews(session, repository_id),
            )

    def stalls(self, repository_ids: Collection[int]) -> Mapping[int, StoredStall]:
        """What is stored of these repositories' POCs; of one that nothing is known of, how it begins."""
        with self._database.reading() as session:
            pocs = _pocs(session, repository_ids)
            poc_ids = [poc_id for poc_id, _ in pocs.values()]
            turns = _last(session, TurnRow, poc_ids, col(TurnRow.id).desc())
            rests = _last(session, RestRow, poc_ids, col(RestRow.until).desc(), col(RestRow.source).desc())
            issues, acted = issues_of(session, poc_ids), _acted(session, repository_ids)
        return {
            each: StoredStall(
                standing=standing,
                turn=waiting_on_of(turns[poc_id]) if poc_id in turns else None,
                rest=pause_of(rests[poc_id]) if poc_id in rests else None,
                issue=issues.get(poc_id),
                acted=acted.get(repository_key(each), NOTHING_DONE),
            )
            for each in repository_ids
            for poc_id, standing in [pocs.get(each, NOT_BEGUN)]
        }


def _pocs(session: Session, repository_ids: Collection[int]) -> Mapping[int, tuple[PocId, StoredPoc]]:
    rows = session.exec(
        select(PocRow).where(
            col(PocRow.repository_id).in_(repository_ids), PocRow.charter_path == CHARTER_PATH
        )
    )
    return {row.repository_id: (row.id, stored_poc_of(row)) for row in rows}


def _last(
    session: Session, table: type[R], poc_ids: Collection[PocId], *order: ColumnElement[Any]
) -> Mapping[PocId, R]:
    """The first row of each POC in an order."""
    poc_id = col(table.poc_id)
    rows = session.exec(
        select(table).ext(distinct_on(poc_id)).where(poc_id.in_(poc_ids)).order_by(poc_id, *order)
    )
    return {row.poc_id: row for row in rows}


def _acted(session: Session, repository_ids: Collection[int]) -> Mapping[str, Mapping[str, datetime]]:
    login = func.lower(col(FactRow.actor))
    rows = session.exec(
        select(FactRow.subject, login, func.max(FactRow.at))
        .where(
            col(FactRow.subject).in_(map(repository_key, repository_ids)),
            col(FactRow.kind) == str(EventKind.ACTIVITY),
            col(FactRow.actor) != "",
        )
        .group_by(col(FactRow.subject), login)
    )
    acted: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for subject, actor, at in rows:
        acted[subject][actor] = at
    return acted
