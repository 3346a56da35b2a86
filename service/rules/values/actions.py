"""Wanted versus posted: the writes between the two, as values.

Over 300 lines, for the writes are one closed union.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from service.rules.values.github import RepositoryRef
from service.rules.values.subjects import PocId

CHARTER_CHECK = "POC charter"
"""The frozen name of the check run; rulesets require it by this name."""

GATE_CHECK = "POC ship gate"
"""The frozen name of the check run that says what is missing for shipping."""

PULL_REQUEST = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands in a text for the number of a pull request that is not open yet."""

POLICY_CHECK = "POC policy"
"""The check run on pull requests that change the organisation's policy; no ruleset needs it."""

STALL_LABEL = "poc-stalled"
STALL_MARKER = "<!-- poc-governor:stall -->"
STALL_OPENING = re.compile(
    rf"^{re.escape(STALL_MARKER)}\r?\n<!-- poc-governor:repository ([0-9]{{1,18}}) -->", re.MULTILINE
)


def stall_opening(repository_id: int) -> str:
    """How the body of a POC's stall issue begins: in the central repository there are many."""
    return f"{STALL_MARKER}\n<!-- poc-governor:repository {repository_id} -->"


def poc_told_by(body: str) -> int | None:
    """The POC that the body of a stall issue names; people may have written above our block."""
    named = STALL_OPENING.search(body)
    return int(named[1]) if named else None


class Conclusion(StrEnum):
    """The conclusions of a check run that we use."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    ACTION_REQUIRED = "action_required"


HOLDING = frozenset({Conclusion.FAILURE, Conclusion.ACTION_REQUIRED})
"""Conclusions that hold something up."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation on a line of a file; columns count from 1 and are optional."""

    path: str
    start_line: int
    end_line: int
    level: str
    message: str
    title: str
    start_column: int | None = None


