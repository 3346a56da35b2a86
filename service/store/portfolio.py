"""What the pages read: a constant number of statements, however many POCs there are.

The first statement finds, counts and sorts by columns of `poc`; the others read the few rows that are shown.
Over 300 lines, so that each statement stands beside what it is read into.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Row, text

from service.rules.gate.lifecycle import ON_THE_WAY, State
from service.rules.gate.overview import Overview
from service.rules.gate.uncounted import Given
from service.rules.policy.model import Policy
from service.rules.policy.recognition import KnownRepository
from service.rules.stall.forecast import PastTurn
from service.rules.stall.stalls import EscalationStep
from service.rules.stall.time_spent import DAYS_GO_TO
from service.rules.stall.waiting_on import OWNER, PausePeriod, WaitingOn
from service.rules.values.activity import ENGINEERING, Activity, ActivityKind
from service.rules.values.recorded import recorded_reviews
from service.rules.values.subjects import PocId, repository_key
from service.store.poc_records import PocRecord, PocRecords
from service.store.pocs import ENDED, IS_LISTED, overview_of
from service.store.policies import policy_of
from service.store.records import VERSIONS, Records, StoredRecord, Version, version_of
from service.store.repositories import known_of
from service.store.signatures import Signatures
from service.store.subjects import event_of
from service.store.table import Table
from service.store.waiting import Forecasts, ShipDate, waiting_on_of


class Tab(StrEnum):
    """Which POCs are listed: the open ones, or those that came to one of the ends."""

    OPEN = "open"
    SHIPPED = State.SHIPPED.value
    STOPPED = State.STOPPED.value


class Sort(StrEnum):
    """In which order."""

    WAITING = "waiting"
    """Who is waited for longest first; an owner who is at work comes after them."""
    SHIPS = "ships"
    NAME = "name"
    STATE = "state"
    MET = "met"
    RECENT = "recent"
    """What ended last first."""


ORDERS = {
    Sort.WAITING: "waits_for IS NULL, not_asked, coalesce(silent_since, waits_since::date)",
    Sort.SHIPS: "ship_by IS NULL, ship_by",
    Sort.NAME: "lower(full_name)",
    Sort.STATE: "array_position(CAST(:states AS text[]), state)",
    Sort.MET: "met::float / nullif(thresholds, 0) DESC NULLS LAST",
    Sort.RECENT: "state_since DESC",
}
TABS = {tab: f"state NOT IN {ENDED}" if tab is Tab.OPEN else f"state = '{tab}'" for tab in Tab}
SILENT_SINCE = "CASE WHEN p.stall_cause <> 'overdue' THEN p.stalled_since END AS silent_since"
"""Of an overdue POC `stalled_since` is the ship date, not when somebody was asked."""
SEEN = f"""
WITH seen AS MATERIALIZED (
    SELECT p.id, r.full_name, p.state, p.state_since, p.stalled_since, p.owner, p.met, p.thresholds, p.days,
        p.waits_for, p.waits_since, p.ship_by, p.ship_dates, p.counted_on, p.stop_cause,
        {SILENT_SINCE},
        p.waits_for = '{OWNER}' AND p.stalled_since IS NULL AS not_asked,
        CASE WHEN s.state = 'open' THEN s.rung ELSE 0 END AS rung
    FROM poc p
    JOIN repository r ON r.id = p.repository_id
    JOIN installation i ON i.id = r.installation_id AND i.deleted_at IS NULL
    LEFT JOIN stall_issue s ON s.poc_id = p.id
    WHERE r.removed_at IS NULL AND {IS_LISTED}
        AND (CAST(:visible AS bigint[]) IS NULL OR r.id = ANY(CAST(:visible AS bigint[])))
), going AS (SELECT * FROM seen WHERE {TABS[Tab.OPEN]})
"""  # noqa: S608 - our own words
FIND = """
, listed AS (
    SELECT * FROM seen WHERE {tab}
        AND (:find = '' OR strpos(lower(concat_ws(' ', full_name, owner)), :find) > 0)
        AND (:waits_for = '' OR waits_for = :waits_for)
)
SELECT
    (SELECT jsonb_object_agg(state, n)
        FROM (SELECT state, count(*) AS n FROM seen GROUP BY state) x) AS states,
    (SELECT jsonb_object_agg(waits_for, n) FROM (
        SELECT waits_for, count(*) AS n FROM going WHERE waits_for IS NOT NULL GROUP BY waits_for
    ) x) AS waiting,
    (SELECT count(*) FROM listed) AS found,
    ARRAY(SELECT id FROM listed ORDER BY {order}, lower(full_name) LIMIT :size OFFSET :skip) AS page,
    ARRAY(SELECT id FROM going WHERE ship_by >= :today AND stalled_since IS NULL
        AND state = ANY(CAST(:on_the_way AS text[]))
        ORDER BY array_position(CAST(:on_the_way AS text[]), state), ship_by, full_name
        LIMIT :most) AS next,
    ARRAY(SELECT id FROM going WHERE waits_for IS NOT NULL AND NOT not_asked
        ORDER BY coalesce(silent_since, waits_since::date), full_name LIMIT :most) AS longest,
    ARRAY(SELECT id FROM going WHERE waits_for IS NOT NULL AND (rung >= :decision OR ship_by < :today)
        ORDER BY rung >= :decision DESC, ship_dates DESC, ship_by, full_name LIMIT :most) AS decide,
    (SELECT count(*) FROM going
        WHERE waits_for IS NOT NULL AND (rung >= :decision OR ship_by < :today)) AS deciding,
    (SELECT max(counted_on) FROM going) AS counted_on,
    (SELECT jsonb_object_agg(cause, n) FROM (
        SELECT coalesce(stop_cause, '') AS cause, count(*) AS n FROM seen WHERE state = 'stopped' GROUP BY 1
    ) x) AS causes,
    {days}
