"""The composition root: settings in, the parts that belong together out. Nothing connects here."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from service.config.settings import Settings
from service.github_client.app import App
from service.ports import Announcer, GitHubApp
from service.reconcile.apply import apply
from service.reconcile.charter_check import say_unjudged
from service.reconcile.subjects import reconcile
from service.rules.values.actions import CHARTER_CHECK, GATE_CHECK, POLICY_CHECK
from service.rules.values.github import RepositoryRef
from service.services import USUAL_WAITS, Clock, Services, Waits
from service.store.connections import share
from service.store.database import Database, connect
from service.store.store import Store
from service.work import work

DOCUMENTS = {CHARTER_CHECK: "charter", GATE_CHECK: "shipping", POLICY_CHECK: "policy"}
"""What explains each check run, of those that the service serves below /docs."""


def utc_now() -> datetime:
    """The clock of everything that runs."""
    return datetime.now(UTC)


def build(
    settings: Settings,
    database_url: str,
    *,
    app: GitHubApp | None = None,
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
        announcer=_slack(settings.slack_webhook_url),
        clock=clock,
        waits=waits,
        mode=settings.mode,
        evidence_level=settings.evidence_level,
        web_url=settings.github_url,
        details_url=partial(details_url, settings),
        docs_url=f"{settings.public_url}/docs",
        reconcile=reconcile,
        say_unjudged=say_unjudged,
        carry_out=apply,
        serves=settings.serves,
    )


def _slack(webhook_url: str) -> Announcer | None:
    if not webhook_url:
        return None
    from service.slack import Slack  # noqa: PLC0415 (its library takes up memory)

    return Slack(webhook_url)


def run_worker(settings: Settings, database_url: str, waits: Waits = USUAL_WAITS) -> None:
    """Work until SIGTERM or SIGINT."""
    pool_size = share(settings.database_connections).pool
    services = build(settings, database_url, pool_size=pool_size, waits=waits)
    work(services, database_url, settings.database_connections)


def details_url(settings: Settings, repository: RepositoryRef, name: str) -> str:
    """The POC's page where pages can be opened, else the document about the check run."""
    if (settings.can_log_in or settings.pages_are_open) and name != POLICY_CHECK:
        return f"{settings.public_url}/pocs/{quote(repository.full_name)}"
    return f"{settings.public_url}/docs/{DOCUMENTS[name]}"
