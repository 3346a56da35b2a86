"""The one stall issue that a POC ever gets, and the activity that it is about."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Engine, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.charter.file import CHARTER_PATH
from service.rules.facts import FactKind, Issue, IssueState, StallIssue
from service.rules.reception import repository_key
from service.store.database import ACCOUNT_LOCK, lock, transaction
from service.store.tables import FactRow, StallIssueRow


class StallIssues:
    """The table of stall issues; each method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last_activity(self, repository_id: int, login: str) -> datetime | None:
        """When a person was last seen to work on a repository."""
        with transaction(self._engine) as session:
            return session.exec(
                select(func.max(FactRow.at)).where(
                    FactRow.subject == repository_key(repository_id),
                    FactRow.kind == FactKind.ACTIVITY,
                    func.lower(FactRow.actor) == login.lower(),
                )
            ).one()

    def remember_activity(self, repository_id: int, login: str, at: datetime) -> None:
        """Note work of a person that no event told of."""
        subject = repository_key(repository_id)
        fact = insert(FactRow).values(
            id=f"{subject}:commit:{login}:{at.isoformat()}",
            subject=subject,
            kind=str(FactKind.ACTIVITY),
            at=at,
            actor=login,
            detail="commit",
            answered_at=func.now(),
        )
        with transaction(self._engine) as session:
            session.execute(fact.on_conflict_do_nothing())

    def find(self, repository_id: int) -> StallIssue | None:
        """The one stall issue of a POC."""
        with transaction(self._engine) as session:
            row = session.get(StallIssueRow, (repository_id, CHARTER_PATH))
            if row is None:
                return None
            return StallIssue(row.number, IssueState(row.state), row.digest, row.opened_at, row.closed_by_us)

    def opened_on(self, installation_id: int, day: date) -> int:
        """How many stall issues an installation got on a day."""
        with transaction(self._engine) as session:
            return session.exec(
                select(func.count())
                .select_from(StallIssueRow)
                .where(StallIssueRow.installation_id == installation_id, StallIssueRow.opened_on == day)
            ).one()

    def begin(self, repository_id: int, installation_id: int, day: date, limit: int) -> bool:
        """Note that a stall issue is about to be opened; False where the day's number is used up."""
        with lock(self._engine, ACCOUNT_LOCK, str(installation_id)):
            if self.find(repository_id) is None and self.opened_on(installation_id, day) >= limit:
                return False
            row = insert(StallIssueRow).values(
                repository_id=repository_id,
                charter_path=CHARTER_PATH,
                installation_id=installation_id,
                state=str(IssueState.OPEN),
                digest="",
                opened_on=day,
            )
            with transaction(self._engine) as session:
                session.execute(row.on_conflict_do_nothing())
            return True

    def opened(self, repository_id: int, issue: Issue, digest: str) -> None:
        """Note the issue that was opened, or found to have been."""
        self._change(
            repository_id,
            number=issue.number,
            state=str(issue.state),
            digest=digest,
            html_url=issue.html_url,
            opened_at=issue.created_at,
        )

    def changed(
        self,
        repository_id: int,
        *,
        state: IssueState | None = None,
        digest: str | None = None,
        closed_by_us: bool | None = None,
    ) -> None:
        """Note what became of the stall issue; what is None stays. A reopened one is opened anew."""
        changes: dict[str, object] = {
            "state": str(state) if state else None,
            "digest": digest,
            "closed_by_us": closed_by_us,
        }
        if state is IssueState.OPEN:
            changes["opened_at"] = func.now()
        self._change(repository_id, **{name: value for name, value in changes.items() if value is not None})

    def _change(self, repository_id: int, **changes: object) -> None:
        if changes:
            with transaction(self._engine) as session:
                session.execute(
                    update(StallIssueRow)
                    .where(
                        col(StallIssueRow.repository_id) == repository_id,
                        col(StallIssueRow.charter_path) == CHARTER_PATH,
                    )
                    .values(**changes)
                )