"""
# One pass over the POCs for all sums.
SUMS = "(SELECT ARRAY[{}] FROM going) AS days".format(  # noqa: S608 - our own words
    ", ".join(f"coalesce(sum(days[{at}]), 0)" for at in range(1, len(DAYS_GO_TO) + 1))
)

ROWS = text(f"""
SELECT p.id AS poc_id, r.*, p.state, p.state_since, {SILENT_SINCE}, p.owner, p.met, p.thresholds, p.judged,
    p.stop_cause, p.ship_by, p.first_ship_by, p.ship_dates, p.request_unsigned, p.shipped_at,
    t.party, t.wants, t.for_group, t.people, t.number, t.about, t.since,
    CASE WHEN s.state = 'open' THEN s.rung ELSE 0 END AS rung,
    CASE WHEN s.state = 'open' THEN s.html_url END AS issue_url
FROM poc p
JOIN repository r ON r.id = p.repository_id
LEFT JOIN turn t ON t.id = p.turn_id
LEFT JOIN stall_issue s ON s.poc_id = p.id
WHERE p.id = ANY(:pocs)
""")  # noqa: S608 - our own words

ACCOUNTS = """
SELECT i.id, i.account, p.good_text FROM installation i LEFT JOIN policy p ON p.installation_id = i.id
WHERE i.deleted_at IS NULL AND {which} ORDER BY lower(i.account)
"""
SEEN_BY_SOMEBODY = """
EXISTS (SELECT FROM repository r WHERE r.installation_id = i.id AND r.id = ANY(CAST(:visible AS bigint[])))
"""

TURNS = text("SELECT * FROM turn WHERE poc_id = ANY(:pocs) ORDER BY poc_id, id")
RESTS = text("SELECT poc_id, first, until, reason FROM rest WHERE poc_id = ANY(:pocs) ORDER BY until, source")
WORK = text("""
SELECT DISTINCT ON (subject, (at AT TIME ZONE 'UTC')::date) subject, at, actor FROM fact
WHERE subject = ANY(:subjects) AND kind = 'activity' AND actor <> '' AND at >= :since
    AND (NOT detail LIKE '{%' OR substring(detail, '^\\{"deed": "([a-z-]+)"') = ANY(:deeds))
ORDER BY subject, (at AT TIME ZONE 'UTC')::date, at
""")
"""The first work of each day is enough to know that somebody worked."""


NAMED = text(f"""
SELECT p.id, r.id AS repository_id FROM repository r
JOIN poc p ON p.repository_id = r.id
JOIN installation i ON i.id = r.installation_id AND i.deleted_at IS NULL
WHERE lower(r.full_name) = lower(:name) AND r.removed_at IS NULL
    AND {IS_LISTED}
