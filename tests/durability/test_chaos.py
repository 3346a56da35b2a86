"""Chaos: deliveries doubled, shuffled and late; every process killed; a fifth of GitHub's answers failing.

`make chaos` runs it at its full size and prints the figures.
"""

from __future__ import annotations

import itertools
import math
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pprint import pformat
from typing import Any

import pytest

from service.config.settings import load
from service.demo.charters import ADJECTIVES
from service.demo.emulator import Emulator, SeedRepo, free_port
from service.demo.person import Person
from service.rules.values.actions import CHARTER_CHECK, GATE_CHECK, STALL_LABEL
from service.services import Services
from service.store import subjects
from service.store.database import transaction
from service.store.embedded import EmbeddedPostgres
from service.sweep import dry_run, mark_all
from service.texts.charter import UNJUDGED
from service.wiring import build
from tests.harness.emulator import good_charter
from tests.harness.gateway import Answer, Fault, Forward, Gateway, lost, says
from tests.harness.processes import Process, Serve, alive, child, children, environment, kill
from tests.harness.program import PROGRAM, UNTOUCHED
from tests.harness.waiting import eventually

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of it."""

    repositories: int
    pulls: int
    """In each repository."""
    kills: int
    minutes: int
    """How often GitHub lets everybody wait for a minute."""
    silences: int
    """How often it says nothing for ten seconds."""
    storm: float
    """Seconds for which it goes on after the last delivery."""
    to_be_clean: float
    """Seconds that all may take in good weather."""


SMALL, FULL = Size(6, 6, 5, 0, 1, 25.0, 300.0), Size(60, 16, 15, 3, 6, 180.0, 1800.0)
SIZE = FULL if os.environ.get("CHAOS") == "full" else SMALL
FAILING, DOUBLED, LATE = 0.2, 0.25, 0.1
"""Which part of GitHub's answers fail, of the deliveries come twice, and of `opened` come at the end."""
SILENCE = 10.0
STALLED = timedelta(days=60)
CHARTERS = (None, good_charter(), ADJECTIVES)
RENEWED = 1000
"""After so many calls a token has ended: the emulator takes 5,000 of each in an hour."""
AT_ONCE = 12
"""Deliveries under way at a time."""
KILLED = ("worker", "PostgreSQL", "serve", "web", "second worker")
BOTH = {CHARTER_CHECK, GATE_CHECK}
LEFT = """
SELECT key, attempts, not_before, last_error, dead_since FROM subject
WHERE wanted > done OR dead_since IS NOT NULL
"""
NEWEST = """
SELECT DISTINCT ON (name) name, conclusion, title FROM check_run WHERE head_sha = %s ORDER BY name, id DESC
"""


@dataclass(slots=True)
class Weather:
    """Lets a part of all calls fail, each kind of failure as often as the others."""

    minutes: int
    silences: int
    begun: bool = False
    chance: random.Random = field(default_factory=lambda: random.Random(10))
    seen: Counter[str] = field(default_factory=Counter)
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, _method: str, path: str) -> Fault | None:
        with self._alone:
            self.seen["calls"] += 1
            if self.seen["calls"] % RENEWED == 0:
                self.seen["401"] += 1
                return says(401, "Bad credentials")
            if not self.begun or self.chance.random() >= FAILING:
                return None
            name, fault = self.chance.choice(list(self._faults(path).items()))
            if self.seen[name] >= {"403": self.minutes, "silence": self.silences}.get(name, math.inf):
                return None
            self.seen[name] += 1
            return fault

    def _faults(self, path: str) -> dict[str, Fault]:
        moved = says(301, "Moved Permanently", Location=path)
        return {
            "502": says(502, "Bad Gateway"),
            "502 after the write": lost,
            "500 after the write": _failing_after,
            "reset": lambda _: None,
            "reset after the write": _reset_after,
            "429": says(429, "You have exceeded a secondary rate limit.", Retry_After="1"),
            "403 with Retry-After": says(403, "You have exceeded a secondary rate limit.", Retry_After="1"),
            "403": says(403, "You have exceeded a secondary rate limit."),
            "cut": lambda forward: replace(forward(), cut=True),
            "broken": _broken,
            "301": moved,
            "401": says(401, "Bad credentials"),
            "422": says(422, "Validation Failed"),
            "451": says(451, "Repository access blocked"),
            "silence": _silent,
        }


