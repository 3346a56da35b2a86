"""The digests as they were composed, and what they are made of: one question for a whole organisation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from service.rules.checks.judge import judge
from service.rules.digest.edition import Central, Channel, ComposedDigest, DigestPlace, UndeliveredDigest
from service.rules.digest.week import AT_MOST, REACHES_BACK, Held, LastDigest, PocLine
from service.rules.gate.lifecycle import State
from service.rules.source.text import CharterFile, FileKind
from service.rules.stall.stalls import Cause
from service.rules.stall.time_spent import ship_date_changes
from service.rules.values.actions import CHARTER_CHECK, HOLDING
from service.store.pocs import IS_LISTED
from service.store.policies import policy_of
from service.store.table import Table
from service.store.tables_waiting import DigestRow
from service.store.waiting import waiting_on_of

POCS = text(f"""
SELECT r.id, r.full_name, r.private, coalesce(r.registered_at, r.first_seen_at) AS registered_at, p.state,
    p.state_since, p.stalled_since, p.stall_cause, t.party, t.wants, t.for_group, t.people, t.number, t.about,
    t.since, CASE WHEN s.state = 'open' THEN s.rung ELSE 0 END AS rung,
    CASE WHEN s.state = 'open' THEN s.html_url END AS issue_url, d.dates, f.acted_at,
    EXISTS (
        SELECT 1 FROM rest WHERE poc_id = p.id AND first <= :today AND until >= :today
    ) AS resting,
    CASE WHEN p.state = 'stopped' AND p.state_since > :recently THEN r.charter_data END AS stopped_charter
FROM repository r
JOIN poc p ON p.repository_id = r.id
LEFT JOIN stall_issue s ON s.poc_id = p.id
LEFT JOIN LATERAL (SELECT * FROM turn WHERE poc_id = p.id ORDER BY id DESC LIMIT 1) t ON true
LEFT JOIN LATERAL (
    SELECT array_agg(ship_by ORDER BY id) AS dates FROM ship_date WHERE poc_id = p.id
) d ON true
LEFT JOIN LATERAL (
    SELECT max(at) AS acted_at FROM fact
    WHERE subject = 'repository:' || r.id AND kind = 'activity' AND actor <> ''
) f ON true
WHERE r.installation_id = :installation AND r.removed_at IS NULL
    AND {IS_LISTED}
ORDER BY r.full_name
""")  # noqa: S608 - our own words

LAST_TOLD = text("""
SELECT d.composed_at, d.told FROM digest d
JOIN message m ON m.repository_id = d.repository_id AND m.key = d.key
WHERE d.installation_id = :installation AND d.channel = :channel AND d.body IS NOT NULL
    AND (m.github_id IS NOT NULL OR (d.channel = 'slack' AND m.refused IS NULL))
ORDER BY d.composed_at DESC LIMIT 1
""")
"""What Slack may have heard counts as heard: it is not told again."""

FIRST = text(
    "SELECT min(composed_at) FROM digest WHERE installation_id = :installation AND channel = :channel"
)

UNTOLD = text("""
SELECT * FROM (
    SELECT DISTINCT ON (d.installation_id, d.channel) d.installation_id, i.account, d.channel, d.week,
        coalesce(r.full_name, '') AS repository, m.github_id, coalesce(m.refused, o.refused) AS reason
    FROM digest d
    JOIN installation i ON i.id = d.installation_id AND i.deleted_at IS NULL
    LEFT JOIN repository r ON r.id = d.repository_id
    LEFT JOIN message m ON m.repository_id = d.repository_id AND m.key = d.key
    LEFT JOIN message o ON o.repository_id = d.repository_id AND o.key = 'digest'
    WHERE d.body IS NOT NULL
    ORDER BY d.installation_id, d.channel, d.composed_at DESC
) newest WHERE github_id IS NULL AND reason IS NOT NULL
""")

CENTRALS = text("""
SELECT p.installation_id, i.account, p.good_text FROM policy p
JOIN installation i ON i.id = p.installation_id AND i.deleted_at IS NULL
WHERE p.good_text IS NOT NULL ORDER BY p.installation_id
""")

JUDGED = text("""
SELECT DISTINCT ON (c.repository_id, c.head_sha) c.would, c.rules FROM check_run c
JOIN repository r ON r.id = c.repository_id AND r.removed_at IS NULL AND r.poc_reason IS NOT NULL
WHERE r.installation_id = :installation AND c.name = :name AND c.created_at > :since
    AND c.would IS NOT NULL
