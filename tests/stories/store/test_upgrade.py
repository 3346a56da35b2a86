"""An upgrade from a database that an earlier version wrote: nothing is lost, and nothing is another's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from service.rules.digest.week import PocLine
from service.rules.gate.lifecycle import State
from service.rules.gate.signoffs import Round
from service.rules.queue import Urgency
from service.rules.stall.stalls import Cause
from service.rules.stall.waiting_on import Blocker, Party, PausePeriod, WaitingOn, Wants
from service.rules.values.actions import GATE_CHECK
from service.rules.values.github import Installation, IssueState, RepositoryRef, StallIssue
from service.rules.values.groups import Group, Level
from service.store import subjects
from service.store.app_credentials import StoredApp
from service.store.database import Database, connect, cursor, transaction
from service.store.health import health, note, refusals
from service.store.poc_records import StoredPause, WaitingRecord
from service.store.pocs import Shipment, ShipRequest, StoredPoc
from service.store.portfolio import Asked
from service.store.schema import migrate
from service.store.store import Store
from service.store.subjects import stored_deliveries, stored_id
from service.store.waiting import KnownBlocker, ShipDate
from tests.harness.database import Server
from tests.harness.pocs import poc_id_of, record
from tests.harness.tables import differences

DUMP = Path(__file__).parent / "upgrade" / "0005.sql"
"""A POC with its charter, signatures, numbers, a ship request, a snooze and a stall issue; another without
one, whose issue stands in the central repository; and repositories that are no POCs."""
TRIAGE, SEARCH, WEBSITE = 1, 2, 3
HEAD = "1" * 40


def at(
    month: int, day: int, hour: int = 9, minute: int = 0, second: int = 0, *, year: int = 2026
) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.fixture
def engine(server: Server) -> Iterator[Engine]:
    """A database with the tables of revision 0005, and nothing in them."""
    with server.database("template0") as url:
        engine = connect(url)
        migrate(engine, to="0005")
        yield engine
        engine.dispose()


@pytest.fixture
def upgraded(engine: Engine) -> Store:
    """What the earlier version wrote, as this one reads it."""
    with transaction(engine) as session:
        cursor(session).execute(DUMP.read_bytes())
    migrate(engine)
    return Store(Database(engine))


def waiting(store: Store, repository_id: int) -> WaitingRecord:
    return store.poc_records.waiting(record(store, repository_id).poc_id, repository_id)


@pytest.mark.usefixtures("upgraded")
def test_the_tables_are_those_of_a_new_database(engine: Engine) -> None:
    assert differences(engine) == []


def test_where_each_poc_stands(upgraded: Store) -> None:
    stored = record(upgraded, TRIAGE).poc
    assert stored.owner is not None
    assert replace(stored, owner=None, agreed=None) == StoredPoc(
        state=State.PROPOSED,
        request=ShipRequest(5, at(11, 26, 9, 4)),
        bound=True,
        environment="support-prod",
        state_since=at(11, 26, 9, 1),
        proven_at=None,
        unsigned=(),
        history_read=True,
    )
    assert (stored.owner.login, stored.owner.since) == ("jane-doe", at(11, 23))
    assert record(upgraded, SEARCH).poc.state is State.NONE
    assert record(upgraded, WEBSITE).poc_id is None
    assert record(upgraded, WEBSITE).poc == StoredPoc()


def test_the_charter_that_stands_is_what_was_agreed_on(upgraded: Store) -> None:
    found = record(upgraded, TRIAGE)
    assert found.poc.agreed is not None
    assert found.known.charter is not None
    assert (found.poc.agreed.data, found.poc.agreed.blob_sha) == (
        found.known.charter.data,
        found.known.charter.blob_sha,
    )
    assert record(upgraded, SEARCH).poc.agreed is None


SHIP = f"""
UPDATE poc SET shipped_at = '2026-11-27 09:00Z', shipped_sha = '{HEAD}', state = 'shipped';
INSERT INTO fact (id, subject, kind, at, actor, detail) VALUES
    ('deployed:1', 'repository:1', 'deployed', '2026-11-27 09:00Z', 'jane-doe',
     '{{"id": 1, "environment": "Support-Prod", "sha": "{HEAD}"}}'),
    ('deployed:2', 'repository:1', 'deployed', '2026-11-27 09:00Z', 'jane-doe',
     '{{"id": 2, "environment": "support-staging", "sha": "{HEAD}"}}')
