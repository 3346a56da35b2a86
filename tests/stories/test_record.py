"""The record of a POC: what it holds, that its hashes chain, and that it is shown to whoever may read it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from service.cli.app import cli
from service.cli.record import printed
from service.pages.record import FIRST, record_of
from service.rules.gate.signoffs import Round, Signature
from service.rules.values.github import CommandLine, Deployed
from service.rules.values.groups import Group
from service.rules.values.recorded import RecordedCommand, RecordedDeployment
from service.store.database import Database, connect
from service.store.records import RecordedGate, RecordedSignature, Records, Version
from service.texts.record import EntryKind, Record
from tests.harness import database
from tests.harness.database import Server
from tests.harness.portfolio import NOW, fill

POC = "acme/poc-ticket-triage"


@pytest.fixture(scope="module")
def stored(server: Server) -> Iterator[Engine]:
    with server.database() as url:
        engine = connect(url)
        database.share_compiled(engine)
        fill(engine)
        yield engine
        engine.dispose()


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def record(engine: Engine, as_of: datetime = NOW) -> Record:
    records = Records(Database(engine))
    poc_id = records.named(POC)
    assert poc_id is not None
    return record_of(records.of(poc_id), as_of)


def test_everything_that_was_decided_is_in_it(stored: Engine) -> None:
    kinds = {each.kind for each in record(stored).entries}
    assert {EntryKind.CHARTER, EntryKind.GOALPOST, EntryKind.SIGNATURE, EntryKind.NUMBER} <= kinds
    signed = [each for each in record(stored).entries if each.kind is EntryKind.SIGNATURE]
    assert "signed for data science, to start on #12: done" in {each.says for each in signed}
    [moved] = [each for each in record(stored).entries if each.kind is EntryKind.GOALPOST]
    assert moved.says == "latency_p95 is looser: <= 250 ms, now <= 300 ms"
    assert [each.at for each in record(stored).entries] == sorted(each.at for each in record(stored).entries)


def test_the_hashes_can_be_computed_again_from_the_json(stored: Engine) -> None:
    document = json.loads(json.dumps(record(stored).document))
    before = FIRST
    for entry in document["entries"]:
        told = {name: entry[name] for name in ("at", "kind", "by", "data")}
        text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        before = hashlib.sha256(f"{before}{text}".encode()).hexdigest()
        assert entry["hash"] == before
    assert document["repository"] == POC


def test_as_of_a_day_it_says_what_was_known_then(stored: Engine) -> None:
    whole = record(stored)
    middle = whole.entries[len(whole.entries) // 2].at
    then = record(stored, middle)
    assert then.entries == tuple(each for each in whole.entries if each.at <= middle)
    assert record(stored, datetime(2000, 1, 1, tzinfo=UTC)).entries == ()


def test_the_same_again_is_the_same(stored: Engine) -> None:
    assert record(stored).entries == record(stored, NOW + timedelta(days=1)).entries


COMMIT = "c" * 40


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (EntryKind.COMMAND, "jane-doe: wrote /poc ship on #41"),
        (EntryKind.DEPLOYMENT, "erin-x: deployed commit ccccccc to support-prod"),
        (EntryKind.GATE, "the app: the ship gate on commit ccccccc: success, Ready to ship"),
        (EntryKind.WITHDRAWN, "dan-w: the signature for security, to ship on #41, was withdrawn"),
        (EntryKind.CHARTER, "bob-m: the charter on the default branch, commit ccccccc; its text wasn't kept"),
    ],
    ids=lambda value: value.value if isinstance(value, EntryKind) else "",
)
def test_entries_in_words(stored: Engine, kind: EntryKind, says: str) -> None:
    poc_id = Records(Database(stored)).named(POC)
    assert poc_id is not None
    at = NOW - timedelta(days=1)
    given = Signature("dan-w", Group.SECURITY, Round.SHIP, "0" * 64, at, 41, "review:7", COMMIT)
    said = CommandLine(7, 41, is_pull_request=True, text="/poc ship")
    command = RecordedCommand(said, "jane-doe", at)
    told = replace(
        Records(Database(stored)).of(poc_id),
        commands=(command,),
        followed=(command,),
        deployments=(RecordedDeployment(Deployed(9, "support-prod", COMMIT), "erin-x", at),),
        gates=(RecordedGate(COMMIT, "success", "Ready to ship", at),),
        signatures=(RecordedSignature(given, withdrawn_at=at),),
        versions=(Version(COMMIT, at, "bob-m", None),),
    )
    entries = record_of(told, NOW).entries
    assert [f"{each.by or 'the app'}: {each.says}" for each in entries if each.kind is kind] == [says]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["acme/poc-ticket-triage"], 0, "# Record of "),
        (["acme/poc-nothing"], 2, "we don't know a POC acme/poc-nothing"),
        (["acme/poc-ticket-triage", "--format", "pdf"], 2, "write md or json"),
        (["acme/poc-ticket-triage", "--as-of", "soon"], 2, "--as-of soon isn't a time"),
    ],
    ids=["printed", "no-poc", "no-format", "no-time"],
)
def test_the_command(
    stored: Engine, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, says: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", address(stored).replace("+psycopg", "", 1))
    result = CliRunner().invoke(cli, ["record", *arguments])
    assert (result.exit_code, says in result.output) == (code, True), result.output


def test_it_is_printed(stored: Engine) -> None:
    url = address(stored)
    said = printed(url, POC.upper(), "md", NOW)
    assert said is not None
    assert said.startswith("# Record of ")
    assert said.count("| signature |") == 3
    assert "## The charter of " in said
    data = printed(url, POC, "json", NOW)
    assert data is not None
    assert json.loads(data) == record(stored).document
    assert printed(url, "acme/nothing", "md", NOW) is None
