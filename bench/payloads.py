"""Signed `pull_request` deliveries as GitHub sends them: the same ones for everybody who asks alike.

Over 300 lines: a payload of GitHub's is that long.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

SECRET = "a webhook secret of the benchmark"
ORG, ORG_ID, INSTALLATION = "acme", 9_001, 77
REPOSITORIES = range(500_001, 500_241)
PULLS = 5
"""Pull requests of each repository."""
EPOCH = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)

_TEXT = """## What

Moves the retry of the ingest step behind the queue, so that a slow upstream no longer holds a worker.
"""

# What differs from one delivery to the next of a repository; each is written once, as a string of its own.
_NUMBER, _HEAD, _BEFORE, _MOMENT = 987_654_321, "h" * 40, "b" * 40, "2026-01-02T03:04:05Z"
_OPENED_ONE_IN = 5


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it goes over the wire, but for the request line."""

    id: str
    event: str
    body: bytes
    signature: str


def deliveries(seed: int, count: int) -> Iterator[Delivery]:
    """Deliveries with ids and bodies of their own, spread over the repositories in no order."""
    chance = random.Random(seed)  # reproducible, not secret
    templates = {
        (repository, action): json.dumps(
            _payload(repository, action, repository_name(repository)), separators=(",", ":")
        ).encode()
        for repository in REPOSITORIES
        for action in ("opened", "synchronize")
    }
    for index in range(count):
        action = "synchronize" if chance.randrange(_OPENED_ONE_IN) else "opened"
        moment = EPOCH + timedelta(hours=seed % 10_000, seconds=index // 50)
        body = (
            templates[chance.choice(REPOSITORIES), action]
            .replace(str(_NUMBER).encode(), str(chance.randint(1, PULLS)).encode())
            .replace(_HEAD.encode(), f"{chance.getrandbits(160):040x}".encode())
            .replace(_BEFORE.encode(), f"{chance.getrandbits(160):040x}".encode())
            .replace(_MOMENT.encode(), moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode())
        )
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        delivery_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        yield Delivery(delivery_id, "pull_request", body, signature)


def repository_name(repository: int) -> str:
    """A name that makes no POC of it."""
    return f"service-{repository - REPOSITORIES.start:03}"


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
    payload = _payload(REPOSITORIES.start, "synchronize", repository["name"])
    whole = payload["repository"] | repository
    pull = payload["pull_request"]
    pull["id"] += repository["id"] * 1000 + number
    pull["head"] |= {"repo": whole, "ref": ref, "label": f"{ORG}:{ref}"}
    pull["base"] |= {"repo": whole, "sha": base_sha}
    payload |= {"repository": whole, "installation": payload["installation"] | {"id": installation}}
    body = json.dumps(payload, separators=(",", ":")).replace(str(_NUMBER), str(number))
    return body.replace(_HEAD, head).replace(_BEFORE, before).replace(_MOMENT, moment).encode()


def installed(
    repositories: Sequence[Mapping[str, Any]], installation: int, granted: Mapping[str, str]
) -> bytes:
    """The body of an installation that was made on these repositories."""
    kept = ("id", "node_id", "name", "full_name", "private")
    payload = {
        "action": "created",
        "installation": {
            "id": installation,
            "account": _user(ORG, ORG_ID, "Organization"),
            "repository_selection": "all",
            "permissions": dict(granted),
            "events": ["check_run", "check_suite", "pull_request", "push", "repository"],
            "created_at": EPOCH.isoformat(),
            "updated_at": EPOCH.isoformat(),
            "suspended_at": None,
        },
        "repositories": [{name: each[name] for name in kept} for each in repositories],
        "sender": _user("jane-doe", 4_711),
    }
    return json.dumps(payload).encode()


def signed(event: str, body: bytes, secret: str) -> Delivery:
    """A delivery of a body, with an id that no other has."""
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Delivery(str(uuid.uuid4()), event, body, signature)


def _payload(repository: int, action: str, name: str) -> dict[str, Any]:
    moved = {"before": _BEFORE, "after": _HEAD} if action == "synchronize" else {}
    return {
        "action": action,
        "number": _NUMBER,
        "pull_request": _pull_request(repository, name),
        **moved,
        "repository": _repository(repository, name),
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
        "sender": _user("jane-doe", 4_711),
        "installation": {"id": INSTALLATION, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uNzc="},
    }


def _pull_request(repository: int, name: str) -> dict[str, Any]:
    api = f"https://api.github.com/repos/{ORG}/{name}"
    web = f"https://github.com/{ORG}/{name}/pull/{_NUMBER}"
    links = {
        "self": f"{api}/pulls/{_NUMBER}",
        "html": web,
        "issue": f"{api}/issues/{_NUMBER}",
        "comments": f"{api}/issues/{_NUMBER}/comments",
        "review_comments": f"{api}/pulls/{_NUMBER}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{api}/pulls/{_NUMBER}/commits",
        "statuses": f"{api}/statuses/{_HEAD}",
    }
    return {
        "url": links["self"],
        "id": 1_812_345_678,
        "node_id": "PR_kwDOJx1nQs5sB3xY",
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": links["issue"],
        "number": _NUMBER,
        "state": "open",
        "locked": False,
        "title": "Move the retry of the ingest step behind the queue",
        "user": _user("jane-doe", 4_711),
        "body": _TEXT,
        "created_at": "2026-09-30T07:12:44Z",
        "updated_at": _MOMENT,
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
        "head": _branch(repository, name, "retry-behind-the-queue", _HEAD),
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
        "user": _user(ORG, ORG_ID, "Organization"),
        "repo": _repository(repository, name),
    }


def _user(login: str, number: int, kind: str = "User") -> dict[str, Any]:
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


def _repository(repository: int, name: str) -> dict[str, Any]:
    api, web = f"https://api.github.com/repos/{ORG}/{name}", f"https://github.com/{ORG}/{name}"
    return {
        "id": repository,
        "node_id": "R_kgDOJx1nQg",
        "name": name,
        "full_name": f"{ORG}/{name}",
        "private": True,
        "owner": _user(ORG, ORG_ID, "Organization"),
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
        "pushed_at": _MOMENT,
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
