"""POST /webhooks/github: every answer of the receiver, and that what it says is so."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from subprocess import PIPE
from typing import Any
from unittest.mock import AsyncMock, Mock

import httpx
import psycopg
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from starlette.types import Message

from service.deliveries.routes import route
from service.inbox import TRIAL_LASTS, Inbox
from service.store import recording
from service.store.database import Database, connect
from service.store.embedded import EmbeddedPostgres
from service.store.portfolio import Portfolio
from service.store.schema import migrate
from service.store.subjects import stored_id
from service.web.app import create_app
from service.web.bodies import Bodies
from service.web.pages import Pages, Shown
from service.web.sessions import Closed
from service.web.webhook import LARGEST_BODY
from service.wiring import utc_now
from tests.harness.database import Server
from tests.harness.waiting import eventually
from tests.harness.webhooks import signed

SECRET = "It's a Secret to Everybody"
"""Of GitHub's documentation, which has a test vector for it."""
VECTOR = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
PATH = "/webhooks/github"
DELIVERED = stored_id("d-1")
REPOSITORY = {"id": 7, "full_name": "acme/poc-triage", "default_branch": "main"}
PUSH = {
    "ref": "refs/heads/main",
    "after": "a" * 40,
    "commits": [{"id": "a" * 40, "distinct": True, "message": "Charter", "modified": ["POC.md"]}],
    "installation": {"id": 5},
    "repository": REPOSITORY,
    "sender": {"login": "jane-doe", "type": "User"},
}


class Receiver:
    """The application over ASGI, and the database behind it."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient, url: str) -> None:
        self.app, self.http, self._url = app, http, url

    async def deliver(
        self, event: str, payload: object, delivery_id: str = "", /, **headers: str | None
    ) -> httpx.Response:
        """Deliver JSON or raw bytes; a header given as None is left out."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        sent = signed(event, body, delivery_id, secret=SECRET)
        for name, value in headers.items():
            key = name.replace("_", "-")
            sent = {k: v for k, v in sent.items() if k.lower() != key}
            if value is not None:
                sent[key] = value
        return await self.http.post(PATH, content=body, headers=sent)

    def rows(self, columns: str, table: str = "delivery") -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url) as connection:
            return connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()  # type: ignore[arg-type,call-overload,no-any-return,unused-ignore]


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def receiving(url: str) -> AsyncIterator[Receiver]:
    inbox, engine = Inbox(url, route), connect(url, pool_size=2)
    shown = Shown("https://github.com", observe=False, evidence_level="measured", clock=utc_now)
    app = create_app(
        inbox,
        engine,
        webhook_secret=SECRET,
        evidence=Mock(),
        bodies=Bodies(),
        pages=Pages(Portfolio(Database(engine)), Closed("they are off"), shown).routes(),
        beside=_nothing,
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://governor") as http,
    ):
        yield Receiver(app, http, url)


@pytest_asyncio.fixture
async def receiver(database_url: str) -> AsyncIterator[Receiver]:
    async with receiving(database_url) as running:
        yield running


pytestmark = pytest.mark.asyncio


async def test_a_delivery_is_recorded_with_its_subject_and_answered_202(receiver: Receiver) -> None:
    answer = await receiver.deliver("push", PUSH, "d-1")
    assert (answer.status_code, answer.text) == (202, "recorded\n")
    columns = "delivery_id::text, event, action, installation_id, repository_id, subjects, ignored"
    assert receiver.rows(columns) == [(DELIVERED, "push", None, 5, 7, ["repository:7"], None)]
    assert receiver.rows("key, wanted, done", "subject") == [("repository:7", 1, 0)]
    assert receiver.rows("args ->> 'key'", "procrastinate_jobs") == [("repository:7",)]


async def test_a_duplicate_is_answered_202_and_changes_nothing(receiver: Receiver) -> None:
    for _ in range(3):
        assert (await receiver.deliver("push", PUSH, "d-1")).status_code == 202
    together = await asyncio.gather(*(receiver.deliver("push", PUSH, "d-1") for _ in range(20)))
    assert {answer.status_code for answer in together} == {202}
    assert receiver.rows("delivery_id::text") == [(DELIVERED,)]
    assert receiver.rows("key, wanted", "subject") == [("repository:7", 1)]
    assert receiver.rows("kind", "fact") == [
        ("activity",),
        ("activity",),
        ("charter-pushed",),
        ("default-pushed",),
    ]


