"""`move-database`: the embedded database into a PostgreSQL of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import make_url

from service.cli.environment import embedded_to_itself
from service.secret_key import FILE
from service.settings import StoreSettings
from service.store.backup import BackupError
from service.store.embedded import has_database, note_moved
from service.store.moving import move as copied


def move(settings: StoreSettings) -> Iterator[str]:
    """Move it to DATABASE_URL, let it not start here again, and say what to do now."""
    if not has_database(settings.data_dir):
        raise BackupError(f"there is no database in DATA_DIR {settings.data_dir}, so nothing to move")
    where = make_url(settings.database_url).render_as_string(hide_password=True)
    with embedded_to_itself(settings.data_dir, "move-database") as url:
        rows = copied(url, settings.database_url)
        note_moved(settings.data_dir, f"on {datetime.now(UTC):%Y-%m-%d} to {where}")
    for table, count in rows.items():
        yield f"{table}: {count}"
    yield f"\nMoved {sum(rows.values())} rows of {len(rows)} tables; each was counted here and there."
    hidden = " with its password" if "***" in where else ""
    yield f"Now set DATABASE_URL={where}{hidden}, and start the service."
    if not settings.secret_key:
        key = settings.data_dir / FILE
        yield f"It still needs {key}, if that is there: elsewhere, set SECRET_KEY to its content."