def _failing_after(forward: Forward) -> Answer:
    forward()
    return Answer(500, b'{"message": "Server Error"}')


def _broken(forward: Forward) -> Answer:
    answer = forward()
    return replace(answer, body=answer.body[:-1] + b",,")


def _reset_after(forward: Forward) -> None:
    forward()


def _silent(_: Forward) -> None:
    time.sleep(SILENCE)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook."""

    id: str
    event: str
    payload: dict[str, Any]


@dataclass(slots=True)
class Opened:
    """A pull request, and the comments on it that command something."""

    repository: str
    number: int
    head_sha: str
    commands: list[int] = field(default_factory=list)


class Organisation:
    """What stands on GitHub, and the deliveries that tell of it."""

    def __init__(self, emulator: Emulator, jane: Person) -> None:
        self._installation = {"id": emulator.installation_id}
        self._jane = jane
        self._ids = itertools.count(1)
        self.pulls: list[Opened] = []
        self.late: list[Delivery] = []
        self.usual: list[Delivery] = []

    def found(self, name: str, charter: str | None) -> None:
        """Let a repository have its pull requests, and note what GitHub would deliver."""
        if charter is not None:
            self._jane.write_file(name, "POC.md", charter)
        main, repository = self._jane.head(name), self._jane.repo(name)
        for n in range(SIZE.pulls):
            place = f"/repos/acme/{name}"
            self._jane.call("POST", f"{place}/git/refs", {"ref": f"refs/heads/b{n}", "sha": main})
            change = {"message": f"b{n}", "content": "eA==", "branch": f"b{n}"}
            self._jane.call("PUT", f"{place}/contents/b{n}.txt", change)
            pull = self._jane.call(
                "POST", f"{place}/pulls", {"title": f"b{n}", "head": f"b{n}", "base": "main"}
            )
            opened = Opened(name, pull["number"], pull["head"]["sha"])
            self.pulls.append(opened)
            first = self._delivery("pull_request", repository, action="opened", pull_request=pull)
            (self.late if len(self.pulls) % round(1 / LATE) == 0 else self.usual).append(first)
            said = ["/poc help"] + ["/poc ship"] * (n == 0 and charter == CHARTERS[1])
            for text in said:
                self.usual.append(self._commented(repository, opened, text))
            self.usual.append(self._delivery("pull_request", repository, action="edited", pull_request=pull))
            self.usual.append(self._reviewed(repository, pull))

    def _commented(self, repository: dict[str, Any], opened: Opened, text: str) -> Delivery:
        comment = self._jane.comment(opened.repository, opened.number, text)
        if text == "/poc help":
            opened.commands.append(comment["id"])
        issue = {"id": opened.number, "number": opened.number, "pull_request": {}, "updated_at": _now()}
        return self._delivery("issue_comment", repository, action="created", comment=comment, issue=issue)

    def _reviewed(self, repository: dict[str, Any], pull: dict[str, Any]) -> Delivery:
        review = {
            "id": next(self._ids),
            "state": "approved",
            "user": {"login": "alice-k", "type": "User"},
            "commit_id": pull["head"]["sha"],
            "submitted_at": _now(),
        }
        return self._delivery(
            "pull_request_review", repository, action="submitted", review=review, pull_request=pull
        )

    def _delivery(self, event: str, repository: dict[str, Any], **payload: Any) -> Delivery:
        told = {"installation": self._installation, "repository": repository}
        sender = {"login": "jane-doe", "type": "User"}
        return Delivery(f"delivery-{next(self._ids)}", event, told | {"sender": sender} | payload)


def _now() -> str:
    return datetime.now(UTC).isoformat()


class Processes:
    """Two processes of the web and two workers over one PostgreSQL, which die and come back."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._postgres = EmbeddedPostgres(folder / "postgres", "tests")
        self.env = env | {"DATABASE_URL": self._postgres.start()}
        self._folder = folder
        self._port = free_port()
        self.killed: Counter[str] = Counter()
        self.serve, self.second = self._serve(), self._work()

    def close(self) -> None:
        self.second.kill()
        self.serve.close()
        self._postgres.stop()

    @property
    def said(self) -> str:
        return (self._folder / "serve.log").read_text() + (self._folder / "work.log").read_text()

    def kill(self, what: str) -> None:
        """Kill -9; what is not kept by another process is started again."""
        match what:
            case "serve":
                killed, parts = self.serve, children(self.serve.pid, "")
                killed.kill()
                eventually(lambda: not any(map(alive, parts)), "its other processes have ended")
                self.serve = self._serve()
                killed.close()
            case "second worker":
                self.second.kill()
            case "worker":
                kill(self.serve.worker())
            case "PostgreSQL":
                # The tests' own PostgreSQL is a child of this process as well.
                kill(child(os.getpid(), f"postgres\0-D\0{self._folder}"))
                eventually(lambda: self._postgres.poll() is not None, "it has ended")
                self._postgres.restart()
            case "web":
                for pid in children(self.serve.pid, "\0serve")[:1]:
                    kill(pid)
            case _:
                raise AssertionError(what)
        self.killed[what] += 1
        if not self.second.running():
            self.second = self._work()

    def deliver(self, delivery: Delivery) -> int:
        """The status of the answer; 0 for none."""
        with suppress(RuntimeError):  # the client of a service that was replaced meanwhile
            return self.serve.deliver(delivery.event, delivery.payload, delivery.id)
        return 0

    def _serve(self) -> Serve:
        return Serve(self._folder / "serve.log", self.env, program=PROGRAM, port=self._port)

    def _work(self) -> Process:
        return Process(self._folder / "work.log", self.env, PROGRAM, "work")


