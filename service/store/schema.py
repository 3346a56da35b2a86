"""The database's schema: brought to the newest revision at start, and compared with it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from service.store.database import LockClass

MIGRATIONS = Path(__file__).parent / "migrations"


class NewerSchemaError(Exception):
    """The database was migrated by a newer version of this service."""


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Bring the database to the newest revision; safe to call from many processes at once."""
    with engine.begin() as connection:
        if is_pending(revision_of(connection)):
            migrate_within(connection, to=to)


def migrate_within(connection: Connection, *, to: str) -> None:
    """The same in a transaction that goes on."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock, 0)"), {"lock": LockClass.MIGRATION})
    _refuse_newer(revision_of(connection))
    # Only now: importing Alembic takes a tenth of a start, and memory in each process.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def pending(engine: Engine) -> bool:
    """Whether revisions of this version are missing; `NewerSchemaError` where there are later ones."""
    with engine.connect() as connection:
        return is_pending(revision_of(connection))


def is_pending(present: str | None) -> bool:
    """The same of a revision."""
    _refuse_newer(present)
    return present != revisions()[0]


def knows(revision: str) -> bool:
    """Whether this version has a revision."""
    return revision in revisions()


def _refuse_newer(present: str | None) -> None:
    if present is not None and not knows(present):
        raise NewerSchemaError(
            f"the database is at revision {present}, which this version does not know: "
            "run the version that made it, or a newer one. To go back, restore a backup from before it"
        )


@cache
def revisions() -> tuple[str, ...]:
    """Those that this version knows, the newest first: their files begin with them."""
    found = (path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))
    return tuple(sorted(found, reverse=True))


def revision_of(connection: Connection) -> str | None:
    """The revision of a database; None where it has no tables."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
