"""What a workflow's token says: whose run it is, and whether numbers of such a run are taken.

The signature is verified before; nothing here reads `sub`, whose form each organisation may choose.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from service.rules.source.text import listed, shown


class Reason(StrEnum):
    """The kinds of refusals; each is a section of docs/evidence.md."""

    ISSUER = "token-issuer"
    AUDIENCE = "token-audience"
    EXPIRED = "token-expired"
    NOT_YET = "token-not-yet-valid"
    CLAIMS = "token-claims"
    USED = "token-used"
    EVENT = "event-refused"
    NOT_INSTALLED = "not-installed"
    NO_POC = "not-a-poc"
    NO_JSON = "body-not-json"
    BODY = "body-refused"
    SENT_BEFORE = "sent-before"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of the body: a JSON pointer (RFC 6901), and what to change there."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was taken; `detail` ends in what to change."""

    reason: Reason
    detail: str
    faults: tuple[Fault, ...] = ()


LEEWAY = timedelta(seconds=60)
"""By how much GitHub's clock and ours may differ."""
MAX_AGE = timedelta(minutes=10)
"""How old a token may be, whatever it says of itself."""
EVENTS = (
    "push", "pull_request", "merge_group", "workflow_dispatch", "repository_dispatch", "schedule",
    "release", "create", "deployment", "deployment_status",
)  # fmt: skip
"""What starts a run whose code somebody with write access stands for.

The others run with the repository's rights on what a stranger wrote or did: `pull_request_target`,
`workflow_run`, `issue_comment` and their like.
"""
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9_.-]{1,100}")
DIGITS = re.compile(r"[0-9]{1,18}")
TEST_MERGE = re.compile(r"refs/pull/([1-9][0-9]{0,8})/merge")
LONGEST = 255
LAST_MOMENT = 2**35
"""Seconds; a thousand years from now, which a calendar still holds."""


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A job of a workflow run that GitHub vouches for."""

    repository_id: int
    repository: str
    sha: str
    """The commit that it ran on."""
    number: int | None
    """The pull request whose test merge that commit is; None where the commit speaks for itself."""
    run_id: int
    attempt: int
    job: str
    """What tells the jobs of a run apart: the id of its check run, or else the token."""
    actor: str
    environment: str | None
    event: str
    token_id: str
    token_ends: datetime

    @property
    def source_id(self) -> str:
        """Names the job among all."""
        return f"run:{self.run_id}/{self.attempt}/{self.job}"

    @property
    def path(self) -> str:
        """Where the run is shown, below GitHub's address."""
        return f"{self.repository}/actions/runs/{self.run_id}/attempts/{self.attempt}"

    @property
    def speaks_for(self) -> str | None:
        """The commit that its numbers are for; None while the head of a test merge is to be found."""
        return self.sha if self.number is None else None


def refuse_event(run: WorkflowRun, allowed: Collection[str]) -> Refused | None:
    """Why the numbers of a run are not taken that others than writers may have started.

    `allowed` are those of their events that the organisation's policy lets in.
    """
    if run.event in EVENTS or run.event in allowed:
        return None
    detail = (
        f"A run started by {shown(run.event)} may run code that anybody wrote, so its numbers don't "
        f"count. Send them from a run started by {listed(EVENTS)}."
    )
    return Refused(Reason.EVENT, detail)


class _ClaimError(Exception):
    """A claim that is missing or not what it should be."""


def read_run(
    claims: Mapping[str, object], *, issuer: str, audience: str, now: datetime
) -> WorkflowRun | Refused:
    """Read the claims of a token whose signature was verified."""
    try:
        return _refused(claims, issuer, audience, now) or _run(claims)
    except _ClaimError as error:
        detail = f"The token's claim {error}. Send the token that GitHub Actions mints, as is."
        return Refused(Reason.CLAIMS, detail)


def _refused(claims: Mapping[str, object], issuer: str, audience: str, now: datetime) -> Refused | None:
    if claims.get("iss") != issuer:
        detail = f"The token's issuer is {_said(claims.get('iss'))}; only {issuer} counts here."
        return Refused(Reason.ISSUER, detail)
    if claims.get("aud") != audience:
        detail = f"The token is for {_said(claims.get('aud'))}. Ask for one with the audience {audience}"
        return Refused(Reason.AUDIENCE, f"{detail}, written exactly like that.")
    return _untimely(claims, now) or _untrusted(claims)


def _untimely(claims: Mapping[str, object], now: datetime) -> Refused | None:
    begins, issued, ends = (_moment(claims, name) for name in ("nbf", "iat", "exp"))
    if now >= ends + LEEWAY or now >= issued + MAX_AGE:
        until = min(ends, issued + MAX_AGE)
        detail = f"The token expired at {_time(until)}. Ask for a new one right before you send."
        return Refused(Reason.EXPIRED, detail)
    if max(begins, issued) > now + LEEWAY:
        detail = f"The token is valid from {_time(max(begins, issued))}, and here it's {_time(now)}."
        return Refused(Reason.NOT_YET, f"{detail} Set the clock of the machine whose time is wrong.")
    return None


def _untrusted(claims: Mapping[str, object]) -> Refused | None:
    event, ref = _text(claims, "event_name"), _text(claims, "ref")
    if event == "pull_request" and not TEST_MERGE.fullmatch(ref):
        detail = (
            f"This run of `pull_request` is for {shown(ref, 60)}, not for an open pull request. "
            "Send numbers while it is open, or from a run started by `push`."
        )
        return Refused(Reason.EVENT, detail)
    return None


def _run(claims: Mapping[str, object]) -> WorkflowRun:
    token_id, merge = _text(claims, "jti"), TEST_MERGE.fullmatch(_text(claims, "ref"))
    return WorkflowRun(
        repository_id=_id(claims, "repository_id"),
        repository=_text(claims, "repository", NAME),
        sha=_text(claims, "sha", SHA),
        number=int(merge[1]) if merge else None,
        run_id=_id(claims, "run_id"),
        attempt=_id(claims, "run_attempt"),
        job=str(_id(claims, "check_run_id")) if claims.get("check_run_id") else token_id,
        actor=_text(claims, "actor"),
        environment=_text(claims, "environment") if claims.get("environment") else None,
        event=_text(claims, "event_name"),
        token_id=token_id,
        token_ends=_moment(claims, "iat") + MAX_AGE,
    )


def _text(claims: Mapping[str, object], name: str, form: re.Pattern[str] | None = None) -> str:
    value = claims.get(name)
    if value is None:
        raise _ClaimError(f"`{name}` is missing")
    if not isinstance(value, str) or not value or len(value) > LONGEST or not value.isprintable():
        raise _ClaimError(f"`{name}` isn't a text of at most {LONGEST} characters")
    if form and not form.fullmatch(value):
        raise _ClaimError(f"`{name}` says {shown(value)}, which isn't possible")
    return value


def _id(claims: Mapping[str, object], name: str) -> int:
    value = claims.get(name)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(claims, name)
    if not DIGITS.fullmatch(text):
        raise _ClaimError(f"`{name}` says {shown(text)}, which isn't an id")
    return int(text)


def _moment(claims: Mapping[str, object], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _ClaimError(f"`{name}` isn't a time" if name in claims else f"`{name}` is missing")
    if not 0 <= value < LAST_MOMENT:
        raise _ClaimError(f"`{name}` isn't a time")
    return datetime.fromtimestamp(value, UTC)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _said(value: object) -> str:
    return shown(value, 80) if isinstance(value, str) else "none that can be read"
