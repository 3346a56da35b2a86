"""The whole thing for real: an emulated GitHub, the served service, and a gateway in each direction."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString, TypeVar, cast

import httpx
import psycopg

from service.demo.charters import NUMBERS
from service.demo.emulator import PERMISSIONS, Emulator, free_port, token_of
from service.demo.person import CheckRun, Issue, Person, Pull
from service.rules.commands.charter_changes import PROPOSING
from service.rules.policy.model import POLICY_PATH, POLICY_REPOSITORY
from service.rules.values.actions import CHARTER_CHECK, GATE_CHECK, STALL_LABEL
from service.rules.values.calendar import USUAL
from service.settings import load
from service.store import subjects
from service.store.database import transaction
from service.store.embedded import open_database
from service.store.subjects import SubjectState
from service.sweep import sweep
from service.wiring import build
from tests.e2e.gateway import Call, Gateway, swallow
from tests.evidence_api.issuer import Issuer

T = TypeVar("T")

PATIENCE = 60.0
DELIVERIES = Path(__file__).parent / "deliveries"
PEOPLE = ("jane-doe", "alice-x", "alice-k", "bob-m", "carol-s", "dan-w")
SIGNERS = ("alice-k", "bob-m", "carol-s", "dan-w")
"""Who signs for what, in the order in which they are waited for."""
OUTSIDERS = ("stranger", "dependabot[bot]")
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def good_charter(**changes: str) -> str:
    """A charter without a finding; the keywords replace the values of its keys."""
    text = NUMBERS.format(ship_by=datetime.now(UTC).date() + timedelta(days=95))
    for key, value in changes.items():
        text, replaced = re.subn(rf"(?m)^(\s*){key}: .*$", rf"\g<1>{key}: {value}", text)
        if not replaced:
            text = text.replace("poc: 1\n", f"poc: 1\n{key}: {value}\n")
    return text


def eventually(
    condition: Callable[[], T | None], what: str, patience: float = PATIENCE, *, every: float = 0.03
) -> T:
    """Ask until the answer is true, and return it; the emulator answers one person 5000 times an hour."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {patience:.0f} seconds it is not so that {what}")
        time.sleep(every)
    return found


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


def delivery_id() -> str:
    return str(uuid.uuid4())


