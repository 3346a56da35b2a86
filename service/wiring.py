"""The composition root: settings in, the parts that belong together out. Nothing connects here."""

from __future__ import annotations

from datetime import UTC, datetime

from service.github_client.app import App
from service.ports import Announcer, GitHubApp
from service.reconcile.apply import apply
from service.reconcile.subjects import reconcile
from service.reconcile.unjudged import say_unjudged
from service.rules.values.groups import Level
from service.services import USUAL_WAITS, Clock, Services, Waits
from service.settings import Mode, Settings
from service.slack import Slack
from service.store.database import Database, connect
from service.store.store import Store


def utc_now() -> datetime:
    """The clock of everything that runs."""
    return datetime.now(UTC)


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
        engine=engine,
        store=Store(Database(engine), waits.pace),
        app=app
        or App(
            settings.github_app_id, settings.github_app_private_key, settings.github_api_url, waits.answer
        ),
        announcer=announcer or (Slack(settings.slack_webhook_url) if settings.slack_webhook_url else None),
        clock=clock,
        waits=waits,
        observe=settings.mode is Mode.OBSERVE,
        evidence_level=Level(settings.evidence_level),
        web_url=settings.github_url,
        reconcile=reconcile,
        say_unjudged=say_unjudged,
        carry_out=apply,
    )