""")  # noqa: S608 - our own words
STANDING = text(f"""
SELECT r.id, NOT r.private AND r.default_branch <> '' AS public, p.state, p.met, p.thresholds
FROM repository r
JOIN poc p ON p.repository_id = r.id
JOIN installation i ON i.id = r.installation_id AND i.deleted_at IS NULL
WHERE lower(r.full_name) = lower(:name) AND r.removed_at IS NULL
    AND {IS_LISTED}
""")  # noqa: S608 - our own words
REVIEWS = text("""
SELECT f.*, n.number FROM (SELECT number FROM pull_request WHERE repository_id = :repository) n
JOIN fact f ON f.subject = concat_ws(chr(58), 'pull_request', CAST(:repository AS text), n.number)
    AND f.kind IN ('reviewed', 'review-dismissed')
ORDER BY f.at, f.id
""")
NUMBERS = text("""
SELECT metric, value, unit, at, level FROM evidence
WHERE repository_id = :repository ORDER BY at DESC, id DESC LIMIT :most
""")
CHECKS = text("""
SELECT DISTINCT ON (c.name, c.head_sha) c.name, c.head_sha, c.conclusion, c.title, c.created_at, c.github_id,
    n.number
FROM check_run c
JOIN (
    SELECT number, head_sha FROM pull_request WHERE repository_id = :repository AND state = 'open'
    UNION ALL SELECT NULL, :head
) n ON n.head_sha = c.head_sha
WHERE c.repository_id = :repository
ORDER BY c.name, c.head_sha, c.id DESC
""")
HEAD = text("SELECT outcome, looked_at FROM subject WHERE key = :subject")
DATES = text("SELECT ship_by, at FROM ship_date WHERE poc_id = :poc ORDER BY id")


@dataclass(frozen=True, slots=True)
class Number:
    """A measured number, as it was sent or read."""

    metric: str
    value: str
    unit: str
    at: datetime
    level: str


@dataclass(frozen=True, slots=True)
class PostedCheck:
    """A check run of ours on the head of an open pull request, or on the default branch's."""

    name: str
    conclusion: str
    title: str
    at: datetime
    github_id: int | None
    number: int | None
    """The pull request; None for the default branch."""


@dataclass(frozen=True, slots=True)
class OnePoc:
    """All that the page of one POC shows."""

    summary: PocSummary
    record: PocRecord
    calendars: Calendars
    reviews: tuple[Given, ...]
    versions: tuple[Version, ...]
    numbers: tuple[Number, ...]
    checks: tuple[PostedCheck, ...]
    ship_dates: tuple[ShipDate, ...]
    past_turns: tuple[PastTurn, ...]
    """Of its whole organisation."""
    looked_at: datetime | None
    accounts: Mapping[str, int]
    """The accounts that signers' logins are bound to."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a badge says of a POC."""

    repository_id: int
    public: bool
    """Whether GitHub said that everybody sees the repository."""
    state: State
    met: int | None
    thresholds: int | None


class NamedPoc(NamedTuple):
    """A POC and its repository, by their ids."""

    poc_id: PocId
    repository_id: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be listed, and in which order."""

    tab: Tab = Tab.OPEN
    find: str = ""
    waits_for: str = ""
    sort: Sort = Sort.WAITING
    page: int = 1
    size: int = 25


@dataclass(frozen=True, slots=True)
class PocSummary:
    """A POC as the pages name it."""

    poc_id: PocId
    known: KnownRepository
    state: State
    state_since: datetime
    silent_since: date | None
    """Since when whoever is waited for has done nothing; None unless that is too long."""
    owner: str | None
    met: int | None
    thresholds: int | None
    ship_by: date | None
    first_ship_by: date | None
    ship_dates: int
    unsigned: tuple[str, ...] | None
    """The groups whose signatures alone are missing; None where more is."""
    shipped_at: datetime | None
    waiting_on: WaitingOn | None
    rung: int
    """Of its open stall issue; 0 where none is open."""
    issue_url: str | None
    overview: Overview | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a portfolio is made of; the lists hold POCs in their order."""

    states: Mapping[str, int]
    waiting: Mapping[str, int]
    """How many open POCs wait for each party."""
    found: int
    page: tuple[PocSummary, ...]
    next: tuple[PocSummary, ...]
    longest: tuple[PocSummary, ...]
    decide: tuple[PocSummary, ...]
    deciding: int
    """How many need a decision."""
    days: Mapping[str, int]
    """The days of the open POCs by what they went to."""
    counted_on: date | None
    causes: Mapping[str, int]
    """How many were stopped by the class of the reason; the empty one is that none was given."""


