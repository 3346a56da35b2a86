"""Sends a file of measured values to POC Governor, with a token that GitHub mints for this job.

Runs on the runner with nothing but Python's own library; problems are printed as workflow commands.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

WAITS = (5, 20)
"""Seconds before the second and the third try."""
TIMEOUT = 30
AGAIN = (429, 500, 502, 503, 504)
REQUEST_URL, REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
UNVOUCHED = (
    "GitHub gives this job no token. Add `permissions: id-token: write` to the job; "
    "a pull request from a fork gets none."
)
Answer = tuple[int, Mapping[str, Any]]


class CannotSendError(Exception):
    """What is in the way, and what to do about it."""


class _Stay(HTTPRedirectHandler):
    """The token is for one address, so no redirect is followed."""

    def redirect_request(self, *_: object) -> Request | None:
        """Follow nothing."""
        return None


OPENER = build_opener(_Stay)


def main(environment: Mapping[str, str]) -> int:
    """Send the file and return the exit code."""
    file = environment.get("EVIDENCE", "evidence.json")
    try:
        status, answer = send(environment, environment.get("SERVICE", "").rstrip("/"), _read(file))
    except CannotSendError as error:
        print(command("error", str(error)))
        return 1
    if status == 202:  # noqa: PLR2004 (accepted)
        commit = str(answer.get("commit") or "")[:7] or "the head of this pull request"
        print(command("notice", f"{answer.get('recorded')} values recorded for {commit}."))
        return 0
    for line in problems(status, answer):
        print(command("error", line, file))
    return 1


def send(environment: Mapping[str, str], service: str, body: bytes) -> Answer:
    """Post the body, each time with a new token; try again where that may help."""
    if not service.startswith(("https://", "http://")):
        raise CannotSendError("`service` isn't an address. Write it as POC Governor's PUBLIC_URL says.")
    for wait in (*WAITS, None):
        try:
            token = mint(environment, service)
            status, answer = call(f"{service}/api/v1/evidence", token, body)
        except (OSError, HTTPException) as error:
            status, answer = 0, {"detail": f"{service} can't be reached: {getattr(error, 'reason', error)}."}
        if wait is None or (status and status not in AGAIN):
            break
        print(f"{answer.get('detail') or status} Trying again in {wait} s.")
        time.sleep(wait)
    return status, answer


def mint(environment: Mapping[str, str], audience: str) -> str:
    """Ask GitHub for a token of this job that only `audience` takes."""
    url, secret = environment.get(REQUEST_URL), environment.get(REQUEST_TOKEN)
    if not url or not secret:
        raise CannotSendError(UNVOUCHED)
    status, answer = call(f"{url}&audience={quote(audience, safe='')}", secret)
    token = answer.get("value")
    if not isinstance(token, str):
        raise URLError(f"GitHub mints no token ({status})")
    return token


def call(url: str, token: str, body: bytes | None = None) -> Answer:
    """Ask a server, and read its JSON."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = Request(url, body, headers | {"Accept": "application/json", "User-Agent": "poc-evidence"})
    try:
        with OPENER.open(request, timeout=TIMEOUT) as answer:
            return answer.status, _json(answer.read())
    except HTTPError as error:
        return error.code, _json(error.read())


def problems(status: int, answer: Mapping[str, Any]) -> list[str]:
    """What was wrong, place by place."""
    places = answer.get("errors")
    if isinstance(places, list) and places:
        return [f"{one.get('pointer')}: {one.get('detail')}" for one in places if isinstance(one, dict)]
    return [str(answer.get("detail") or f"The service answered {status}. Is its address right?")]


def command(kind: str, text: str, file: str = "") -> str:
    """A workflow command, in which nothing of the text can begin another."""
    where = f" file={_escaped(file, ':,')},title=POC evidence" if file else " title=POC evidence"
    return f"::{kind}{where}::{_escaped(text)}"


def _escaped(text: str, also: str = "") -> str:
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{also}" else char for char in text)


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CannotSendError(f"`{file}` can't be read: {(error.strerror or str(error)).lower()}.") from error


def _json(text: bytes) -> Mapping[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


if __name__ == "__main__":
    sys.exit(main(os.environ))
