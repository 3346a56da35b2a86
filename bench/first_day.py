"""How long a pull request waits for its check while an organisation's repositories are being registered.

    python -m bench.first_day [--repositories 300] [--latency 0.05] [--usual 20]

A worker with its defaults is a process of its own, with an embedded PostgreSQL; GitHub is within the worker
and answers each call after LATENCY seconds. First the pull request moves while nothing else is to be done,
then while REPOSITORIES repositories that are no POC are registered, one commit after the other. Exits 1 where
nine of ten checks aren't there within LIMIT times the usual time.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from statistics import median, quantiles
from typing import Any, cast

import psycopg
import structlog

from service.config.settings import Settings
from service.ports import GitHub
from service.rules.policy.model import Mode
from service.rules.values.github import Installation, Repository
from service.store.connections import USUAL, share
from service.wiring import build
from service.work import work
from tests.harness.charters import GOOD
from tests.harness.database import serving
from tests.harness.deliveries import Receiver, described, person
from tests.harness.github import PERMISSIONS, FakeApp, FakeRepository

LIMIT = 3.0
INSTALLATION, ACCOUNT, NUMBER = 7, "acme", 5
BASE = "b" * 40
MOST_COMMITS = 2000
PATIENCE = 120.0
GLANCE = 0.002
NOW = datetime.now(UTC)
POC = Repository(
    1, "acme/poc-triage", "main", topics=("poc",), pushed_at=NOW, updated_at=NOW - timedelta(days=1)
)


def main() -> int:
    """Measure, print, and say whether it is as it should be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repositories", type=int, default=300)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of each call of GitHub")
    parser.add_argument("--usual", type=int, default=20, help="commits while nothing else is to be done")
    arguments = parser.parse_args()
    with (
        serving() as server,
        server.database() as url,
        working(url, arguments.repositories, arguments.latency) as added,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        return 0 if Day(url, connection, added).measured(arguments.repositories, arguments.usual) else 1


class Day:
    """Deliveries in, and what the database says of their check runs."""

    def __init__(self, url: str, connection: psycopg.Connection[Any], added: Event) -> None:
        self._added = added
        self._receiver = Receiver(url)
        self._connection = connection
        self._commits = 0

    def measured(self, repositories: int, usual: int) -> bool:
        """A pull request that moves, alone and then on the first day of many repositories."""
        installation = {"id": INSTALLATION, "account": {"login": ACCOUNT}, "permissions": PERMISSIONS}
        stubs = [{"id": POC.id, "full_name": POC.full_name}]
        self._deliver("installation", action="created", installation=installation, repositories=stubs)
        self._until(lambda: self._count("repository WHERE poc_reason IS NOT NULL") == 1)
        self._until(lambda: not self._dirty())
        self._check()
        alone = [self._check() for _ in range(usual)]
        self._until(lambda: not self._dirty())
        added = [{"id": 100 + n, "full_name": name(n)} for n in range(repositories)]
        self._added.set()
        began = time.perf_counter()
        self._deliver("installation_repositories", action="added", repositories_added=added)
        busy = [self._check()]
        while self._count("repository WHERE charter_kind IS NOT NULL") <= repositories:
            busy.append(self._check())
        took = time.perf_counter() - began
        self._receiver.close()
        print(
            f"{repositories} repositories were registered in {took:.1f} s, with {len(busy)} commits between"
        )
        print(f"{'':10}{'p50 ms':>8}{'p90 ms':>8}{'worst':>8}")
        for which, times in (("alone", alone), ("meanwhile", busy)):
            print(f"{which:10}{median(times):8.0f}{_ninth(times):8.0f}{max(times):8.0f}")
        ratio = _ninth(busy) / median(alone)
        holds = ratio <= LIMIT
        print(
            f"nine of ten within {ratio:.2f} times the usual time (at most {LIMIT}): "
            f"{'holds' if holds else 'MISSED'}"
        )
        return holds

    def _check(self) -> float:
        """Move the pull request, and return how many milliseconds its check took."""
        self._commits += 1
        head = commit(self._commits)
        shown = {
            "number": NUMBER,
            "state": "open",
            "head": {"ref": "work", "sha": head, "repo": {"id": POC.id}},
            "base": {"ref": "main", "sha": BASE},
            "user": person("jane-doe"),
            "updated_at": (NOW + timedelta(seconds=self._commits)).isoformat(),
        }
        began = time.perf_counter()
        self._deliver(
            "pull_request",
            action="synchronize",
            pull_request=shown,
            repository=described(POC),
            sender=person("jane-doe"),
        )
        self._until(lambda: self._count(f"check_run WHERE head_sha = '{head}' AND github_id IS NOT NULL") > 0)
        return 1000 * (time.perf_counter() - began)

    def _deliver(self, event: str, **payload: object) -> None:
        body = json.dumps({"installation": {"id": INSTALLATION}} | payload).encode()
        self._receiver.deliver(event, body, f"delivery-{time.perf_counter_ns()}")

    def _dirty(self) -> bool:
        return self._count("subject WHERE wanted > done") > 0

    def _count(self, what: str) -> int:
        found = self._connection.execute(f"SELECT count(*) FROM {what}".encode()).fetchone()
        assert found is not None
        return int(found[0])

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError("the worker doesn't come to it")
            time.sleep(GLANCE)


def _ninth(times: list[float]) -> float:
    return quantiles(times, n=10, method="inclusive")[-1] if len(times) > 1 else times[0]


def commit(number: int) -> str:
    """The name of a commit."""
    return f"{number:040x}"


def name(number: int) -> str:
    """The name of a repository that is no POC."""
    return f"{ACCOUNT}/app-{number}"


class Slow:
    """A fake GitHub that takes its time for each call."""

    def __init__(self, github: GitHub, latency: float) -> None:
        self._github = github
        self._latency = latency

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 (the fake's own)
        found = getattr(self._github, method)
        if method == "close":
            return found

        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (the fake's own)
            time.sleep(self._latency)
            return found(*args, **kwargs)

        return call


class SlowApp(FakeApp):
    """Its installation's calls take time."""

    latency = 0.0
    added: Event
    later: dict[int, FakeRepository]

    def installation(self, installation: Installation) -> Any:  # noqa: ANN401 (it passes for the fake)
        """A client whose calls take time."""
        github = super().installation(installation)
        if self.added.is_set():
            github.repos |= self.later
        return Slow(github, self.latency)


@contextmanager
def working(url: str, repositories: int, latency: float) -> Iterator[Event]:
    """Run a worker; the event says that GitHub has the other repositories."""
    context = multiprocessing.get_context("spawn")
    added = context.Event()
    process = context.Process(target=run, args=(url, repositories, latency, added))
    process.start()
    try:
        yield added
    finally:
        process.terminate()
        process.join()


def run(url: str, repositories: int, latency: float, added: Event) -> None:
    """Work as `poc-governor work` does, and say only what goes wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    app = SlowApp(Installation(INSTALLATION, ACCOUNT, dict(PERMISSIONS)))
    app.latency, app.added = latency, added
    github = app.githubs[INSTALLATION]
    github.add(POC).write(GOOD, "main", BASE, *map(commit, range(MOST_COMMITS)))
    app.later = {
        100 + number: FakeRepository(
            Repository(100 + number, name(number), "main", pushed_at=NOW, updated_at=NOW)
        )
        for number in range(repositories)
    }
    settings = Settings(
        github_app_id=1,
        github_app_private_key="not used",
        github_webhook_secret="not used",
        public_url="http://localhost",
        mode=Mode.ENFORCE,
    )
    work(build(settings, url, app=cast("Any", app), pool_size=share(USUAL).pool), url)


if __name__ == "__main__":
    sys.exit(main())
