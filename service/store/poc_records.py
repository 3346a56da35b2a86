"""All that one reconciliation goes by: what is stored of a POC, read in a handful of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, or_, select

from service.rules.gate.signoffs import Signature
from service.rules.policy.model import Policy
from service.rules.policy.recognition import KnownRepository
from service.rules.stall.waiting_on import PausePeriod, WaitingOn
from service.rules.values.activity import Activity, ActivityKind
from service.rules.values.github import PullRequest, StallIssue
from service.store.database import Database
from service.store.installations import KnownInstallation, installation_of
from service.store.pocs import StoredPoc, stored_poc_of
from service.store.policies import policy_of
from service.store.pull_requests import pull_of
from service.store.repositories import default_head_of, known_of
from service.store.signatures import StoredSignature, stored_signature_of
from service.store.stall_issues import issues_of
from service.store.tables import InstallationRow, PocRow, PullRequestRow, RepositoryRow, SignatureRow
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
    poc: StoredPoc
    default_head: str | None
    """The commit that the default branch was last pushed to, if a push was ever told."""
    pulls: Mapping[int, PullRequest]
    """The open pull requests by number, the ship request, and the one that was asked for."""
    signatures: tuple[StoredSignature, ...]
    """Also those that were withdrawn, oldest first."""

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
    issue: StallIssue | None
    acted: Mapping[tuple[str, ActivityKind], datetime]
    """When each person, in small letters, last did something of each kind."""
    asked: tuple[Activity, ...]
    """What tells which reviews are waited for, oldest first; what was taken back among it."""

    @property
    def snoozes(self) -> tuple[StoredPause, ...]:
        """The pauses that a command asked for."""
        return tuple(each for each in self.pauses if each.source.startswith(SNOOZE))


class PocRecords:
    """Reads over many tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, repository_id: int, *, number: int | None = None) -> PocRecord | None:
        """What is stored of a repository, with one pull request whatever its state; None if unheard of."""
        with self._database.reading() as session:
            row = session.execute(
                sa.select(RepositoryRow, PocRow, PolicyRow, InstallationRow, default_head_of(repository_id))
                .outerjoin(PocRow, col(PocRow.repository_id) == col(RepositoryRow.id))
                .outerjoin(PolicyRow, col(PolicyRow.installation_id) == col(RepositoryRow.installation_id))
                .outerjoin(InstallationRow, col(InstallationRow.id) == col(RepositoryRow.installation_id))
                .where(col(RepositoryRow.id) == repository_id)
            ).first()
            if row is None:
                return None
            repository, poc, policy, installation, default_head = row
            asked = [each for each in (number, poc.ship_request if poc else None) if each is not None]
            pulls = session.exec(
                select(PullRequestRow).where(
                    PullRequestRow.repository_id == repository_id,
                    or_(PullRequestRow.state == "open", col(PullRequestRow.number).in_(asked)),
                )
            )
            signatures = session.exec(
                select(SignatureRow)
                .where(SignatureRow.repository_id == repository_id)
                .order_by(col(SignatureRow.at), col(SignatureRow.id))
            )
            return PocRecord(
                known=known_of(repository),
                policy=policy_of(policy.good_text if policy else None),
                installation=installation_of(installation) if installation else None,
                poc=stored_poc_of(poc) if poc else StoredPoc(),
                default_head=default_head,
                pulls={each.number: pull_of(each) for each in pulls},
                signatures=tuple(map(stored_signature_of, signatures)),
            )

    def waiting(self, repository_id: int) -> WaitingRecord:
        """Whom a POC waited for, as far as it is stored."""
        with self._database.reading() as session:
            periods = select(TurnRow).where(TurnRow.repository_id == repository_id)
            dates = select(ShipDateRow).where(ShipDateRow.repository_id == repository_id)
            pauses = select(RestRow).where(RestRow.repository_id == repository_id)
            blockers = select(BlockerRow).where(BlockerRow.repository_id == repository_id)
            return WaitingRecord(
                periods=tuple(map(waiting_on_of, session.exec(periods.order_by(col(TurnRow.id))))),
                ship_dates=tuple(
                    ShipDate(row.ship_by, row.at) for row in session.exec(dates.order_by(col(ShipDateRow.id)))
                ),
                pauses=tuple(
                    StoredPause(row.source, row.at, pause_of(row))
                    for row in session.exec(pauses.order_by(col(RestRow.until), col(RestRow.source)))
                ),
                blockers=tuple(
                    blocker_of(row)
                    for row in session.exec(
                        blockers.order_by(col(BlockerRow.named_at), col(BlockerRow.reference))
                    )
                ),
                issue=issues_of(session, [repository_id]).get(repository_id),
                acted=acted_by_kind(session, repository_id),
                asked=asked_reviews(session, repository_id),
            )
