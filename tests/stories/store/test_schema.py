from __future__ import annotations

from sqlalchemy import Engine

from service.store.schema import differences, migrate, pending


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    assert differences(engine) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    assert not pending(engine)
