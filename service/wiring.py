"""The composition root: settings in, the parts that belong together out. Nothing connects here."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import Engine

from service.github_client.app import TIMEOUT, App
from service.ports import Announcer, GitHubApp
from service.reconcile.apply import apply
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.subjects import reconcile
from service.reconcile.unjudged import say_unjudged
from service.rules.queue import MOST_GLANCES, USUAL_PACE, Pace
from service.rules.values.actions import Action
from service.rules.values.groups import Level
from service.settings import Mode, Settings
from service.slack import Slack
from service.store.database import Database, WithinSession, connect, reading_session
from service.store.notes import write as write_notes
from service.store.store import Store
from service.store.subjects import Claim
from service.texts.render import Texts, find_templates

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of everything that runs."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a worker waits for things. Nobody configures these; tests set shorter ones."""

    untouched: timedelta = timedelta(seconds=45)
    """A dirty subject that nobody touched for this long is woken; with `wake` that is within two minutes."""
    wake: str = "* * * * * */20"
    """When forgotten subjects are looked for; Procrastinate takes the seconds as the sixth field."""
    poll: float = 1.0
    """Seconds between two questions for jobs whose time has come."""
    answer: int = TIMEOUT
    """Seconds that GitHub has for an answer."""
    pace: Pace = USUAL_PACE
    """The pause between two writes that people are notified of."""
    jitter: Callable[[], float] = random.random
    """Spreads retries in time, from 0 to 1; nothing secret depends on it."""


USUAL_WAITS = Waits()


@dataclass(frozen=True, slots=True)
class Services:
    """What a worker, the sweep and the doctor work with."""

    settings: Settings
    engine: Engine
    store: Store
    app: GitHubApp
    texts: Texts
    announcer: Announcer | None
    clock: Clock
    waits: Waits

    def reconciliation(self, claim: Claim) -> Reconciliation:
        """One reconciliation of a claimed subject, at the time that the claim or the clock says."""
        present = self.clock()
        session = reading_session(self.engine)
        return Reconciliation(
            key=claim.key,
            now=claim.as_of or present,
            looked_at=present,
            clock=self.clock,
            facts=claim.facts,
            waited=claim.attempts + 1 >= MOST_GLANCES,
            release=session.close,
            store=Store(WithinSession(session, read_only=True)),
            writing=self.store,
            app=self.app,
            texts=self.texts,
            announcer=self.announcer,
            observe=self.settings.mode is Mode.OBSERVE,
            evidence_level=Level(self.settings.evidence_level),
            web_url=self.settings.github_url,
        )

    def decide(self, ctx: Reconciliation) -> Decision:
        """Gather the facts about the subject and decide what is to be noted and written."""
        try:
            return reconcile(ctx)
        finally:
            ctx.release()  # what follows takes connections of its own

    def say_unjudged(self, ctx: Reconciliation, cause: str, again_at: datetime) -> Decision:
        """Decide what is said of a subject that can't be reconciled."""
        try:
            return say_unjudged(ctx, cause, again_at)
        finally:
            ctx.release()

    def note(self, ctx: Reconciliation) -> None:
        """Write what was learned and decided, in one transaction."""
        write_notes(self.engine, ctx.noted)
        ctx.noted.clear()

    def apply(self, ctx: Reconciliation, decision: Decision, actions: Sequence[Action]) -> None:
        """Carry out those of the actions that were decided and granted, in their order."""
        if actions:
            assert decision.installation_id is not None
            apply(ctx, decision.installation_id, actions)

    def read_only(self) -> Services:
        """The same services, whose database refuses every change."""
        engine = connect(self.engine.url, pool_size=2, read_only=True)
        return replace(self, engine=engine, store=Store(Database(engine)))


@cache
def _texts() -> Texts:
    """Templates are compiled once in a process."""
    return Texts(find_templates())


def build(
    settings: Settings,
    database_url: str,
    *,
    app: GitHubApp | None = None,
    announcer: Announcer | None = None,
    clock: Clock = utc_now,
    pool_size: int = 10,
    waits: Waits = USUAL_WAITS,
) -> Services:
    """Put the parts together; the keywords are the seams for tests."""
    engine = connect(database_url, pool_size=pool_size)
    return Services(
        settings=settings,
        engine=engine,
        store=Store(Database(engine), waits.pace),
        app=app
        or App(
            settings.github_app_id, settings.github_app_private_key, settings.github_api_url, waits.answer
        ),
        texts=_texts(),
        announcer=announcer or (Slack(settings.slack_webhook_url) if settings.slack_webhook_url else None),
        clock=clock,
        waits=waits,
    )
