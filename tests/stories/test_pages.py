"""The pages over HTTP: what they say, what they ask of the database, and what they do with nonsense."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine, event, text
from starlette.applications import Starlette

from service.config.secret_key import SecretKeys
from service.rules.checks import CHECKS
from service.rules.commands.arguments import read_order
from service.rules.commands.parsing import Command, Refusal, parse_commands
from service.store.database import Database, connect, transaction
from service.store.portfolio import Portfolio
from service.web.badge import Badges
from service.web.pages import Pages, Shown
from service.web.sessions import Access, Closed, OpenHere, Visitor
from tests.harness import database
from tests.harness.charters import CHARTER, SIGNERS, files
from tests.harness.database import Server
from tests.harness.portfolio import NOW, fill
from tests.harness.snapshots import Snapshots
from tests.harness.story import READY, Story
from tests.harness.world import HEAD

VERBS = ["sign", "ship", "snooze", "extend", "waive", "stop", "recheck"]


@pytest.fixture(scope="module")
def stored(server: Server) -> Iterator[Engine]:
    """An organisation with many POCs."""
    with server.database() as url:
        engine = connect(url)
        database.share_compiled(engine)
        fill(engine)
        yield engine
        engine.dispose()


class Reader(OpenHere):
    """Somebody who may see some POCs, and of others the rows."""

    def __init__(self, visible: set[int], rows_only: set[int]) -> None:
        self.seen = Visitor("erin-x", visible, rows_only)

    async def visitor(self, _request: object) -> Visitor | None:
        return self.seen

    async def may_read(self, _visitor: Visitor, repository_id: int) -> bool:
        assert self.seen.visible is not None
        return repository_id in self.seen.visible


async def get(
    engine: Engine,
    path: str,
    access: Access | None = None,
    host: str = "localhost",
    cookies: dict[str, str] | None = None,
) -> httpx.Response:
    shown = Shown("https://github.com", observe=False, evidence_level="self-reported", clock=lambda: NOW)
    store = Portfolio(Database(engine))
    badges = Badges(store, "http://localhost", SecretKeys("a key of thirty-two characters or more"))
    app = Starlette(routes=Pages(store, access or OpenHere(), shown, badges).routes())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}", cookies=cookies) as client:
        return await client.get(path)


def words(answer: httpx.Response) -> str:
    """The page as it is read."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.mark.asyncio
async def test_the_first_screen_answers_five_questions(stored: Engine) -> None:
    answer = await get(stored, "/")
    said = words(answer)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    for each in ("Ships next", "Waits longest", "Decide now", "Where the days go", "Has the ball"):
        assert each in said
    assert re.search(r"Open 18 Shipped 3 Stopped 3", said)
    assert "<script" not in answer.text
    assert " style=" not in answer.text


@pytest.mark.asyncio
async def test_who_was_just_asked_has_not_been_waited_for_since_the_ship_date(server: Server) -> None:
    with server.database() as url:
        engine = connect(url)
        repository_id = fill(engine)["ticket-triage"]
        assert "poc-ticket-triage" not in await waits_longest(engine)
        change = (
            "UPDATE poc SET stall_cause = :cause, stalled_since = DATE '2026-01-05', waits_for = 'security' "
            "WHERE repository_id = :id"
        )
        for cause, first in (("overdue", False), ("silent", True)):
            with transaction(engine) as session:
                session.execute(text(change), {"cause": cause, "id": repository_id})
            said = await waits_longest(engine)
            assert said.startswith("poc-ticket-triage") is first
            order = (await get(engine, "/portfolio.json?waits_for=security")).json()["pocs"]
            assert (order[0]["repository"] == "acme/poc-ticket-triage") is first
        assert "234 working days" in said
        engine.dispose()


async def waits_longest(engine: Engine) -> str:
    """What the box says."""
    return words(await get(engine, "/")).partition("Waits longest ")[2].partition("Decide now")[0]


