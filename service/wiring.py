"""The composition root: settings in, the parts that belong together out. Nothing connects here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from service.github_client.app import App
from service.ports import Announcer, GitHubApp
from service.reconcile.apply import apply
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.subjects import reconcile
from service.rules.values.actions import Action
from service.rules.values.groups import Level
from service.settings import Mode, Settings
from service.slack import Slack
from service.store.database import connect
from service.store.records import Store
from service.store.subjects import Claim
from service.texts.render import Texts, find_templates

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of everything that runs."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """What a worker, the sweep and the doctor work with."""

    settings: Settings
    engine: Engine
    records: Store
    app: GitHubApp
    texts: Texts
    announcer: Announcer | None
    clock: Clock

    def reconciliation(self, claim: Claim, *, dry: bool = False) -> Reconciliation:
        """One look at a claimed subject, at the time that the claim or the clock says."""
        present = self.clock()
        return Reconciliation(
            key=claim.key,
            now=claim.as_of or present,
            looked_at=present,
            clock=self.clock,
            facts=claim.facts,
            records=self.records,
            app=self.app,
            texts=self.texts,
            announcer=self.announcer,
            observe=self.settings.mode is Mode.OBSERVE,
            evidence_level=Level(self.settings.evidence_level),
            web_url=self.settings.github_url,
            dry=dry,
        )

    def decide(self, ctx: Reconciliation) -> Decision:
        """Gather the facts about the look's subject and decide what is to be written."""
        return reconcile(ctx)

    def apply(self, ctx: Reconciliation, decision: Decision, action: Action) -> None:
        """Carry out one of the actions that were decided."""
        assert decision.installation_id is not None
        apply(ctx, decision.installation_id, action)


def build(
    settings: Settings,
    database_url: str,
    *,
    app: GitHubApp | None = None,
    announcer: Announcer | None = None,
    clock: Clock = utc_now,
    pool_size: int = 10,
) -> Services:
    """Put the parts together; the keywords are the seams for tests."""
    engine = connect(database_url, pool_size=pool_size)
    return Services(
        settings=settings,
        engine=engine,
        records=Store(engine),
        app=app or App(settings.github_app_id, settings.github_app_private_key, settings.github_api_url),
        texts=Texts(find_templates()),
        announcer=announcer or (Slack(settings.slack_webhook_url) if settings.slack_webhook_url else None),
        clock=clock,
    )
