"""The ship gate: what its templates show beside the verdict itself, and its title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from service.rules.charter.goalposts import Move
from service.rules.charter.model import Charter
from service.rules.charter.values import InfraKind, Pause
from service.rules.evidence.values import Measurement, Result, Status
from service.rules.gate.signoffs import named
from service.rules.gate.verdict import Gap, GapKind, Gate, Occasion
from service.rules.source.text import in_words, listed
from service.rules.values.groups import Group, Level
from service.texts.goalposts import NAMES, SUBJECTS, Person
from service.texts.markdown import plural


class GateStatus(StrEnum):
    """How far a commit can be judged at all."""

    NO_CHARTER = "no charter"
    ERRORS = "a charter with errors"
    STOPPED = "stopped"
    LEFT = "left"
    JUDGED = "judged"


@dataclass(frozen=True, slots=True)
class Approved:
    """An earlier commit that was approved, by whom, and what came after it."""

    sha: str
    people: tuple[Person, ...]
    commits: int | None
    url: str
    again: bool
    """Whether they have to approve again."""


@dataclass(frozen=True, slots=True)
class GateView:
    """A verdict as the summary of the check run `POC ship gate` shows it, and the texts beside it."""

    gate: Gate
    charter: Charter
    """The one judged by; an empty one where there is none."""
    standing: GateStatus
    rows: tuple[Result, ...]
    """One for each threshold, also where its number was never read."""
    in_place: tuple[str, ...]
    """The entries of `infra` that are there."""
    missing: tuple[str, ...]
    """Those that are `missing`."""
    platform: str | None
    product: str | None
    signed: tuple[Person, ...]
    open: tuple[Person, ...]
    earlier: tuple[Approved, ...]
    holders: tuple[Person, ...]
    """Who has not signed what was eased."""
    base_ref: str
    charter_url: str
    observing: date | None = None
    """Since when nothing is held up here."""

    @property
    def met(self) -> int:
        """How many thresholds are met."""
        return sum(row.met for row in self.rows)

    @property
    def waived(self) -> int:
        """How many may be missed for now."""
        return sum(row.waived is not None for row in self.rows)

    @property
    def unmet(self) -> tuple[Result, ...]:
        """Those that are neither met nor waived."""
        return tuple(row for row in self.rows if not row.lets_ship)

    @property
    def pause(self) -> Pause | None:
        """The charter's pause, while it lasts."""
        return (
            self.charter.paused.value if self.charter.paused and of_kind(self.gate, GapKind.PAUSED) else None
        )

    @property
    def self_reported(self) -> tuple[str, ...]:
        """The metrics whose numbers stand in files of the repository."""
        return self._metrics(lambda number: number.is_from_file)

    @property
    def typed(self) -> tuple[str, ...]:
        """The metrics whose numbers a workflow run sent with an environment that it wrote itself."""
        return self._metrics(lambda number: number.level is Level.SELF_REPORTED and not number.is_from_file)

    @property
    def vouched(self) -> tuple[str, ...]:
        """The metrics whose numbers a workflow run sent from the environment of its job."""
        return self._metrics(lambda number: number.level is Level.MEASURED)

    def _metrics(self, wanted: Callable[[Measurement], bool]) -> tuple[str, ...]:
        found = (row.threshold.metric for row in self.rows if row.measurement and wanted(row.measurement))
        return tuple(dict.fromkeys(found))


def gate_view(
    gate: Gate,
    *,
    base_ref: str = "",
    charter_url: str = "",
    compare_url: str = "",
    observing: date | None = None,
) -> GateView:
    """Lay a verdict out for its template; the messages that show no link need no addresses."""
    facts, charter = gate.facts, gate.facts.charter or Charter(line=1)
    infra = {name: entry.value.kind for name, entry in charter.infra.entries if entry}
    return GateView(
        gate=gate,
        charter=charter,
        standing=standing(gate),
        rows=_results(gate),
        in_place=tuple(name for name, kind in infra.items() if kind in (InfraKind.PATH, InfraKind.URL)),
        missing=tuple(charter.infra.missing),
        platform=named(charter, Group.PLATFORM),
        product=named(charter, Group.PRODUCT),
        signed=tuple((NAMES[group], given.signer) for group, given in facts.signatures.items() if given),
        open=tuple((NAMES[Group(gap.about)], gap.login) for gap in of_kind(gate, GapKind.SIGNATURE)),
        earlier=tuple(_earlier(gate, compare_url)),
        holders=tuple((NAMES[group], login) for group, login in facts.holders.items()),
        base_ref=base_ref,
        charter_url=charter_url,
        observing=observing,
    )


