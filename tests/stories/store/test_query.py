"""What psycopg sends by itself is answered as SQLAlchemy's own queries are, and fails as they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, bindparam, inspect
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlmodel import SQLModel, col

import service.store.store  # noqa: F401 (all tables)
from service.rules.values.github import EventKind
from service.store import table
from service.store.database import Database, LockClass, ask, lock, reading, transaction
from service.store.query import Query, any_of
from service.store.tables import FactRow, InstallationRow, PocRow, RepositoryRow
from tests.harness.filled import fill

TABLES: list[Any] = [mapper.class_ for mapper in SQLModel._sa_registry.mappers]
BY_ID = col(RepositoryRow.id) == bindparam("id")


class Kept(table.Table):
    """The base class's own methods."""

    get, keep = table.Table._get, table.Table._keep


def columns(row: Any) -> Mapping[str, object]:
    names = type(row).model_fields if isinstance(row, SQLModel) else row._fields
    return {name: getattr(row, name) for name in names}


def test_a_row_of_any_table_is_the_same(engine: Engine) -> None:
    fill(engine)
    store = Kept(Database(engine))
    for model in TABLES:
        with reading(engine) as session:
            expected = session.execute(sa.select(model)).scalars().one()
        row = store.get(model, *inspect(model).primary_key_from_instance(expected))
        assert row is not None, model
        assert columns(row) == columns(expected)
        assert [type(each) for each in row] == [type(each) for each in columns(expected).values()], model


def test_a_row_of_any_table_is_kept_as_it_was(engine: Engine) -> None:
    fill(engine)
    expected = _rows(engine)
    with transaction(engine) as session:
        ask(session, f"TRUNCATE {', '.join(model.__tablename__ for model in TABLES)}".encode(), {})
    for model in sorted(TABLES, key=lambda model: SQLModel.metadata.sorted_tables.index(model.__table__)):
        made = {column.name for column in model.__table__.columns if column.identity}
        expected[model] = {name: value for name, value in expected[model].items() if name not in made}
        Kept(Database(engine)).keep(model, [expected[model]])
    kept = _rows(engine)
    assert {model: {name: kept[model][name] for name in row} for model, row in expected.items()} == expected


def _rows(engine: Engine) -> dict[Any, Mapping[str, object]]:
    with reading(engine) as session:
        return {model: columns(session.execute(sa.select(model)).scalars().one()) for model in TABLES}


def test_what_is_not_given_begins_as_the_model_says(engine: Engine) -> None:
    row = {"id": 7, "account": "acme", "permissions": {"checks": "write"}, "suspended_at": None}
    store = Kept(Database(engine))
    store.keep(InstallationRow, [row])
    found = store.get(InstallationRow, 7)
    assert found is not None
    assert (found.begins_observing, found.permissions) == (True, {"checks": "write"})
    store.keep(InstallationRow, [row | {"account": "other"}])
    store.keep(InstallationRow, [row | {"permissions": {}}], replacing=True)
    found = store.get(InstallationRow, 7)
    assert found is not None
    assert (found.account, found.permissions) == ("acme", {})


def test_tables_side_by_side(engine: Engine) -> None:
    query = Query(
        sa.select(RepositoryRow, PocRow, sa.literal("extra"))
        .outerjoin(PocRow, col(PocRow.repository_id) == col(RepositoryRow.id))
        .where(BY_ID),
        RepositoryRow,
        PocRow,
    )
    fill(engine)
    with transaction(engine) as session:
        ask(session, "UPDATE poc SET repository_id = 5", {})
        repository, poc, extra = query.first(session, id=1)
        assert (repository.id, poc, extra) == (1, None, "extra")
        ask(session, "UPDATE poc SET repository_id = 1", {})
        _, poc, _ = query.first(session, id=1)
        assert (poc.repository_id, poc.charter_path) == (1, session.get_one(PocRow, poc.id).charter_path)
        assert query.first(session, id=2) is None


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        pytest.param([], 0, id="none"),
        pytest.param(["reviewed"], 1, id="one"),
        pytest.param(["reviewed", "commanded", "x%y"], 2, id="several"),
    ],
)
def test_lists_and_constants(engine: Engine, kinds: list[str], found: int) -> None:
    query = Query(
        sa.select(FactRow)
        .where(col(FactRow.kind) == any_of("kinds"), col(FactRow.kind) != EventKind.CHARTER_PUSHED)
        .where(~col(FactRow.id).startswith("100%"))
    )
    with transaction(engine) as session:
        for number, kind in enumerate(("reviewed", "commanded", EventKind.CHARTER_PUSHED)):
            values = {"id": f"{number}", "kind": str(kind)}
            ask(
                session,
                "INSERT INTO fact (id, subject, kind, at, actor, detail) "
                "VALUES (%(id)s, 's', %(kind)s, now(), '', '')",
                values,
            )
        assert len(query.all(session, kinds=[*kinds, "charter-pushed"])) == found


def test_a_refusal_is_sqlalchemys(engine: Engine) -> None:
    insert = (
        "INSERT INTO branch_rule (repository_id, branch, required, asked_at) VALUES (1, 'main', true, %(at)s)"
    )
    with pytest.raises(IntegrityError) as raised, transaction(engine) as session:
        ask(session, insert, {"at": None})
    assert isinstance(raised.value.orig, psycopg.errors.NotNullViolation)
    assert not raised.value.connection_invalidated
    with pytest.raises(DBAPIError, match="parameter missing"), transaction(engine) as session:
        ask(session, insert, {})


def test_a_connection_that_is_lost_is_given_up(engine: Engine) -> None:
    with lock(engine, LockClass.SUBJECT, "x") as connection:
        with transaction(engine) as session:
            ((pid,),) = ask(connection, "SELECT pg_backend_pid()", {})
            ask(session, "SELECT pg_terminate_backend(%(pid)s, 5000)", {"pid": pid})
        with pytest.raises(OperationalError) as raised:
            ask(connection, "SELECT 1", {})
        assert raised.value.connection_invalidated
        assert connection.invalidated
    with lock(engine, LockClass.SUBJECT, "x", wait=None) as connection:
        assert [*ask(connection, "SELECT 1", {})] == [(1,)]
