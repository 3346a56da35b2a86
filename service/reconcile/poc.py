"""A POC while it is reconciled: the gathered record, with all that was learned and decided since.

Each change is noted for the database and made in the record, so that the next decision takes it into account.
Over 300 lines: every change of a record has its note and its effect here, side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast

from service.rules.checks.judge import Judgement
from service.rules.gate.lifecycle import State
from service.rules.gate.overview import Overview
from service.rules.gate.signoffs import Signature
from service.rules.policy.recognition import KnownRepository
from service.rules.source.text import CharterFile
from service.rules.stall.waiting_on import Blocker, PausePeriod, WaitingOn
from service.rules.values.actions import Action
from service.rules.values.activity import Activity, is_told
from service.rules.values.github import Commit, PullRequest, Repository, StallIssue
from service.rules.values.groups import Group
from service.rules.values.subjects import PocId
from service.store.contents import Blob
from service.store.poc_records import PocRecord, StoredPause, WaitingRecord
from service.store.pocs import KnownAccess, Shipment, ShipRequest
from service.store.signatures import StoredSignature, signing_activities
from service.store.store import Store
from service.store.timeline import AWAITED
from service.store.waiting import PAUSE, KnownBlocker, ShipDate, names


@dataclass(frozen=True, slots=True)
class PocStatus:
    """What was found on the default branch."""

    state: State
    judgement: Judgement
    signed: Mapping[Group, Signature | None]
    """The start sign-offs; empty without a charter."""
    holders: Mapping[Group, str | None]
    """Who has not signed what was eased since a charter was agreed on."""
    actions: tuple[Action, ...] = ()


class Poc:
    """A repository with its gathered record; it need not be a POC."""

    def __init__(self, record: PocRecord, store: Store, notes: Store) -> None:
        self.record = record
        self._store = store
        self._notes = notes
        self._waiting: WaitingRecord | None = None
        self.learned: list[Activity] = []
        """Activity that was found now and isn't stored yet."""
        # What was read of commits now and isn't stored yet: each is asked for once.
        self.charters: dict[str, CharterFile] = {}
        self.merge_bases: dict[tuple[str, str], str] = {}
        self.blob_shas: dict[tuple[str, str], str | None] = {}
        self.blobs: dict[str, Blob] = {}
        self.commits: dict[str, Commit] = {}
        self.resolved: dict[str, str] = {}
        """The commits that test merges turned out to stand for."""

    @property
    def id(self) -> int:
        """The repository's."""
        return self.record.known.repository.id

    @property
    def poc_id(self) -> PocId:
        """The record's; only in a dry run, whose notes nobody writes, a POC may have none."""
        return cast("PocId", self.record.poc_id)

    @property
    def known(self) -> KnownRepository:
        """The repository as it is known now."""
        return self.record.known

    @property
    def waiting(self) -> WaitingRecord:
        """Whom it waited for; read when it is first needed."""
        if self._waiting is None:
            self._waiting = self._store.poc_records.waiting(self.record.poc_id, self.id)
        return self._waiting

    # What the repository is

    def described(self, repository: Repository) -> None:
        """GitHub's description of it was read; before, only id and name were known."""
        self._notes.repositories.listed(self.known.installation_id, [repository])
        before = self.known
        pushed = max((at for at in (before.repository.pushed_at, repository.pushed_at) if at), default=None)
        properties = before.repository.properties if repository.properties is None else repository.properties
        known = replace(
            before,
            repository=replace(repository, pushed_at=pushed, properties=properties),
            described=True,
            first_pushed_at=before.first_pushed_at or repository.pushed_at,
        )
        self.record = replace(self.record, known=known)

    def registered(
        self,
        reason: str | None,
        read: CharterFile | None,
        *,
        declared: bool,
        at: datetime,
        tell_pull_requests: bool,
    ) -> None:
        """It is a POC or not, with the charter as it was read just now, if it was."""
        self._notes.repositories.register(
            self.id, reason, read, declared=declared, at=at, tell_pull_requests=tell_pull_requests
        )
        known = self.known
        if reason and known.poc_reason is None:
            known = replace(known, registered_at=at)
        known = replace(known, poc_reason=reason)
        if read is not None:
            before = known.charter
            if before is None or (before.blob_sha, before.kind) != (read.blob_sha, read.kind):
                known = replace(known, charter_changed_at=at)
            kept = read if reason else replace(read, data=None)
            known = replace(known, charter=kept, reread=False)
        if declared and known.chartered_at is None:
            known = replace(known, chartered_at=at)
        self.record = replace(self.record, known=known)

    def pull_requests_read(self, pulls: Iterable[PullRequest]) -> frozenset[int]:
        """Pull requests were read from GitHub; returns which of them no event showed like this."""
        read = {each.number: self._newer(each) for each in pulls}
        self._notes.pull_requests.remember(tuple(read.values()))
        known = self.record.pulls
        self.record = replace(self.record, pulls={**known, **read})
        for number, pull in read.items():
            if pull.state == "closed":
                self.ship_request_taken_back(number)
        return frozenset(
            number
            for number, pull in read.items()
            if number not in known or known[number].as_judged != pull.as_judged
        )

    def _newer(self, read: PullRequest) -> PullRequest:
        """An event may show a later state; of two states in one of GitHub's seconds, open is the older."""
        told = self.record.pulls.get(read.number)
        if told is None:
            return read
        is_older = (told.updated_at, told.state != "open") > (read.updated_at, read.state != "open")
        return told if is_older else read

    def pull_requests_listed(self, at: datetime) -> None:
        """Its open pull requests were listed."""
        self._notes.pocs.change(self.poc_id, pulls_listed_at=at)
        self._poc(pulls_listed_at=at)

    # How far it is

    def begun(self, poc_id: PocId | None) -> None:
        """It turned out to be a POC, and has a record from now on."""
        self.record = replace(self.record, poc_id=poc_id)

    def became(self, state: State, at: datetime) -> None:
        """Its state was derived."""
        if self.record.poc.state is not state or self.record.poc.state_since is None:
            self._notes.pocs.change(self.poc_id, state=str(state), state_since=at)
            self._poc(state=state, state_since=at)

    def ended(self, at: datetime) -> None:
        """Its repository was archived."""
        if self.record.poc_id is not None and not self.record.poc.state.has_ended:
            self.became(State.STOPPED, at)

    def shipped(self, environment: str, shipment: Shipment) -> None:
        """It was deployed with everything met: it has shipped since the first time."""
        self._notes.pocs.ship(self.poc_id, environment, shipment)
        if self.record.poc.shipped_at is None:
            first = {"shipped_at": shipment.at, "shipped_sha": shipment.sha}
            self._notes.pocs.first(self.poc_id, **first)
            self._poc(**first)

    def recalled(self) -> None:
        """It was stopped: nothing that shipped may be gone back to."""
        if self.record.poc.state is not State.STOPPED:
            self._notes.pocs.recall(self.poc_id)

    def bound(self, at: datetime) -> None:
        """Every threshold had a value that counts; the first time is kept."""
        if not self.record.poc.bound:
            self._notes.pocs.first(self.poc_id, bound_at=at)

    def agreed_on(self, file: CharterFile) -> None:
        """The default branch's charter counts from now on."""
        before = self.record.poc.agreed
        if before is None or before.blob_sha != file.blob_sha:
            self._notes.pocs.change(self.poc_id, agreed_blob_sha=file.blob_sha, agreed_data=file.data)
            self._poc(agreed=file)

    def protected(self, environment: str | None) -> None:
        """Platform has signed for an environment; None is held once product has signed a stop."""
        if self.record.poc.environment != environment:
            self._notes.pocs.change(self.poc_id, environment=environment)
            self._poc(environment=environment)

    def asked_to_ship(self, number: int, at: datetime) -> None:
        """Somebody wrote `/poc ship`: the newest command counts, and of several on one the first."""
        self._notes.pocs.ask_to_ship(self.poc_id, number, at)
        request = self.record.poc.request
        if request is not None and request.number == number:
            self._poc(request=ShipRequest(number, min(at, request.asked_at)))
        elif request is None or request.asked_at < at:
            self._poc(request=ShipRequest(number, at), proven_at=None, unsigned=())

    def ship_request_taken_back(self, number: int) -> None:
        """The pull request was closed without being merged."""
        request = self.record.poc.request
        if request is not None and request.number == number:
            self._notes.pocs.take_back(self.poc_id, number)
            self._poc(request=None, proven_at=None, unsigned=())

    def ship_request_judged(self, number: int, unsigned: tuple[Group, ...] | None, at: datetime) -> None:
        """Only these signatures are missing for the ship request; None if more is missing."""
        present = self.record.poc
        if (present.unsigned if present.proven_at else None) != unsigned:
            self._notes.pocs.request_judged(self.poc_id, number, unsigned, at)

    def owner_may(self, access: KnownAccess) -> None:
        """The owner's permission, as GitHub answered."""
        self._notes.pocs.change(
            self.poc_id,
            owner_login=access.login,
            owner_access=str(access.access),
            owner_asked_at=access.asked_at,
            owner_since=access.since,
        )

    def stalled(self, since: date | None, cause: str | None) -> None:
        """The day its stall began, and why; None if it isn't stalled."""
        self._notes.pocs.change(self.poc_id, stalled_since=since, stall_cause=cause)

    def shows(self, overview: Overview) -> None:
        """What the pages show of its charter, as far as it changed."""
        if self.record.poc.overview != overview:
            self._notes.pocs.show(self.poc_id, overview)
            self._poc(overview=overview)

    def counted(self, days: Sequence[int], on: date) -> None:
        """Its days up to yesterday, by whom they went to."""
        self._notes.pocs.change(self.poc_id, days=list(days), counted_on=on)
        self._poc(counted_on=on)

    def _poc(self, **changes: object) -> None:
        self.record = replace(self.record, poc=replace(self.record.poc, **changes))  # type: ignore[arg-type] # named above

    # Who signed

    def signed(self, given: Iterable[Signature]) -> None:
        """Approvals; a source signs once, and what was withdrawn stays withdrawn."""
        present = {
            (each.signature.source, each.signature.group, each.signature.round)
            for each in self.record.signatures
        }
        new = tuple(each for each in given if (each.source, each.group, each.round) not in present)
        if not new:
            return
        self._notes.signatures.give(self.poc_id, self.id, new)
        self._acted(signing_activities(self.id, new))
        signatures = (*self.record.signatures, *(StoredSignature(each, withdrawn=False) for each in new))
        self.record = replace(
            self.record, signatures=tuple(sorted(signatures, key=lambda each: each.signature.at))
        )

    def withdrew(self, sources: Iterable[str], at: datetime) -> None:
        """The signatures of these sources no longer count."""
        taken = frozenset(sources)
        if not any(each.signature.source in taken and not each.withdrawn for each in self.record.signatures):
            return
        self._notes.signatures.withdraw(self.poc_id, self.id, sorted(taken), at)
        signatures = (
            replace(each, withdrawn=True) if each.signature.source in taken else each
            for each in self.record.signatures
        )
        self.record = replace(self.record, signatures=tuple(signatures))

    # Whom it waits for

    def waits_for(self, present: WaitingOn) -> None:
        """A new waiting period begins: it waits for somebody else from now on."""
        self._notes.waiting.passed(self.poc_id, present)
        self._wait(periods=(*self.waiting.periods, present))

    def promised(self, ship_by: date, at: datetime) -> None:
        """The charter's ship date, noted if it changed."""
        dates = self.waiting.ship_dates
        if not dates or dates[-1].ship_by != ship_by:
            self._notes.waiting.promised(self.poc_id, ship_by, at)
            self._wait(ship_dates=(*dates, ShipDate(ship_by, at)))

    def paused(self, source: str, period: PausePeriod, *, actor: str, at: datetime) -> None:
        """A pause, known by its blob, or a snooze, known by its comment; each is noted once."""
        if any(each.source == source for each in self.waiting.pauses):
            return
        self._notes.waiting.rested(self.poc_id, source, period, actor=actor, at=at)
        self._pauses((*self.waiting.pauses, StoredPause(source, at, period)))

    def pauses_ended(self, on: date, *, but: str) -> None:
        """End the pauses of replaced charters on a day; `but` is the source of the present one."""
        if self._cut(on, lambda each: each.source.startswith(PAUSE) and each.source != but):
            self._notes.waiting.end_pauses(self.poc_id, on, but=but)

    def snoozes_ended(self, on: date, *, naming: str) -> None:
        """End the snoozes that named an issue on a day: it was closed."""
        if self._cut(
            on, lambda each: not each.source.startswith(PAUSE) and names(each.period.reason, naming)
        ):
            self._notes.waiting.end_snoozes(self.poc_id, on, naming=naming)

    def _cut(self, on: date, which: Callable[[StoredPause], bool]) -> bool:
        """End pauses on a day; returns whether any was longer."""
        longer = {each.source for each in self.waiting.pauses if each.period.until > on and which(each)}
        self._pauses(
            replace(each, period=replace(each.period, until=on)) if each.source in longer else each
            for each in self.waiting.pauses
        )
        return bool(longer)

    def _pauses(self, pauses: Iterable[StoredPause]) -> None:
        self._wait(pauses=tuple(sorted(pauses, key=lambda each: (each.period.until, each.source))))

    def blocked(self, reference: str, at: datetime, *, commanded: bool) -> None:
        """Somebody named an issue as a blocker; if it is named again, GitHub is asked again."""
        blockers = {each.blocker.reference: each for each in self.waiting.blockers}
        present = blockers.get(reference)
        if present is not None and present.blocker.since >= at:
            return
        self._notes.waiting.blocked(self.poc_id, reference, at, commanded=commanded)
        if present is None:
            found = KnownBlocker(Blocker(reference, at, True, ()), commanded, None)
        else:
            found = KnownBlocker(
                replace(present.blocker, since=at, open=True), present.commanded or commanded, None
            )
        self._blockers({**blockers, reference: found})

    def saw_blocker(self, blocker: Blocker, at: datetime) -> None:
        """A blocker's state was read from GitHub."""
        self._notes.waiting.saw_blocker(self.poc_id, blocker, at)
        blockers = {each.blocker.reference: each for each in self.waiting.blockers}
        blockers[blocker.reference] = replace(blockers[blocker.reference], blocker=blocker, read_at=at)
        self._blockers(blockers)

    def _blockers(self, blockers: dict[str, KnownBlocker]) -> None:
        found = sorted(blockers.values(), key=lambda each: (each.blocker.since, each.blocker.reference))
        self._wait(blockers=tuple(found))

    def _wait(self, **changes: object) -> None:
        self._waiting = replace(self.waiting, **changes)  # type: ignore[arg-type] # named above

    # What people did

    def acted(self, *activities: Activity) -> None:
        """Activity that no recorded event contains, or not yet."""
        self._notes.timeline.remember(self.id, activities)
        self._acted(activities)

    def _acted(self, activities: Iterable[Activity]) -> None:
        told = tuple(each for each in activities if is_told(each))
        self.learned += told
        acted, asked = dict(self.waiting.acted), list(self.waiting.asked)
        known = {each.id for each in asked}
        for each in told:
            if each.deed in AWAITED or each.taken_back:
                asked += [each] if each.id not in known else []
            if each.actor and not each.taken_back:
                key = each.actor.lower(), each.deed
                acted[key] = max(each.at, acted.get(key, each.at))
        self._wait(acted=acted, asked=tuple(sorted(asked, key=lambda each: (each.at, each.id))))

    def history_read(self, activities: Iterable[Activity], at: datetime) -> None:
        """What people did before it was registered."""
        self.acted(*activities)
        self._notes.pocs.first(self.poc_id, history_read_at=at)
        self._poc(history_read=True)

    # Its stall issue

    def issue_is(self, issue: StallIssue) -> None:
        """Its stall issue was read from GitHub."""
        self.record = replace(self.record, issue=issue)
