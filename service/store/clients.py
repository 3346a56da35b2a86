"""pg_dump and pg_restore of the server's own version: the wheel's, or those that are installed here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from service.store.embedded.programs import MAJOR, installed


class ClientError(Exception):
    """No program of the right version is here, or the one that is failed; the message names the remedy."""


class Program(StrEnum):
    """A program of PostgreSQL's."""

    DUMP = "pg_dump"
    RESTORE = "pg_restore"


def major_of(connection: psycopg.Connection[Any]) -> int:
    """The server's major version."""
    return connection.info.server_version // 10000


def client(program: Program, connection: psycopg.Connection[Any]) -> Path:
    """The program of the server's major version; `ClientError` where there is none.

    The wheel's programs speak no TLS.
    """
    wanted, encrypted = major_of(connection), connection.pgconn.ssl_in_use
    tree = installed()
    if tree and int(MAJOR) == wanted and not encrypted:
        return tree / "bin" / program
    found = shutil.which(program)
    version = _version(Path(found)) if found else None
    if found and version == wanted:
        return Path(found)
    here = f"the {program} here is version {version}" if found else f"there is no {program} on the PATH"
    own = f"the one that comes with this service is version {MAJOR}"
    raise ClientError(
        f"the database is PostgreSQL {wanted}{' over TLS' if encrypted else ''}, {here}, and {own}"
        f"{', without TLS' if encrypted else ''}. Install {program} {wanted} (on Debian and Ubuntu: "
        f"postgresql-client-{wanted}), and put its folder first on the PATH"
    )


def _version(program: Path) -> int | None:
    """Its major version; None where it doesn't say."""
    line = [str(program), "--version"]
    said = subprocess.run(line, capture_output=True, text=True, check=False).stdout  # noqa: S603 (PostgreSQL's)
    number = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(number[1]) if number else None


@contextmanager
def running(program: Path, url: str, *arguments: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Run it on a database, with its input and its output; `ClientError` with what it said where it fails."""
    where, environment = _reached(url)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 (PostgreSQL's)
            [str(program), f"--dbname={where}", "--no-password", *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdin, process.stdout
            process.stdin.close()
            process.wait()
        except BrokenPipeError:
            process.wait()  # it says why
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
        if process.returncode != 0:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise ClientError("; ".join(lines[-3:]) or f"{program.name} ended with {process.returncode}")


def _reached(url: str) -> tuple[str, dict[str, str]]:
    """Where the database is, and the environment: other users see a command line, but no environment."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    password = parts.pop("password", None)
    kept = {name: value for name, value in os.environ.items() if name.startswith("PG") or name == "HOME"}
    secret = {"PGPASSWORD": password} if password else {}
    return make_conninfo(**parts), kept | {"LC_ALL": "C", "PATH": os.defpath} | secret
