"""The whole thing for real: an emulated GitHub, the served service, and a gateway in each direction.

Over 300 lines: the parts are of no use without each other.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString, TypeVar, cast
from urllib.parse import quote

import httpx
import psycopg

from service.config.settings import load
from service.demo.charters import NUMBERS
from service.demo.emulator import PERMISSIONS, Emulator, free_port, token_of
from service.demo.person import CheckRun, Issue, Person, Pull
from service.rules.commands.parsing import PROPOSING
from service.rules.policy.model import POLICY_PATH, POLICY_REPOSITORY
from service.rules.values.actions import CHARTER_CHECK, STALL_LABEL
from service.rules.values.calendar import USUAL
from service.services import Services
from service.store import subjects
from service.store.database import transaction
from service.store.embedded import open_database
from service.store.subjects import SubjectState
from service.sweep import sweep
from service.wiring import build
from tests.harness.gateway import Call, Gateway, swallow
from tests.harness.issuer import Issuer
from tests.harness.processes import Serve, alive, children, inherited, kill, serving
from tests.harness.program import PROGRAM, ROOT, quick
from tests.harness.waiting import PATIENCE, eventually
from tests.harness.webhooks import PLAIN, deliver

T = TypeVar("T")

DELIVERIES = ROOT / "tests" / "e2e" / "deliveries"
PEOPLE = ("jane-doe", "alice-x", "alice-k", "bob-m", "carol-s", "dan-w")
SIGNERS = ("alice-k", "bob-m", "carol-s", "dan-w")
"""Who signs for what, in the order in which they are waited for."""
OUTSIDERS = ("stranger", "dependabot[bot]")
NOBODYS_ID = 583231
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def good_charter(**changes: str) -> str:
    """A charter without a finding; the keywords replace the values of its keys."""
    text = NUMBERS.format(ship_by=datetime.now(UTC).date() + timedelta(days=95))
    for key, value in changes.items():
        text, replaced = re.subn(rf"(?m)^(\s*){key}: .*$", rf"\g<1>{key}: {value}", text)
        if not replaced:
            text = text.replace("poc: 1\n", f"poc: 1\n{key}: {value}\n")
    return text


def recorded(name: str, values: Mapping[str, object]) -> bytes:
    """A recorded delivery with its placeholders filled; a value that is a placeholder keeps its type."""

    def fill(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: fill(value) for key, value in node.items()}
        if isinstance(node, list):
            return [fill(value) for value in node]
        if not isinstance(node, str):
            return node
        if whole := PLACEHOLDER.fullmatch(node):
            return values[whole[1]]
        return PLACEHOLDER.sub(lambda match: str(values[match[1]]), node)

    return json.dumps(fill(json.loads((DELIVERIES / f"{name}.json").read_text()))).encode()


WATCH = """
import http from 'node:http';
let underWay = 0;
const send = globalThis.fetch;
globalThis.fetch = (...what) => { underWay++; return send(...what).finally(() => underWay--); };
const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (name, request, response) {
  if (name !== 'request' || request.url !== '/_under_way') return emit.apply(this, arguments);
  response.end(String(underWay));
  return true;
};
"""
"""Runs in the emulator before it: it answers before its webhooks have arrived, and does not tell when."""


class WatchedEmulator(Emulator):
    """An emulator that says whether all of its webhooks have been answered."""

    def _spawn(self, folder: Path, log: Path) -> subprocess.Popen[bytes]:
        os.environ["NODE_OPTIONS"] = f"--import=data:text/javascript,{quote(WATCH)}"
        self._asking = httpx.Client(base_url=self.api_url, trust_env=False, verify=PLAIN)
        return super()._spawn(folder, log)

    def __exit__(self, *_: object) -> None:
        self._asking.close()
        super().__exit__()

    def all_told(self) -> bool:
        return self._asking.get("/_under_way").text == "0"


@dataclass(slots=True)
class Stage:
    """What a test plays on. GitHub's calls pass `api`, its webhooks pass `hooks`."""

    emulator: WatchedEmulator
    api: Gateway
    hooks: Gateway
    environment: dict[str, str]
    url: str
    log: Path
    installations: Mapping[str, int]
    serve: Serve
    database: psycopg.Connection[tuple[Any, ...]]
    services: Services
    """What a sweep from this process works with."""
    issuer: Issuer | None = None
    """Who signs the tokens of workflow runs, where the stage has one."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _people: dict[tuple[str, str], Person] = field(default_factory=dict)
    _accounts: dict[str, int] = field(default_factory=dict)
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def person(self, login: str = "jane-doe", org: str = "acme") -> Person:
        with self._alone:
            if (login, org) not in self._people:
                self._people[login, org] = Person(self.emulator.api_url, org, login, token_of(login))
            return self._people[login, org]

    def close(self) -> None:
        for person in self._people.values():
            person.close()

    def name(self, prefix: str = "poc-") -> str:
        return f"{prefix}{next(self._numbers)}-{uuid.uuid4().hex[:6]}"

    def poc(
        self,
        name: str | None = None,
        *,
        org: str = "acme",
        charter: str | None = None,
        signers: Sequence[str] = (),
    ) -> Repo:
        """A POC by its name that the service has registered; with signers its charter came by a pull request.

        While somebody has not signed it, the first of them has the ball; once all have, its owner.
        """
        repo = self.repository(name or self.name(), org=org)
        self.until(
            lambda: [c for c in repo.calls() if c.path.endswith("/pulls")], f"{repo.name} is registered"
        )
        if charter is not None:
            if signers:
                pull = repo.pull("charter", POC_md=charter)
                self.settle()
                repo.approve(pull, *signers)
                self.settle()
                repo.merge(pull)
            else:
                repo.commit("POC.md", charter)
            self.until(lambda: len(repo.reads_of_main()) > 1, "the charter was read from main")
        self.settle()
        return repo

    def repository(self, name: str, *, org: str = "acme", topics: Sequence[str] = ()) -> Repo:
        """A repository that the service was told of, whatever it makes of it."""
        person = self.person(org=org)
        created = person.create_repo(name, topics=topics)
        return Repo(self, org, name, created["id"], person)

    def govern(self, org: str, policy: str) -> None:
        """Put a policy in force for an organisation."""
        self.repository(POLICY_REPOSITORY, org=org).commit(POLICY_PATH, policy)
        good: LiteralString = "SELECT good_text FROM policy WHERE installation_id = %s"
        eventually(lambda: self.rows(good, self.installations[org]) == [(policy,)], "it holds")
        self.settle()

    def post(self, event: str, body: bytes, delivery: str | None = None) -> httpx.Response:
        """Deliver a webhook as GitHub would."""
        secret = self.emulator.webhook_secret
        return deliver(self.serve.url, event, body, secret=secret, delivery=delivery or "")

    def deliver(self, name: str, *, org: str = "acme", delivery: str | None = None, **values: object) -> None:
        """Fill a recorded delivery and post it; the names are `deliveries/EVENT.ACTION.json`."""
        common: dict[str, object] = {
            "installation_id": self.installations[org],
            "permissions": PERMISSIONS,
            "sender": "jane-doe",
            "sender_type": "User",
            "issue_author": "jane-doe",
            "issue_author_type": "User",
            "issue_body": "Who owns it.",
            "updated_at": stamp(),
            "suspended_at": stamp(),
        }
        common["sender_id"] = self._account_id(str(values.get("sender", common["sender"])))
        # What the emulator tells of is older than what is told of here.
        eventually(self.emulator.all_told, "the emulator has told all that it had to")
        answer = self.post(name.partition(".")[0], recorded(name, common | values), delivery)
        assert answer.status_code == 202, answer.text

    def _account_id(self, login: str) -> int:
        """The account's, as the emulator counts; of somebody whom it doesn't know any that nobody has."""
        if login not in self._accounts:
            answer = httpx.get(f"{self.emulator.api_url}/users/{login}", trust_env=False)
            self._accounts[login] = answer.json()["id"] if answer.is_success else NOBODYS_ID
        return self._accounts[login]

    def told(self, event: str, repo: Repo, action: str | None = None) -> list[Call]:
        """What the emulator delivered of that kind about a repository."""
        return [
            call
            for call in self.hooks.calls()
            if call.headers["x-github-event"] == event
            and call.json.get("repository", {}).get("id") == repo.id
            and (action is None or call.json["action"] == action)
        ]

    def health(self) -> dict[str, Any]:
        return self.serve.health()

    def metrics(self) -> str:
        return self.serve.metrics()

    def until(self, condition: Callable[[], T | None], what: str) -> T:
        """Wait for what follows from a call of the service, or from a webhook, or comes by itself."""
        try:
            return eventually(condition, what, news=lambda: (self.api.count(), self.hooks.count()))
        except AssertionError as error:
            told = [f"{call.headers['x-github-event']}: {call.status}" for call in self.hooks.calls()[-12:]]
            asked = [f"{call}: {call.status}" for call in self.api.calls()[-12:]]
            error.add_note("\n".join([*told, *asked, *self.serve.said.splitlines()[-40:]]))
            raise

    def next_second(self) -> None:
        """GitHub's clock has seconds: what is to be later than something has to wait for the next one."""
        second = int(time.time())
        eventually(lambda: time.time() >= second + 1, "the clock goes on")

    def news_about(self, repo: Repo) -> Callable[[], object]:
        """How many calls about a repository there were: where many wait, not each call is news to all."""
        place = f"/repos/{repo.full_name}/"
        seen = told = 0

        def news() -> int:
            nonlocal seen, told
            calls = self.api.calls_from(seen)
            seen += len(calls)
            told += sum(call.path.startswith(place) for call in calls)
            return told

        return news

    def wait_for_run(self, repo: Repo, sha: str, conclusion: str) -> CheckRun:
        """The newest check run on a commit that has several, once it says so."""
        self.until(lambda: [r for r in repo.runs(sha)[:1] if r.conclusion == conclusion], conclusion)
        return repo.runs(sha)[0]

    def settle(self, repo: Repo | None = None) -> None:
        """Wait until nothing told so far, of one repository or of all, needs a look any more."""
        keys = f"^[a-z_]+:{repo.id}(:|$)" if repo else ""
        dirty: LiteralString = "SELECT key, last_error FROM subject WHERE wanted > done AND key ~ %s"

        def settled() -> bool:
            # A look that has ended has told GitHub all that it had to, and GitHub tells us of that.
            return not self.rows(dirty, keys) and self.emulator.all_told() and not self.rows(dirty, keys)

        try:
            eventually(settled, f"all of {repo.name if repo else 'them'} had their look")
        except AssertionError as error:
            left = self.rows(dirty, keys)
            about = [*(key for key, _ in left), "warning", "error"]
            said = [line for line in self.serve.said.splitlines() if any(word in line for word in about)]
            error.add_note("\n".join([str(left), "The service said:", *said[-60:]]))
            raise

    def sweep(self, as_of: datetime | None) -> Sequence[SubjectState]:
        """What `poc-governor sweep` runs, without the seconds that a process takes to start."""
        return sweep(self.services, as_of=as_of, timeout=PATIENCE)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `poc-governor` beside the service."""
        return subprocess.Popen(
            [sys.executable, "-m", PROGRAM, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *arguments: str) -> str:
        """Run `poc-governor` and return what it prints."""
        with self.start(*arguments) as process:
            said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
        return said

    def kill_worker(self) -> None:
        """Kill the worker of the service, which starts another."""
        kill(self.serve.worker())

    def wake(self) -> None:
        """Wake at once what a killed worker left."""
        with transaction(self.services.engine) as session:
            subjects.wake_forgotten(session, untouched_for=timedelta())

    def rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """What the service's database answers."""
        return self.database.execute(query, values).fetchall()


