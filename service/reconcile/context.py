"""What a reconciliation works with, and what it results in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from service.ports import Announcer, GitHub, GitHubApp, GitHubError, Proposals, Reviewers
from service.rules.commands.parsing import may_propose
from service.rules.evidence.reading import Document
from service.rules.policy.model import NO_POLICY, Mode, Policy
from service.rules.policy.recognition import KnownRepository, mode_of
from service.rules.queue import (
    HISTORY_KEPT_BELOW,
    KEPT_BELOW,
    Failure,
    FailureKind,
    Urgency,
    saved_until,
)
from service.rules.values.actions import Action, CheckRunOutput, PostedCheckRun, plan_check_run
from service.rules.values.github import EventKind, EventRecord, Installation, Repository, RepositoryRef
from service.rules.values.groups import Level
from service.store.database import LockClass, TryLock
from service.store.installations import KnownInstallation
from service.store.store import Note, Store, notebook


class UnusableError(Exception):
    """The installation was removed or suspended: we may not read anything there."""

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


def any_lock(_lock_class: LockClass, _key: str) -> bool:
    """Where nobody else is at work."""
    return True


def any_account(_login: str) -> bool:
    """Where nobody named the accounts whose installations count."""
    return True


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be written to GitHub, and in one line what was found."""

    outcome: str
    actions: tuple[Action, ...] = ()
    installation_id: int | None = None
    """The installation whose token the actions use."""


