"""A POC through its days: what people do or leave undone, the morning's look, and what its one issue says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import event as sql_event

from service.rules.queue import Failure
from service.rules.values.actions import STALL_LABEL
from service.rules.values.calendar import USUAL
from service.rules.values.github import Issue, IssueState
from service.rules.values.subjects import repository_key
from service.store import subjects
from service.store.database import transaction
from service.sweep import all_keys
from tests.harness.charters import OWNER
from tests.harness.deliveries import BOT, described, person
from tests.harness.github import NOW, WRITES, FakeGitHub, FakeRepository, Killed, repository
from tests.harness.story import Story, sha
from tests.harness.world import POC

LIMIT = 5
"""Working days of a signer."""
OWNERS_LIMIT = 10
"""Those of the owner: 15 % of the days between the charter's merge and its ship date."""
KEY = repository_key(POC.id)
SWEPT = (0, 5)
"""Monday and Saturday: a look more often than that, and on the days asked for, finds nothing else."""
HOME = repository(90, full_name="acme/.github")
CENTRAL = repository(91, full_name="acme/poc-portfolio", topics=["not-a-poc"])
WRITING = ("INSERT", "UPDATE", "DELETE", "WITH")
WAKING = "UPDATE subject SET not_before = NULL"
"""What the stories do themselves to let time pass."""


def workday(count: int) -> date:
    """The day that so many working days after the beginning is."""
    return USUAL.add_working_days(NOW.date(), count)


