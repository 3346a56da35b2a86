"""The page of one POC: where it stands, what is asked, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from urllib.parse import quote

from service.pages.calendar import Axis, Strip, axis, says, spans_of, strip
from service.pages.commands import commands_of
from service.pages.poc_parts import (
    Bullet,
    Fact,
    Signer,
    bullets_of,
    facts_of,
    outlook_of,
    signers_of,
    uncounted_of,
)
from service.pages.words import Ball, ball_of, slips_of, state_words
from service.rules.charter.goalposts import moved
from service.rules.charter.model import Charter
from service.rules.charter.values import InfraKind
from service.rules.checks.judge import Judgement, judge_standing
from service.rules.gate.overview import WAIVED
from service.rules.gate.uncounted import Uncounted
from service.rules.source.text import CHARTER_PATH, in_words
from service.rules.stall.waiting_on import Party, Wants
from service.store.portfolio import OnePoc, PostedCheck
from service.texts.goalposts import counted


@dataclass(frozen=True, slots=True)
class Action:
    """The next thing to do, and where on GitHub."""

    text: str
    href: str


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
    branch: str
    met: int
    request: int | None
    """The ship request that meets everything, where the default branch doesn't."""
    unsigned: int
    """How many signatures that waits for."""
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
    bullets = tuple(bullets_of(stored))
    met = sum(each.judged.met for each in bullets)
    waived = sum(each.judged.status == WAIVED for each in bullets)
    ahead = summary.unsigned is not None and not summary.state.has_ended and met + waived < len(bullets)
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
        outlook=outlook_of(stored, charter, today),
        owner=charter.owner_login or "",
        budget=charter.budget.value.text if charter.budget else "",
        bullets=bullets,
        branch=known.repository.default_branch,
        met=met,
        request=record.poc.request.number if record.poc.request and ahead else None,
        unsigned=len(summary.unsigned or ()),
        waived=waived,
        strip=strip(spans, line, today, summary.ship_by),
        axis=line,
        events=tuple((span.first, says(span)) for span in reversed(spans)),
        signers=tuple(signers_of(stored, charter)),
        uncounted=uncounted_of(stored, charter, policy),
        infra=tuple(_infra(charter)),
        checks=tuple(_checks(stored, href)),
        findings=tuple(
            (each.code, each.message, each.line, str(each.severity)) for each in judgement.findings
        ),
        facts=tuple(facts_of(stored, charter, given, observe=observe, level=level)),
        versions=tuple(_versions(stored, today, href)),
        commands=tuple(commands_of(charter, bullets, calendar, today, ended=summary.state.has_ended)),
        issue=summary.issue_url or "",
        today=today,
        now=now.astimezone(calendar.zone),
        zone=str(calendar.zone),
        web_url=web_url,
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
    if waiting_on.wants in (Wants.CHARTER, Wants.FIX_CHARTER, Wants.INFRA):
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
