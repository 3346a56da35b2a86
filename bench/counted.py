"""Counts what the service asks of its database: statements and checkouts of connections from a pool.

Statements are counted in PostgreSQL's own log. Checkouts are counted inside the service's processes: each of
them runs the `sitecustomize` that `environment` writes, which calls `install`. Both cost time, so nothing is
counted while CPU is measured.
"""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NOTES = "POC_GOVERNOR_BENCH_CHECKOUTS"


def environment(folder: Path) -> dict[str, str]:
    """What to add to the environment of a service so that its checkouts are noted in a file of the folder."""
    (folder / "sitecustomize.py").write_text("from bench import counted\n\ncounted.install()\n")
    root = Path(__file__).parent.parent
    return {"PYTHONPATH": f"{folder}{os.pathsep}{root}", _NOTES: str(folder / "checkouts")}


def checkouts(env: dict[str, str]) -> list[str]:
    """Whose each checkout was so far: `service` or `procrastinate`."""
    path = Path(env[_NOTES])
    return path.read_text().split() if path.exists() else []


def install() -> None:
    """Note every checkout from a pool of SQLAlchemy's or psycopg's."""
    if not (notes := os.environ.get(_NOTES)):
        return
    import psycopg_pool  # noqa: PLC0415 (only where it is asked for)
    from sqlalchemy import event  # noqa: PLC0415
    from sqlalchemy.pool import Pool  # noqa: PLC0415

    file = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(*_: object) -> None:
        os.write(file, f"{_whose()}\n".encode())

    event.listen(Pool, "checkout", note)
    for pool in (psycopg_pool.ConnectionPool, psycopg_pool.AsyncConnectionPool):
        _noting(pool, note)


def _noting(pool: Any, note: Any) -> None:  # noqa: ANN401 (two classes with one method)
    getconn = pool.getconn

    def noted(self: object, *arguments: object, **keywords: object) -> object:
        note()
        return getconn(self, *arguments, **keywords)

    pool.getconn = noted


def statements(log: Path, begin: int) -> Counter[str]:
    """How many statements of which kind PostgreSQL logged from a place of its log on."""
    found: Counter[str] = Counter()
    with log.open("rb") as file:
        file.seek(begin)
        text = file.read().decode(errors="replace")
    for entry in text.replace("\n\t", " ").splitlines():
        _, mark, said = entry.partition(" LOG:  ")
        head, _, statement = said.partition(": ")
        if mark and (head == "statement" or head.startswith("execute ")):
            found[_kind(statement)] += 1
    return found


def _kind(statement: str) -> str:
    if "procrastinate_" in statement:
        return "Procrastinate's"
    match statement.lstrip("; ").partition(" ")[0].upper().rstrip(";"):
        case "BEGIN" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE":
            return "BEGIN, COMMIT, ROLLBACK"
        case "SET" | "RESET" | "SHOW":
            return "SET, RESET"
        case _:
            return "ours"


def _whose() -> str:
    return "procrastinate" if any("/procrastinate/" in each for each in _files()) else "service"


def _files() -> Iterator[str]:
    """The files that the present call came through, nearest first, up to one of the service's."""
    for frame, _ in traceback.walk_stack(None):
        name = frame.f_code.co_filename
        yield name
        if "/service/" in name:
            return
