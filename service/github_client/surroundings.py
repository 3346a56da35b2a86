"""What GitHub says about the people, environments and paths that a charter names."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from github import UnknownObjectException
from github.Requester import Requester

MOST_PAGES = 10
"""Of environments, a hundred each; a repository with more makes one for every branch."""
LINK = "120000"
SUBMODULE = "commit"


def permission(requester: Requester, name: str, login: str) -> str:
    """GitHub's word for what a person may do in a repository."""
    _, data = requester.requestJsonAndCheck(
        "GET", f"/repos/{name}/collaborators/{quote(login, safe='')}/permission"
    )
    return str(data["permission"])


def environments(requester: Requester, name: str) -> frozenset[str] | None:
    """The names of all environments; None where there are too many to list."""
    names: set[str] = set()
    for page in range(1, MOST_PAGES + 1):
        _, data = requester.requestJsonAndCheck(
            "GET", f"/repos/{name}/environments", parameters={"per_page": 100, "page": page}
        )
        listed = data.get("environments") or []
        names |= {str(environment["name"]) for environment in listed}
        if not listed or page * 100 >= data["total_count"]:
            return frozenset(names)
    return None


def existing_paths(requester: Requester, name: str, ref: str, paths: Sequence[str]) -> frozenset[str]:
    """Those of the paths that a commit's tree holds: one call, or one each where the tree is too large."""
    _, data = requester.requestJsonAndCheck(
        "GET", f"/repos/{name}/git/trees/{quote(ref, safe='')}", parameters={"recursive": 1}
    )
    wanted = {path: posixpath.normpath(path) for path in paths}
    found = _held(data["tree"], wanted)
    if data.get("truncated"):
        left = {path: place for path, place in wanted.items() if path not in found}
        found |= {path for path, place in left.items() if _stands(requester, name, ref, place)}
    return frozenset(found)


def _held(tree: Sequence[dict[str, Any]], wanted: dict[str, str]) -> set[str]:
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


def _stands(requester: Requester, name: str, ref: str, place: str) -> bool:
    try:
        requester.requestJsonAndCheck(
            "GET", f"/repos/{name}/contents/{quote(place)}", parameters={"ref": ref}
        )
    except UnknownObjectException:
        return False
    return True
