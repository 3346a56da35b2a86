"""`backup`, `restore` and `move-database`: all of the database into a file, back, or into another one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

from sqlalchemy import make_url

from service.cli.environment import database_to_itself, embedded_to_itself, opened_database
from service.config.secret_key import FILE as KEY_FILE
from service.config.settings import StoreSettings
from service.store import backup
from service.store.backup import BackupError
from service.store.database import connected
from service.store.embedded import has_database, note_moved
from service.store.health import note
from service.store.moving import move as copied
from service.store.schema import migrate, pending


def back_up(settings: StoreSettings, file: Path) -> str:
    """Write the backup, note when, and say what has to be kept beside it."""
    now = datetime.now(UTC)
    with opened_database(settings, "backup") as url:
        with _new(file) as out:
            about = backup.write(url, out, version("poc-governor"), now)
        _note(url, now)
    key = "SECRET_KEY" if settings.secret_key else f"{settings.data_dir / KEY_FILE}, if there is one,"
    return (
        f"{file}: {_size(file)}, {about.total} rows of {len(about.rows)} tables. It is as secret as the "
        f"database. {key} is not in it: keep that elsewhere"
    )


def bring_back(settings: StoreSettings, file: Path) -> str:
    """Restore it, and bring its tables to this version."""
    backup.read(file)
    with database_to_itself(settings, "restore") as url:
        about = backup.restore(url, file)
        with connected(url, pool_size=1) as engine:
            migrate(engine)
        _note(url, datetime.fromisoformat(about.made_at))
    return (
        f"restored {file}: {about.total} rows of {len(about.rows)} tables, as they were at {about.made_at}. "
        "Start the service again: it asks GitHub for what has changed since"
    )


def _note(url: str, at: datetime) -> None:
    with connected(url, pool_size=1) as engine:
        if not pending(engine):  # an older version's tables have no place for it, and stay as they are
            note(engine, at)


@contextmanager
def _new(file: Path) -> Iterator[IO[bytes]]:
    """A new file, readable to its owner only; there once it is whole and on the disk, or not at all."""
    if file.exists() or file.is_symlink():
        raise BackupError(f"{file} exists: name another file, or move it away")
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        Path(name).rename(file)
    except BaseException:
        Path(name).unlink()
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 1e6:.1f} MB"


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
        key = settings.data_dir / KEY_FILE
        yield f"It still needs {key}, if that is there: elsewhere, set SECRET_KEY to its content."