@dataclass(slots=True)
class Repo:
    """A repository as its owner and the gateway see it."""

    stage: Stage
    org: str
    name: str
    id: int
    person: Person
    pushed: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.org}/{self.name}"

    @property
    def stub(self) -> dict[str, object]:
        node_id = f"R_kgDO{self.id}"
        return {
            "id": self.id,
            "node_id": node_id,
            "name": self.name,
            "full_name": self.full_name,
            "private": False,
        }

    def described(self, **changes: object) -> dict[str, Any]:
        """`repository` as it stands in GitHub's payloads."""
        return self.person.repo(self.name) | changes

    def calls(self) -> list[Call]:
        """Every call of the service about this repository."""
        places = (f"/repos/{self.full_name}", f"/repositories/{self.id}")
        return [
            call
            for call in self.stage.api.calls()
            if call.path in places or call.path.startswith(tuple(f"{place}/" for place in places))
        ]

    def writes(self) -> list[Call]:
        return [call for call in self.calls() if call.writes]

    def issue_writes(self) -> list[Call]:
        """All that was written but check runs, which every push to the default branch gets."""
        return [call for call in self.writes() if "/check-runs" not in call.path]

    def reads_of_main(self) -> list[Call]:
        """The reads of the charter on the default branch, by its name or by a commit pushed to it."""
        refs = ["main", *self.pushed]
        reads = [call for call in self.calls() if call.path.endswith("/contents/POC.md")]
        return [call for call in reads if call.query["ref"][0] in refs]

    def commit(self, path: str, content: str | bytes, branch: str | None = None) -> str:
        sha = self.person.write_file(self.name, path, content, branch=branch)
        if branch is None:
            self.pushed.append(sha)
        return sha

    def branch(self, name: str, *, base: str | None = None, **files: str | bytes | None) -> str:
        """A branch with files, named by keyword with `_` for the dot; None deletes one. Returns its head."""
        sha = self.person.create_branch(self.name, name, base)
        for keyword, content in files.items():
            path = keyword.replace("_", ".")
            if content is None:
                sha = self.person.delete_file(self.name, path, branch=name)
            else:
                sha = self.commit(path, content, name)
        return sha

    def pull(
        self, branch: str, *, onto: str | None = None, base: str | None = None, **files: str | bytes | None
    ) -> Pull:
        """A branch off `onto` with files, and a pull request to `base`."""
        self.branch(branch, base=onto, **files)
        return self.person.open_pull(self.name, branch, f"Bring {branch}", base=base)

    def approve(self, pull: Pull, *people: str) -> None:
        for login in people:
            self.stage.person(login, self.org).review(self.name, pull.number)

    def merge(self, pull: Pull) -> str:
        """Merge, and tell of the push, which the emulator does not."""
        before = self.person.head(self.name)
        sha = self.person.merge_pull(self.name, pull.number)
        self.pushed.append(sha)
        files = ["POC.md", "eval/metrics.json"]
        self.deliver(
            "push",
            branch="main",
            before=before,
            after=sha,
            commits=[{"id": sha, "added": [], "removed": [], "modified": files}],
            repository=self.described(pushed_at=int(datetime.now(UTC).timestamp())),
        )
        self.stage.settle()
        return sha

    def say(self, number: int, text: str, login: str = "jane-doe") -> None:
        """Comment on an issue, and send what GitHub would: the emulator's payload does not say so."""
        comment = self.stage.person(login, self.org).comment(self.name, number, text)
        issue = self.person.call("GET", f"/repos/{self.full_name}/issues/{number}")
        self.deliver(
            "issue_comment.created-issue",
            number=number,
            issue_author=issue["user"]["login"],
            issue_author_type=issue["user"]["type"],
            issue_body=issue["body"],
            comment_id=comment["id"],
            body=text,
            sender=login,
            updated_at=stamp(),
        )
        self.stage.settle()

    def runs(self, sha: str) -> list[CheckRun]:
        return self.person.check_runs(self.name, sha, name=CHARTER_CHECK)

    def expect(self, sha: str, conclusion: str) -> CheckRun:
        """The one check run on a commit, once it is there."""
        runs = self.stage.until(lambda: self.runs(sha), f"{self.name} has a check run on {sha[:7]}")
        assert [run.conclusion for run in runs] == [conclusion], runs[0].summary
        assert runs[0].status == "completed"
        # A ship gate is posted right after it, and would be taken for what comes next.
        self.stage.settle(self)
        return runs[0]

    def synchronize(self, pull: Pull, sha: str, *, before: str, **values: object) -> None:
        """Tell that a pull request's head moved: what the emulator never sends."""
        self.deliver("pull_request.synchronize", **self.pull_values(pull, sha) | {"before": before} | values)

    def pull_values(self, pull: Pull, sha: str | None = None, base: str = "main") -> dict[str, object]:
        return {
            "number": pull.number,
            "state": pull.state,
            "head_sha": sha or pull.head_sha,
            "head_ref": pull.head_ref,
            "base_ref": base,
            "base_sha": self.person.head(self.name, base),
            "author": "jane-doe",
            "author_type": "User",
            "updated_at": stamp(seconds=1),
        }

    def deliver(self, name: str, **values: object) -> None:
        shown: dict[str, object] = {"repository": self.described(), "full_name": self.full_name}
        self.stage.deliver(name, org=self.org, **cast("dict[str, Any]", shown | values))

    def issues(self) -> list[Issue]:
        return self.person.issues(self.name, label=STALL_LABEL)

    @contextmanager
    def told_nothing(self) -> Iterator[None]:
        """The webhooks about it get lost."""
        about = f'"full_name":"{self.full_name}"'.encode()
        rule = self.stage.hooks.fail("POST", "", swallow, body=about, times=1000)
        yield
        eventually(self.stage.emulator.all_told, "the emulator has told all that it had to")
        assert rule.left < 1000
        rule.left = 0

    def retire(self) -> None:
        """Take the repository out of every later sweep."""
        self.person.edit_repo(self.name, archived=True)
        self.deliver("repository.archived", repository=self.described(updated_at=stamp(seconds=5)))
        self.stage.settle()


