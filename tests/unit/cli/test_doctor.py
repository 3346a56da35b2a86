"""`doctor`: each thing that can be wrong, in a line that says how to fix it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psycopg
import pytest

from service.cli import doctor
from service.cli.doctor import Line, Mark, examine
from service.config.private_key import GITHUBS
from service.ports import GitHubError
from service.rules.queue import DeliveryAttempt, Failure, FailureKind
from service.rules.values.github import Installation
from service.store.connections import Room
from service.store.database import Database, connect
from service.store.embedded import PostgresFailed
from service.store.health import Health
from service.store.policies import Policies
from tests.harness.github import NOW, PERMISSIONS
from tests.harness.settings import CERTIFICATE, NEEDED

NOWHERE = "postgresql://app:hunter2@127.0.0.1:1/poc"
HEALTH = Health(None, 1, 3.0, 0, None, (), 0, None)
ACME = Installation(7, "acme", dict(PERMISSIONS))


class Answers:
    """Stands for the app: what GitHub says of it."""

    def __init__(self, *installations: Installation, fails: Failure | None = None) -> None:
        self._installations = {found.id: found for found in installations}
        self._fails = fails

    def slug(self) -> str:
        if self._fails:
            raise GitHubError(self._fails)
        return "poc-governor"

    def installation_ids(self) -> list[int]:
        return list(self._installations)

    def describe(self, installation_id: int) -> Installation:
        return self._installations[installation_id]

    def webhook(self) -> tuple[str, str]:
        if self._fails:
            raise GitHubError(self._fails)
        return self.delivers

    def recent_deliveries(self) -> list[tuple[str, DeliveryAttempt]]:
        return self.recent

    def failed_deliveries(self, since: datetime) -> list[DeliveryAttempt]:
        return [attempt for attempt in self.failed if attempt.delivered_at >= since]

    delivers: ClassVar[tuple[str, str]] = (f"{NEEDED['PUBLIC_URL']}webhooks/github", "json")
    failed: ClassVar[list[DeliveryAttempt]] = []
    recent: ClassVar[list[tuple[str, DeliveryAttempt]]] = []


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Decides what GitHub and the way to the service answer."""

    def answer(*installations: Installation, fails: Failure | None = None, status: int | None = 200) -> None:
        def get(url: str, **_: Any) -> httpx.Response:
            if status is None:
                raise httpx.ConnectError("refused")
            if url.endswith("/app"):
                said = {"message": "A JSON web token could not be decoded"}
                return httpx.Response(401, json=said, request=httpx.Request("GET", url))
            return httpx.Response(status, request=httpx.Request("GET", url))

        monkeypatch.setattr(doctor, "App", lambda *_: Answers(*installations, fails=fails))
        monkeypatch.setattr(httpx, "get", get)

    answer(ACME)
    return answer


def lines(**changes: str) -> list[Line]:
    return list(examine(NEEDED | {"DATABASE_URL": NOWHERE} | changes))


def about(what: str, found: list[Line]) -> Line:
    return next(line for line in found if line.what == what)


