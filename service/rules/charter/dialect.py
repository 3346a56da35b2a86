"""What is read as YAML: a charter, or a policy, which is written like one; how far, and in which words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """A kind of file, its limits, and what its messages say of it."""

    name: str
    key: str
    """The key that declares it, with its version."""
    depth: int
    events: int
    lines: int
    """What `events` comes to, as people count."""
    for_alias: str
    """What to write for a value that begins with `*`."""


CHARTER = Dialect(
    name="charter",
    key="poc",
    depth=4,
    events=800,
    lines=40,
    for_alias="write the value out instead of `*`",
)
POLICY = Dialect(
    name="policy",
    key="policy",
    depth=5,
    events=4_000,
    lines=1_000,
    for_alias="put a name that begins with `*` in double quotes",
)
