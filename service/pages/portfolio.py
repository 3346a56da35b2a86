"""The portfolio: what ships next, what waits longest, what needs a decision, where the days go."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from service.pages import words
from service.pages.asked import PARTIES, address, usual_sort
from service.pages.calendar import Axis, Strip, axis, spans_of, strip
from service.pages.words import Ball, ball_of
from service.rules.checks.judge import judge_standing
from service.rules.gate.lifecycle import State
from service.rules.policy.model import NO_POLICY
from service.rules.stall.forecast import Took, forecast
from service.rules.stall.time_spent import LAST_DAYS, Kind, Span
from service.rules.stall.waiting_on import ISSUE
from service.rules.values.calendar import USUAL, Calendar
from service.store.portfolio import Account, Asked, Found, PocSummary, Portfolio, Sort, Tab
from service.texts.markdown import plural
from service.texts.stall import record_lines


@dataclass(frozen=True, slots=True)
class Link:
    """A link of ours; `count` where it leads to a number of things."""

    text: str
    href: str
    here: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A POC in one of the boxes."""

    name: str
    href: str
    strong: str
    says: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A POC in the table."""

    full_name: str
    href: str
    """Empty where the reader may see the row only."""
    owner: str
    state: str
    ball: Ball
    ship_by: date | None
    late: bool
    slips: str
    met: int | None
    thresholds: int | None
    waived: int
    strip: Strip
    ended: date | None
    stop_cause: str
    """The class of the reason; empty where none was given."""
    reason: str


@dataclass(frozen=True, slots=True)
class Days:
    """A line of where the days went."""

    party: str
    kind: str
    days: int
    width: float


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """The page."""

    account: str
    now: datetime
    zone: str
    today: date
    asked: Asked
    tabs: tuple[Link, ...]
    next: tuple[Named, ...]
    longest: tuple[Named, ...]
    decide: tuple[Named, ...]
    deciding: int
    days: tuple[Days, ...]
    counted_on: date | None
    last_days: int
    record: tuple[tuple[str, Took, str], ...]
    """What signatures took here; empty under five turns, or where several organisations are shown."""
    causes: tuple[tuple[str, int], ...]
    """Why POCs were stopped, the most frequent class first."""
    waiting: tuple[Link, ...]
    """The parties that POCs wait for."""
    parties: tuple[str, ...]
    heads: Mapping[str, Link]
    rows: tuple[Row, ...]
    found: int
    pages: int
    axis: Axis
    previous: str
    following: str
    csv: str
    json: str
    total: int


def read_portfolio(
    store: Portfolio,
    asked: Asked,
    now: datetime,
    *,
    visible: Collection[int] | None,
    rows_only: Collection[int] = (),
    zone: tzinfo | None = None,
) -> PortfolioView:
    """Read and lay out, in a zone or else each organisation's; of `rows_only` no text is shown."""
    both = None if visible is None else {*visible, *rows_only}
    accounts = {each: _in_zone(account, zone) for each, account in store.accounts_of(both).items()}
    first = next(iter(accounts.values()), None)
    calendar = first.policy.calendar if first else replace(USUAL, zone=zone or USUAL.zone)
    today = calendar.day(now)
    found = store.find(both, asked, today)
    since = now - timedelta(days=200)
    stored = store.calendars({each.poc_id: each.known.repository.id for each in found.page}, since)
    spans = {
        each.poc_id: spans_of(
            stored[each.poc_id],
            max(_calendar(accounts, each).day(each.known.began_at), today - timedelta(days=LAST_DAYS * 2)),
            today,
            _calendar(accounts, each),
        )
        for each in found.page
    }
    line = axis(
        today,
        [each[0].first for each in spans.values() if each],
        [each.ship_by for each in found.page if each.ship_by],
    )
    hidden = frozenset(rows_only)

    def row(each: PocSummary) -> Row:
        policy = (
            accounts[each.known.installation_id].policy
            if each.known.installation_id in accounts
            else NO_POLICY
        )
        may_read = each.known.repository.id not in hidden
        return Row(
            full_name=each.known.repository.full_name,
            href=f"/pocs/{each.known.repository.full_name}" if may_read else "",
            owner=each.owner or "",
            state=words.state_words(each.state),
            ball=ball_of(each, policy.calendar, today, hidden=not may_read),
            ship_by=each.ship_by,
            late=bool(each.ship_by and each.ship_by < today and not each.state.has_ended),
            slips=words.slips_of(each),
            met=each.met if each.thresholds else None,
            thresholds=each.thresholds,
            waived=words.waived_of(each),
            strip=strip(
                spans[each.poc_id] if may_read else _unnamed(spans[each.poc_id]), line, today, each.ship_by
            ),
            ended=policy.calendar.day(each.shipped_at or each.state_since) if each.state.has_ended else None,
            stop_cause=each.overview.stop_cause or "" if each.overview else "",
            reason=_reason(each, today) if may_read and each.state is State.STOPPED else "",
        )

    pages = -(-found.found // asked.size)
    return PortfolioView(
        account=first.name if first and len(accounts) == 1 and found.states else "",
        now=now.astimezone(calendar.zone),
        zone=str(calendar.zone),
        today=today,
        asked=asked,
        tabs=_tabs(found, asked),
        next=tuple(_next(each, hidden) for each in found.next),
        longest=tuple(_longest(each, _calendar(accounts, each), today, hidden) for each in found.longest),
        decide=tuple(_decide(each, today, hidden) for each in found.decide),
        deciding=found.deciding,
        days=_days(found),
        counted_on=found.counted_on,
        last_days=LAST_DAYS,
        record=_record_of(store, accounts, found.page) if asked.tab is Tab.OPEN else (),
        causes=_causes(found),
        waiting=tuple(
            Link(party, address(asked, waits_for=party, tab=Tab.OPEN), party == asked.waits_for, count)
            for party, count in sorted(found.waiting.items(), key=lambda each: (-each[1], each[0]))
        ),
        parties=PARTIES,
        heads={sort.value: Link(sort.value, address(asked, sort=sort), asked.sort is sort) for sort in Sort},
        rows=tuple(map(row, found.page)),
        found=found.found,
        pages=pages,
        axis=line,
        previous=address(asked, page=asked.page - 1) if asked.page > 1 else "",
        following=address(asked, page=asked.page + 1) if asked.page < pages else "",
        csv=address(asked, "/portfolio.csv"),
        json=address(asked, "/portfolio.json"),
        total=sum(found.states.values()),
    )


def _in_zone(account: Account, zone: tzinfo | None) -> Account:
    return replace(account, policy=account.policy.in_zone(zone)) if zone else account


def _unnamed(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same, without the names of issues, which may stand in repositories that the reader can't see."""
    return tuple(replace(each, whom=ISSUE) if "#" in each.whom else each for each in spans)


def _calendar(accounts: Mapping[int, Account], each: PocSummary) -> Calendar:
    account = accounts.get(each.known.installation_id)
    return account.policy.calendar if account else USUAL


def _record_of(
    store: Portfolio, accounts: Mapping[int, Account], page: Collection[PocSummary]
) -> tuple[tuple[str, Took, str], ...]:
    shown = {each.known.installation_id for each in page}
    account = accounts.get(shown.pop()) if len(shown) == 1 else None
    if account is None:
        return ()
    return record_lines(forecast(store.past_turns(account.installation_id), account.policy.calendar))


def _causes(found: Found) -> tuple[tuple[str, int], ...]:
    named = ((cause or "no class given", count) for cause, count in found.causes.items())
    return tuple(sorted(named, key=lambda each: (-each[1], each[0])))


def _tabs(found: Found, asked: Asked) -> tuple[Link, ...]:
    going = sum(count for state, count in found.states.items() if not State(state).has_ended)
    return tuple(
        Link(
            tab.value.capitalize(),
            address(Asked(tab=tab, sort=usual_sort(tab))),
            tab is asked.tab,
            going if tab is Tab.OPEN else found.states.get(tab.value, 0),
        )
        for tab in Tab
    )


def _name(each: PocSummary) -> str:
    return each.known.repository.full_name.partition("/")[2]


def _href(each: PocSummary, hidden: Collection[int]) -> str:
    repository = each.known.repository
    return "" if repository.id in hidden else f"/pocs/{repository.full_name}"


def _next(each: PocSummary, hidden: Collection[int]) -> Named:
    return Named(_name(each), _href(each, hidden), "", words.missing_to_ship(each), each.ship_by)


def _longest(each: PocSummary, calendar: Calendar, today: date, hidden: Collection[int]) -> Named:
    ball = ball_of(each, calendar, today, hidden=each.known.repository.id in hidden)
    since = each.silent_since or ball.since or today
    days = plural(calendar.working_days(since, today), "working day")
    return Named(
        _name(each),
        _href(each, hidden),
        ball.who,
        f"{ball.party}, {days}{': ' if ball.asked else ''}{ball.asked}",
    )


def _decide(each: PocSummary, today: date, hidden: Collection[int]) -> Named:
    return Named(_name(each), _href(each, hidden), words.late_by(each, today), words.decision(each))


def _days(found: Found) -> tuple[Days, ...]:
    most = max(found.days.values(), default=0)
    ordered = sorted(found.days.items(), key=lambda each: (each[0] != Kind.ENGINEERING, -each[1], each[0]))
    return tuple(
        Days(party, party.replace(" ", "-"), days, round(days * 100 / most, 1))
        for party, days in ordered
        if days
    )


def _reason(each: PocSummary, today: date) -> str:
    """Why it was stopped, in the owner's words; the charter says it."""
    file = each.known.charter
    charter = judge_standing(file, today).charter if file else None
    if charter and charter.stopped:
        return charter.stopped.value.reason
    return "its repository was archived" if each.known.repository.archived else ""
