"""`poc-policy.yml` becomes a `Policy`, or the findings that say on which line to write what."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from itertools import islice

from service.rules.calendar import Calendar
from service.rules.charter.block import Block, lines_of
from service.rules.charter.composer import compose
from service.rules.charter.dialect import POLICY as DIALECT
from service.rules.charter.goalposts import Group
from service.rules.charter.loader import MOST_LINES_TOLD, refused_lines
from service.rules.charter.nodes import Mapping, Scalar
from service.rules.charter.text import decoded
from service.rules.charter.wording import shown
from service.rules.evidence.values import Level
from service.rules.finding import Finding, Severity
from service.rules.policy import values as read
from service.rules.policy.layout import POLICY, Key
from service.rules.policy.model import NO_POLICY, GroupPolicy, Limits, Mode, Policy, Selector
from service.rules.policy.page import Page

MAX_BYTES = 64 * 1024
MAX_LINES = 2_000
MOST_FREEZES = 50
MOST_DAYS_OFF = 6
MOST_WORKING_DAYS = 260
"""A year of them."""
MOST_ISSUES = 1000
"""GitHub takes no more content from one installation in an hour."""
UNREADABLE = "unreadable-policy"
TOO_LARGE = "policy-too-large"
VERSION = "policy-version"


@dataclass(frozen=True, slots=True)
class PolicyReading:
    """What a policy file says; `policy` is None where any finding is an error."""

    policy: Policy | None
    findings: tuple[Finding, ...] = ()


def read_policy(data: bytes | str) -> PolicyReading:
    """Read a policy file; raises on no input."""
    # A string may hold half a character, which no bytes of a file do.
    raw = data if isinstance(data, bytes) else data.encode(errors="replace")
    text = decoded(raw, "a policy in YAML")
    if isinstance(text, Finding):
        return PolicyReading(None, (replace(text, code=UNREADABLE),))
    if len(raw) > MAX_BYTES or text.count("\n") > MAX_LINES:
        message = f"The file is larger than 64 KiB or {MAX_LINES} lines: keep to what is decided"
        return PolicyReading(None, (Finding(TOO_LARGE, Severity.ERROR, message, 1),))
    block = Block(lines_of(text), 1, "")
    refused = tuple(islice(refused_lines(block, DIALECT.name), MOST_LINES_TOLD))
    if refused:
        return PolicyReading(None, refused)
    composition = compose(block, DIALECT)
    if composition.root is None:
        return PolicyReading(None, composition.findings)
    page = Page(block.lines)
    policy = read_root(page, composition.root)
    findings = in_order((*composition.findings, *page.findings))
    broken = any(finding.severity is Severity.ERROR for finding in findings)
    return PolicyReading(None if broken else policy, findings)


def in_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings in the order in which a reader meets them."""
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.column, finding.code)))


def key_of(*path: str) -> Key:
    """The key under a path of names, every one of which there is."""
    key = POLICY
    for name in path:
        inner = key.key(name)
        assert inner is not None, path
        key = inner
    return key


def read_root(page: Page, root: Mapping) -> Policy:
    """The policy that the nodes hold, with the default for what cannot be read."""
    page.unknown(POLICY, root)
    read_version(page, root)
    evidence = page.section(root, key_of("evidence"))
    environments = page.values(root, "environments", read.environment, example=key_of("environments").example)
    return Policy(
        mode=page.value(root, key_of("mode"), read.word(Mode), NO_POLICY.mode),
        select=read_selector(page, root, "select", NO_POLICY.select),
        exclude=read_selector(page, root, "exclude", NO_POLICY.exclude),
        limits=read_limits(page, root),
        calendar=read_calendar(page, root),
        groups=read_groups(page, root),
        environments=frozenset(name.lower() for name in environments),
        evidence_days=page.value(evidence, key_of("evidence", "max_age"), read.age, NO_POLICY.evidence_days),
        evidence_level=page.value(
            evidence, key_of("evidence", "level"), read.word(Level), NO_POLICY.evidence_level
        ),
        evidence_events=frozenset(
            page.values(evidence, "events", read.event, example=key_of("evidence", "events").example)
        ),
        issues_a_day=page.value(
            root, key_of("issues_a_day"), read.count(0, MOST_ISSUES), NO_POLICY.issues_a_day
        ),
        central_repository=page.value(root, key_of("central_repository"), read.full_name, None),
    )


