"""GitHub's own OpenAPI description: what may be null of all that we read, and what an answer has to hold.

The JSON file beside this one holds the former, with the version of the npm package that it was taken from.
After a route reads another field, or for a newer description: `python -m tests.harness.github_description`.
The whole description is fetched once, into the cache folder.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
import types
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from openapi_schema_validator import OAS30Validator

from service.deliveries.delivery import Delivery
from service.deliveries.routes import ROUTES
from service.demo.node import cache_folder, find_node

PACKAGE = "@octokit/openapi@23.0.2"
SHA512 = "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=="
"""Of what npm packs, as its registry names it."""
DESCRIPTION = "package/generated/api.github.com.json"
NULLABLE = Path(__file__).with_suffix(".json")

HERE = "/repos/{owner}/{repo}"
ANSWERS = (
    HERE,
    f"{HERE}/pulls",
    f"{HERE}/pulls/{{pull_number}}",
    f"{HERE}/pulls/{{pull_number}}/reviews",
    f"{HERE}/issues",
    f"{HERE}/issues/{{issue_number}}",
    f"{HERE}/issues/{{issue_number}}/comments",
    f"{HERE}/issues/{{issue_number}}/events",
    f"{HERE}/issues/{{issue_number}}/timeline",
    f"{HERE}/commits",
    f"{HERE}/commits/{{ref}}/check-runs",
    f"{HERE}/compare/{{basehead}}",
    f"{HERE}/git/blobs/{{file_sha}}",
    f"{HERE}/git/commits/{{commit_sha}}",
    f"{HERE}/git/trees/{{tree_sha}}",
    f"{HERE}/collaborators/{{username}}/permission",
    f"{HERE}/deployments",
    f"{HERE}/deployments/{{deployment_id}}/statuses",
    f"{HERE}/environments",
    "/orgs/{org}/properties/values",
    "/app/installations/{installation_id}",
    "/app/hook/deliveries",
)
"""The answers that are read."""
DEEPEST = 2
"""Dots in the path of a field of an answer: nothing deeper is read."""

Schema = Mapping[str, Any]
Steps = tuple[str, ...]


def read_paths() -> dict[str, Any]:
    """Every field that the decoder reads, by its path, with its type: `issue.labels[].name`."""
    return dict(_fields(Delivery, ()))


def _fields(struct: type, above: Steps) -> Iterator[tuple[str, Any]]:
    for name, kind in get_type_hints(struct).items():
        yield from _kinds(kind, (*above, name))


def _kinds(kind: Any, path: Steps) -> Iterator[tuple[str, Any]]:
    yield ".".join(path), kind
    for each in alternatives(kind):
        if get_origin(each) is tuple:
            yield from _kinds(get_args(each)[0], (*path[:-1], f"{path[-1]}[]"))
        elif isinstance(each, type) and issubclass(each, msgspec.Struct):
            yield from _fields(each, path)


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The types that a field may have."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def with_null(document: Any, path: str) -> Any:
    """A copy with null at a path, in each thing of a list; None where nothing stands there."""
    copy = json.loads(json.dumps(document))
    *above, last = path.replace("[]", ".[]").strip(".").split(".")
    holders = [copy]
    for name in above:
        holders = [inner for each in holders for inner in _inside(each, name)]
    holders = [
        each
        for each in holders
        if (last == "[]" and isinstance(each, list)) or (isinstance(each, dict) and last in each)
    ]
    for each in holders:
        if last == "[]":
            each[:] = [None]
        else:
            each[last] = None
    return copy if holders else None


def _inside(holder: Any, name: str) -> list[Any]:
    if name == "[]":
        return holder if isinstance(holder, list) else []
    return [holder[name]] if isinstance(holder, dict) and name in holder else []


class Description:
    """GitHub's description."""

    def __init__(self, described: Schema) -> None:
        self._described = described

    def taken(self) -> dict[str, Any]:
        """What the tests need of it: each path that may be null, in events (and in which) and in answers."""
        read, events = sorted(read_paths()), {}
        for event, action in sorted(ROUTES, key=str):
            name = "-".join((event, *([action] if action else []))).replace("_", "-")
            body = self._described["x-webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
            events[name] = [path for path in read if self._may_be_null(body["schema"], path)]
        answers = {}
        for path in ANSWERS:
            answer = self._described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
            below = set(self._below(self._variants(answer["schema"]), ""))
            answers[path] = sorted(step for step in below if self._may_be_null(answer["schema"], step))
        nullable = sorted({path for paths in events.values() for path in paths})
        said = {path: [name for name, paths in events.items() if path in paths] for path in nullable}
        return {"package": PACKAGE, "read": read, "events": said, "answers": answers}

    def _may_be_null(self, schema: Schema, path: str) -> bool:
        here = self._variants(schema)
        for name in path.replace("[]", ".[]").strip(".").split("."):
            inner = [found["items"] for found in here if "items" in found]
            if name != "[]":
                inner = [found["properties"][name] for found in here if name in found.get("properties", {})]
            here = [each for found in inner for each in self._variants(found)]
        return any(found.get("nullable") for found in here)

    def _variants(self, schema: Schema) -> list[Schema]:
        """A schema and all that it is made of, or may be."""
        found = [schema]
        if "$ref" in schema:
            found += self._variants(self._described["components"]["schemas"][schema["$ref"].split("/")[-1]])
        for kind in ("allOf", "oneOf", "anyOf"):
            found += [each for variant in schema.get(kind, ()) for each in self._variants(variant)]
        return found

    def _below(self, here: list[Schema], path: str) -> Iterator[str]:
        """Every field of a thing and of what is in it, but for addresses: nobody reads those."""
        for schema in here:
            if "items" in schema:
                yield from self._below(self._variants(schema["items"]), f"{path}[]")
            for name, inner in schema.get("properties", {}).items():
                step = f"{path}.{name}".strip(".")
                if not name.endswith("url"):
                    yield step
                if step.count(".") < DEEPEST:
                    yield from self._below(self._variants(inner), step)


@cache
def described() -> Schema:
    """The whole description."""
    file = cache_folder() / f"{PACKAGE.rpartition('/')[2]}.json"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".fetching-") as folder:
            new = Path(folder) / "new"
            new.write_bytes(_fetched(Path(folder)))
            new.replace(file)
    found: Schema = json.loads(file.read_bytes())
    return found