def _earlier(gate: Gate, compare_url: str) -> Iterator[Approved]:
    """The approvals of commits that are not the newest, by the commit."""
    facts = gate.facts
    given = {**facts.signatures, **facts.outdated}
    for sha, commits in facts.newer.items():
        of = {group: each for group, each in given.items() if each and each.commit == sha}
        yield Approved(
            sha,
            tuple((NAMES[group], each.signer) for group, each in of.items()),
            commits,
            f"{compare_url}{sha}...{facts.head_sha}" if compare_url else "",
            any(group in facts.outdated for group in of),
        )


def move_subject(move: Move) -> str:
    """What a goalpost is about, in the words of the tables."""
    return SUBJECTS.get(move.field, move.subject)


def standing(gate: Gate) -> GateStatus:
    """How far the commit can be judged."""
    if of_kind(gate, GapKind.LEFT):
        return GateStatus.LEFT
    if of_kind(gate, GapKind.STOPPED):
        return GateStatus.STOPPED
    if gate.facts.charter is None:
        return GateStatus.NO_CHARTER
    return GateStatus.ERRORS if of_kind(gate, GapKind.CHARTER) else GateStatus.JUDGED


def of_kind(gate: Gate, kind: GapKind) -> tuple[Gap, ...]:
    """The gaps of one kind."""
    return tuple(gap for gap in gate.gaps if gap.kind is kind)


def _results(gate: Gate) -> tuple[Result, ...]:
    """One for each threshold, also where its number was never read."""
    judged = gate.facts.results
    return (*judged, *(gap.result for gap in gate.gaps if gap.result and gap.result not in judged))


LONGEST = 240
MOST_NAMED = 2
COUNTED = {
    Status.MISSED: "missed",
    Status.UNDECIDED: "undecided",
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
        return f"Ready to ship{_waived(gate)}"
    match standing(gate):
        case GateStatus.STOPPED:
            missing = ["stopped on purpose"]
        case GateStatus.LEFT:
            missing = ["not a POC any more"]
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
    match standing(gate):
        case GateStatus.STOPPED:
            return "Stopped on purpose"
        case GateStatus.LEFT:
            return "Not a POC any more"
        case GateStatus.NO_CHARTER:
            return f"{lead}: a charter"
        case GateStatus.ERRORS:
            return f"{lead}: a charter without errors"
        case GateStatus.JUDGED:
            missing = list(_named(gate))
    pause = _pause(gate)
    pause = pause[:1].upper() + pause[1:]
    if not missing:
        return pause or f"Numbers met{_waived(gate)}"
    return _fitting(f"{pause}; {lead.lower()}" if pause else lead, missing)


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
    if signatures := len(of_kind(gate, GapKind.SIGNATURE)):
        yield f"{plural(signatures, 'signature')} open"
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


def _pause(gate: Gate) -> str:
    paused = gate.facts.charter.paused if gate.facts.charter else None
    return f"paused until {in_words(paused.value.until)}" if paused and of_kind(gate, GapKind.PAUSED) else ""


def _waived(gate: Gate) -> str:
    """What ships although it is missed: `, error_rate waived until 2027-03-15`; empty where nothing does."""
    waived = [row for row in gate.facts.results if row.waived]
    if not waived:
        return ""
    names = tuple(dict.fromkeys(row.threshold.metric for row in waived))
    days = {in_words(row.waived) for row in waived if row.waived}
    said = listed(names) if len(names) <= MOST_NAMED else plural(len(waived), "threshold")
    return f", {said} waived{f' until {days.pop()}' if len(days) == 1 else ''}"


def _missing_infra(gate: Gate) -> str:
    missing = tuple(gap.about for gap in of_kind(gate, GapKind.INFRA))
    return listed(missing) if missing else ""


def _fitting(lead: str, parts: Sequence[str]) -> str:
    """As many parts as fit, in their order; there is always one."""
    for shown in range(len(parts), 0, -1):
        more = [] if shown == len(parts) else ["and more"]
        title = f"{lead}: {', '.join([*parts[:shown], *more])}"
        if len(title) <= LONGEST:
            return title
    return lead
