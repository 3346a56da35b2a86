"""What a look has at hand, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from service.ports import Announcer, GitHub, GitHubApp, GitHubError, Proposals
from service.rules.commands.charter_changes import may_propose
from service.rules.evidence.reading import Document
from service.rules.policy.model import NO_POLICY, Mode, Policy
from service.rules.queue.retry import Failure, FailureKind
from service.rules.values.actions import Action
from service.rules.values.github import EventKind, EventRecord, Installation
from service.rules.values.groups import Level
from service.store.records import Store
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
    records: Store
    app: GitHubApp
    texts: Texts
    observe: bool
    evidence_level: Level
    web_url: str
    announcer: Announcer | None = None
    """Where a week's digest is told beside GitHub, if anywhere."""
    policy: Policy = NO_POLICY
    """What the organisation has decided."""
    dry: bool = False
    """Whether it is only to be told what a look would come to: nothing that was decided is kept."""
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    """The files of evidence that were read, by blob and name: both check runs look into them."""
    _clients: dict[int, GitHub] = field(default_factory=dict)
    _proposals: dict[int, Proposals | None] = field(default_factory=dict)

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
            self._clients[installation_id] = self.app.installation(self._installation(installation_id))
        return self._clients[installation_id]

    def may_propose(self, installation_id: int) -> bool:
        """Whether an installation was granted, as far as we know, what it takes to open a pull request."""
        return may_propose(self._installation(installation_id).permissions)

    def proposals(self, installation_id: int) -> Proposals | None:
        """Open pull requests for an installation; None where that was not granted."""
        if installation_id not in self._proposals:
            self._proposals[installation_id] = self.app.proposals(self._installation(installation_id))
        return self._proposals[installation_id]

    def _installation(self, installation_id: int) -> Installation:
        known = self.records.installations.find(installation_id)
        if known is None:
            described = self.app.describe(installation_id)
            self.records.installations.remember(described)
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
            self.records.installations.rate_limited(installation_id, until)

    def close(self) -> None:
        """Close the clients' connections."""
        for client in (*self._clients.values(), *self._proposals.values()):
            if client is not None:
                client.close()
