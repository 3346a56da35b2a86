"""A server on this machine that answers as it is told, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from service.rules.values.github import RepositoryRef

REPOSITORY = RepositoryRef(1, "acme/poc-triage")
TOKEN = "POST /app/installations/7/access_tokens"
GRANTED = {"metadata": "read", "contents": "read", "checks": "write", "issues": "read", "members": "read"}


class Server:
    """Answers by request line; each answer of a list is given once, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any, dict[str, str]]]] = {}
        self.requests: list[tuple[str, Any, Message]] = []
        self.hold = threading.Event()
        self.always: tuple[int, Any, dict[str, str]] | None = None
        """What every request is answered with but those for tokens."""
        self.cut = 0
        """Bytes that are promised with every answer and never sent."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                path, _, query = self.path.partition("?")
                asked = "&".join(sorted(query.split("&")))
                line = f"{self.command} {path}" + (f"?{asked}" if query else "")
                outer.requests.append((line, json.loads(body) if body else None, self.headers))
                status, data, headers = outer.take(line)
                if status == 0:
                    outer.hold.wait(5)
                    return
                raw = data if isinstance(data, bytes) else json.dumps(data).encode()
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw) + outer.cut))
                self.end_headers()
                self.wfile.write(raw)
                self.close_connection = bool(outer.cut)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def on(self, line: str, status: int, data: Any = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(line, []).append((status, {} if data is None else data, named))

    def take(self, line: str) -> tuple[int, Any, dict[str, str]]:
        if self.always and line != TOKEN:
            return self.always
        answers = self.answers.get(line) or [(404, {"message": "Not Found"}, {})]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def asked(self, start: str = "") -> list[str]:
        """The requests so far but for those of tokens."""
        return [line for line, _, _ in self.requests if line != TOKEN and line.startswith(start)]

    def bodies(self, line: str) -> list[Any]:
        return [body for asked, body, _ in self.requests if asked == line]

    def stop(self) -> None:
        self.hold.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def raw_repository(full_name: str) -> dict[str, Any]:
    return {
        "id": 1,
        "full_name": full_name,
        "name": full_name.partition("/")[2],
        "default_branch": "main",
        "private": False,
        "archived": False,
        "fork": False,
        "is_template": False,
        "has_issues": True,
        "topics": ["poc"],
        "pushed_at": "2026-11-20T10:15:28Z",
        "updated_at": "2026-11-20T10:15:30Z",
    }
