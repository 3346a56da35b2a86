"""GraphQL, as far as one query goes: which of a hundred repositories a person sees."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.harness.standin.emulated import emulated, refusal
from tests.harness.standin.oauth import acting
from tests.harness.standin.reading import sees

STRING = r'"((?:[^"\\]|\\.)*)"'
FIELD = re.compile(
    rf"\s*(\w+)\s*:\s*repository\(owner:\s*{STRING},\s*name:\s*{STRING}\)\s*\{{\s*databaseId\s*\}}"
)
QUERY = re.compile(r"\s*(?:query\s*)?\{(.*)\}\s*", re.DOTALL)
MOST = 100


async def graphql(request: Request) -> Response:
    """Answer what is visible, and for the others null and an error, as GitHub does."""
    token = acting(request)
    if not token:
        return refusal(401, "Bad credentials")
    asked = json.loads(await request.body())["query"]
    whole = QUERY.fullmatch(asked)
    fields = list(FIELD.finditer(whole[1])) if whole else []
    if not whole or FIELD.sub("", whole[1]).strip():
        return JSONResponse({"errors": [{"message": f"Parse error on {asked[:80]!r}"}]})
    assert len(fields) <= MOST
    here = emulated(request)
    data: dict[str, Any] = {}
    errors = []
    for alias, *parts in (match.groups() for match in fields):
        owner, name = (json.loads(f'"{part}"') for part in parts)
        found = await sees(here, f"/repos/{owner}/{name}", token)
        data[alias] = {"databaseId": found["id"]} if found else None
        if not found:
            says = f"Could not resolve to a Repository with the name '{owner}/{name}'."
            errors.append({"type": "NOT_FOUND", "path": [alias], "message": says})
    return JSONResponse({"data": data} | ({"errors": errors} if errors else {}))


ROUTES = [Route("/graphql", graphql, methods=["POST"])]