@pytest.mark.usefixtures("github")
def test_a_certificate_instead_of_a_key() -> None:
    found = lines(GITHUB_APP_PRIVATE_KEY=CERTIFICATE)
    assert found[0] == Line(
        Mark.WRONG,
        "settings",
        f"GITHUB_APP_PRIVATE_KEY: it is a certificate, not a private key as GitHub makes it. Take {GITHUBS}.",
    )
    assert about("database", found).mark is Mark.WRONG


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        pytest.param(
            Failure(
                FailureKind.TRANSIENT,
                "reading the app: GitHub says 401, A JSON web token could not be decoded",
            ),
            "https://api.github.com doesn't accept GITHUB_APP_PRIVATE_KEY for app 4711: "
            "use a key from that app's settings page, or fix GITHUB_APP_ID; "
            "or GITHUB_API_URL if the app was registered on another GitHub",
            id="the key of another app",
        ),
        pytest.param(
            Failure(FailureKind.GONE, "reading the app: GitHub says 404, Integration not found"),
            "https://api.github.com doesn't know app 4711: fix GITHUB_APP_ID, "
            "or GITHUB_API_URL if the app was registered on another GitHub",
            id="an app that there is not",
        ),
        pytest.param(
            Failure(FailureKind.TRANSIENT, "reading the app: no answer from GitHub (ConnectTimeout)"),
            "reading the app: no answer from GitHub (ConnectTimeout): "
            "check GITHUB_API_URL (https://api.github.com) and the way out of this network",
            id="no way to GitHub",
        ),
    ],
)
def test_github_does_not_accept_the_app(github: Callable[..., None], fails: Failure, says: str) -> None:
    github(fails=fails)
    assert about("GitHub", lines()) == Line(Mark.WRONG, "GitHub", says)


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize(
    ("answer", "blamed"),
    [
        pytest.param({"status_code": 404, "html": "<h1>Not Found</h1>"}, True, id="GitHub's pages"),
        pytest.param({"status_code": 200, "html": "<h1>Welcome</h1>"}, True, id="a page"),
        pytest.param({"status_code": 301, "headers": {"Location": "https://x"}}, True, id="moved"),
        pytest.param({"status_code": 404, "json": {"detail": "Not Found"}}, True, id="another API"),
        pytest.param({"status_code": 200, "json": ["x"]}, True, id="a list"),
        pytest.param(
            {"status_code": 401, "json": {"message": "Requires authentication"}}, False, id="GitHub"
        ),
        pytest.param({"status_code": 404, "json": {"message": "Not Found"}}, False, id="GitHub, without it"),
        pytest.param({"status_code": 502, "html": "<h1>Unicorn</h1>"}, False, id="away"),
        pytest.param({"status_code": 403, "html": "<h1>No</h1>"}, False, id="a network that lets nobody out"),
        pytest.param(None, False, id="no way there"),
    ],
)
def test_an_address_that_is_not_that_of_the_api_is_not_blamed_on_the_app(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | None, blamed: bool
) -> None:
    gone = Failure(FailureKind.GONE, "reading the app: GitHub says 404, Not Found")

    def get(url: str, **_: Any) -> httpx.Response:
        if answer is None:
            raise httpx.ConnectTimeout("too long")
        return httpx.Response(**answer, request=httpx.Request("GET", url))

    monkeypatch.setattr(doctor, "App", lambda *_: Answers(fails=gone))
    monkeypatch.setattr(httpx, "get", get)
    says = about("GitHub", lines(GITHUB_API_URL="https://github.acme.dev")).says
    assert says.startswith("GITHUB_API_URL (https://github.acme.dev) is not the address") is blamed
    assert ("4711" in says) is not blamed


@pytest.mark.parametrize(
    ("installation", "mark", "says"),
    [
        pytest.param(ACME, Mark.OK, "all permissions that this version uses are granted", id="all granted"),
        pytest.param(
            Installation(7, "acme", PERMISSIONS | {"contents": "write", "pull_requests": "write"}),
            Mark.OK,
            "all permissions that this version uses are granted, "
            "and those with which commands that change the charter open a pull request. "
            "Signers are asked as reviewers",
            id="more than is asked for",
        ),
        pytest.param(
            Installation(7, "acme", PERMISSIONS | {"contents": "write"}),
            Mark.OK,
            "all permissions that this version uses are granted; "
            "pull_requests: write is missing to open pull requests",
            id="half of what opens pull requests",
        ),
        pytest.param(
            replace(ACME, permissions=PERMISSIONS | {"checks": "read", "issues": ""}),
            Mark.WRONG,
            "not granted: checks: write, issues: write. What needs them is off until an owner approves them",
            id="two not granted",
        ),
        pytest.param(
            replace(ACME, suspended_at=NOW),
            Mark.WRONG,
            "suspended: an owner of the account unsuspends it in its settings",
            id="suspended",
        ),
    ],
)
def test_an_installation(
    github: Callable[..., None], installation: Installation, mark: Mark, says: str
) -> None:
    github(installation)
    assert about("installation 7 (acme)", lines()) == Line(mark, "installation 7 (acme)", says)


def test_no_installation_is_a_note_with_the_address_to_install_it(github: Callable[..., None]) -> None:
    github()
    says = "none yet: install the app at https://github.com/apps/poc-governor/installations/new"
    assert about("installations", lines()) == Line(Mark.NOTE, "installations", says)


