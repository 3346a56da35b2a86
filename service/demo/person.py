"""What people do on GitHub, for the demo and the tests: a thin client of the emulator's REST API."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import httpx

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request."""

    number: int
    head_sha: str
    head_ref: str
    state: str
    merged: bool
    url: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run with its texts."""

    id: int
    suite_id: int
    name: str
    head_sha: str
    status: str
    conclusion: str | None
    title: str
    summary: str
    text: str
    external_id: str
    annotations_count: int
    url: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """A check run's remark on lines of a file."""

    path: str
    start_line: int
    end_line: int
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue; pull requests are not among them."""

    number: int
    title: str
    body: str
    state: str
    author: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    url: str


class Person:
    """Acts as one user; `repo` is a name in the organisation, and a refused request raises."""

    def __init__(self, api_url: str, org: str, login: str, token: str) -> None:
        self.login = login
        self._org = org
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=api_url, headers=headers, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, path: str, body: object = None, /, **query: str | int) -> Any:  # noqa: ANN401 - JSON
        """Send one request and return its JSON: the way to what has no method here."""
        answer = self._http.request(method, path, json=body, params=query)
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{method} {path} as {self.login}: {answer.status_code} {answer.text}",
                request=answer.request,
                response=answer,
            )
        return answer.json() if answer.content else None

    def repo(self, name: str) -> dict[str, Any]:
        """The repository as GitHub's JSON, as it also stands in webhooks."""
        found: dict[str, Any] = self.call("GET", self._path(name))
        return found

    def create_repo(self, name: str, *, topics: Sequence[str] = ()) -> dict[str, Any]:
        """Create a repository with a README.md; sends `repository.created`, with topics also `edited`."""
        body = {"name": name, "private": False, "auto_init": True}
        created: dict[str, Any] = self.call("POST", f"/orgs/{self._org}/repos", body)
        return self.edit_repo(name, topics=list(topics)) if topics else created

    def edit_repo(self, name: str, /, **fields: object) -> dict[str, Any]:
        """Change fields such as `archived`, `name`, `topics`; sends `repository.edited` for each of them."""
        edited: dict[str, Any] = self.call("PATCH", self._path(name), fields)
        return edited

    def create_branch(self, repo: str, branch: str, base: str | None = None) -> str:
        """Branch off the head of `base`, by default of the default branch; returns its commit."""
        sha = self.head(repo, base)
        self.call("POST", self._path(repo, "git/refs"), {"ref": f"refs/heads/{branch}", "sha": sha})
        return sha

    def head(self, repo: str, branch: str | None = None) -> str:
        """The commit that a branch points to."""
        branch = branch or self.repo(repo)["default_branch"]
        sha: str = self.call("GET", self._path(repo, f"branches/{branch}"))["commit"]["sha"]
        return sha

    def write_file(
        self,
        repo: str,
        path: str,
        content: str | bytes,
        *,
        branch: str | None = None,
        when: datetime | None = None,
    ) -> str:
        """Commit one file to a branch, dated `when`; sends `push`, and returns the commit."""
        data = content.encode() if isinstance(content, str) else content
        body: dict[str, object] = {
            "message": f"Write {path}",
            "content": base64.b64encode(data).decode("ascii"),
        }
        body |= self._commit_fields(repo, path, branch, when)
        sha: str = self.call("PUT", self._path(repo, f"contents/{path}"), body)["commit"]["sha"]
        return sha

    def delete_file(self, repo: str, path: str, *, branch: str | None = None) -> str:
        """Commit the deletion of one file; sends `push`, and returns the commit."""
        body: dict[str, object] = {"message": f"Delete {path}"} | self._commit_fields(
            repo, path, branch, None
        )
        sha: str = self.call("DELETE", self._path(repo, f"contents/{path}"), body)["commit"]["sha"]
        return sha

    def open_pull(self, repo: str, head: str, title: str, *, base: str | None = None) -> Pull:
        """Open a pull request; sends `pull_request.opened`. Its head commit never moves afterwards."""
        base = base or self.repo(repo)["default_branch"]
        fields = {"title": title, "head": head, "base": base, "body": ""}
        return _pull(self.call("POST", self._path(repo, "pulls"), fields))

    def pull(self, repo: str, number: int) -> Pull:
        """One pull request."""
        return _pull(self.call("GET", self._path(repo, f"pulls/{number}")))

    def merge_pull(self, repo: str, number: int) -> str:
        """Merge; sends `pull_request.closed` but no `push`, and returns the merge commit."""
        sha: str = self.call("PUT", self._path(repo, f"pulls/{number}/merge"), {})["sha"]
        return sha

    def review(self, repo: str, number: int, event: str = "APPROVE", body: str = "") -> None:
        """Submit a review: APPROVE, REQUEST_CHANGES or COMMENT."""
        self.call("POST", self._path(repo, f"pulls/{number}/reviews"), {"event": event, "body": body})

    def check_runs(self, repo: str, sha: str, *, name: str | None = None) -> list[CheckRun]:
        """Every check run of a commit, newest first, also those that a later one of that name replaced."""
        query = {"filter": "all"} | ({"check_name": name} if name else {})
        runs = self.call("GET", self._path(repo, f"commits/{sha}/check-runs"), **query)["check_runs"]
        return [_check_run(run) for run in runs]

    def annotations(self, repo: str, check_run: int) -> list[Annotation]:
        """The annotations of a check run, at most the first hundred."""
        path = self._path(repo, f"check-runs/{check_run}/annotations")
        found = self.call("GET", path, per_page=100)["check_annotations"]
        return [
            Annotation(
                one["path"], one["start_line"], one["end_line"], one["annotation_level"], one["message"]
            )
            for one in found
        ]

    def rerequest_check_run(self, repo: str, check_run: int) -> None:
        """Press "Re-run"; the emulator resets the run and sends `check_run.rerequested`."""
        self.call("POST", self._path(repo, f"check-runs/{check_run}/rerequest"))

    def rerequest_check_suite(self, repo: str, check_suite: int) -> None:
        """Press "Re-run all checks"; resets the runs and sends `check_suite.rerequested`."""
        self.call("POST", self._path(repo, f"check-suites/{check_suite}/rerequest"))

    def issues(self, repo: str, *, label: str | None = None) -> list[Issue]:
        """The issues, at most the first hundred."""
        query: dict[str, str | int] = {"state": "all", "per_page": 100}
        if label:
            query["labels"] = label
        return [_issue(one) for one in self.call("GET", self._path(repo, "issues"), **query)]

    def edit_issue(self, repo: str, number: int, /, **fields: object) -> Issue:
        """Change `state`, `title`, `body`, `labels`, `assignees`."""
        return _issue(self.call("PATCH", self._path(repo, f"issues/{number}"), fields))

    def comment(self, repo: str, number: int, body: str) -> dict[str, Any]:
        """Comment on an issue or a pull request; returns the comment as GitHub's JSON."""
        path = self._path(repo, f"issues/{number}/comments")
        comment: dict[str, Any] = self.call("POST", path, {"body": body})
        return comment

    def comments(self, repo: str, number: int) -> list[str]:
        """The texts of the comments, oldest first, at most the first hundred."""
        path = self._path(repo, f"issues/{number}/comments")
        return [str(one["body"]) for one in self.call("GET", path, per_page=100)]

    def _path(self, repo: str, rest: str = "") -> str:
        return f"/repos/{self._org}/{repo}/{rest}".rstrip("/")

    def _commit_fields(
        self, repo: str, path: str, branch: str | None, when: datetime | None
    ) -> dict[str, object]:
        fields: dict[str, object] = {"branch": branch} if branch else {}
        if when is not None:
            date = when.astimezone(UTC).isoformat().replace("+00:00", "Z")
            email = f"{self.login}@users.noreply.github.com"
            fields["author"] = fields["committer"] = {"name": self.login, "email": email, "date": date}
        query = {"ref": branch} if branch else {}
        present = self._http.get(self._path(repo, f"contents/{path}"), params=query)
        if present.status_code != _NOT_FOUND:
            fields["sha"] = present.raise_for_status().json()["sha"]
        return fields


def _pull(raw: dict[str, Any]) -> Pull:
    head = raw["head"]
    return Pull(raw["number"], head["sha"], head["ref"], raw["state"], raw["merged"], raw["html_url"])


def _check_run(raw: dict[str, Any]) -> CheckRun:
    output = raw["output"]
    return CheckRun(
        id=raw["id"],
        suite_id=raw["check_suite"]["id"],
        name=raw["name"],
        head_sha=raw["head_sha"],
        status=raw["status"],
        conclusion=raw["conclusion"],
        title=output["title"] or "",
        summary=output["summary"] or "",
        text=output["text"] or "",
        external_id=raw["external_id"] or "",
        annotations_count=output["annotations_count"],
        url=raw["html_url"],
    )


def _issue(raw: dict[str, Any]) -> Issue:
    return Issue(
        number=raw["number"],
        title=raw["title"],
        body=raw["body"] or "",
        state=raw["state"],
        author=raw["user"]["login"],
        labels=tuple(label["name"] for label in raw["labels"]),
        assignees=tuple(user["login"] for user in raw["assignees"]),
        url=raw["html_url"],
    )
