"""The record of one POC: all that bears on how it was decided, each entry chained to the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, zip_longest

from service.rules.charter.goalposts import moved
from service.rules.charter.model import Charter
from service.rules.checks.judge import judge_standing
from service.rules.commands.parsing import Verb, read_command
from service.rules.gate.signoffs import Round, Signature, material, material_hash, ships
from service.rules.values.groups import Group
from service.rules.values.recorded import RecordedCommand
from service.store.records import RecordedSignature, StoredRecord, Version
from service.texts.goalposts import NAMES, VERBS
from service.texts.markdown import plural
from service.texts.record import Entry, EntryKind, Record, moment
from service.texts.render import texts

FIRST = "0" * 64
"""What the first entry is chained to."""


def record_of(stored: StoredRecord, as_of: datetime) -> Record:
    """The entries up to a moment, in the order in which they happened."""
    found = [each for each in _entries(stored) if each.at <= as_of]
    ordered = sorted(found, key=lambda each: (each.at, list(EntryKind).index(each.kind), _canonical(each)))
    return Record(stored.known.repository.full_name, as_of, tuple(_chained(ordered)))


def in_markdown(record: Record) -> str:
    """The record as people read it."""
    return texts().record(record)


def in_json(record: Record) -> str:
    """The record as programs read it."""
    return f"{json.dumps(record.document, indent=2)}\n"


def _chained(entries: list[Entry]) -> Iterator[Entry]:
    before = FIRST
    for each in entries:
        before = hashlib.sha256(f"{before}{_canonical(each)}".encode()).hexdigest()
        yield Entry(each.at, each.kind, each.by, each.says, each.data, before)


def _canonical(each: Entry) -> str:
    told = {"at": moment(each.at), "kind": each.kind.value, "by": each.by, "data": dict(each.data)}
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _entries(stored: StoredRecord) -> Iterator[Entry]:
    versions = [(each, _charter(each)) for each in stored.versions]
    before: Charter | None = None
    for version, charter in versions:
        yield from _version(version, charter, before)
        before = charter or before
    fields = _Fields([charter for _, charter in versions if charter])
    requests = tuple(_ship_requests(stored.followed))
    for given in stored.signatures:
        if since := _counts_since(given.signature, requests):
            yield from _signed(given, since, fields)
    for number in stored.numbers:
        measured = f"{number.metric}: {number.value} {number.unit}".rstrip()
        yield Entry(
            number.at,
            EntryKind.NUMBER,
            "",
            f"{measured}, {number.level}, on commit {(number.commit_sha or number.run_sha)[:7]}",
            {
                "metric": number.metric,
                "value": number.value,
                "unit": number.unit,
                "level": number.level,
                "source": number.source,
                "run": number.run,
                "run_sha": number.run_sha,
                "commit": number.commit_sha,
                "environment": number.environment,
                "dataset": number.dataset,
                "n": number.n,
            },
        )
    for command in stored.commands:
        yield Entry(
            command.at,
            EntryKind.COMMAND,
            command.actor,
            f"wrote {command.line.text} on #{command.line.number}",
            {"text": command.line.text, "number": command.line.number, "source": command.line.source},
        )
    for gate in stored.gates:
        yield Entry(
            gate.at,
            EntryKind.GATE,
            "",
            f"the ship gate on commit {gate.sha[:7]}: {gate.conclusion}, {gate.title}",
            {"commit": gate.sha, "conclusion": gate.conclusion, "title": gate.title},
        )
    for told in stored.deployments:
        deployed = told.deployed
        yield Entry(
            told.at,
            EntryKind.DEPLOYMENT,
            told.actor,
            f"deployed commit {deployed.sha[:7]} to {deployed.environment}",
            {
                "commit": deployed.sha,
                "environment": deployed.environment,
                "deployment": deployed.deployment_id,
            },
        )


def _charter(version: Version) -> Charter | None:
    """Judged as on its own day: what was right then is not made wrong by today's date."""
    if version.file is None or version.file.data is None:
        return None
    return judge_standing(version.file, version.at.date()).charter


