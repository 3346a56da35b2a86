"""POST /api/v1/evidence: numbers that a workflow run measured, with the token by which GitHub vouches for it.

202 is answered after the commit; everything else is a problem (RFC 9457) that says what to change.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import structlog
from prometheus_client import Counter
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from service.inbox import Inbox, NotStoredError, NotTakenError, Receipt, Trust
from service.web.bodies import AGAIN, MIB, Bodies, Body, Refusal
from service.web.oidc import IssuerAwayError, TokenError, Verifier

log = structlog.get_logger(__name__)

PATH = "/api/v1/evidence"
LARGEST_BODY = MIB
"""Bytes."""
MEDIA_TYPE = "application/problem+json"
TYPE = "urn:poc-governor:problem:"
ANSWERS = Counter("poc_governor_evidence_uploads", "Uploads of evidence by answer", ["status", "problem"])

PROBLEMS = {
    "token-missing": (401, "No token"),
    "token-malformed": (401, "Not a token"),
    "token-algorithm": (401, "Another signature than RS256"),
    "token-key": (401, "Signed with an unknown key"),
    "token-signature": (401, "The signature is wrong"),
    "token-issuer": (401, "A token of another issuer"),
    "token-audience": (401, "A token for somebody else"),
    "token-expired": (401, "The token has expired"),
    "token-not-yet-valid": (401, "A token from the future"),
    "token-claims": (401, "A claim is missing or malformed"),
    "token-used": (409, "The token was used before"),
    "event-refused": (403, "Numbers of such a run don't count"),
    "not-installed": (403, "Not installed on this repository"),
    "not-a-poc": (403, "Not a POC"),
    "method": (405, "Send evidence by POST"),
    "length-missing": (411, "The length of the body is missing"),
    "body-too-large": (413, "The body is too large"),
    "body-too-slow": (408, "The body did not arrive in time"),
    "too-busy": (503, "Too much is being received"),
    "body-not-json": (400, "The body isn't JSON"),
    "body-refused": (422, "Something in the body can't be taken"),
    "sent-before": (409, "The job has sent another value before"),
    "issuer-away": (503, "The token can't be checked now"),
    "not-stored": (503, "Not stored"),
}
"""Every problem: its status and its title. docs/evidence.md has a line for each."""
UNREAD = {
    411: ("length-missing", "Send the body with the header Content-Length."),
    413: (
        "body-too-large",
        f"One upload takes at most {LARGEST_BODY} bytes. Send the numbers, not what they were computed from.",
    ),
    408: ("body-too-slow", "The body did not arrive in time. Nothing was stored; send it again."),
    503: ("too-busy", "Too much is being received at the moment. Nothing was stored; send it again."),
}
"""The problem and its detail for each reason why a body is not read to its end."""


class _ProblemError(Exception):
    def __init__(self, name: str, detail: str, faults: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.name, self.detail, self.faults = name, detail, faults


class EvidenceEndpoint:
    """Answers uploads."""

    def __init__(self, inbox: Inbox, verifier: Verifier, trust: Trust, bodies: Bodies) -> None:
        self._inbox, self._verifier, self._trust, self._bodies = inbox, verifier, trust, bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one upload."""
        problem = ""
        try:
            response: Response = await self._record(Request(scope, receive))
        except _ProblemError as error:
            problem, response = error.name, _problem(error)
        except ClientDisconnect:
            return
        ANSWERS.labels(str(response.status_code), problem).inc()
        await response(scope, receive, send)

    async def _record(self, request: Request) -> Response:
        if request.method != "POST":
            raise _ProblemError("method", f"{request.method} does nothing here. Send the numbers by POST.")
        claims = await self._claims(_bearer(request.headers))
        # Anybody on GitHub gets a token that is made out to us: only the database knows who may send.
        with Body(self._bodies, request.scope, LARGEST_BODY) as sent:
            receipt = await self._stored(claims, await _read(sent, request.receive))
        return JSONResponse(receipt.as_json(), 202)

    async def _stored(self, claims: dict[str, object], body: bytes) -> Receipt:
        try:
            return await self._inbox.record_evidence(claims, body, self._trust)
        except NotTakenError as error:
            raise _ProblemError(error.reason, str(error), error.faults) from error
        except NotStoredError as error:
            raise _ProblemError("not-stored", f"Nothing was stored: {error}. Send it again.") from error

    async def _claims(self, token: str) -> dict[str, object]:
        try:
            return dict(await self._verifier.claims(token))
        except TokenError as error:
            raise _ProblemError(error.problem, error.detail) from error
        except IssuerAwayError as error:
            detail = (
                "The keys of GitHub Actions can't be read at the moment. Nothing was stored; send it again."
            )
            raise _ProblemError("issuer-away", detail) from error


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        detail = (
            "Send the workflow's token as `Authorization: Bearer TOKEN`; the job needs `id-token: write`."
        )
        raise _ProblemError("token-missing", detail)
    return token.strip()


async def _read(sent: Body, receive: Receive) -> bytes:
    try:
        return await sent.read(receive)
    except Refusal as refusal:
        raise _ProblemError(*UNREAD[refusal.status]) from refusal


def _problem(error: _ProblemError) -> Response:
    status, title = PROBLEMS[error.name]
    body: dict[str, object] = {
        "type": f"{TYPE}{error.name}",
        "title": title,
        "status": status,
        "detail": error.detail,
    }
    if error.faults:
        body["pointer"] = error.faults[0][0]
        body["errors"] = [{"pointer": pointer, "detail": detail} for pointer, detail in error.faults]
    headers = {401: {"WWW-Authenticate": "Bearer"}, 405: {"Allow": "POST"}, 503: {"Retry-After": AGAIN}}
    # Escaped to ASCII: a key that somebody sent may hold a lone surrogate, which UTF-8 cannot write.
    return Response(json.dumps(body).encode(), status, headers.get(status), MEDIA_TYPE)
