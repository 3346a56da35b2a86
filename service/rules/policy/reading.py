"""`poc-policy.yml` becomes a `Policy`, or the findings that say on which line to write what."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import TypeVar

from service.rules.charter.quantity import Refusal
from service.rules.policy import values as read
from service.rules.policy.keys import POLICY, Key
from service.rules.policy.model import NO_POLICY, GroupPolicy, Limits, Mode, Policy, Selector
from service.rules.source.block import Block, lines_of
from service.rules.source.composer import compose
from service.rules.source.loader import MOST_LINES_TOLD, refused_lines
from service.rules.source.nodes import Entry, Mapping, Node, Place, Scalar, Sequence
from service.rules.source.text import decoded
from service.rules.source.traps import POLICY as DIALECT
from service.rules.source.wording import shown
from service.rules.values.calendar import Calendar
from service.rules.values.finding import Finding, Severity
from service.rules.values.groups import Group, Level

T = TypeVar("T")
NOTHING = Mapping((), 1, 1)
MOST_ITEMS = 100
MOST_TOLD = 20
"""Findings of one list, and unknown keys of one section: nobody reads more at once."""
LONGEST_KEY = 40
NEAR_ENOUGH = 0.7
SHOWN = 20


class PolicyReader:
    """Collects the findings while the values are read."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        self.findings: list[Finding] = []

    def refuse(self, code: str, message: str, at: Place, fix: str | None = None) -> None:
        """Complain of a place."""
        self.findings.append(Finding(code, Severity.ERROR, message, at.line, at.column, fix=fix))

    def line_with(self, scalar: Scalar, value: str) -> str | None:
        """The scalar's line with another value in its place; None where it takes several lines."""
        if scalar.line != scalar.end_line:
            return None
        line = self.lines[scalar.line - 1]
        return f"{line[: scalar.column - 1]}{value}{line[scalar.end_column - 1 :]}"

    def section(self, parent: Mapping, key: Key) -> Mapping:
        """The mapping under a key, its unknown keys told; an empty one where there is none."""
        entry = parent.entry(key.name)
        if entry is None:
            return NOTHING
        if not isinstance(entry.value, Mapping):
            first = key.keys[0] if key.keys else Key("name", "", "[value]")
            like = f"{first.name}: {first.example}".rstrip()
            self._misshapen(entry, f"write lines like `{like}` below it")
            return NOTHING
        self.unknown(key, entry.value)
        return entry.value

    def unknown(self, section: Key, node: Mapping) -> None:
        """Tell the entries that a section does not list, with the key that was meant where one is near."""
        if section.free:
            return
        unlisted = (entry for entry in node.entries if section.key(entry.key.value) is None)
        for entry in islice(unlisted, MOST_TOLD):
            name, meant = entry.key.value, self._meant(section, node, entry.key.value)
            if meant:
                fix = self.line_with(entry.key, meant)
                message = f"No key {shown(name, SHOWN)} here: write `{meant}`"
                self.refuse("unknown-key", message, entry.key, fix)
            else:
                place = "a policy" if section.name == "policy file" else f"`{section.name}`"
                self.refuse("unknown-key", f"No key {shown(name, SHOWN)} in {place}: delete it", entry.key)

    def value(self, parent: Mapping, key: Key, parse: Callable[[str], T | Refusal], default: T) -> T:
        """The one value of a key, read; the default where it is left out, or cannot be read."""
        entry = parent.entry(key.name)
        if entry is None:
            return default
        if not isinstance(entry.value, Scalar) or not entry.value.value:
            self._misshapen(entry, f"write one value, like `{key.name}: {key.example}`")
            return default
        read = self._read(entry.value, parse)
        return default if read is None else read

    def values(
        self,
        parent: Mapping,
        name: str,
        parse: Callable[[str], T | Refusal],
        *,
        example: str,
        most: int = MOST_ITEMS,
    ) -> tuple[T, ...]:
        """The values of a list, as far as they can be read; none where it is left out."""
        entry = parent.entry(name)
        if entry is None:
            return ()
        if not isinstance(entry.value, Sequence):
            fix = self._listed(entry.value) if isinstance(entry.value, Scalar) else None
            self._misshapen(entry, f"write a list, like `{name}: {example}`", fix)
            return ()
        if len(entry.value.items) > most:
            message = f"{len(entry.value.items)} values: keep {shown(name)} to {most}"
            self.refuse("too-many-values", message, entry.key)
            return ()
        return self._items(entry.value.items, parse)

    def _items(self, items: tuple[Node, ...], parse: Callable[[str], T | Refusal]) -> tuple[T, ...]:
        told, read = len(self.findings), []
        for item in items:
            if len(self.findings) - told >= MOST_TOLD:
                break
            if not isinstance(item, Scalar):
                self.refuse("wrong-shape", "A list holds single values here: write one value", item)
            elif (value := self._read(item, parse)) is not None:
                read.append(value)
        return tuple(read)

    def _read(self, scalar: Scalar, parse: Callable[[str], T | Refusal]) -> T | None:
        read = parse(scalar.value.strip())
        if not isinstance(read, Refusal):
            return read
        fix = None if read.meant is None else self.line_with(scalar, read.meant)
        self.refuse("wrong-value", read.message, scalar, fix)
        return None

    def _misshapen(self, entry: Entry, remedy: str, fix: str | None = None) -> None:
        held = {Sequence: "holds a list", Mapping: "holds keys"}.get(type(entry.value), "holds one value")
        if isinstance(entry.value, Scalar) and not entry.value.value:
            held, remedy = "is empty", f"{remedy}, or delete it"
        self.refuse("wrong-shape", f"{shown(entry.key.value)} {held}: {remedy}", entry.key, fix)

    def _listed(self, scalar: Scalar) -> str | None:
        """The line with its one value as a list of one."""
        if not scalar.value or scalar.line != scalar.end_line:
            return None
        line = self.lines[scalar.line - 1]
        return self.line_with(scalar, f"[{line[scalar.column - 1 : scalar.end_column - 1]}]")

    @staticmethod
    def _meant(section: Key, node: Mapping, name: str) -> str | None:
        """The key, not yet there, that an unknown name stands for."""
        free = [key.name for key in section.keys if node.get(key.name) is None]
        written = name.lower().replace("-", "_").replace(" ", "_")
        near = get_close_matches(written, free, n=1, cutoff=NEAR_ENOUGH) if len(name) <= LONGEST_KEY else []
        return near[0] if near else None


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
    page = PolicyReader(block.lines)
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


def read_root(page: PolicyReader, root: Mapping) -> Policy:
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


def read_version(page: PolicyReader, root: Mapping) -> None:
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


def read_selector(page: PolicyReader, root: Mapping, name: str, default: Selector) -> Selector:
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


def read_limits(page: PolicyReader, root: Mapping) -> Limits:
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


def refuse_order(page: PolicyReader, section: Mapping, limits: Limits) -> None:
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


def read_calendar(page: PolicyReader, root: Mapping) -> Calendar:
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


def read_groups(page: PolicyReader, root: Mapping) -> Map[Group, GroupPolicy]:
    """Who signs for whom, of the groups that are written."""
    groups = page.section(root, key_of("groups"))
    return {group: read_group(page, groups, group) for group in Group if groups.entry(group)}


def read_group(page: PolicyReader, groups: Mapping, group: Group) -> GroupPolicy:
    """One group."""
    key = key_of("groups", group)
    section = page.section(groups, key)
    members = page.values(section, "members", read.login, example=key_of("groups", group, "members").example)
    lead = page.value(section, key_of("groups", group, "lead"), read.login, None)
    return GroupPolicy(frozenset(member.lower() for member in members), lead)
