"""The page of one POC: where it stands, what is asked, and where each value comes from.

Over 300 lines: the page has a dozen parts, each of them a view and how it is laid out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from urllib.parse import quote

from service.pages.calendar import Axis, Strip, axis, says, spans_of, strip
from service.pages.words import Ball, ball_of, slips_of, state_words
from service.rules.charter.goalposts import moved
from service.rules.charter.metrics import canonical_name
from service.rules.charter.model import Charter
from service.rules.charter.quantity import canonical
from service.rules.charter.units import unit_of
from service.rules.charter.values import InfraKind
from service.rules.checks.judge import Judgement, judge_standing
from service.rules.gate.lifecycle import State
from service.rules.gate.overview import WAIVED, JudgedThreshold
from service.rules.gate.signoffs import Round, Signature, named, standing
from service.rules.gate.uncounted import SigningFacts, Uncounted, uncounted
from service.rules.policy.model import NO_POLICY, Mode, Policy
from service.rules.policy.observing import mode_of
from service.rules.source.text import CHARTER_PATH, in_words
from service.rules.stall.forecast import forecast, outlook
from service.rules.stall.waiting_on import Party, Wants
from service.rules.values.groups import Group
from service.store.portfolio import Number, OnePoc, PostedCheck
from service.texts.forecast import outlook_text
from service.texts.goalposts import NAMES, counted

SHOWN_HISTORY = 30
"""Numbers that a bullet shows."""
ROOM = 1.25
"""How far a bullet's line goes beyond the largest number on it."""


@dataclass(frozen=True, slots=True)
class Action:
    """The next thing to do, and where on GitHub."""

    text: str
    href: str


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


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs for a group, and what they signed: a day and a place, None where it is open."""

    group: str
    login: str | None
    start: Signature | None
    ship: Signature | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of `infra`."""

    name: str
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check run of ours, with the place on GitHub."""

    posted: PostedCheck
    day: date
    where: str
    href: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A rule with its value, and where the value comes from."""

    rule: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class VersionView:
    """A charter of the default branch, and what it moved."""

    day: date
    by: str
    sha: str
    href: str
    moves: str


@dataclass(frozen=True, slots=True)
class PocView:
    """The page."""

    full_name: str
    repository_id: int
    href: str
    title: str
    summary: str
    state: str
    ended: bool
    since: date
    ball: Ball
    action: Action | None
    paused: str
    stopped: str
    ship_by: date | None
    late: bool
    slips: str
    outlook: str
    """What past signatures say of the ship date; empty where nothing is known or none is missing."""
    owner: str
    budget: str
    bullets: tuple[Bullet, ...]
    met: int
    waived: int
    strip: Strip
    axis: Axis
    events: tuple[tuple[date, str], ...]
    signers: tuple[Signer, ...]
    uncounted: tuple[Uncounted, ...]
    infra: tuple[Entry, ...]
    checks: tuple[Check, ...]
    findings: tuple[tuple[str, str, int, str], ...]
    facts: tuple[Fact, ...]
    versions: tuple[VersionView, ...]
    commands: tuple[tuple[str, str], ...]
    issue: str
    today: date
    now: datetime
    zone: str
    web_url: str


def poc_view(
    stored: OnePoc,
    now: datetime,
    *,
    web_url: str,
    observe: bool | None,
    level: str,
    zone: tzinfo | None = None,
) -> PocView:
    """Lay out what is stored of a POC; `observe` and `level` are the service's own settings.

    Its dates are in `zone`, or else in its organisation's.
    """
    given = stored.record.policy
    if zone:
        stored = replace(stored, record=replace(stored.record, policy=stored.record.policy.in_zone(zone)))
    summary, record = stored.summary, stored.record
    known, policy = summary.known, record.policy
    calendar = policy.calendar
    today = calendar.day(now)
    judgement = judge_standing(known.charter, today, policy) if known.charter else Judgement(declared=False)
    charter = judgement.charter or Charter(line=1)
    full_name = known.repository.full_name
    href = f"{web_url}/{full_name}"
    began = calendar.day(known.began_at)
    spans = spans_of(stored.calendars, began, today, calendar)
    line = axis(today, [began], [summary.ship_by] if summary.ship_by else [])
    ball = ball_of(summary, calendar, today)
    bullets = tuple(_bullets(stored))
    return PocView(
        full_name=full_name,
        repository_id=known.repository.id,
        href=href,
        title=charter.title or full_name.partition("/")[2],
        summary=charter.summary or "",
        state=state_words(summary.state),
        ended=summary.state.has_ended,
        since=calendar.day(summary.shipped_at or summary.state_since),
        ball=ball,
        action=_action(stored, charter, href),
        paused=_paused(charter, today),
        stopped=charter.stopped.value.reason if charter.stopped else "",
        ship_by=summary.ship_by,
        late=bool(summary.ship_by and summary.ship_by < today and not summary.state.has_ended),
        slips=slips_of(summary),
        outlook=_outlook(stored, charter, today),
        owner=charter.owner_login or "",
        budget=charter.budget.value.text if charter.budget else "",
        bullets=bullets,
        met=sum(each.judged.met for each in bullets),
        waived=sum(each.judged.status == WAIVED for each in bullets),
        strip=strip(spans, line, today, summary.ship_by),
        axis=line,
        events=tuple((span.first, says(span)) for span in reversed(spans)),
        signers=tuple(_signers(stored, charter)),
        uncounted=_uncounted(stored, charter, policy),
        infra=tuple(_infra(charter)),
        checks=tuple(_checks(stored, href)),
        findings=tuple(
            (each.code, each.message, each.line, str(each.severity)) for each in judgement.findings
        ),
        facts=tuple(_facts(stored, charter, given, observe=observe, level=level)),
        versions=tuple(_versions(stored, today, href)),
        commands=COMMANDS_OF_ENDED if summary.state.has_ended else COMMANDS,
        issue=summary.issue_url or "",
        today=today,
        now=now.astimezone(calendar.zone),
        zone=str(calendar.zone),
        web_url=web_url,
    )


