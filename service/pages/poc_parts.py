"""Parts of the page of one POC: its thresholds as lines, who signs it, what holds for it, and who says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from service.rules.charter.metrics import canonical_name
from service.rules.charter.model import Charter
from service.rules.charter.quantity import canonical
from service.rules.charter.units import unit_of
from service.rules.gate.lifecycle import State
from service.rules.gate.overview import JudgedThreshold
from service.rules.gate.signoffs import Round, Signature, named, standing
from service.rules.gate.uncounted import SigningFacts, Uncounted, uncounted
from service.rules.policy.model import NO_POLICY, Mode, Policy
from service.rules.policy.recognition import mode_of
from service.rules.source.text import CHARTER_PATH, in_words
from service.rules.stall.forecast import forecast, outlook
from service.rules.values.groups import Group
from service.store.portfolio import Number, OnePoc
from service.texts.goalposts import NAMES
from service.texts.markdown import plural
from service.texts.stall import outlook_text

SHOWN_HISTORY = 30
"""Numbers that a bullet shows."""
ROOM = 1.25
"""How far a bullet's line goes beyond the largest number on it."""


@dataclass(frozen=True, slots=True)
class Bullet:
    """A threshold: where its numbers stand on a line, in percent of its length; None without one."""

    judged: JudgedThreshold
    value: float | None
    bar: tuple[float, float] | None
    """Between what it lies by chance alone, on the same line: where that begins, and how long it is."""
    limit: float
    below: bool
    """Whether the good side is below the limit."""
    history: tuple[float, ...]
    numbers: int
    """How many were ever taken."""


def bullets_of(stored: OnePoc) -> Iterator[Bullet]:
    """Each threshold, with the numbers that can be laid on its line."""
    overview = stored.summary.overview
    for judged in overview.thresholds if overview else ():
        past = list(_history(judged, stored.numbers))
        numbers = [*past, judged.limit, *([judged.value] if judged.value is not None else [])]
        end = max(map(abs, numbers)) * ROOM or 1.0
        if judged.limit <= 1 and max(numbers) <= 1:
            end = 1.0  # a share

        def at(number: float, end: float = end) -> float:
            return round(min(max(number / end, 0), 1) * 100, 2)

        yield Bullet(
            judged,
            None if judged.value is None else at(judged.value),
            _bar(judged, at),
            at(judged.limit),
            judged.op.startswith("<"),
            tuple(at(each) for each in past[:SHOWN_HISTORY]),
            len(past),
        )


def _bar(judged: JudgedThreshold, at: Callable[[float], float]) -> tuple[float, float] | None:
    if judged.low is None or judged.high is None:
        return None
    low, high = at(judged.low), at(judged.high)
    return low, round(high - low, 2)


