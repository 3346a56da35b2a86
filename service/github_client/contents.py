"""What commits hold: the charter, files of evidence, trees, and what they were made of."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from github import GithubException, UnknownObjectException

from service.github_client.connection import PAGE, Connection, committed_at
from service.github_client.errors import FORBIDDEN, NO_COMMIT, UNPROCESSABLE, said_by
from service.ports import LARGEST_BLOB
from service.rules.source.text import CHARTER_PATH, CharterFile, FileKind
from service.rules.values.ancestry import merge_base
from service.rules.values.github import Commit, RepositoryRef, co_authors

LARGEST_FILE = 1024 * 1024
"""Bytes; GitHub's contents API gives no content beyond it either."""
TOO_LARGE = "too large"
"""What GitHub says of a blob of more than a hundred megabytes."""

NO_DIFF = "this diff is"
"""What GitHub says, with a 422 or a 500, where it takes too long to compare two commits."""
MOST_PAGES = 5
"""Of commits, a hundred each: how far back we look for where a branch began, if GitHub can't compare."""

FILES = ("100644", "100755", "100664")
"""The modes of files; a link's blob holds a path, and a submodule is none."""
LINK = "120000"
SUBMODULE = "commit"


@dataclass(frozen=True, slots=True)
class TreeBlob:
    """A file in a tree."""

    sha: str
    size: int


class Contents(Connection):
    """Reads files and commits."""

    _sizes: Mapping[str, int] = {}

    def charter_file(self, repository: RepositoryRef, ref: str) -> CharterFile:
        """What stands at the charter's path; a 404 is the answer that nothing does."""
        what = f"reading {CHARTER_PATH} of {repository.full_name} at {ref[:12]}"

        def read(name: str) -> CharterFile:
            try:
                data = self._get(f"/repos/{name}/contents/{CHARTER_PATH}", ref=ref)
            except UnknownObjectException as error:
                if said_by(error).startswith(NO_COMMIT):
                    raise
                return CharterFile(FileKind.ABSENT)
            return _charter_file(data)

        return self._at(repository, what, read, gone_is_an_answer=True)

    def merge_base(self, repository: RepositoryRef, base: str, head: str) -> str:
        """The commit at which `head` left `base`; one call, unless GitHub can't make the diff with it."""

        def compare(name: str) -> str:
            try:
                data = self._get(f"/repos/{name}/compare/{base}...{head}", per_page=1)
            except GithubException as error:
                if error.status != UNPROCESSABLE and NO_DIFF not in said_by(error):
                    raise
                found = self._by_lists(name, base, head)
                if found is None:
                    raise
                return found
            return str(data["merge_base_commit"]["sha"])

        what = f"comparing {base[:7]} with {head[:7]} in {repository.full_name}"
        return self._at(repository, what, compare, of_commit=True)

    def ahead(self, repository: RepositoryRef, base: str, head: str) -> tuple[str, int]:
        """The commit at which `head` left `base`, and how many commits it has since then."""

        def compare(name: str) -> tuple[str, int]:
            data = self._get(f"/repos/{name}/compare/{base}...{head}", per_page=1)
            return str(data["merge_base_commit"]["sha"]), int(data["ahead_by"])

        what = f"comparing {base[:7]} with {head[:7]} in {repository.full_name}"
        return self._at(repository, what, compare, of_commit=True)

    def _by_lists(self, name: str, base: str, head: str) -> str | None:
        """The same by the commits of both, a hundred a call; None if it lies further back than we look."""
        listed: dict[str, dict[str, tuple[str, ...]]] = {base: {}, head: {}}
        for page in range(1, MOST_PAGES + 1):
            for ref, commits in listed.items():
                for raw in self._get(f"/repos/{name}/commits", sha=ref, per_page=PAGE, page=page):
                    commits[raw["sha"]] = tuple(parent["sha"] for parent in raw["parents"])
            if found := merge_base(listed[base], listed[head]):
                return found
        return None

    def existing_paths(self, repository: RepositoryRef, ref: str, paths: Sequence[str]) -> frozenset[str]:
        """Look paths up in the tree of a commit or branch."""
        wanted = {path: posixpath.normpath(path) for path in paths}

        def look(name: str) -> frozenset[str]:
            tree, whole = self._tree(name, ref)
            found = _held(tree, wanted)
            if not whole:
                left = {path: place for path, place in wanted.items() if path not in found}
                found |= {path for path, place in left.items() if self._stands(name, ref, place)}
            return frozenset(found)

        what = f"reading the tree of {repository.full_name} at {ref[:12]}"
        return self._at(repository, what, look, of_commit=True)

    def _tree(self, name: str, ref: str) -> tuple[Sequence[Mapping[str, Any]], bool]:
        """The entries of a commit's tree, and whether these are all: GitHub cuts what is too large."""
        data = self._get(f"/repos/{name}/git/trees/{quote(ref, safe='')}", recursive=1)
        return data["tree"], not data.get("truncated")

    def _stands(self, name: str, ref: str, place: str) -> bool:
        try:
            self._get(f"/repos/{name}/contents/{quote(place)}", ref=ref)
        except UnknownObjectException:
            return False
        return True

    def blob_shas(
        self, repository: RepositoryRef, commit_sha: str, paths: Sequence[str]
    ) -> Mapping[str, str | None]:
        """Look the blobs at paths up in the tree of a commit."""
        what = f"reading the tree of {repository.full_name} at {commit_sha[:12]}"
        found = self._at(repository, what, lambda name: self._blobs(name, commit_sha, paths), of_commit=True)
        sizes = {blob.sha: blob.size for blob in found.values() if blob is not None}
        self._sizes = {**self._sizes, **sizes}
        return {path: blob.sha if blob else None for path, blob in found.items()}

    def _blobs(self, name: str, commit_sha: str, paths: Sequence[str]) -> Mapping[str, TreeBlob | None]:
        """The file at each of the paths; asked for one by one where the tree is too large for an answer."""
        tree, whole = self._tree(name, commit_sha)
        places = {path: posixpath.normpath(path) for path in paths}
        wanted = set(places.values())
        listed = {entry["path"]: _listed(entry) for entry in tree if entry["path"] in wanted}
        if not whole:
            listed |= {place: self._asked(name, commit_sha, place) for place in wanted - listed.keys()}
        return {path: listed.get(place) for path, place in places.items()}

    def _asked(self, name: str, commit_sha: str, place: str) -> TreeBlob | None:
        try:
            data = self._get(f"/repos/{name}/contents/{quote(place)}", ref=commit_sha)
        except UnknownObjectException as error:
            if said_by(error).startswith(NO_COMMIT):
                raise
            return None
        if isinstance(data, list) or data["type"] != "file":
            return None
        return TreeBlob(str(data["sha"]), int(data.get("size") or 0))

    def blob(self, repository: RepositoryRef, blob_sha: str) -> bytes | None:
        """Read a blob; one that a tree showed to be too large is not asked for."""
        if self._sizes.get(blob_sha, 0) > LARGEST_BLOB:
            return None

        def read(name: str) -> bytes | None:
            try:
                data = self._get(f"/repos/{name}/git/blobs/{blob_sha}")
            except GithubException as error:
                if error.status == FORBIDDEN and TOO_LARGE in said_by(error):
                    return None
                raise
            return base64.b64decode(data["content"]) if (data["size"] or 0) <= LARGEST_BLOB else None

        what = f"reading blob {blob_sha[:7]} of {repository.full_name}"
        return self._at(repository, what, read, of_commit=True)

    def commit(self, repository: RepositoryRef, sha: str) -> Commit:
        """Read a commit's tree and parents."""

        def read(name: str) -> Commit:
            data = self._get(f"/repos/{name}/git/commits/{sha}")
            parents = tuple(str(parent["sha"]) for parent in data["parents"])
            return Commit(
                str(data["sha"]), str(data["tree"]["sha"]), parents, co_authors(data.get("message") or "")
            )

        what = f"reading commit {sha[:7]} of {repository.full_name}"
        return self._at(repository, what, read, of_commit=True)

    def last_commit_by(self, repository: RepositoryRef, login: str, since: datetime) -> datetime | None:
        """When somebody last committed to the default branch; None if not since then."""

        def newest(name: str) -> datetime | None:
            from_then = since.astimezone(UTC).isoformat()
            data = self._get(f"/repos/{name}/commits", author=login, since=from_then, per_page=1)
            return max((at for commit in data if (at := committed_at(commit))), default=None)

        return self._at(repository, f"reading the commits of {login} in {repository.full_name}", newest)


