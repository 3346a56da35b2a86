"""What the commands ask of git: the charter at a merge base, missing paths, who and where one is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from service.rules.source.text import MAX_FILE_BYTES, CharterFile, FileKind

TIMEOUT = 30.0
REMOTE = re.compile(r"[/:](?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?$")
NOREPLY = re.compile(r"(?:[0-9]+\+)?(?P<login>[A-Za-z0-9_-]+)@users\.noreply\.github\.com")
KINDS = {"120000": FileKind.SYMLINK, "040000": FileKind.DIRECTORY, "160000": FileKind.SUBMODULE}


class GitError(OSError):
    """Git cannot tell; the message says why, and what helps."""


def charter_at_merge_base(path: Path, ref: str) -> CharterFile:
    """What stood at the path where this branch left `ref`."""
    folder = path.parent
    if not folder.is_dir():
        raise GitError(f"{str(folder)!r} isn't a folder")
    if ref.startswith("-") or _git(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}") is None:
        _require_repository(folder)
        raise GitError(f"git doesn't know commit {ref!r} here: fetch it, or name another --base")
    base = _git(folder, "merge-base", ref, "HEAD")
    if base is None:
        raise GitError(f"{ref!r} and HEAD share no commit here: fetch more history (`fetch-depth: 0`)")
    return _file_at(folder, base.decode().strip(), path.name)


def _file_at(folder: Path, commit: str, name: str) -> CharterFile:
    listed = _git(folder, "ls-tree", "-l", "-z", commit, "--", f":(literal){name}")
    if listed is None:
        raise GitError(f"git can't list commit {commit[:12]}: fetch it whole")
    if not listed:
        return CharterFile(FileKind.ABSENT)
    mode, _, blob, size = listed.partition(b"\t")[0].decode().split()
    if mode in KINDS:
        return CharterFile(KINDS[mode], blob_sha=blob)
    if int(size) > MAX_FILE_BYTES:
        return CharterFile(FileKind.TOO_LARGE, blob_sha=blob)
    data = _git(folder, "cat-file", "blob", blob)
    if data is None:
        raise GitError(f"git can't read {name!r} at commit {commit[:12]}: fetch it whole")
    return CharterFile(FileKind.FILE, data, blob, len(data))


def untracked(folder: Path, paths: Iterable[str]) -> frozenset[str]:
    """Those of the paths that git does not have: a sparse checkout leaves files out that are there."""
    return frozenset(path for path in paths if not _tracked(folder, path))


def _tracked(folder: Path, path: str) -> bool:
    """Whether git has the path in its index."""
    try:
        return bool(_git(folder, "ls-files", "-z", "--", f":(literal){path}"))
    except GitError:
        return False


def guess_login(folder: Path) -> str | None:
    """The GitHub login of whoever sits here, as far as git's configuration tells."""
    login = _line(folder, "config", "--get", "github.user")
    if login:
        return login
    match = NOREPLY.fullmatch(_line(folder, "config", "--get", "user.email") or "")
    return match["login"] if match else None


def guess_repository(folder: Path) -> tuple[str, str] | None:
    """Owner and name of the repository that `origin` leads to."""
    url = _line(folder, "remote", "get-url", "origin") or ""
    match = REMOTE.search(url)
    return (match["owner"], match["name"]) if match else None


def _line(folder: Path, *arguments: str) -> str | None:
    try:
        output = _git(folder, *arguments)
    except GitError:
        return None
    return output.decode(errors="replace").strip() if output else None


def _require_repository(folder: Path) -> None:
    if _git(folder, "rev-parse", "--git-dir") is None:
        raise GitError(f"{str(folder.resolve())!r} isn't in a git repository that git may read")


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints; None where it fails."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT,
        )
    except FileNotFoundError as error:
        raise GitError("git isn't installed here: --base needs it") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} didn't answer in {TIMEOUT:.0f} s") from error
    return done.stdout if done.returncode == 0 else None
