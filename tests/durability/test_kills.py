"""kill -9 at any moment: what was answered 202 is done, once; what was not is done when delivered again."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from service.demo.emulator import Emulator
from service.demo.person import Person
from service.rules.values.actions import CHARTER_CHECK
from service.store import subjects
from service.store.database import transaction
from tests.durability.conftest import REPOSITORY
from tests.harness.controlled import TABLE
from tests.harness.processes import Serve, alive, environment, inherited, kill, serving, working
from tests.harness.program import PROGRAM, UNTOUCHED
from tests.harness.waiting import eventually

pytestmark = pytest.mark.slow

log = logging.getLogger(__name__)

DELIVERIES, KILL_AT = 200, 140
TWO_MINUTES = 120.0
CONTROLLED = "tests.harness.controlled"
WOKEN_AFTER = 5.0
"""Seconds; in the product they are 45, which nobody waits for here."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A pull request on the emulator, and the payload that GitHub would send for it."""

    head_sha: str
    payload: dict[str, Any]


@pytest.fixture(scope="module")
def opened(emulator: Emulator, jane: Person) -> list[Opened]:
    main = jane.head(REPOSITORY)
    repository = jane.repo(REPOSITORY)
    pulls = []
    for n in range(DELIVERIES):
        place = f"/repos/acme/{REPOSITORY}"
        jane.call("POST", f"{place}/git/refs", {"ref": f"refs/heads/b{n}", "sha": main})
        change = {"message": f"b{n}", "content": "eA==", "branch": f"b{n}"}
        sha = jane.call("PUT", f"{place}/contents/b{n}.txt", change)["commit"]["sha"]
        pull = jane.call("POST", f"{place}/pulls", {"title": f"b{n}", "head": f"b{n}", "base": "main"})
        payload = {
            "action": "opened",
            "installation": {"id": emulator.installation_id},
            "repository": repository,
            "pull_request": pull,
            "sender": {"login": "jane-doe", "type": "User"},
        }
        pulls.append(Opened(sha, payload))
    return pulls


@pytest.fixture
def abandoned(database_url: str, engine: Engine, folder: Path) -> Iterator[None]:
    """A look whose worker was killed in the middle of it; another worker runs, and sees to it or not."""
    with psycopg.connect(database_url) as connection:
        connection.execute(TABLE)
    with transaction(engine) as session:
        subjects.mark(session, ["repository:1"])
    env = inherited() | {"DATABASE_URL": database_url, UNTOUCHED: str(WOKEN_AFTER)}
    with ExitStack() as stack:
        slow = working(folder / "slow.log", env | {"LOOK_SECONDS": "3600"}, CONTROLLED)
        first = stack.enter_context(slow)
        eventually(lambda: _looked(database_url), "the look has begun")
        first.kill()
        stack.enter_context(working(folder / "next.log", env | {"LOOK_SECONDS": "0"}, CONTROLLED))
        yield


@pytest.mark.usefixtures("abandoned")
def test_kills_of_worker_and_web_in_the_middle_of_200_deliveries_lose_none_and_double_none(
    database_url: str, emulator: Emulator, jane: Person, opened: list[Opened], folder: Path
) -> None:
    env = environment(emulator, DATA_DIR=str(folder / "data")) | {UNTOUCHED: str(WOKEN_AFTER)}
    lines = folder / "serve.log"
    answers: dict[int, int] = {}
    second_half = threading.Event()
    with serving(lines, env, program=PROGRAM) as serve:
        eventually(lambda: serve.health()["workers"], "the worker works")

        finished = itertools.count(1)

        def send(n: int) -> None:
            if n >= DELIVERIES // 2:
                second_half.wait()
            _deliver(serve, answers, opened, n)
            if next(finished) == KILL_AT:
                serve.kill()

        with ThreadPoolExecutor(4) as senders:
            sent = [senders.submit(send, n) for n in range(DELIVERIES)]
            try:
                eventually(lambda: _posted(jane, opened) >= 3, "looks are under way")
                killed = serve.worker()
                kill(killed)
                eventually(lambda: serve.said.count("] working") == 2, "another worker works")
                parts = (serve.worker(), serve.postgres())
                assert serve.health()["dirty"] > 0
            finally:
                second_half.set()
            for each in sent:
                each.result()
    recorded = {n for n, status in answers.items() if status == 202}
    assert KILL_AT - 4 <= len(recorded) < DELIVERIES
    # A second web process outlives the killed one for a moment, without its database: it answers 503.
    assert {202, 0} <= set(answers.values()) <= {202, 0, 503}
    eventually(lambda: not any(map(alive, (killed, *parts))), "worker and PostgreSQL have ended as well")

    with serving(lines, env, program=PROGRAM) as serve:
        restarted = time.monotonic()
        assert serve.deliveries() >= len(recorded)
        for n in range(DELIVERIES):
            if n not in recorded:  # as GitHub's redelivery would
                assert _deliver(serve, answers, opened, n) == 202
        assert serve.deliveries() == DELIVERIES
        eventually(serve.idle, "every subject is clean", within=TWO_MINUTES)
        log.info("all clean %.0f s after the restart", time.monotonic() - restarted)
        assert serve.health()["dead_count"] == 0
    runs = {pull.head_sha: jane.check_runs(REPOSITORY, pull.head_sha) for pull in opened}
    said = [(CHARTER_CHECK, "action_required")]
    wrong = {sha: of for sha, of in runs.items() if sorted((r.name, r.conclusion) for r in of) != said}
    assert wrong == {}

    eventually(lambda: _recovered_after(database_url), "the abandoned look is done", within=TWO_MINUTES)
    seconds = _recovered_after(database_url)
    log.info("abandoned look done %.0f s after it began", seconds)
    assert 0 < seconds < WOKEN_AFTER + 30


def _deliver(serve: Serve, answers: dict[int, int], opened: list[Opened], n: int) -> int:
    answers[n] = serve.deliver("pull_request", opened[n].payload, f"delivery-{n}")
    return answers[n]


def _posted(jane: Person, opened: list[Opened]) -> int:
    return sum(bool(jane.check_runs(REPOSITORY, pull.head_sha)) for pull in opened[:10])


def _looked(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT began, ended FROM looked ORDER BY began").fetchall()


def _recovered_after(url: str) -> float:
    rows = _looked(url)
    done = [ended for _, ended in rows if ended is not None]
    return (done[0] - rows[0][0]).total_seconds() if done else 0.0