@pytest.mark.asyncio
async def test_tabs_filters_and_orders_are_links(stored: Engine) -> None:
    assert "poc-ticket-triage" in words(await get(stored, "/?find=TRIAGE"))
    assert "Nothing matches" in words(await get(stored, "/?find=nothing-of-this-name"))
    assert "the baseline of plain search was good enough" in words(await get(stored, "/?tab=stopped"))
    narrowed = (await get(stored, "/portfolio.json?waits_for=security")).json()
    assert narrowed["found"] > 0
    assert {each["party"] for each in narrowed["pocs"]} == {"security"}
    for order in ("waiting", "ships", "name", "state", "met", "recent"):
        assert (await get(stored, f"/?sort={order}")).status_code == 200
    names = [each["repository"] for each in (await get(stored, "/portfolio.json?sort=name")).json()["pocs"]]
    assert names == sorted(names)
    assert "beyond the last one" in words(await get(stored, "/?page=9"))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "query",
    [
        "tz=Mars",
        "tz=../etc",
        "tab=none",
        "sort=none",
        "page=0",
        "page=x",
        "page=999999",
        f"page={'9' * 5000}",
        f"page={'0' * 5000}1",
        "waits_for=nobody",
        f"find={'x' * 101}",
    ],
)
async def test_an_address_that_says_nothing_gets_a_clear_page(stored: Engine, query: str) -> None:
    answer = await get(stored, f"/?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in words(answer)


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/", "/pocs/acme/poc-ticket-triage"])
async def test_dates_are_in_the_zone_that_was_asked_for(stored: Engine, path: str) -> None:
    asked = await get(stored, f"{path}?tz=Pacific/Auckland")
    assert "29 Nov , 09:40 Pacific/Auckland" in words(asked)
    kept = asked.headers["Set-Cookie"]
    assert kept.startswith('tz="Pacific/Auckland"; HttpOnly; Max-Age=31536000;')
    again = await get(stored, path, cookies={"tz": "Pacific/Auckland"})
    assert "29 Nov , 09:40 Pacific/Auckland" in words(again)
    assert "28 Nov , 20:40 UTC" in words(await get(stored, path, cookies={"tz": "Mars"}))
    back = await get(stored, f"{path}?tz=", cookies={"tz": "Pacific/Auckland"})
    assert "28 Nov , 20:40 UTC" in words(back)
    assert "Max-Age=0" in back.headers["Set-Cookie"]
    assert "the default; poc-policy.yml can change it" in words(asked) or path == "/"


@pytest.mark.asyncio
async def test_null_bytes_find_nothing(stored: Engine) -> None:
    assert "Nothing matches" in words(await get(stored, "/?find=%00"))
    assert (await get(stored, "/pocs/acme/poc%00")).status_code == 404


@pytest.mark.asyncio
async def test_csv_and_json_show_the_same_rows(stored: Engine) -> None:
    rows = list(csv.DictReader(io.StringIO((await get(stored, "/portfolio.csv?tab=stopped")).text)))
    listed = (await get(stored, "/portfolio.json?tab=stopped")).json()
    assert [row["repository"] for row in rows] == [each["repository"] for each in listed["pocs"]]


@pytest.mark.asyncio
async def test_the_page_of_a_poc(stored: Engine) -> None:
    answer = await get(stored, "/pocs/acme/poc-ticket-triage")
    said = words(answer)
    assert re.search(r"Evaluating . \S+ has had the ball \(everyone waits for them\) since", said)
    assert "#41" in said
    assert "Approvals that don't count" in said
    assert "erin-x approved #41" in said.replace(" .", ".")
    assert "the charter doesn't name them under signoffs" in said
    assert "1 threshold loosened" in said
    assert "Why is the check what it is?" in said
    assert "8 numbers so far" in said
    assert answer.text.count('<rect class="error"') == 1  # of the accuracy, which is a share of samples


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "extended"),
    [
        pytest.param("ticket-triage", "2026-12-28", id="late"),
        pytest.param("cv-matching", "2027-02-23", id="with a date ahead"),
    ],
)
async def test_the_commands_to_copy_are_accepted_today(stored: Engine, name: str, extended: str) -> None:
    page = await get(stored, f"/pocs/acme/poc-{name}")
    shown = [unescape(each) for each in re.findall(r'<code class="copy">(/poc .*?)</code>', page.text)]
    assert [each.split()[1] for each in shown] == VERBS
    for command in parse_commands("\n".join(shown)):
        assert isinstance(command, Command), command
        assert not isinstance(read_order(command, NOW.date()), Refusal), command
    assert f"/poc extend {extended} the load test moved" in shown
    assert "/poc waive latency_p95 until 2026-12-26 it comes later" in shown


