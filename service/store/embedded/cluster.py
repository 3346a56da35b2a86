"""The cluster's folder: made whole or not at all, and cleared of what dead servers leave in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from service.store.embedded.programs import MAJOR, PostgresFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.store.embedded.programs import Programs

USER = "poc_governor"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET = 90
"""Bytes; the system's limit is 104 on macOS and 108 on Linux, the lock file's name is longer by five."""

ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
"""All that PostgreSQL's processes get: ours holds secrets, and PG* settings of someone else's server."""

INITDB = (
    f"--username={USER}",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=trust",
    "--auth-host=reject",
    "--no-instructions",
)

SHUTDOWN = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""Fast, then immediate (PostgreSQL recovers at the next start), then without its consent."""

FREE_SPACE = "Free some space, or set DATA_DIR to a folder on another disk."
REMEDIES = (
    ("No space left", FREE_SPACE),
    ("free disk space", FREE_SPACE),
    ("Disk quota exceeded", FREE_SPACE),
    ("could not look up effective user ID", "Give this user a line in /etc/passwd, or run as another user."),
    ("File exists", "Set DATA_DIR to a folder; this is a file."),
    ("Not a directory", "Set DATA_DIR to a folder; a part of this path is a file."),
    ("Read-only file system", "Set DATA_DIR to a folder that can be written to."),
    ("ermission denied", "Set DATA_DIR to a folder that this user may write to."),
    ("not permitted", "Run as the ordinary user who owns DATA_DIR."),  # root without its capabilities
)


def failed(data_dir: Path, said: str) -> PostgresFailed:
    """What the system or PostgreSQL said, with the remedy that fits."""
    remedy = next((remedy for text, remedy in REMEDIES if text in said), "Fix what is named above.")
    return PostgresFailed(
        f"The embedded PostgreSQL in DATA_DIR {data_dir} failed: {said.strip()}\n"
        f"Remedy: {remedy} Or set DATABASE_URL to a PostgreSQL server."
    )


def make_data_dir(data_dir: Path) -> None:
    """Make DATA_DIR where it is missing; root's lets the server's account through, and is not listed."""
    missing = [folder for folder in (data_dir, *data_dir.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    if not data_dir.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(data_dir))


MOVED = "database-moved"
"""Says in DATA_DIR where its database is now."""


def note_moved(data_dir: Path, says: str) -> None:
    """Let no server start here any more; `says` where the database is."""
    (data_dir / MOVED).write_text(f"{says}\n", encoding="utf-8")
    _sync(data_dir)


def refuse_elsewhere(cluster: Path) -> None:
    """Raise `PostgresFailed` where what this folder holds is somewhere else, or of another PostgreSQL."""
    note = cluster.parent / MOVED
    if note.exists():
        raise PostgresFailed(
            f"The database of DATA_DIR {cluster.parent} was moved {note.read_text().strip()}: set "
            f"DATABASE_URL to that. To go back to what the database here was then, delete {note}."
        )
    made = {
        int(folder.name.removeprefix("postgresql-")): folder
        for folder in cluster.parent.glob("postgresql-*")
        if folder.name.removeprefix("postgresql-").isdecimal() and (folder / "PG_VERSION").exists()
    }
    if made and int(MAJOR) not in made:
        major, folder = max(made.items())
        raise PostgresFailed(
            f"{folder} is a database of PostgreSQL {major}, and this version of the service brings "
            f"PostgreSQL {MAJOR}. Run `poc-governor backup FILE` with the version that you used before. Then "
            f"move {folder.name} out of DATA_DIR, and run `poc-governor restore FILE` with this version."
        )


def make_cluster(cluster: Path, programs: Programs) -> None:
    """Run initdb where there is no cluster yet: in a side folder, renamed when whole."""
    if (cluster / "PG_VERSION").exists():
        if programs.account and cluster.stat().st_uid == 0:  # a backup, restored by root
            programs.own(cluster)
        return
    if cluster.exists() and any(cluster.iterdir()):
        raise PostgresFailed(
            f"{cluster} is not empty and holds no PostgreSQL {MAJOR} cluster. "
            "Move it away or restore it, or set DATA_DIR to another folder."
        )
    prefix = f"{cluster.name}.new-"
    _clear(cluster.parent, prefix)
    side = Path(tempfile.mkdtemp(prefix=prefix, dir=cluster.parent))
    programs.own(side)
    command = programs.command("initdb", f"--pgdata={side}", *INITDB)
    done = subprocess.run(  # noqa: S603 (a program of the wheel's)
        command,
        cwd="/",
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(side, ignore_errors=True)
        raise failed(cluster.parent, done.stderr or f"initdb ended with {done.returncode}.")
    side.rename(cluster)
    _clear(cluster.parent, prefix)  # an initdb that was interrupted may have gone on for a moment
    _sync(cluster.parent)


def _clear(folder: Path, prefix: str) -> None:
    for leftover in folder.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def socket_folder(cluster: Path, programs: Programs, former: str | None) -> Path:
    """The folder of the server's socket, for its account only: the cluster's, or one with a short name."""
    path = os.fsencode(cluster / SOCKET_NAME)
    if len(path) < LONGEST_SOCKET and not set(b',"\\%') & set(path):  # libpq splits a host at commas
        return cluster
    owner = programs.account.uid if programs.account else os.getuid()
    if former and (folder := Path(former)).is_dir() and not folder.is_symlink():
        info = folder.stat()
        if info.st_uid == owner and info.st_mode & 0o077 == 0:
            return folder
    # A name nobody can foresee, so nobody can be there first; mkdtemp makes it 0700.
    try:
        folder = Path(tempfile.mkdtemp(prefix="poc-governor-", dir="/tmp"))
    except OSError as error:
        raise PostgresFailed(
            f"The path of DATA_DIR {cluster.parent} does not do for a socket, nor does /tmp ({error}). "
            "Set DATA_DIR to a folder with a shorter and plainer path."
        ) from error
    programs.own(folder)
    return folder


def drop_sockets(cluster: Path, sockets: Path) -> None:
    """Remove the folder that `socket_folder` made, once no server needs it."""
    if sockets != cluster:
        _remove_sockets(sockets)
        with suppress(OSError):
            sockets.rmdir()


def clear_leftovers(cluster: Path, sockets: Path) -> None:
    """End a server that outlived its supervisor, and remove lock files that name another program's pid."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid = 0
    if pid > 0 and _serves(pid, cluster):
        end(lambda number: os.kill(pid, number), lambda seconds: _await_end(pid, cluster, seconds))
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    _remove_sockets(sockets)


def _remove_sockets(sockets: Path) -> None:
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (sockets / name).unlink(missing_ok=True)


def end(send: Callable[[int], None], ended: Callable[[float], bool]) -> None:
    """Shut a server down, the politer way first."""
    for number, seconds in SHUTDOWN:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                send(number)  # each second: a program that is only just starting may lose one
            except ProcessLookupError:
                return
            if ended(1.0):
                return


def _serves(pid: int, cluster: Path) -> bool:
    """Whether this process is a server on this folder: pids are reused, and zombies keep theirs."""
    if Path("/proc/self/cmdline").exists():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return Path(os.fsdecode(command[0])).name == "postgres" and os.fsencode(cluster) in command
    line = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    shown = subprocess.run(line, capture_output=True, text=True, check=False).stdout  # noqa: S603 (fixed)
    return "postgres" in shown and f"-D {cluster}" in shown


def _await_end(pid: int, cluster: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _serves(pid, cluster):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _sync(folder: Path) -> None:
    """Put the folder's names on the disk."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
