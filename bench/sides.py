"""The two sides that `bench.look` compares, as seen from outside: deliver events, wait, read the CPU."""

from __future__ import annotations

import http.client
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import cpu
from bench.github import GitHub
from bench.payloads import Delivery
from bench.proxy import Call
from bench.servers import Server, environment, free_port

CHECKS = frozenset({"POC charter"})
"""What an ordinary pull request gets: nothing in it bears on shipping."""
PATIENCE = 120.0
SETTLING = 0.5
"""Seconds that both get, after the last check run, to finish what they do before the CPU is read."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took."""

    cpu: Mapping[str, float]
    wall: float
    latencies: Sequence[float]
    calls: Sequence[Call]

    @property
    def count(self) -> int:
        """How many events it was."""
        return len(self.latencies)

    @property
    def cpu_ms(self) -> float:
        """CPU of an event, in milliseconds."""
        return 1000 * sum(self.cpu.values()) / self.count

    @property
    def calls_each(self) -> float:
        """GitHub calls of an event; one for a token, once an hour, is not an event's."""
        return sum("/access_tokens" not in call.path for call in self.calls) / self.count


class Side:
    """One of the two servers, as seen from outside."""

    def __init__(self, server: Server, hub: GitHub) -> None:
        self.server, self.hub = server, hub
        self.is_probot = server.name == "Probot"

    def cpu(self) -> Mapping[str, float]:
        """CPU seconds so far of all its processes, by what they are."""
        return cpu.seconds(self.server.pid)

    def drained(self) -> None:
        """Wait until it does nothing any more."""

    def run(self, bodies: Mapping[str, bytes], in_flight: int) -> Run:
        """Deliver each payload and wait for its check runs, so many at a time."""
        waiting: queue.SimpleQueue[tuple[str, Delivery]] = queue.SimpleQueue()
        for commit, body in bodies.items():
            waiting.put((commit, self.hub.sign(body)))
        latencies: list[float] = []
        errors: list[BaseException] = []
        threads = [
            threading.Thread(target=self._send, args=(waiting, latencies, errors))
            for _ in range(min(in_flight, len(bodies)))
        ]
        seen, before, began = len(self.hub.proxy.calls()), self.cpu(), time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall = time.perf_counter() - began
        if errors:
            raise SystemExit(f"{self.server.name}: {errors[0]!r}")
        self.drained()
        time.sleep(SETTLING)
        after = self.cpu()
        calls = [call for call in self.hub.proxy.calls(seen) if call.is_probots == self.is_probot]
        if not self.hub.completed(bodies, CHECKS):
            raise SystemExit(f"{self.server.name}: a commit lacks a check run")
        return Run(_difference(after, before), wall, latencies, calls)

    def idle(self, seconds: float) -> float:
        """The share of one core that it takes while nothing happens."""
        before, began = self.cpu(), time.perf_counter()
        time.sleep(seconds)
        return sum(_difference(self.cpu(), before).values()) / (time.perf_counter() - began)

    def _seen(self, commit: str) -> float:
        at = self.hub.proxy.completed(commit, CHECKS, by_probot=self.is_probot, within=PATIENCE)
        if at is None:
            raise TimeoutError(f"no check runs on {commit} after {PATIENCE:.0f} s")
        return at

    def _send(
        self,
        waiting: queue.SimpleQueue[tuple[str, Delivery]],
        latencies: list[float],
        errors: list[BaseException],
    ) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            while not errors:
                commit, delivery = waiting.get_nowait()
                began = time.perf_counter()
                post(connection, self.server.path, delivery)
                latencies.append(self._seen(commit) - began)
        except queue.Empty:
            pass
        except BaseException as error:  # noqa: BLE001 (the main thread tells it)
            errors.append(error)
        finally:
            connection.close()


class Ours(Side):
    """The service, and its database as others see it."""

    def __init__(self, server: Server, hub: GitHub, url: str) -> None:
        super().__init__(server, hub)
        options = "-c log_statement=none"
        self.database = psycopg.connect(url, autocommit=True, options=options, application_name="bench")
        # Ours to ask with: what it takes is not the service's.
        self._own = frozenset({self.database.info.backend_pid})

    def cpu(self) -> Mapping[str, float]:
        """CPU seconds so far of the web, the worker and PostgreSQL with all its processes."""
        return cpu.seconds(self.server.pid, without=self._own)

    def drained(self) -> None:
        """Wait until no subject needs a look and no look is under way."""
        deadline = time.monotonic() + PATIENCE
        query = """
            SELECT (SELECT count(*) FROM subject WHERE wanted > done)
                 + (SELECT count(*) FROM procrastinate_jobs WHERE queue_name <> 'upkeep')
        """
        while self.database.execute(query).fetchone() != (0,):
            if time.monotonic() > deadline:
                raise SystemExit(f"subjects that still need a look after {PATIENCE:.0f} s")
            time.sleep(0.05)

    def register(self) -> None:
        """Let it know of the repositories and their pull requests, whose heads get their first check runs."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        post(connection, self.server.path, self.hub.installation())
        connection.close()
        for pull in self.hub.pulls:
            if self.hub.proxy.completed(pull.head, CHECKS, by_probot=False, within=PATIENCE) is None:
                raise SystemExit(f"not registered: no check runs on {pull.ref} of {pull.repository['name']}")
        self.drained()


def service_settings(folder: Path, hub: GitHub) -> dict[str, str]:
    """The environment in which the service runs: all in its defaults, but where GitHub is."""
    folder.chmod(0o711)  # as root, PostgreSQL runs as somebody else
    port = free_port()
    return environment() | {
        "GITHUB_APP_ID": str(hub.emulator.app_id),
        "GITHUB_APP_PRIVATE_KEY": hub.emulator.private_key,
        "GITHUB_WEBHOOK_SECRET": hub.emulator.webhook_secret,
        "MODE": "enforce",
        "GITHUB_API_URL": hub.api_url,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "DATA_DIR": str(folder / "data"),
    }


def post(connection: http.client.HTTPConnection, path: str, delivery: Delivery) -> None:
    """Deliver as GitHub would; an answer that is no success ends the run."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/d6e5ae1",
        "X-GitHub-Delivery": delivery.id,
        "X-GitHub-Event": delivery.event,
        "X-Hub-Signature-256": delivery.signature,
    }
    try:
        connection.request("POST", path, delivery.body, headers)
        answer = connection.getresponse()
    except (ConnectionError, http.client.HTTPException):
        # The server closes a connection that was idle for some seconds: that is not its fault.
        connection.close()
        connection.request("POST", path, delivery.body, headers)
        answer = connection.getresponse()
    said = answer.read()
    if answer.status not in (http.HTTPStatus.OK, http.HTTPStatus.ACCEPTED):
        raise RuntimeError(f"answered {answer.status}: {said[:300]!r}")


def _difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before.get(name, 0.0) for name in after}
