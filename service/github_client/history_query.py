"""The history of a repository in one GraphQL query, told in the shape of REST's lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.rules.values.github import APP_USER, PERSON, PullRequest, is_bot

Raw = Mapping[str, Any]

QUERY = """
query($owner: String!, $name: String!, $branch: String!, $since: GitTimestamp!, $charter: String!) {
  repository(owner: $owner, name: $name) {
    databaseId
    ref(qualifiedName: $branch) { target { ... on Commit {
      commits: history(first: 100, since: $since) {
        pageInfo { hasNextPage }
        nodes { ...commit parents(first: 1) { totalCount } }
      }
      charters: history(first: 100, since: $since, path: $charter) { nodes { ...commit } }
    } } }
    pullRequests(first: 30, orderBy: {field: UPDATED_AT, direction: DESC}) { nodes {
      number isDraft createdAt updatedAt author { ...account }
      timelineItems(first: 100, itemTypes: [
          MERGED_EVENT, REOPENED_EVENT, READY_FOR_REVIEW_EVENT, CONVERT_TO_DRAFT_EVENT,
          REVIEW_REQUESTED_EVENT, REVIEW_REQUEST_REMOVED_EVENT, PULL_REQUEST_REVIEW]) {
        nodes {
          __typename
          ... on MergedEvent { createdAt actor { ...account } }
          ... on ReopenedEvent { createdAt actor { ...account } }
          ... on ReadyForReviewEvent { createdAt actor { ...account } }
          ... on ConvertToDraftEvent { createdAt actor { ...account } }
          ... on ReviewRequestedEvent { createdAt actor { ...account } requestedReviewer { ...asked } }
          ... on ReviewRequestRemovedEvent { createdAt actor { ...account } requestedReviewer { ...asked } }
          ... on PullRequestReview { databaseId submittedAt author { ...account } }
        }
      }
    } }
    open: pullRequests(first: 100, states: OPEN) {
      pageInfo { hasNextPage }
      nodes {
        number headRefOid baseRefName baseRefOid updatedAt author { ...account }
        assignees(first: 10) { nodes { login databaseId } }
      }
    }
    deployments(first: 10, orderBy: {field: CREATED_AT, direction: DESC}) { nodes {
      databaseId environment commitOid createdAt creator { ...account }
      statuses(first: 100) { nodes { state createdAt creator { ...account } } }
    } }
  }
}
fragment commit on Commit { oid committedDate author { user { login databaseId } } }
fragment account on Actor { __typename login ... on User { databaseId } }
fragment asked on RequestedReviewer { __typename ... on User { login databaseId } ... on Team { slug } }
"""
"""Some 6,000 nodes in 250 lists at most: GitHub takes three points for it."""
EVENTS = {
    "MergedEvent": "merged",
    "ReopenedEvent": "reopened",
    "ReadyForReviewEvent": "ready_for_review",
    "ConvertToDraftEvent": "convert_to_draft",
    "ReviewRequestedEvent": "review_requested",
    "ReviewRequestRemovedEvent": "review_request_removed",
    "PullRequestReview": "reviewed",
}
"""GraphQL's names of what REST's timelines call so."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What REST lists: commits, pull requests with their events, deployments with their statuses."""

    commits: Sequence[Raw]
    charters: Sequence[Raw]
    """The commits that changed the charter."""
    pulls: Sequence[tuple[Raw, Sequence[Raw]]]
    deployments: Sequence[tuple[Raw, Sequence[Raw]]]
    open_pull_requests: tuple[PullRequest, ...] | None
    """None where there are more than one answer holds."""
    has_more_commits: bool = False


def lists_of(repository: Raw) -> Lists:
    """The answer about a repository in REST's words."""
    now_open = repository["open"]
    head: Raw = (repository["ref"] or {}).get("target") or {}
    commits: Raw = head.get("commits") or {"nodes": (), "pageInfo": {"hasNextPage": False}}
    charters: Raw = head.get("charters") or {"nodes": ()}
    return Lists(
        [_commit(each) for each in commits["nodes"]],
        [_commit(each) for each in charters["nodes"]],
        [
            (_pull(each), [_event(item) for item in each["timelineItems"]["nodes"]])
            for each in repository["pullRequests"]["nodes"]
        ],
        [
            (_deployment(each), [_status(status) for status in each["statuses"]["nodes"]])
            for each in repository["deployments"]["nodes"]
        ],
        open_pull_requests=None
        if now_open["pageInfo"]["hasNextPage"]
        else tuple(_open(repository["databaseId"], each) for each in now_open["nodes"]),
        has_more_commits=commits["pageInfo"]["hasNextPage"],
    )


def _open(repository_id: int, node: Raw) -> PullRequest:
    author = _account(node["author"]) or {}
    others = (_account(each | {"__typename": PERSON}) or {} for each in node["assignees"]["nodes"])
    people = (each["login"] for each in (author, *others) if each and not _is_bot(each))
    return PullRequest(
        repository_id=repository_id,
        number=node["number"],
        head_sha=node["headRefOid"],
        base_ref=node["baseRefName"],
        base_sha=node["baseRefOid"],
        author=author.get("login", ""),
        state="open",
        updated_at=datetime.fromisoformat(node["updatedAt"]),
        behind=next(people, ""),
    )


def _is_bot(account: Raw) -> bool:
    return is_bot(account["login"], account["type"], account["id"])


def _commit(node: Raw) -> Raw:
    user = (node["author"] or {}).get("user")
    return {
        "sha": node["oid"],
        "commit": {"committer": {"date": node["committedDate"]}},
        "author": _account(user | {"__typename": PERSON} if user else None),
        "parents": [None] * node.get("parents", {}).get("totalCount", 0),
    }


def _pull(node: Raw) -> Raw:
    return {
        "number": node["number"],
        "draft": node["isDraft"],
        "created_at": node["createdAt"],
        "updated_at": node["updatedAt"],
        "user": _account(node["author"]),
    }


def _event(node: Raw) -> Raw:
    event = EVENTS.get(node["__typename"])
    if event == "reviewed":
        at = node["submittedAt"]
        return {
            "event": event,
            "id": node["databaseId"],
            "submitted_at": at,
            "user": _account(node["author"]),
        }
    told = {"event": event, "created_at": node.get("createdAt"), "actor": _account(node.get("actor"))}
    asked = node.get("requestedReviewer")
    if asked is None:
        return told
    if asked["__typename"] == "Team":
        return told | {"requested_team": {"slug": asked["slug"]}}
    return told | {"requested_reviewer": _account(asked)}


def _deployment(node: Raw) -> Raw:
    return {
        "id": node["databaseId"],
        "environment": node["environment"],
        "sha": node["commitOid"],
        "created_at": node["createdAt"],
        "creator": _account(node["creator"]),
    }


def _status(node: Raw) -> Raw:
    at, creator = node["createdAt"], _account(node["creator"])
    return {"state": node["state"].lower(), "created_at": at, "creator": creator}


def _account(node: Raw | None) -> dict[str, Any] | None:
    """An account by REST's login, which says of an app's that it is a bot's."""
    if node is None:
        return None
    suffix = "[bot]" if node["__typename"] == APP_USER else ""
    return {
        "login": f"{node.get('login', '')}{suffix}",
        "type": node["__typename"],
        "id": node.get("databaseId"),
    }
