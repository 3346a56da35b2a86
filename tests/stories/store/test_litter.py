"""What is deleted at night, and that nobody misses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from service.pages.asked import asked_of
from service.pages.poc import poc_view
from service.pages.portfolio import read_portfolio
from service.pages.record import record_of
from service.rules.values.github import CommandLine, EventKind
from service.rules.values.recorded import detail
from service.store import litter
from service.store.database import Database, connect, transaction
from service.store.litter import delete_litter
from service.store.portfolio import Portfolio
from service.store.records import Records
from service.web.html import render
from service.web.sessions import Visitor
from tests.harness.database import Server
from tests.harness.portfolio import NAMES, NOW, fill

AT_ONCE = timedelta()
"""As if everything were older than anything is kept."""
REPOSITORY, HEAD = 7, "a" * 40
SUBJECT = f"repository:{REPOSITORY}"


@pytest.fixture
def stored(server: Server) -> Iterator[Engine]:
    with server.database() as url:
        engine = connect(url)
        fill(engine)
        yield engine
        engine.dispose()


def answered(engine: Engine, kind: str, name: str, days: int = 31, *, at: int | None = None) -> str:
    """An event that was answered days ago."""
    with transaction(engine) as session:
        session.connection().execute(
            text(
                "INSERT INTO fact (id, subject, kind, at, actor, detail, answered_at) VALUES (:id, :subject, "
                ":kind, now() - :at * interval '1 day', 'jane-doe', '', now() - :days * interval '1 day')"
            ),
            {"id": name, "subject": SUBJECT, "kind": kind, "days": days, "at": at or days},
        )
    return name


def facts(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT id FROM fact")).scalars())


READ_AGAIN = {
    EventKind.ACTIVITY,
    EventKind.COMMANDED,
    EventKind.DEPLOYED,
    EventKind.HEAD_MOVED,
    EventKind.REVIEWED,
    EventKind.REVIEW_DISMISSED,
    EventKind.REVIEW_REQUEST_REMOVED,
}
"""By the record, the pages, and who has the ball."""


@pytest.mark.parametrize("kind", EventKind, ids=str)
def test_an_event_that_was_answered_is_kept_if_it_is_read_again(engine: Engine, kind: EventKind) -> None:
    old, new = answered(engine, kind, "old:x:files:1"), answered(engine, kind, "new:x:files:2", days=29)
    delete_litter(engine)
    assert facts(engine) == ({old, new} if kind in READ_AGAIN else {new})


def test_what_is_not_answered_is_kept(engine: Engine) -> None:
    answered(engine, "rerun-requested", "old")
    with transaction(engine) as session:
        session.connection().execute(text("UPDATE fact SET answered_at = NULL"))
    delete_litter(engine)
    assert facts(engine) == {"old"}


def test_the_last_push_to_a_default_branch_is_kept(engine: Engine) -> None:
    for days in (50, 40, 60):
        answered(engine, "default-pushed", f"{days}", at=days)
    delete_litter(engine)
    assert facts(engine) == {"40"}


@pytest.mark.parametrize(("state", "kept"), [("open", 1), ("closed", 0)], ids=["open", "closed"])
def test_the_files_of_an_open_pull_request_are_kept(engine: Engine, state: str, kept: int) -> None:
    answered(engine, "files-pushed", f"{SUBJECT}:files:{HEAD}")
    answered(engine, "files-pushed", f"{SUBJECT}:files:{'b' * 40}")
    with transaction(engine) as session:
        session.connection().execute(
            text(
                "INSERT INTO pull_request (repository_id, number, head_sha, base_ref, base_sha, author, "
                "state, updated_at) VALUES (7, 1, :head, 'main', '', '', :state, now())"
            ),
            {"head": HEAD, "state": state},
        )
    delete_litter(engine)
    assert len(facts(engine)) == kept


def seen(engine: Engine) -> dict[str, object]:
    """The pages and the records, as whoever may see everything sees them."""
    database = Database(engine)
    visitor = Visitor("jane-doe", range(1, len(NAMES) + 1))
    pages: dict[str, object] = {}
    for tab in ("", "shipped", "stopped"):
        view = read_portfolio(Portfolio(database), asked_of({"tab": tab}), NOW, visible=visitor.visible)
        pages[tab] = render("portfolio.html", view=view, visitor=visitor)
    for name in NAMES:
        named = Portfolio(database).named(f"acme/poc-{name}")
        found = named and Portfolio(database).one(*named)
        assert found
        poc = poc_view(found, NOW, web_url="https://github.com", observe=False, level="self-reported")
        pages[name] = render("poc.html", view=poc, visitor=visitor, badge="")
        poc_id = Records(database).named(f"acme/poc-{name}")
        assert poc_id is not None
        pages[f"record of {name}"] = record_of(Records(database).of(poc_id), NOW).document
    return pages


def test_record_and_pages_are_the_same_before_and_after(stored: Engine) -> None:
    answered(stored, "charter-pushed", "old")
    before = seen(stored)
    assert delete_litter(stored, day=AT_ONCE) == 1
    assert "old" not in facts(stored)
    assert seen(stored) == before


def records(engine: Engine) -> list[object]:
    stored = Records(Database(engine))
    ids = [stored.named(f"acme/poc-{name}") for name in NAMES]
    return [record_of(stored.of(poc_id), NOW).document for poc_id in ids if poc_id is not None]


COMMANDED = """
INSERT INTO fact (id, subject, kind, at, actor, detail, answered_at)
SELECT concat_ws(chr(58), 'said', repository_id, number),
    concat_ws(chr(58), 'pull_request', repository_id, number),
    'commanded', updated_at, 'jane-doe', :said, now() FROM pull_request