def _charter_file(data: Any) -> CharterFile:  # noqa: ANN401 (JSON)
    """Tell what the contents API answered: a list is a directory, and the rest says its type."""
    if isinstance(data, list):
        return CharterFile(FileKind.DIRECTORY)
    kind, size, sha = data["type"], data.get("size"), data.get("sha")
    if kind != "file":
        return CharterFile({"symlink": FileKind.SYMLINK}.get(kind, FileKind.SUBMODULE), None, sha, size)
    if data.get("encoding") != "base64" or (size or 0) > LARGEST_FILE:
        return CharterFile(FileKind.TOO_LARGE, None, sha, size)
    return CharterFile(FileKind.FILE, base64.b64decode(data["content"]), sha, size)


def _listed(entry: Mapping[str, Any]) -> TreeBlob | None:
    if entry.get("type") != "blob" or entry.get("mode") not in FILES:
        return None
    return TreeBlob(str(entry["sha"]), int(entry.get("size") or 0))


def _held(tree: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> set[str]:
    """The paths in a tree; what lies behind a link or in a submodule is taken for there."""
    steps = {step for place in wanted.values() for step in _steps(place)}
    kinds = {entry["path"]: entry for entry in tree if entry["path"] in steps}

    def there(place: str) -> bool:
        behind = (kinds.get(step, {}) for step in _steps(place))
        return place in kinds or any(
            entry.get("type") == SUBMODULE or entry.get("mode") == LINK for entry in behind
        )

    return {path for path, place in wanted.items() if place == "." or there(place)}


def _steps(place: str) -> list[str]:
    """`a/b/c` and what it lies in: `a`, `a/b`, `a/b/c`."""
    parts = place.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]
