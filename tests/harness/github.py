"""The suite's one fake of GitHub: repositories in memory, the calls it got, and failures on demand.

Over 300 lines: it answers every question of the ports.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from service.deliveries.delivery import person
from service.deliveries.payloads import Account
from service.ports import LARGEST_BLOB, Beginnings, GitHub, GitHubApp, GitHubError, Proposals, Reviewers
from service.rules.commands.parsing import may_ask_reviewers, may_propose
from service.rules.queue import Calls, DeliveryAttempt, Failure, FailureKind
from service.rules.source.text import CHARTER_PATH, CharterFile, FileKind
from service.rules.values.actions import CheckRunOutput, Proposal, ProposalState, Proposed
from service.rules.values.activity import Activity
from service.rules.values.github import (
    Commit,
    Installation,
    Issue,
    IssueState,
    PullRequest,
    Repository,
    RepositoryRef,
)

PAGE = 100
"""Repositories of one call, as GitHub's list has them."""
WRITES = frozenset(
    {
        "create_check_run",
        "complete_check_run",
        "ask_reviewer",
        "open_issue",
        "edit_issue",
        "post_comment",
        "react",
        "answer_deployment",
        "create_branch",
        "write_charter",
        "open_pull_request",
    }
)
PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "read",
    "actions": "read",
    "organization_custom_properties": "read",
    "members": "read",
    "checks": "write",
    "issues": "write",
    "deployments": "write",
}
ABSENT = CharterFile(FileKind.ABSENT)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the method of the port, and what it was about."""

    method: str
    about: tuple[object, ...] = ()
    at: datetime = field(default=NOW, compare=False)
    repository_id: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return " ".join([self.method, *map(str, self.about)])


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run as GitHub holds it; `completions` counts how often it was completed."""

    id: int
    head_sha: str
    name: str
    external_id: str
    output: CheckRunOutput
    details_url: str
    completions: int = 1


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as GitHub holds it; `ours` says whether an app wrote it."""

    id: int
    number: int
    body: str
    ours: bool = True
    at: datetime = field(default=NOW, compare=False)


@dataclass(frozen=True, slots=True)
class DeploymentAnswer:
    """What GitHub was answered about a deployment."""

    run_id: int
    environment: str
    approved: bool
    comment: str


@dataclass(frozen=True, slots=True)
class OurPull:
    """A pull request of ours as GitHub holds it."""

    number: int
    branch: str
    base: str
    title: str
    body: str
    state: ProposalState = ProposalState.OPEN


@dataclass(slots=True)
class FakeRepository:
    """A repository's state: what stands at the charter's path, by commit or branch, and all that we write."""

    described: Repository
    files: dict[str, CharterFile] = field(default_factory=dict)
    merge_bases: dict[tuple[str, str], str] = field(default_factory=dict)
    ahead: dict[tuple[str, str], int] = field(default_factory=dict)
    pull_requests: list[PullRequest] = field(default_factory=list)
    branches: dict[int, str | None] = field(default_factory=dict)
    """Whose head is not `work`, or lies in a fork (None)."""
    check_runs: list[CheckRun] = field(default_factory=list)
    issues: dict[int, Issue] = field(default_factory=dict)
    assignees: dict[int, str | None] = field(default_factory=dict)
    commits: dict[str, datetime] = field(default_factory=dict)
    """The newest commit on the default branch, by login."""
    permissions: dict[str, str | None] = field(default_factory=dict)
    """Who may not write, or is nobody (None)."""
    reviewers: set[tuple[int, str]] = field(default_factory=set)
    """Who was asked for a review, by the pull request."""
    strangers: set[str] = field(default_factory=set)
    """Who is neither a collaborator nor a member of the organisation."""
    properties: dict[str, tuple[str, ...]] = field(default_factory=dict)
    environments: frozenset[str] | None = None
    required: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The check runs that rulesets require, by branch."""
    missing: dict[str, frozenset[str]] = field(default_factory=dict)
    """Paths at which nothing stands, by commit or branch."""
    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """The files of commits beside the charter, by commit and path."""
    history: dict[str, Commit] = field(default_factory=dict)
    happened: list[Activity] = field(default_factory=list)
    """What people did before anybody told of it."""
    pushed_away: set[int] = field(default_factory=set)
    """The reviews that new commits dismissed."""
    comments: list[Comment] = field(default_factory=list)
    reactions: set[tuple[int, str]] = field(default_factory=set)
    answers: list[DeploymentAnswer] = field(default_factory=list)
    """Each deployment waits for one."""
    ours: list[OurPull] = field(default_factory=list)
    """The pull requests that we opened; their branches stand among `files`."""

    def write(self, text: str | bytes | None, *refs: str) -> CharterFile:
        """Let a charter stand at commits or branches; None takes it away."""
        file = charter_file(text)
        self.files |= dict.fromkeys(refs, file)
        return file

    def shows(self, pull: Mapping[str, Any]) -> None:
        """Let a pull request be as its event describes it."""
        shown = PullRequest(
            repository_id=self.described.id,
            number=pull["number"],
            head_sha=pull["head"]["sha"],
            base_ref=pull["base"]["ref"],
            base_sha=pull["base"]["sha"],
            author=pull["user"]["login"] if pull["user"] else "",
            state="merged" if pull["merged"] else pull["state"],
            updated_at=datetime.fromisoformat(pull["updated_at"]),
            behind=person(
                *(Account(each["login"]) for each in (pull["user"], *pull.get("assignees", ())) if each)
            ),
        )
        self.pull_requests = [each for each in self.pull_requests if each.number != shown.number] + [shown]

    def put(self, commit_sha: str, files: Mapping[str, str | bytes]) -> None:
        """Let files stand in a commit's tree."""
        data = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self.trees.setdefault(commit_sha, {}).update(data)

    def blobs(self, commit_sha: str) -> dict[str, bytes]:
        """Every file of a commit, by its path."""
        charter = self.files.get(commit_sha)
        first = {CHARTER_PATH: charter.data} if charter and charter.data is not None else {}
        return first | self.trees.get(commit_sha, {})


