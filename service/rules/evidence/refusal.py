"""Why numbers that somebody sent are not taken, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