@dataclass(frozen=True, slots=True)
class CheckRunOutput:
    """A completed check run as people will read it."""

    conclusion: Conclusion
    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()
    footnote: str = ""
    """Goes below the summary, and isn't part of the verdict: another one needs no write."""
    would: Conclusion | None = None
    """What it would be where things are held up; no part of the verdict either."""
    rules: tuple[str, ...] = ()
    """What holds it up there."""

    @property
    def digest(self) -> str:
        """Names this verdict: the same digest is the same text, and needs no write."""
        verdict = asdict(self)
        for unsaid in ("footnote", "would", "rules"):
            del verdict[unsaid]
        return hashlib.sha256(json.dumps(verdict, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PostedCheckRun:
    """The newest check run of ours on a commit: its row, its id on GitHub once known, what it said."""

    row_id: int
    external_id: str
    digest: str
    github_id: int | None
    title: str = ""


@dataclass(frozen=True, slots=True)
class CreateCheckRun:
    """Post a new check run."""

    needs: ClassVar[str] = "checks"
    repository: RepositoryRef
    head_sha: str
    name: str
    output: CheckRunOutput

    def __str__(self) -> str:
        return f"post {self.name}: {self.output.conclusion}, {self.output.title!r} on {self.head_sha[:7]}"


@dataclass(frozen=True, slots=True)
class CompleteCheckRun:
    """Complete the posted check run again, because somebody asked for it."""

    needs: ClassVar[str] = "checks"
    repository: RepositoryRef
    check_run_id: int
    output: CheckRunOutput

    def __str__(self) -> str:
        return f"complete check run {self.check_run_id} again: {self.output.conclusion}"


@dataclass(frozen=True, slots=True)
class EscalationRecord:
    """How far the escalation of a stall issue is when a write is done; see `StallIssue`."""

    episode: int
    rung: int
    reopened: bool


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """Open the stall issue of a POC, in `repository`: its own, or the central one."""

    needs: ClassVar[str] = "issues"
    repository: RepositoryRef
    poc_id: PocId
    repository_id: int
    """The POC's own."""
    title: str
    body: str
    assignee: str | None
    day: date
    """The day whose number of new issues it counts towards."""
    most: int
    """How many an organisation may get on one day."""
    escalation: EscalationRecord

    def __str__(self) -> str:
        return f"open issue {self.title!r}" + (f" for {self.assignee}" if self.assignee else "")


@dataclass(frozen=True, slots=True)
class EditIssue:
    """Change the stall issue in place; what is None stays.

    `body` is our block: what people wrote around it is kept. `assign` gets it instead of `unassign`.
    """

    needs: ClassVar[str] = "issues"
    repository: RepositoryRef
    poc_id: PocId
    number: int
    escalation: EscalationRecord
    title: str | None = None
    body: str | None = None
    state: str | None = None
    label: str | None = None
    assign: str | None = None
    unassign: str | None = None

    @property
    def changes_nothing(self) -> bool:
        """Whether there is nothing to write."""
        return not any((self.title, self.body, self.state, self.label, self.assign, self.unassign))

    def __str__(self) -> str:
        what = {"closed": "close", "open": "reopen"}.get(self.state or "", "edit")
        return f"{what} issue #{self.number}"


@dataclass(frozen=True, slots=True)
class PostComment:
    """Say something once on an issue or a pull request; `key` names it among all that was ever said."""

    needs: ClassVar[str] = "issues"
    repository: RepositoryRef
    number: int
    key: str
    body: str

    def __str__(self) -> str:
        return f"comment on #{self.number} ({self.key})"


@dataclass(frozen=True, slots=True)
class Offer:
    """A pull request to open; `line` is said where GitHub does not take it."""

    repository: RepositoryRef
    proposal: Proposal
    said: Mapping[ProposalState, str]
    """What is said of it in each state, with `PULL_REQUEST` in place of its number."""
    line: str


@dataclass(frozen=True, slots=True)
class Propose:
    """Open pull requests, then say once what came of them, as `PostComment` does."""

    needs: ClassVar[str] = "issues"
    """Opening them needs more: where that is missing, their lines are said."""
    repository: RepositoryRef
    number: int
    key: str
    said: tuple[str | Offer, ...]

    def __str__(self) -> str:
        branches = [offer.proposal.branch for offer in self.said if isinstance(offer, Offer)]
        return f"open {', '.join(branches)} and comment on #{self.number} ({self.key})"


@dataclass(frozen=True, slots=True)
class AskReviewer:
    """Ask somebody who signs for a review, once on a pull request."""

    needs: ClassVar[str] = ""
    """It is decided only where `pull_requests: write` was granted."""
    repository: RepositoryRef
    number: int
    login: str

    @property
    def key(self) -> str:
        """Names it among all that was ever said."""
        return f"reviewer:{self.number}:{self.login.lower()}"

    def __str__(self) -> str:
        return f"ask {self.login} for a review of #{self.number}"


@dataclass(frozen=True, slots=True)
class React:
    """Acknowledge a comment, or a pull request's description, with a reaction."""

    needs: ClassVar[str] = "issues"
    repository: RepositoryRef
    number: int
    comment_id: int | None
    """None for the description."""
    content: str

    def __str__(self) -> str:
        what = f"#{self.number}" if self.comment_id is None else f"comment {self.comment_id}"
        return f"react to {what} with {self.content}"


@dataclass(frozen=True, slots=True)
class OpenNotice:
    """Open an issue that says one thing, once; `key` names it among all that was ever said."""

    needs: ClassVar[str] = "issues"
    repository: RepositoryRef
    key: str
    title: str
    body: str
    label: str
    assignee: str | None
    then: str = ""
    """A subject that has more to say there, once it is open."""

    def __str__(self) -> str:
        return f"open issue {self.title!r} ({self.key})"


@dataclass(frozen=True, slots=True)
class Announce:
    """Send a message to where the service announces; `key` names it among all that was ever said."""

    needs: ClassVar[str] = ""
    """No right on GitHub."""
    key: str
    text: str

    def __str__(self) -> str:
        return f"announce {self.key}"


@dataclass(frozen=True, slots=True)
class AnswerDeployment:
    """Answer GitHub's deployment protection rule."""

    needs: ClassVar[str] = "deployments"
    repository: RepositoryRef
    run_id: int
    environment: str
    approved: bool
    comment: str

    def __str__(self) -> str:
        answer = "approve" if self.approved else "reject"
        return f"{answer} the deployment of run {self.run_id} to {self.environment}"


def text_digest(title: str, body: str) -> str:
    """Names a title with its body: an issue that has this digest needs no edit."""
    return hashlib.sha256(f"{title}\0{body}".encode()).hexdigest()


Action = (
    CreateCheckRun
    | CompleteCheckRun
    | OpenIssue
    | EditIssue
    | PostComment
    | Propose
    | AskReviewer
    | React
    | OpenNotice
    | AnswerDeployment
    | Announce
)


def plan_check_run(
    repository: RepositoryRef,
    head_sha: str,
    name: str,
    wanted: CheckRunOutput,
    posted: PostedCheckRun | None,
    *,
    rerun_requested: bool,
) -> tuple[Action, ...]:
    """Post a verdict that is new, repeat one that was asked for again, and otherwise write nothing."""
    if posted is None or posted.digest != wanted.digest or posted.github_id is None:
        return (CreateCheckRun(repository, head_sha, name, wanted),)
    if rerun_requested:
        return (CompleteCheckRun(repository, posted.github_id, wanted),)
    return ()


class ProposalState(StrEnum):
    """What became of a pull request of ours."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another text of the charter, and the pull request that brings it."""

    branch: str
    base: str
    blob_sha: str
    """Of the charter that it was made from: it takes the place of no other."""
    data: bytes
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """A pull request of ours as it is found."""

    number: int
    state: ProposalState