@pytest.fixture
def github() -> Iterator[Emulator]:
    names = [SeedRepo(f"poc-{n}") for n in range(SIZE.repositories)]
    with Emulator(repos=names, users=("jane-doe", "alice-k")) as running:
        yield running


def test_nothing_is_lost_and_nothing_is_said_twice(
    github: Emulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    with ExitStack() as stack:
        jane = stack.enter_context(github.person("jane-doe"))
        organisation = Organisation(github, jane)
        for n in range(SIZE.repositories):
            organisation.found(f"poc-{n}", CHARTERS[n % len(CHARTERS)])
        api = stack.enter_context(Gateway(github.api_url, rename=True))
        api.weather = weather = Weather(SIZE.minutes, SIZE.silences)
        env = environment(github, WEB_PROCESSES="2", GITHUB_API_URL=api.url) | {UNTOUCHED: "3"}
        processes = Processes(folder, env)
        stack.callback(processes.close)
        services = build(load(processes.env), processes.env["DATABASE_URL"])
        stack.callback(services.engine.dispose)

        weather.begun = True
        told = _shuffled(organisation.usual, weather.chance)
        half = len(told) // 2
        statuses = _send(processes, told[:half], kills=SIZE.kills)
        _let_stall(services)
        statuses += _send(processes, told[half:], kills=0)
        statuses += _send(processes, _shuffled(organisation.late, weather.chance), kills=0)
        with suppress(AssertionError):  # what waits for a minute is not waited for in bad weather
            eventually(processes.serve.idle, "every subject is clean", within=SIZE.storm)
        weather.begun = False
        _wait_until_clean(processes, services)

        deliveries = {each.id for each in (*organisation.usual, *organisation.late)}
        with transaction(services.engine) as session:
            missing = deliveries - subjects.stored_deliveries(session, deliveries)
        reader = stack.enter_context(github.person("alice-k"))
        wrong = dict(_wrong_runs(services, reader, organisation.pulls))
        answers = {
            f"{pull.repository}#{pull.number}: {comment}": sum(f"answer:{comment}" in body for body in bodies)
            for pull in organisation.pulls
            for bodies in [reader.comments(pull.repository, pull.number)]
            for comment in pull.commands
        }
        issues = Counter(len(reader.issues(f"poc-{n}", label=STALL_LABEL)) for n in range(SIZE.repositories))
        with capsys.disabled():
            print(  # noqa: T201 (the figures are what `make chaos` is for)
                f"\n{len(told) + len(organisation.late)} deliveries of {SIZE.repositories} repositories, "
                f"{len(deliveries)} of them different, in {time.monotonic() - began:.0f} s"
                f"\nanswers to deliveries: {dict(statuses)}"
                f"\nkilled: {dict(processes.killed)}"
                f"\nGitHub: {dict(weather.seen)}"
                f"\nanswers to a command: {dict(Counter(answers.values()))}"
                f"\nstall issues of a POC: {dict(issues)}"
            )
        assert missing == set()
        assert not wrong, pformat(wrong) + processes.said
        assert set(answers.values()) == {1}, pformat(answers) + processes.said
        assert issues.keys() <= {0, 1}
        assert issues[1] > 0
        assert "Traceback" not in processes.said
        assert sum(processes.killed.values()) >= SIZE.kills


def _shuffled(deliveries: list[Delivery], chance: random.Random) -> list[Delivery]:
    """Some of them twice, all in any order."""
    told = deliveries + chance.sample(deliveries, round(len(deliveries) * DOUBLED / (1 - DOUBLED)))
    chance.shuffle(told)
    return told


def _send(processes: Processes, told: list[Delivery], *, kills: int) -> Counter[int]:
    """Deliver each until it is answered 202, and kill meanwhile."""
    statuses: Counter[int] = Counter()
    left = itertools.count(len(told), -1)
    done = threading.Event()

    def send(delivery: Delivery) -> None:
        while (status := processes.deliver(delivery)) != 202:
            statuses[status] += 1
            time.sleep(0.2)
        statuses[202] += 1
        if next(left) == 1:
            done.set()

    with ThreadPoolExecutor(AT_ONCE) as senders:
        sent = [senders.submit(send, delivery) for delivery in told]
        for what in itertools.islice(itertools.cycle(KILLED), kills):
            done.wait(1.5)
            processes.kill(what)
        for each in sent:
            each.result()
    return statuses


def _let_stall(services: Services) -> None:
    """Let every POC be judged as on a day on which nobody has done anything for weeks."""

    def marked() -> bool:
        with suppress(Exception), transaction(services.engine) as session:
            rows = session.connection().exec_driver_sql("SELECT 'repository:' || id FROM repository")
            subjects.mark(session, list(rows.scalars()), as_of=datetime.now(UTC) + STALLED)
            return True
        return False

    eventually(marked, "the stalls are to be judged")


def _wait_until_clean(processes: Processes, services: Services) -> None:
    """What GitHub refused for good is tried again by the sweep; nobody waits out the longest pauses."""
    deadline = time.monotonic() + SIZE.to_be_clean
    eventually(processes.serve.ready, "it is ready")
    mark_all(services)
    while True:
        health = processes.serve.health()
        if health["ready"] and not health["dirty"] and not health["dead_count"]:
            return
        assert time.monotonic() < deadline, (health, _left(services))
        with transaction(services.engine) as session:
            connection = session.connection()
            connection.exec_driver_sql("UPDATE installation SET rate_limited_until = NULL")
            if health["dead_count"]:
                subjects.mark(session, subjects.dead(session))
            connection.exec_driver_sql(
                "UPDATE subject SET not_before = NULL WHERE not_before > now() + '5 s'"
            )
            # An hour has room for fewer comments than there are commands.
            connection.exec_driver_sql("DELETE FROM write_slot WHERE used OR at > now() + '5 s'")
        time.sleep(1)


def _left(services: Services) -> list[Any]:
    with transaction(services.engine) as session:
        return list(session.connection().exec_driver_sql(LEFT).all())


def _wrong_runs(services: Services, reader: Person, pulls: list[Opened]) -> Iterator[tuple[str, object]]:
    """Heads without one check run of each name and verdict, or whose newest do not say what is true now."""
    for key, _, actions in dry_run(services, as_of=None):
        if actions and key.startswith("pull_request:"):
            yield key, actions
    for pull in pulls:
        runs = sorted(reader.check_runs(pull.repository, pull.head_sha), key=lambda run: run.id)
        posted = Counter(run.external_id for run in runs)
        verdicts = Counter(
            (run.name, run.conclusion, run.title, run.summary, run.text)
            for run in runs
            if not run.title.startswith(UNJUDGED)
        )
        newest = {run.name: (run.name, run.conclusion, run.title) for run in runs}
        with transaction(services.engine) as session:
            stored = session.connection().exec_driver_sql(NEWEST, (pull.head_sha,)).all()
        believed = {tuple(row) for row in stored}
        once = set(posted.values()) == set(verdicts.values()) == {1}
        if not {CHARTER_CHECK} <= newest.keys() <= BOTH or not once or set(newest.values()) != believed:
            told = [(run.id, run.external_id, run.conclusion, run.title) for run in runs]
            yield f"{pull.repository}#{pull.number}", (told, believed)
