"""What GitHub's GraphQL answers to the service's queries, told from what REST lists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from service.github_client.history_query import EVENTS

Raw = Mapping[str, Any]

ASKED = re.compile(r'(r\d+): repository\(owner: "([^"]+)", name: "([^"]+)"\)')
NAMES = {event: name for name, event in EVENTS.items()}


def asked_about(query: str) -> dict[str, str]:
    """The repositories of a query about many, by their aliases."""
    return {alias: f"{owner}/{name}" for alias, owner, name in ASKED.findall(query)}


def history(
    repository_id: int,
    *,
    commits: Sequence[Raw] = (),
    charters: Sequence[Raw] = (),
    pulls: Sequence[tuple[Raw, Sequence[Raw]]] = (),
    deployments: Sequence[tuple[Raw, Sequence[Raw]]] = (),
    now_open: Sequence[Raw] = (),
    more: bool = False,
) -> dict[str, Any]:
    """The answer to the query for a history; each pull request and deployment with its list."""
    head = {
        "commits": {"pageInfo": {"hasNextPage": more}, "nodes": [_commit(each) for each in commits]},
        "charters": {"nodes": [_commit(each) for each in charters]},
    }
    return {
        "databaseId": repository_id,
        "ref": {"target": head},
        "pullRequests": {
            "nodes": [
                _pull(pull) | {"timelineItems": {"nodes": [_event(each) for each in events]}}
                for pull, events in pulls
            ]
        },
        "open": {"pageInfo": {"hasNextPage": False}, "nodes": [_open(each) for each in now_open]},
        "deployments": {
            "nodes": [
                _deployment(each) | {"statuses": {"nodes": [_status(status) for status in statuses]}}
                for each, statuses in deployments
            ]
        },
    }


def _commit(raw: Raw) -> dict[str, Any]:
    author = raw["author"]
    is_person = author and author.get("type", "User") == "User"  # a bot is no `user` here
    user = {"login": author["login"], "databaseId": author.get("id")} if is_person else None
    return {
        "oid": raw["sha"],
        "committedDate": raw["commit"]["committer"]["date"],
        "author": {"user": user},
        "parents": {"totalCount": len(raw["parents"])},
    }


def _pull(raw: Raw) -> dict[str, Any]:
    return {
        "number": raw["number"],
        "isDraft": raw["draft"],
        "createdAt": raw["created_at"],
        "updatedAt": raw["updated_at"],
        "author": _account(raw["user"]),
    }


def _open(raw: Raw) -> dict[str, Any]:
    return {
        "number": raw["number"],
        "headRefOid": raw["head"]["sha"],
        "baseRefName": raw["base"]["ref"],
        "baseRefOid": raw["base"]["sha"],
        "updatedAt": raw["updated_at"],
        "author": _account(raw["user"]),
        "assignees": {
            "nodes": [{"login": each["login"], "databaseId": each.get("id")} for each in raw["assignees"]]
        },
    }


def _event(raw: Raw) -> dict[str, Any]:
    kind = {"__typename": NAMES[raw["event"]]}
    if raw["event"] == "reviewed":
        at = raw.get("submitted_at")
        return kind | {"databaseId": raw["id"], "submittedAt": at, "author": _account(raw["user"])}
    told = kind | {"createdAt": raw["created_at"], "actor": _account(raw["actor"])}
    if team := raw.get("requested_team"):
        return told | {"requestedReviewer": {"__typename": "Team", "slug": team["slug"]}}
    if reviewer := raw.get("requested_reviewer"):
        asked = _account(reviewer)
        shown = asked if asked and asked["__typename"] == "User" else {"__typename": "Bot"}
        return told | {"requestedReviewer": shown}
    return told


def _deployment(raw: Raw) -> dict[str, Any]:
    return {
        "databaseId": raw["id"],
        "environment": raw["environment"],
        "commitOid": raw["sha"],
        "createdAt": raw["created_at"],
        "creator": _account(raw["creator"]),
    }


def _status(raw: Raw) -> dict[str, Any]:
    at, creator = raw["created_at"], _account(raw.get("creator"))
    return {"state": raw["state"].upper(), "createdAt": at, "creator": creator}


def _account(raw: Raw | None) -> dict[str, Any] | None:
    if raw is None:
        return None
    kind = raw.get("type", "User")
    shown = {"__typename": kind, "login": raw["login"].removesuffix("[bot]")}
    return shown | ({"databaseId": raw.get("id")} if kind == "User" else {})