@pytest.mark.asyncio
async def test_the_record_of_past_signatures_is_told(stored: Engine) -> None:
    said = words(await get(stored, "/"))
    assert re.search(r"How long signatures take .* security \d+ \d+ \d+ signatures", said)
    assert re.search(r"all signatures to start \d+ \d+ \d+ rounds", said)
    [proposed, *_] = (await get(stored, "/portfolio.json?sort=state")).json()["pocs"]
    assert proposed["state"] == "proposed"
    page = words(await get(stored, f"/pocs/{proposed['repository']}"))
    assert re.search(r"The signatures to start took \d+ working days here, 80 % within \d+", page)


@pytest.mark.asyncio
async def test_why_pocs_were_stopped_is_counted(stored: Engine) -> None:
    assert "Why they were stopped: data 1 , no class given 1 , numbers 1 ." in words(
        await get(stored, "/?tab=stopped")
    )
    rows = (await get(stored, "/portfolio.json?tab=stopped")).json()["pocs"]
    assert sorted(each["stop_class"] or "" for each in rows) == ["", "data", "numbers"]


@pytest.mark.asyncio
async def test_the_record_is_for_those_who_may_read_it(stored: Engine) -> None:
    path = "/pocs/acme/poc-ticket-triage/record"
    assert (await get(stored, f"{path}.md")).text.startswith("# Record of ")
    assert (await get(stored, f"{path}.json")).json()["repository"] == "acme/poc-ticket-triage"
    assert (await get(stored, f"{path}.pdf")).status_code == 404
    for access in (Closed("off"), Reader({2}, {1})):
        assert (await get(stored, f"{path}.json", access)).status_code == 404


@pytest.mark.asyncio
async def test_a_badge_shows_where_a_public_poc_stands(stored: Engine) -> None:
    answer = await get(stored, "/badge/acme/poc-ticket-triage.svg", Closed("off"))
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert re.search(r"<title>POC: evaluating, \d of 2 met</title>", answer.text)
    for path in ("/badge/acme/poc-nothing.svg", "/badge/acme/poc%00.svg"):
        assert (await get(stored, path)).status_code == 404


@pytest.mark.asyncio
async def test_a_badge_of_a_private_poc_needs_a_signed_link(server: Server) -> None:
    with server.database() as url:
        engine = connect(url)
        ids = fill(engine)
        with transaction(engine) as session:
            private = "UPDATE repository SET private = true WHERE id = :id"
            session.execute(text(private), {"id": ids["ticket-triage"]})
        page = (await get(engine, "/pocs/acme/poc-ticket-triage")).text
        found = re.search(r"http://localhost(/badge/acme/poc-ticket-triage.svg\?key=[0-9a-f]{32})\)", page)
        assert found
        assert (await get(engine, found[1], Closed("off"))).status_code == 200
        other = (await get(engine, "/pocs/acme/poc-call-summaries")).text
        key = re.search(r"\?key=([0-9a-f]{32})", other)
        assert key
        for wrong in ("", "?key=", "?key=ä", f"?key={key[1]}"):
            answer = await get(engine, f"/badge/acme/poc-ticket-triage.svg{wrong}", Closed("off"))
            assert answer.status_code == 404
        engine.dispose()


@pytest.mark.asyncio
async def test_what_strangers_wrote_does_nothing(server: Server) -> None:
    with server.database() as url:
        engine = connect(url)
        ids = fill(engine)
        evil = "<script>alert(1)</script>\u202e" + "x" * 10_000
        with transaction(engine) as session:
            session.execute(
                text(
                    "UPDATE repository SET charter_data = convert_to(replace("
                    "convert_from(charter_data, 'UTF8'), '# Ticket triage', :title), 'UTF8') WHERE id = :id"
                ),
                {"title": f"# {evil}", "id": ids["ticket-triage"]},
            )
            session.execute(text("UPDATE poc SET owner = :owner"), {"owner": evil})
        for path in ("/", "/pocs/acme/poc-ticket-triage"):
            page = (await get(engine, path)).text
            assert "<script" not in page
            assert "\u202e" not in page
        engine.dispose()


