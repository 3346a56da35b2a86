"""What the rules may know of GitHub: frozen values in GitHub's words.

Over 300 lines: most files need several of these values, which are told in each other's words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import assert_never

APP_USER = "Bot"
"""The type of the user in whose name an app writes."""
PERSON = "User"
BOTS = frozenset({"dependabot", "renovate", "github-actions", "copilot", "copilot-swe-agent"})
"""What people call machines, and logins that GitHub gives to some of its own."""
BOT_IDS = frozenset({198982749, 175728472})
"""Copilot as the author of changes and as a reviewer."""
NO_REPLY = re.compile(r"(?:(?P<id>[0-9]+)\+)?(?P<login>[^\s<>@]+)@users\.noreply\.github\.com", re.IGNORECASE)
"""The address with which GitHub hides a person's own in commits."""
CO_AUTHOR = re.compile(rf"^co-authored-by:.*<{NO_REPLY.pattern}>\s*$", re.IGNORECASE | re.MULTILINE)


def is_bot(login: str, type: str = PERSON, id: int | None = None) -> bool:  # noqa: A002 - GitHub's words
    """Whether an account is a machine's, by all that is known of it: its name need not say so."""
    name = login.lower()
    return type != PERSON or id in BOT_IDS or name in BOTS or name.endswith(("[bot]", "-bot"))


def co_authors(message: str) -> tuple[str, ...]:
    """The people who are named as co-authors of a commit, by addresses that hold their logins."""
    named = ((match["login"], int(match["id"] or 0)) for match in CO_AUTHOR.finditer(message))
    return tuple(login for login, account in named if not is_bot(login, id=account))


@dataclass(frozen=True, slots=True)
class RepositoryRef:
    """A repository as it is addressed: its id lasts, its `owner/name` may change."""

    id: int
    full_name: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as GitHub describes it in its list and in payloads."""

    id: int
    full_name: str
    default_branch: str
    private: bool = False
    archived: bool = False
    fork: bool = False
    is_template: bool = False
    has_issues: bool = True
    topics: tuple[str, ...] = ()
    properties: Mapping[str, tuple[str, ...]] | None = None
    """Its custom properties, each with its values; None where GitHub did not say."""
    pushed_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def ref(self) -> RepositoryRef:
        """The part of it that addresses it."""
        return RepositoryRef(self.id, self.full_name)

    @property
    def name(self) -> str:
        """The name without its owner."""
        return self.full_name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as its last payload, or GitHub when it was asked, showed it."""

    repository_id: int
    number: int
    head_sha: str
    base_ref: str
    base_sha: str
    author: str
    """A login; empty where the account was deleted."""
    state: str
    """`open`, `closed`, or `merged`."""
    updated_at: datetime
    before_sha: str | None = None
    """The head that a `synchronize` payload replaced: it orders two payloads of one second."""
    behind: str = ""
    """The person who opened it, or who asked a bot to: the first one assigned; empty where there is none."""

    @property
    def as_judged(self) -> tuple[str, str, str, str]:
        """What a verdict on it depends on."""
        return self.state, self.head_sha, self.base_ref, self.base_sha


LEVELS = {"read": 1, "write": 2, "admin": 3}
"""The levels of a permission; one that isn't granted has none."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The app's installation on one account, and what was granted to it."""

    id: int
    account: str
    permissions: dict[str, str] = field(default_factory=dict)
    suspended_at: datetime | None = None

    def grew(self, since: Installation) -> bool:
        """Whether it may do more than before."""
        unsuspended = since.suspended_at is not None and self.suspended_at is None
        return unsuspended or any(
            LEVELS.get(level, 0) > LEVELS.get(since.permissions.get(name, ""), 0)
            for name, level in self.permissions.items()
        )


class IssueState(StrEnum):
    """An issue's state as GitHub names it, and `gone` for deleted or transferred."""

    OPEN = "open"
    CLOSED = "closed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue, with the fields that we use."""

    number: int
    state: IssueState
    labels: tuple[str, ...]
    body: str
    created_at: datetime
    html_url: str
    title: str = ""
    closed_at: datetime | None = None
    assignees: tuple[str, ...] = ()
    full_name: str = ""
    """The repository that it stands in: another than asked for where it was transferred."""


@dataclass(frozen=True, slots=True)
class StallIssue:
    """Our record of the one stall issue of a POC; `number` is unknown while it is being opened."""

    number: int | None
    state: IssueState
    digest: str
    opened_at: datetime | None
    """When it was last opened, reopened, or given to somebody else: a new episode begins then."""
    closed_by_us: bool
    labelled: bool = True
    home: RepositoryRef | None = None
    """Where it stands, if not in the POC's own repository."""
    episode: int = 1
    """How often it was opened for a stall that was new."""
    rung: int = 0
    """The highest step of the escalation in this episode."""
    reopened: bool = False
    """Whether it was reopened in this episode after a person had closed it; that is done once."""
    assignee: str | None = None
    """Whom it was given to last."""


