"""The one stall issue of a POC: where it stands, how far up the ladder, and what it says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from service.rules.source.text import CHARTER_PATH
from service.rules.values.actions import EditIssue, EscalationRecord, text_digest
from service.rules.values.github import Issue, IssueState, RepositoryRef, StallIssue
from service.store.database import Database, LockClass
from service.store.tables import RepositoryRow, StallIssueRow


class StallIssues:
    """The table of stall issues; each method is a statement or a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, repository_id: int) -> StallIssue | None:
        """The one stall issue of a POC."""
        with self._database.reading() as session:
            return issues_of(session, [repository_id]).get(repository_id)

    def opened_on(self, installation_id: int, day: date) -> int:
        """How many stall issues an installation got on a day."""
        with self._database.reading() as session:
            return session.exec(
                select(func.count())
                .select_from(StallIssueRow)
                .where(StallIssueRow.installation_id == installation_id, StallIssueRow.opened_on == day)
            ).one()

    def begin(
        self,
        repository_id: int,
        installation_id: int,
        day: date,
        limit: int,
        *,
        home_repository_id: int,
        escalation: EscalationRecord,
    ) -> bool:
        """Note that a stall issue is about to be opened; False where the day's number is used up.

        One that is gone makes room for another.
        """
        with self._database.lock(LockClass.ACCOUNT, str(installation_id)):
            known = self.find(repository_id)
            begun = known is not None and known.number is None
            if not begun and self.opened_on(installation_id, day) >= limit:
                return False
            values: dict[str, object] = {
                "installation_id": installation_id,
                "state": str(IssueState.OPEN),
                "digest": "",
                "opened_on": day,
                "number": None,
                "opened_at": None,
                "closed_by_us": False,
                "episode": escalation.episode,
                "rung": escalation.rung,
                "reopened": escalation.reopened,
                "home_repository_id": None if home_repository_id == repository_id else home_repository_id,
            }
            row = insert(StallIssueRow).values(
                repository_id=repository_id, charter_path=CHARTER_PATH, **values
            )
            row = row.on_conflict_do_update(
                index_elements=["repository_id", "charter_path"],
                set_=values,
                where=col(StallIssueRow.state) == str(IssueState.GONE),
            )
            with self._database.transaction() as session:
                session.execute(row)
            return True

    def opened(
        self,
        repository_id: int,
        issue: Issue,
        digest: str,
        escalation: EscalationRecord,
        *,
        assignee: str | None,
    ) -> None:
        """Note the issue that was opened, or found to have been opened before."""
        self._change(
            repository_id,
            number=issue.number,
            state=str(issue.state),
            digest=digest,
            html_url=issue.html_url,
            opened_at=issue.created_at,
            assignee=assignee,
            episode=escalation.episode,
            rung=escalation.rung,
            reopened=escalation.reopened,
        )

    def edited(self, edit: EditIssue, *, at: datetime) -> None:
        """Note an edit that was made at a time, all of it at once: half of it would be another state.

        Reopened, or with a new episode, it counts as opened anew.
        """
        escalation, known = edit.escalation, self.find(edit.poc_id)
        changes: dict[str, object] = {
            "episode": escalation.episode,
            "rung": escalation.rung,
            "reopened": escalation.reopened,
        }
        if edit.title and edit.body:
            changes["digest"] = text_digest(edit.title, edit.body)
        if edit.assign or edit.unassign:
            changes["assignee"] = edit.assign
        if edit.state:
            changes |= {"state": edit.state, "closed_by_us": edit.state == IssueState.CLOSED}
        if edit.state == IssueState.OPEN or (known is not None and known.episode != escalation.episode):
            changes["opened_at"] = at
        self._change(edit.poc_id, **changes)

    def moved(self, repository_id: int, home_repository_id: int, number: int) -> None:
        """Note where a transferred issue stands now."""
        home = None if home_repository_id == repository_id else home_repository_id
        self._change(repository_id, home_repository_id=home, number=number)

    def became(
        self,
        repository_id: int,
        state: IssueState,
        *,
        closed_by_us: bool | None = None,
        opened_at: datetime | None = None,
        reopened: bool | None = None,
    ) -> None:
        """Note a state that GitHub showed, and what follows from it; what is None stays."""
        follows = {"closed_by_us": closed_by_us, "opened_at": opened_at, "reopened": reopened}
        changes = {name: value for name, value in follows.items() if value is not None}
        self._change(repository_id, state=str(state), **changes)

    def _change(self, repository_id: int, **changes: object) -> None:
        with self._database.transaction() as session:
            session.execute(
                update(StallIssueRow)
                .where(
                    col(StallIssueRow.repository_id) == repository_id,
                    col(StallIssueRow.charter_path) == CHARTER_PATH,
                )
                .values(**changes)
            )


def issues_of(session: Session, repository_ids: Collection[int]) -> Mapping[int, StallIssue]:
    """The stall issues of POCs, each with the repository that it stands in where that is another."""
    rows = session.exec(
        select(StallIssueRow, RepositoryRow)
        .outerjoin(RepositoryRow, col(RepositoryRow.id) == col(StallIssueRow.home_repository_id))
        .where(
            col(StallIssueRow.repository_id).in_(repository_ids), StallIssueRow.charter_path == CHARTER_PATH
        )
    )
    return {row.repository_id: _issue(row, home) for row, home in rows}


def _issue(row: StallIssueRow, home: RepositoryRow | None) -> StallIssue:
    return StallIssue(
        row.number,
        IssueState(row.state),
        row.digest,
        row.opened_at,
        row.closed_by_us,
        home=RepositoryRef(home.id, home.full_name) if home else None,
        episode=row.episode,
        rung=row.rung,
        reopened=row.reopened,
        assignee=row.assignee,
    )