def read_version(page: Page, root: Mapping) -> None:
    """Complain where the file does not say in which language it is written."""
    entry = root.entry("policy")
    if entry is None:
        place = root.entries[0].key if root.entries else root
        page.refuse(VERSION, "The policy has no version: write `policy: 1` as its first line", place)
    elif not isinstance(entry.value, Scalar) or not entry.value.value:
        page.refuse(VERSION, "The version is one number: write `policy: 1`", entry.key)
    elif entry.value.value != "1":
        message = f"No version {shown(entry.value.value)} is known here: write `policy: 1`"
        page.refuse(VERSION, message, entry.key, page.line_with(entry.value, "1"))


def read_selector(page: Page, root: Mapping, name: str, default: Selector) -> Selector:
    """`select` or `exclude`; where it is written, only what it lists."""
    if root.entry(name) is None:
        return default
    section = page.section(root, key_of(name))
    topics, names = key_of(name, "topics"), key_of(name, "names")
    properties = page.section(section, key_of(name, "properties"))
    return Selector(
        topics=frozenset(page.values(section, "topics", read.topic, example=topics.example)),
        names=page.values(section, "names", read.glob, example=names.example),
        properties={
            entry.key.value: frozenset(
                page.values(properties, entry.key.value, read.property_value, example="[poc]")
            )
            for entry in properties.entries
        },
    )


def read_limits(page: Page, root: Mapping) -> Limits:
    """The limits, of which the shortest is not longer than the longest."""
    section, default = page.section(root, key_of("limits")), NO_POLICY.limits
    days = read.count(1, MOST_WORKING_DAYS)
    limits = Limits(
        share=page.value(section, key_of("limits", "share"), read.share, default.share),
        shortest=page.value(section, key_of("limits", "shortest"), days, default.shortest),
        longest=page.value(section, key_of("limits", "longest"), days, default.longest),
        waiting=page.value(section, key_of("limits", "waiting"), days, default.waiting),
        charter=page.value(section, key_of("limits", "charter"), days, default.charter),
    )
    if limits.shortest > limits.longest:
        refuse_order(page, section, limits)
    return limits


def refuse_order(page: Page, section: Mapping, limits: Limits) -> None:
    """Complain of a shortest limit that is more than the longest, one of which may be the default."""
    shortest, longest = section.entry("shortest"), section.entry("longest")
    entry = shortest or longest
    assert entry is not None, "the defaults are in order"
    remedy = "write the smaller as `shortest`" if shortest and longest else "write both"
    says = [
        f"`{name}` is {value}{'' if written else ' by default'}"
        for name, value, written in (
            ("shortest", limits.shortest, shortest),
            ("longest", limits.longest, longest),
        )
    ]
    page.refuse("limits-order", f"{says[0]} and {says[1]}: {remedy}", entry.key)


def read_calendar(page: Page, root: Mapping) -> Calendar:
    """The calendar; a week has a working day."""
    section, default = page.section(root, key_of("calendar")), NO_POLICY.calendar
    weekend = page.values(
        section, "weekend", read.weekday, example=key_of("calendar", "weekend").example, most=7
    )
    entry = section.entry("weekend")
    if entry and len(set(weekend)) > MOST_DAYS_OFF:
        page.refuse("no-working-day", "A week of days off: leave at least one day out", entry.key)
    freezes = page.values(
        section,
        "freezes",
        read.freeze,
        example=key_of("calendar", "freezes").example,
        most=MOST_FREEZES,
    )
    zone = page.value(section, key_of("calendar", "time_zone"), read.time_zone, default.zone)
    return Calendar(frozenset(weekend) if entry else default.weekend, freezes, zone)


def read_groups(page: Page, root: Mapping) -> Map[Group, GroupPolicy]:
    """Who signs for whom, of the groups that are written."""
    groups = page.section(root, key_of("groups"))
    return {group: read_group(page, groups, group) for group in Group if groups.entry(group)}


def read_group(page: Page, groups: Mapping, group: Group) -> GroupPolicy:
    """One group."""
    key = key_of("groups", group)
    section = page.section(groups, key)
    members = page.values(section, "members", read.login, example=key_of("groups", group, "members").example)
    lead = page.value(section, key_of("groups", group, "lead"), read.login, None)
    return GroupPolicy(frozenset(member.lower() for member in members), lead)
