"""Signed deliveries of five events, half of them of repositories nobody has heard of: the same for everybody
who asks alike.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bench.payloads import (
    BEFORE,
    EPOCH,
    FIRST_REPOSITORY,
    HEAD,
    MOMENT,
    NUMBER,
    SECRET,
    Delivery,
    account,
    described,
    pull_request_event,
    repository_name,
    signed,
    surroundings,
)

KNOWN = range(FIRST_REPOSITORY, FIRST_REPOSITORY + 120)
"""Repositories that registration found to be no POC, before the first run."""
UNKNOWN = 120
"""Repositories that a run is the first to tell of."""
PULLS = 5
"""Pull requests, and issues, of each repository."""
SECONDS = int(datetime.fromisoformat(MOMENT).timestamp())
_COMMENT = "The second attempt of the ingest step waits for the first one's worker. I'd give it a queue."


def deliveries(seed: int, count: int) -> Iterator[Delivery]:
    """Deliveries with ids and bodies of their own, a fifth of each event, over repositories in no order."""
    chance = random.Random(seed)  # reproducible, not secret
    repositories = (KNOWN, unknown(seed))
    templates = {repository: _templates(repository) for repository in (*KNOWN, *unknown(seed))}
    for index in range(count):
        event, template = _drawn(chance, templates[chance.choice(repositories[index % 2])])
        body = _filled(chance, template, EPOCH + timedelta(hours=seed % 10_000, seconds=index // 50))
        yield signed(event, body, SECRET, uuid.UUID(int=chance.getrandbits(128), version=4))


def bodies_about(repository: int, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Events and bodies that are all about one repository."""
    chance, templates = random.Random(seed), _templates(repository)
    for index in range(count):
        event, template = _drawn(chance, templates)
        yield event, _filled(chance, template, EPOCH + timedelta(hours=seed, seconds=index))


def _templates(repository: int) -> Mapping[str, Sequence[bytes]]:
    name = repository_name(repository)
    return {
        event: [json.dumps(make(repository, name), separators=(",", ":")).encode() for make in makers]
        for event, makers in _EVENTS.items()
    }


def _drawn(chance: random.Random, templates: Mapping[str, Sequence[bytes]]) -> tuple[str, bytes]:
    event = chance.choice(list(templates))
    return event, chance.choice(templates[event])


def _filled(chance: random.Random, template: bytes, at: datetime) -> bytes:
    return (
        template.replace(str(NUMBER).encode(), str(chance.randint(1, PULLS)).encode())
        .replace(HEAD.encode(), f"{chance.getrandbits(160):040x}".encode())
        .replace(BEFORE.encode(), f"{chance.getrandbits(160):040x}".encode())
        .replace(MOMENT.encode(), at.strftime("%Y-%m-%dT%H:%M:%SZ").encode())
        .replace(str(SECONDS).encode(), str(int(at.timestamp())).encode())
    )


def unknown(seed: int) -> range:
    """The repositories that only the run of this seed tells of."""
    first = KNOWN.stop + UNKNOWN * (seed + 1)
    return range(first, first + UNKNOWN)


def _pull_request(action: str, repository: int, name: str) -> dict[str, Any]:
    return pull_request_event(repository, action, name)


def _issue(repository: int, name: str) -> dict[str, Any]:
    whole = described(repository, name)
    return {
        "url": f"{whole['url']}/issues/{NUMBER}",
        "repository_url": whole["url"],
        "labels_url": f"{whole['url']}/issues/{NUMBER}/labels{{/name}}",
        "comments_url": f"{whole['url']}/issues/{NUMBER}/comments",
        "events_url": f"{whole['url']}/issues/{NUMBER}/events",
        "html_url": f"{whole['html_url']}/issues/{NUMBER}",
        "id": 1_912_345_678,
        "node_id": "I_kwDOJx1nQs5sB3xY",
        "number": NUMBER,
        "title": "The ingest step holds a worker",
        "user": account("jane-doe", 4_711),
        "labels": [],
        "state": "open",
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": 2,
        "created_at": "2026-09-30T07:12:44Z",
        "updated_at": MOMENT,
        "closed_at": None,
        "author_association": "MEMBER",
        "active_lock_reason": None,
        "body": _COMMENT,
        "timeline_url": f"{whole['url']}/issues/{NUMBER}/timeline",
        "state_reason": None,
    }


def _issues(action: str, repository: int, name: str) -> dict[str, Any]:
    return {"action": action, "issue": _issue(repository, name), **surroundings(repository, name)}


def _issue_comment(repository: int, name: str) -> dict[str, Any]:
    issue = _issue(repository, name)
    comment = {
        "url": f"{issue['repository_url']}/issues/comments/2012345678",
        "html_url": f"{issue['html_url']}#issuecomment-2012345678",
        "issue_url": issue["url"],
        "id": 2_012_345_678,
        "node_id": "IC_kwDOJx1nQs5sB3xY",
        "user": account("jane-doe", 4_711),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "author_association": "MEMBER",
        "body": _COMMENT,
        "performed_via_github_app": None,
    }
    whole = surroundings(repository, name)
    return {"action": "created", "issue": issue, "comment": comment, **whole}


def _repository_event(repository: int, name: str) -> dict[str, Any]:
    changes = {"description": {"from": "Takes in what customers write"}}
    return {"action": "edited", "changes": changes, **surroundings(repository, name)}


def _push(branch: str, repository: int, name: str) -> dict[str, Any]:
    whole = surroundings(repository, name)
    whole["repository"]["pushed_at"] = SECONDS  # here GitHub writes it so
    web, people = whole["repository"]["html_url"], {"name": "Jane Doe", "email": "jane-doe@example.com"}
    commit = {
        "id": HEAD,
        "tree_id": "f0e1d2c3b4a5968778695a4b3c2d1e0f01234567",
        "distinct": True,
        "message": "Give the second attempt a queue",
        "timestamp": MOMENT,
        "url": f"{web}/commit/{HEAD}",
        "author": {**people, "username": "jane-doe"},
        "committer": {**people, "username": "jane-doe"},
        "added": ["ingest/queue.py"],
        "removed": [],
        "modified": ["ingest/step.py", "tests/test_step.py"],
    }
    return {
        "ref": f"refs/heads/{branch}",
        "before": BEFORE,
        "after": HEAD,
        **whole,
        "pusher": people,
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{web}/compare/{BEFORE[:12]}...{HEAD[:12]}",
        "commits": [commit],
        "head_commit": commit,
    }


_Make = Callable[[int, str], dict[str, Any]]
_EVENTS: dict[str, tuple[_Make, ...]] = {
    "pull_request": (partial(_pull_request, "opened"), partial(_pull_request, "synchronize")),
    "push": (partial(_push, "main"), partial(_push, "retry-behind-the-queue")),
    "issues": (partial(_issues, "opened"), partial(_issues, "closed")),
    "issue_comment": (_issue_comment,),
    "repository": (_repository_event,),
}
