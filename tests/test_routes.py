"""Every recorded delivery through the routing: what it means stands in the .out file beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.events.routes import EVENTS, LARGEST_PUSH, ROUTES, route
from service.rules.facts import FactKind
from service.rules.reception import Reception

FOLDER = Path(__file__).parent / "deliveries"
DELIVERIES = sorted(FOLDER.glob("*.json"))


def event_of(path: Path) -> str:
    return path.stem.partition(".")[0].partition("-")[0]


def payload(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return loaded


def routed(name: str, **changes: Any) -> Reception:
    return route(event_of(FOLDER / name), json.dumps(payload(name) | changes).encode())


def told(reception: Reception) -> Iterator[str]:
    """A reception in lines, whatever is empty left out."""
    if reception.ignored:
        yield f"ignored: {reception.ignored}"
    yield f"installation {reception.installation_id}, repository {reception.repository_id}"
    yield from (f"look at {subject}" for subject in reception.subjects)
    for fact in reception.facts:
        yield f"fact {fact.id}: {fact.kind} of {fact.subject} at {fact.at} by {fact.actor or 'nobody'}"
        if fact.detail:
            yield f"    {fact.detail}"
    if known := reception.installation:
        yield f"installed on {known.account}, {len(known.permissions)} granted"
        yield f"    suspended {known.suspended_at}"
    if reception.uninstalled:
        yield "uninstalled"
    for found in reception.repositories:
        yield f"{found.full_name}: {found.default_branch}, {' '.join(found.topics)}"
        yield f"    archived {found.archived}, pushed {found.pushed_at}, updated {found.updated_at}"
    yield from (f"covers {stub.full_name} ({stub.id})" for stub in reception.stubs)
    yield from (f"covers {gone} no more" for gone in reception.removed)
    if pull := reception.pull_request:
        yield f"#{pull.number} by {pull.author}, {pull.state} at {pull.updated_at}: {pull.head_sha}"
        yield f"    onto {pull.base_ref} at {pull.base_sha}, before {pull.before_sha}"
    if reception.rerun_sha:
        yield f"again: {reception.rerun_sha}"


@pytest.mark.parametrize("path", DELIVERIES, ids=lambda path: path.stem)
def test_a_delivery_means_what_its_out_file_says(path: Path) -> None:
    text = "".join(f"{line}\n" for line in told(route(event_of(path), path.read_bytes())))
    golden = path.with_suffix(".out")
    if os.environ.get("WRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_every_route_was_met_by_a_delivery() -> None:
    met = {(event_of(path), json.loads(path.read_bytes()).get("action")) for path in DELIVERIES}
    alike = {("installation", "unsuspend"), ("repository", "unarchived")}
    alike |= {("repository", "publicized"), ("repository", "privatized")}
    assert set(ROUTES) - met == alike


def test_a_delivery_is_as_large_as_githubs() -> None:
    assert (FOLDER / "pull_request.opened.json").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("changes", "told_of"),
    [
        pytest.param({"commits": []}, False, id="no commit"),
        pytest.param({"commits": [{"modified": ["POC.md"]}]}, True, id="modified"),
        pytest.param({"commits": [{"removed": ["POC.md"]}]}, True, id="removed"),
        pytest.param({"commits": [{"added": ["a"]}, {"added": ["POC.md"]}, {}]}, True, id="in the middle"),
        pytest.param(
            {"commits": [{"added": ["poc.md", "x/POC.md", "POC.md.bak"]}]}, False, id="similar names"
        ),
        pytest.param({"commits": None}, True, id="it does not say"),
        pytest.param({"commits": [{}] * LARGEST_PUSH}, True, id="more commits than GitHub lists"),
        pytest.param({"commits": [], "forced": True}, True, id="forced"),
        pytest.param(
            {"ref": "refs/heads/dev", "commits": [{"added": ["POC.md"]}]}, False, id="another branch"
        ),
        pytest.param(
            {"ref": "refs/tags/main", "commits": [{"added": ["POC.md"]}]}, False, id="a tag of that name"
        ),
    ],
)
def test_a_push_that_may_have_changed_the_charter(changes: dict[str, Any], told_of: bool) -> None:
    kinds = {fact.kind for fact in routed("push", **changes).facts}
    assert (FactKind.CHARTER_PUSHED in kinds) is told_of


@pytest.mark.parametrize(
    ("event", "body", "reason"),
    [
        pytest.param("pull_request", {}, "a pull_request event without `repository`", id="no repository"),
        pytest.param("push", {"action": None}, "a push event without `repository`", id="a push of nothing"),
        pytest.param(
            "pull_request",
            {"repository": {}},
            "a pull_request event without `pull_request`",
            id="no pull request",
        ),
        pytest.param("issues", {"repository": {}}, "an issues event without `issue`", id="no issue"),
        pytest.param("merge_group", {"repository": {}}, "without `merge_group`", id="no merge group"),
        pytest.param(
            "check_run", {"repository": {}}, "without `check_run` or `check_suite`", id="no check run"
        ),
    ],
)
def test_a_body_that_is_not_of_its_event(event: str, body: dict[str, Any], reason: str) -> None:
    actions = {"issues": "closed", "merge_group": "checks_requested", "check_run": "rerequested"}
    whole = {"action": actions.get(event, "opened"), "installation": {"id": 1}} | body
    if "repository" in whole:
        whole["repository"] = {"id": 1, "full_name": "acme/x"}
    with pytest.raises(ValueError, match=reason):
        route(event, json.dumps(whole).encode())


@pytest.mark.parametrize("event", [*sorted(EVENTS), "star"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"1", b'"x"', b"\xff", b"payload=%7B%7D"], ids=repr
)
def test_what_is_not_a_json_object_is_refused_or_ignored(event: str, body: bytes) -> None:
    try:
        reception = route(event, body)
    except ValueError:
        return
    assert event == "star"
    assert reception.ignored


@example(
    "push",
    b'{"installation":{"id":1},"repository":{"id":1,"full_name":"a/b","default_branch":"m","pushed_at":1%s}}'
    % (b"0" * 20),
)
@given(st.sampled_from(sorted(EVENTS)), st.binary(max_size=200))
@example("push", b'{"installation":{"id":1},"repository":{"id":1,"full_name":"a/b","pushed_at":1e400}}')
@example(
    "push",
    b'{"installation":{"id":1},"repository":{"id":1,"full_name":"a/b","default_branch":"m","pushed_at":9999999999999}}',
)
@example(
    "push",
    b'{"installation":{"id":1},"repository":{"id":1,"full_name":"a/b","default_branch":"m","pushed_at":-99999999999}}',
)
def test_no_bytes_make_it_raise_anything_else(event: str, body: bytes) -> None:
    assert_harmless(event, body)


LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2**63,
        10**20,
        1e308,
        10**15,
        "",
        "x",
        "\x00",
        "é",
        [],
        {},
        [None],
        "2026-13-45T00:00:00Z",
    ]
)


def places(value: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Every place in a payload."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, *path, key)


@settings(max_examples=300)
@given(st.sampled_from(DELIVERIES), st.data())
def test_no_slip_in_a_payload_makes_it_raise_anything_else(path: Path, data: st.DataObject) -> None:
    whole = json.loads(path.read_bytes())
    place = data.draw(st.sampled_from(list(places(whole))[1:]))
    holder = whole
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = data.draw(LEAVES)
    assert_harmless(event_of(path), json.dumps(whole).encode())


def assert_harmless(event: str, body: bytes) -> None:
    try:
        reception = route(event, body)
    except ValueError:
        return
    assert all(len(subject.split(":")) > 1 for subject in reception.subjects)


def test_a_push_without_a_time_happened_about_now() -> None:
    repository = payload("push")["repository"] | {"pushed_at": None}
    [fact] = routed("push", repository=repository).facts
    assert abs(datetime.now(fact.at.tzinfo) - fact.at) < timedelta(minutes=1)
