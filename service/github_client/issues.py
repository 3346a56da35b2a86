"""Issues: found, read, opened and edited."""

from __future__ import annotations

import re

from github import GithubException
from github.GithubObject import NotSet
from github.Issue import Issue as GithubIssue
from github.NamedUser import NamedUser
from github.Repository import Repository as GithubRepository

from service.github_client.connection import Connection
from service.github_client.errors import UNPROCESSABLE
from service.github_client.transport import MovedError
from service.ports import GitHubError
from service.rules.values.github import APP_USER, Issue, IssueState, RepositoryRef, is_bot

ISSUE_ADDRESS = re.compile(r"/issues/[0-9]+$")


class Issues(Connection):
    """Reads and writes issues."""

    def find_issue(self, repository: RepositoryRef, label: str, marker: str) -> Issue | None:
        """Find our issue by label and marker, in whatever state it is."""

        def find(repo: GithubRepository) -> Issue | None:
            for issue in repo.get_issues(state="all", labels=[label]):
                # A person can write the marker too, and what people wrote is not ours to edit.
                # Asking for `pull_request` costs a call where the list left it out, so it is asked last.
                author: NamedUser | None = issue.user
                is_app = author is not None and author.type == APP_USER
                if is_app and (issue.body or "").startswith(marker) and issue.pull_request is None:
                    return _issue(issue)
            return None

        return self._repo(repository, f"looking for our issue in {repository.full_name}", find)

    def issue(self, repository: RepositoryRef, number: int) -> Issue:
        """Read an issue; one that is not there any more is `gone`, one that was transferred is followed."""
        what = f"reading issue #{number} of {repository.full_name}"
        try:
            return self._repo(repository, what, lambda repo: _issue(repo.get_issue(number)))
        except GitHubError as error:
            moved = error.__cause__
            if not isinstance(moved, MovedError) or ISSUE_ADDRESS.search(moved.location) is None:
                raise
            with self._translated(what):
                _, raw = self._client.requester.requestJsonAndCheck("GET", moved.location)
                return _issue(self._client.create_from_raw_data(GithubIssue, raw))

    def open_issue(
        self, repository: RepositoryRef, title: str, body: str, label: str, assignee: str | None
    ) -> Issue:
        """Open an issue; an assignee whom GitHub does not accept is left out."""

        def create(repo: GithubRepository) -> Issue:
            try:
                assignees = [assignee] if assignee else []
                return _issue(repo.create_issue(title, body, labels=[label], assignees=assignees))
            except GithubException as error:
                if error.status != UNPROCESSABLE or assignee is None:
                    raise
                return _issue(repo.create_issue(title, body, labels=[label]))

        return self._repo(repository, f"opening an issue in {repository.full_name}", create)

    def edit_issue(
        self,
        repository: RepositoryRef,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        state: str | None = None,
        label: str | None = None,
        assign: str | None = None,
        unassign: str | None = None,
    ) -> None:
        """Change what is given of an issue; a label and an assignee are added, the others stay."""

        def edit(repo: GithubRepository) -> None:
            issue = repo.get_issue(number)
            if title is not None or body is not None or state is not None:
                issue.edit(
                    title=NotSet if title is None else title,
                    body=NotSet if body is None else body,
                    state=NotSet if state is None else state,
                )
            if label is not None:
                issue.add_to_labels(label)
            if unassign is not None:
                issue.remove_from_assignees(unassign)
            if assign is not None:
                _assign(issue, assign)

        self._repo(repository, f"editing issue #{number} of {repository.full_name}", edit)


def _assign(issue: GithubIssue, login: str) -> None:
    """Add an assignee; GitHub leaves out most of those who cannot be, and refuses the others."""
    try:
        issue.add_to_assignees(login)
    except GithubException as error:
        if error.status != UNPROCESSABLE:
            raise


def _issue(issue: GithubIssue) -> Issue:
    return Issue(
        number=issue.number,
        state=IssueState(issue.state),
        labels=tuple(label.name for label in issue.labels),
        body=issue.body or "",
        created_at=issue.created_at,
        html_url=issue.html_url,
        title=issue.title,
        closed_at=issue.closed_at,
        assignees=tuple(each.login for each in issue.assignees if not is_bot(each.login, each.type, each.id)),
        full_name=_full_name(issue),
    )


def _full_name(issue: GithubIssue) -> str:
    """The repository that an issue's page belongs to: `https://github.com/acme/x/issues/5`."""
    return "/".join(issue.html_url.split("/")[-4:-2])


class Comments(Connection):
    """Reads and writes comments."""

    def find_comment(self, repository: RepositoryRef, number: int, marker: str) -> int | None:
        """Find a comment of ours that may or may not have been posted."""

        def find(name: str) -> int | None:
            for comment in self._pages(f"/repos/{name}/issues/{number}/comments"):
                author = comment.get("user") or {}
                if (comment.get("body") or "").startswith(marker) and author.get("type") == APP_USER:
                    return int(comment["id"])
            return None

        return self._at(repository, f"looking for our comment on {repository.full_name}#{number}", find)

    def post_comment(self, repository: RepositoryRef, number: int, body: str) -> int:
        """Post a comment."""

        def post(name: str) -> int:
            return int(self._send("POST", f"/repos/{name}/issues/{number}/comments", {"body": body})["id"])

        return self._at(repository, f"commenting on {repository.full_name}#{number}", post)

    def react(self, repository: RepositoryRef, number: int, comment_id: int | None, content: str) -> None:
        """React to what somebody wrote; what is gone, or a server without reactions, needs none."""
        place = f"{number}" if comment_id is None else f"comments/{comment_id}"

        def react(name: str) -> None:
            self._send("POST", f"/repos/{name}/issues/{place}/reactions", {"content": content})

        what = f"reacting to {repository.full_name}#{number}"
        try:
            self._at(repository, what, react, gone_is_an_answer=True)
        except GitHubError as error:
            if not error.gone:
                raise
