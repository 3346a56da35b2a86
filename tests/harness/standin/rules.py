"""Rulesets of an organisation: imported as JSON, and what follows from them for a branch."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.harness.standin.emulated import bearer, emulated, refusal


async def imported(request: Request) -> Response:
    """A ruleset, as the import on GitHub's page makes one."""
    ruleset = json.loads(await request.body()) | {"id": len(request.app.state.rulesets) + 1}
    request.app.state.rulesets.append(ruleset)
    return JSONResponse(ruleset, 201)


async def of_branch(request: Request) -> Response:
    """The rules that hold for a branch: those of active rulesets."""
    here, asked = emulated(request), request.path_params
    found = await here.get(f"/repos/{asked['owner']}/{asked['repo']}", bearer(request))
    if found is None:
        return refusal(404, "Not Found")
    rules = [
        rule
        | {"ruleset_source_type": "Organization", "ruleset_source": asked["owner"], "ruleset_id": each["id"]}
        for each in request.app.state.rulesets
        if each["enforcement"] == "active" and _holds(each["conditions"], found, asked["branch"])
        for rule in each["rules"]
    ]
    return JSONResponse(rules if request.query_params.get("page", "1") == "1" else [])


def _holds(conditions: dict[str, Any], repository: dict[str, Any], branch: str) -> bool:
    included = conditions["ref_name"]["include"]
    if branch != repository["default_branch"] or "~DEFAULT_BRANCH" not in included:
        return False
    if ids := conditions.get("repository_id"):
        return repository["id"] in ids["repository_ids"]
    names = conditions.get("repository_name", {"include": [], "exclude": []})
    matched = {
        kind: any(fnmatchcase(repository["name"], glob) for glob in names[kind])
        for kind in ("include", "exclude")
    }
    return matched["include"] and not matched["exclude"]


ROUTES = [
    Route("/orgs/{org}/rulesets", imported, methods=["POST"]),
    Route("/repos/{owner}/{repo}/rules/branches/{branch:path}", of_branch, methods=["GET"]),
]