"""


def test_the_record_of_what_is_no_poc_any_more_stays_whole(stored: Engine) -> None:
    said = detail(CommandLine(comment_id=1, number=41, is_pull_request=True, text="/poc sign"))
    with transaction(stored) as session:
        assert session.connection().execute(text(COMMANDED), {"said": said}).rowcount > 0
        session.connection().execute(text("UPDATE repository SET poc_reason = NULL"))
    before = records(stored)
    delete_litter(stored, day=AT_ONCE)
    assert len(before) == len(NAMES)
    assert records(stored) == before


def test_a_portion_at_a_time_and_nothing_waits_for_a_row_that_is_locked(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Engine] = []

    def begin(engine: Engine) -> AbstractContextManager[Session]:
        begun.append(engine)
        return transaction(engine)

    monkeypatch.setattr(litter, "transaction", begin)
    for name in "abcde":
        answered(engine, "rerun-requested", name)
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT FROM fact WHERE id = 'c' FOR UPDATE")
        assert delete_litter(engine, portion=2) == 4
        assert facts(engine) == {"c"}
    # Two full portions and an empty one; the other tables have nothing.
    assert len(begun) == len(litter.LITTER) + 2


def test_when_its_time_is_over_the_rest_is_left_to_the_next_night(engine: Engine) -> None:
    answered(engine, "rerun-requested", "old")
    assert delete_litter(engine, lasts=timedelta()) == 0
    assert facts(engine) == {"old"}


def test_a_delivery_is_known_for_as_long_as_its_events_could_come_again(engine: Engine) -> None:
    """Were the delivery deleted first, the same one would be told of, and answered, a second time."""
    order = [each.table for each in litter.LITTER]
    assert order.index("fact") < order.index("delivery")
    with transaction(engine) as session:
        session.connection().execute(
            text(
                "INSERT INTO delivery (delivery_id, event, body_sha256, subjects, received_at) VALUES "
                "(gen_random_uuid(), 'push', '', '{}', :at)"
            ),
            {"at": datetime.now(UTC) - timedelta(days=29)},
        )
    assert delete_litter(engine) == 0


def test_old_events_are_found_by_an_index(engine: Engine) -> None:
    """Were the index made for other kinds than those that are deleted, the whole table would be read."""
    [facts_, *_] = [each.statement for each in litter.LITTER if each.table == "fact"]
    with transaction(engine) as session:
        session.connection().execute(text("SET LOCAL enable_seqscan = off"))
        given = {"day": timedelta(days=1), "portion": 10}
        plan = session.connection().execute(text(f"EXPLAIN {facts_}"), given).scalars()
        assert "fact_passing" in "\n".join(plan)
