"""Pull requests, and what became of the reviews on them."""

from __future__ import annotations

from collections.abc import Iterator

from github.NamedUser import NamedUser
from github.PullRequest import PullRequest as GithubPullRequest
from github.Repository import Repository as GithubRepository

from service.github_client.connection import Connection
from service.ports import GitHubError
from service.rules.values.github import PullRequest, RepositoryRef, is_bot

DISMISSED = "review_dismissed"


class PullRequests(Connection):
    """Reads pull requests."""

    def open_pull_requests(self, repository: RepositoryRef) -> Iterator[PullRequest]:
        """List the open pull requests, newest first."""
        what = f"listing the pull requests of {repository.full_name}"

        def listed(repo: GithubRepository) -> list[PullRequest]:
            return [_pull_request(repository.id, pull) for pull in repo.get_pulls(state="open")]

        return iter(self._repo(repository, what, listed))

    def pull_request(self, repository: RepositoryRef, number: int) -> PullRequest:
        """Read one pull request."""
        what = f"reading {repository.full_name}#{number}"
        pull = self._repo(repository, what, lambda repo: repo.get_pull(number))
        return _pull_request(repository.id, pull)

    def head_branch(self, repository: RepositoryRef, number: int) -> str | None:
        """Ask for the pull request: its branch may be in a fork, and a fork may be deleted."""

        def read(repo: GithubRepository) -> str | None:
            head = repo.get_pull(number).head
            place: GithubRepository | None = head.repo  # nothing where a fork was deleted
            return head.ref if place is not None and place.id == repository.id else None

        return self._repo(repository, f"reading {repository.full_name}#{number}", read)

    def dismissed_by_push(self, repository: RepositoryRef, number: int, review_id: int) -> bool:
        """Look for the commit that a review was dismissed by; GitHub names none where a person did it."""

        def look(name: str) -> bool:
            for event in self._pages(f"/repos/{name}/issues/{number}/events"):
                review = event.get("dismissed_review") or {}
                if event.get("event") == DISMISSED and review.get("review_id") == review_id:
                    return bool(review.get("dismissal_commit_id"))
            return False

        what = f"reading the events of {repository.full_name}#{number}"
        try:
            return self._at(repository, what, look, gone_is_an_answer=True)
        except GitHubError as error:
            if not error.gone:
                raise
            return False


class ReviewersClient(Connection):
    """Asks for reviews with a token that is for nothing else."""

    def ask(self, repository: RepositoryRef, number: int, login: str) -> None:
        """Ask one person: of several GitHub refuses all for the sake of one."""
        what = f"asking {login} for a review of {repository.full_name}#{number}"
        path = f"pulls/{number}/requested_reviewers"
        self._at(
            repository, what, lambda name: self._send("POST", f"/repos/{name}/{path}", {"reviewers": [login]})
        )


def _pull_request(repository_id: int, pull: GithubPullRequest) -> PullRequest:
    author: NamedUser | None = pull.user  # nobody where the account was deleted
    return PullRequest(
        repository_id=repository_id,
        number=pull.number,
        head_sha=pull.head.sha,
        base_ref=pull.base.ref,
        base_sha=pull.base.sha,
        author=author.login if author else "",
        state="merged" if pull.merged_at else pull.state,
        updated_at=pull.updated_at or pull.created_at,
        behind=next((each.login for each in (author, *pull.assignees) if each and not _is_bot(each)), ""),
    )


def _is_bot(account: NamedUser) -> bool:
    return is_bot(account.login, account.type, account.id)