@dataclass(slots=True)
class Reconciliation:
    """One reconciliation of one subject: its recorded events, the clock, and where to read more.

    A client is made when it is first needed: without a call to GitHub there is not even one for a token.
    """

    key: str
    now: datetime
    """The time to judge by: `--as-of`, or the present."""
    looked_at: datetime
    """The real time, also with `--as-of`: what GitHub shows now is recorded under this time."""
    clock: Callable[[], datetime]
    """Keeps running during a reconciliation; for what must be told apart by the second."""
    facts: tuple[EventRecord, ...]
    waited: bool
    """Whether what GitHub doesn't show was waited for: it is taken for absent from now on."""
    release: Callable[[], None]
    """Give the connection back on which `store` reads; it takes another when it is asked again."""
    store: Store
    """Reads what is stored, in one session; it can't change anything."""
    writing: Store
    """For the exceptions that must commit by themselves, at once: see docs/decisions/0008."""
    app: GitHubApp
    mode: Mode | None
    evidence_level: Level
    web_url: str
    details_url: Callable[[RepositoryRef, str], str]
    """Where a check run of this name leads to."""
    urgency: Urgency = Urgency.LATER
    """Who waits for it."""
    docs_url: str = ""
    """Where the service explains its findings; nothing where nobody can look."""
    announcer: Announcer | None = None
    """Where the weekly digest goes besides GitHub: Slack, or nowhere."""
    serves: Callable[[str], bool] = any_account
    """Whether the installation on an account counts."""
    policy: Policy = NO_POLICY
    """The organisation's policy."""
    observe: bool = False
    """Whether nothing is held up here, as far as it is gathered."""
    observing_since: datetime | None = None
    """Since when its organisation observes."""
    noted: list[Note] = field(default_factory=list)
    """What was learned and decided; written in one transaction before the first action."""
    take: TryLock = any_lock
    """Take a lock that is held until the notes are written."""
    registering: set[int] = field(default_factory=set)
    """The repositories that nobody else registers meanwhile."""
    again_at: datetime | None = None
    """When time alone may change what was found; without it, the next sweep looks again."""
    unsaid: set[str] = field(default_factory=set)
    """The keys of the messages that GitHub refused."""
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    """The files of evidence that were read, by blob and name: both check runs use them."""
    _posted: dict[tuple[int, str], Mapping[str, PostedCheckRun]] = field(default_factory=dict)
    _clients: dict[int, GitHub] = field(default_factory=dict)
    _proposals: dict[int, Proposals | None] = field(default_factory=dict)
    _reviewers: dict[int, Reviewers | None] = field(default_factory=dict)
    _known: dict[int, KnownInstallation] = field(default_factory=dict)
    _installations: dict[int, Installation] = field(default_factory=dict)

    def posted(
        self, repository_id: int, head_sha: str, name: str, *, anew: bool = False
    ) -> PostedCheckRun | None:
        """Our newest check run of a name on a commit, as it was when that was first asked, or is `anew`."""
        key = (repository_id, head_sha)
        if anew or key not in self._posted:
            self._posted[key] = self.store.check_runs.newest_of(*key)
        return self._posted[key].get(name)

    def check_run(
        self, known: KnownRepository, head_sha: str, name: str, wanted: CheckRunOutput, *, rerun: bool
    ) -> Decision:
        """Bring our check run on a commit to what it should say; another `rerun` was asked for, or not."""
        repository = known.repository.ref
        posted = self.posted(repository.id, head_sha, name)
        actions = plan_check_run(repository, head_sha, name, wanted, posted, rerun_requested=rerun)
        return Decision(f"{name}: {wanted.conclusion}, {wanted.title}", actions, known.installation_id)

    @property
    def notes(self) -> Store:
        """Note a change: called like the store's own methods, it is written later."""
        return notebook(self.noted)

    def under(
        self, policy: Policy, known: KnownInstallation | None, repository: Repository | None = None
    ) -> None:
        """Apply the organisation's policy: the mode of a repository, and the minimum evidence level."""
        self.policy = policy
        switched = known.switched if known else None
        begins = known.begins_observing if known else True

        def holds(of: Repository | None) -> bool:
            found = mode_of(policy, of, switched=switched, default=self.mode, begins=begins)
            return found is Mode.OBSERVE

        self.observe, observes = holds(repository), holds(None)
        since = known.observing_since if known else None
        self.observing_since = since or self.looked_at if observes else None
        if known is not None and self.observing_since != since:
            self.notes.installations.observing(known.installation.id, self.observing_since)
        if policy.evidence_level is Level.MEASURED:
            self.evidence_level = Level.MEASURED

    @property
    def observing_day(self) -> date | None:
        """Since which day the organisation observes; None where it does not, whatever holds here."""
        since = self.observing_since if self.observe else None
        return self.policy.calendar.day(since) if since else None

    def look_again(self, at: datetime | None) -> None:
        """Let a sweep look again at a time, or earlier if something else asks for it."""
        self.again_at = min((each for each in (self.again_at, at) if each), default=None)

    @property
    def announces(self) -> bool:
        """Whether the digest also goes somewhere besides GitHub."""
        return self.announcer is not None

    def absent(self, error: GitHubError) -> bool:
        """Whether what a call asked for isn't there; what may only not be visible yet is waited for."""
        return error.gone or (self.waited and error.failure.kind is FailureKind.UNSEEN)

    def told(self, kind: EventKind) -> bool:
        """Whether an event of that kind was recorded since the last reconciliation."""
        return any(fact.kind is kind for fact in self.facts)

    def asked_again(self, head_sha: str) -> bool:
        """Whether somebody asked for the check runs of a commit again."""
        return any(fact.kind is EventKind.RERUN_REQUESTED and fact.detail == head_sha for fact in self.facts)

    def github(self, installation_id: int) -> GitHub:
        """The client of an installation; raises `UnusableError` if it was removed or suspended."""
        if installation_id not in self._clients:
            self._clients[installation_id] = self.app.installation(self.installation(installation_id))
        return self._clients[installation_id]

    def may_propose(self, installation_id: int) -> bool:
        """Whether an installation has the permissions to open a pull request, as far as we know."""
        return may_propose(self.installation(installation_id).permissions)

    def proposals(self, installation_id: int) -> Proposals | None:
        """The client that opens pull requests for an installation; None without the permissions."""
        if installation_id not in self._proposals:
            self._proposals[installation_id] = self.app.proposals(self.installation(installation_id))
        return self._proposals[installation_id]

    def reviewers(self, installation_id: int) -> Reviewers | None:
        """The client that asks for reviews for an installation; None without the permission."""
        if installation_id not in self._reviewers:
            self._reviewers[installation_id] = self.app.reviewers(self.installation(installation_id))
        return self._reviewers[installation_id]

    def installation(self, installation_id: int) -> Installation:
        """An installation that may be used; raises `UnusableError` or `GitHubError` if it may not."""
        if installation_id not in self._installations:
            self._installations[installation_id] = self._usable(installation_id)
        return self._installations[installation_id]

    def knows(self, installation: KnownInstallation | None) -> None:
        """Keep an installation that was gathered, so that it isn't read again."""
        if installation is not None:
            self._known[installation.installation.id] = installation

    def permissions(self, installation_id: int) -> Mapping[str, str]:
        """An installation's permissions, as far as we know."""
        known = self._known.get(installation_id) or self.store.installations.find(installation_id)
        described = known.installation if known else self._installations.get(installation_id)
        return described.permissions if described else {}

    def _usable(self, installation_id: int) -> Installation:
        known = self._known.get(installation_id) or self.store.installations.find(installation_id)
        self.knows(known)
        if known is None:
            described = self.app.describe(installation_id)
            self.notes.installations.remember(described)
            self._refuse_stranger(described)
            return described
        self._refuse_stranger(known.installation)
        if known.deleted:
            raise UnusableError("the app was uninstalled", for_good=True)
        if known.installation.suspended_at is not None:
            raise UnusableError("the installation is suspended")
        if known.rate_limited_until is not None and known.rate_limited_until > self.looked_at:
            message = f"installation {installation_id} is rate-limited"
            raise GitHubError(Failure(FailureKind.RATE_LIMITED, message, known.rate_limited_until))
        if until := saved_until(known.calls, KEPT_BELOW[self.urgency], self.looked_at):
            message = f"the calls that installation {installation_id} has left are for more urgent subjects"
            raise GitHubError(Failure(FailureKind.SAVED, message, until))
        return known.installation

    def saves_calls(self, installation_id: int) -> bool:
        """Whether what nobody waits for had better be read after the limit was reset."""
        client, known = self._clients.get(installation_id), self._known.get(installation_id)
        calls = (client.calls_left() if client else None) or (known.calls if known else None)
        return saved_until(calls, HISTORY_KEPT_BELOW, self.looked_at) is not None

    def remember_calls(self) -> None:
        """Store what is left of the calls, where that is something else than was known."""
        for installation_id, client in self._clients.items():
            known, left = self._known.get(installation_id), client.calls_left()
            if left is not None and left.differ(known.calls if known else None):
                self.writing.installations.calls_left(installation_id, left)

    def _refuse_stranger(self, installation: Installation) -> None:
        if not self.serves(installation.account):
            raise UnusableError(f"{installation.account} is ignored: ALLOWED_ACCOUNTS doesn't name it")

    def rate_limited(self, until: datetime) -> None:
        """Make other reconciliations of the same installations wait as well."""
        for installation_id in {*self._clients, *self._proposals, *self._reviewers}:
            self.writing.installations.rate_limited(installation_id, until)

    def close(self) -> None:
        """Close the connections of the clients, and of the database if it was asked again."""
        self.release()
        for client in (*self._clients.values(), *self._proposals.values(), *self._reviewers.values()):
            if client is not None:
                client.close()
