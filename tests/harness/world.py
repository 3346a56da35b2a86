"""A service and its GitHub: deliveries in, looks until all is quiet, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Self

from sqlalchemy import text

from service.config.settings import Settings
from service.rules.policy.model import Mode
from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import CHARTER_CHECK, STALL_LABEL, STALL_MARKER
from service.rules.values.github import Installation, Repository
from service.store import subjects
from service.store.database import transaction
from service.store.subjects import SubjectState
from service.sweep import dry_run, mark_all
from service.wiring import build
from service.worker import reconcile_while_dirty
from tests.harness.database import share_compiled
from tests.harness.deliveries import Receiver, described
from tests.harness.github import NOW, PERMISSIONS, CheckRun, FakeApp, FakeGitHub, FakeRepository, repository
from tests.harness.tables import rows

INSTALLATION = 7
POC = repository()
HEAD, NEXT, BASE, FORK_POINT = "1" * 40, "2" * 40, "b" * 40, "f" * 40
OUTSIDE = ["permission", "is_suspended", "environments", "existing_paths", "account_ids"]
"""What is asked about a text of the charter, once a day."""
LOST = Failure(FailureKind.TRANSIENT, "no answer from GitHub")
NO = Failure(FailureKind.REFUSED, "GitHub says 403, Resource not accessible by integration")


def settings() -> Settings:
    return Settings(
        github_app_id=1,
        github_app_private_key="",
        github_webhook_secret="secret",
        public_url="https://governor.acme.dev",
        mode=Mode.ENFORCE,
    )


class World:
    """A service and its GitHub: deliveries in, looks until all is quiet, and what came of it."""

    GITHUB: ClassVar[type[FakeGitHub]] = FakeGitHub

    def __init__(self, database_url: str) -> None:
        self.now = NOW
        self.app = FakeApp(Installation(INSTALLATION, "acme", dict(PERMISSIONS)))
        self.app.githubs[INSTALLATION] = self.GITHUB()
        self._deliveries = 0
        self.open(database_url)

    def open(self, database_url: str) -> None:
        """Start the service; subclasses add what belongs to theirs."""
        self.database_url = database_url
        self.services = build(settings(), database_url, app=self.app, clock=lambda: self.now)
        share_compiled(self.services.engine)
        self.receiver = Receiver(database_url)

    def shut_down(self) -> None:
        """Give back every connection."""
        self.receiver.close()
        self.services.engine.dispose()

    def copied(self, database_url: str) -> Self:
        """This world again, with a GitHub of its own, over a copy of the database."""
        made, known = copy(self), dict[int, Any]()
        for name, value in vars(self).items():
            if name not in ("database_url", "services", "receiver"):
                setattr(made, name, deepcopy(value, known))
        made.open(database_url)
        made.services = replace(
            made.services, mode=self.services.mode, evidence_level=self.services.evidence_level
        )
        return made

    @property
    def github(self) -> FakeGitHub:
        return self.app.githubs[INSTALLATION]

    def observe(self) -> None:
        self.services = replace(self.services, mode=Mode.OBSERVE)

    def grant(self, **permissions: str) -> None:
        self.app.installations[INSTALLATION] = Installation(INSTALLATION, "acme", permissions)

    def deliver(self, event: str, **payload: Any) -> None:
        """Record a delivery as the receiver does."""
        self._deliveries += 1
        body = json.dumps({"installation": {"id": INSTALLATION}} | payload).encode()
        self.receiver.deliver(event, body, f"delivery-{self._deliveries}")

    def work(self, *, waited: bool = False) -> None:
        """Look at everything dirty until all is clean or waits; `waited` lets the waiting time pass."""
        if waited:
            with transaction(self.services.engine) as session:
                session.connection().execute(text("UPDATE subject SET not_before = NULL"))
        while True:
            states = self.states()
            keys = [state.key for state in states if state.dirty and state.waits_until is None]
            for key in keys:
                reconcile_while_dirty(self.services, key)
            if not keys and not self.let_write(states):
                return

    def let_write(self, states: Sequence[SubjectState]) -> bool:
        """Let the clock go on until the next turn to write content; whether somebody waits for one."""
        turns = [
            (state.waits_until, state.key)
            for state in states
            if state.dirty
            and state.waits_until
            and (state.last_error or "").startswith("waiting for a write slot")
        ]
        if not turns:
            return False
        at, key = min(turns)
        self.now = max(self.now, at)
        with transaction(self.services.engine) as session:
            free = text("UPDATE subject SET not_before = NULL WHERE key = :key")
            session.connection().execute(free, {"key": key})
        return True

    def dry_run(self, as_of: datetime | None = None) -> dict[str, list[str]]:
        """The actions of a dry run by subject, which must leave every table as it was."""
        before = self.tables()
        actions = {key: list(found) for key, _, found in dry_run(self.services, as_of=as_of)}
        after = self.tables()
        assert after == before
        return actions

    def tables(self) -> dict[str, list[str]]:
        """Every row of every table."""
        return rows(self.services.engine)

    def install(self, *repositories: Repository) -> None:
        """Let the installation cover repositories, and look at them."""
        for found in repositories:
            self.github.add(found)
        account = {"login": "acme", "type": "Organization"}
        whole = {"id": INSTALLATION, "account": account, "permissions": PERMISSIONS}
        stubs = [{"id": found.id, "full_name": found.full_name} for found in repositories]
        self.deliver("installation", action="created", installation=whole, repositories=stubs)
        self.work()

    def pull_request(
        self,
        action: str = "opened",
        *,
        head: str = HEAD,
        at: datetime = NOW,
        told: bool = True,
        **more: Any,
    ) -> None:
        """Change a pull request, deliver its event unless that is lost, and look at it."""
        shown = {
            "number": more.get("number", 5),
            "state": more.get("state", "open"),
            "head": {"ref": "work", "sha": head},
            "base": {"ref": more.get("base_ref", "main"), "sha": BASE},
            "user": {"login": author} if (author := more.get("author", "jane-doe")) else None,
            "assignees": [{"login": login} for login in more.get("assignees", ())],
            "updated_at": at.isoformat(),
            "merged": more.get("merged", False),
            "body": more.get("body"),
        }
        sender = {"login": more.get("sender", "jane-doe")}
        repository = more.get("repository", POC)
        self.github.repos[repository.id].shows(shown)
        if not told:
            return
        self.deliver(
            "pull_request",
            action=action,
            pull_request=shown,
            repository=described(repository),
            sender=sender,
        )
        self.work()

    def push(self, *paths: str, at: datetime | None = None, found: Repository = POC, **more: Any) -> None:
        """Deliver a push to the default branch, and look at the repository."""
        pushed = replace(found, pushed_at=at or self.now, updated_at=at or self.now)
        after = f"after-{self._deliveries}"
        files = self.github.repos[found.id].files
        files |= {after: files["main"]} if "main" in files else {}
        self.deliver(
            "push",
            ref="refs/heads/main",
            after=after,
            commits=[{"modified": list(paths)}],
            repository=described(pushed),
            sender={"login": more.get("sender", "jane-doe")},
        )
        self.work()

    def issue_event(self, action: str, number: int = 1) -> None:
        """Deliver an event of our issue, and look at the repository."""
        shown = {
            "id": number,
            "number": number,
            "updated_at": self.now.isoformat(),
            "body": STALL_MARKER,
            "labels": [{"name": STALL_LABEL}],
        }
        self.deliver(
            "issues", action=action, issue=shown, repository=described(POC), sender={"login": "jane-doe"}
        )
        self.work()

    def sign_charter(self) -> None:
        """The four sign the charter of the default branch: from then on the owner has the ball."""
        at = self.now.isoformat()
        for number, login in enumerate(("alice-k", "bob-m", "carol-s", "dan-w")):
            comment = {"id": number, "created_at": at, "body": "/poc sign", "user": {"login": login}}
            self.deliver(
                "issue_comment",
                action="created",
                comment=comment,
                issue={"id": 1, "number": 1, "updated_at": at},
                repository=described(POC),
                sender={"login": login},
            )
        self.work()

    def sweep(self, *, as_of: datetime | None = None) -> None:
        """Mark everything, and look."""
        mark_all(self.services, as_of=as_of)
        self.work()

    def states(self) -> list[SubjectState]:
        with transaction(self.services.engine) as session:
            keys = [
                row.key for row in session.connection().execute(text("SELECT key FROM subject ORDER BY key"))
            ]
            return subjects.states(session, keys)

    def state(self, key: str) -> SubjectState:
        return next(state for state in self.states() if state.key == key)

    def outcome(self, key: str) -> str | None:
        return self.state(key).outcome


def charter_runs(repo: FakeRepository) -> list[CheckRun]:
    """The check runs `POC charter`; those of the ship gate have tests of their own."""
    return [run for run in repo.check_runs if run.name == CHARTER_CHECK]