def _fetched(folder: Path) -> bytes:
    command = [*find_node().npm, "pack", PACKAGE, "--silent"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    (packed,) = folder.glob("*.tgz")
    assert hashlib.sha512(packed.read_bytes()).digest() == base64.b64decode(SHA512), f"not {PACKAGE}"
    with tarfile.open(packed) as archive:
        file = archive.extractfile(DESCRIPTION)
        assert file is not None
        return file.read()


def wrong_in(path: str, answer: object, *, method: str = "get", status: int = 200) -> list[str]:
    """Where an answer is not as GitHub describes it; `path` is written as there."""
    content = described()["paths"][path][method]["responses"][str(status)]["content"]["application/json"]
    return _wrong(content["schema"], answer)


def wrong_in_request(path: str, body: object, *, method: str = "post") -> list[str]:
    """The same of what is sent."""
    content = described()["paths"][path][method]["requestBody"]["content"]["application/json"]
    return _wrong(content["schema"], body)


def wrong_in_schema(name: str, value: object) -> list[str]:
    """The same of a part that has a name, which may hold no others."""
    schema = described()["components"]["schemas"][name] | {"additionalProperties": False}
    return _wrong(schema, value)


def _wrong(schema: Schema, value: object) -> list[str]:
    whole = {**schema, "components": described()["components"]}
    found = OAS30Validator(whole).iter_errors(value)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def main() -> None:
    """Write what the test of what may be null needs of it."""
    taken = Description(described()).taken()
    NULLABLE.write_text(json.dumps(taken, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