@dataclass(frozen=True, slots=True)
class Account:
    """An organisation that the app is installed on."""

    installation_id: int
    name: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Calendars:
    """What the calendar of a POC is drawn from."""

    periods: tuple[WaitingOn, ...] = ()
    pauses: tuple[PausePeriod, ...] = ()
    work: tuple[Activity, ...] = ()


PLAN_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""A plan for any number of visible repositories is one for a handful, and takes seconds for thousands."""
MOST_NUMBERS = 500
"""Of a POC's history, the newest."""
MOST = 3
"""POCs that a box names."""


class Portfolio(Table):
    """Reads over many POCs; `visible` are the repositories that somebody may see, None for all."""

    def find(self, visible: Collection[int] | None, asked: Asked, today: date) -> Found:
        """The POCs that were asked for, and what is to be said of all of them."""
        statement = SEEN + FIND.format(tab=TABS[asked.tab], order=ORDERS[asked.sort], days=SUMS)
        values: dict[str, Any] = {
            "visible": None if visible is None else list(visible),
            "find": asked.find.lower(),
            "waits_for": asked.waits_for,
            "size": asked.size,
            "skip": (asked.page - 1) * asked.size,
            "today": today,
            "most": MOST,
            "decision": int(EscalationStep.DECISION),
            "on_the_way": [str(state) for state in ON_THE_WAY],
        }
        if asked.sort is Sort.STATE:
            values["states"] = [str(state) for state in State]
        with self._database.transaction() as session:
            connection = session.connection()
            connection.execute(PLAN_ANEW)
            row = connection.execute(text(statement), values).one()
            wanted = [*row.page, *row.next, *row.longest, *row.decide]
            rows = connection.execute(ROWS, {"pocs": wanted})
            known = {each.poc_id: _summary(each) for each in rows}
        return Found(
            states=row.states or {},
            waiting=row.waiting or {},
            found=row.found,
            page=_named(known, row.page),
            next=_named(known, row.next),
            longest=_named(known, row.longest),
            decide=_named(known, row.decide),
            deciding=row.deciding,
            days={party: int(sum_) for party, sum_ in zip(DAYS_GO_TO, row.days, strict=True)},
            counted_on=row.counted_on,
            causes=row.causes or {},
        )

    def named(self, full_name: str) -> NamedPoc | None:
        """The POC of a repository; None where there is none."""
        row = self._first(NAMED, name=full_name)
        return NamedPoc(PocId(row.id), row.repository_id) if row else None

    def standing(self, full_name: str) -> Standing | None:
        """Where the POC of a repository stands; None where there is none."""
        row = self._first(STANDING, name=full_name)
        return Standing(row.id, row.public, State(row.state), row.met, row.thresholds) if row else None

    def one(self, poc_id: PocId, repository_id: int) -> OnePoc | None:
        """All that is stored of one POC; None where it is gone by now."""
        record = PocRecords(self._database).find(repository_id)
        subject = repository_key(repository_id)
        asked = {"repository": repository_id, "subject": subject, "poc": poc_id, "most": MOST_NUMBERS}
        calendars = self.calendars({poc_id: repository_id}, datetime.min.replace(tzinfo=UTC))[poc_id]
        with self._database.reading() as session:
            connection = session.connection()
            summary = connection.execute(ROWS, {"pocs": [poc_id]}).first()
            if summary is None or record is None:
                return None
            looked = connection.execute(HEAD, asked).first()
            dates = connection.execute(DATES, asked).all()
            numbers = connection.execute(NUMBERS, asked).all()
            versions = connection.execute(VERSIONS, asked).all()
            reviews = connection.execute(REVIEWS, asked).all()
            checks = connection.execute(CHECKS, asked | {"head": record.default_head}).all()
        return OnePoc(
            summary=_summary(summary),
            record=record,
            calendars=calendars,
            reviews=tuple(_given(row) for row in reviews),
            versions=tuple(map(version_of, versions)),
            numbers=tuple(Number(row.metric, row.value, row.unit, row.at, row.level) for row in numbers),
            checks=tuple(
                PostedCheck(row.name, row.conclusion, row.title, row.created_at, row.github_id, row.number)
                for row in checks
            ),
            ship_dates=tuple(ShipDate(row.ship_by, row.at) for row in dates),
            past_turns=self.past_turns(record.known.installation_id),
            looked_at=looked.looked_at if looked else None,
            accounts=Signatures(self._database).accounts(record.known.repository.id),
        )

    def accounts(self) -> Mapping[int, Account]:
        """The organisations that the app is installed on, with their policies."""
        return self._accounts("TRUE")

    def accounts_of(self, visible: Collection[int] | None) -> Mapping[int, Account]:
        """Those of the POCs that somebody may see; None for all."""
        if visible is None:
            return self.accounts()
        return self._accounts(SEEN_BY_SOMEBODY, visible=list(visible))

    def _accounts(self, which: str, **asked: object) -> Mapping[int, Account]:
        rows = self._rows(text(ACCOUNTS.format(which=which)), **asked)
        return {row.id: Account(row.id, row.account, policy_of(row.good_text)) for row in rows}

    def record(self, poc_id: PocId) -> StoredRecord:
        """All that was ever stored of one POC."""
        return Records(self._database).of(poc_id)

    def past_turns(self, installation_id: int) -> tuple[PastTurn, ...]:
        """How long its signers took, turn by turn."""
        return Forecasts(self._database).past_turns(installation_id)

    def calendars(self, pocs: Mapping[PocId, int], since: datetime) -> Mapping[PocId, Calendars]:
        """Whom these POCs waited for, and when somebody worked; each is given with its repository."""
        subjects = {repository_key(repository): poc for poc, repository in pocs.items()}
        periods: defaultdict[PocId, list[WaitingOn]] = defaultdict(list)
        pauses: defaultdict[PocId, list[PausePeriod]] = defaultdict(list)
        work: defaultdict[PocId, list[Activity]] = defaultdict(list)
        with self._database.reading() as session:
            connection = session.connection()
            for row in connection.execute(TURNS, {"pocs": list(pocs)}):
                periods[row.poc_id].append(waiting_on_of(row))
            for row in connection.execute(RESTS, {"pocs": list(pocs)}):
                pauses[row.poc_id].append(PausePeriod(row.first, row.until, row.reason))
            named = {"subjects": list(subjects), "since": since, "deeds": [str(deed) for deed in ENGINEERING]}
            for row in connection.execute(WORK, named):
                work[subjects[row.subject]].append(Activity("", row.at, row.actor, ActivityKind.COMMIT))
        return {poc: Calendars(tuple(periods[poc]), tuple(pauses[poc]), tuple(work[poc])) for poc in pocs}


def _given(row: Row[Any]) -> Given:
    return Given(recorded_reviews([event_of(row)])[0], row.number)


def _named(known: Mapping[int, PocSummary], ids: Iterable[int]) -> tuple[PocSummary, ...]:
    return tuple(known[each] for each in ids if each in known)


def _summary(row: Row[Any]) -> PocSummary:
    unsigned: Sequence[str] | None = row.request_unsigned
    return PocSummary(
        poc_id=row.poc_id,
        known=known_of(row),
        state=State(row.state),
        state_since=row.state_since,
        silent_since=row.silent_since,
        owner=row.owner,
        met=row.met,
        thresholds=row.thresholds,
        ship_by=row.ship_by,
        first_ship_by=row.first_ship_by,
        ship_dates=row.ship_dates,
        unsigned=None if unsigned is None else tuple(each.replace("_", " ") for each in unsigned),
        shipped_at=row.shipped_at,
        waiting_on=waiting_on_of(row) if row.party else None,
        rung=row.rung,
        issue_url=row.issue_url,
        overview=overview_of(row.owner, row.judged, row.stop_cause),
    )