class Killed(BaseException):
    """The end of the process, as far as a look can tell."""


@dataclass(slots=True)
class _Planned:
    method: str | None
    failure: Failure
    done: bool
    after: int

    def meets(self, method: str) -> bool:
        """Whether this call fails; those before it pass."""
        if self.method not in (None, method):
            return False
        self.after -= 1
        return self.after < 0


class FakeGitHub:
    """`ports.GitHub` over repositories in memory."""

    def __init__(self, *repositories: Repository, now: datetime = NOW) -> None:
        self.repos = {repository.id: FakeRepository(repository) for repository in repositories}
        self.calls: list[Call] = []
        self.suspended: set[str] = set()
        self.teams: dict[str, set[str]] = {}
        """Members by `org/team`."""
        self.owners: set[str] = set()
        self.renamed: dict[str, int] = {}
        """Logins that are another account by now."""
        self.unassignable: set[str] = set()
        """Who cannot be given an issue; the adapter leaves them out."""
        self.has_graphql = True
        self.now = now
        self.closed = 0
        self.left: Calls | None = None
        self._planned: list[_Planned] = []
        self._last_id = 1000

    def add(self, repository: Repository) -> FakeRepository:
        """Let a repository exist."""
        return self.repos.setdefault(repository.id, FakeRepository(repository))

    def fail_next(
        self, failure: Failure, method: str | None = None, *, done: bool = False, after: int = 0
    ) -> None:
        """Let the next call (of a method), or one `after` so many, fail.

        `done` lets it take effect, and lose only the answer.
        """
        self._planned.append(_Planned(method, failure, done, after))

    def made(self, *methods: str) -> list[Call]:
        """The calls made so far, all or those of some methods."""
        return [call for call in self.calls if not methods or call.method in methods]

    @property
    def writes(self) -> list[Call]:
        """The calls that changed something."""
        return self.made(*WRITES)

    def forget_calls(self) -> None:
        """Count from here."""
        self.calls.clear()

    def close(self) -> None:
        """Count the clients that were closed."""
        self.closed += 1

    def calls_left(self) -> Calls | None:
        """What the tests say."""
        return self.left

    def repository(self, repository_id: int) -> Repository:
        lost = self._call("repository", repository_id)
        self._answered(lost)
        if repository_id not in self.repos:
            raise gone(f"looking up repository {repository_id}")
        return self.repos[repository_id].described

    def repositories(self) -> Iterator[Repository]:
        described = [repo.described for repo in self.repos.values()]
        for start in range(0, max(len(described), 1), PAGE):
            self._answered(self._call("repositories", start // PAGE + 1))
            yield from described[start : start + PAGE]

    def property_values(self, account: str) -> Iterator[tuple[int, Mapping[str, tuple[str, ...]]]]:
        lost = self._call("property_values", account)
        self._answered(lost)
        yield from ((repo.described.id, repo.properties) for repo in self.repos.values())

    def charter_file(self, repository: RepositoryRef, ref: str) -> CharterFile:
        lost = self._call("charter_file", ref)
        repo = self._repo(repository)
        self._answered(lost)
        return repo.files.get(ref, charter_file(None))

    def charter_files(self, repositories: Sequence[RepositoryRef]) -> Mapping[int, CharterFile]:
        lost = self._call("charter_files", len(repositories))
        self._answered(lost)
        names = {each.id: each.full_name for each in repositories} if self.has_graphql else {}
        shown = [
            each for each in self.repos.values() if names.get(each.described.id) == each.described.full_name
        ]
        found = {each.described.id: each.files.get(each.described.default_branch, ABSENT) for each in shown}
        # A submodule shows as nothing.
        told = {FileKind.FILE: None, FileKind.ABSENT: None, FileKind.SUBMODULE: ABSENT}
        return {key: told[file.kind] or file for key, file in found.items() if file.kind in told}

    def merge_base(self, repository: RepositoryRef, base: str, head: str) -> str:
        lost = self._call("merge_base", base, head)
        repo = self._repo(repository)
        self._answered(lost)
        if (base, head) not in repo.merge_bases:
            raise unseen(f"comparing {base} with {head}")
        return repo.merge_bases[base, head]

    def ahead(self, repository: RepositoryRef, base: str, head: str) -> tuple[str, int]:
        lost = self._call("ahead", base, head)
        repo = self._repo(repository)
        self._answered(lost)
        if (base, head) not in repo.ahead:
            raise unseen(f"comparing {base} with {head}")
        return base, repo.ahead[base, head]

    def permission(self, repository: RepositoryRef, login: str) -> str | None:
        lost = self._call("permission", login)
        permissions = self._repo(repository).permissions
        self._answered(lost)
        return permissions.get(login, "write")

    def belongs(self, repository: RepositoryRef, login: str) -> bool:
        lost = self._call("belongs", login)
        strangers = self._repo(repository).strangers
        self._answered(lost)
        return login not in strangers

    def account_ids(self, logins: Sequence[str]) -> Mapping[str, int]:
        lost = self._call("account_ids", *logins)
        self._answered(lost)
        return {login: account_id(login) + self.renamed.get(login, 0) for login in logins}

    def is_suspended(self, login: str) -> bool:
        lost = self._call("is_suspended", login)
        self._answered(lost)
        return login in self.suspended

    def is_team_member(self, organization: str, team: str, login: str) -> bool:
        self._answered(self._call("is_team_member", organization, team, login))
        return login in self.teams.get(f"{organization}/{team}", ())

    def is_owner(self, organization: str, login: str) -> bool:
        self._answered(self._call("is_owner", organization, login))
        return login in self.owners

    def environments(self, repository: RepositoryRef) -> frozenset[str] | None:
        lost = self._call("environments")
        environments = self._repo(repository).environments
        self._answered(lost)
        return environments

    def existing_paths(self, repository: RepositoryRef, ref: str, paths: Sequence[str]) -> frozenset[str]:
        lost = self._call("existing_paths", ref)
        missing = self._repo(repository).missing.get(ref, frozenset())
        self._answered(lost)
        return frozenset(paths) - missing

    def blob_shas(
        self, repository: RepositoryRef, commit_sha: str, paths: Sequence[str]
    ) -> Mapping[str, str | None]:
        lost = self._call("blob_shas", commit_sha)
        held = self._repo(repository).blobs(commit_sha)
        self._answered(lost)
        return {path: named(held[path]) if path in held else None for path in paths}

    def blob(self, repository: RepositoryRef, blob_sha: str) -> bytes | None:
        lost = self._call("blob", blob_sha)
        repo = self._repo(repository)
        self._answered(lost)
        for ref in {*repo.files, *repo.trees}:
            for data in repo.blobs(ref).values():
                if named(data) == blob_sha:
                    return data if len(data) <= LARGEST_BLOB else None
        raise unseen(f"reading blob {blob_sha}")

    def commit(self, repository: RepositoryRef, sha: str) -> Commit:
        lost = self._call("commit", sha)
        history = self._repo(repository).history
        self._answered(lost)
        if sha not in history:
            raise unseen(f"reading commit {sha}")
        return history[sha]

    def dismissed_by_push(self, repository: RepositoryRef, number: int, review_id: int) -> bool:
        lost = self._call("dismissed_by_push", number, review_id)
        pushed_away = self._repo(repository).pushed_away
        self._answered(lost)
        return review_id in pushed_away

    def open_pull_requests(self, repository: RepositoryRef) -> Iterator[PullRequest]:
        lost = self._call("open_pull_requests")
        repo = self._repo(repository)
        self._answered(lost)
        return iter([pull for pull in repo.pull_requests if pull.state == "open"])

    def pull_request(self, repository: RepositoryRef, number: int) -> PullRequest:
        lost = self._call("pull_request", number)
        found = [pull for pull in self._repo(repository).pull_requests if pull.number == number]
        self._answered(lost)
        if not found:
            raise gone(f"reading {repository.full_name}#{number}")
        return found[0]

    def head_branch(self, repository: RepositoryRef, number: int) -> str | None:
        lost = self._call("head_branch", number)
        branches = self._repo(repository).branches
        self._answered(lost)
        return branches.get(number, "work")

    def last_commit_by(self, repository: RepositoryRef, login: str, since: datetime) -> datetime | None:
        lost = self._call("last_commit_by", login)
        at = self._repo(repository).commits.get(login)
        self._answered(lost)
        return at if at is not None and at >= since else None

    def history(self, repository: RepositoryRef, default_branch: str, since: datetime) -> Iterator[Activity]:
        lost = self._call("history", default_branch)
        happened = self._repo(repository).happened
        self._answered(lost)
        return iter([each for each in happened if each.at >= since])

    def beginnings(
        self, repository: RepositoryRef, default_branch: str, since: datetime
    ) -> Beginnings | None:
        lost = self._call("beginnings", default_branch)
        repo = self._repo(repository)
        self._answered(lost)
        if not self.has_graphql:
            return None
        open_pulls = tuple(each for each in repo.pull_requests if each.state == "open")
        return Beginnings(tuple(each for each in repo.happened if each.at >= since), open_pulls)

    def requires_check(self, repository: RepositoryRef, branch: str, name: str) -> bool:
        lost = self._call("requires_check", branch)
        required = self._repo(repository).required
        self._answered(lost)
        return name in required.get(branch, ())

    def find_check_run(
        self, repository: RepositoryRef, head_sha: str, name: str, external_id: str
    ) -> int | None:
        lost = self._call("find_check_run", head_sha)
        wanted = (head_sha, name, external_id)
        runs = self._repo(repository).check_runs
        self._answered(lost)
        return next((run.id for run in runs if (run.head_sha, run.name, run.external_id) == wanted), None)

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
        lost = self._call("create_check_run", head_sha, output.conclusion)
        run = CheckRun(self._new_id(), head_sha, name, external_id, output, details_url)
        self._repo(repository).check_runs.append(run)
        self._answered(lost)
        return run.id

    def complete_check_run(
        self, repository: RepositoryRef, check_run_id: int, output: CheckRunOutput
    ) -> None:
        lost = self._call("complete_check_run", check_run_id, output.conclusion)
        runs = self._repo(repository).check_runs
        places = [place for place, run in enumerate(runs) if run.id == check_run_id]
        if not places:
            raise gone(f"completing check run {check_run_id}")
        known = runs[places[0]]
        # GitHub appends annotations; the adapter sends none with a repetition.
        again = replace(output, annotations=known.output.annotations)
        runs[places[0]] = replace(known, output=again, completions=known.completions + 1)
        self._answered(lost)

    def find_issue(self, repository: RepositoryRef, label: str, marker: str) -> Issue | None:
        lost = self._call("find_issue")
        issues = self._repo(repository).issues.values()
        self._answered(lost)
        here = (i for i in issues if i.full_name in ("", repository.full_name))
        return next((i for i in here if label in i.labels and i.body.startswith(marker)), None)

    def issue(self, repository: RepositoryRef, number: int) -> Issue:
        lost = self._call("issue", number)
        found = self._with_issues(repository, number).issues.get(number)
        self._answered(lost)
        never = datetime.fromtimestamp(0, UTC)
        return found or Issue(number, IssueState.GONE, (), "", never, "")

    def open_issue(
        self, repository: RepositoryRef, title: str, body: str, label: str, assignee: str | None
    ) -> Issue:
        lost = self._call("open_issue", assignee)
        repo = self._repo(repository)
        if not repo.described.has_issues:
            raise gone(f"opening an issue in {repository.full_name}")
        number = len(repo.issues) + 1
        address = f"https://github.com/{repo.described.full_name}/issues/{number}"
        given = (assignee,) if assignee and assignee not in self.unassignable else ()
        opened = Issue(number, IssueState.OPEN, (label,), body, self.now, address, title, assignees=given)
        repo.issues[number] = opened
        repo.assignees[number] = assignee
        self._answered(lost)
        return repo.issues[number]

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
        changes = {"title": title, "body": body, state or "": state, "label": label, "assign": assign}
        lost = self._call("edit_issue", number, *(name for name, value in changes.items() if value))
        issues = self._with_issues(repository, number).issues
        known = issues.get(number)
        elsewhere = known is not None and known.full_name not in ("", repository.full_name)
        if known is None or known.state is IssueState.GONE or elsewhere:
            raise gone(f"editing issue #{number}")
        kept = tuple(login for login in known.assignees if login not in (assign, unassign))
        issues[number] = replace(
            known,
            assignees=(*kept, assign) if assign and assign not in self.unassignable else kept,
            title=known.title if title is None else title,
            body=known.body if body is None else body,
            state=known.state if state is None else IssueState(state),
            labels=known.labels if label is None or label in known.labels else (*known.labels, label),
        )
        self._answered(lost)

    def find_comment(self, repository: RepositoryRef, number: int, marker: str) -> int | None:
        lost = self._call("find_comment", number)
        comments = self._repo(repository).comments
        self._answered(lost)
        ours = (c.id for c in comments if c.ours and c.number == number and c.body.startswith(marker))
        return next(ours, None)

    def post_comment(self, repository: RepositoryRef, number: int, body: str) -> int:
        lost = self._call("post_comment", number)
        repo = self._with_issues(repository, number)
        comment = Comment(self._new_id(), number, body, at=self.now)
        repo.comments.append(comment)
        self._answered(lost)
        return comment.id

    def react(self, repository: RepositoryRef, number: int, comment_id: int | None, content: str) -> None:
        place = number if comment_id is None else comment_id
        lost = self._call("react", place, content)
        self._repo(repository).reactions.add((place, content))
        self._answered(lost)

    def answer_deployment(
        self, repository: RepositoryRef, run_id: int, environment: str, *, approved: bool, comment: str
    ) -> None:
        lost = self._call("answer_deployment", run_id, environment, approved)
        answers = self._repo(repository).answers
        if any((known.run_id, known.environment) == (run_id, environment) for known in answers):
            raise unseen(f"answering the deployment of run {run_id}")
        answers.append(DeploymentAnswer(run_id, environment, approved, comment))
        self._answered(lost)

    def _call(self, method: str, *about: object) -> Failure | None:
        """Note a call and fail where that was planned; a failure to come after the deed is returned."""
        self.calls.append(Call(method, about, self.now))
        place = next((n for n, plan in enumerate(self._planned) if plan.meets(method)), None)
        if place is None:
            return None
        planned = self._planned.pop(place)
        if planned.done:
            return planned.failure
        raise GitHubError(planned.failure)

    def _answered(self, lost: Failure | None) -> None:
        if lost is not None:
            raise GitHubError(lost)

    def _repo(self, ref: RepositoryRef) -> FakeRepository:
        """Address a repository; one that was renamed is looked up by its id first, as the adapter does."""
        if ref.id not in self.repos:
            raise gone(f"addressing {ref.full_name}")
        repo = self.repos[ref.id]
        if repo.described.full_name != ref.full_name:
            self.calls.append(Call("repository", (ref.id,)))
        else:
            self.calls[-1] = replace(self.calls[-1], repository_id=ref.id)
        return repo

    def _with_issues(self, ref: RepositoryRef, number: int) -> FakeRepository:
        """Address a repository for one of its issues; switched off, they are not there. Pull requests are."""
        repo = self._repo(ref)
        if number in repo.issues and not repo.described.has_issues:
            raise gone(f"addressing issue #{number}")
        return repo

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id


class FakeProposals:
    """`ports.Proposals` over the repositories of a `FakeGitHub`, which notes each step as a call."""

    def __init__(self, github: FakeGitHub) -> None:
        self._github = github

    def close(self) -> None:
        """Count it with the other clients."""
        self._github.closed += 1

    def find(self, repository: RepositoryRef, branch: str) -> Proposed | None:
        lost = self._github._call("find_proposal", branch)
        pulls = self._github._repo(repository).ours
        self._github._answered(lost)
        found = (Proposed(pull.number, pull.state) for pull in reversed(pulls) if pull.branch == branch)
        return next(found, None)

    def open(self, repository: RepositoryRef, proposal: Proposal) -> Proposed:
        repo, branch = self._github._repo(repository), proposal.branch
        if repo.files[proposal.base].blob_sha != proposal.blob_sha:
            raise refused("the charter is another by now")
        if branch not in repo.files:
            lost = self._github._call("create_branch", branch)
            repo.files[branch] = repo.files[proposal.base]
            self._github._answered(lost)
        if repo.files[branch].data != proposal.data:
            lost = self._github._call("write_charter", branch)
            if repo.files[branch].blob_sha != proposal.blob_sha:
                raise refused("the charter is another on the branch")
            repo.files[branch] = charter_file(proposal.data)
            self._github._answered(lost)
        lost = self._github._call("open_pull_request", branch)
        number = 100 + len(repo.ours)
        repo.ours.append(OurPull(number, branch, proposal.base, proposal.title, proposal.body))
        self._github._answered(lost)
        return Proposed(number, ProposalState.OPEN)


class FakeReviewers:
    """`ports.Reviewers` over the same GitHub."""

    def __init__(self, github: FakeGitHub) -> None:
        self._github = github

    def close(self) -> None:
        """Count it with the other clients."""
        self._github.closed += 1

    def ask(self, repository: RepositoryRef, number: int, login: str) -> None:
        lost = self._github._call("ask_reviewer", number, login)
        repo = self._github._repo(repository)
        if login in repo.strangers:
            raise refused(f"{login} may not review {repository.full_name}")
        repo.reviewers.add((number, login))
        self._github._answered(lost)


class FakeApp:
    """`ports.GitHubApp` over one `FakeGitHub` for each installation."""

    def __init__(self, *installations: Installation, now: datetime = NOW) -> None:
        self.installations = {installation.id: installation for installation in installations}
        self.githubs = {installation.id: FakeGitHub(now=now) for installation in installations}
        self.forgotten: list[int] = []
        self.described: list[int] = []
        self.clients: list[int] = []
        self.attempts: list[DeliveryAttempt] = []
        self.redelivered: list[int] = []

    def installation(self, installation: Installation) -> FakeGitHub:
        self.clients.append(installation.id)
        return self.githubs[installation.id]

    def proposals(self, installation: Installation) -> FakeProposals | None:
        return FakeProposals(self.githubs[installation.id]) if may_propose(installation.permissions) else None

    def reviewers(self, installation: Installation) -> FakeReviewers | None:
        granted = may_ask_reviewers(installation.permissions)
        return FakeReviewers(self.githubs[installation.id]) if granted else None

    def describe(self, installation_id: int) -> Installation:
        self.described.append(installation_id)
        if installation_id not in self.installations:
            raise gone(f"reading installation {installation_id}")
        return self.installations[installation_id]

    def installation_ids(self) -> list[int]:
        return sorted(self.installations)

    def failed_deliveries(self, since: datetime) -> Iterator[DeliveryAttempt]:
        return (attempt for attempt in self.attempts if attempt.delivered_at >= since)

    def redeliver(self, attempt_id: int) -> None:
        self.redelivered.append(attempt_id)

    def forget_token(self, installation_id: int) -> None:
        self.forgotten.append(installation_id)


def conforming() -> tuple[GitHub, GitHubApp, Proposals, Reviewers]:
    """Holds the fakes to the ports; the type checker reads it."""
    github = FakeGitHub()
    return github, FakeApp(), FakeProposals(github), FakeReviewers(github)


def account_id(login: str) -> int:
    """The account of a login, by the same rule for everybody."""
    return 1_000_000 + zlib.crc32(login.lower().encode()) % 1_000_000


def charter_file(text: str | bytes | None) -> CharterFile:
    """What stands at the charter's path for a text; None is nothing."""
    if text is None:
        return CharterFile(FileKind.ABSENT)
    data = text.encode() if isinstance(text, str) else text
    return CharterFile(FileKind.FILE, data, named(data), len(data))


def named(data: bytes) -> str:
    """What git names a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def repository(
    id: int = 1,  # noqa: A002 - GitHub's word
    full_name: str = "acme/poc-triage",
    *,
    topics: Sequence[str] = (),
    pushed_at: datetime | None = NOW,
    updated_at: datetime | None = NOW,
    archived: bool = False,
    fork: bool = False,
    is_template: bool = False,
    has_issues: bool = True,
    default_branch: str = "main",
) -> Repository:
    """A repository, a POC by its name unless told otherwise."""
    return Repository(
        id=id,
        full_name=full_name,
        default_branch=default_branch,
        topics=tuple(topics),
        pushed_at=pushed_at,
        updated_at=updated_at,
        archived=archived,
        fork=fork,
        is_template=is_template,
        has_issues=has_issues,
    )


def refused(what: str) -> GitHubError:
    """What the adapter raises where GitHub says no."""
    return GitHubError(Failure(FailureKind.REFUSED, what))


def gone(what: str) -> GitHubError:
    """What the adapter raises for a 404."""
    return GitHubError(Failure(FailureKind.GONE, f"{what}: GitHub says 404, Not Found"))


def unseen(what: str) -> GitHubError:
    """What the adapter raises for a commit that isn't there, or not yet."""
    return GitHubError(Failure(FailureKind.UNSEEN, f"{what}: GitHub says 404, Not Found"))
