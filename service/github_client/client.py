"""One installation's GitHub, as `ports.GitHub` asks for it. One client serves one job and one thread."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from github import Github, GithubException, UnknownObjectException
from github.GithubObject import NotSet
from github.Issue import Issue as GithubIssue
from github.PullRequest import PullRequest as GithubPullRequest
from github.Repository import Repository as GithubRepository

from service.github_client import surroundings
from service.github_client.errors import NO_COMMIT, translated
from service.github_client.transport import MovedError
from service.ports import GitHubError, RenamedError
from service.rules.charter.file import CHARTER_PATH, CharterFile, FileKind
from service.rules.facts import Issue, IssueState, PullRequest, Repository, RepositoryRef
from service.rules.plan import Annotation, CheckRunOutput
from service.rules.retry import FailureKind

T = TypeVar("T")

ANNOTATIONS_A_REQUEST = 50
LARGEST_FILE = 1024 * 1024
"""Bytes; GitHub's contents API gives no content beyond it either."""
UNAUTHORIZED = 401
UNPROCESSABLE = 422
STATUS = "completed"
APP_USER = "Bot"
"""The type of the user in whose name an app writes."""


class InstallationClient:
    """Reads and writes with one installation's token."""

    def __init__(self, client: Github, unauthorized: Callable[[], None]) -> None:
        self._client = client
        self._unauthorized = unauthorized

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def repository(self, repository_id: int) -> Repository:
        """Look a repository up by its id."""
        with self._translated(f"looking up repository {repository_id}"):
            found = self._client.get_repo(repository_id)
            found.complete()
            return _repository(found)

    def repositories(self) -> Iterator[Repository]:
        """List the installation's repositories, a hundred a call."""
        requester = self._client.requester
        page = 1
        while True:
            with self._translated("listing the installation's repositories"):
                _, data = requester.requestJsonAndCheck(
                    "GET", "/installation/repositories", parameters={"per_page": 100, "page": page}
                )
            for raw in data["repositories"]:
                yield _repository(self._client.create_from_raw_data(GithubRepository, raw))
            if page * 100 >= data["total_count"] or not data["repositories"]:
                return
            page += 1

    def charter_file(self, repository: RepositoryRef, ref: str) -> CharterFile:
        """What stands at the charter's path; a 404 is the answer that nothing does."""
        what = f"reading {CHARTER_PATH} of {repository.full_name} at {ref[:12]}"

        def read(name: str) -> CharterFile:
            try:
                _, data = self._client.requester.requestJsonAndCheck(
                    "GET", f"/repos/{name}/contents/{CHARTER_PATH}", parameters={"ref": ref}
                )
            except UnknownObjectException as error:
                if str(error.data.get("message", "")).startswith(NO_COMMIT):
                    raise
                return CharterFile(FileKind.ABSENT)
            return _charter_file(data)

        return self._at(repository, what, read, gone_is_an_answer=True)

    def merge_base(self, repository: RepositoryRef, base: str, head: str) -> str:
        """The commit at which `head` left `base`; one call, of which only that is used."""

        def compare(name: str) -> str:
            _, data = self._client.requester.requestJsonAndCheck(
                "GET", f"/repos/{name}/compare/{base}...{head}", parameters={"per_page": 1}
            )
            return str(data["merge_base_commit"]["sha"])

        return self._at(
            repository, f"comparing {base[:7]} with {head[:7]} in {repository.full_name}", compare
        )

    def permission(self, repository: RepositoryRef, login: str) -> str | None:
        """What a person may do; None where GitHub knows no such person."""
        what = f"asking what {login} may do in {repository.full_name}"
        try:
            return self._at(
                repository, what, lambda name: surroundings.permission(self._client.requester, name, login)
            )
        except RenamedError:
            raise
        except GitHubError as error:
            if not error.gone:
                raise
            return None

    def environments(self, repository: RepositoryRef) -> frozenset[str] | None:
        """List the environments; None where GitHub has no such list, or does not show it to us."""
        what = f"listing the environments of {repository.full_name}"
        try:
            return self._at(
                repository,
                what,
                lambda name: surroundings.environments(self._client.requester, name),
                gone_is_an_answer=True,
            )
        except RenamedError:
            raise
        except GitHubError as error:
            if error.failure.kind not in (FailureKind.GONE, FailureKind.REFUSED):
                raise
            return None

    def existing_paths(self, repository: RepositoryRef, ref: str, paths: Sequence[str]) -> frozenset[str]:
        """Look paths up in the tree of a commit or branch."""
        what = f"reading the tree of {repository.full_name} at {ref[:12]}"
        return self._at(
            repository,
            what,
            lambda name: surroundings.existing_paths(self._client.requester, name, ref, paths),
        )

    def open_pull_requests(self, repository: RepositoryRef) -> Iterator[PullRequest]:
        """List the open pull requests, newest first."""
        pulls = self._repo(
            repository,
            f"listing the pull requests of {repository.full_name}",
            lambda repo: list(repo.get_pulls(state="open")),
        )
        return (_pull_request(repository.id, pull) for pull in pulls)

    def last_commit_by(self, repository: RepositoryRef, login: str, since: datetime) -> datetime | None:
        """When somebody last committed to the default branch; None if not since then."""

        def newest(name: str) -> datetime | None:
            _, data = self._client.requester.requestJsonAndCheck(
                "GET",
                f"/repos/{name}/commits",
                parameters={"author": login, "since": since.astimezone(UTC).isoformat(), "per_page": 1},
            )
            dates = [datetime.fromisoformat(commit["commit"]["committer"]["date"]) for commit in data]
            return max(dates, default=None)

        return self._at(repository, f"reading the commits of {login} in {repository.full_name}", newest)

    def find_check_run(
        self, repository: RepositoryRef, head_sha: str, name: str, external_id: str
    ) -> int | None:
        """Find a check run of ours that may or may not have been created."""

        def find(full_name: str) -> int | None:
            _, data = self._client.requester.requestJsonAndCheck(
                "GET",
                f"/repos/{full_name}/commits/{head_sha}/check-runs",
                parameters={"check_name": name, "filter": "all", "per_page": 100},
            )
            runs = data["check_runs"]
            return next((run["id"] for run in runs if run["external_id"] == external_id), None)

        return self._at(repository, f"looking for {name} on {head_sha[:7]} of {repository.full_name}", find)

    def create_check_run(
        self, repository: RepositoryRef, head_sha: str, name: str, external_id: str, output: CheckRunOutput
    ) -> int:
        """Post a completed check run, with the annotations that one request takes."""
        first = output.annotations[:ANNOTATIONS_A_REQUEST]
        what = f"posting {name} on {head_sha[:7]} of {repository.full_name}"

        def create(repo: GithubRepository) -> int:
            run = repo.create_check_run(
                name,
                head_sha,
                external_id=external_id,
                status=STATUS,
                conclusion=output.conclusion,
                completed_at=datetime.now(UTC),
                output=_output(output, first),
            )
            return run.id

        return self._repo(repository, what, create)

    def complete_check_run(
        self, repository: RepositoryRef, check_run_id: int, output: CheckRunOutput
    ) -> None:
        """Complete a run again, as its "Re-run" button asks; without annotations."""

        def complete(repo: GithubRepository) -> None:
            repo.get_check_run(check_run_id).edit(
                status=STATUS,
                conclusion=output.conclusion,
                completed_at=datetime.now(UTC),
                output=_output(output, ()),
            )

        self._repo(repository, f"completing check run {check_run_id} of {repository.full_name}", complete)

    def find_issue(self, repository: RepositoryRef, label: str, marker: str) -> Issue | None:
        """Find our issue by label and marker, in whatever state it is."""

        def find(repo: GithubRepository) -> Issue | None:
            for issue in repo.get_issues(state="all", labels=[label]):
                # A person can write the marker too, and what people wrote is not ours to edit.
                # Asking for `pull_request` costs a call where the list left it out, so it is asked last.
                marked = (issue.body or "").startswith(marker) and issue.user.type == APP_USER
                if marked and issue.pull_request is None:
                    return _issue(issue)
            return None

        return self._repo(repository, f"looking for our issue in {repository.full_name}", find)

    def issue(self, repository: RepositoryRef, number: int) -> Issue:
        """Read an issue; one that is not there any more is `gone`, and so is one that moved."""
        what = f"reading issue #{number} of {repository.full_name}"
        return self._repo(repository, what, lambda repo: _issue(repo.get_issue(number)))

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
    ) -> None:
        """Change what is given of an issue; a label is added, the others stay."""

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

        self._repo(repository, f"editing issue #{number} of {repository.full_name}", edit)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            with translated(what):
                yield
        except GitHubError as error:
            if getattr(error.__cause__, "status", None) == UNAUTHORIZED:
                self._unauthorized()
            raise

    def _repo(self, repository: RepositoryRef, what: str, call: Callable[[GithubRepository], T]) -> T:
        return self._at(repository, what, lambda name: call(self._client.get_repo(name)))

    def _at(
        self,
        repository: RepositoryRef,
        what: str,
        call: Callable[[str], T],
        *,
        gone_is_an_answer: bool = False,
    ) -> T:
        """Call with the repository's name; a redirect or a 404 looks the name up by id.

        Raises `RenamedError` where it has another: what was read under the old one may be somebody else's.
        """
        try:
            with self._translated(what):
                return call(repository.full_name)
        except GitHubError as error:
            moved = isinstance(error.__cause__, MovedError)
            if not moved and (not error.gone or gone_is_an_answer):
                raise
            found = self.repository(repository.id)
            if found.full_name == repository.full_name:
                raise
            raise RenamedError(found) from error


