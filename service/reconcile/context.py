"""What a look has at hand, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from service.ports import Announcer, GitHub, GitHubApp, GitHubError, Proposals
from service.rules.commands.charter_changes import may_propose
from service.rules.evidence.reading import Document
from service.rules.policy.model import NO_POLICY, Mode, Policy
from service.rules.queue.retry import Failure, FailureKind
from service.rules.values.actions import Action, PostedCheckRun
from service.rules.values.github import EventKind, EventRecord, Installation
from service.rules.values.groups import Level
from service.store.installations import KnownInstallation
from service.store.notes import Note, notebook
from service.store.store import Store
from service.texts.render import Texts


class UnusableError(Exception):
    """The installation was removed or suspended: there is nothing to look at, and no right to."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a look wants written, and in one line what it found."""

    outcome: str
    actions: tuple[Action, ...] = ()
    installation_id: int | None = None
    """With whose rights the actions are carried out."""


@dataclass(slots=True)
class Reconciliation:
    """One look at one subject: the facts that led to it, the clock, and the ways to learn more.

    The client is made when it is first asked for: a look that needs no call makes none, not even for a token.
    """

    key: str
    now: datetime
    """The time to judge by: `--as-of`, or the present."""
    looked_at: datetime
    """The present, whatever the look judges by: what is seen now was so now."""
    clock: Callable[[], datetime]
    """Goes on while the look lasts; for what has to be told apart by the second."""
    facts: tuple[EventRecord, ...]
    session: Session
    """In which `store` reads."""
    store: Store
    """What is stored, read in one session; nothing can be changed through it."""
    writing: Store
    """For `apply` and its neighbours only: what has to be committed by itself, at once."""
    app: GitHubApp
    texts: Texts
    observe: bool
    evidence_level: Level
    web_url: str
    announcer: Announcer | None = None
    """Where a week's digest is told beside GitHub, if anywhere."""
    policy: Policy = NO_POLICY
    """What the organisation has decided."""
    noted: list[Note] = field(default_factory=list)
    """What was learned and decided, to be written in one transaction before the first action."""
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    """The files of evidence that were read, by blob and name: both check runs look into them."""
    _posted: dict[tuple[int, str], Mapping[str, PostedCheckRun]] = field(default_factory=dict)
    _clients: dict[int, GitHub] = field(default_factory=dict)
    _proposals: dict[int, Proposals | None] = field(default_factory=dict)
    _known: dict[int, KnownInstallation] = field(default_factory=dict)
    _installations: dict[int, Installation] = field(default_factory=dict)

    def posted(self, repository_id: int, head_sha: str, name: str) -> PostedCheckRun | None:
        """Our newest check run of a name on a commit, as it was when that was first asked."""
        key = (repository_id, head_sha)
        if key not in self._posted:
            self._posted[key] = self.store.check_runs.newest_of(*key)
        return self._posted[key].get(name)

    @property
    def notes(self) -> Store:
        """Note a change: called like the store's own methods, it is written later."""
        return notebook(self.noted)

    def under(self, policy: Policy) -> None:
        """Look on with an organisation's policy: it may only observe, and may ask for better numbers."""
        self.policy = policy
        self.observe = self.observe or policy.mode is Mode.OBSERVE
        if policy.evidence_level is Level.MEASURED:
            self.evidence_level = Level.MEASURED

    @property
    def announces(self) -> bool:
        """Whether there is a place beside GitHub to tell things."""
        return self.announcer is not None

    def told(self, kind: EventKind) -> bool:
        """Whether a fact of that kind led to this look."""
        return any(fact.kind is kind for fact in self.facts)

    def github(self, installation_id: int) -> GitHub:
        """Act for an installation; `UnusableError` when it was removed or suspended."""
        if installation_id not in self._clients:
            self._clients[installation_id] = self.app.installation(self.installation(installation_id))
        return self._clients[installation_id]

    def may_propose(self, installation_id: int) -> bool:
        """Whether an installation was granted, as far as we know, what it takes to open a pull request."""
        return may_propose(self.installation(installation_id).permissions)

    def proposals(self, installation_id: int) -> Proposals | None:
        """Open pull requests for an installation; None where that was not granted."""
        if installation_id not in self._proposals:
            self._proposals[installation_id] = self.app.proposals(self.installation(installation_id))
        return self._proposals[installation_id]

    def installation(self, installation_id: int) -> Installation:
        """An installation that may be used; `UnusableError` or `GitHubError` where it may not be."""
        if installation_id not in self._installations:
            self._installations[installation_id] = self._usable(installation_id)
        return self._installations[installation_id]

    def knows(self, installation: KnownInstallation | None) -> None:
        """Take an installation as it was gathered."""
        if installation is not None:
            self._known[installation.installation.id] = installation

    def permissions(self, installation_id: int) -> Mapping[str, str]:
        """What an installation was granted, as far as we know."""
        known = self._known.get(installation_id) or self.store.installations.find(installation_id)
        described = known.installation if known else self._installations.get(installation_id)
        return described.permissions if described else {}

    def _usable(self, installation_id: int) -> Installation:
        known = self._known.get(installation_id) or self.store.installations.find(installation_id)
        if known is None:
            described = self.app.describe(installation_id)
            self.notes.installations.remember(described)
            return described
        if known.deleted:
            raise UnusableError("the app was uninstalled")
        if known.installation.suspended_at is not None:
            raise UnusableError("the installation is suspended")
        if known.rate_limited_until is not None and known.rate_limited_until > self.looked_at:
            message = f"installation {installation_id} is rate-limited"
            raise GitHubError(Failure(FailureKind.RATE_LIMITED, message, known.rate_limited_until))
        return known.installation

    def rate_limited(self, until: datetime) -> None:
        """Keep other looks of the installations that this one asked waiting as well."""
        for installation_id in {*self._clients, *self._proposals}:
            self.writing.installations.rate_limited(installation_id, until)

    def close(self) -> None:
        """Close the connections of the clients, and of the database if it was asked again."""
        self.session.close()
        for client in (*self._clients.values(), *self._proposals.values()):
            if client is not None:
                client.close()