async def test_the_same_id_with_another_body_or_event_is_another_delivery(receiver: Receiver) -> None:
    await receiver.deliver("push", PUSH, "d-1")
    await receiver.deliver("push", PUSH | {"after": "b" * 40}, "d-1")
    await receiver.deliver("star", PUSH, "d-1")
    assert receiver.rows("delivery_id::text, event") == [
        (DELIVERED, "push"),
        (DELIVERED, "push"),
        (DELIVERED, "star"),
    ]


async def test_githubs_test_vector_is_accepted(receiver: Receiver) -> None:
    body = b"Hello, World!"
    headers = {"X-GitHub-Event": "ping", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": VECTOR}
    signed_but_no_json = await receiver.http.post(PATH, content=body, headers=headers)
    assert signed_but_no_json.status_code == 400
    forged = await receiver.http.post(
        PATH, content=body, headers=headers | {"X-Hub-Signature-256": VECTOR[:-1] + "8"}
    )
    assert forged.status_code == 401


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        hmac.new(SECRET.encode(), json.dumps(PUSH).encode(), hashlib.sha256).hexdigest(),
        "sha1=" + hmac.new(SECRET.encode(), json.dumps(PUSH).encode(), hashlib.sha1).hexdigest(),
    ],
    ids=["missing", "empty", "no digest", "wrong", "no algorithm", "SHA-1"],
)
async def test_a_signature_that_is_wrong_or_missing_is_answered_401(
    receiver: Receiver, signature: str | None
) -> None:
    answer = await receiver.deliver("push", PUSH, x_hub_signature_256=signature)
    assert answer.status_code == 401
    assert "X-Hub-Signature-256" in answer.text
    assert receiver.rows("id") == []


async def test_deliveries_with_a_wrong_signature_are_counted_and_what_is_no_delivery_is_not(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = Mock()
    monkeypatch.setattr(Inbox, "refuse", refuse)
    for signature in (None, "sha256=wrong", "sha256=" + "0" * 64):
        await receiver.deliver("push", PUSH, x_hub_signature_256=signature)
    assert (await receiver.http.post(PATH, content=b"{}")).status_code == 401
    assert refuse.call_count == 3


async def test_a_sha_1_signature_alone_is_answered_401(receiver: Receiver) -> None:
    digest = hmac.new(SECRET.encode(), json.dumps(PUSH).encode(), hashlib.sha1).hexdigest()
    answer = await receiver.deliver("push", PUSH, x_hub_signature_256=None, x_hub_signature=f"sha1={digest}")
    assert answer.status_code == 401


async def test_a_signature_of_another_body_is_answered_401(receiver: Receiver) -> None:
    other = signed("push", b"{}", secret=SECRET)["X-Hub-Signature-256"]
    assert (await receiver.deliver("push", PUSH, x_hub_signature_256=other)).status_code == 401
    strange = await receiver.http.post(
        PATH, content=b"{}", headers=[(b"x-hub-signature-256", b"sha256=\xe9\xff")]
    )
    assert strange.status_code == 401


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("push", b""),
        ("push", b"payload=%7B%7D"),
        ("push", b'{"ref": '),
        ("push", b'{"ref": "\xff"}'),
        ("push", b'{"ref": "\\ud800"}'),
        ("star", b"not JSON either"),
        ("push", b"[]"),
        ("push", b'{"installation": "5"}'),
        ("push", b'{"installation": {"id": 5}, "repository": {"id": "7", "full_name": 7}}'),
        ("push", b'{"installation": {"id": 5}}'),
        ("pull_request", json.dumps(PUSH | {"action": "opened"}).encode()),
        ("issues", json.dumps(PUSH | {"action": "closed"}).encode()),
        ("merge_group", json.dumps(PUSH | {"action": "checks_requested"}).encode()),
        ("check_run", json.dumps(PUSH | {"action": "rerequested"}).encode()),
        ("push", json.dumps(PUSH | {"repository": REPOSITORY | {"pushed_at": 10**20}}).encode()),
        ("push", json.dumps(PUSH | {"repository": REPOSITORY | {"pushed_at": 10**15}}).encode()),
        ("push", b'{"x": ' * 50_000 + b"1" + b"}" * 50_000),
        ("star", b'{"x": ' * 50_000 + b"1" + b"}" * 50_000),
    ],
)
async def test_what_is_not_the_json_of_that_event_is_answered_400(
    receiver: Receiver, event: str, body: bytes
) -> None:
    answer = await receiver.deliver(event, body)
    assert answer.status_code == 400
    assert event in answer.text
    assert receiver.rows("id") == []