def stamp(*, seconds: int = 0) -> str:
    """Now, or a little later, as GitHub writes it: it knows no fractions of a second."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def later(working_days: int) -> datetime:
    """The morning of the day by which so many working days have passed."""
    return morning(USUAL.add_working_days(datetime.now(UTC).date(), working_days))


@contextmanager
def open_stage(
    folder: Path,
    *,
    orgs: Sequence[str] = (),
    mode: str = "enforce",
    hidden: Sequence[str] = (),
    granting: Sequence[str] = (),
    issuer: Issuer | None = None,
    evidence_level: str = "self-reported",
) -> Iterator[Stage]:
    """Start everything; `orgs` have an installation each beside `acme`, of `hidden` no webhook arrives.

    Those that are `granting` let us open pull requests, which the app does not ask for.
    With an `issuer` of tokens, workflow runs can send numbers.
    """
    folder.mkdir()
    folder.chmod(0o711)  # as root, PostgreSQL runs as somebody else
    temporary = folder / "temporary"
    temporary.mkdir()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        hooks = stack.enter_context(Gateway(address, rename=False))
        for org in hidden:
            marker = f'"login":"{org}"'.encode()
            hooks.fail("POST", "", swallow, times=10_000, body=marker)
        emulator = WatchedEmulator(
            users=PEOPLE, outsiders=OUTSIDERS, webhook_url=f"http://localhost:{hooks.port}/webhooks/github"
        )
        installations = _more_orgs(emulator, orgs, granting)
        stack.enter_context(emulator)
        api = stack.enter_context(Gateway(emulator.api_url, rename=True))
        environment = inherited() | {
            "GITHUB_APP_ID": str(emulator.app_id),
            "GITHUB_APP_PRIVATE_KEY": emulator.private_key,
            "GITHUB_WEBHOOK_SECRET": emulator.webhook_secret,
            "GITHUB_API_URL": api.url,
            # A name that the gateway does not rename: what was posted is to come back as it was.
            "GITHUB_URL": "https://github.acme.dev",
            "PUBLIC_URL": address,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DATABASE_URL": "",
            "DATA_DIR": str(folder / "data"),
            "TMPDIR": str(temporary),
            "MODE": mode,
        }
        if issuer is not None:
            environment |= {"EVIDENCE_LEVEL": evidence_level, "OIDC_ISSUER": issuer.url}
        log = folder / "service.log"
        serve = stack.enter_context(serving(log, environment, program=PROGRAM, port=port))
        # Its parts end with it, also then; that all of it ends in order is told in tests/durability.
        stack.callback(_end, serve)
        try:
            eventually(lambda: serve.health()["workers"], "a worker works")
        except AssertionError as error:
            error.add_note(f"It said:\n{serve.said[-3000:]}")
            raise
        settings = load(environment)
        database_url = stack.enter_context(open_database(settings.data_dir, "sweep"))
        database = stack.enter_context(psycopg.connect(database_url, autocommit=True))
        # Nobody kills this PostgreSQL: that is done in tests/durability.
        database.execute("ALTER SYSTEM SET fsync = off")
        database.execute("SELECT pg_reload_conf()")
        services = build(settings, database_url, waits=quick(environment))
        stack.callback(services.engine.dispose)
        stage = Stage(
            emulator, api, hooks, environment, address, log, installations, serve, database, services, issuer
        )
        stack.callback(stage.close)
        yield stage


def _end(serve: Serve) -> None:
    parts = children(serve.pid, "")
    serve.kill()
    eventually(lambda: not any(map(alive, parts)), "its parts have ended with it")


def _more_orgs(emulator: Emulator, orgs: Sequence[str], granting: Sequence[str]) -> dict[str, int]:
    """Install the app on more organisations than the one that the emulator's seed has."""
    github = cast("dict[str, list[dict[str, Any]]]", emulator._seed["github"])
    installations = {emulator.org: emulator.installation_id}
    for org in orgs:
        installations[org] = emulator.installation_id + len(installations)
        members = github["orgs"][0]["members"]
        github["orgs"].append({"login": org, "members": members})
        granted = PERMISSIONS | (PROPOSING if org in granting else {})
        installed = {"installation_id": installations[org], "account": org, "permissions": granted}
        github["apps"][0]["installations"].append(installed)
    return installations