@pytest.mark.asyncio
async def test_nobody_sees_what_they_may_not(stored: Engine) -> None:
    some = Reader({1, 2}, {3})
    listed = (await get(stored, "/portfolio.json", some)).json()
    assert {each["repository"].partition("poc-")[2] for each in listed["pocs"]} == {
        "ticket-triage",
        "call-summaries",
        "invoice-ocr",
    }
    page = await get(stored, "/", some)
    assert 'href="/pocs/acme/poc-ticket-triage"' in page.text
    assert 'href="/pocs/acme/poc-invoice-ocr"' not in page.text
    hidden, missing = [
        await get(stored, f"/pocs/acme/{name}", some) for name in ("poc-invoice-ocr", "poc-none")
    ]
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text == missing.text
    nobody = await get(stored, "/", Reader(set(), set()))
    assert "No POC yet that you can see" in words(nobody)
    assert "acme" not in nobody.text


@pytest.mark.asyncio
async def test_of_a_row_without_access_no_text_is_shown(stored: Engine) -> None:
    stopped = Reader(set(), set(range(1, 30)))
    assert "baseline" not in (await get(stored, "/?tab=stopped", stopped)).text
    assert all(
        each["reason"] == ""
        for each in (await get(stored, "/portfolio.json?tab=stopped", stopped)).json()["pocs"]
    )


@pytest.mark.asyncio
async def test_of_a_row_without_access_no_issue_is_named_and_nothing_that_is_asked(server: Server) -> None:
    with server.database() as url:
        engine = connect(url)
        ids = fill(engine)
        with transaction(engine) as session:
            session.execute(
                text(
                    "UPDATE turn SET party = 'blocker', wants = 'unblock', people = '{}', for_group = NULL, "
                    "number = NULL, about = 'acme/secret-plans#7'"
                )
            )
        everybody, rows = Reader(set(ids.values()), set()), Reader(set(), set(ids.values()))
        for path in ("/", "/portfolio.csv", "/portfolio.json"):
            assert "secret-plans" in (await get(engine, path, everybody)).text
            assert "secret-plans" not in (await get(engine, path, rows)).text
        assert "another issue" in (await get(engine, "/portfolio.json", rows)).text
        engine.dispose()


@pytest.mark.asyncio
async def test_an_organisation_that_somebody_sees_nothing_of_sets_no_zone(server: Server) -> None:
    with server.database() as url:
        engine = connect(url)
        ids = fill(engine)
        with transaction(engine) as session:
            session.execute(
                text("INSERT INTO installation (id, account, permissions) VALUES (1, 'aaa', '{}')")
            )
            policy = "policy: 1\ncalendar:\n  time_zone: Pacific/Auckland\n"
            session.execute(
                text(
                    "INSERT INTO policy (installation_id, repository_id, good_text, findings, read_at) "
                    "VALUES (1, 1, :policy, '[]', now())"
                ),
                {"policy": policy},
            )
        somebody = Reader(set(ids.values()), set())
        assert "28 Nov , 20:40 UTC" in words(await get(engine, "/", somebody))
        engine.dispose()


@pytest.mark.asyncio
async def test_closed_pages_say_why(stored: Engine) -> None:
    closed = Closed("GITHUB_CLIENT_ID is not set")
    front = await get(stored, "/", closed)
    assert "The pages are off: GITHUB_CLIENT_ID is not set" in words(front)
    assert "poc-" not in front.text
    assert (await get(stored, "/pocs/acme/poc-ticket-triage", closed)).status_code == 404
    assert (await get(stored, "/portfolio.json", closed)).status_code == 401
    refused = await get(stored, "/login", closed)
    assert refused.status_code == 403
    assert "The pages are off: GITHUB_CLIENT_ID is not set" in words(refused)
    assert (await get(stored, "/static/../pages.py", closed)).status_code == 404


@pytest.mark.asyncio
async def test_open_pages_answer_to_this_machines_name_only(stored: Engine) -> None:
    for path in ("/", "/pocs/acme/poc-ticket-triage", "/portfolio.json"):
        assert "poc-ticket" not in (await get(stored, path, host="rebound.example.com")).text
        assert "poc-ticket" in (await get(stored, path, host="127.0.0.1:8080")).text
    assert (await get(stored, "/login")).headers["Location"] == "/"
    assert "open to this machine alone" in words(await get(stored, "/login", host="rebound.example.com"))


