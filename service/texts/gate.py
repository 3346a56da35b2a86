"""The ship gate as the values that a template shows; the words are the templates'."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from service.rules.charter.goalposts import Move, bound_text, reopened
from service.rules.charter.model import Charter, InfraKind
from service.rules.evidence.values import Result, Status
from service.rules.evidence.wording import measured_text, verdict_text
from service.rules.gate.verdict import Gap, GapKind, Gate, Occasion
from service.rules.source.text import listed
from service.rules.values.groups import Level
from service.texts.goalposts import NAMES, SUBJECTS, subject

Person = tuple[str, str | None]
"""A group, and who signs for it."""


class GateStatus(StrEnum):
    """How far a commit can be judged at all."""

    NO_CHARTER = "no charter"
    ERRORS = "a charter with errors"
    STOPPED = "stopped"
    JUDGED = "judged"


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """One line of `done` beside what was measured for it."""

    subject: str
    bound: str
    measured: str
    verdict: str
    met: bool


@dataclass(frozen=True, slots=True)
class InfraView:
    """The entries of `infra` by what they say."""

    in_place: tuple[str, ...] = ()
    unneeded: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrillView:
    """A rollback that was tried."""

    on: date
    took: str
    within: str | None


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A goalpost that is judged as it stood, and what the change would make of it."""

    subject: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class GateView:
    """What the summary of the check run `POC ship gate` is made of, and the texts beside it."""

    occasion: Occasion
    standing: GateStatus
    ready: bool
    observe: bool
    environment: str | None
    owner: str | None
    ship_by: date | None
    rows: tuple[ThresholdRow, ...]
    self_reported: tuple[str, ...]
    """Whose numbers stand in files of the repository."""
    vouched: tuple[str, ...]
    """Whose numbers a workflow run sent."""
    drill: DrillView | None
    infra: InfraView
    platform: str | None
    requested: bool
    asked_on: date | None
    request_number: int | None
    request_url: str | None
    signed: tuple[Person, ...]
    open: tuple[Person, ...]
    held: tuple[HeldRow, ...]
    """Eased by this change and not signed, so judged as before it."""
    holders: tuple[Person, ...]
    """Who signs what is held."""
    paused_until: date | None
    paused_because: str | None
    stopped_on: date | None
    stopped_because: str | None
    base_ref: str
    charter_url: str

    contained: bool
    """Whether the commit is the ship request's head, or on the default branch."""
    unasked: bool
    """Whether all is there but somebody who asks to ship."""

    @property
    def met(self) -> int:
        """How many thresholds are met."""
        return sum(row.met for row in self.rows)


def gate_view(
    gate: Gate, *, base_ref: str = "", charter_url: str = "", request_url: str | None = None
) -> GateView:
    """Lay a verdict out for its template; the messages that show no link need no addresses."""
    facts, charter = gate.facts, gate.facts.charter or Charter(line=1)
    signoffs, paused, stopped = charter.signoffs, charter.paused, charter.stopped
    held = tuple(_held(facts.unsigned))
    return GateView(
        occasion=facts.occasion,
        standing=standing(gate),
        ready=gate.ready,
        observe=facts.observe,
        environment=charter.target.environment.value if charter.target.environment else None,
        owner=charter.owner.value if charter.owner else None,
        ship_by=charter.ship_by.value if charter.ship_by else None,
        rows=tuple(_row(result) for result in _results(gate)),
        self_reported=_of_level(facts.results, Level.SELF_REPORTED),
        vouched=_of_level(facts.results, Level.MEASURED),
        drill=_drill(charter),
        infra=_infra(charter),
        platform=signoffs.platform.value if signoffs.platform else None,
        requested=facts.request_number is not None,
        asked_on=facts.asked_on,
        request_number=facts.request_number,
        request_url=request_url,
        signed=tuple((NAMES[group], given.login) for group, given in facts.signatures.items() if given),
        open=tuple((gap.about.replace("_", " "), gap.login) for gap in of_kind(gate, GapKind.SIGNATURE)),
        held=held,
        holders=_signers(facts.unsigned, charter) if held else (),
        paused_until=paused.value.until if paused and of_kind(gate, GapKind.PAUSED) else None,
        paused_because=paused.value.reason if paused else None,
        stopped_on=stopped.value.on if stopped else None,
        stopped_because=stopped.value.reason if stopped else None,
        base_ref=base_ref,
        charter_url=charter_url,
        contained=facts.contained,
        unasked=bool(gate.gaps) and all(gap.kind is GapKind.REQUEST for gap in gate.gaps),
    )


def standing(gate: Gate) -> GateStatus:
    """How far the commit can be judged."""
    if of_kind(gate, GapKind.STOPPED):
        return GateStatus.STOPPED
    if gate.facts.charter is None:
        return GateStatus.NO_CHARTER
    return GateStatus.ERRORS if of_kind(gate, GapKind.CHARTER) else GateStatus.JUDGED


def of_kind(gate: Gate, kind: GapKind) -> tuple[Gap, ...]:
    """The gaps of one kind."""
    return tuple(gap for gap in gate.gaps if gap.kind is kind)


def _results(gate: Gate) -> tuple[Result, ...]:
    """One for each threshold, also where nobody looked for its number."""
    judged = gate.facts.results
    return (*judged, *(gap.result for gap in gate.gaps if gap.result and gap.result not in judged))


def _row(result: Result) -> ThresholdRow:
    return ThresholdRow(
        subject=subject(result.threshold),
        bound=bound_text(result.threshold),
        measured=measured_text(result),
        verdict=verdict_text(result),
        met=result.met,
    )