RECHECK = ("/poc recheck", "check everything again")
COMMANDS_OF_ENDED = (RECHECK,)
COMMANDS = (
    ("/poc sign", "sign the charter that is on the default branch"),
    ("/poc ship", "ask to ship, on the pull request that ships it"),
    ("/poc snooze 14d waiting for the data contract", "have us ask nobody for two weeks"),
    ("/poc extend 2027-03-15 load test moved", "get the charter's line for another ship date"),
    ("/poc waive latency_p95 until 2027-03-15 new cluster", "get the charter's line to ship without it"),
    ("/poc stop the baseline was good enough", "get the charter's line to stop it on purpose"),
    RECHECK,
)


def _paused(charter: Charter, today: date) -> str:
    pause = charter.paused.value if charter.paused else None
    return f"paused until {in_words(pause.until)}: {pause.reason}" if pause and pause.until >= today else ""


def _action(stored: OnePoc, charter: Charter, href: str) -> Action | None:  # noqa: PLR0911 - a place, a return
    """The next action, with the place where it is done."""
    summary = stored.summary
    waiting_on = summary.waiting_on
    if waiting_on is None or waiting_on.party is Party.NOBODY or summary.state.has_ended:
        return None
    branch = quote(summary.known.repository.default_branch)
    if waiting_on.number:
        return Action(f"Open #{waiting_on.number}", f"{href}/pull/{waiting_on.number}")
    if waiting_on.wants is Wants.CHARTER and charter.poc is None:
        return Action("Write the charter", f"{href}/new/{branch}?filename={CHARTER_PATH}")
    if waiting_on.wants in (Wants.CHARTER, Wants.MEND_CHARTER, Wants.INFRA):
        return Action("Edit the charter", f"{href}/edit/{branch}/{CHARTER_PATH}")
    if waiting_on.party is Party.BLOCKER:
        name, _, number = waiting_on.about.rpartition("#")
        place = f"{href.rsplit('/', 2)[0]}/{name}" if name else href
        return Action(f"Open {waiting_on.about}", f"{place}/issues/{number}")
    if summary.issue_url:
        return Action("Open the stall issue", summary.issue_url)
    if waiting_on.wants is Wants.START_SIGNATURE:
        return Action("Write /poc sign in an issue", f"{href}/issues")
    return Action("Open the pull requests", f"{href}/pulls")


def _bullets(stored: OnePoc) -> Iterator[Bullet]:
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


def _outlook(stored: OnePoc, charter: Charter, today: date) -> str:
    if stored.summary.state is not State.PROPOSED:
        return ""
    calendar = stored.record.policy.calendar
    missing = [group for group, given in _rounds(stored, charter)[0].items() if given is None]
    known = forecast(stored.past_turns, calendar)
    found = outlook(known, missing, ship_by=stored.summary.ship_by, today=today, calendar=calendar)
    return outlook_text(found) if found else ""


def _signers(stored: OnePoc, charter: Charter) -> Iterator[Signer]:
    start, ship = _rounds(stored, charter)
    for group in charter.signoffs.groups:
        yield Signer(NAMES[group], named(charter, group), start.get(group), ship.get(group))


def _uncounted(stored: OnePoc, charter: Charter, policy: Policy) -> tuple[Uncounted, ...]:
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


def _infra(charter: Charter) -> Iterator[Entry]:
    for name, entry in charter.infra.entries:
        if entry is None:
            yield Entry(name, "not named", "")
            continue
        match entry.value.kind:
            case InfraKind.MISSING:
                yield Entry(name, "missing", entry.value.text.removeprefix("missing").strip(" -"))
            case InfraKind.NOT_APPLICABLE:
                yield Entry(name, "not needed", entry.value.text)
            case InfraKind.PATH | InfraKind.URL:
                yield Entry(name, "in place", entry.value.text)
    drill = charter.rollback.drilled
    yield Entry(
        "rollback",
        f"drilled on {in_words(drill.value.on)}" if drill else "not drilled",
        charter.rollback.how.value if charter.rollback.how else "",
    )


def _checks(stored: OnePoc, href: str) -> Iterator[Check]:
    to_day = stored.record.policy.calendar.day
    for posted in sorted(stored.checks, key=lambda each: (each.number or 0, each.name)):
        where = f"#{posted.number}" if posted.number else stored.summary.known.repository.default_branch
        link = f"{href}/runs/{posted.github_id}" if posted.github_id else ""
        yield Check(posted, to_day(posted.at), where, link)


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


def _facts(
    stored: OnePoc, charter: Charter, policy: Policy, *, observe: bool | None, level: str
) -> Iterator[Fact]:
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
    yield Fact("A number counts for", f"{policy.evidence_days} days", own)
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


def _versions(stored: OnePoc, today: date, href: str) -> Iterator[VersionView]:
    """The charters of the default branch, newest first, each with what it moved."""
    found, before = [], None
    for each in stored.versions:
        charter = judge_standing(each.file, today).charter if each.file and each.file.data else None
        moves = moved(before, charter) if before and charter else ()
        says_moved = counted(moves) if moves else "" if charter else "its text wasn't kept"
        found.append(
            VersionView(
                stored.record.policy.calendar.day(each.at),
                each.by,
                each.sha[:7],
                f"{href}/blob/{each.sha}/{CHARTER_PATH}",
                says_moved,
            )
        )
        before = charter or before
    return reversed(found)