@pytest.mark.parametrize("header", ["x_github_event", "x_github_delivery"])
@pytest.mark.parametrize("value", [None, "", "x" * 201, "a\tb"])
async def test_a_header_that_is_missing_or_malformed_is_answered_400(
    receiver: Receiver, header: str, value: str | None
) -> None:
    answer = await receiver.deliver("push", PUSH, **{header: value})
    assert answer.status_code == 400
    assert header.replace("_", "-") in answer.text.lower()
    assert receiver.rows("id") == []


async def test_exactly_25_mb_are_taken(receiver: Receiver) -> None:
    body = json.dumps(PUSH).encode().ljust(LARGEST_BODY)
    assert (await receiver.deliver("push", body)).status_code == 202


async def test_more_than_25_mb_are_refused_by_their_content_length_unread(receiver: Receiver) -> None:
    length = str(LARGEST_BODY + 1)
    answer = await receiver.deliver("push", PUSH, content_length=length)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("signature", "status"),
    [
        (None, 401),
        ("", 401),
        ("sha256=" + "0" * 63, 401),
        ("sha256=" + "0" * 65, 401),
        ("sha256=" + "G" * 64, 401),
        ("sha1=" + "0" * 40, 401),
        ("sha256=" + "0" * 64, 411),
    ],
)
async def test_no_body_is_read_without_a_signature_that_looks_like_one_and_a_length(
    receiver: Receiver, signature: str | None, status: int
) -> None:
    messages: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body is asked for")

    await _call(receiver, receive, messages, signature)
    assert messages[0]["status"] == status
    assert (b"connection", b"close") in messages[0]["headers"]


