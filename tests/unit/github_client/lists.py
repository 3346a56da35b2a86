"""What REST lists of a repository's history, and where."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

SINCE = datetime(2026, 5, 24, 9, 0, tzinfo=UTC)
HERE = "GET /repos/acme/poc-triage"
COMMITS = f"{HERE}/commits?page={{}}&per_page=100&sha=main&since=2026-05-24T09%3A00%3A00%2B00%3A00"
CHARTERS = COMMITS.replace("&per_page", "&path=POC.md&per_page").format(1)
PULLS = f"{HERE}/pulls?direction=desc&page=1&per_page=30&sort=updated&state=all"
TIMELINE = f"{HERE}/issues/{{}}/timeline?page={{}}&per_page=100"
REVIEWS = f"{HERE}/pulls/{{}}/reviews?page=1&per_page=100"
DEPLOYMENTS = f"{HERE}/deployments?page=1&per_page=10"
STATUSES = f"{HERE}/deployments/{{}}/statuses?page=1&per_page=100"
JANE = {"login": "jane-doe", "type": "User"}
ALICE = {"login": "alice-k", "type": "User"}
BOT = {"login": "renovate[bot]", "type": "Bot"}
COPILOT = {"login": "Copilot", "type": "Bot"}
NOT_FOUND = {"message": "Not Found"}


def raw_commit(sha: str, author: dict[str, str] | None = JANE, parents: int = 1) -> dict[str, Any]:
    dates = {"author": {"date": "2026-01-01T00:00:00Z"}, "committer": {"date": "2026-11-01T08:00:00Z"}}
    return {"sha": sha, "author": author, "commit": dates, "parents": [{"sha": "p"}] * parents}


def raw_pull(number: int = 7, /, **more: Any) -> dict[str, Any]:
    pull = {
        "number": number,
        "state": "open",
        "draft": False,
        "user": JANE,
        "created_at": "2026-11-02T09:00:00Z",
        "updated_at": "2026-11-05T09:00:00Z",
        "requested_reviewers": [],
        "requested_teams": [],
    }
    return pull | more


def event(
    kind: str, at: str = "2026-11-03T09:00:00Z", actor: dict[str, str] = JANE, **more: Any
) -> dict[str, Any]:
    return {"event": kind, "created_at": at, "actor": actor} | more