@pytest.mark.parametrize(
    ("status", "url", "mark", "says"),
    [
        pytest.param(
            200, "https://g.acme.dev", Mark.OK, "https://g.acme.dev answers from here", id="answers"
        ),
        pytest.param(
            502,
            "https://g.acme.dev",
            Mark.WRONG,
            "https://g.acme.dev/healthz answers 502",
            id="another server",
        ),
        pytest.param(
            None,
            "https://g.acme.dev",
            Mark.NOTE,
            "https://g.acme.dev/healthz doesn't answer",
            id="silent",
        ),
        pytest.param(
            200,
            "http://localhost:8080",
            Mark.WRONG,
            "PUBLIC_URL is http://localhost:8080, which GitHub can't reach: use a public address",
            id="an address of this machine",
        ),
    ],
)
def test_the_webhooks_address(
    github: Callable[..., None], status: int | None, url: str, mark: Mark, says: str
) -> None:
    github(ACME, status=status)
    line = about("webhook", lines(PUBLIC_URL=url))
    assert line.mark is mark
    assert line.says.startswith(says)


@pytest.mark.usefixtures("github")
def test_a_database_that_is_down_is_named_without_its_password() -> None:
    line = about("database", lines())
    assert line.mark is Mark.WRONG
    assert line.says.startswith("PostgreSQL at 127.0.0.1/poc isn't reachable (")
    assert line.says.endswith("): start it, or fix DATABASE_URL")
    assert "hunter2" not in line.says


@pytest.mark.usefixtures("github")
def test_an_embedded_database_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise PostgresFailed("PostgreSQL did not start: see /data/postgres.log")

    monkeypatch.setattr(doctor, "has_database", lambda _: True)
    monkeypatch.setattr(doctor, "open_database", fail)
    assert about("database", lines(DATABASE_URL="")) == Line(
        Mark.WRONG, "database", "PostgreSQL did not start: see /data/postgres.log"
    )


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize("name", ["data", "data/deeper"])
def test_no_database_is_made_by_looking_for_one(tmp_path: Path, name: str) -> None:
    line = about("database", lines(DATABASE_URL="", DATA_DIR=str(tmp_path / name)))
    assert line.mark is Mark.NOTE
    assert line.says == f"none yet in DATA_DIR {tmp_path / name}: `serve` makes it at its first start"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("github")
def test_without_an_app_no_worker_is_missed(database_url: str) -> None:
    found = list(examine({"DATABASE_URL": database_url, "PUBLIC_URL": "http://localhost:8080"}))
    line = about("worker", found)
    assert (line.mark, line.says) == (Mark.NOTE, "none running: it starts once the settings are complete")
    assert [each.what for each in found if each.mark is Mark.WRONG] == ["settings"]


