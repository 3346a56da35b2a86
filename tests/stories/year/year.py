"""A year of the org in `org.py`, played through the real handlers with a moving clock.

PostgreSQL and every look are real; GitHub is the suite's fake, which remembers when each call came.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import text

from service.rules.values.actions import STALL_LABEL
from service.rules.values.github import Commit, Issue, IssueState, Repository
from service.store import subjects
from service.store.database import transaction
from service.store.sweeps import swept
from service.sweep import mark_all
from tests.harness.charters import CHARTER, files
from tests.harness.deliveries import BOT, described, person
from tests.harness.github import FakeRepository, repository
from tests.harness.world import INSTALLATION, World
from tests.stories.year.org import BIOGRAPHIES, FIRST, LAST, POLICY, STARTS

LINE = re.compile(r"(?P<first>\d+)(?:-(?P<last>\d+))? (?P<verb>[\w-]+) ?(?P<words>.*)")
CENTRAL = 902
SWEPT = (0, 3, 5)
"""Monday, Thursday and Saturday: a look more often than that finds nothing else."""
MORNING = time(7, 30, tzinfo=UTC)
OWNERS = ("jane-doe", "john-roe", "kim-lee", "lou-poe", "max-oh")
BRANCH = "0" * 40


@dataclass(slots=True)
class Life:
    """One POC of the year."""

    found: Repository
    biography: str
    owner: str
    begins: date
    words: dict[str, str] = field(default_factory=dict)
    """What differs in its charter from the usual one, by what is replaced."""
    pulls: dict[int, str] = field(default_factory=dict)
    """Heads of its pull requests."""
    merged: int = 0

    @property
    def name(self) -> str:
        return self.found.name

    def deeds(self) -> Iterator[tuple[date, str, str]]:
        """What happens on which day, in the order of the biography."""
        for line in filter(None, map(str.strip, BIOGRAPHIES[self.biography].splitlines())):
            match = LINE.fullmatch(line)
            assert match, line
            first = int(match["first"])
            for day in range(first, int(match["last"] or first) + 1):
                yield self.begins + timedelta(days=day), match["verb"], match["words"]

    def charter(self) -> str:
        charter = CHARTER.replace("owner: jane-doe", f"owner: {self.owner}")
        for old, new in self.words.items():
            assert old in charter, old
            charter = charter.replace(old, new)
        return charter


class Year(World):
    """The org, day after day."""

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        self._mail: list[tuple[str, str, bytes]] = []
        self._moment(datetime.combine(FIRST, MORNING))
        self._ids = iter(range(10_000, 10_000_000))
        self.lives = tuple(self._lives())
        self.plan: dict[date, list[tuple[Life, str, str]]] = defaultdict(list)
        for life in self.lives:
            for day, verb, words in life.deeds():
                self.plan[day].append((life, verb, words))

    def _lives(self) -> Iterator[Life]:
        numbers = iter(range(1, 1_000))
        for start in STARTS:
            for biography in BIOGRAPHIES:
                number = next(numbers)
                found = repository(number, full_name=f"acme/poc-{number:02}", pushed_at=self.now)
                begins = FIRST + timedelta(days=start)
                yield Life(found, biography, OWNERS[number % len(OWNERS)], begins)

    def begin(self) -> None:
        """The org's policy, its central repository, and the app's installation."""
        dotgithub = repository(901, full_name="acme/.github", pushed_at=self.now)
        portfolio = repository(
            CENTRAL, full_name="acme/poc-portfolio", pushed_at=self.now, topics=["not-a-poc"]
        )
        self.github.add(dotgithub).put("main", {"poc-policy.yml": POLICY})
        self.github.add(portfolio)
        self.install(dotgithub, portfolio)
        mark_all(self.services)
        self.settle()

    def days(self) -> Iterator[date]:
        day = FIRST
        while day <= LAST:
            yield day
            day += timedelta(days=1)

    def play(self, day: date) -> None:
        """What people do on a day, then the sweep."""
        self._moment(datetime.combine(day, MORNING))
        for life, verb, words in self.plan.get(day, ()):
            self._moment(self.now + timedelta(minutes=1))
            if life.found.id not in self.github.repos:
                self._found(life)
            VERBS[verb](self, life, words)
        if day.weekday() in SWEPT:
            self.sweep_pocs(due=True)
        self.settle()

    def sweep_pocs(self, *, due: bool = False) -> None:
        """Look at every POC, policy and digest, or at those of them that are due."""
        with transaction(self.services.engine) as session:
            keys = swept(session, announces=self.services.announces, due_by=self.now if due else None)
            subjects.mark(session, filter(_is_swept, keys))
        self.settle()

    def deliver(self, event: str, **payload: Any) -> None:
        """Deliveries arrive together, before the next look."""
        self._deliveries += 1
        body = json.dumps({"installation": {"id": INSTALLATION}} | payload).encode()
        self._mail.append((f"delivery-{self._deliveries}", event, body))

    def work(self, *, waited: bool = False) -> None:
        if self._mail:
            self.receiver.deliver_all(self._mail)
            self._mail.clear()
        super().work(waited=waited)

    def settle(self) -> None:
        """Look until nothing is dirty; what waits for its moment gets it."""
        self.work()
        while waits := [state.waits_until for state in self.states() if state.dirty and state.waits_until]:
            self._moment(max(self.now, min(waits)))
            with transaction(self.services.engine) as session:
                session.connection().execute(
                    text("UPDATE subject SET not_before = NULL WHERE not_before <= :now"), {"now": self.now}
                )
            self.work()

    def echo(self) -> None:
        """GitHub tells us what we wrote ourselves."""
        for life in self.lives:
            repo = self.github.repos.get(life.found.id)
            for issue in repo.issues.values() if repo else ():
                if STALL_LABEL in issue.labels:
                    self._issue_event(life, "edited", issue.number, sender=BOT)
                    self._comment(life, "/poc stop we said this ourselves", BOT, issue.number)

    def repo(self, life: Life) -> FakeRepository:
        return self.github.repos[life.found.id]

    def _moment(self, at: datetime) -> None:
        self.now = at
        self.github.now = at

    def _found(self, life: Life) -> None:
        self.github.add(life.found).write(None, "main")
        stubs = [{"id": life.found.id, "full_name": life.found.full_name}]
        self.deliver("installation_repositories", action="added", repositories_added=stubs)
        self.work()

    def _numbers(self) -> dict[str, str]:
        """Numbers that meet everything; each time others, since what stays the same grows old."""
        number = next(self._ids)
        return files(latency=100 + number % 100, accuracy=(930 + number % 60) / 1000)

    def _sha(self) -> str:
        return f"{next(self._ids):040x}"

    def _send(self, life: Life, event: str, sender: dict[str, str], **payload: Any) -> None:
        life.found = replace(life.found, updated_at=self.now)
        self.github.repos[life.found.id].described = life.found
        self.deliver(event, repository=described(life.found), sender=sender, **payload)

    def _push(self, life: Life, ref: str, sender: dict[str, str], *paths: str, after: str = "") -> None:
        life.found = replace(life.found, pushed_at=self.now)
        commits = [{"distinct": True, "message": "Work", "modified": list(paths)}]
        self._send(life, "push", sender, ref=f"refs/heads/{ref}", after=after or self._sha(), commits=commits)

    def _land(self, life: Life, sender: str, *paths: str, put: dict[str, str] | None = None) -> None:
        """Move the default branch."""
        after, repo = self._sha(), self.repo(life)
        repo.write(life.charter(), after, "main")
        repo.put(after, put or {})
        repo.history[after] = Commit(after, f"tree of {after}", ())
        repo.merge_bases[after, "main"] = after
        self._push(life, "main", person(sender), *paths, after=after)

    def _pull_event(self, life: Life, action: str, number: int, sender: dict[str, str], **more: Any) -> None:
        head = life.pulls[number]
        merged = action == "closed"
        shown = {
            "number": number,
            "state": "closed" if merged else "open",
            "head": {"ref": "work", "sha": head},
            "base": {"ref": "main", "sha": BRANCH},
            "user": {"login": life.owner},
            "updated_at": self.now.isoformat(),
            "merged": merged,
        }
        self.repo(life).shows(shown)
        self._send(life, "pull_request", sender, action=action, pull_request=shown, **more)

    def _review(self, life: Life, login: str, number: int, state: str) -> None:
        at = self.now.isoformat()
        review = {
            "id": next(self._ids),
            "state": state,
            "user": {"login": login, "type": "User"},
            "commit_id": life.pulls[number],
            "submitted_at": at,
        }
        shown = {
            "number": number,
            "state": "open",
            "head": {"ref": "work", "sha": life.pulls[number]},
            "base": {"ref": "main", "sha": BRANCH},
            "user": {"login": life.owner},
            "updated_at": at,
        }
        self._send(
            life,
            "pull_request_review",
            person(login),
            action="submitted",
            review=review,
            pull_request=shown,
        )

    def _comment(
        self, life: Life, said: str, sender: dict[str, str], number: int, *, on_pull: bool = False
    ) -> None:
        at = self.now.isoformat()
        comment = {"id": next(self._ids), "created_at": at, "body": said, "user": sender}
        issue: dict[str, Any] = {"id": number, "number": number, "updated_at": at}
        issue |= {"pull_request": {}} if on_pull else {}
        self._send(life, "issue_comment", sender, action="created", comment=comment, issue=issue)

    def _issue_event(self, life: Life, action: str, number: int, *, sender: dict[str, str]) -> None:
        body = self.repo(life).issues[number].body if number in self.repo(life).issues else ""
        shown = {
            "id": number,
            "number": number,
            "updated_at": self.now.isoformat(),
            "body": body,
            "labels": [{"name": STALL_LABEL}],
        }
        self._send(life, "issues", sender, action=action, issue=shown)

    def _stall_issue(self, life: Life) -> int | None:
        ours = [i.number for i in self.repo(life).issues.values() if STALL_LABEL in i.labels]
        return ours[-1] if ours else None

    # What the verbs do.

    def work_on(self, life: Life, words: str) -> None:
        if self.now.weekday() < 5:  # Monday to Friday
            who = words.removeprefix("by ") or life.owner
            self._push(life, "work", person(who), "src/model.py")

    def always(self, life: Life, _words: str) -> None:
        self._push(life, "work", person(life.owner), "src/model.py")

    def bot(self, life: Life, _words: str) -> None:
        self._push(life, "renovate/all", {"login": "renovate[bot]", "type": "Bot"}, "uv.lock")

    def label(self, life: Life, _words: str) -> None:
        life.pulls.setdefault(9, self._sha())
        self._pull_event(life, "labeled", 9, person("erin-x"), label={"name": "ai"})

    def change_charter(self, life: Life, words: str) -> None:
        what, _, rest = words.partition(" ")
        if what.startswith("+"):
            self._ship_by(life, int(what))
            if rest == "missing":
                life.words["deploy_process: https://ci.example.com/deploy"] = "deploy_process: missing"
        elif what == "there":
            del life.words["deploy_process: https://ci.example.com/deploy"]
        elif what == "stopped":
            life.words["signoffs:\n"] = f"stopped: {self.now.date()} - it was not worth it\nsignoffs:\n"
        elif what == "paused":
            until = life.begins + timedelta(days=int(rest))
            life.words["signoffs:\n"] = f"paused: {until} - the data is being cleared\nsignoffs:\n"
        elif what == "resumed":
            del life.words["signoffs:\n"]
        elif what == "owner":
            life.owner = rest
        self._land(life, life.owner, "POC.md")

    def _ship_by(self, life: Life, days: int) -> None:
        life.words["ship_by: 2027-02-26"] = f"ship_by: {life.begins + timedelta(days=days)}"

    def measure(self, life: Life, words: str) -> None:
        put = self._numbers() if words == "good" else files(latency=900)
        self._land(life, life.owner, "load/k6.json", put=put)

    def sign(self, life: Life, words: str) -> None:
        for login in words.split():
            self._comment(life, "/poc sign", person(login), 1)

    def open_pull(self, life: Life, words: str) -> None:
        number, _, good = words.partition(" ")
        head, repo = self._sha(), self.repo(life)
        charter = repo.files.get("main")
        if charter is not None:
            repo.files[head] = repo.files[BRANCH] = charter
        repo.put(head, self._numbers() if good else {})
        repo.history[head] = Commit(head, f"tree of {head}", ())
        repo.merge_bases[BRANCH, head] = BRANCH
        life.pulls[int(number)] = head
        self._pull_event(life, "opened", int(number), person(life.owner))

    def merge(self, life: Life, words: str) -> None:
        self._pull_event(life, "closed", int(words), person(life.owner))

    def ask(self, life: Life, words: str) -> None:
        number, login = words.split()
        reviewer = person(login)
        self._pull_event(
            life, "review_requested", int(number), person(life.owner), requested_reviewer=reviewer
        )

    def review(self, life: Life, words: str) -> None:
        number, login = words.split()
        self._review(life, login, int(number), "commented")

    def approve(self, life: Life, words: str) -> None:
        number, *people = words.split()
        for login in people:
            self._review(life, login, int(number), "approved")

    def say(self, life: Life, words: str) -> None:
        number, _, said = words.partition(" ")
        self._comment(life, said, person(life.owner), int(number), on_pull=True)

    def command(self, life: Life, words: str) -> None:
        said = re.sub(r"\{\+(\d+)\}", lambda m: str(life.begins + timedelta(days=int(m[1]))), words)
        self._comment(life, said, person(life.owner), self._stall_issue(life) or 1)

    def deploy(self, life: Life, _words: str) -> None:
        sha = life.pulls[40]
        shown = {"id": next(self._ids), "sha": sha, "environment": "support-prod"}
        status = {"id": next(self._ids), "state": "success", "created_at": self.now.isoformat()}
        self._send(
            life,
            "deployment_status",
            person(life.owner),
            action="created",
            deployment=shown,
            deployment_status=status,
        )

    def leave(self, life: Life, _words: str) -> None:
        self.repo(life).permissions[life.owner] = None

    def shut(self, life: Life, words: str) -> None:
        number = self._stall_issue(life)
        if number is not None:
            issues = self.repo(life).issues
            issues[number] = replace(issues[number], state=IssueState.CLOSED)
            self._issue_event(life, "closed", number, sender=person(words))

    def delete(self, life: Life, _words: str) -> None:
        number = self._stall_issue(life)
        if number is not None:
            self._issue_event(life, "deleted", number, sender=person("erin-x"))
            del self.repo(life).issues[number]

    def blocker(self, life: Life, words: str) -> None:
        number, login = words.split()
        self.repo(life).issues[int(number)] = Issue(
            int(number), IssueState.OPEN, (), "The cluster is full.", self.now, "", assignees=(login,)
        )

    def unblock(self, life: Life, words: str) -> None:
        issues = self.repo(life).issues
        issues[int(words)] = replace(issues[int(words)], state=IssueState.CLOSED)

    def no_issues(self, life: Life, _words: str) -> None:
        life.found = replace(life.found, has_issues=False)
        self._send(life, "repository", person(life.owner), action="edited")

    def archive(self, life: Life, _words: str) -> None:
        life.found = replace(life.found, archived=True)
        self._send(life, "repository", person(life.owner), action="archived")


def _is_swept(key: str) -> bool:
    """Pull requests are looked at when something is told of them: of stalls they know nothing."""
    return not key.startswith("pull_request:")


VERBS: dict[str, Callable[[Year, Life, str], None]] = {
    "work": Year.work_on,
    "always": Year.always,
    "bot": Year.bot,
    "label": Year.label,
    "charter": Year.change_charter,
    "measure": Year.measure,
    "sign": Year.sign,
    "open": Year.open_pull,
    "merge": Year.merge,
    "ask": Year.ask,
    "review": Year.review,
    "approve": Year.approve,
    "say": Year.say,
    "command": Year.command,
    "deploy": Year.deploy,
    "leave": Year.leave,
    "shut": Year.shut,
    "delete": Year.delete,
    "blocker": Year.blocker,
    "unblock": Year.unblock,
    "no-issues": Year.no_issues,
    "archive": Year.archive,
}
