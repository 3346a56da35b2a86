"""A POC on its way to production over the fakes: what people and machines do, and what came of it.

Over 300 lines: whatever may happen to a POC is a method of one person's life.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from service.rules.evidence.claims import WorkflowRun
from service.rules.evidence.upload import Sent
from service.rules.values.actions import CHARTER_CHECK, GATE_CHECK
from service.rules.values.github import Commit, Installation
from service.rules.values.groups import Level
from service.store.subjects import SubjectState
from tests.harness.charters import CHARTER, OWNER, PRODUCTION, SIGNERS, STAGING, files
from tests.harness.deliveries import described
from tests.harness.github import PERMISSIONS, CheckRun, DeploymentAnswer, FakeRepository
from tests.harness.world import BASE, HEAD, INSTALLATION, POC, World


def sha(name: str) -> str:
    """A commit's name; each is as long as git's."""
    return name.encode().hex().ljust(40, "0")[:40]


def sent(metric: str, value: str, unit: str, **conditions: Any) -> Sent:
    return Sent(metric, Decimal(value), unit, **({"environment": STAGING} | conditions))


LATENCY = sent("latency_p95", "212.4", "ms", load="50 req/s")
ACCURACY = sent("accuracy", "93.1", "%", dataset="tickets-2026q3", n=2140)


@dataclass(frozen=True, slots=True)
class Said:
    """What a check run says in one line."""

    conclusion: str
    title: str


class Story(World):
    """A service, its GitHub, and one POC in it; time passes by a minute with everything that happens."""

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        self._ids = iter(range(501, 10_000))
        self._nobody_works = False
        self._pushed: set[str] = set()
        self.told_twice = False
        """Whether every delivery comes again, under an id of its own."""
        self.backwards = False
        """Whether of what is dirty the last is looked at first."""

    @property
    def repo(self) -> FakeRepository:
        return self.github.repos[POC.id]

    @contextmanager
    def without_workers(self) -> Iterator[None]:
        """What is delivered meanwhile is looked at later."""
        self._nobody_works = True
        yield
        self._nobody_works = False

    def work(self, *, waited: bool = False) -> None:
        if not self._nobody_works:
            super().work(waited=waited)

    def deliver(self, event: str, **payload: Any) -> None:
        for _ in range(1 + self.told_twice):
            super().deliver(event, **payload)

    def states(self) -> list[SubjectState]:
        return super().states()[:: -1 if self.backwards else 1]

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def only_measured(self) -> None:
        """From now on only numbers that workflow runs sent let a POC ship."""
        self.services = replace(self.services, evidence_level=Level.MEASURED)

    def granted(self, **more: str) -> None:
        """The organisation grants more than the app asks for; what that cost is forgotten."""
        permissions = PERMISSIONS | more
        self.app.installations[INSTALLATION] = Installation(INSTALLATION, "acme", permissions)
        account = {"login": "acme", "type": "Organization"}
        whole = {"id": INSTALLATION, "account": account, "permissions": permissions}
        self.deliver("installation", action="new_permissions_accepted", installation=whole)
        self.work()
        self.github.forget_calls()

    def found(self, charter: str | None = CHARTER, *, signed: bool = True) -> None:
        """Let the POC exist, with its charter on the default branch."""
        self.github.add(POC)
        self.commit(BASE, charter, {})
        self.repo.write(charter, "main")
        self.install(POC)
        if signed:
            self.sign(*SIGNERS)
        self.repo.reactions.clear()
        self.github.forget_calls()

    def sign(self, *people: str) -> None:
        """Sign the charter that is there already."""
        for login in people:
            self.tell_comment("/poc sign", login, number=1, on_pull=False)
        self.work()

    def commit(
        self,
        name: str,
        charter: str | None = CHARTER,
        put: Mapping[str, str | bytes] | None = None,
        *,
        tree: str | None = None,
        parents: tuple[str, ...] = (),
    ) -> str:
        """Let a commit exist; one of the same tree holds the same files."""
        self.repo.write(charter, name)
        self.repo.put(name, files() if put is None else put)
        self.repo.history[name] = Commit(name, tree or f"tree of {name}", parents)
        self.repo.merge_bases.setdefault((BASE, name), BASE)
        return name

    def push_branch(self, head: str = HEAD, *paths: str, **more: Any) -> None:
        """Push a commit to a branch once, by a bot; its files of numbers are named, or else `paths`."""
        named = list(paths or (path for path in files() if path in self.repo.trees.get(head, {})))
        if head in self._pushed or not named:
            return
        self._pushed.add(head)
        bot = {"login": "pushing[bot]", "type": "Bot"}
        commits = [{"id": head, "modified": named, "author": {"username": bot["login"]}} | more]
        shown = described(replace(POC, pushed_at=self.now, updated_at=self.now))
        push = {"ref": "refs/heads/work", "after": head, "commits": commits, "sender": bot}
        self.deliver("push", **push, repository=shown)

    def pull(self, head: str = HEAD, **more: Any) -> str:
        """Open a pull request, or move it; its author does unless somebody else is the `sender`."""
        author = more.setdefault("author", OWNER)
        if more.pop("pushed", True):
            self.push_branch(head)
        self.pull_request(head=head, at=self.tick(), **({"sender": author} | more))
        return head

    def say(self, said: str, login: str = OWNER, **more: Any) -> int:
        """Comment, and let it be heard; returns the comment's id."""
        comment_id = self.tell_comment(said, login, **more)
        self.work()
        return comment_id

    def tell_comment(
        self,
        said: str,
        login: str = OWNER,
        *,
        number: int = 5,
        on_pull: bool = True,
        comment_id: int = 0,
        account_id: int | None = None,
    ) -> int:
        comment_id, at = comment_id or next(self._ids), self.tick().isoformat()
        user = {"login": login, "type": "User", "id": account_id}
        comment = {"id": comment_id, "created_at": at, "body": said, "user": user}
        issue: dict[str, Any] = {"id": number, "number": number, "updated_at": at}
        self.deliver(
            "issue_comment",
            action="created",
            comment=comment,
            issue=issue | ({"pull_request": {}} if on_pull else {}),
            repository=described(POC),
            sender={"login": login},
        )
        return comment_id

    def ship_request(self, head: str = HEAD, **more: Any) -> None:
        """A pull request on which the owner has asked to ship."""
        self.pull(head, **more)
        self.say("/poc ship", number=more.get("number", 5))

    def review(self, *people: str, **more: Any) -> int:
        """Review a pull request, one after the other, and let it be heard; returns the last review's id."""
        review_id = 0
        for login in people:
            review_id = self.tell_review(login, **more)
        self.work()
        return review_id

    def tell_review(
        self,
        login: str,
        state: str = "approved",
        *,
        head: str = HEAD,
        number: int = 5,
        review_id: int = 0,
        at: datetime | None = None,
        dismissed_by: str = "",
        body: str | None = None,
        account_id: int | None = None,
    ) -> int:
        """Deliver a review, or the dismissal of one."""
        review_id, moment = review_id or next(self._ids), (at or self.tick()).isoformat()
        review = {
            "id": review_id,
            "state": "dismissed" if dismissed_by else state,
            "user": {"login": login, "type": "User", "id": account_id},
            "commit_id": head,
            "submitted_at": moment,
            "body": body,
        }
        self.deliver(
            "pull_request_review",
            action="dismissed" if dismissed_by else "submitted",
            review=review,
            pull_request={
                "number": number,
                "state": "open",
                "head": {"ref": "work", "sha": head},
                "base": {"ref": "main", "sha": BASE},
                "user": {"login": OWNER},
                "updated_at": moment,
            },
            repository=described(POC),
            sender={"login": dismissed_by or login},
        )
        return review_id

    def dismiss(self, login: str, review_id: int, *, by: str = "erin-x", head: str = HEAD) -> None:
        self.tell_review(login, review_id=review_id, dismissed_by=by, head=head)
        self.work()

    def land(self, name: str, charter: str | None = CHARTER, *paths: str, **more: Any) -> str:
        """Move the default branch to a commit."""
        self.commit(name, charter, **more)
        self.repo.write(charter, "main")
        self.repo.merge_bases[name, "main"] = name
        pushed = replace(POC, pushed_at=self.tick(), updated_at=self.now)
        self.deliver(
            "push",
            ref="refs/heads/main",
            after=name,
            commits=[{"modified": ["POC.md", *paths]}],
            repository=described(pushed),
            sender={"login": OWNER},
        )
        self.work()
        return name

    def ask_to_deploy(
        self,
        name: str = HEAD,
        environment: str = PRODUCTION,
        *,
        run_id: int = 0,
        deployment_id: int = 0,
        look: bool = True,
    ) -> DeploymentAnswer | None:
        """GitHub asks whether a deployment may proceed; returns what it was answered."""
        before = len(self.repo.answers)
        address = f"https://api.github.com/repos/acme/poc-triage/actions/runs/{run_id or next(self._ids)}"
        self.deliver(
            "deployment_protection_rule",
            action="requested",
            environment=environment,
            deployment_callback_url=f"{address}/deployment_protection_rule",
            deployment={
                "id": deployment_id or next(self._ids),
                "sha": name,
                "environment": environment,
                "created_at": self.tick().isoformat(),
            },
            repository=described(POC),
            sender={"login": OWNER},
        )
        if look:
            self.work()
        return self.repo.answers[-1] if len(self.repo.answers) > before else None

    def deployed(self, name: str = HEAD, environment: str = PRODUCTION, *, deployment_id: int = 0) -> None:
        """A deployment succeeds."""
        shown = {"id": deployment_id or next(self._ids), "sha": name, "environment": environment}
        status = {"id": next(self._ids), "state": "success", "created_at": self.tick().isoformat()}
        self.deliver(
            "deployment_status",
            action="created",
            deployment=shown,
            deployment_status=status,
            repository=described(POC),
            sender={"login": OWNER},
        )
        self.work()

    def upload(
        self,
        name: str,
        *numbers: Sent,
        number: int | None = None,
        job: str = "",
        environment: str | None = STAGING,
    ) -> None:
        """A job of a workflow run on a commit sends numbers; of a pull request's, on its test merge."""
        one = job or str(next(self._ids))
        run = WorkflowRun(
            repository_id=POC.id,
            repository=POC.full_name,
            sha=name,
            number=number,
            run_id=42,
            attempt=1,
            job=one,
            actor=OWNER,
            environment=environment,
            event="pull_request" if number else "push",
            token_id=f"token-{next(self._ids)}",
            token_ends=self.tick() + timedelta(minutes=5),
        )

        self.receiver.upload(run, numbers or (LATENCY, ACCURACY))
        # The database dates them by its own clock, and this story has another.
        self.execute("UPDATE evidence SET at = :now WHERE source_id = :source", source=run.source_id)
        self.work()

    def execute(self, statement: str, **values: Any) -> None:
        with self.services.engine.begin() as connection:
            connection.execute(text(statement), {"now": self.now} | values)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.services.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def state_of_poc(self) -> str:
        return str(self.rows("SELECT state FROM poc")[0][0])

    def runs(self, name: str = HEAD, check: str = GATE_CHECK) -> list[CheckRun]:
        return [run for run in self.repo.check_runs if (run.head_sha, run.name) == (name, check)]

    def gate(self, name: str = HEAD) -> Said:
        """What the newest ship gate on a commit says."""
        output = self.runs(name)[-1].output
        return Said(str(output.conclusion), output.title)

    def summary(self, name: str = HEAD) -> str:
        return self.runs(name)[-1].output.summary

    def charter_check(self, name: str = HEAD) -> str:
        return self.runs(name, CHARTER_CHECK)[-1].output.summary

    def comments(self, number: int | None = None) -> list[str]:
        return [comment.body for comment in self.repo.comments if number in (None, comment.number)]


def open_signatures(count: int) -> Said:
    """A ship request that lacks nothing but signatures; of none missing, that it is ready."""
    if not count:
        return Said("success", "Ready to ship")
    return Said("failure", f"Not ready to ship: {count} signature{'s' * (count > 1)} open")


READY = open_signatures(0)