def _of_level(results: Sequence[Result], level: Level) -> tuple[str, ...]:
    """The metrics with a number of that level, each once."""
    found = (
        each.threshold.metric for each in results if each.measurement and each.measurement.level is level
    )
    return tuple(dict.fromkeys(found))


def _drill(charter: Charter) -> DrillView | None:
    rollback = charter.rollback
    if rollback.drilled is None:
        return None
    drill = rollback.drilled.value
    return DrillView(drill.on, drill.took.text, rollback.within.value.text if rollback.within else None)


def _infra(charter: Charter) -> InfraView:
    kinds = {name: getattr(charter.infra, name) for name in charter.infra.__slots__}
    said = {name: entry.value.kind for name, entry in kinds.items() if entry}
    return InfraView(
        in_place=tuple(name for name, kind in said.items() if kind in (InfraKind.PATH, InfraKind.URL)),
        unneeded=tuple(name for name, kind in said.items() if kind is InfraKind.NOT_APPLICABLE),
        missing=tuple(name for name, kind in said.items() if kind is InfraKind.MISSING),
    )


def _held(unsigned: Sequence[Move]) -> Iterator[HeldRow]:
    for move in unsigned:
        yield HeldRow(SUBJECTS.get(move.field, move.subject), move.before, move.now)


def _signers(moves: Sequence[Move], charter: Charter) -> tuple[Person, ...]:
    people = {group: getattr(charter.signoffs, group) for group in reopened(moves)}
    return tuple((NAMES[group], signer and signer.value) for group, signer in people.items())


LONGEST = 240
COUNTED = {
    Status.MISSED: "missed",
    Status.NOT_MEASURED: "not measured",
    Status.TOO_OLD: "too old",
    Status.WRONG_ENVIRONMENT: "from another environment",
    Status.WRONG_CONDITIONS: "under other conditions",
    Status.TOO_FEW: "with too few samples",
    Status.IMPLAUSIBLE: "implausible",
    Status.SELF_REPORTED: "only self-reported",
}


def gate_title(gate: Gate) -> str:
    """The verdict in a few words."""
    title = _ordinary(gate) if gate.facts.occasion is Occasion.ORDINARY else _verdict(gate)
    return f"{title} (observing)" if gate.facts.observe else title


def _verdict(gate: Gate) -> str:
    if gate.ready:
        return "Ready to ship"
    match standing(gate):
        case GateStatus.STOPPED:
            missing = ["stopped on purpose"]
        case GateStatus.NO_CHARTER:
            missing = ["no charter"]
        case GateStatus.ERRORS:
            missing = ["the charter has errors"]
        case GateStatus.JUDGED:
            missing = list(_counted(gate))
    return _fitting("Not ready to ship", missing)


def _ordinary(gate: Gate) -> str:
    """Where nobody is asked to ship by this commit: what is missing, without a verdict."""
    lead = "Missing for shipping"
    if gate.ready:
        return "Ready to ship"
    match standing(gate):
        case GateStatus.STOPPED:
            return "Stopped on purpose"
        case GateStatus.NO_CHARTER:
            return f"{lead}: a charter"
        case GateStatus.ERRORS:
            return f"{lead}: a charter without errors"
        case GateStatus.JUDGED:
            missing = list(_named(gate))
    if pause := _pause(gate):
        return (
            _fitting(f"{pause[:1].upper()}{pause[1:]}; {lead.lower()}", missing)
            if missing
            else pause.capitalize()
        )
    return _fitting(lead, missing) if missing else "Numbers met; nobody has asked to ship this"


def _counted(gate: Gate) -> Iterator[str]:
    """What is missing, each kind once, as a verdict says it: `1 missed`, `2 signatures open`."""
    if pause := _pause(gate):
        yield pause
    found = Counter(gap.result.status for gap in gate.gaps if gap.result)
    yield from (f"{found[status]} {words}" for status, words in COUNTED.items() if found[status])
    if infra := _missing_infra(gate):
        yield f"{infra} missing"
    if of_kind(gate, GapKind.ROLLBACK):
        yield "rollback not drilled"
    if of_kind(gate, GapKind.REQUEST):
        yield "nobody has asked to ship"
    if signatures := _signatures(gate):
        yield f"{signatures} open"
    if of_kind(gate, GapKind.COMMIT):
        yield "not the commit that was asked for"


def _named(gate: Gate) -> Iterator[str]:
    """The same as a list of things: `2 of 4 thresholds`, `a rollback drill`."""
    if unmet := len(of_kind(gate, GapKind.THRESHOLD)):
        yield f"{unmet} of {max(unmet, len(gate.facts.results))} thresholds"
    if infra := _missing_infra(gate):
        yield infra
    if of_kind(gate, GapKind.ROLLBACK):
        yield "a rollback drill"
    if signatures := _signatures(gate):
        yield signatures


def _pause(gate: Gate) -> str:
    paused = gate.facts.charter.paused if gate.facts.charter else None
    return f"paused until {paused.value.until}" if paused and of_kind(gate, GapKind.PAUSED) else ""


def _missing_infra(gate: Gate) -> str:
    missing = tuple(gap.about for gap in of_kind(gate, GapKind.INFRA))
    return listed(missing) if missing else ""


def _signatures(gate: Gate) -> str:
    open_ = len(of_kind(gate, GapKind.SIGNATURE))
    return f"{open_} signature{'s' * (open_ != 1)}" if open_ else ""


def _fitting(lead: str, parts: Sequence[str]) -> str:
    """As many parts as fit, in their order; there is always one."""
    for shown in range(len(parts), 0, -1):
        more = [] if shown == len(parts) else ["and more"]
        title = f"{lead}: {', '.join([*parts[:shown], *more])}"
        if len(title) <= LONGEST:
            return title
    return lead
