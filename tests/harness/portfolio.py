"""An organisation with many POCs, in all states, as the looks would have stored it; the same each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random

from sqlalchemy import Engine, insert
from sqlmodel import Session

from service.rules.charter.model import Charter
from service.rules.charter.threshold import Threshold
from service.rules.checks.judge import judge_standing
from service.rules.evidence.values import Conditions, Measurement, Result, Status
from service.rules.gate.overview import overview
from service.rules.gate.signoffs import Round, material_hash
from service.rules.source.text import CharterFile, FileKind
from service.rules.stall.waiting_on import Party, WaitingOn, Wants
from service.rules.values.groups import FOUR, Level
from service.rules.values.subjects import PocId
from service.store.database import Database, transaction
from service.store.store import Store
from service.store.tables import (
    CharterAt,
    CheckRunRow,
    EvidenceRow,
    FactRow,
    InstallationRow,
    PocRow,
    PullRequestRow,
    RepositoryRow,
    SignatureRow,
    StallIssueRow,
)
from tests.harness.charters import CHARTER, OWNER, SIGNERS

NOW = datetime(2026, 11, 28, 20, 40, tzinfo=UTC)
NAMES = (
    "ticket-triage", "call-summaries", "invoice-ocr", "fraud-graph", "churn-scoring", "price-hints",
    "contract-search", "doc-chat", "route-eta", "voice-intent", "shelf-vision", "claim-letters",
    "demand-curves", "meter-anomaly", "cv-matching", "returns-forecast", "smart-replies", "crop-yield",
    "leak-detection", "queue-times", "menu-writer", "warranty-texts", "driver-coach", "tax-sorter",
)  # fmt: skip
OPEN = ("evaluating", "evaluating", "building", "proposed", "shipping", "evaluating", "building", "building",
        "evaluating", "shipping")  # fmt: skip
PLAN = (
    *OPEN,
    *OPEN[:6],
    "shipped",
    "shipped",
    "shipped",
    "stopped",
    "stopped",
    "stopped",
    "building",
    "proposed",
)
REASONS = (
    "the baseline of plain search was good enough",
    "data: the contract never came; a <b>vendor</b> does it from March",
    "numbers: accuracy stayed at 81 % after three data sets, and nobody had another idea",
)
TITLES = {"ticket-triage": "Ticket triage"}
INSTALLATION = 8150


def fill(engine: Engine, now: datetime = NOW, *, account: str = "acme", first: int = 1) -> dict[str, int]:
    """Store it; returns the repositories' ids by name."""
    with transaction(engine) as session:
        session.add(InstallationRow(id=INSTALLATION, account=account, permissions={"metadata": "read"}))
    store = Store(Database(engine))
    ids = {}
    for at, (name, state) in enumerate(zip(NAMES, PLAN, strict=True)):
        ids[name] = first + at
        _poc(engine, store, now, account, name, first + at, state, Random(at))
    return ids


def charter_of(name: str, ship_by: date, *, more: str = "") -> str:
    title = TITLES.get(name, name.replace("-", " ").capitalize())
    text = CHARTER.replace("# Ticket triage", f"# {title}").replace("2027-02-26", ship_by.isoformat())
    return text.replace("poc: 1\n", f"poc: 1\n{more}")


def _poc(  # noqa: PLR0917
    engine: Engine,
    store: Store,
    now: datetime,
    account: str,
    name: str,
    repository: int,
    state: str,
    rand: Random,
) -> None:
    today = now.date()
    began = now - timedelta(days=rand.randint(60, 150))
    ship_by = today + timedelta(days=(repository * 17) % 88 - 20)
    stopped = f"stopped: {(today - timedelta(days=repository)).isoformat()} - {REASONS[repository % 3]}\n"
    text = charter_of(name, ship_by, more=stopped if state == "stopped" else "")
    file = CharterFile(FileKind.FILE, text.encode(), f"blob-{name}", len(text))
    charter = judge_standing(file, today).charter
    assert charter is not None
    with transaction(engine) as session:
        session.add(
            RepositoryRow(
                id=repository,
                installation_id=INSTALLATION,
                full_name=f"{account}/poc-{name}",
                default_branch="main",
                topics=["poc"],
                poc_reason="topic `poc`",
                registered_at=began,
                first_seen_at=began,
                charter_kind="file",
                charter_blob_sha=file.blob_sha,
                charter_data=file.data,
                charter_size=file.size,
                chartered_at=began,
                charter_changed_at=began,
                reread=False,
            )
        )
        since = now - timedelta(days=rand.randint(1, 40))
        session.execute(
            insert(PocRow).values(
                repository_id=repository, charter_path="POC.md", state=state, state_since=since
            )
        )
    poc_id = store.pocs.begin(repository, "POC.md", now)
    assert poc_id is not None
    met = {"proposed": 0, "shipping": 2, "shipped": 2}.get(state, rand.randint(0, 2))
    store.pocs.show(poc_id, overview(charter, list(_results(charter, met, now, rand))))
    slips = repository % 3
    for each in range(slips + 1):
        earlier = timedelta(days=21 * (slips - each))
        store.waiting.promised(poc_id, ship_by - earlier, began + timedelta(days=10 * each))
    for turn in _turns(began, now, state, rand):
        store.waiting.passed(poc_id, turn)
    with transaction(engine) as session:
        _history(session, repository, poc_id, charter, began, now, state, rand)
        late = ship_by < today
        if state in OPEN and (late or repository % 7 == 0):
            row = session.get_one(PocRow, poc_id)
            row.stalled_since = ship_by if late else today - timedelta(days=12)
            row.stall_cause = "overdue" if late else "silent"
            session.add(
                StallIssueRow(
                    poc_id=poc_id, installation_id=INSTALLATION, number=9, state="open", digest="d",
                    html_url=f"https://github.com/{account}/poc-{name}/issues/9", opened_on=today,
                    rung=3 if late else 1,
                )
            )  # fmt: skip
        row = session.get_one(PocRow, poc_id)
        row.days = [
            rand.randint(*span)
            for span in ((20, 50), (0, 9), (3, 20), (0, 14), (5, 26), (0, 6), (0, 4), (2, 20), (0, 8))
        ]
        row.counted_on = today
        if state == "shipped":
            row.shipped_at = since
        session.add(row)


