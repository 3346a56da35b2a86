"""Payloads as GitHub sends them, with all their fields, and what signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SECRET = "a webhook secret of the benchmark"
ORG, ORG_ID, INSTALLATION = "acme", 9_001, 77
FIRST_REPOSITORY = 500_001
EPOCH = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)

_TEXT = """## What

Moves the retry of the ingest step behind the queue, so that a slow upstream no longer holds a worker.
"""

NUMBER, HEAD, BEFORE, MOMENT = 987_654_321, "h" * 40, "b" * 40, "2026-01-02T03:04:05Z"
"""What differs from one delivery of a repository to the next; each is written as a string of its own."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it goes over the wire, but for the request line."""

    id: str
    event: str
    body: bytes
    signature: str


def repository_name(repository: int) -> str:
    """A name that makes no POC of it."""
    return f"service-{repository - FIRST_REPOSITORY:03}"


def repository_id(name: str) -> int:
    """The repository of such a name."""
    return FIRST_REPOSITORY + int(name.removeprefix("service-"))


def synchronize(
    repository: Mapping[str, Any],
    installation: int,
    *,
    number: int,
    ref: str,
    base_sha: str,
    before: str,
    head: str,
    moment: str,
) -> bytes:
    """The body of a pull request that moved, in a repository as GitHub's API describes it."""
    payload = pull_request_event(FIRST_REPOSITORY, "synchronize", repository["name"])
    whole = payload["repository"] | repository
    pull = payload["pull_request"]
    pull["id"] += repository["id"] * 1000 + number
    pull["head"] |= {"repo": whole, "ref": ref, "label": f"{ORG}:{ref}"}
    pull["base"] |= {"repo": whole, "sha": base_sha}
    payload |= {"repository": whole, "installation": payload["installation"] | {"id": installation}}
    body = json.dumps(payload, separators=(",", ":")).replace(str(NUMBER), str(number))
    return body.replace(HEAD, head).replace(BEFORE, before).replace(MOMENT, moment).encode()


def installed(
    repositories: Sequence[Mapping[str, Any]], installation: int, granted: Mapping[str, str]
) -> bytes:
    """The body of an installation that was made on these repositories."""
    kept = ("id", "node_id", "name", "full_name", "private")
    payload = {
        "action": "created",
        "installation": {
            "id": installation,
            "account": account(ORG, ORG_ID, "Organization"),
            "repository_selection": "all",
            "permissions": dict(granted),
            "events": ["check_run", "check_suite", "pull_request", "push", "repository"],
            "created_at": EPOCH.isoformat(),
            "updated_at": EPOCH.isoformat(),
            "suspended_at": None,
        },
        "repositories": [{name: each[name] for name in kept} for each in repositories],
        "sender": account("jane-doe", 4_711),
    }
    return json.dumps(payload).encode()


def signed(event: str, body: bytes, secret: str, delivery_id: uuid.UUID | None = None) -> Delivery:
    """A delivery of a body, with an id that no other has unless one is given."""
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Delivery(str(delivery_id or uuid.uuid4()), event, body, signature)


