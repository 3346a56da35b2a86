"""What the rest of the service needs from GitHub, as seen by one installation.

Over 300 lines: each question has its answer described, and what it means where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.rules.queue import Calls, DeliveryAttempt, Failure, FailureKind
from service.rules.source.text import CharterFile
from service.rules.values.actions import CheckRunOutput, Proposal, Proposed
from service.rules.values.activity import Activity
from service.rules.values.github import Commit, Installation, Issue, PullRequest, Repository, RepositoryRef

LARGEST_BLOB = 5 * 1024 * 1024
"""Bytes of a file of evidence that are read."""


class GitHubError(Exception):
    """A call that failed, with what is to be done about it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure

    @property
    def gone(self) -> bool:
        """Whether the thing asked for does not exist, or not for us."""
        return self.failure.kind is FailureKind.GONE

    @property
    def not_shown(self) -> bool:
        """Whether GitHub doesn't show the thing asked for, now at least."""
        return self.failure.kind in (FailureKind.GONE, FailureKind.UNSEEN)

    @property
    def final(self) -> bool:
        """Whether trying again would get the same answer."""
        return self.failure.kind in (FailureKind.GONE, FailureKind.REFUSED)


class RenamedError(GitHubError):
    """The repository has another name by now, so what was read under the old one does not count."""

    def __init__(self, repository: Repository) -> None:
        message = f"repository {repository.id} is called {repository.full_name} now"
        super().__init__(Failure(FailureKind.TRANSIENT, message))
        self.repository = repository


@dataclass(frozen=True, slots=True)
class Beginnings:
    """What there is to be read of a repository that turns out to be a POC."""

    activities: tuple[Activity, ...]
    """What people did lately: a bounded part of it, in no order."""
    open_pull_requests: tuple[PullRequest, ...] | None
    """None where there are too many for one answer."""


class GitHub(Protocol):
    """Reading and writing GitHub with one installation's rights; every method may raise `GitHubError`."""

    def close(self) -> None:
        """Close the connections."""
        ...

    def calls_left(self) -> Calls | None:
        """What the newest answer said of the rate limit; None where none said anything."""
        ...

    def repository(self, repository_id: int) -> Repository:
        """Look a repository up by its id, whatever it is called now."""
        ...

    def repositories(self) -> Iterator[Repository]:
        """Every repository of the installation, a hundred a call."""
        ...

    def property_values(self, account: str) -> Iterator[tuple[int, Mapping[str, tuple[str, ...]]]]:
        """The custom properties of an organisation's repositories, by id, a hundred a call."""
        ...

    def charter_file(self, repository: RepositoryRef, ref: str) -> CharterFile:
        """What stands at the charter's path at a commit or branch; absence is an answer, no error."""
        ...

    def charter_files(self, repositories: Sequence[RepositoryRef]) -> Mapping[int, CharterFile]:
        """What stands at the charter's path of default branches, by the repositories' ids.

        Many are asked for in one call. One about which that tells too little is left out, and so may all be:
        only `charter_file` follows a link, which is shown as a file that holds a path.
        """
        ...

    def merge_base(self, repository: RepositoryRef, base: str, head: str) -> str:
        """The commit at which `head` left `base`."""
        ...

    def ahead(self, repository: RepositoryRef, base: str, head: str) -> tuple[str, int]:
        """The commit at which `head` left `base`, and how many commits it has since then."""
        ...

    def permission(self, repository: RepositoryRef, login: str) -> str | None:
        """What a person may do: `admin`, `write`, `read` or `none`; None where there is no such person."""
        ...

    def belongs(self, repository: RepositoryRef, login: str) -> bool:
        """Whether a person is a collaborator of the repository, or a member of its organisation, now."""
        ...

    def account_ids(self, logins: Sequence[str]) -> Mapping[str, int]:
        """The accounts that logins are now; one that nobody has is left out."""
        ...

    def is_suspended(self, login: str) -> bool:
        """Whether an account was suspended, or is gone."""
        ...

    def is_team_member(self, organization: str, team: str, login: str) -> bool:
        """Whether somebody is a member of a team, which is named as in its address."""
        ...

    def is_owner(self, organization: str, login: str) -> bool:
        """Whether somebody is an owner of the organisation."""
        ...

    def environments(self, repository: RepositoryRef) -> frozenset[str] | None:
        """The names of the repository's environments; None where we are not told."""
        ...

    def existing_paths(self, repository: RepositoryRef, ref: str, paths: Sequence[str]) -> frozenset[str]:
        """Those of the paths at which something stands at a commit or branch."""
        ...

    def blob_shas(
        self, repository: RepositoryRef, commit_sha: str, paths: Sequence[str]
    ) -> Mapping[str, str | None]:
        """The blob at each of the paths in a commit's tree, in one call; None where no file stands."""
        ...

    def blob(self, repository: RepositoryRef, blob_sha: str) -> bytes | None:
        """The content of a blob; None where it is larger than `LARGEST_BLOB`."""
        ...

    def commit(self, repository: RepositoryRef, sha: str) -> Commit:
        """A commit's tree and parents."""
        ...

    def dismissed_by_push(self, repository: RepositoryRef, number: int, review_id: int) -> bool:
        """Whether a review was dismissed by new commits, and not by a person."""
        ...

    def open_pull_requests(self, repository: RepositoryRef) -> Iterator[PullRequest]:
        """The open pull requests of a repository."""
        ...

    def pull_request(self, repository: RepositoryRef, number: int) -> PullRequest:
        """Read one pull request, open or not; one that does not exist is gone."""
        ...

    def head_branch(self, repository: RepositoryRef, number: int) -> str | None:
        """The branch that a pull request would merge; None where it is in a fork, or is gone."""
        ...

    def last_commit_by(self, repository: RepositoryRef, login: str, since: datetime) -> datetime | None:
        """When `login` last committed to the default branch after `since`; None if not at all."""
        ...

    def history(self, repository: RepositoryRef, default_branch: str, since: datetime) -> Iterator[Activity]:
        """What people did since then: a bounded part of it, in no order, asked for while it is read."""
        ...

    def beginnings(
        self, repository: RepositoryRef, default_branch: str, since: datetime
    ) -> Beginnings | None:
        """The same and the open pull requests, in one call; None where GitHub doesn't tell it like that."""
        ...

    def requires_check(self, repository: RepositoryRef, branch: str, name: str) -> bool:
        """Whether a ruleset lets nothing onto a branch without that check run; no where we are not told."""
        ...

    def find_check_run(
        self, repository: RepositoryRef, head_sha: str, name: str, external_id: str
    ) -> int | None:
        """The id of our check run with that `external_id`; None if it was never created."""
        ...

    def create_check_run(
        self,
        repository: RepositoryRef,
        head_sha: str,
        name: str,
        external_id: str,
        output: CheckRunOutput,
        *,
        details_url: str,
    ) -> int:
        """Post a completed check run, with its first fifty annotations, and return its id.

        `details_url` is where GitHub's link "Details" leads to from our text.
        """
        ...

    def complete_check_run(
        self, repository: RepositoryRef, check_run_id: int, output: CheckRunOutput
    ) -> None:
        """Complete a posted check run again, without annotations: GitHub would append them."""
        ...

    def find_issue(self, repository: RepositoryRef, label: str, marker: str) -> Issue | None:
        """The issue of ours with that label whose body begins with the marker, in whatever state."""
        ...

    def issue(self, repository: RepositoryRef, number: int) -> Issue:
        """Read one issue; one that was deleted, or is switched off with the others, is gone.

        One that was transferred is shown where it stands now, by its `full_name` and `number`.
        """
        ...

    def open_issue(
        self, repository: RepositoryRef, title: str, body: str, label: str, assignee: str | None
    ) -> Issue:
        """Open a labelled issue; who cannot be assigned is left out."""
        ...

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
        """Change the given parts of an issue; a label and an assignee are added to those that it has.

        Who cannot be assigned is left out.
        """
        ...

    def find_comment(self, repository: RepositoryRef, number: int, marker: str) -> int | None:
        """The id of our comment on an issue or pull request that begins with the marker."""
        ...

    def post_comment(self, repository: RepositoryRef, number: int, body: str) -> int:
        """Comment on an issue or a pull request and return the comment's id."""
        ...

    def react(self, repository: RepositoryRef, number: int, comment_id: int | None, content: str) -> None:
        """Put a reaction on a comment, or on what an issue or pull request was opened with (None).

        One that is there already stays.
        """
        ...

    def answer_deployment(
        self, repository: RepositoryRef, run_id: int, environment: str, *, approved: bool, comment: str
    ) -> None:
        """Answer a deployment protection rule; one that waits no more is `gone`."""
        ...


