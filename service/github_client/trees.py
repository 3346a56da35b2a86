"""Which files stand at paths of a commit's tree: one call, however many files are looked for."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from github import UnknownObjectException
from github.Requester import Requester

from service.github_client.errors import NO_COMMIT, said_by

FILES = ("100644", "100755", "100664")
"""The modes of files; a link's blob holds a path, and a submodule is none."""


@dataclass(frozen=True, slots=True)
class TreeBlob:
    """A file in a tree."""

    sha: str
    size: int


def blobs(
    requester: Requester, name: str, commit_sha: str, paths: Sequence[str]
) -> Mapping[str, TreeBlob | None]:
    """The file at each of the paths; asked for one by one where the tree is too large for an answer."""
    _, data = requester.requestJsonAndCheck(
        "GET", f"/repos/{name}/git/trees/{quote(commit_sha, safe='')}", parameters={"recursive": 1}
    )
    places = {path: posixpath.normpath(path) for path in paths}
    wanted = set(places.values())
    listed = {entry["path"]: _listed(entry) for entry in data["tree"] if entry["path"] in wanted}
    if data.get("truncated"):
        listed |= {place: _asked(requester, name, commit_sha, place) for place in wanted - listed.keys()}
    return {path: listed.get(place) for path, place in places.items()}


def _listed(entry: Mapping[str, Any]) -> TreeBlob | None:
    if entry.get("type") != "blob" or entry.get("mode") not in FILES:
        return None
    return TreeBlob(str(entry["sha"]), int(entry.get("size") or 0))


def _asked(requester: Requester, name: str, commit_sha: str, place: str) -> TreeBlob | None:
    try:
        _, data = requester.requestJsonAndCheck(
            "GET", f"/repos/{name}/contents/{quote(place)}", parameters={"ref": commit_sha}
        )
    except UnknownObjectException as error:
        if said_by(error).startswith(NO_COMMIT):
            raise
        return None
    if isinstance(data, list) or data["type"] != "file":
        return None
    return TreeBlob(str(data["sha"]), int(data.get("size") or 0))