def surroundings(repository: int, name: str) -> dict[str, Any]:
    """What every payload has: the repository, its organisation, who did it, and the installation."""
    return {
        "repository": described(repository, name),
        "organization": {
            "login": ORG,
            "id": ORG_ID,
            "node_id": "O_kgDOBfW0xA",
            "url": f"https://api.github.com/orgs/{ORG}",
            **_urls(
                f"https://api.github.com/orgs/{ORG}",
                "repos events hooks issues members{/member} public_members{/member}",
            ),
            "avatar_url": f"https://avatars.githubusercontent.com/u/{ORG_ID}?v=4",
            "description": "Things that work",
        },
        "sender": account("jane-doe", 4_711),
        "installation": {"id": INSTALLATION, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uNzc="},
    }


def pull_request_event(repository: int, action: str, name: str) -> dict[str, Any]:
    """A pull request that was opened, or moved."""
    moved = {"before": BEFORE, "after": HEAD} if action == "synchronize" else {}
    return {
        "action": action,
        "number": NUMBER,
        "pull_request": pull_request(repository, name),
        **moved,
        **surroundings(repository, name),
    }


def pull_request(repository: int, name: str) -> dict[str, Any]:
    """A pull request of it."""
    api = f"https://api.github.com/repos/{ORG}/{name}"
    web = f"https://github.com/{ORG}/{name}/pull/{NUMBER}"
    links = {
        "self": f"{api}/pulls/{NUMBER}",
        "html": web,
        "issue": f"{api}/issues/{NUMBER}",
        "comments": f"{api}/issues/{NUMBER}/comments",
        "review_comments": f"{api}/pulls/{NUMBER}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{api}/pulls/{NUMBER}/commits",
        "statuses": f"{api}/statuses/{HEAD}",
    }
    return {
        "url": links["self"],
        "id": 1_812_345_678,
        "node_id": "PR_kwDOJx1nQs5sB3xY",
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": links["issue"],
        "number": NUMBER,
        "state": "open",
        "locked": False,
        "title": "Move the retry of the ingest step behind the queue",
        "user": account("jane-doe", 4_711),
        "body": _TEXT,
        "created_at": "2026-09-30T07:12:44Z",
        "updated_at": MOMENT,
        "closed_at": None,
        "merged_at": None,
        "merge_commit_sha": "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567",
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": None,
        "draft": False,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "head": _branch(repository, name, "retry-behind-the-queue", HEAD),
        "base": _branch(repository, name, "main", "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"),
        "_links": {key: {"href": href} for key, href in links.items()},
        "author_association": "MEMBER",
        "auto_merge": None,
        "active_lock_reason": None,
        "merged": False,
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": None,
        "comments": 2,
        "review_comments": 1,
        "maintainer_can_modify": False,
        "commits": 4,
        "additions": 183,
        "deletions": 41,
        "changed_files": 9,
    }


def _branch(repository: int, name: str, ref: str, sha: str) -> dict[str, Any]:
    return {
        "label": f"{ORG}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": account(ORG, ORG_ID, "Organization"),
        "repo": described(repository, name),
    }


def account(login: str, number: int, kind: str = "User") -> dict[str, Any]:
    """A person, a bot or an organisation."""
    api = f"https://api.github.com/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": "MDQ6VXNlcjQ3MTE=",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": api,
        "html_url": f"https://github.com/{login}",
        **_urls(
            api,
            "followers following{/other_user} gists{/gist_id} starred{/owner}{/repo} subscriptions "
            "organizations:orgs repos events{/privacy} received_events",
        ),
        "type": kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def described(repository: int, name: str) -> dict[str, Any]:
    """A repository of the organisation."""
    api, web = f"https://api.github.com/repos/{ORG}/{name}", f"https://github.com/{ORG}/{name}"
    return {
        "id": repository,
        "node_id": "R_kgDOJx1nQg",
        "name": name,
        "full_name": f"{ORG}/{name}",
        "private": True,
        "owner": account(ORG, ORG_ID, "Organization"),
        "html_url": web,
        "description": "Takes in what customers send",
        "fork": False,
        "url": api,
        **_urls(
            api,
            "forks keys{/key_id} collaborators{/collaborator} teams hooks "
            "issue_events:issues/events{/number} events "
            "assignees{/user} branches{/branch} tags blobs:git/blobs{/sha} git_tags:git/tags{/sha} "
            "git_refs:git/refs{/sha} trees:git/trees{/sha} statuses:statuses/{sha} languages stargazers "
            "contributors subscribers subscription commits{/sha} git_commits:git/commits{/sha} "
            "comments{/number} issue_comment:issues/comments{/number} contents:contents/{+path} "
            "compare:compare/{base}...{head} merges archive:{archive_format}{/ref} downloads "
            "issues{/number} pulls{/number} milestones{/number} "
            "notifications{?since,all,participating} labels{/name} releases{/id} deployments",
        ),
        "created_at": "2024-03-11T09:21:10Z",
        "updated_at": "2026-09-28T16:40:02Z",
        "pushed_at": MOMENT,
        "git_url": f"git://github.com/{ORG}/{name}.git",
        "ssh_url": f"git@github.com:{ORG}/{name}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "homepage": None,
        "size": 18_322,
        "stargazers_count": 3,
        "watchers_count": 3,
        "language": "Python",
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": False,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": 0,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": 12,
        "license": None,
        "allow_forking": False,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": ["ingest", "python"],
        "visibility": "private",
        "forks": 0,
        "open_issues": 12,
        "watchers": 3,
        "default_branch": "main",
        "custom_properties": {},
    }


def _urls(base: str, names: str) -> dict[str, str]:
    """`…_url` fields, written as `name{template}` or `name:path`."""
    urls = {}
    for item in names.split():
        name, _, path = item.partition(":")
        key = name.partition("{")[0]
        urls[f"{key}_url"] = f"{base}/{path or name}"
    return urls
