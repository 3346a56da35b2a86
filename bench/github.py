"""An emulated GitHub with POCs on it, whose pull requests move; its calls pass a proxy that notes them."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bench.payloads import ORG, Delivery, installed, signed, synchronize
from bench.proxy import Proxy
from service.demo.charters import NUMBERS
from service.demo.emulator import PERMISSIONS, Emulator, free_port, token_of
from service.demo.person import Person

PEOPLE = ("jane-doe", "alice-k", "bob-m", "carol-s", "dan-w")
WRITERS = tuple(f"writer-{number}" for number in range(20))
READERS = tuple(f"reader-{number}" for number in range(20))
"""Many of each, for the emulator answers one token 5000 times an hour."""
SHIPS_IN = timedelta(days=95)


@dataclass(slots=True)
class Branch:
    """A pull request and where its branch points."""

    repository: Mapping[str, Any]
    base_sha: str
    number: int
    ref: str
    head: str
    before: str = ""

    def moved(self, installation: int, moment: str) -> bytes:
        """What GitHub would say about its newest commit, which the emulator does not."""
        return synchronize(
            self.repository,
            installation,
            number=self.number,
            ref=self.ref,
            base_sha=self.base_sha,
            before=self.before,
            head=self.head,
            moment=moment,
        )


@dataclass(slots=True)
class GitHub:
    """What both servers act on."""

    emulator: Emulator
    proxy: Proxy
    api_url: str
    repositories: list[Mapping[str, Any]] = field(default_factory=list)
    pulls: list[Branch] = field(default_factory=list)
    _moves: int = 0

    def found(self, repositories: int, pulls: int) -> None:
        """Make POCs with a complete charter on `main`, and open pull requests in each."""
        with self._person("jane-doe") as jane:
            for number in range(repositories):
                repository = jane.create_repo(f"triage-{number:02}-poc")
                name = repository["name"]
                ship_by = datetime.now(UTC).date() + SHIPS_IN
                base = jane.write_file(name, "POC.md", NUMBERS.format(ship_by=ship_by))
                for index in range(pulls):
                    ref = f"work-{index:03}"
                    jane.call("POST", f"{_path(name)}/git/refs", {"ref": f"refs/heads/{ref}", "sha": base})
                    head = _commit(jane, name, ref, "start.py")
                    opened = jane.open_pull(name, ref, "Move the retry behind the queue", base="main")
                    self.pulls.append(Branch(repository, base, opened.number, ref, head))
                self.repositories.append(jane.repo(name))
        described = {repository["id"]: repository for repository in self.repositories}
        for pull in self.pulls:
            pull.repository = described[pull.repository["id"]]
        # One of each repository after the other, as they come in an organisation.
        self.pulls.sort(key=lambda pull: pull.number)

    def installation(self) -> Delivery:
        """The delivery that makes all of this known."""
        body = installed(self.repositories, self.emulator.installation_id, PERMISSIONS)
        return signed("installation", body, self.emulator.webhook_secret)

    def move(self, count: int) -> dict[str, bytes]:
        """Push a commit to the branches of so many pull requests; the payloads by their commits."""
        self._moves += 1
        moment = (datetime.now(UTC) + timedelta(seconds=self._moves)).strftime("%Y-%m-%dT%H:%M:%SZ")
        bodies = {}
        with self._person(WRITERS[self._moves % len(WRITERS)]) as writer:
            for pull in self.pulls[:count]:
                name = pull.repository["name"]
                pull.before = pull.head
                pull.head = _commit(writer, name, pull.ref, f"step-{self._moves}.py")
                assert pull.head not in bodies
                bodies[pull.head] = pull.moved(self.emulator.installation_id, moment)
        return bodies

    def completed(self, commits: Collection[str], names: Collection[str]) -> bool:
        """Whether each commit has a completed check run of each name, asked of the emulator itself."""
        with self._person(READERS[self._moves % len(READERS)]) as reader:
            for pull in self.pulls:
                if pull.head not in commits:
                    continue
                runs = reader.check_runs(pull.repository["name"], pull.head)
                if not set(names) <= {run.name for run in runs if run.status == "completed"}:
                    return False
        return True

    def sign(self, body: bytes) -> Delivery:
        """A delivery of a pull request's payload."""
        return signed("pull_request", body, self.emulator.webhook_secret)

    def _person(self, login: str) -> Person:
        # Past the proxy: what people do is nobody's call.
        return Person(f"http://localhost:{self.emulator.port}", ORG, login, token_of(login))


@contextmanager
def github() -> Iterator[GitHub]:
    """Run the emulator, which sends nothing by itself, and the proxy before it."""
    with ExitStack() as stack:
        emulator = Emulator(org=ORG, users=(*PEOPLE, *WRITERS, *READERS))
        seed = cast("dict[str, list[dict[str, Any]]]", emulator._seed["github"])  # noqa: SLF001
        seed["apps"][0]["installations"][0]["permissions"] = PERMISSIONS
        port = free_port()
        # All URLs that it gives name the proxy.
        emulator.api_url = f"http://localhost:{port}"
        os.environ["EMULATE_BASE_URL"] = emulator.api_url
        stack.callback(os.environ.pop, "EMULATE_BASE_URL")
        stack.enter_context(emulator)
        proxy = stack.enter_context(Proxy(port, emulator.port))
        yield GitHub(emulator, proxy, emulator.api_url)


def _commit(person: Person, repository: str, ref: str, path: str) -> str:
    """A commit of one new file in one call; `Person.write_file` asks first whether it is new."""
    # The emulator names commits by what is in them, so no two may hold the same.
    content = base64.b64encode(f"x = '{uuid.uuid4()}'\n".encode()).decode()
    body = {"message": f"Write {path}", "content": content, "branch": ref}
    sha: str = person.call("PUT", f"{_path(repository)}/contents/{path}", body)["commit"]["sha"]
    return sha


def _path(repository: str) -> str:
    return f"/repos/{ORG}/{repository}"
