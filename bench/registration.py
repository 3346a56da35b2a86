"""How many calls GitHub gets on the first day of an organisation, and what it costs us.

    python -m bench.registration [--strangers 300] [--pocs 100] [--pulls 3]

GitHub is within this process. Exits 1 where repositories that are no POC cost more than a call for ten, or
where a POC costs more than four.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import text

from bench.payloads import installed
from bench.servers import private_key
from service.config.settings import Settings
from service.demo.charters import NUMBERS
from service.demo.emulator import PERMISSIONS
from service.services import Services
from service.store.database import transaction
from service.wiring import build
from service.worker import reconcile_while_dirty
from tests.harness import graphql
from tests.harness.database import serving
from tests.harness.deliveries import Receiver
from tests.harness.github import named

INSTALLATION = 7
STRANGERS, POC = 0.1, 4
"""Calls for a repository at most."""
DAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
JANE = {"login": "jane-doe", "type": "User", "id": 1}
SUFFIX = "-poc"
CHARTER = NUMBERS.format(ship_by=(DAY + timedelta(days=90)).date()).encode()
CHARTER_SHA = named(CHARTER)


class GitHub(ThreadingHTTPServer):
    """Repositories of which some are POCs by their names, each with a charter and a few merged changes."""

    daemon_threads = True

    def __init__(self, strangers: int, pocs: int, pulls: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: Counter[str] = Counter()
        self.pulls = [_pull(number + 1) for number in range(pulls)]
        names = [
            *(f"tool-{number}" for number in range(strangers)),
            *(f"no-{number}{SUFFIX}" for number in range(pocs)),
        ]
        self.repositories = {f"acme/{name}": _repository(at, name) for at, name in enumerate(names, 1)}

    def answer(self, path: str, query: Mapping[str, list[str]], body: Any) -> tuple[int, Any]:  # noqa: ANN401 (JSON)
        """Count a call and answer it; a token is good for an hour, and no call."""
        if path.endswith("/access_tokens"):
            ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            return 201, {"token": "ghs_token", "expires_at": ends}
        if path == f"/app/installations/{INSTALLATION}":
            self.calls["the installation"] += 1
            return 200, {"id": INSTALLATION, "account": {"login": "acme"}, "permissions": PERMISSIONS}
        if path == "/installation/repositories":
            self.calls["its repositories"] += 1
            first = 100 * (int(query["page"][0]) - 1)
            listed = [*self.repositories.values()]
            return 200, {"total_count": len(listed), "repositories": listed[first : first + 100]}
        if path == "/graphql":
            return 200, {"data": self._graphql(body["query"], body["variables"])}
        name, _, rest = path.removeprefix("/repos/acme/").partition("/")
        self.calls[re.sub("[0-9]+", "N", rest)] += 1
        return self._rest(name, rest, query)

    def _graphql(self, query: str, variables: Mapping[str, str]) -> Mapping[str, Any]:
        if not variables:
            self.calls["GraphQL: charters"] += 1
            return {
                alias: {"databaseId": self.repositories[name]["id"], "object": self._object(name)}
                for alias, name in graphql.asked_about(query).items()
            }
        self.calls["GraphQL: histories"] += 1
        found = self.repositories[f"acme/{variables['name']}"]
        commits, events = [_commit()], [_merged()]
        pulls = [(pull, events) for pull in self.pulls]
        return {"repository": graphql.history(found["id"], commits=commits, charters=commits, pulls=pulls)}

    def _object(self, name: str) -> Mapping[str, Any] | None:
        is_poc = name.endswith(SUFFIX)
        return {"oid": CHARTER_SHA, "byteSize": len(CHARTER), "text": CHARTER.decode()} if is_poc else None

    def _rest(self, name: str, rest: str, query: Mapping[str, list[str]]) -> tuple[int, Any]:
        if rest == "contents/POC.md" and name.endswith(SUFFIX):
            content = base64.b64encode(CHARTER).decode()
            shown = {"type": "file", "encoding": "base64", "size": len(CHARTER), "sha": CHARTER_SHA}
            return 200, shown | {"content": content}
        if rest.startswith("collaborators/"):
            return 200, {"permission": "write", "user": JANE}
        if rest == "pulls":
            return 200, [] if query["state"] == ["open"] else self.pulls
        if rest.endswith("timeline"):
            return 200, [_merged()]
        return {"commits": (200, [_commit()]), "deployments": (200, [])}.get(rest, (404, {}))


class Handler(BaseHTTPRequestHandler):
    """A connection of our client's."""

    server: GitHub
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        asked, size = urlsplit(self.path), int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or "null")
        status, data = self.server.answer(asked.path, parse_qs(asked.query), body)
        raw = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> int:
    """Count, print, and say whether the budgets hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--strangers", type=int, default=300)
    parser.add_argument("--pocs", type=int, default=100)
    parser.add_argument("--pulls", type=int, default=3, help="changes merged in each POC lately")
    arguments = parser.parse_args()
    strangers = registered(GitHub(arguments.strangers, 0, 0), 0)
    pocs = registered(GitHub(0, arguments.pocs, arguments.pulls), arguments.pocs)
    held = strangers <= STRANGERS * arguments.strangers and pocs <= POC * arguments.pocs
    print("holds" if held else "MISSED")
    return 0 if held else 1


def registered(github: GitHub, pocs: int) -> int:
    """Install the app on all repositories, reconcile until all is done, and return the calls."""
    with serving() as server, server.database() as url, running(github):
        settings = Settings(
            github_app_id=1,
            github_app_private_key=private_key(),
            github_webhook_secret="secret",
            github_api_url=f"http://127.0.0.1:{github.server_port}",
            public_url="https://governor.example.com",
        )
        services = build(settings, url)
        receiver = Receiver(url)
        body = installed([*github.repositories.values()], INSTALLATION, PERMISSIONS)
        receiver.deliver("installation", body, "delivery")
        receiver.close()
        began, cpu = time.perf_counter(), time.thread_time()
        looks = _work(services)
        took, cpu = time.perf_counter() - began, time.thread_time() - cpu
        with transaction(services.engine) as session:
            found = session.connection().execute(text("SELECT count(poc_reason) FROM repository")).scalar()
        services.engine.dispose()
    assert found == pocs, f"{found} POCs registered, not {pocs}"
    calls = sum(github.calls.values())
    print(
        f"{len(github.repositories)} repositories, {found} of them POCs: {calls} calls, {looks} looks, ",
        end="",
    )
    print(f"{took:.1f} s, {1000 * cpu / len(github.repositories):.1f} ms of our CPU each")
    print("   " + ", ".join(f"{name} {count}" for name, count in github.calls.most_common()))
    return calls


def _work(services: Services) -> int:
    looks = 0
    while True:
        with transaction(services.engine) as session:
            rows = session.connection().execute(text("SELECT key FROM subject WHERE wanted > done"))
            keys = [row.key for row in rows]
        if not keys:
            return looks
        looks += len(keys)
        for key in keys:
            reconcile_while_dirty(services, key)


@contextmanager
def running(github: GitHub) -> Iterator[None]:
    """Let it answer."""
    thread = threading.Thread(target=github.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        github.shutdown()
        thread.join()
        github.server_close()


def _repository(number: int, name: str) -> dict[str, Any]:
    return {
        "id": number,
        "node_id": f"R_{number}",
        "name": name,
        "full_name": f"acme/{name}",
        "private": True,
        "archived": False,
        "fork": False,
        "is_template": False,
        "has_issues": True,
        "default_branch": "main",
        "topics": [],
        "pushed_at": DAY.isoformat(),
        "updated_at": DAY.isoformat(),
    }


def _commit() -> dict[str, Any]:
    dates = {"committer": {"date": DAY.isoformat()}}
    return {"sha": "1" * 40, "author": JANE, "commit": dates, "parents": [{"sha": "2" * 40}]}


def _pull(number: int) -> dict[str, Any]:
    return {
        "number": number,
        "state": "closed",
        "draft": False,
        "user": JANE,
        "created_at": DAY.isoformat(),
        "updated_at": DAY.isoformat(),
    }


def _merged() -> dict[str, Any]:
    return {"event": "merged", "created_at": DAY.isoformat(), "actor": JANE}


if __name__ == "__main__":
    sys.exit(main())
