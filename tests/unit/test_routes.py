"""Every recorded delivery through the routing: what it means stands in the .out file beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.deliveries.routes import EVENTS, ROUTES, route
from service.deliveries.routes_push import LARGEST_PUSH
from service.rules.values import recorded as told_of
from service.rules.values.github import EventKind
from service.rules.values.subjects import DeliveryEffects
from tests.harness.deliveries import event_of, recorded
from tests.harness.golden import assert_golden
from tests.harness.places import DELIVERIES

FILES = [f"data/{number}.json" for number in range(3000)]
RECORDED = sorted(DELIVERIES.glob("*.json"))


def routed(name: str, **changes: Any) -> DeliveryEffects:
    return route(event_of(name), json.dumps(recorded(name) | changes).encode())


def told(reception: DeliveryEffects) -> Iterator[str]:
    """A reception in lines, whatever is empty left out."""
    if reception.ignored:
        yield f"ignored: {reception.ignored}"
    yield f"installation {reception.installation_id}, repository {reception.repository_id}"
    yield from (f"look at {subject}" for subject in reception.subjects)
    for fact in reception.events:
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
    yield from (f"log out account {account}" for account in [reception.logged_out] if account)
    if reception.rerun_sha:
        yield f"again: {reception.rerun_sha}"
    yield from limits(reception)


def limits(reception: DeliveryEffects) -> Iterator[str]:
    """Where it means nothing."""
    if reception.for_pocs_only:
        yield "nothing where the repository is known to be no POC"
    if reception.describes_only:
        yield "nothing where all of this is known"
    if reception.branch:
        yield f"to {reception.branch}, which may require a check run"


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_delivery_means_what_its_out_file_says(path: Path) -> None:
    text = "".join(f"{line}\n" for line in told(route(event_of(path.stem), path.read_bytes())))
    assert_golden(path.with_suffix(".out"), text)


def test_every_route_was_met_by_a_delivery() -> None:
    met = {(event_of(path.stem), json.loads(path.read_bytes()).get("action")) for path in RECORDED}
    alike = {("repository", "unarchived")}
    alike |= {("repository", "publicized"), ("repository", "privatized")}
    assert set(ROUTES) - met == alike


def test_a_delivery_is_as_large_as_githubs() -> None:
    assert (DELIVERIES / "pull_request.opened.json").stat().st_size > 20_000


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
        pytest.param(
            {"commits": [{"modified": FILES[1:]}]}, False, id="nearly as many files as GitHub lists"
        ),
        pytest.param({"commits": [{}, {"modified": FILES}]}, True, id="more files than GitHub lists"),
        pytest.param(
            {"commits": [{"added": FILES[:1000], "removed": FILES[1000:2000], "modified": FILES[2000:]}]},
            True,
            id="more files than GitHub lists, of each kind some",
        ),
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
    kinds = {fact.kind for fact in routed("push", **changes).events}
    assert (EventKind.CHARTER_PUSHED in kinds) is told_of


COPILOT = {"login": "Copilot", "id": 198982749, "type": "Bot"}
JANE = {"login": "jane-doe", "id": 5, "type": "User"}


def activities(effects: DeliveryEffects) -> list[str]:
    return [fact.id for fact in effects.events if fact.kind is EventKind.ACTIVITY]


@pytest.mark.parametrize(
    "author",
    [
        {"username": "Copilot"},
        {"username": "copilot-swe-agent[bot]"},
        {"email": "198982749+Copilot@users.noreply.github.com"},
        {"username": "renamed", "email": "198982749+renamed@users.noreply.github.com"},
    ],
    ids=str,
)
def test_an_agents_commits_are_nobodys_work(author: dict[str, str]) -> None:
    commit = {"id": "c" * 40, "message": "Fix it", "author": author}
    assert activities(routed("push-branch", commits=[commit], sender=JANE)) == []
    assert activities(routed("push-branch", commits=[commit | {"author": JANE}], sender=JANE)) != []


def test_behind_an_agents_pull_request_is_the_person_who_is_assigned() -> None:
    pull = recorded("pull_request.opened")["pull_request"] | {"user": COPILOT, "assignees": [COPILOT, JANE]}
    effects = routed("pull_request.opened", pull_request=pull, sender=COPILOT)
    assert effects.pull_request
    assert (effects.pull_request.author, effects.pull_request.behind) == ("Copilot", "jane-doe")
    assert effects.events == ()


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
        pytest.param("pull_request_review", {"repository": {}}, "without `review`", id="no review"),
        pytest.param("issue_comment", {"repository": {}}, "without `comment` or `issue`", id="no comment"),
        pytest.param("deployment_protection_rule", {"repository": {}}, "without a run", id="no deployment"),
        pytest.param(
            "deployment_status", {"repository": {}}, "without `deployment`", id="no deployment's status"
        ),
    ],
)
def test_a_body_that_is_not_of_its_event(event: str, body: dict[str, Any], reason: str) -> None:
    actions = {
        "issues": "closed",
        "merge_group": "checks_requested",
        "check_run": "rerequested",
        "pull_request_review": "submitted",
        "issue_comment": "created",
        "deployment_protection_rule": "requested",
        "deployment_status": "created",
    }
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
@given(st.sampled_from(RECORDED), st.data())
def test_no_slip_in_a_payload_makes_it_raise_anything_else(path: Path, data: st.DataObject) -> None:
    whole = json.loads(path.read_bytes())
    place = data.draw(st.sampled_from(list(places(whole))[1:]))
    holder = whole
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = data.draw(LEAVES)
    assert_harmless(event_of(path.stem), json.dumps(whole).encode())


def assert_harmless(event: str, body: bytes) -> None:
    try:
        reception = route(event, body)
    except ValueError:
        return
    assert all(len(subject.split(":")) > 1 for subject in reception.subjects)


def test_a_push_without_a_time_happened_about_now() -> None:
    repository = recorded("push")["repository"] | {"pushed_at": None}
    facts = routed("push", repository=repository).events
    assert {fact.kind for fact in facts} == {EventKind.ACTIVITY, EventKind.DEFAULT_PUSHED}
    assert all(abs(datetime.now(fact.at.tzinfo) - fact.at) < timedelta(minutes=1) for fact in facts)


def test_a_default_branch_that_is_deleted_or_created_elsewhere_was_not_moved() -> None:
    for changes in ({"after": "0" * 40}, {"ref": "refs/heads/work"}, {"ref": "refs/tags/main"}):
        kinds = {fact.kind for fact in routed("push", **changes).events}
        assert EventKind.DEFAULT_PUSHED not in kinds


def test_a_branch_forced_back_to_where_it_was_moved_again() -> None:
    later = recorded("push")["repository"] | {"pushed_at": 1795000000}
    moves = [routed("push"), routed("push", repository=later)]
    ids = {fact.id for move in moves for fact in move.events if fact.kind is EventKind.DEFAULT_PUSHED}
    assert len(ids) == 2


REVIEW, COMMENT = "pull_request_review.submitted", "issue_comment.created"
DEPLOYMENT, DEPLOYED = "deployment_protection_rule.requested", "deployment_status.created"


def test_a_review_is_told_as_it_was_recorded() -> None:
    facts = [*routed("pull_request_review.dismissed").events, *routed(REVIEW).events]
    given, taken = told_of.recorded_reviews(facts)
    assert (given.review.state, given.dismissed, given.actor) == ("approved", False, "alice-k")
    assert (taken.review.id, taken.dismissed, taken.actor) == (given.review.id, True, "jane-doe")
    assert taken.review.login == "alice-k"


def test_a_review_in_capitals_is_the_same() -> None:
    review = recorded(REVIEW)["review"] | {"state": "APPROVED", "commit_id": None}
    [told] = told_of.recorded_reviews(routed(REVIEW, review=review).events)
    assert (told.review.state, told.review.commit_id) == ("approved", "")


def test_a_dismissal_in_the_second_of_the_review_comes_after_it() -> None:
    pull = recorded(REVIEW)["pull_request"]
    dismissed = routed("pull_request_review.dismissed", pull_request=pull).events
    assert [each.dismissed for each in told_of.recorded_reviews([*dismissed, *routed(REVIEW).events])] == [
        False,
        True,
    ]


def test_the_review_of_somebody_who_left_can_be_dismissed_and_not_given() -> None:
    left = recorded(REVIEW)["review"] | {"user": None}
    assert routed(REVIEW, review=left).ignored
    assert routed("pull_request_review.dismissed", review=left).events


def test_commands_are_told_in_the_order_in_which_they_were_given() -> None:
    comment = recorded(COMMENT)["comment"]
    later = comment | {"id": 2, "body": "/poc help\n/poc sign", "created_at": "2026-11-20T11:15:43Z"}
    facts = [*routed(COMMENT, comment=later).events, *routed(COMMENT).events]
    told = told_of.recorded_commands(reversed(facts))
    assert [each.line.text for each in told] == ["/poc ship", "/poc help", "/poc sign"]
    assert [each.line.index for each in told] == [0, 0, 1]
    assert {each.actor for each in told} == {"jane-doe"}


@pytest.mark.parametrize("body", [None, "", "thanks", "see /poc ship", "/pocket", "    /poc ship"])
def test_a_comment_without_a_command_means_nothing(body: str | None) -> None:
    comment = recorded(COMMENT)["comment"] | {"body": body}
    assert routed(COMMENT, comment=comment).ignored == "no command in it"


def test_a_command_with_odd_characters_can_be_recorded_and_told() -> None:
    comment = recorded(COMMENT)["comment"] | {"body": '/poc ship \x00 "é" \\ \U0001f600'}
    facts = routed(COMMENT, comment=comment).events
    assert facts[0].detail.isascii()
    assert "\x00" not in facts[0].detail
    assert told_of.recorded_commands(facts)[0].line.text.startswith("/poc ship")


@pytest.mark.parametrize(
    ("address", "run_id"),
    [
        ("https://api.github.com/repos/acme/x/actions/runs/42/deployment_protection_rule", 42),
        ("https://github.example.com/api/v3/repos/acme/x/actions/runs/7/deployment_protection_rule", 7),
        ("https://evil.example/actions/runs/42/deployment_protection_rule", 42),
        ("https://api.github.com/repos/acme/x/actions/runs/42/approvals", None),
        ("https://api.github.com/repos/acme/x/actions/runs/x/deployment_protection_rule", None),
        ("https://api.github.com/actions/runs/1234567890123456789012/deployment_protection_rule", None),
        ("", None),
        (None, None),
    ],
)
def test_of_the_address_to_answer_at_only_the_runs_id_is_taken(
    address: str | None, run_id: int | None
) -> None:
    if run_id is None:
        with pytest.raises(ValueError, match="without a run"):
            routed(DEPLOYMENT, deployment_callback_url=address)
        return
    [request] = told_of.deployment_requests(routed(DEPLOYMENT, deployment_callback_url=address).events)
    assert request.run_id == run_id
    assert (request.deployment_id, request.environment) == (91001, "support-prod")


def test_a_job_that_makes_no_deployment_of_it_waits_as_well() -> None:
    reception = routed(DEPLOYMENT, deployment=None)
    [request] = told_of.deployment_requests(reception.events)
    assert (request.deployment_id, request.sha) == (18500042, recorded(DEPLOYMENT)["sha"])
    assert reception.subjects == ("deployment:9001:18500042",)


def test_a_deployment_waits_for_an_answer_in_every_repository_and_nothing_else_does() -> None:
    assert not routed(DEPLOYMENT).for_pocs_only
    assert all(routed(name).for_pocs_only for name in (REVIEW, COMMENT, DEPLOYED))


def test_a_deployment_that_succeeded_is_told_once_however_often_its_status_is_set() -> None:
    again = recorded(DEPLOYED)["deployment_status"] | {"id": 1, "created_at": "2026-11-20T14:00:00Z"}
    first, second = routed(DEPLOYED).events, routed(DEPLOYED, deployment_status=again).events
    assert [fact.id for fact in first] == [fact.id for fact in second]
    [told] = told_of.recorded_deployments(first)
    assert (told.deployed.environment, told.deployed.deployment_id) == ("support-prod", 91001)
