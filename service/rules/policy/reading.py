"""`poc-policy.yml` becomes a `Policy`, or the findings that say on which line to write what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import Any

from service.rules.charter.quantity import Refusal
from service.rules.policy.keys import POLICY, Key
from service.rules.policy.model import NO_POLICY, Exceptions, GroupPolicy, Limits, Policy, Selector
from service.rules.source.block import Block, lines_of
from service.rules.source.loader import MOST_LINES_TOLD, compose, in_order, refused_lines
from service.rules.source.nodes import Entry, Mapping, Node, Place, Scalar, Sequence
from service.rules.source.text import decoded, shown
from service.rules.source.traps import POLICY as DIALECT
from service.rules.values.calendar import Calendar
from service.rules.values.finding import Finding, Severity
from service.rules.values.groups import Group

MAX_BYTES = 64 * 1024
MAX_LINES = 2_000
MOST_DAYS_OFF = 6
UNREADABLE = "unreadable-policy"
TOO_LARGE = "policy-too-large"
VERSION = "policy-version"
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

    def read(self, entry: Entry, key: Key) -> object:
        """What an entry says, as far as it can be read: a mapping, a tuple, one value, or None."""
        if key.keys or key.free:
            return self._section(entry, key)
        if key.most:
            return self._list(entry, key)
        if not isinstance(entry.value, Scalar) or not entry.value.value:
            self._misshapen(entry, f"write one value, like `{key.name}: {key.example}`")
            return None
        return self._value(entry.value, key)

    def fields(self, section: Mapping, key: Key) -> dict[str, Any]:
        """What is written under the keys of a section; what cannot be read is left out."""
        found = ((inner, section.entry(inner.name)) for inner in key.keys)
        read = {inner.name: self.read(entry, inner) for inner, entry in found if entry}
        return {name: value for name, value in read.items() if value is not None}

    def _section(self, entry: Entry, key: Key) -> dict[str, Any] | None:
        if not isinstance(entry.value, Mapping):
            first = key.keys[0] if key.keys else Key("name", "", "[value]")
            like = f"{first.name}: {first.example}".rstrip()
            self._misshapen(entry, f"write lines like `{like}` below it")
            return None
        if key.free:
            each = replace(key, example="[poc]", free=False)
            return {
                inner.key.value: self._list(inner, replace(each, name=inner.key.value))
                for inner in entry.value.entries
            }
        self.unknown(key, entry.value)
        return self.fields(entry.value, key)

    def unknown(self, section: Key, node: Mapping) -> None:
        """Tell the entries that a section does not list, with the key that was meant where one is near."""
        unlisted = (entry for entry in node.entries if section.key(entry.key.value) is None)
        for entry in islice(unlisted, MOST_TOLD):
            name, meant = entry.key.value, self._meant(section, node, entry.key.value)
            if meant:
                fix = entry.key.replaced(self.lines, meant)
                message = f"No key {shown(name, SHOWN)} here: write `{meant}`"
                self.refuse("unknown-key", message, entry.key, fix)
            else:
                place = "a policy" if section.name == "policy file" else f"`{section.name}`"
                self.refuse("unknown-key", f"No key {shown(name, SHOWN)} in {place}: delete it", entry.key)

    def _list(self, entry: Entry, key: Key) -> tuple[object, ...] | None:
        if not isinstance(entry.value, Sequence):
            fix = self._listed(entry.value) if isinstance(entry.value, Scalar) else None
            self._misshapen(entry, f"write a list, like `{key.name}: {key.example}`", fix)
            return None
        if len(entry.value.items) > key.most:
            message = f"{len(entry.value.items)} values: keep {shown(key.name)} to {key.most}"
            self.refuse("too-many-values", message, entry.key)
            return None
        told, read = len(self.findings), []
        for item in entry.value.items:
            if len(self.findings) - told >= MOST_TOLD:
                break
            if not isinstance(item, Scalar):
                self.refuse("wrong-shape", "A list holds single values here: write one value", item)
            elif (value := self._value(item, key)) is not None:
                read.append(value)
        return tuple(read)

    def _value(self, scalar: Scalar, key: Key) -> object:
        assert key.parse is not None, key.name
        read = key.parse(scalar.value.strip())
        if not isinstance(read, Refusal):
            return read
        fix = None if read.meant is None else scalar.replaced(self.lines, read.meant)
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
        return scalar.replaced(self.lines, f"[{line[scalar.column - 1 : scalar.end_column - 1]}]")

    @staticmethod
    def _meant(section: Key, node: Mapping, name: str) -> str | None:
        """The key, not yet there, that an unknown name stands for."""
        free = [key.name for key in section.keys if node.get(key.name) is None]
        written = name.lower().replace("-", "_").replace(" ", "_")
        near = get_close_matches(written, free, n=1, cutoff=NEAR_ENOUGH) if len(name) <= LONGEST_KEY else []
        return near[0] if near else None


@dataclass(frozen=True, slots=True)
class PolicyReading:
    """What a policy file says; `policy` is None where any finding is an error."""

    policy: Policy | None
    findings: tuple[Finding, ...] = ()


def read_policy(data: bytes | str) -> PolicyReading:
    """Read a policy file; raises on no input."""
    # A string may hold a lone surrogate, which UTF-8 cannot write.
    raw = data if isinstance(data, bytes) else data.encode(errors="replace")
    text = decoded(raw, "a policy in YAML")
    if isinstance(text, Finding):
        return PolicyReading(None, (replace(text, code=UNREADABLE),))
    if len(raw) > MAX_BYTES or text.count("\n") > MAX_LINES:
        message = f"The file is larger than 64 KiB or {MAX_LINES} lines: keep only what is decided"
        return PolicyReading(None, (Finding(TOO_LARGE, Severity.ERROR, message, 1),))
    block = Block(lines_of(text), 1, "")
    refused = tuple(islice(refused_lines(block, DIALECT.name), MOST_LINES_TOLD))
    if refused:
        return PolicyReading(None, refused)
    root, mistakes = compose(block, DIALECT)
    if root is None:
        return PolicyReading(None, mistakes)
    page = PolicyReader(block.lines)
    policy = read_root(page, root)
    findings = in_order((*mistakes, *page.findings))
    broken = any(finding.severity is Severity.ERROR for finding in findings)
    return PolicyReading(None if broken else policy, findings)


def read_root(page: PolicyReader, root: Mapping) -> Policy:
    """The policy that the nodes hold, with the default for what cannot be read."""
    page.unknown(POLICY, root)
    read_version(page, root)
    found = page.fields(root, replace(POLICY, keys=POLICY.keys[1:]))
    evidence, calendar = found.get("evidence", {}), found.get("calendar", {})
    limits = Limits(**found.get("limits", {}))
    if limits.shortest > limits.longest:
        refuse_order(page, root.get("limits"), limits)
    if len(set(calendar.get("weekend", ()))) > MOST_DAYS_OFF:
        refuse_weekend(page, root.get("calendar"))
    written = {
        "mode": found.get("mode"),
        "observed": exceptions(found.get("observe")),
        "enforced": exceptions(found.get("enforce")),
        "select": selector(found.get("select")),
        "exclude": selector(found.get("exclude")),
        "limits": limits,
        "calendar": calendar_of(calendar),
        "groups": {Group(name): group_policy(each) for name, each in found.get("groups", {}).items()},
        "environments": frozenset(name.lower() for name in found.get("environments", ())),
        "evidence_days": evidence.get("max_age"),
        "evidence_level": evidence.get("level"),
        "undecided": evidence.get("undecided"),
        "evidence_events": frozenset(evidence.get("events", ())),
        "not_needed": frozenset(found.get("signoffs", {}).get("not_needed", ())),
        "of_head": found.get("signoffs", {}).get("of_head"),
        "when_unjudged": found.get("when_unjudged"),
        "issues_a_day": found.get("issues_a_day"),
        "central_repository": found.get("central_repository"),
        "portfolio_readers": found.get("portfolio_readers"),
    }
    return Policy(**{name: value for name, value in written.items() if value is not None})


def read_version(page: PolicyReader, root: Mapping) -> None:
    """Complain where the file does not say in which language it is written."""
    entry = root.entry("policy")
    if entry is None:
        place = root.entries[0].key if root.entries else root
        page.refuse(VERSION, "The policy has no version: write `policy: 1` as its first line", place)
    elif not isinstance(entry.value, Scalar) or not entry.value.value:
        page.refuse(VERSION, "The version is one number: write `policy: 1`", entry.key)
    elif entry.value.value != "1":
        message = f"Version {shown(entry.value.value)} isn't known here: write `policy: 1`"
        page.refuse(VERSION, message, entry.key, entry.value.replaced(page.lines, "1"))


def selector(found: dict[str, Any] | None) -> Selector | None:
    """`select` or `exclude`; where it is written, only what it lists."""
    if found is None:
        return None
    properties = {name: frozenset(values or ()) for name, values in found.get("properties", {}).items()}
    return Selector(frozenset(found.get("topics", ())), found.get("names", ()), properties)


def exceptions(found: dict[str, Any] | None) -> Exceptions | None:
    """`observe` or `enforce`."""
    if found is None:
        return None
    select = selector(found)
    assert select is not None
    return Exceptions(select, frozenset(found.get("rules", ())), found.get("until"))


def calendar_of(found: dict[str, Any]) -> Calendar:
    """The calendar, with the usual for what is not written."""
    usual = NO_POLICY.calendar
    weekend = frozenset(found.get("weekend", usual.weekend))
    return Calendar(weekend, found.get("freezes", ()), found.get("time_zone", usual.zone))


def group_policy(found: dict[str, Any]) -> GroupPolicy:
    """One group."""
    members = frozenset(member.lower() for member in found.get("members", ()))
    deputies = frozenset(deputy.lower() for deputy in found.get("deputies", ()))
    return GroupPolicy(members, found.get("lead"), deputies)


def refuse_order(page: PolicyReader, section: Node | None, limits: Limits) -> None:
    """Complain of a shortest limit that is more than the longest, one of which may be the default."""
    assert isinstance(section, Mapping), "the defaults are in order"
    shortest, longest = section.entry("shortest"), section.entry("longest")
    entry = shortest or longest
    assert entry is not None
    remedy = "write the smaller as `shortest`" if shortest and longest else "write both"
    says = [
        f"`{name}` is {value}{'' if written else ' by default'}"
        for name, value, written in (
            ("shortest", limits.shortest, shortest),
            ("longest", limits.longest, longest),
        )
    ]
    page.refuse("limits-order", f"{says[0]} and {says[1]}: {remedy}", entry.key)


def refuse_weekend(page: PolicyReader, section: Node | None) -> None:
    """Complain of a week without a working day."""
    entry = section.entry("weekend") if isinstance(section, Mapping) else None
    assert entry is not None
    page.refuse("no-working-day", "Every day of the week is off: leave at least one out", entry.key)