@pytest.mark.asyncio
async def test_the_number_of_statements_does_not_depend_on_the_number_of_pocs(stored: Engine) -> None:
    seen: Counter[str] = Counter()

    def executed(*_: object) -> None:
        seen[path] += 1

    event.listen(stored, "before_cursor_execute", executed)
    for path in ("/?find=ticket", "/", "/pocs/acme/poc-ticket-triage"):
        await get(stored, path)
    event.remove(stored, "before_cursor_execute", executed)
    assert seen["/?find=ticket"] == seen["/"] <= 8
    assert seen["/pocs/acme/poc-ticket-triage"] <= 20


@pytest.mark.asyncio
async def test_the_documents_explain_every_finding(stored: Engine) -> None:
    page = await get(stored, "/docs/charter")
    assert page.status_code == 200
    assert {check.code for check in CHECKS if f'id="{check.code}"' not in page.text} == set()
    assert 'href="/docs/policy' in page.text
    assert not re.search(r'href="(?!https?://|/|#)', page.text)
    for name in ("commands", "troubleshooting", "portfolio", "waiting"):
        assert (await get(stored, f"/docs/{name}")).status_code == 200
    for name in ("none", "..%2FREADME", "%00"):
        assert (await get(stored, f"/docs/{name}")).status_code == 404


@pytest.fixture
def story(snapshots: Snapshots) -> Iterator[Story]:
    with snapshots.of(Story) as made:
        yield made


@pytest.fixture
def poc(snapshots: Snapshots) -> Iterator[Story]:
    with snapshots.of(Story, Story.found) as made:
        yield made


def test_a_look_stores_what_the_pages_show(poc: Story) -> None:
    poc.land("first")
    [row] = asyncio.run(get(poc.services.engine, "/portfolio.json")).json()["pocs"]
    assert (row["owner"], row["state"]) == ("jane-doe", "shipping")
    assert (row["met"], row["thresholds"]) == (2, 2)
    assert (row["ship_by"], row["slips"]) == ("2027-02-26", "first date")
    assert row["has_the_ball"] == "jane-doe"
    page = asyncio.run(get(poc.services.engine, f"/pocs/{row['repository']}"))
    assert "2 of 2 met" in words(page)


def test_what_a_ship_request_meets_is_shown_beside_what_the_default_branch_doesnt(story: Story) -> None:
    story.found()
    story.commit(HEAD)
    story.ship_request()
    for signers, box, beside in (
        (SIGNERS[:3], "all met on the ship request, 1 signature missing", "and 1 signature is missing."),
        (SIGNERS[3:], "all met on the ship request, and signed: deploy it", "and signed."),
    ):
        story.review(*signers)
        engine = story.services.engine
        assert box in words(asyncio.run(get(engine, "/")))
        page = words(asyncio.run(get(engine, "/pocs/acme/poc-triage")))
        assert "0 of 2 met on main" in page
        assert f"On #5 , the ship request, all are met, {beside}" in page


def test_what_is_waived_is_shown_as_that_and_not_as_met(story: Story) -> None:
    waived = "waived:\n  - accuracy until 2026-12-01 - the labels come late\nsignoffs:"
    charter = CHARTER.replace("signoffs:", waived)
    story.found(charter)
    story.land("first", charter, put=files(accuracy=0.9))
    [row] = asyncio.run(get(story.services.engine, "/portfolio.json")).json()["pocs"]
    assert (row["state"], row["met"], row["thresholds"]) == ("shipping", 1, 2)
    page = words(asyncio.run(get(story.services.engine, f"/pocs/{row['repository']}")))
    assert "1 of 2 met, 1 waived" in page
    assert "waived until 1 December 2026; missed by 2 points" in page
    assert "1 waived" in words(asyncio.run(get(story.services.engine, "/")))


def test_who_signed_a_ship_request_that_brings_another_charter_is_shown(story: Story) -> None:
    story.found()
    story.commit(HEAD, CHARTER.replace("within: 10 min", "within: 9 min"))
    story.ship_request()
    story.review(*SIGNERS)
    assert story.gate() == READY
    page = words(asyncio.run(get(story.services.engine, "/pocs/acme/poc-triage")))
    for group, login in (("data science", "alice-k"), ("platform", "bob-m"), ("security", "dan-w")):
        assert re.search(rf"{group} {login} 23 Nov (, #5 )?23 Nov , #5", page), (group, page)
