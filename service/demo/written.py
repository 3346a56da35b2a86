"""What the app wrote in the story, as a page: the emulated GitHub has none of its own."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from markupsafe import Markup

from service.demo.person import CheckRun, Issue
from service.demo.stage import ORG, Stage
from service.rules.values.actions import STALL_LABEL
from service.web.docs import MARKDOWN
from service.web.html import render

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
