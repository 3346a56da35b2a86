"""A backup and what comes back of it, through pg_dump and pg_restore, with a row in every table."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import psycopg
import pytest
from sqlalchemy import Engine, text

from service.store import backup, clients, subjects
from service.store.backup import ABOUT, DUMP, About, BackupError
from service.store.database import LockClass, connect, transaction
from service.store.health import health
from service.store.schema import NewerSchemaError, migrate
from tests.harness.database import Server
from tests.harness.filled import fill, without_workers
from tests.harness.tables import differences, rows
from tests.harness.waiting import eventually

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture
def filled(engine: Engine, database_url: str) -> str:
    fill(engine)
    return database_url


def made(url: str, file: Path) -> About:
    with file.open("wb") as out:
        return backup.write(url, out, "0.1.0", NOW)


def changed(file: Path, **values: object) -> Path:
    """The backup with other words about itself."""
    with ZipFile(file) as archive:
        about, dump = json.loads(archive.read(ABOUT)), archive.read(DUMP)
    other = file.with_name("other")
    with ZipFile(other, "w") as archive:
        archive.writestr(ABOUT, json.dumps(about | values))
        archive.writestr(DUMP, dump)
    return other


def test_every_row_of_every_table_comes_back(
    engine: Engine, filled: str, target: Engine, empty: str, tmp_path: Path
) -> None:
    about = made(filled, tmp_path / "backup")
    assert min(about.rows.values()) == 1
    assert backup.read(tmp_path / "backup") == about
    assert backup.restore(empty, tmp_path / "backup") == about
    without_workers(engine)
    assert rows(target) == rows(engine)
    assert differences(target) == []


def test_the_workers_of_the_old_database_are_forgotten_and_what_they_looked_at_is_woken(
    engine: Engine, database_url: str, target: Engine, empty: str, tmp_path: Path
) -> None:
    with transaction(engine) as session:
        subjects.mark(session, ["repository:1"])
    with engine.begin() as connection:
        connection.execute(WORKS)
    assert health(engine).workers == 1
    made(database_url, tmp_path / "backup")
    backup.restore(empty, tmp_path / "backup")
    found = health(target)
    assert (found.workers, found.heartbeat_age, found.dirty) == (0, None, 1)
    with transaction(target) as session:
        assert subjects.wake_forgotten(session, untouched_for=timedelta()) == ["repository:1"]


WORKS = text("""
WITH worker AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)
UPDATE procrastinate_jobs SET status = 'doing', worker_id = worker.id FROM worker
""")


def test_new_rows_go_on_with_the_numbers(filled: str, empty: str, tmp_path: Path) -> None:
    made(filled, tmp_path / "backup")
    backup.restore(empty, tmp_path / "backup")
    statement = """
        INSERT INTO delivery (delivery_id, event, body_sha256, subjects)
        VALUES (gen_random_uuid(), 'push', '', '{}') RETURNING id
    """
    numbers = []
    for url in (filled, empty):
        with psycopg.connect(url) as connection:
            numbers.append(connection.execute(statement).fetchone())
    assert numbers[0] == numbers[1]


def test_it_is_what_was_there_at_one_moment(engine: Engine, filled: str, empty: str, tmp_path: Path) -> None:
    """Rows that are written while pg_dump runs are in neither its tables nor its counts."""
    fast = clients.running

    def slow(*arguments: object) -> object:
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM delivery"))
        return fast(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "running", slow)
        about = made(filled, tmp_path / "backup")
    assert about.rows["delivery"] == 1
    backup.restore(empty, tmp_path / "backup")
    with psycopg.connect(empty) as connection:
        assert backup.counted(connection)["delivery"] == 1


def test_it_waits_for_a_migration(filled: str, tmp_path: Path) -> None:
    """To who began to read before that, a table that was rewritten meanwhile looks empty."""
    with ThreadPoolExecutor() as pool, psycopg.connect(filled) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LockClass.MIGRATION])
        connection.execute("ALTER TABLE delivery ALTER COLUMN delivery_id TYPE text")
        backing_up = pool.submit(made, filled, tmp_path / "backup")
        with psycopg.connect(filled, autocommit=True) as other:
            eventually(lambda: other.execute(WAITING).fetchone() == (1,), "the backup waits")
        connection.commit()
    assert backing_up.result().rows["delivery"] == 1


WAITING = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def test_an_older_backup_can_be_brought_to_this_version(
    server: Server, target: Engine, empty: str, tmp_path: Path
) -> None:
    with server.database("template0") as url:
        engine = connect(url)
        migrate(engine, to="0005")
        engine.dispose()
        assert made(url, tmp_path / "backup").revision == "0005"
    backup.restore(empty, tmp_path / "backup")
    migrate(target)
    assert differences(target) == []


def test_back_to_the_version_before(engine: Engine, filled: str, empty: str, tmp_path: Path) -> None:
    made(filled, tmp_path / "backup")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchemaError, match="To go back, restore a backup from before it"):
        migrate(engine)
    with pytest.raises(BackupError, match=r"the database has revision 9999 .* use the version that made it"):
        made(filled, tmp_path / "newer")
    backup.restore(empty, tmp_path / "backup")
    restored = connect(empty)
    migrate(restored)
    restored.dispose()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param(
            {"revision": "9999", "version": "9.0"},
            r"made by version 9\.0\) has revision 9999 .* use the version that made it, or a newer one",
            id="newer tables",
        ),
        pytest.param(
            {"postgresql": 99},
            "is from PostgreSQL 99, and this one is 18: restore it into PostgreSQL 99 or later",
            id="newer PostgreSQL",
        ),
        pytest.param(
            {"format": 2, "version": "9.0"}, r"made by version 9\.0: restore it with that", id="newer format"
        ),
    ],
)
def test_what_this_version_can_not_restore(
    values: dict[str, object], says: str, database_url: str, empty: str, tmp_path: Path
) -> None:
    made(database_url, tmp_path / "backup")
    with pytest.raises(BackupError, match=says):
        backup.restore(empty, changed(tmp_path / "backup", **values))
    with psycopg.connect(empty) as connection:
        assert backup.counted(connection) == {}


def test_other_counts_than_the_backup_says_are_told(filled: str, empty: str, tmp_path: Path) -> None:
    about = made(filled, tmp_path / "backup")
    other = changed(tmp_path / "backup", rows=dict(about.rows) | {"poc": 3})
    with pytest.raises(BackupError, match=r"don't use it: poc \(1, not 3\)"):
        backup.restore(empty, other)


@pytest.mark.parametrize("kept", [0, 100, -100])
def test_a_file_that_was_cut_or_is_something_else(
    kept: int, database_url: str, empty: str, tmp_path: Path
) -> None:
    made(database_url, tmp_path / "backup")
    (tmp_path / "backup").write_bytes((tmp_path / "backup").read_bytes()[:kept])
    with pytest.raises(BackupError, match="is not a whole backup"):
        backup.restore(empty, tmp_path / "backup")


def test_a_byte_that_turned_is_found_before_anything_is_written(
    database_url: str, empty: str, tmp_path: Path
) -> None:
    made(database_url, tmp_path / "backup")
    data = bytearray((tmp_path / "backup").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "backup").write_bytes(data)
    with pytest.raises(BackupError, match=f"damaged in its part {DUMP}"):
        backup.restore(empty, tmp_path / "backup")
    with psycopg.connect(empty) as connection:
        assert backup.counted(connection) == {}


def test_nothing_is_written_over(filled: str, tmp_path: Path) -> None:
    made(filled, tmp_path / "backup")
    with pytest.raises(
        BackupError, match=r"isn't empty: it has \d+ tables .* move the folder `postgresql-18`"
    ):
        backup.restore(filled, tmp_path / "backup")


def test_somebody_else_is_connected(filled: str, empty: str, tmp_path: Path) -> None:
    made(filled, tmp_path / "backup")
    with psycopg.connect(empty), pytest.raises(BackupError, match="in use by 1 other connection: stop"):
        backup.restore(empty, tmp_path / "backup")


def test_an_empty_database_is_no_backup(empty: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="nothing to back up"):
        made(empty, tmp_path / "backup")


def program(folder: Path, name: str, body: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("installed", "says"),
    [
        pytest.param("15.3 (Debian 15.3-1)", "the pg_dump here is version 15", id="another version"),
        pytest.param("", "there is no pg_dump on the PATH", id="none"),
    ],
)
def test_a_program_of_another_version_is_not_used(
    installed: str, says: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MAJOR", "17")
    monkeypatch.setenv("PATH", str(tmp_path))
    if installed:
        program(tmp_path, "pg_dump", f"echo 'pg_dump (PostgreSQL) {installed}'")
    with pytest.raises(BackupError) as caught:
        made(database_url, tmp_path / "backup")
    assert f"the database is PostgreSQL 18, {says}" in str(caught.value)
    assert "this service is version 17. Install pg_dump 18" in str(caught.value)


def test_an_installed_program_of_the_right_version_is_used_and_what_it_says_is_told(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MAJOR", "17")
    monkeypatch.setenv("PATH", str(tmp_path))
    version = "[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 18.1' && exit"
    program(tmp_path, "pg_dump", f"{version}; echo 'permission denied for table poc' >&2; exit 1")
    with pytest.raises(BackupError, match="can't be backed up: permission denied for table poc"):
        made(database_url, tmp_path / "backup")


def test_a_password_is_not_on_the_command_line(tmp_path: Path) -> None:
    program(tmp_path, "pg_dump", 'echo "$@"; echo "$PGPASSWORD"')
    with clients.running(tmp_path / "pg_dump", "postgresql://jane:hush@db.example.com/x", "-v") as (_, out):
        line, password = out.read().decode().splitlines()
    assert "hush" not in line
    assert "user=jane" in line
    assert password == "hush"
