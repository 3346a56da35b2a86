from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from service.store.schema import MIGRATIONS, migrate, pending, revisions
from tests.harness.tables import differences


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    assert differences(engine) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    assert not pending(engine)


def test_the_revisions_that_files_are_named_after_are_those_that_alembic_runs() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert revisions() == tuple(script.revision for script in scripts)