class MortalGitHub(FakeGitHub):
    """A GitHub whose caller may be killed before and after each write, and that people use meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.armed = self.dead = False
        self.survived: set[str] = set()
        """The writes before which, or after which, the process was killed once."""
        self.meanwhile: dict[str, Any] = {}
        """What people do as soon as a method was called, once."""

    def passes(self, write: str) -> None:
        """Go on, unless it is the end: each write is the end once."""
        if not self.armed:
            return
        if self.dead or write not in self.survived:
            self.survived.add(write)
            self.dead = True
            raise Killed

    def before_statement(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().startswith(WRITING) and not statement.startswith(WAKING):
            self.passes(statement)

    def _call(self, method: str, *about: object) -> Failure | None:
        if method in WRITES:
            self.passes(f"before {method}")
        lost = super()._call(method, *about)
        if method in self.meanwhile:
            self.meanwhile.pop(method)()
        return lost

    def _answered(self, lost: Failure | None) -> None:
        super()._answered(lost)
        if self.calls[-1].method in WRITES:
            self.passes(f"after {self.calls[-1].method}")


class Days(Story):
    """A POC whose mornings are looked at as in the simulated year: some of a week, and those asked for."""

    GITHUB = MortalGitHub

    def open(self, database_url: str) -> None:
        super().open(database_url)
        sql_event.listen(self.services.engine, "before_cursor_execute", self.mortal.before_statement)

    @property
    def mortal(self) -> MortalGitHub:
        assert isinstance(self.github, MortalGitHub)
        return self.github

    # Time

    def morning(self, day: date, hour: int = 9) -> None:
        self.now = self.github.now = datetime.combine(day, time(hour), UTC)
        self.reconciliation()

    def reconciliation(self, *, as_of: datetime | None = None) -> None:
        """Look at every POC; what waited for its time by now has waited."""
        self.execute(f"{WAKING} WHERE not_before <= :now")
        with transaction(self.services.engine) as session:
            keys = [key for key in all_keys(self.services) if key.startswith("repository:")]
            subjects.mark(session, [*keys, *subjects.dead(session)], as_of=as_of)
        self.work()

    def on(self, count: int) -> None:
        """The morning so many working days after the first."""
        self.morning(workday(count))

    def through(self, count: int) -> None:
        """Let the days pass to that morning: some of a week are looked at, that one and its eve."""
        last, day = workday(count), self.now.date()
        while day < last:
            day += timedelta(days=1)
            if day.weekday() in SWEPT or day in (workday(count - 1), last):
                self.morning(day)

    def stalled(self, count: int = LIMIT) -> None:
        """The first step was just taken."""
        self.on(count)
        assert self.steps == ["open"]
        self.github.forget_calls()

    def outlive_every_write(self, *, told: str = "") -> None:
        """Do what is to be done, killed before each of its writes in turn, and after each that GitHub took.

        `told` is what GitHub tells of our own writes in between.
        """
        github = self.mortal
        github.survived.clear()
        while True:
            github.armed, github.dead = True, False
            try:
                self.work(waited=True)
            except Killed:
                github.armed = False
                self.services.engine.dispose()
                if told:
                    with self.without_workers():
                        self.issue_event(told, sender=BOT)
            else:
                github.armed = False
                return

    # The issue

    @property
    def issue(self) -> Issue:
        """The one issue of the POC that is not deleted."""
        [ours] = self.ours(self.repo)
        return ours

    def ours(self, repo: FakeRepository) -> list[Issue]:
        return [
            each
            for each in repo.issues.values()
            if STALL_LABEL in each.labels and each.state is not IssueState.GONE and not each.full_name
        ]

    @property
    def steps(self) -> list[str]:
        """What people were told of since the last count; that an issue was edited tells nobody."""
        told = []
        for call in self.github.writes:
            match call.method, call.about:
                case "open_issue", _:
                    told.append("open")
                case "edit_issue", (_, *what) if {"open", "closed", "assign"} & set(map(str, what)):
                    told.append(" ".join(str(each) for each in what if each not in ("title", "body")))
                case "post_comment", _:
                    told.append("comment")
                case _:
                    pass
        return told

    @property
    def outcome_now(self) -> str:
        return self.outcome(KEY) or ""

    def change_issue(self, **changes: Any) -> None:
        """Somebody changes the issue on GitHub; nobody tells us."""
        self.repo.issues[self.issue.number] = replace(self.issue, **changes)

    def close(self) -> None:
        self.change_issue(state=IssueState.CLOSED)
        self.issue_event("closed")

    def delete(self, *, told: bool = True) -> None:
        number, body = self.issue.number, self.issue.body
        self.change_issue(state=IssueState.GONE, labels=(), body="")
        if told:
            self.issue_event("deleted", number, body=body)

    def issue_event(self, action: str, number: int = 1, **more: Any) -> None:
        """GitHub tells of an issue of ours, in the POC's repository unless in another."""
        home = self.github.repos[more.get("home", POC.id)]
        known = home.issues.get(number)
        shown = {
            "id": number,
            "number": number,
            "updated_at": self.tick().isoformat(),
            "body": more.get("body", known.body if known else ""),
            "labels": [{"name": STALL_LABEL}],
            "user": BOT,
        }
        sender = more.get("sender", person(OWNER))
        self.deliver(
            "issues", action=action, issue=shown, repository=described(home.described), sender=sender
        )
        self.work()

    # What else people do

    def work_by(self, login: str = OWNER) -> None:
        """A commit on a branch."""
        self.tell_push(person(login))

    def tell_push(self, sender: dict[str, str], **commit: Any) -> None:
        after, at = sha(f"{self.tick():%d%H%M%S}"), self.now
        commits = [{"id": after, "distinct": True, "message": "Work", "modified": ["model.py"], **commit}]
        pushed = described(replace(self.repo.described, pushed_at=at, updated_at=at))
        self.deliver(
            "push", ref="refs/heads/work", after=after, commits=commits, repository=pushed, sender=sender
        )
        self.work()

    def decide(self, policy: str) -> None:
        """Let the organisation have a policy, and a repository for what has no other place."""
        for found in (HOME, CENTRAL):
            self.github.add(found)
        self.github.repos[HOME.id].trees["main"] = {"poc-policy.yml": f"policy: 1\n{policy}".encode()}
        self.install(HOME, CENTRAL)
        self.sweep()
        self.github.forget_calls()

    def switch_issues(self, *, on: bool) -> None:
        """Let the POC's repository have issues, or none."""
        self.repo.described = replace(self.repo.described, has_issues=on, updated_at=self.tick())
        self.deliver("repository", action="edited", repository=described(self.repo.described))
        self.work()

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Nothing is written meanwhile that tells people anything, as check runs do not."""
        self.github.forget_calls()
        yield
        assert [str(call) for call in self.github.writes if "check_run" not in call.method] == []