def _results(charter: Charter, met: int, now: datetime, rand: Random) -> Iterator[Result]:
    for at, line in enumerate(charter.done):
        yield Result(line, Status.MET if at < met else Status.MISSED, _number(line, at < met, now, rand))


def _number(line: Threshold, met: bool, now: datetime, rand: Random) -> Measurement:
    better = line.op.startswith("<") == met
    value = line.value * (100 - rand.randint(3, 30) if better else 100 + rand.randint(2, 6)) / 100
    at = now - timedelta(days=rand.randint(1, 12))
    samples = Conditions(n=2140) if line.metric == "accuracy" else None
    return Measurement(line.metric, value, line.unit, Level.MEASURED, "run", at, samples)


def _turns(began: datetime, now: datetime, state: str, rand: Random) -> Iterator[WaitingOn]:
    at, signers = began, dict(zip(FOUR, SIGNERS, strict=True))
    owner = WaitingOn(Party.OWNER, Wants.WORK, began, (OWNER,))
    yield owner
    while at < now - timedelta(days=24):
        at += timedelta(days=rand.randint(6, 24))
        group = rand.choice(FOUR)
        kind = rand.randint(0, 5)
        if kind <= 2:
            yield WaitingOn(Party.SIGNER, Wants.START_SIGNATURE, at, (signers[group],), group, 41)
        elif kind == 3:
            yield WaitingOn(Party.REVIEWER, Wants.REVIEW, at, ("erin-x",), None, 57)
        else:
            yield WaitingOn(Party.OWNER, Wants.WORK, at, (OWNER,))
    if state in ("shipped", "stopped"):
        yield WaitingOn(Party.NOBODY, Wants.NOTHING, now - timedelta(days=3))


def _history(  # noqa: PLR0917
    session: Session, repository: int, poc_id: PocId, charter: Charter, began: datetime, now: datetime,
    state: str, rand: Random,
) -> None:  # fmt: skip
    subject, moment, number = f"repository:{repository}", began, 0
    while moment < now:
        moment += timedelta(days=rand.choice([1, 1, 1, 1, 1, 2, 2, 34]), minutes=7)
        number += 1
        session.add(_fact(f"{subject}:commit:{number}", subject, min(moment, now), OWNER, {"deed": "commit"}))
    session.add(_fact(f"{subject}:charter-changed:{'a' * 40}", subject, began, OWNER, {"deed": "charter"}))
    earlier = charter_of("x", now.date()).replace("<= 300 ms", "<= 250 ms").encode()
    session.add(
        CharterAt(
            repository_id=repository, commit_sha="a" * 40, kind="file", blob_sha="early", data=earlier, size=9
        )
    )
    later = began + timedelta(days=20)
    session.add(_fact(f"{subject}:charter-changed:{'b' * 40}", subject, later, OWNER, {"deed": "charter"}))
    now_text = charter_of("x", now.date()).encode()
    session.add(
        CharterAt(
            repository_id=repository, commit_sha="b" * 40, kind="file", blob_sha="late", data=now_text, size=9
        )
    )
    session.add(
        PullRequestRow(
            repository_id=repository, number=41, head_sha="c" * 40, base_ref="main", base_sha="b" * 40,
            author=OWNER, state="open", updated_at=now,
        )
    )  # fmt: skip
    session.add(
        CheckRunRow(
                rules=[],
            repository_id=repository, head_sha="c" * 40, name="POC charter", subject="s", external_id="e",
            digest="d", conclusion="success", title="Charter complete", github_id=77, created_at=now,
        )
    )  # fmt: skip
    for at, (group, login) in enumerate(zip(FOUR, SIGNERS, strict=True)):
        if at == 3 or (state == "proposed" and at > 1):
            continue
        session.add(
            SignatureRow(
                poc_id=poc_id, number=12, login=login, signs_for=str(group), round=str(Round.START),
                hash=material_hash(charter, group, Round.START), source=f"review:{repository}{at}", at=later,
            )
        )  # fmt: skip
    for at, (login, when) in enumerate((("erin-x", later), ("dan-w", later + timedelta(days=2)))):
        review = {"id": 900 + at, "number": 41, "login": login, "state": "approved", "commit_id": "c" * 40}
        key = f"pull_request:{repository}:41"
        session.add(
            FactRow(
                id=f"{key}:review:{900 + at}", subject=key, kind="reviewed", at=when, actor=login,
                detail=json.dumps(review),
            )
        )  # fmt: skip
    for at in range(8):
        session.add(
            EvidenceRow(
                repository_id=repository, run_sha=f"{at:040}", commit_sha=f"{at:040}", level="measured",
                source="run",
                source_id=f"r{at}", key="latency_p95", metric="latency_p95",
                value=str(420 - 25 * at + rand.randint(0, 30)),
                unit="ms", at=now - timedelta(days=40 - 4 * at),
            )
        )  # fmt: skip


def _fact(name: str, subject: str, at: datetime, actor: str, detail: dict[str, object]) -> FactRow:
    return FactRow(id=name, subject=subject, kind="activity", at=at, actor=actor, detail=json.dumps(detail))