def _history(judged: JudgedThreshold, numbers: Sequence[Number]) -> Iterator[float]:
    """The numbers of a metric that can be laid on the line of its bound, newest first."""
    name = canonical_name(judged.metric)
    for each in numbers:
        unit = unit_of(each.unit) if canonical_name(each.metric) == name else None
        if unit is not None:
            try:
                yield float(canonical(Decimal(each.value), unit))
            except InvalidOperation:  # pragma: no cover - what is stored was read as a number
                continue


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs for a group, and what they signed: a day and a place, None where it is open."""

    group: str
    login: str | None
    start: Signature | None
    ship: Signature | None


def _rounds(
    stored: OnePoc, charter: Charter
) -> tuple[dict[Group, Signature | None], dict[Group, Signature | None]]:
    given, request = stored.record.standing, stored.record.poc.request
    start = dict(standing(charter, given, Round.START))
    ship: dict[Group, Signature | None] = {}
    if request:
        ship = dict(standing(charter, given, Round.SHIP, number=request.number, since=request.asked_at))
    if request and stored.record.poc.proven_at:
        # The request may bring another charter: whose signature is missing is what its gate found out.
        for each in given:
            asked = (each.round, each.number) == (Round.SHIP, request.number)
            if asked and each.group not in stored.record.poc.unsigned:
                ship[each.group] = each
    return start, ship


def outlook_of(stored: OnePoc, charter: Charter, today: date) -> str:
    """What past signatures say of the ship date; empty where nothing is known or none is missing."""
    if stored.summary.state is not State.PROPOSED:
        return ""
    calendar = stored.record.policy.calendar
    missing = [group for group, given in _rounds(stored, charter)[0].items() if given is None]
    known = forecast(stored.past_turns, calendar)
    found = outlook(known, missing, ship_by=stored.summary.ship_by, today=today, calendar=calendar)
    return outlook_text(found) if found else ""


def signers_of(stored: OnePoc, charter: Charter) -> Iterator[Signer]:
    """Everybody who signs."""
    start, ship = _rounds(stored, charter)
    for group in charter.signoffs.groups:
        yield Signer(NAMES[group], named(charter, group), start.get(group), ship.get(group))


def uncounted_of(stored: OnePoc, charter: Charter, policy: Policy) -> tuple[Uncounted, ...]:
    """Approvals that do not count, and why."""
    request = stored.record.poc.request
    facts = SigningFacts(
        charter,
        [(each.signature, each.withdrawn) for each in stored.record.signatures],
        _rounds(stored, charter),
        policy,
        (request.number, request.asked_at) if request else None,
        stored.accounts,
    )
    return uncounted(facts, stored.reviews)


@dataclass(frozen=True, slots=True)
class Fact:
    """A rule with its value, and where the value comes from."""

    rule: str
    value: str
    source: str


def _mode(stored: OnePoc, policy: Policy, own: str, *, observe: bool | None) -> Fact:
    """Whether things are held up, and who says so."""
    installation = stored.record.installation
    switched = installation.switched if installation else None
    begins = installation.begins_observing if installation else True
    default = None if observe is None else Mode.OBSERVE if observe else Mode.ENFORCE
    repository = stored.record.known.repository
    mode = mode_of(policy, repository, switched=switched, default=default, begins=begins)
    if switched:
        whose = f"an operator, by poc-governor {switched}"
    elif mode_of(policy, repository, default=None, begins=False) is mode and policy.mode:
        whose = own
    else:
        whose = "MODE of the service" if default else "how an installation starts; poc-policy.yml decides"
    return Fact("Checks and issues", str(mode), whose)


def facts_of(
    stored: OnePoc, charter: Charter, policy: Policy, *, observe: bool | None, level: str
) -> Iterator[Fact]:
    """What holds, what it is, and who says so; `observe` and `level` are the service's own settings."""
    record, day = stored.record, policy.calendar.day
    own = "poc-policy.yml" if policy is not NO_POLICY else "the default; poc-policy.yml can change it"
    known = record.known
    yield Fact(
        "It is a POC", known.poc_reason or "not any more", "the policy's selectors, or the charter itself"
    )
    yield _mode(stored, policy, own, observe=observe)
    if known.charter_changed_at:
        yield Fact(
            "The charter",
            f"as of {in_words(day(known.charter_changed_at))}",
            f"{CHARTER_PATH} on {known.repository.default_branch}",
        )
    limits = policy.limits
    yield Fact("Anybody we ask has", f"{limits.waiting} working days", own)
    share = f"{limits.share * 100:f}".rstrip("0").rstrip(".")
    yield Fact(
        "The owner has",
        f"{share} % of the planned working days, {limits.shortest} to {limits.longest}",
        own,
    )
    yield Fact("A number counts for", plural(policy.evidence_days, "calendar day"), own)
    yield Fact("Numbers that count", level, "EVIDENCE_LEVEL of the service, or the policy")
    places = [each.value for each in (charter.target.measured_in, charter.target.environment) if each]
    if places:
        yield Fact("Numbers come from", " or ".join(places), f"`target` in {CHARTER_PATH}")
    if access := record.poc.owner:
        yield Fact(
            f"Access of the owner, {access.login}",
            str(access.access),
            f"GitHub, on {in_words(day(access.asked_at))}",
        )
    if record.poc.environment:
        yield Fact(
            "Held until it ships", record.poc.environment, "the environment that platform signed for last"
        )
    if stored.looked_at:
        yield Fact("Looked at last", in_words(day(stored.looked_at)), "this service")
