"""A backup: what pg_dump wrote, with the rows that each table had at that moment, in one file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import psycopg
from psycopg import IsolationLevel, sql

from service.store.clients import ClientError, Program, client, major_of, running
from service.store.database import LockClass
from service.store.embedded.programs import MAJOR
from service.store.schema import knows

FORMAT = 1
ABOUT, DUMP = "about.json", "database.dump"
"""The parts of the file: what stands in it, and the dump, which pg_restore reads too."""


class BackupError(Exception):
    """A backup that can't be made or used; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself."""

    made_at: str
    version: str
    """Of this service."""
    revision: str
    """Of the schema."""
    postgresql: int
    rows: Mapping[str, int]
    """By table."""
    format: int = FORMAT

    @property
    def total(self) -> int:
        """The rows of all tables."""
        return sum(self.rows.values())


def write(url: str, out: IO[bytes], version: str, now: datetime) -> About:
    """Write a backup of the database as it is at one moment, whoever goes on writing to it."""
    connected = psycopg.connect(url, autocommit=True)
    try:
        with connected as connection, ZipFile(out, "w") as archive:
            # No migration meanwhile: a table that it rewrites looks empty to whoever began to read before.
            connection.execute("SELECT pg_advisory_lock_shared(%s, 0)", [LockClass.MIGRATION])
            connection.autocommit = False
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            snapshot = str(_value(connection, "SELECT pg_export_snapshot()"))
            rows = counted(connection)
            if "alembic_version" not in rows:
                raise BackupError("the database is empty: there is nothing to back up")
            revision = str(_value(connection, "SELECT version_num FROM alembic_version"))
            _refuse_newer("the database", revision)
            about = About(now.astimezone(UTC).isoformat(), version, revision, major_of(connection), rows=rows)
            archive.writestr(ABOUT, json.dumps(asdict(about), indent=2))
            program = client(Program.DUMP, connection)
            how = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}")
            with (
                archive.open(DUMP, "w", force_zip64=True) as into,
                running(program, url, *how) as (_, dumped),
            ):
                shutil.copyfileobj(dumped, into)
            return about
    except (ClientError, psycopg.Error) as error:
        raise BackupError(f"the database can't be backed up: {error}") from error


def read(file: Path) -> About:
    """What a backup says of itself, once all of it was found to be as it was written."""
    try:
        with ZipFile(file) as archive:
            broken = archive.testzip()
            if broken:
                raise BackupError(f"{file} is damaged in its part {broken}: take another backup")
            found = json.loads(archive.read(ABOUT))
            archive.getinfo(DUMP)
    except (BadZipFile, KeyError, EOFError, ValueError) as error:
        raise BackupError(
            f"{file} is not a whole backup of `poc-governor backup`: take another one"
        ) from error
    if found["format"] != FORMAT:
        raise BackupError(f"{file} was made by version {found['version']}: restore it with that version")
    return About(**found)


def restore(url: str, file: Path) -> About:
    """Fill an empty database that nobody uses; all of it or nothing."""
    about = read(file)
    _refuse_newer(f"{file} (made by version {about.version})", about.revision)
    connected = psycopg.connect(url, autocommit=True)
    try:
        with connected as connection:
            # A service that starts meanwhile waits for this before it makes its tables.
            connection.execute("SELECT pg_advisory_lock(%s, 0)", [LockClass.MIGRATION])
            refuse_used(connection)
            if about.postgresql > major_of(connection):
                raise BackupError(
                    f"{file} is from PostgreSQL {about.postgresql}, and this one is {major_of(connection)}: "
                    f"restore it into PostgreSQL {about.postgresql} or later"
                )
            program = client(Program.RESTORE, connection)
            how = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
            with (
                ZipFile(file) as archive,
                archive.open(DUMP) as dumped,
                running(program, url, *how) as (into, _),
            ):
                shutil.copyfileobj(dumped, into)
    except (ClientError, psycopg.Error) as error:
        raise BackupError(f"{file} can't be restored, and nothing was changed: {error}") from error
    with psycopg.connect(url) as connection:
        refuse_other(about.rows, counted(connection))
        forget_workers(connection)
    return about


def counted(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """The rows of each table, by its name."""
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    ).fetchall()
    count = sql.SQL("SELECT count(*) FROM {}")
    return {
        table: int(str(_value(connection, count.format(sql.Identifier("public", table)))))
        for (table,) in tables
    }


OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def refuse_used(connection: psycopg.Connection[Any]) -> None:
    """Raise `BackupError` where the database has tables, or somebody else is connected to it."""
    if tables := counted(connection):
        raise BackupError(
            f"the database isn't empty: it has {len(tables)} tables with {sum(tables.values())} rows. "
            "Use an empty one: make a new database (`createdb`) and name that; for the embedded one move the "
            f"folder `postgresql-{MAJOR}` out of DATA_DIR while nothing serves"
        )
    if others := int(str(_value(connection, OTHERS))):
        raise BackupError(
            f"the database is in use by {others} other connection{'s' if others > 1 else ''}: "
            "stop `serve`, `work` and whatever else is connected to it"
        )


def refuse_other(expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Raise `BackupError` where a table has not the rows that it is to have."""
    if found != expected:
        names = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
        told = ", ".join(f"{name} ({found.get(name, 0)}, not {expected.get(name, 0)})" for name in names)
        raise BackupError(f"these tables have other rows than they should, so don't use it: {told}")


def forget_workers(connection: psycopg.Connection[Any]) -> None:
    """Forget whoever worked on the database before: it isn't at work here, and nobody's heart beats.

    What it was looking at is woken as after a kill.
    """
    connection.execute("DELETE FROM procrastinate_workers")


def _refuse_newer(what: str, revision: str) -> None:
    if not knows(revision):
        raise BackupError(
            f"{what} has revision {revision} of the tables, which this version doesn't know: "
            "use the version that made it, or a newer one"
        )


def _value(connection: psycopg.Connection[Any], query: Any) -> object:  # noqa: ANN401 (of psycopg's many kinds)
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
