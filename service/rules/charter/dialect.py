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
    shorten: str
    """What to do about more."""
    for_alias: str
    """What to write for a value that begins with `*`."""
    stars: bool
    """Whether such a value is likely, and meant as it stands."""


CHARTER = Dialect(
    name="charter",
    key="poc",
    depth=4,
    events=800,
    shorten="keep under 40 lines",
    for_alias="write the value out instead of `*`",
    stars=False,
)
POLICY = Dialect(
    name="policy",
    key="policy",
    depth=5,
    events=4_000,
    shorten="keep its lists shorter",
    for_alias="put a name that begins with `*` in double quotes",
    stars=True,
)