class EventKind(StrEnum):
    """What a recorded event says happened."""

    ACCESS_GRANTED = "access-granted"
    """An installation was unsuspended, or an owner accepted permissions."""
    ACTIVITY = "activity"
    """A person did something that counts; `detail` is an `Activity`'s kind, number and `asked` as JSON."""
    CHARTER_PUSHED = "charter-pushed"
    """A push to the default branch named the charter, or was too large to say."""
    DEFAULT_PUSHED = "default-pushed"
    """The default branch moved to the commit that `detail` names."""
    FILES_PUSHED = "files-pushed"
    """Another branch was pushed to; `detail` is a `PushedFiles` as JSON."""
    RERUN_REQUESTED = "rerun-requested"
    """Somebody asked for our check run again."""
    ISSUE_CHANGED = "issue-changed"
    """Somebody closed, reopened, deleted, transferred or unlabelled an issue of ours."""
    REVIEWED = "reviewed"
    """Somebody approved a pull request, asked for changes, or commented; `detail` is a `Review` as JSON."""
    REVIEW_DISMISSED = "review-dismissed"
    """A review was dismissed, by somebody or by new commits; `detail` is its `Review` as JSON."""
    COMMANDED = "commanded"
    """A person wrote a line that begins with `/poc`; `detail` is a `CommandLine` as JSON."""
    REVIEW_REQUEST_REMOVED = "review-request-removed"
    """A review is not asked for any more, or not while its pull request is a draft; `detail` as above."""
    HEAD_MOVED = "head-moved"
    """A person opened or reopened a pull request, or moved its head, to the commit that `detail` names."""
    POLICY_PUSHED = "policy-pushed"
    """A push to the default branch of the organisation's `.github` repository; `detail` names the commit."""
    EVIDENCE_SENT = "evidence-sent"
    """A workflow run sent measured values; they stand in their own table."""
    DEPLOYMENT_REQUESTED = "deployment-requested"
    """GitHub asks whether a deployment may proceed; `detail` is a `DeploymentRequest` as JSON."""
    DEPLOYED = "deployed"
    """A deployment succeeded; `detail` is a `Deployed` as JSON."""


@dataclass(frozen=True, slots=True)
class PushedFiles:
    """The files that a push to a branch changed, by its newest commit."""

    sha: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A review of a pull request: `state` is `approved`, `changes_requested`, `commented` or `dismissed`."""

    id: int
    number: int
    login: str
    state: str
    commit_id: str
    account_id: int | None = None
    """The reviewer's account; a login may become another's."""


class SaidIn(StrEnum):
    """What a command may stand in."""

    COMMENT = "comment"
    REVIEW = "review"
    """The body of one."""
    DESCRIPTION = "description"
    """The text with which a pull request was opened."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A line that begins with `/poc`, and where it stands."""

    comment_id: int
    """Of the comment, or of the review; of a description the pull request's number."""
    number: int
    is_pull_request: bool
    text: str
    index: int = 0
    """Its place among the commands of the comment."""
    home: int | None = None
    """The repository in which it stands, where that is not the POC's own: the POC's stall issue is there."""
    said_in: SaidIn = SaidIn.COMMENT
    account_id: int | None = None
    """Of who wrote it."""

    @property
    def source(self) -> str:
        """What tells its text apart from every other in its repository."""
        return str(self.comment_id) if self.said_in is SaidIn.COMMENT else f"{self.said_in}-{self.comment_id}"

    @property
    def anchor(self) -> str:
        """Where on the page of its pull request or issue it stands."""
        match self.said_in:
            case SaidIn.COMMENT:
                return f"#issuecomment-{self.comment_id}"
            case SaidIn.REVIEW:
                return f"#pullrequestreview-{self.comment_id}"
            case SaidIn.DESCRIPTION:
                return ""
            case _:
                assert_never(self.said_in)


@dataclass(frozen=True, slots=True)
class DeploymentRequest:
    """A deployment that waits for our answer."""

    deployment_id: int
    run_id: int
    environment: str
    sha: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """A commit that was deployed to an environment."""

    deployment_id: int
    environment: str
    sha: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: the tree that it holds, the commits it was made of, and the people its author named."""

    sha: str
    tree_sha: str
    parents: tuple[str, ...]
    co_authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened once; `id` is its own, so that recording it twice is recording it once."""

    id: str
    subject: str
    kind: EventKind
    at: datetime
    actor: str = ""
    detail: str = ""