"""


def test_what_shipped(engine: Engine) -> None:
    with transaction(engine) as session:
        cursor(session).execute(DUMP.read_bytes())
        cursor(session).execute(SHIP.encode())
    migrate(engine)
    store = Store(Database(engine))
    poc_id = record(store, TRIAGE).poc_id
    assert store.pocs.shipments(poc_id, "support-PROD") == (Shipment(HEAD, None, at(11, 27)),)
    assert store.pocs.shipments(poc_id, "support-staging") == ()


def test_the_signatures(upgraded: Store) -> None:
    given = record(upgraded, TRIAGE).signatures
    assert [
        (each.signature.login, each.signature.group, each.signature.round, each.signature.source)
        for each in given
        if not each.withdrawn
    ] == [
        ("alice-k", Group.DATA_SCIENCE, Round.START, "comment:501"),
        ("bob-m", Group.PLATFORM, Round.START, "comment:502"),
        ("carol-s", Group.PRODUCT, Round.START, "comment:503"),
        ("dan-w", Group.SECURITY, Round.START, "comment:504"),
        ("alice-k", Group.DATA_SCIENCE, Round.SHIP, "review:509"),
        ("alice-k", Group.DATA_SCIENCE, Round.START, "comment:511"),
    ]
    assert [each.signature.source for each in given if each.withdrawn] == ["review:510"]
    assert given[0].signature.hash == "9382d8b49db35997208cbd05dee5edb749888448a014127cee57cbcb0d0e11e6"
    assert given[4].signature.number == 5
    assert record(upgraded, SEARCH).signatures == ()


def test_the_commits_that_were_approved(upgraded: Store) -> None:
    given = record(upgraded, TRIAGE).signatures
    assert {each.signature.source: each.signature.commit for each in given} == {
        **{f"comment:{number}": None for number in (501, 502, 503, 504, 511)},
        "review:509": HEAD,
        "review:510": HEAD,
    }


PUSHED = """
INSERT INTO signature (poc_id, number, login, signs_for, round, hash, source, at)
SELECT id, 5, 'bob-m', 'platform', 'ship', 'a hash', source, '2026-11-27 09:00Z'
FROM poc, unnest('{opened:5,opened:5:abc}'::text[]) AS source WHERE repository_id = 1
"""


def test_who_signed_by_opening_signed_the_commit_in_the_source(engine: Engine) -> None:
    with transaction(engine) as session:
        cursor(session).execute(DUMP.read_bytes())
    migrate(engine, to="0011")
    with engine.begin() as connection:
        connection.execute(text(PUSHED))
    migrate(engine)
    given = record(Store(Database(engine)), TRIAGE).signatures
    assert {
        each.signature.source: each.signature.commit
        for each in given
        if each.signature.source.startswith("opened:")
    } == {"opened:5": None, "opened:5:abc": "abc"}


def test_what_waited_for_a_look_waits_as_a_repository_does(engine: Engine) -> None:
    migrate(engine, to="0019")
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO subject (key, wanted, done, attempts) VALUES ('pull_request:1:5', 2, 1, 0)")
        )
    migrate(engine)
    with engine.begin() as connection:
        claim = subjects.claim(connection, "pull_request:1:5")
    assert claim is not None
    assert (claim.wanted, claim.urgency, claim.marked_at) == (2, Urgency.LATER, None)


def test_the_deliveries_that_were_refused(engine: Engine) -> None:
    with transaction(engine) as session:
        cursor(session).execute(DUMP.read_bytes())
    migrate(engine, to="0011")
    with engine.begin() as connection:
        assert refusals(engine) is None
        connection.execute(text("INSERT INTO refused VALUES (now(), 3), (now() - interval '2 days', 4)"))
    migrate(engine)
    found = refusals(engine)
    assert found is not None
    assert found.deliveries == 3


def test_the_numbers(upgraded: Store) -> None:
    found = upgraded.evidence.measured(TRIAGE, [HEAD])
    assert [
        (
            each.metric,
            f"{each.value} {each.unit.text}",
            each.level,
            each.at,
            each.conditions and each.conditions.n,
        )
        for each in found
    ] == [
        ("latency_p95", "212.4 ms", Level.MEASURED, at(11, 26, 9, 3), None),
        ("accuracy", "93.1 %", Level.MEASURED, at(11, 26, 9, 3), 2140),
    ]


def test_who_was_waited_for(upgraded: Store) -> None:
    assert waiting(upgraded, TRIAGE).periods == (
        WaitingOn(Party.SIGNER, Wants.START_SIGNATURE, at(11, 23), ("alice-k",), Group.DATA_SCIENCE),
        WaitingOn(Party.OWNER, Wants.WORK, at(11, 23, 9, 4), ("jane-doe",)),
        WaitingOn(Party.BLOCKER, Wants.UNBLOCK, at(11, 24, 9, 1), about="#12"),
        WaitingOn(Party.SIGNER, Wants.START_SIGNATURE, at(12, 26), ("carol-s",), Group.PRODUCT),
    )
    assert waiting(upgraded, SEARCH).periods == (
        WaitingOn(Party.UNNAMED, Wants.CHARTER, at(11, 23, 9, 4, 1)),
    )


def test_ship_dates_pauses_and_blockers(upgraded: Store) -> None:
    found = waiting(upgraded, TRIAGE)
    assert found.ship_dates == (
        ShipDate(date(2027, 2, 26), at(11, 23)),
        ShipDate(date(2027, 3, 12), at(11, 26, 9, 1)),
    )
    snooze = PausePeriod(date(2026, 11, 24), date(2026, 12, 8), "waits for #12")
    assert found.pauses == (StoredPause("comment:505:0", at(11, 24, 9, 1), snooze),)
    blocker = Blocker("#12", at(11, 24, 9, 1), open=False, assignees=())
    assert found.blockers == (KnownBlocker(blocker, commanded=True, read_at=at(12, 26)),)
    assert (waiting(upgraded, SEARCH).pauses, waiting(upgraded, SEARCH).ship_dates) == ((), ())


def test_the_stall_issues(upgraded: Store) -> None:
    assert record(upgraded, TRIAGE).issue == StallIssue(
        2,
        IssueState.OPEN,
        "c1065c4cbb2433c2da3f1a2c283e83cd994a432959c7144c11a109ef04c7c83c",
        at(1, 4, year=2027),
        closed_by_us=False,
        episode=2,
        rung=3,
        assignee="carol-s",
    )
    elsewhere = record(upgraded, SEARCH).issue
    assert elsewhere is not None
    assert (elsewhere.number, elsewhere.rung) == (2, 3)
    assert elsewhere.home == RepositoryRef(91, "acme/poc-portfolio")
    assert upgraded.stall_issues.opened_on(7, date(2026, 12, 7)) == 1


def test_the_check_runs(upgraded: Store, engine: Engine) -> None:
    posted = upgraded.check_runs.newest_of(TRIAGE, HEAD)[GATE_CHECK]
    assert posted.digest == "19f22197b1d0e6182315c267963bfdae96c354c60d364d16d2618167c039e58f"
    assert posted.github_id == 1020
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM check_run")).scalar_one() == 14


def test_what_a_digest_and_a_policy_go_by(upgraded: Store) -> None:
    search, triage = upgraded.digests.pocs(7, date(2026, 12, 1))

    def line(of: PocLine) -> tuple[object, ...]:
        return of.full_name, of.state, of.stalled_since, of.cause, of.rung, of.ship_by, of.resting

    assert line(search) == (
        "acme/poc-search",
        State.NONE,
        date(2026, 11, 23),
        Cause.NO_CHARTER,
        3,
        None,
        False,
    )
    assert line(triage)[:2] == ("acme/poc-triage", State.PROPOSED)
    assert line(triage)[4:] == (3, date(2027, 3, 12), True)
    stored = upgraded.poc_records.stalls([TRIAGE, SEARCH])
    assert stored[TRIAGE].turn == waiting(upgraded, TRIAGE).periods[-1]
    assert (stored[TRIAGE].issue, stored[SEARCH].issue) == (
        record(upgraded, TRIAGE).issue,
        record(upgraded, SEARCH).issue,
    )


def test_new_rows_do_not_take_the_ids_of_old_ones(upgraded: Store) -> None:
    known = {record(upgraded, each).poc_id for each in (TRIAGE, SEARCH)}
    assert poc_id_of(upgraded, WEBSITE) not in known
    assert poc_id_of(upgraded, TRIAGE) in known


OTHERS = """
INSERT INTO repository (id, installation_id, full_name, topics, poc_reason, registered_at)
VALUES (1, 7, 'acme/poc-new', '{}', 'its name', '2026-11-20 09:00Z'), (2, 7, 'acme/site', '{}', NULL, NULL);
INSERT INTO turn (repository_id, party, wants, people, since)
VALUES (3, 'owner', 'work', '{jane-doe}', '2026-11-23 09:00Z');
INSERT INTO rest (repository_id, source, first, until, reason, at)
VALUES (4, 'comment:1:0', '2026-11-24', '2026-12-08', 'legal', '2026-11-24 09:00Z');
INSERT INTO stall_issue (repository_id, charter_path, installation_id, state, digest, opened_on)
VALUES (4, 'POC.md', 7, 'open', '', '2026-11-24');
"""
"""What no record was kept of: a POC that nobody has looked at yet, and repositories that are gone."""


def test_who_had_no_record_has_one_now(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(OTHERS))
    migrate(engine)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT repository_id, charter_path, state FROM poc ORDER BY 1")).all()
    assert [tuple(row) for row in rows] == [(each, "POC.md", "none") for each in (1, 3, 4)]
    store = Store(Database(engine))
    assert record(store, 1).poc == StoredPoc(state_since=at(11, 20))
    assert record(store, 2).poc_id is None
    assert [each.people for each in store.poc_records.waiting(poc_id_of(store, 3), 3).periods] == [
        ("jane-doe",)
    ]
    gone, issue = (
        store.poc_records.waiting(poc_id_of(store, 4), 4),
        store.stall_issues.find(poc_id_of(store, 4)),
    )
    assert (len(gone.pauses), issue is not None) == (1, True)


def test_the_pages_know_who_was_waited_for_and_until_when(upgraded: Store) -> None:
    found = upgraded.portfolio.find(None, Asked(), date(2026, 11, 22))
    by_id = {each.known.repository.id: each for each in found.page}
    triage = by_id[TRIAGE]
    record = upgraded.poc_records.waiting(poc_id_of(upgraded, TRIAGE), TRIAGE)
    assert triage.waiting_on == record.periods[-1]
    assert triage.ship_by == record.ship_dates[-1].ship_by
    assert triage.ship_dates == len(record.ship_dates)
    assert triage.thresholds is None


def test_there_is_no_stored_app_and_one_can_be_stored_once(upgraded: Store, engine: Engine) -> None:
    assert upgraded.pocs is not None
    stored = StoredApp(Database(engine))
    assert stored.find() is None
    assert stored.keep(4711, b"sealed")
    assert not stored.keep(4712, b"another")
    assert stored.find() == b"sealed"


def test_an_installation_that_was_there_goes_on_enforcing_and_a_new_one_observes_first(
    engine: Engine, upgraded: Store
) -> None:
    known = [upgraded.installations.find(each) for each in upgraded.installations.known()]
    assert {each.begins_observing for each in known if each} == {False}
    upgraded.installations.remember(Installation(99, "globex", {}))
    new = upgraded.installations.find(99)
    assert new is not None
    assert (new.begins_observing, new.switched, new.observing_since) == (True, None, None)
    assert differences(engine) == []


@pytest.mark.usefixtures("upgraded")
def test_there_was_no_backup_and_the_newest_one_is_remembered(engine: Engine) -> None:
    assert health(engine).last_backup_at is None
    for hour in (9, 10):
        note(engine, at(11, 24, hour))
        assert health(engine).last_backup_at == at(11, 24, hour)


def test_signatures_of_before_are_nobodys_deputies(upgraded: Store) -> None:
    given = record(upgraded, TRIAGE).signatures
    assert given
    assert {each.signature.behalf for each in given} == {None}
    assert upgraded.signatures.accounts(TRIAGE) == {}


GIVEN = (
    "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "0b989ba4-242f-11e5-81e1-c7b6966d2516",
    "9f1c7a3e-5d0b-4c6a-8f57-2f6f0f1f6d11",
    "72D3162E-CC78-11E3-81AB-4C9367DC0958",
    "d-1",
    "Grüße",
)
"""Ids as they were stored: of version 1, as GitHub gives them, of version 4, and no UUIDs."""


def test_deliveries_of_before_are_known_when_they_come_again(engine: Engine) -> None:
    migrate(engine, to="0019")
    with transaction(engine) as session:
        cursor(session).executemany(
            "INSERT INTO delivery (delivery_id, event, body_sha256, subjects) VALUES (%s, 'push', '', '{}')",
            [(each,) for each in GIVEN],
        )
    migrate(engine)
    assert differences(engine) == []
    with transaction(engine) as session:
        rows = session.connection().execute(text("SELECT delivery_id::text FROM delivery ORDER BY id"))
        assert [row[0] for row in rows] == [stored_id(each) for each in GIVEN]
        assert stored_deliveries(session, {*GIVEN, "another"}) == set(GIVEN)