@pytest.mark.usefixtures("github")
def test_a_new_database_without_a_worker(database_url: str) -> None:
    found = {line.what: (line.mark, line.says) for line in lines(DATABASE_URL=database_url)}
    assert found["database"][0] is Mark.OK
    assert found["migrations"] == (Mark.OK, "up to date")
    assert found["worker"] == (Mark.WRONG, "none running: start `serve` or `work`")
    assert found["queue"] == (Mark.OK, "0 subjects wait to be checked")
    assert found["deliveries"] == (
        Mark.NOTE,
        "none yet: see the app's settings, Advanced, Recent deliveries",
    )


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize(
    ("health", "line"),
    [
        pytest.param(
            replace(HEALTH, workers=2),
            Line(Mark.OK, "worker", "2 running, last heartbeat 3 s ago"),
            id="two workers",
        ),
        pytest.param(
            replace(HEALTH, last_backup_at=datetime(2026, 11, 24, 3, 5, tzinfo=UTC)),
            Line(Mark.OK, "backup", "the last was made at 2026-11-24 03:05 UTC"),
            id="a backup",
        ),
        pytest.param(
            replace(HEALTH, workers=0, heartbeat_age=400.0),
            Line(Mark.WRONG, "worker", "last heartbeat 400 s ago: start `serve` or `work` again"),
            id="a worker that fell silent",
        ),
        pytest.param(
            replace(HEALTH, dirty=12, queue_age=900.0),
            Line(Mark.WRONG, "queue", "12 subjects wait, the oldest for 900 s: add workers with `work`"),
            id="a queue that grows",
        ),
        pytest.param(
            replace(HEALTH, dirty=1, queue_age=1.0),
            Line(Mark.OK, "queue", "1 subject waits to be checked"),
            id="a queue of one",
        ),
        pytest.param(
            replace(HEALTH, dead=(("repository:1", "GitHub says 403"),), dead_count=1),
            Line(Mark.WRONG, "dead repository:1", "GitHub says 403. Its next event or `sweep` tries again"),
            id="a dead subject",
        ),
    ],
)
def test_the_queue_and_its_workers(
    database_url: str, monkeypatch: pytest.MonkeyPatch, health: Health, line: Line
) -> None:
    monkeypatch.setattr(doctor, "health", lambda _: health)
    assert line in lines(DATABASE_URL=database_url)


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize(("most", "wrong"), [(41, False), (40, True)], ids=["they fit", "they do not"])
def test_the_connections_that_the_processes_may_take(
    database_url: str, monkeypatch: pytest.MonkeyPatch, most: int, wrong: bool
) -> None:
    monkeypatch.setattr(doctor, "room", lambda _: Room(most, 3, 30))
    found = {line.what: line for line in lines(DATABASE_URL=database_url, WEB_PROCESSES="2")}
    assert ("connections" in found) is wrong
    if wrong:
        assert found["connections"].mark is Mark.WRONG
        assert found["connections"].says.startswith("up to 38 connections are wanted here")


@pytest.mark.usefixtures("github")
def test_a_policy_that_cannot_be_read(database_url: str) -> None:
    engine = connect(database_url, pool_size=1)
    says = ("poc-policy.yml:2: `mode` is `watch`.", "poc-policy.yml:9: `limit` is no key.")
    Policies(Database(engine)).keep(7, 90, "9f1c2b4", "policy: 1\nmode: watch\n", says, at=datetime.now(UTC))
    engine.dispose()
    assert about("policy of installation 7", lines(DATABASE_URL=database_url)) == Line(
        Mark.WRONG,
        "policy of installation 7",
        "poc-policy.yml:2: `mode` is `watch`. The last one that could be read stays in force",
    )


REFUSED = """
INSERT INTO refused (minute, deliveries) VALUES
    (date_trunc('minute', now()) - interval '2 days', 500),
    (date_trunc('minute', now()) - interval '3 hours', 9),
    (date_trunc('minute', now()) - interval '1 hour', 5)
"""
FIRST = "SELECT minute FROM refused WHERE deliveries = 9"
TAKEN = """
INSERT INTO delivery (delivery_id, event, body_sha256, subjects, received_at)
VALUES (gen_random_uuid(), 'push', '', '{}', now() - interval '%s hours')
"""


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize(
    ("taken", "mark", "says"),
    [
        pytest.param(None, Mark.WRONG, "GITHUB_WEBHOOK_SECRET is not the webhook's secret", id="never one"),
        pytest.param(2, Mark.WRONG, "GITHUB_WEBHOOK_SECRET is not the webhook's secret", id="none since"),
        pytest.param(0, Mark.NOTE, "their signature is wrong. Later ones were taken", id="one since"),
    ],
)
def test_deliveries_that_were_refused_are_counted(
    database_url: str, taken: int | None, mark: Mark, says: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(REFUSED)
        since = connection.execute(FIRST).fetchall()[0][0].astimezone(UTC)
        if taken is not None:
            connection.execute(TAKEN % taken)  # type: ignore[arg-type,unused-ignore]
    found = [line for line in lines(DATABASE_URL=database_url) if line.what == "deliveries"]
    assert found[0].mark is mark
    assert says in found[0].says
    assert found[0].says.startswith(f"14 deliveries refused since {since:%Y-%m-%d %H:%M}")
    told = [line.says.startswith("the last was stored ") for line in found[1:]]
    assert told == ([] if taken is None else [True])


def attempt(status: int) -> DeliveryAttempt:
    return DeliveryAttempt(1, "guid", datetime.now(UTC) - timedelta(hours=1), status)


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize(
    ("pinged", "mark", "says"),
    [
        pytest.param(200, Mark.OK, "answered at 2026-11-23 09:00 UTC", id="answered"),
        pytest.param(202, Mark.OK, "answered at 2026-11-23 09:00 UTC", id="stored"),
        pytest.param(503, Mark.NOTE, "GitHub's ping got 503; `serve` asks for it again", id="not ready then"),
        pytest.param(0, Mark.NOTE, "GitHub's ping got no answer; `serve` asks for it", id="nobody there"),
    ],
)
def test_whether_a_ping_was_answered(
    monkeypatch: pytest.MonkeyPatch, pinged: int, mark: Mark, says: str
) -> None:
    older = DeliveryAttempt(1, "ping", NOW, 503)
    recent = [("push", attempt(202)), ("ping", DeliveryAttempt(2, "ping", NOW, pinged)), ("ping", older)]
    monkeypatch.setattr(Answers, "recent", recent)
    line = about("ping", lines())
    assert line.mark is mark
    assert line.says.startswith(says)


@pytest.mark.usefixtures("github")
def test_what_was_answered_later_has_not_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "recent", [("installation", replace(attempt(202), id=2))])
    monkeypatch.setattr(Answers, "failed", [attempt(503)])
    assert about("webhook at GitHub", lines()).mark is Mark.OK


