"""Comments on issues and pull requests, and reactions to them."""

from __future__ import annotations

from service.github_client.connection import APP_USER, Connection
from service.ports import GitHubError
from service.rules.facts import RepositoryRef


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
            return int(self._post(f"/repos/{name}/issues/{number}/comments", {"body": body})["id"])

        return self._at(repository, f"commenting on {repository.full_name}#{number}", post)

    def react(self, repository: RepositoryRef, comment_id: int, content: str) -> None:
        """React to a comment; one that is gone, or a server without reactions, needs none."""

        def react(name: str) -> None:
            self._post(f"/repos/{name}/issues/comments/{comment_id}/reactions", {"content": content})

        what = f"reacting to comment {comment_id} of {repository.full_name}"
        try:
            self._at(repository, what, react, gone_is_an_answer=True)
        except GitHubError as error:
            if not error.gone:
                raise
