"""A GitHub on this machine: npm `emulate`, with one organisation and our App installed on it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from service.demo.node import EmulatorError, find_node, install
from service.demo.person import Person
from service.github_client.app import NEEDS

PERMISSIONS = NEEDS | {"merge_queues": "read", "statuses": "write"}
"""What app-manifest.yml asks for: GitHub wants more for some events and rulesets than our calls need."""
EVENTS = (
    "check_run",
    "check_suite",
    "custom_property_values",
    "deployment_protection_rule",
    "deployment_status",
    "issue_comment",
    "issues",
    "merge_group",
    "pull_request",
    "pull_request_review",
    "push",
    "repository",
)
MISTOLD = "issue_comment"
"""Its payload does not say that a comment stands on a pull request, so it is not subscribed to: who lets
somebody comment sends what GitHub would (`comment_payload`)."""

# The emulator takes an unknown token for its first user, who therefore is someone without any rights.
_NOBODY = "nobody"
# Ends the emulator with the process that holds the other end of its stdin, however that process ends.
_DIE_WITH_PARENT = "data:text/javascript,process.stdin.on('close',()=>process.exit()).resume()"
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class SeedRepo:
    """A repository that exists from the start, with a README.md unless `auto_init` is off."""

    name: str
    topics: tuple[str, ...] = ()
    private: bool = False
    default_branch: str = "main"
    auto_init: bool = True


@dataclass(frozen=True, slots=True)
class SeedApp:
    """Our App as registered on the emulator, and its one installation."""

    private_key: str
    webhook_url: str | None
    webhook_secret: str
    app_id: int = 4711
    installation_id: int = 8150
    slug: str = "poc-governor"
    client_id: str = "Iv23liPocGovernor"
    client_secret: str = "a secret for this machine only"  # noqa: S105 - guards nothing but the emulator
    callback_urls: tuple[str, ...] = ()
    """Where a login may lead back to."""


def build_seed(
    app: SeedApp,
    *,
    org: str,
    users: Sequence[str],
    outsiders: Sequence[str] = (),
    repos: Sequence[SeedRepo] = (),
    permissions: dict[str, str] | None = None,
) -> dict[str, object]:
    """The emulator's seed: `users` are admins of the org, `outsiders` exist but are not members."""
    people = [*users, *outsiders]
    return {
        "tokens": {token_of(login): {"login": login} for login in people},
        "github": {
            "users": [{"login": login} for login in (_NOBODY, *people)],
            # Only an admin may write contents there: the emulator has no write role for members.
            "orgs": [{"login": org, "members": [{"login": login, "role": "admin"} for login in users]}],
            "repos": [
                {
                    "owner": org,
                    "name": repo.name,
                    "topics": list(repo.topics),
                    "private": repo.private,
                    "default_branch": repo.default_branch,
                    "auto_init": repo.auto_init,
                }
                for repo in repos
            ],
            "apps": [
                {
                    "app_id": app.app_id,
                    "slug": app.slug,
                    "name": "POC Governor",
                    "private_key": app.private_key,
                    "permissions": PERMISSIONS if permissions is None else permissions,
                    "events": [event for event in EVENTS if event != MISTOLD],
                    "webhook_secret": app.webhook_secret,
                    "installations": [{"installation_id": app.installation_id, "account": org}],
                    **({"webhook_url": app.webhook_url} if app.webhook_url else {}),
                }
            ],
            "oauth_apps": [
                {
                    "client_id": app.client_id,
                    "client_secret": app.client_secret,
                    "name": "POC Governor",
                    "redirect_uris": list(app.callback_urls),
                }
            ],
        },
    }


class Emulator:
    """Runs the emulator while the `with` block lasts; its state is in memory and ends with it."""

    def __init__(
        self,
        *,
        org: str = "acme",
        users: Sequence[str] = ("jane-doe",),
        outsiders: Sequence[str] = (),
        repos: Sequence[SeedRepo] = (),
        webhook_url: str | None = None,
        webhook_secret: str = "a secret for this machine only",  # noqa: S107 - guards nothing but the emulator
        permissions: dict[str, str] | None = None,
        callback_urls: Sequence[str] = (),
        port: int = 0,
    ) -> None:
        self.org, self.users = org, tuple(users)
        self.port = port or free_port()
        # Not 127.0.0.1: every URL that it answers with says localhost, and PyGithub insists on one host.
        self.api_url = f"http://localhost:{self.port}"
        self.private_key = generate_private_key()
        app = SeedApp(self.private_key, webhook_url, webhook_secret, callback_urls=tuple(callback_urls))
        self.app_id, self.installation_id = app.app_id, app.installation_id
        self.client_id, self.client_secret = app.client_id, app.client_secret
        self.webhook_secret = webhook_secret
        self._seed = build_seed(
            app, org=org, users=users, outsiders=outsiders, repos=repos, permissions=permissions
        )
        self._cleanup = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="poc-governor-emulator-")))
            (folder / "seed.json").write_text(json.dumps(self._seed), encoding="utf-8")
            log = folder / "emulator.log"
            self._process = stack.enter_context(self._spawn(folder, log))
            stack.callback(_stop, self._process)
            self._wait_until_ready(self._process, log)
            self._cleanup = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def person(self, login: str) -> Person:
        """A client that acts as this user of the seed."""
        return Person(self.api_url, self.org, login, token_of(login))

    def minted_tokens(self) -> list[dict[str, object]]:
        """Each installation token minted so far, with its permissions, oldest first."""
        answer = httpx.get(f"{self.api_url}/_emulate/installation-tokens", trust_env=False)
        tokens: list[dict[str, object]] = answer.raise_for_status().json()["installation_tokens"]
        return tokens

    def _spawn(self, folder: Path, log: Path) -> subprocess.Popen[bytes]:
        node = find_node()
        script = install(node=node)
        start = ["start", "--service", "github", "--seed", "seed.json", "--port", str(self.port)]
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - our own command line
                [str(node.program), "--import", _DIE_WITH_PARENT, str(script), *start],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal goes to the whole group; the emulator must outlive our own shutdown.
                start_new_session=True,
                env={**os.environ, "NO_COLOR": "1"},
            )

    def _wait_until_ready(self, process: subprocess.Popen[bytes], log: Path) -> None:
        deadline = time.monotonic() + _PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            # Its own word, not an answer over HTTP: somebody else might have that port.
            if self.api_url in log.read_text(encoding="utf-8", errors="replace"):
                return
            time.sleep(0.02)
        said = log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
        ended = process.poll()
        what = f"ended with exit code {ended}" if ended is not None else f"was silent for {_PATIENCE:.0f} s"
        raise EmulatorError(
            f"The GitHub emulator on port {self.port} {what}. It said:\n{said or '(nothing)'}"
        )


def comment_payload(
    comment: Mapping[str, object], repository: Mapping[str, object], number: int, installation_id: int
) -> dict[str, object]:
    """What GitHub sends about a comment on a pull request, as far as anybody reads it."""
    return {
        "action": "created",
        "issue": {
            "id": number,
            "number": number,
            "updated_at": comment["created_at"],
            "pull_request": {"url": f"{repository['url']}/pulls/{number}"},
        },
        "comment": comment,
        "repository": repository,
        "sender": comment["user"],
        "installation": {"id": installation_id},
    }


def token_of(login: str) -> str:
    """The personal token of a user of the seed."""
    return f"person-{login}"


def generate_private_key() -> str:
    """A fresh RSA key as PEM text, of the kind that GitHub hands out to Apps."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return pem.decode("ascii")


def free_port() -> int:
    """A TCP port of this machine that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
