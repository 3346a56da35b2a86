"""The `.env` file that `setup` writes: what `serve` needs, readable to its owner only."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

HEAD = "# POC Governor: settings of the app {slug}. Keep this file secret, it holds the app's private key.\n"


@contextmanager
def reserved(path: Path) -> Iterator[IO[str]]:
    """Make the file before anything is registered; it is gone again where nothing was written into it.

    Raises `OSError`, and `FileExistsError` rather than write over a key.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            yield out
    finally:
        if path.stat().st_size == 0:
            path.unlink()


def write(out: IO[str], slug: str, settings: Mapping[str, str]) -> None:
    """Write it down so that it is there whatever happens next."""
    out.write(HEAD.format(slug=slug) + "".join(f"{line}\n" for line in lines(settings)))
    out.flush()
    os.fsync(out.fileno())


def loading(path: Path) -> str:
    """What loads it into a shell; a name without a slash `sh` and zsh look for in PATH only."""
    name = str(path) if "/" in str(path) else f"./{path}"
    return f"set -a; . {shlex.quote(name)}; set +a"


def lines(settings: Mapping[str, str]) -> Iterator[str]:
    """Each in one line, as shells, Docker and systemd read it: a key's line breaks are escaped."""
    for name, value in settings.items():
        yield f"{name}={shlex.quote(value.strip().replace(chr(10), chr(92) + 'n'))}"