@dataclass(slots=True)
class Stage:
    """What a test plays on. GitHub's calls pass `api`, its webhooks pass `hooks`."""

    emulator: Emulator
    api: Gateway
    hooks: Gateway
    environment: dict[str, str]
    url: str
    log: Path
    people: ExitStack
    installations: Mapping[str, int]
    serving: subprocess.Popen[bytes]
    issuer: Issuer | None = None
    """Who signs the tokens of workflow runs, where the stage has one."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def person(self, login: str = "jane-doe", org: str = "acme") -> Person:
        person = Person(self.emulator.api_url, org, login, token_of(login))
        return self.people.enter_context(person)

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
        eventually(
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
            eventually(lambda: len(repo.reads_of_main()) > 1, "the charter was read from main")
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
        eventually(lambda: self.rows(good, self.installations[org]) == [(policy,)], "it holds", every=0.2)
        self.settle()

    def post(self, event: str, body: bytes, delivery: str | None = None) -> httpx.Response:
        """Deliver a webhook as GitHub would."""
        signature = hmac.new(self.emulator.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Delivery": delivery or delivery_id(),
            "X-GitHub-Event": event,
            "X-GitHub-Hook-ID": "501928374",
            "X-GitHub-Hook-Installation-Target-ID": str(self.emulator.app_id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        return httpx.post(f"{self.url}/webhooks/github", content=body, headers=headers, trust_env=False)

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
        answer = self.post(name.partition(".")[0], recorded(name, common | values), delivery)
        assert answer.status_code == 202, answer.text

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
        answer = httpx.get(f"{self.url}/readyz", trust_env=False)
        health: dict[str, Any] = answer.raise_for_status().json()
        return health

    def metrics(self) -> str:
        return httpx.get(f"{self.url}/metrics", trust_env=False).raise_for_status().text

    def until(self, condition: Callable[[], object], what: str) -> None:
        eventually(lambda: bool(condition()), what)

    def until_is(self, condition: Callable[[], T | None], what: str) -> T:
        return eventually(condition, what)

    def wait_for_run(self, repo: Repo, sha: str, conclusion: str) -> CheckRun:
        """The newest check run on a commit that has several, once it says so."""
        self.until(lambda: [r for r in repo.runs(sha)[:1] if r.conclusion == conclusion], conclusion)
        return repo.runs(sha)[0]

    def settle(self, repo: Repo | None = None) -> None:
        """Wait until nothing delivered so far, of one repository or of all, needs a look any more."""
        if repo is None:
            eventually(lambda: self.health()["dirty"] == 0, "every subject had its look")
            return
        dirty: LiteralString = "SELECT key, last_error FROM subject WHERE wanted > done AND key ~ %s"
        of_repo = f"^[a-z_]+:{repo.id}(:|$)"
        eventually(lambda: not self.rows(dirty, of_repo), f"all of {repo.name} had its look", every=0.2)

    def sweep(self, as_of: datetime | None) -> Sequence[SubjectState]:
        """What `poc-governor sweep` runs, without the seconds that a process takes to start."""
        settings = load(self.environment)
        with open_database(settings.data_dir, "sweep") as url:
            services = build(settings, url)
            try:
                return sweep(services, as_of=as_of, timeout=PATIENCE)
            finally:
                services.engine.dispose()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `poc-governor` beside the service."""
        return subprocess.Popen(
            [sys.executable, "-m", "service.cli.app", *arguments],
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
        (worker,) = eventually(self._workers, "there is a worker")
        os.kill(worker, signal.SIGKILL)

    def _workers(self) -> list[int]:
        listed = ["ps", "-o", "pid=,args=", "--ppid", str(self.serving.pid)]
        children = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()
        return [int(child.split()[0]) for child in children if child.endswith("service.cli.app work")]

    def wake(self) -> None:
        """Wake at once what a killed worker left, which the service does by itself within two minutes."""
        settings = load(self.environment)
        with open_database(settings.data_dir, "sweep") as url:
            services = build(settings, url)
            try:
                with transaction(services.engine) as session:
                    subjects.wake_forgotten(session, untouched_for=timedelta())
            finally:
                services.engine.dispose()

    def rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """What the service's database answers."""
        settings = load(self.environment)
        with open_database(settings.data_dir, "sweep") as url, psycopg.connect(url) as connection:
            return connection.execute(query, values).fetchall()


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
        runs = eventually(lambda: self.runs(sha), f"{self.name} has a check run on {sha[:7]}")
        assert [run.conclusion for run in runs] == [conclusion], runs[0].summary
        assert runs[0].status == "completed"
        # The ship gate is posted right after it, and would be taken for what comes next.
        eventually(lambda: self.person.check_runs(self.name, sha, name=GATE_CHECK), f"{GATE_CHECK} is there")
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
) -> Iterator[Stage]:
    """Start everything; `orgs` have an installation each beside `acme`, of `hidden` no webhook arrives.

    Those that are `granting` let us open pull requests, which the app does not ask for.
    With an `issuer` of tokens, only the numbers count that workflow runs send.
    """
    folder.mkdir()
    folder.chmod(0o711)  # as root, PostgreSQL runs as somebody else
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        hooks = stack.enter_context(Gateway(address, rename=False))
        for org in hidden:
            marker = f'"login":"{org}"'.encode()
            hooks.fail("POST", "", swallow, times=10_000, body=marker)
        emulator = Emulator(
            users=PEOPLE, outsiders=OUTSIDERS, webhook_url=f"http://localhost:{hooks.port}/webhooks/github"
        )
        installations = _more_orgs(emulator, orgs, granting)
        stack.enter_context(emulator)
        api = stack.enter_context(Gateway(emulator.api_url, rename=True))
        environment = os.environ | {
            "GITHUB_APP_ID": str(emulator.app_id),
            "GITHUB_APP_PRIVATE_KEY": emulator.private_key,
            "GITHUB_WEBHOOK_SECRET": emulator.webhook_secret,
            "GITHUB_API_URL": api.url,
            # A name that the gateway does not rename: what was posted is to come back as it was.
            "GITHUB_URL": "https://github.example.com",
            "PUBLIC_URL": address,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DATABASE_URL": "",
            "DATA_DIR": str(folder / "data"),
            "MODE": mode,
        }
        if issuer is not None:
            environment |= {"EVIDENCE_LEVEL": "measured", "OIDC_ISSUER": issuer.url}
        people = stack.enter_context(ExitStack())
        log = folder / "service.log"
        serving = stack.enter_context(_served(environment, log))
        stage = Stage(emulator, api, hooks, environment, address, log, people, installations, serving, issuer)
        try:
            eventually(lambda: _ready(stage), "the service is ready")
        except AssertionError as error:
            error.add_note(f"It said:\n{log.read_text()[-3000:]}")
            raise
        yield stage


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


@contextmanager
def _served(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli.app", "serve"],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(stage: Stage) -> bool:
    """Whether deliveries are stored, and a worker is there for them."""
    try:
        return bool(stage.health()["workers"])
    except httpx.HTTPError:
        return False