def _output(output: CheckRunOutput, annotations: tuple[Annotation, ...]) -> dict[str, Any]:
    return {
        "title": output.title,
        "summary": output.summary,
        "annotations": [_annotation(annotation) for annotation in annotations],
    }


def _annotation(annotation: Annotation) -> dict[str, str | int]:
    raw: dict[str, str | int] = {
        "path": annotation.path,
        "start_line": annotation.start_line,
        "end_line": annotation.end_line,
        "annotation_level": annotation.level,
        "message": annotation.message,
        "title": annotation.title,
    }
    if annotation.start_column is not None and annotation.start_line == annotation.end_line:
        raw |= {"start_column": annotation.start_column, "end_column": annotation.start_column}
    return raw


def _repository(repo: GithubRepository) -> Repository:
    return Repository(
        id=repo.id,
        full_name=repo.full_name,
        default_branch=repo.default_branch,
        private=repo.private,
        archived=repo.archived,
        fork=repo.fork,
        is_template=bool(repo.is_template),
        has_issues=repo.has_issues,
        topics=tuple(repo.topics or ()),
        pushed_at=repo.pushed_at,
        updated_at=repo.updated_at,
    )


def _pull_request(repository_id: int, pull: GithubPullRequest) -> PullRequest:
    return PullRequest(
        repository_id=repository_id,
        number=pull.number,
        head_sha=pull.head.sha,
        base_ref=pull.base.ref,
        base_sha=pull.base.sha,
        author=pull.user.login,
        state=pull.state,
        updated_at=pull.updated_at or pull.created_at,
    )


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
    )


def _charter_file(data: Any) -> CharterFile:  # noqa: ANN401 (JSON)
    """Tell what the contents API answered: a list is a directory, and the rest says its type."""
    if isinstance(data, list):
        return CharterFile(FileKind.DIRECTORY)
    kind, size, sha = data["type"], data.get("size"), data.get("sha")
    if kind != "file":
        return CharterFile({"symlink": FileKind.SYMLINK}.get(kind, FileKind.SUBMODULE), None, sha, size)
    if data.get("encoding") != "base64" or (size or 0) > LARGEST_FILE:
        return CharterFile(FileKind.TOO_LARGE, None, sha, size)
    return CharterFile(FileKind.FILE, base64.b64decode(data["content"]), sha, size)
