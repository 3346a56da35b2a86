"""kill -9 at any moment: what was answered 202 is done, once; what was not is done when delivered again."""

from __future__ import annotations

import os
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
from service.store import subjects
from service.store.database import transaction
from tests.durability.conftest import REPOSITORY
from tests.durability.controlled import TABLE
from tests.durability.processes import Serve, alive, environment, eventually, kill, serving, working

DELIVERIES = 200
TWO_MINUTES = 120.0
CONTROLLED = "tests.durability.controlled"


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
    env = os.environ | {"DATABASE_URL": database_url}
    with ExitStack() as stack:
        slow = working(folder / "slow.log", env | {"LOOK_SECONDS": "3600"}, CONTROLLED)
        first = stack.enter_context(slow)
        eventually(lambda: _looked(database_url), "the look has begun")
        first.kill()
        stack.enter_context(working(folder / "next.log", env | {"LOOK_SECONDS": "0"}, CONTROLLED))
        yield


def test_kills_of_worker_and_web_in_the_middle_of_200_deliveries_lose_none_and_double_none(
    abandoned: None,
    database_url: str,
    emulator: Emulator,
    jane: Person,
    opened: list[Opened],
    folder: Path,
    record_property: Any,
) -> None:
    env = environment(emulator, DATA_DIR=str(folder / "data"))
    log = folder / "serve.log"
    answers: dict[int, int] = {}
    with serving(log, env) as serve:
        serve.worker()
        eventually(lambda: serve.health()["workers"], "the worker works")
        with ThreadPoolExecutor(4) as senders:
            sent = [senders.submit(_deliver, serve, answers, opened, n) for n in range(DELIVERIES)]
            eventually(lambda: _posted(jane, opened) >= 3 and len(answers) >= 20, "looks are under way")
            killed = serve.worker()
            kill(killed)
            eventually(lambda: len(answers) >= 90, "deliveries go on")
            parts = (serve.worker(), serve.postgres())
            serve.kill()
            for each in sent:
                each.result()
    recorded = {n for n, status in answers.items() if status == 202}
    assert 90 <= len(recorded) < DELIVERIES
    assert set(answers.values()) == {202, 0}
    eventually(lambda: not any(map(alive, (killed, *parts))), "worker and PostgreSQL have ended as well")

    with serving(log, env) as serve:
        restarted = time.monotonic()
        assert serve.health()["deliveries"] >= len(recorded)
        for n in range(DELIVERIES):
            if n not in recorded:  # as GitHub's redelivery would
                assert _deliver(serve, answers, opened, n) == 202
        assert serve.health()["deliveries"] == DELIVERIES
        eventually(serve.idle, "every subject is clean", within=TWO_MINUTES)
        record_property("all clean after", f"{time.monotonic() - restarted:.0f} s")
        assert serve.health()["dead_count"] == 0
    runs = {pull.head_sha: jane.check_runs(REPOSITORY, pull.head_sha) for pull in opened}
    assert {sha: len(of) for sha, of in runs.items() if len(of) != 1} == {}
    assert {of[0].conclusion for of in runs.values()} == {"action_required"}

    eventually(lambda: _recovered_after(database_url), "the abandoned look is done", within=TWO_MINUTES)
    seconds = _recovered_after(database_url)
    record_property("abandoned look recovered after", f"{seconds:.0f} s")
    assert 0 < seconds < 90


def _deliver(serve: Serve, answers: dict[int, int], opened: list[Opened], n: int) -> int:
    status = serve.deliver("pull_request", opened[n].payload, f"delivery-{n}")
    answers[n] = status
    if status == 0:
        time.sleep(0.02)
    return status


def _posted(jane: Person, opened: list[Opened]) -> int:
    return sum(bool(jane.check_runs(REPOSITORY, pull.head_sha)) for pull in opened[:10])


def _looked(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT began, ended FROM looked ORDER BY began").fetchall()


def _recovered_after(url: str) -> float:
    rows = _looked(url)
    done = [ended for _, ended in rows if ended is not None]
    return (done[0] - rows[0][0]).total_seconds() if done else 0.0
