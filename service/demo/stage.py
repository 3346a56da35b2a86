"""Where the story is played: an emulated GitHub, and the service that runs beside it.

What the app wrote is shown as a page: the emulated GitHub has none of its own.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import httpx
from markupsafe import Markup

from service.demo.emulator import Emulator, free_port
from service.demo.person import CheckRun, Issue, Person
from service.parent import SUPERVISED
from service.rules.values.actions import STALL_LABEL
from service.web.docs import MARKDOWN
from service.web.html import render

T = TypeVar("T")

ORG, OWNER = "acme", "jane-doe"
PEOPLE = (OWNER, "alice-k", "bob-m", "carol-s", "dan-w")
PATIENCE = 60.0


class StoryError(Exception):
    """A step of the story did not come true."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The emulated GitHub and the running service."""

    emulator: Emulator
    environment: dict[str, str]
    service_url: str
    person: Person


def wait(condition: Callable[[], T | None], what: str) -> T:
    """Ask until the answer is true, and return it; raises `StoryError` when patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise StoryError(f"after {PATIENCE:.0f} seconds it is not so that {what}")
        time.sleep(0.1)
    return found


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start an emulated GitHub and the service, and end both with the block."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with (
        tempfile.TemporaryDirectory(prefix="poc-governor-demo-") as folder,
        Emulator(org=ORG, users=PEOPLE, webhook_url=f"{address}/webhooks/github") as emulator,
        emulator.person(OWNER) as person,
    ):
        Path(folder).chmod(0o711)  # as root, PostgreSQL runs as somebody else
        environment = os.environ | {
            "GITHUB_APP_ID": str(emulator.app_id),
            "GITHUB_APP_PRIVATE_KEY": emulator.private_key,
            "GITHUB_WEBHOOK_SECRET": emulator.webhook_secret,
            "GITHUB_API_URL": emulator.api_url,
            "GITHUB_URL": emulator.api_url,
            "PUBLIC_URL": address,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DATABASE_URL": "",
            "DATA_DIR": str(Path(folder) / "data"),
            "MODE": "enforce",
        }
        log = Path(folder) / "service.log"
        with _service(environment, log):
            _wait_until_ready(address, log)
            yield Stage(emulator, environment, address, person)


@contextmanager
def _service(environment: dict[str, str], log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "service.cli.app", "serve"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (our own command line)
            command,
            env=environment | {SUPERVISED: "1"},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def _wait_until_ready(address: str, log: Path) -> None:
    def ready() -> bool:
        try:
            return httpx.get(f"{address}/readyz", trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    try:
        wait(ready, "the service is ready")
    except StoryError as error:
        raise StoryError(f"the service does not start. It said:\n{log.read_text()[-3000:]}") from error


TITLE = "What POC Governor wrote on GitHub"
ABOUT = "The checks, the issue and the comments of the story, in its order, as GitHub would show them."


def quote(title: str, text: str) -> str:
    """A quote without hidden markers, and without links: they lead to addresses of the emulated GitHub."""
    shown = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL).strip()
    shown = re.sub(r"\[([^\]]+)\]\(http[^)]*\)", r"\1", shown)
    return "".join(f"> {line}".rstrip() + "\n" for line in [title, "", *shown.splitlines()])


def quoted_run(run: CheckRun) -> str:
    """A check run with its summary."""
    return quote(f"**{run.name}** · {(run.conclusion or '').replace('_', ' ')} · {run.title}", run.summary)


def quoted_issue(issue: Issue) -> str:
    """The issue as it is now."""
    return quote(f"**#{issue.number}** · {issue.title}", issue.body)


def story(stage: Stage, repository: str) -> str:
    """Everything that was written, as Markdown."""
    person = stage.person
    pulls = person.call("GET", f"/repos/{ORG}/{repository}/pulls", state="all", per_page=100)
    parts = [f"# {TITLE}\n\n{ABOUT}\n"]
    for number, title, sha in sorted((each["number"], each["title"], each["head"]["sha"]) for each in pulls):
        parts.append(f"## Pull request #{number}: {title}\n")
        parts += [quoted_run(run) for run in reversed(person.check_runs(repository, sha))]
        parts += [quote("**Comment**", text) for text in person.comments(repository, number)]
    for issue in person.issues(repository, label=STALL_LABEL):
        parts += [f"## The issue, which is {issue.state} now\n", quoted_issue(issue)]
        parts += [quote("**Comment**", text) for text in person.comments(repository, issue.number)]
    return "\n".join(parts)


def page(stage: Stage, repository: str) -> bytes:
    """The same as a page in the service's style, whose links lead to the service."""
    body = Markup(MARKDOWN.render(story(stage, repository)))  # noqa: S704 - HTML in it is escaped
    html = render("docs.html", title=TITLE, body=body)
    return re.sub(r'(href|action)="/', rf'\1="{stage.service_url}/', html).encode()


@contextmanager
def shown(written: Callable[[], bytes]) -> Iterator[str]:
    """The page at an address of this machine, as it is at each look, until the block ends."""

    class Shows(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/"
            html = written() if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(html)))
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *_: object) -> None:
            """Nothing: the story is told in the same terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Shows) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
