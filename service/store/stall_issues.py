"""The one stall issue of a POC: where it stands, how far up the ladder, and what it says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from service.rules.values.actions import EditIssue, EscalationRecord, text_digest
from service.rules.values.github import Issue, IssueState, RepositoryRef, StallIssue
from service.rules.values.subjects import PocId
from service.store.database import LockClass
from service.store.table import Table
from service.store.tables import RepositoryRow, StallIssueRow


class StallIssues(Table):
    """The table of stall issues."""

    def find(self, poc_id: PocId) -> StallIssue | None:
        """The one stall issue of a POC."""
        with self._database.reading() as session:
            return issues_of(session, [poc_id]).get(poc_id)

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
        poc_id: PocId,
        installation_id: int,
        day: date,
        limit: int,
        *,
        home_repository_id: int | None,
        escalation: EscalationRecord,
    ) -> bool:
        """Note that a stall issue is about to be opened; False where the day's number is used up.

        One that is gone makes room for another. `home_repository_id` is None for the POC's own repository.
        """
        with self._database.lock(LockClass.ACCOUNT, str(installation_id)):
            known = self.find(poc_id)
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
                "home_repository_id": home_repository_id,
                **asdict(escalation),
            }
            row = insert(StallIssueRow).values(poc_id=poc_id, **values)
            row = row.on_conflict_do_update(
                index_elements=["poc_id"],
                set_=values,
                where=col(StallIssueRow.state) == str(IssueState.GONE),
            )
            with self._database.transaction() as session:
                session.execute(row)
            return True

    def opened(
        self,
        poc_id: PocId,
        issue: Issue,
        digest: str,
        escalation: EscalationRecord,
        *,
        assignee: str | None,
    ) -> None:
        """Note the issue that was opened, or found to have been opened before."""
        self._change(
            poc_id,
            number=issue.number,
            state=str(issue.state),
            digest=digest,
            html_url=issue.html_url,
            opened_at=issue.created_at,
            assignee=assignee,
            **asdict(escalation),
        )

    def edited(self, edit: EditIssue, *, at: datetime) -> None:
        """Note an edit that was made at a time, all of it at once: half of it would be another state.

        Reopened, or with a new episode, it counts as opened anew.
        """
        escalation, known = edit.escalation, self.find(edit.poc_id)
        changes: dict[str, object] = asdict(escalation)
        if edit.title and edit.body:
            changes["digest"] = text_digest(edit.title, edit.body)
        if edit.assign or edit.unassign:
            changes["assignee"] = edit.assign
        if edit.state:
            changes |= {"state": edit.state, "closed_by_us": edit.state == IssueState.CLOSED}
        if edit.state == IssueState.OPEN or (known is not None and known.episode != escalation.episode):
            changes["opened_at"] = at
        self._change(edit.poc_id, **changes)

    def moved(self, poc_id: PocId, home_repository_id: int | None, number: int) -> None:
        """Note where a transferred issue stands now; None for the POC's own repository."""
        self._change(poc_id, home_repository_id=home_repository_id, number=number)

    def became(
        self,
        poc_id: PocId,
        state: IssueState,
        *,
        closed_by_us: bool | None = None,
        opened_at: datetime | None = None,
        reopened: bool | None = None,
    ) -> None:
        """Note a state that GitHub showed, and what follows from it; what is None stays."""
        follows = {"closed_by_us": closed_by_us, "opened_at": opened_at, "reopened": reopened}
        changes = {name: value for name, value in follows.items() if value is not None}
        self._change(poc_id, state=str(state), **changes)

    def _change(self, poc_id: PocId, **changes: object) -> None:
        self._execute(update(StallIssueRow).where(col(StallIssueRow.poc_id) == poc_id).values(**changes))


def issues_of(session: Session, poc_ids: Collection[PocId | None]) -> Mapping[PocId, StallIssue]:
    """The stall issues of POCs, each with the repository that it stands in where that is another."""
    rows = session.exec(
        select(StallIssueRow, RepositoryRow)
        .outerjoin(RepositoryRow, col(RepositoryRow.id) == col(StallIssueRow.home_repository_id))
        .where(col(StallIssueRow.poc_id).in_(poc_ids))
    )
    return {row.poc_id: issue_of(row, home) for row, home in rows}


def issue_of(row: StallIssueRow, home: RepositoryRow | None) -> StallIssue:
    """A row as a stall issue."""
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
