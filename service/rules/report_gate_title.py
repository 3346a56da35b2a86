"""The ship gate's title: the verdict, and what is missing by kind, in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from service.rules.charter.wording import listed
from service.rules.evidence.values import Status
from service.rules.gate import GapKind, Gate, Occasion
from service.rules.report_gate import Standing, of_kind, standing

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
        case Standing.STOPPED:
            missing = ["stopped on purpose"]
        case Standing.NO_CHARTER:
            missing = ["no charter"]
        case Standing.ERRORS:
            missing = ["the charter has errors"]
        case Standing.JUDGED:
            missing = list(_counted(gate))
    return _fitting("Not ready to ship", missing)


def _ordinary(gate: Gate) -> str:
    """Where nobody is asked to ship by this commit: what is missing, without a verdict."""
    lead = "Missing for shipping"
    if gate.ready:
        return "Ready to ship"
    match standing(gate):
        case Standing.STOPPED:
            return "Stopped on purpose"
        case Standing.NO_CHARTER:
            return f"{lead}: a charter"
        case Standing.ERRORS:
            return f"{lead}: a charter without errors"
        case Standing.JUDGED:
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
    if infra := _infra(gate):
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
    if infra := _infra(gate):
        yield infra
    if of_kind(gate, GapKind.ROLLBACK):
        yield "a rollback drill"
    if signatures := _signatures(gate):
        yield signatures


def _pause(gate: Gate) -> str:
    paused = gate.facts.charter.paused if gate.facts.charter else None
    return f"paused until {paused.value.until}" if paused and of_kind(gate, GapKind.PAUSED) else ""


def _infra(gate: Gate) -> str:
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