class Proposals(Protocol):
    """Opening pull requests of our own, with a right that nothing else has; each may raise `GitHubError`."""

    def close(self) -> None:
        """Close the connections."""
        ...

    def find(self, repository: RepositoryRef, branch: str) -> Proposed | None:
        """The newest pull request of ours from a branch, in whatever state; None if there never was one."""
        ...

    def open(self, repository: RepositoryRef, proposal: Proposal) -> Proposed:
        """Write the branch and open its pull request; what is there already is used as it is.

        Refused where the charter is another by now than the one that it was made from.
        """
        ...


class Reviewers(Protocol):
    """Asking for reviews, with a right that the rest does without; each may raise `GitHubError`."""

    def close(self) -> None:
        """Close the connections."""
        ...

    def ask(self, repository: RepositoryRef, number: int, login: str) -> None:
        """Ask a person for a review of a pull request; refused where they may not review there."""
        ...


class Announcer(Protocol):
    """Where the service tells of a week what there is to tell, beside GitHub."""

    def announce(self, text: str) -> None:
        """Send a message at most once; `GitHubError` where it was not sent, and may be later."""
        ...


class GitHubApp(Protocol):
    """What the app may ask for in its own name, and how it comes to act for an installation."""

    def installation(self, installation: Installation) -> GitHub:
        """Act for one installation; a client of one job, not to be shared between threads."""
        ...

    def proposals(self, installation: Installation) -> Proposals | None:
        """Open pull requests for one installation; None where that was not granted."""
        ...

    def reviewers(self, installation: Installation) -> Reviewers | None:
        """Ask for reviews for one installation; None where that was not granted."""
        ...

    def describe(self, installation_id: int) -> Installation:
        """Ask for an installation's account, and for what was granted."""
        ...

    def installation_ids(self) -> list[int]:
        """The ids of all installations of the app."""
        ...

    def failed_deliveries(self, since: datetime) -> Iterator[DeliveryAttempt]:
        """GitHub's failed attempts to deliver to the app, newest first, as far back as `since`."""
        ...

    def redeliver(self, attempt_id: int) -> None:
        """Ask GitHub to send a delivery again."""
        ...

    def forget_token(self, installation_id: int) -> None:
        """Mint anew next time."""
        ...