@pytest.mark.usefixtures("github")
def test_an_account_that_nobody_named_is_ignored() -> None:
    line = about("installation 7 (acme)", lines(ALLOWED_ACCOUNTS="Globex, initech"))
    assert line == Line(Mark.NOTE, line.what, "ignored: ALLOWED_ACCOUNTS doesn't name this account")
    line = about("installation 7 (acme)", lines(ALLOWED_ACCOUNTS="globex,ACME"))
    assert line.mark is Mark.OK


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize(
    ("delivers", "failed", "expected"),
    [
        pytest.param(None, [], (Mark.OK, "delivers here, and no delivery failed today"), id="all is well"),
        pytest.param(
            ("https://old.acme.dev/hook", "json"),
            [],
            (
                Mark.WRONG,
                f"delivers to https://old.acme.dev/hook: set it to {NEEDED['PUBLIC_URL']}webhooks/github",
            ),
            id="another address",
        ),
        pytest.param(
            ("https://governor.acme.dev/webhooks/github", "form"),
            [],
            (Mark.WRONG, "sends form: set the content type to application/json"),
            id="forms",
        ),
        pytest.param(
            None,
            [attempt(401), attempt(401)],
            (Mark.WRONG, "2 deliveries refused today: GITHUB_WEBHOOK_SECRET is not the webhook's secret"),
            id="another secret",
        ),
        pytest.param(
            None,
            [attempt(503)],
            (Mark.NOTE, "1 delivery failed today, the last with 503; they are asked for again"),
            id="not stored",
        ),
    ],
)
def test_what_github_says_of_its_deliveries(
    monkeypatch: pytest.MonkeyPatch,
    delivers: tuple[str, str] | None,
    failed: list[DeliveryAttempt],
    expected: tuple[Mark, str],
) -> None:
    monkeypatch.setattr(Answers, "failed", failed)
    if delivers:
        monkeypatch.setattr(Answers, "delivers", delivers)
    line = about("webhook at GitHub", lines())
    assert (line.mark, line.says) == expected


LOGIN = {"GITHUB_CLIENT_ID": "Iv23", "GITHUB_CLIENT_SECRET": "secret"}


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize(
    ("changes", "mark", "says"),
    [
        pytest.param({}, Mark.OK, "off: set GITHUB_CLIENT_ID", id="nobody logs in"),
        pytest.param(LOGIN, Mark.OK, "people log in with GitHub; https://governor.", id="people log in"),
        pytest.param(
            LOGIN | {"PUBLIC_URL": "http://governor.acme.dev"},
            Mark.WRONG,
            "people log in over https only, and PUBLIC_URL is http://governor.acme.dev",
            id="over http",
        ),
    ],
)
def test_the_pages(changes: dict[str, str], mark: Mark, says: str) -> None:
    line = about("pages", lines(**changes))
    assert line.mark is mark
    assert line.says.startswith(says)