ORDER BY c.repository_id, c.head_sha, c.id DESC
""")

NAMED = text("""
SELECT archived, has_issues FROM repository
WHERE installation_id = :installation AND lower(full_name) = lower(:name) AND removed_at IS NULL
""")


class Digests(Table):
    """The table of digests, and reads beside it."""

    def find(self, installation_id: int, channel: Channel, week: str) -> ComposedDigest | None:
        """What was composed for a week."""
        row = self._get(DigestRow, installation_id, str(channel), week)
        if row is None:
            return None
        place = DigestPlace(channel, row.repository_id, row.key, row.public)
        return ComposedDigest(week, place, row.composed_at, row.body, frozenset(row.told))

    def keep(self, installation_id: int, edition: ComposedDigest) -> None:
        """Note what was composed, before it is told."""
        place = edition.place
        row = {
            "installation_id": installation_id,
            "channel": str(place.channel),
            "week": edition.week,
            "repository_id": place.repository_id,
            "key": place.key,
            "public": place.public,
            "composed_at": edition.at,
            "body": edition.text,
            "told": sorted(edition.told),
        }
        self._keep(DigestRow, [row], replacing=True)

    def last_told(self, installation_id: int, channel: Channel) -> LastDigest | None:
        """The newest digest that a place heard; before any, from when on its first one tells."""
        asked = {"installation": installation_id, "channel": str(channel)}
        if row := self._first(LAST_TOLD, **asked):
            return LastDigest(row.composed_at, frozenset(row.told))
        first = self._first(FIRST, **asked)
        return LastDigest(first[0] - REACHES_BACK) if first and first[0] else None

    def untold(self) -> tuple[UndeliveredDigest, ...]:
        """The newest digest of each place, where it was refused."""
        return tuple(
            UndeliveredDigest(
                r.installation_id, r.account, Channel(r.channel), r.week, r.repository, r.reason
            )
            for r in self._rows(UNTOLD)
        )

    def centrals(self) -> Iterator[Central]:
        """The central repository of each policy that names one."""
        for policy in self._rows(CENTRALS):
            name = policy_of(policy.good_text).central_repository
            if name is None:
                continue
            found = self._first(NAMED, installation=policy.installation_id, name=name)
            known = (True, found.archived, found.has_issues) if found else ()
            yield Central(policy.installation_id, policy.account, name, *known)

    def judged(self, installation_id: int, since: datetime) -> tuple[int, tuple[Held, ...]]:
        """How many commits were judged since then, and those that would be held up."""
        rows = self._rows(JUDGED, installation=installation_id, name=CHARTER_CHECK, since=since)
        held = tuple(Held(tuple(row.rules)) for row in rows if row.would in HOLDING)
        return len(rows), held

    def pocs(self, installation_id: int, today: date) -> tuple[PocLine, ...]:
        """The POCs of an installation, those that have ended as well."""
        recently = today - AT_MOST - timedelta(days=2)
        rows = self._rows(POCS, installation=installation_id, today=today, recently=recently)
        return tuple(map(_line, rows))


def _line(row: Row[Any]) -> PocLine:
    dates = row.dates or []
    return PocLine(
        row.id,
        row.full_name,
        State(row.state),
        row.state_since,
        row.registered_at,
        private=row.private,
        stalled_since=row.stalled_since,
        cause=Cause(row.stall_cause) if row.stall_cause else None,
        rung=row.rung or 0,
        issue_url=row.issue_url or "",
        waiting_on=waiting_on_of(row) if row.party else None,
        ship_by=dates[-1] if dates else None,
        slips=ship_date_changes(dates),
        acted_at=row.acted_at,
        resting=row.resting,
        reason=_why(row.stopped_charter, row.state_since) if row.stopped_charter else "",
    )


def _why(data: bytes, at: datetime) -> str:
    """The reason that a charter gives for a stop; an archived repository's need not have any."""
    charter = judge(CharterFile(FileKind.FILE, data), today=at.date()).charter
    return charter.stopped.value.reason if charter and charter.stopped else ""
