"""`poc-policy.yml` becomes a `Policy`, or the findings that say on which line to write what."""

from __future__ import annotations

from dataclasses import dataclass

from service.rules.finding import Finding
from service.rules.policy.model import Policy


@dataclass(frozen=True, slots=True)
class PolicyReading:
    """What a policy file says; `policy` is None where any finding is an error."""

    policy: Policy | None
    findings: tuple[Finding, ...] = ()


def read_policy(data: bytes | str) -> PolicyReading:
    """Read a policy file; raises on no input."""
    raise NotImplementedError