def _version(version: Version, charter: Charter | None, before: Charter | None) -> Iterator[Entry]:
    file = version.file
    text = file.data.decode("utf-8", "replace") if file and file.data is not None else None
    yield Entry(
        version.at,
        EntryKind.CHARTER,
        version.by,
        _charter_says(version, charter, text),
        {"commit": version.sha, "blob": file.blob_sha if file else None, "text": text},
    )
    for move in moved(before, charter) if before and charter else ():
        yield Entry(
            version.at,
            EntryKind.GOALPOST,
            version.by,
            f"{move.subject} {VERBS[move.kind]}: {move.before or 'nothing'}, now {move.now or 'nothing'}",
            {
                "commit": version.sha,
                "field": move.field,
                "subject": move.subject,
                "kind": move.kind.value,
                "before": move.before,
                "now": move.now,
                "signs_again": [group.value for group in move.reopens],
            },
        )


def _charter_says(version: Version, charter: Charter | None, text: str | None) -> str:
    where = f"the charter on the default branch, commit {version.sha[:7]}"
    if text is None:
        return f"{where}; its text wasn't kept"
    if charter is None:
        return f"{where}; nothing in it could be read as a charter"
    until = f", ships by {charter.ship_by.value}" if charter.ship_by else ""
    return (
        f"{where}: {plural(len(charter.done), 'threshold')}, owner {charter.owner_login or 'nobody'}{until}"
    )


class _Fields:
    """What was signed, by its hash, where a charter of the default branch reads so; each is hashed once."""

    def __init__(self, charters: list[Charter]) -> None:
        self._charters = charters
        self._known: dict[tuple[Group, Round], dict[str, tuple[str, ...]]] = {}

    def of(self, signature: Signature) -> tuple[str, ...]:
        key = group, round_ = signature.group, signature.round
        if key not in self._known:
            self._known[key] = {
                material_hash(each, group, round_): tuple(material(each, group, round_))
                for each in self._charters
            }
        return self._known[key].get(signature.hash, ())


@dataclass(frozen=True, slots=True)
class _ShipRequest:
    """A pull request on which the owner asked to ship, until they asked on another one."""

    number: int
    since: datetime
    until: datetime | None


def _ship_requests(followed: Iterable[RecordedCommand]) -> Iterator[_ShipRequest]:
    """What was asked to ship, oldest first; of several commands on one pull request the first counts."""
    asked = [each for each in followed if read_command(each.line.text).verb is Verb.SHIP]
    first = [next(row) for _, row in groupby(asked, key=lambda each: each.line.number)]
    for each, then in zip_longest(first, first[1:]):
        yield _ShipRequest(each.line.number, each.at, then.at if then else None)


def _counts_since(signature: Signature, requests: Iterable[_ShipRequest]) -> datetime | None:
    """From when an approval counts; None where it never did.

    To ship, each approval of a signer is stored, and those count that were given where the owner had asked.
    """
    if signature.round is not Round.SHIP:
        return signature.at
    for asked in requests:
        in_time = asked.until is None or signature.at < asked.until
        if in_time and ships(signature, asked.number, asked.since):
            return max(signature.at, asked.since)
    return None


def _signed(given: RecordedSignature, since: datetime, known: _Fields) -> Iterator[Entry]:
    signature = given.signature
    about, place = NAMES[signature.group], f" on #{signature.number}" if signature.number else ""
    signed_for = known.of(signature)
    fields = f": {', '.join(signed_for)}" if signed_for else ""
    data: dict[str, object] = {
        "group": signature.group.value,
        "round": signature.round.value,
        "number": signature.number,
        "source": signature.source,
        "commit": signature.commit,
        "fields": list(signed_for),
        "hash_of_fields": signature.hash,
    }
    yield Entry(
        since,
        EntryKind.SIGNATURE,
        signature.login,
        f"signed for {about}, to {signature.round.value}{place}{fields}",
        data,
    )
    if given.withdrawn_at:
        yield Entry(
            given.withdrawn_at,
            EntryKind.WITHDRAWN,
            signature.login,
            f"the signature for {about}, to {signature.round.value}{place}, was withdrawn",
            data,
        )
