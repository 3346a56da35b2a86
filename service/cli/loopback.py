"""A listener on the operator's own machine: it shows the form for GitHub, and takes what comes back.

The page with the form stands alone, also as a file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from service.config.app_credentials import AppCredentials
from service.packaged import packaged
from service.web.html import render

REGISTERED = "/registered"
Exchange = Callable[[str], AppCredentials]
"""Takes the address that GitHub led back to; raises `ValueError` with what to say to a person."""


class Listener:
    """Where the browser begins, and where the app arrives."""

    def __init__(self, port: int) -> None:
        self.begin = f"http://localhost:{port}/{secrets.token_urlsafe(16)}"
        """Nobody else on this machine knows it, so nobody else gets the state."""
        self.redirect_url = f"http://localhost:{port}{REGISTERED}"
        self.arrived: SimpleQueue[AppCredentials] = SimpleQueue()
        self.form: Form | None = None
        self.exchange: Exchange | None = None


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen on a free port of the loopback as long as this lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    listener = Listener(server.server_port)
    server.RequestHandlerClass = _handler(listener)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    begin, registered = urlsplit(listener.begin), urlsplit(listener.redirect_url)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """The form, or the way back from GitHub."""
            path = urlsplit(self.path).path
            if self.headers.get("Host") != begin.netloc:  # another site's name that leads here
                self._page(403, said_page("This address isn't ours", "Open the one that the terminal shows."))
            elif path == begin.path and listener.form:
                self._page(200, registration_page(listener.form), listener.form.github_url)
            elif path == registered.path and listener.exchange:
                self._returned(listener.exchange)
            else:
                self._page(404, said_page("Nothing is here", "Open the address that the terminal shows."))

        def _returned(self, exchange: Exchange) -> None:
            try:
                app = exchange(f"http://{begin.netloc}{self.path}")
            except ValueError as error:
                self._page(400, said_page("The app wasn't stored", str(error)))
                return
            self.send_response(303)
            self.send_header("Location", app.installing)
            self.send_header("Content-Length", "0")
            self.end_headers()
            listener.arrived.put(app)

        def _page(self, status: int, body: str, github_url: str = "") -> None:
            raw = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy(github_url))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing: addresses hold the code."""

    return Handler


@dataclass(frozen=True, slots=True)
class Form:
    """What the browser posts to GitHub."""

    org: str
    github_url: str
    action: str
    manifest: Mapping[str, Any]


def registration_page(form: Form, *, headless: bool = False) -> str:
    """The form."""
    return render(
        "register.html",
        form=form,
        manifest=json.dumps(form.manifest),
        style=_style(),
        policy=policy(form.github_url),
        headless=headless,
    )


def said_page(title: str, says: str) -> str:
    """A page that says something."""
    return render("said.html", title=title, says=says, style=_style(), policy=policy())


def policy(github_url: str = "") -> str:
    """Its content security policy: nothing runs, and a form goes to GitHub alone."""
    style = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    # Browsers hold the addresses that a form is redirected to against it as well.
    target = f"{github_url} 'self'" if github_url else "'none'"
    loaded = f"default-src 'none'; img-src data:; style-src 'sha256-{style}'"
    return f"{loaded}; form-action {target}; base-uri 'none'"


@cache
def _style() -> str:
    return (packaged("templates") / "pages" / "pages.css").read_text(encoding="utf-8")