async def test_a_sender_that_goes_away_in_the_middle_of_the_body_records_nothing(receiver: Receiver) -> None:
    messages: list[Message] = []
    begun: Message = {"type": "http.request", "body": b'{"ref"', "more_body": True}
    parts = iter([begun, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(parts)

    await _call(receiver, receive, messages, "sha256=" + "0" * 64, length=100)
    assert messages == []
    assert receiver.rows("id") == []
    assert (await receiver.deliver("push", PUSH)).status_code == 202


async def _call(
    receiver: Receiver, receive: Any, messages: list[Message], signature: str | None, *, length: int = 0
) -> None:
    async def send(message: Message) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [
            (b"x-github-event", b"push"),
            (b"x-github-delivery", b"1"),
            *([(b"x-hub-signature-256", signature.encode())] if signature is not None else []),
            *([(b"content-length", str(length).encode())] if length else []),
        ],
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "server": ("governor", 80),
        "client": ("127.0.0.1", 1),
    }
    await receiver.app(scope, receive, send)


@pytest.mark.parametrize(
    ("event", "payload", "reason"),
    [
        ("star", {"action": "created", "installation": {"id": 5}}, "event star is not one that we use"),
        ("star", {"installation": "of another shape"}, "event star is not one that we use"),
        ("never_heard_of", ["a", "list"], "event never_heard_of is not one that we use"),
        ("pull_request", PUSH | {"action": "milestoned"}, "action milestoned of pull_request"),
        ("ping", {"zen": "Keep it logically awesome.", "hook_id": 1}, "event ping"),
        ("push", {k: v for k, v in PUSH.items() if k != "installation"}, "no installation"),
        ("issues", PUSH | {"action": "closed", "issue": None, "installation": None}, "no installation"),
    ],
)
async def test_what_we_do_not_use_is_recorded_with_the_reason(
    receiver: Receiver, event: str, payload: object, reason: str
) -> None:
    answer = await receiver.deliver(event, payload)
    assert answer.status_code == 202
    [(recorded, ignored, subjects)] = receiver.rows("event, ignored, subjects")
    assert (recorded, subjects) == (event, [])
    assert ignored.startswith(reason)
    assert receiver.rows("key", "subject") == []


async def test_fields_that_we_do_not_know_are_no_error(receiver: Receiver) -> None:
    payload = PUSH | {"brand_new": {"deep": [1, {"x": None}]}, "repository": REPOSITORY | {"new": "field"}}
    assert (await receiver.deliver("push", payload)).status_code == 202
    assert receiver.rows("ignored") == [(None,)]


async def test_only_post_is_answered(receiver: Receiver) -> None:
    assert (await receiver.http.get(PATH)).status_code == 405


async def test_deliveries_that_arrive_together_are_committed_together(receiver: Receiver) -> None:
    answers = await asyncio.gather(
        *(receiver.deliver("push", PUSH | {"after": f"{n:040x}"}, f"d-{n:03}") for n in range(100))
    )
    assert {answer.status_code for answer in answers} == {202}
    [(recorded, transactions)] = receiver.rows("count(*), count(DISTINCT received_at)")
    assert recorded == 100
    assert transactions <= 20
    [(wanted,)] = receiver.rows("wanted", "subject")
    assert 1 <= wanted <= transactions
    assert len(receiver.rows("id", "procrastinate_jobs")) == 1


async def test_an_address_that_leads_nowhere_is_a_page_in_a_browser(receiver: Receiver) -> None:
    page = await receiver.http.get("/no-such-page", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, "There&#39;s no such page" in page.text) == (404, True)
    assert 'href="/docs"' in page.text
    data = await receiver.http.get("/no-such-page", headers={"Accept": "*/*"})
    assert (data.status_code, data.json()) == (404, {"detail": "Not Found"})


async def test_no_answer_and_no_metric_holds_the_secret(receiver: Receiver) -> None:
    answers = [
        await receiver.deliver("push", PUSH),
        await receiver.deliver("push", PUSH, x_hub_signature_256="sha256=wrong"),
        await receiver.deliver("push", b"not JSON"),
        await receiver.deliver("push", PUSH, x_github_event=None),
        await receiver.deliver("push", PUSH, content_length=str(LARGEST_BODY + 1)),
        *[
            await receiver.http.get(path)
            for path in ("/", "/healthz", "/readyz", "/metrics", "/no-such-page")
        ],
    ]
    assert [answer.status_code for answer in answers] == [202, 401, 400, 400, 413, 200, 200, 200, 200, 404]
    expected = hmac.new(SECRET.encode(), json.dumps(PUSH).encode(), hashlib.sha256).hexdigest()
    for answer in answers:
        assert SECRET not in answer.text
        assert expected not in answer.text
        assert SECRET not in str(answer.headers)


async def test_the_answers_are_counted(receiver: Receiver) -> None:
    await receiver.deliver("push", PUSH)
    await receiver.deliver("push", PUSH, x_hub_signature_256="sha256=wrong")
    metrics = (await receiver.http.get("/metrics")).text
    assert 'poc_governor_deliveries_total{event="push",status="202"}' in metrics
    assert 'poc_governor_deliveries_total{event="unknown",status="401"}' in metrics
    assert "poc_governor_last_delivery_timestamp_seconds" in metrics


async def test_a_frozen_database_is_answered_for_within_githubs_ten_seconds(open_folder: Path) -> None:
    postgres = EmbeddedPostgres(open_folder / "frozen", "serve")
    url = postgres.start()
    engine = connect(url)
    migrate(engine)
    engine.dispose()
    pid = int((open_folder / "frozen" / "postgresql-18" / "postmaster.pid").read_text().split("\n")[0])
    try:
        async with receiving(url) as receiver:
            assert (await receiver.deliver("push", PUSH, "before")).status_code == 202
            with frozen(pid):
                async with asyncio.timeout(9.5):
                    ready, *answers = await asyncio.gather(
                        receiver.http.get("/readyz"),
                        *(receiver.deliver("push", PUSH, f"d-{n}") for n in range(3)),
                    )
                assert [answer.status_code for answer in answers] == [503, 503, 503]
                assert (ready.status_code, ready.json()["reason"]) == (503, "the database does not answer")
            for n in range(3):  # as GitHub's redelivery would, stored meanwhile or not
                assert (await receiver.deliver("push", PUSH, f"d-{n}")).status_code == 202
            stored = {row[0] for row in receiver.rows("delivery_id::text")}
            assert stored == set(map(stored_id, ("before", "d-0", "d-1", "d-2")))
            await asyncio.sleep(TRIAL_LASTS)
            assert (await receiver.http.get("/readyz")).status_code == 200
    finally:
        postgres.stop()


@contextmanager
def frozen(postmaster: int) -> Iterator[None]:
    """PostgreSQL, all of its processes, stands still."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], stdout=PIPE, check=True)
    pids = [postmaster, *map(int, children.stdout.split())]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        # A limit on what it may write for a moment is met as a full disk would be.
        pytest.param("temp_file_limit = '0'", "the database's disk is full", id="nothing can be written"),
        pytest.param("default_transaction_read_only = on", "the database is read-only", id="read only"),
    ],
)
async def test_ready_is_only_who_can_store(database_url: str, setting: str, reason: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {setting}")
    async with receiving(database_url) as receiver:
        answer = await receiver.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reason": reason})


async def test_who_can_store_is_ready_also_without_a_connection_for_questions(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("sorry, too many clients already"))

    monkeypatch.setattr("service.web.health.health", none_left)
    answer = await receiver.http.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert "unknown" in answer.json()


async def test_many_questions_make_one_trial(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = AsyncMock(side_effect=recording.try_out)
    monkeypatch.setattr(recording, "try_out", trials)
    answers = await asyncio.gather(*(receiver.http.get("/readyz") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert trials.await_count <= 3


async def test_without_migrations_nobody_is_ready(server: Server) -> None:
    with server.database("template0") as url:
        async with receiving(url) as receiver:
            answer = await receiver.http.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (
        503,
        "the database's migrations have not run yet",
    )


async def test_without_the_database_503_and_with_it_202_again_and_no_202_is_lost(open_folder: Path) -> None:
    postgres = EmbeddedPostgres(open_folder / "receiver", "serve")
    url = postgres.start()
    engine = connect(url)
    migrate(engine)
    engine.dispose()
    acknowledged: set[str] = set()
    refused: set[str] = set()

    try:
        async with receiving(url) as receiver:

            async def deliver(delivery_id: str) -> int:
                status = (await receiver.deliver("push", PUSH, delivery_id)).status_code
                assert status in (202, 503)
                (acknowledged if status == 202 else refused).add(delivery_id)
                return status

            async def stream(name: str) -> None:
                for n in range(1000):
                    if await deliver(f"{name}-{n}") == 503:
                        return

            streams = [asyncio.create_task(stream(f"s{n}")) for n in range(8)]
            await asyncio.to_thread(eventually, lambda: len(acknowledged) >= 100, "deliveries are recorded")
            folder = open_folder / "receiver" / "postgresql-18"
            os.kill(int((folder / "postmaster.pid").read_text().split("\n")[0]), signal.SIGKILL)
            async with asyncio.timeout(9):  # GitHub waits for ten seconds
                await asyncio.gather(*streams)
            assert (await receiver.http.get("/readyz")).status_code == 503
            assert (await receiver.http.get("/healthz")).status_code == 200
            assert "poc_governor_database_up 0.0" in (await receiver.http.get("/metrics")).text

            await asyncio.to_thread(postgres.restart)
            async with asyncio.timeout(20):
                while await deliver("after-the-crash") != 202:
                    pass
            assert (await receiver.http.get("/readyz")).status_code == 200
            recorded = {row[0] for row in receiver.rows("delivery_id::text")}
            assert set(map(stored_id, acknowledged)) <= recorded
            assert len(refused) >= 8
            with suppress(KeyError):
                refused.remove("after-the-crash")
            for delivery_id in refused:  # as GitHub's redelivery would
                assert await deliver(delivery_id) == 202
            assert {row[0] for row in receiver.rows("delivery_id::text")} == set(map(stored_id, acknowledged))
    finally:
        postgres.stop()
