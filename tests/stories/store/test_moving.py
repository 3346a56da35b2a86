"""A database moved into another PostgreSQL: every row of every table, or none."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import Engine, text

from service.store import moving
from service.store.backup import BackupError, counted
from service.store.database import connect
from service.store.schema import migrate
from tests.harness.database import Server
from tests.harness.filled import fill, without_workers
from tests.harness.tables import differences, rows


def test_every_row_of_every_table_is_moved(
    engine: Engine, database_url: str, target: Engine, empty: str
) -> None:
    fill(engine)
    moved = moving.move(database_url, empty)
    assert min(moved.values()) == 1
    without_workers(engine)
    assert rows(target) == rows(engine)
    assert differences(target) == []
    one = text("INSERT INTO refused VALUES (now(), 1) RETURNING deliveries")
    numbers = text("""
        INSERT INTO delivery (delivery_id, event, body_sha256, subjects)
        VALUES (gen_random_uuid(), 'push', '', '{}') RETURNING id
    """)
    given = []
    for each in (engine, target):
        with each.begin() as connection:
            assert connection.execute(one).scalar_one() == 1
            given.append(connection.execute(numbers).scalar_one())
    assert given[0] == given[1]


def test_triggers_work_as_before(database_url: str, target: Engine, empty: str) -> None:
    moving.move(database_url, empty)
    off = text("SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'")
    with target.connect() as connection:
        assert connection.execute(off).scalar_one() == 0


def test_one_of_an_earlier_version_stays_one(server: Server, target: Engine, empty: str) -> None:
    with server.database("template0") as url:
        engine = connect(url)
        migrate(engine, to="0005")
        moving.move(url, empty)
        assert rows(target) == rows(engine)
        engine.dispose()
    migrate(target)
    assert differences(target) == []


def test_other_counts_undo_it(
    engine: Engine, database_url: str, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine)
    monkeypatch.setattr(moving, "_copy", lambda *_: None)
    with pytest.raises(BackupError, match=r"poc \(0, not 1\)"):
        moving.move(database_url, empty)
    with psycopg.connect(empty) as connection:
        assert counted(connection) == {}


def test_one_that_is_not_empty_or_not_there_is_refused(server: Server, database_url: str) -> None:
    with server.database() as filled, pytest.raises(BackupError, match="isn't empty"):
        moving.move(database_url, filled)
    with pytest.raises(BackupError, match=r"nothing was moved: .*nowhere"):
        moving.move(database_url, server.url_of("nowhere"))


def test_an_empty_one_is_not_moved(server: Server, empty: str) -> None:
    with server.database("template0") as source, pytest.raises(BackupError, match="nothing to move"):
        moving.move(source, empty)
