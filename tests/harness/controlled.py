"""Looks whose doing the tests control: in the test's process, or in worker processes of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

import psycopg

from service.config.settings import Settings
from service.reconcile.context import Decision, Reconciliation
from service.services import USUAL_WAITS, Clock, Services, Waits
from service.store.connections import USUAL, share
from service.wiring import build, utc_now
from service.work import work
from tests.harness.github import FakeApp
from tests.harness.program import UNTOUCHED, quick

Script = Callable[[Reconciliation], Decision]
Make = Callable[[Script], Services]

TABLE = """
CREATE TABLE IF NOT EXISTS looked (
    subject text, worker int, began timestamptz DEFAULT clock_timestamp(), ended timestamptz)
"""
"""Where worker processes write when they looked at what."""


def settings() -> Settings:
    return Settings(
        github_app_id=1,
        github_app_private_key="not used",
        github_webhook_secret="not used",
        public_url="http://localhost",
    )


def controlled(
    database_url: str,
    script: Script,
    *,
    clock: Clock = utc_now,
    waits: Waits = USUAL_WAITS,
    connections: int = USUAL,
) -> Services:
    """Services whose looks run the script; whoever asks for them disposes of the engine."""
    pool_size = share(connections).pool
    built = build(settings(), database_url, app=FakeApp(), clock=clock, waits=waits, pool_size=pool_size)
    return replace(built, reconcile=script)


def main() -> None:
    """Work as `poc-governor work` does; each look is noted in the table and lasts LOOK_SECONDS.

    A forgotten subject is woken after `HARNESS_UNTOUCHED` seconds, where that is set.
    """
    url, seconds = os.environ["DATABASE_URL"], float(os.environ["LOOK_SECONDS"])

    def script(ctx: Reconciliation) -> Decision:
        with psycopg.connect(url, autocommit=True, application_name="a look") as connection:
            connection.execute("INSERT INTO looked (subject, worker) VALUES (%s, %s)", (ctx.key, os.getpid()))
            time.sleep(seconds)
            connection.execute(
                "UPDATE looked SET ended = clock_timestamp() "
                "WHERE subject = %s AND worker = %s AND ended IS NULL",
                (ctx.key, os.getpid()),
            )
        return Decision("looked")

    waits = quick(os.environ) if UNTOUCHED in os.environ else USUAL_WAITS
    connections = int(os.environ.get("DATABASE_CONNECTIONS", USUAL))
    work(controlled(url, script, waits=waits, connections=connections), url, connections)


if __name__ == "__main__":
    main()
