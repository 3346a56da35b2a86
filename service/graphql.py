"""GraphQL about many repositories at once: how it is asked, and how an answer is read.

An installation has 5,000 points an hour or more, apart from what it has for REST. A query costs a point for
every hundred lists in it, and at least one: a hundred repositories cost one. See
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

AT_ONCE = 100
"""Repositories of one query."""
UNSEEN = ("NOT_FOUND", "FORBIDDEN")
"""How GraphQL says that the token does not see a thing."""


def endpoint(api_url: str) -> str:
    """Where GraphQL is: on Enterprise Server not below the REST API."""
    return f"{api_url.removesuffix('/v3')}/graphql"


def about(asked: Sequence[tuple[str, str]]) -> str:
    """Ask for fields of repositories, each by its name and under an alias with its place: `r0`, `r1`."""
    parts = (
        f"r{at}: repository(owner: {json.dumps(owner)}, name: {json.dumps(name)}) {{ {fields} }}"
        for at, ((owner, _, name), fields) in enumerate((each.partition("/"), it) for each, it in asked)
    )
    return f"{{ {' '.join(parts)} }}"


def is_unseen(error: Mapping[str, Any]) -> bool:
    """Whether an error says only that one thing is not shown."""
    return error.get("type") in UNSEEN and bool(error.get("path"))
