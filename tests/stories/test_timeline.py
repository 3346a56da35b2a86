"""The timeline: what events and the repository's history leave in it, told once, by people alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from service.ports import GitHubError
from service.reconcile.history import SPAN, read_history
from service.reconcile.poc import Poc
from service.rules.evidence.claims import WorkflowRun
from service.rules.evidence.upload import Sent
from service.rules.gate.signoffs import Round, Signature
from service.rules.policy.model import NO_POLICY
from service.rules.policy.recognition import KnownRepository
from service.rules.queue import Failure, FailureKind
from service.rules.stall.review_requests import open_requests
from service.rules.stall.waiting_on import Request
from service.rules.values import activity
from service.rules.values.activity import ENGINEERING, Activity, ActivityKind
from service.rules.values.github import Installation, PullRequest
from service.rules.values.groups import Group
from service.store import subjects
from service.store.database import Database, transaction
from service.store.poc_records import PocRecord
from service.store.store import Store
from tests.harness.deliveries import Receiver, event_of, recorded
from tests.harness.github import NOW, PERMISSIONS, FakeApp, FakeGitHub, repository
from tests.harness.pocs import poc_id_of, stored_poc
from tests.harness.reconciliation import reconciling

POC = 9001
SHA = "c" * 40
SENT = Sent("latency_p95", Decimal(280), "ms")
INSTALLATION = Installation(7, "acme", dict(PERMISSIONS))


@pytest.fixture
def records(engine: Engine) -> Store:
    return Store(Database(engine))


def deliver(database_url: str, *names: str, **changes: Any) -> None:
    """Record deliveries as the receiver does, each under an id of its own."""
    receiver = Receiver(database_url)
    receiver.deliver_all(
        [
            (f"{name} {sorted(changes)}", event_of(name), json.dumps(recorded(name) | changes).encode())
            for name in names
        ]
    )
    receiver.close()


def told(records: Store, repository_id: int = POC) -> list[str]:
    """The timeline, in words."""
    return [
        f"{each.at:%d %H:%M} {each.actor}: {each.deed}"
        f"{f' #{each.number}' if each.number else ''}{f' of {each.asked}' if each.asked else ''}"
        for each in records.timeline.of(repository_id)
    ]


def commit(hours: int, login: str = "jane-doe") -> Activity:
    return activity.commit(POC, f"{hours}", login, NOW + timedelta(hours=hours))


LIFE = (
    "push-charter",
    "pull_request.opened",
    "pull_request.synchronize",
    "pull_request.review_requested",
    "pull_request_review.submitted",
    "pull_request_review.submitted-changes-requested",
    "pull_request.closed-merged",
    "deployment_status.created",
)
NOISE = (
    "push-bot",
    "push-merge",
    "push-tag",
    "push-forced",
    "push-created",
    "push-deleted",
    "push-known-commits",
    "push-of-a-bots-commit",
    "pull_request.opened-bot",
    "pull_request.labeled",
    "pull_request.edited-base",
    "pull_request.closed",
    "pull_request.converted_to_draft",
    "pull_request.review_request_removed",
    "pull_request.review_requested-by-a-bot",
    "pull_request_review.submitted-bot",
    "pull_request_review.dismissed",
    "issue_comment.created-ours",
    "issues.closed",
    "check_run.rerequested",
    "deployment_status.created-in-progress",
)


def last(records: Store, repository_id: int, **asked: Any) -> datetime | None:
    """When anybody last did anything, by what is stored."""
    return activity.last_activity(records.poc_records.waiting(None, repository_id).acted, **asked)


def awaited(records: Store, repository_id: int = POC) -> tuple[Request, ...]:
    """The reviews on #7 that are waited for, by what is stored."""
    asked = records.poc_records.waiting(None, repository_id).asked
    done = [each for each in asked if not each.taken_back]
    return open_requests(done, [each for each in asked if each.taken_back], [7])


def test_what_people_do_is_in_the_timeline_by_githubs_clock(records: Store, database_url: str) -> None:
    deliver(database_url, *reversed(LIFE))
    assert told(records) == [
        "20 09:00 jane-doe: pull-request #7",
        "20 10:15 jane-doe: charter",
        "20 10:15 jane-doe: commit",
        "20 10:20 jane-doe: review-requested #7 of dan-w",
        "20 11:00 jane-doe: merge #7",
        "20 11:02 alice-k: review #7",
        "20 11:05 carol-s: review #7",
        "20 13:08 jane-doe: deployment",
    ]


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_not(records: Store, database_url: str, name: str) -> None:
    deliver(database_url, name)
    assert told(records) == []
    assert last(records, POC) is None


def test_a_fork_s_new_head_is_a_commit(records: Store, database_url: str) -> None:
    deliver(database_url, "pull_request.synchronize-fork")
    assert told(records) == ["20 10:15 mallory: commit"]


def test_what_is_told_again_counts_once(records: Store, database_url: str) -> None:
    deliver(database_url, *LIFE)
    before = told(records)
    deliver(database_url, *LIFE, organization={"login": "acme"})
    assert told(records) == before


def test_history_and_events_tell_of_the_same_once(records: Store, database_url: str) -> None:
    deliver(database_url, *LIFE)
    before = records.timeline.of(POC)
    head, merged_at = "e5bd3914e2e596debea16f433f57875b5b90bcd6", datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    records.timeline.remember(
        POC,
        [
            activity.commit(POC, head, "jane-doe", merged_at),
            activity.charter(POC, head, "jane-doe", merged_at),
            activity.opened(POC, 7, "jane-doe", merged_at),
            activity.requested(POC, 7, "dan-w", "jane-doe", datetime(2026, 11, 20, 10, 20, tzinfo=UTC)),
            activity.merged(POC, 7, "jane-doe", merged_at),
            activity.reviewed(POC, 7, 70011, "alice-k", merged_at),
            activity.deployed(
                POC, "support-prod", "6dcb09b5b57875f334f61aebed695e2e4193db5e", "jane-doe", merged_at
            ),
        ],
    )
    assert records.timeline.of(POC) == before


def test_what_is_remembered_leads_to_no_look(records: Store, engine: Engine) -> None:
    records.timeline.remember(POC, [commit(1)])
    with transaction(engine) as session:
        assert subjects.peek(session, f"repository:{POC}", None).facts == ()
        assert subjects.ready(session) == []


def test_the_timeline_of_one_poc_is_its_own(records: Store) -> None:
    records.timeline.remember(POC, [commit(1)])
    assert records.timeline.of(POC + 1) == ()
    assert last(records, POC + 1) is None


def test_since_a_moment(records: Store) -> None:
    records.timeline.remember(POC, [commit(3), commit(1), commit(2)])
    assert records.timeline.of(POC) == (commit(1), commit(2), commit(3))
    assert records.timeline.of(POC, since=commit(2).at) == (commit(2), commit(3))


@pytest.mark.parametrize(
    ("asked", "hours"),
    [
        pytest.param({}, 6, id="anybody, anything"),
        pytest.param({"kinds": ENGINEERING}, 4, id="engineering"),
        pytest.param({"kinds": [ActivityKind.REVIEW]}, 5, id="one deed"),
        pytest.param({"kinds": []}, None, id="no deed"),
        pytest.param({"kinds": [ActivityKind.COMMIT]}, 3, id="commits, recorded with their deed or without"),
        pytest.param({"but": ["alice-k"]}, 4, id="anybody but one"),
        pytest.param({"but": ["jane-doe"], "kinds": ENGINEERING}, 2, id="engineering by others"),
        pytest.param({"but": []}, 6, id="but no one"),
    ],
)
def test_when_somebody_last_did_something(
    records: Store, engine: Engine, asked: dict[str, Any], hours: int | None
) -> None:
    def at(hour: int) -> datetime:
        return NOW + timedelta(hours=hour)

    records.timeline.remember(
        POC,
        [
            activity.commit(POC, "a", "jane-doe", at(1)),
            activity.commit(POC, "b", "bob-m", at(2)),
            activity.merged(POC, 7, "jane-doe", at(4)),
            activity.reviewed(POC, 7, 1, "alice-k", at(5)),
            activity.requested(POC, 7, "bob-m", "alice-k", at(6)),
            activity.requested(POC, 7, "bob-m", "", at(7)),
            activity.drafted(POC, 7, "jane-doe", at(8)),
        ],
    )
    with transaction(engine) as session:
        session.connection().execute(
            text(
                "INSERT INTO fact (id, subject, kind, at, actor, detail) "
                f"VALUES ('old', 'repository:{POC}', 'activity', :at, 'jane-doe', '')"
            ),
            {"at": at(3)},
        )
    found = last(records, POC, **asked)
    assert found == (None if hours is None else at(hours))


def test_a_commit_that_was_found_counts_once(records: Store) -> None:
    for _ in range(2):
        records.timeline.remember(POC, [activity.seen_commit(POC, "jane-doe", NOW)])
    assert [each.deed for each in records.timeline.of(POC)] == [ActivityKind.COMMIT]
    assert records.poc_records.stalls([POC])[POC].acted == {"jane-doe": NOW}


ASKED = datetime(2026, 11, 20, 10, 20, tzinfo=UTC)
BY_BOT = datetime(2026, 11, 20, 10, 23, tzinfo=UTC)
TEAM = datetime(2026, 11, 20, 10, 21, tzinfo=UTC)
READY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("names", "waiting"),
    [
        pytest.param(["review_requested"], [Request(("dan-w",), ASKED, 7)], id="asked"),
        pytest.param(["review_requested-by-a-bot"], [Request(("dan-w",), BY_BOT, 7)], id="asked by a bot"),
        pytest.param(["review_requested-of-a-bot"], [], id="a bot is not waited for"),
        pytest.param(["review_requested-team"], [Request(("acme/security",), TEAM, 7)], id="a team"),
        pytest.param(["review_requested", "review_request_removed"], [], id="asked no more"),
        pytest.param(["opened-draft", "review_requested"], [], id="a draft"),
        pytest.param(["review_requested", "converted_to_draft"], [], id="it became a draft"),
        pytest.param(
            ["review_requested", "converted_to_draft", "ready_for_review"],
            [Request(("dan-w",), READY, 7)],
            id="it is ready again",
        ),
    ],
)
def test_whose_review_events_make_us_wait_for(
    records: Store, database_url: str, names: list[str], waiting: list[Request]
) -> None:
    deliver(database_url, *(f"pull_request.{name}" for name in reversed(names)))
    assert list(awaited(records)) == waiting


def test_a_review_is_not_waited_for_after_it_came(records: Store, database_url: str) -> None:
    deliver(database_url, "pull_request.review_requested")
    review = recorded("pull_request_review.submitted")["review"]
    review |= {"state": "commented", "user": {"login": "dan-w", "type": "User"}}
    deliver(database_url, "pull_request_review.submitted", review=review)
    assert awaited(records) == ()


# Heads that authors showed.


def pull(head_sha: str, author: str = "jane-doe") -> PullRequest:
    return PullRequest(POC, 7, head_sha, "main", SHA, author, "open", NOW)


def test_an_author_who_showed_a_head_is_known_by_it(records: Store, database_url: str) -> None:
    deliver(database_url, "pull_request.synchronize")
    head = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
    assert records.timeline.told_of(pull(head)).moved_by_author
    assert records.timeline.told_of(pull(head, "Jane-Doe")).moved_by_author
    assert not records.timeline.told_of(pull(SHA)).moved_by_author
    assert not records.timeline.told_of(pull(head, "alice-k")).moved_by_author


# Signatures and evidence.


def signature(group: Group, source: str) -> Signature:
    return Signature("alice-k", group, Round.START, "hash", NOW, 7, source)


def test_a_review_that_signs_for_two_groups_is_one_deed(records: Store) -> None:
    both = [signature(group, "review:70011") for group in (Group.SECURITY, Group.PLATFORM)]
    for _ in range(2):
        records.signatures.give(poc_id_of(records, POC), POC, both)
    assert told(records) == ["23 09:00 alice-k: signature #7"]


def test_what_an_author_signs_by_opening_is_told_by_the_opening(records: Store) -> None:
    records.signatures.give(poc_id_of(records, POC), POC, [signature(Group.PRODUCT, f"opened:7:{SHA}")])
    assert told(records) == []


def run(token: str, actor: str = "jane-doe", sha: str = SHA) -> WorkflowRun:
    return WorkflowRun(
        POC, "acme/poc-triage", sha, None, 1, 1, token, actor, None, "push", token, NOW + timedelta(days=1)
    )


def upload(database_url: str, *runs: WorkflowRun) -> None:
    receiver = Receiver(database_url)
    for each in runs:
        receiver.upload(each, [SENT])
    receiver.close()


@pytest.fixture
def covered(engine: Engine) -> None:
    """A POC that an installation covers."""
    with transaction(engine) as session:
        session.connection().execute(
            text("INSERT INTO installation (id, account, permissions) VALUES (7, 'acme', '{}')")
        )
        session.connection().execute(
            text(
                "INSERT INTO repository (id, installation_id, full_name, topics, poc_reason) "
                f"VALUES ({POC}, 7, 'acme/poc-triage', '{{}}', 'name')"
            )
        )


@pytest.mark.usefixtures("covered")
def test_the_first_numbers_of_a_commit_are_news_and_a_repetition_is_none(
    records: Store, database_url: str
) -> None:
    upload(database_url, run("1"), run("2"))
    [first] = records.timeline.of(POC)
    assert (first.deed, first.actor) == (ActivityKind.EVIDENCE, "jane-doe")
    upload(database_url, run("3"), run("4", sha="d" * 40), run("5", "renovate[bot]", "e" * 40))
    assert [each.actor for each in records.timeline.of(POC)] == ["jane-doe", "jane-doe"]


# The history at registration.


def read(engine: Engine, github_app: FakeApp, known: KnownRepository | None = None) -> None:
    """Read a POC's history, as a reconciliation of it does."""
    store = Store(Database(engine))
    poc_id, stored = poc_id_of(store, 1), stored_poc(store, 1)
    record = PocRecord(known or KNOWN, NO_POLICY, None, poc_id, stored, None, {}, (), None)
    with reconciling(engine, github_app) as ctx:
        read_history(ctx, Poc(record, ctx.store, ctx.notes))


KNOWN = KnownRepository(
    installation_id=7,
    repository=repository(),
    described=True,
    removed=False,
    reread=False,
    first_seen_at=NOW,
    first_pushed_at=NOW,
    poc_reason="name",
    registered_at=NOW,
    charter=None,
    chartered_at=None,
    charter_changed_at=None,
)


@pytest.fixture
def github_app() -> FakeApp:
    made = FakeApp(INSTALLATION)
    made.githubs[7].add(repository()).happened = [
        activity.commit(1, "a", "jane-doe", NOW - timedelta(days=3)),
        activity.commit(1, "b", "jane-doe", NOW + timedelta(days=3)),
        activity.commit(1, "c", "", NOW - timedelta(days=3)),
        activity.commit(1, "d", "jane-doe", NOW - SPAN - timedelta(seconds=1)),
        activity.requested(1, 7, "dan-w", "jane-doe", NOW - timedelta(days=2)),
        activity.requested(1, 7, "dan-w", "jane-doe", NOW - timedelta(days=1), taken_back=True),
    ]
    return made


def github_of(github_app: FakeApp) -> FakeGitHub:
    return github_app.githubs[7]


def test_history_is_read_once_and_nothing_is_dated_in_the_future(
    records: Store, engine: Engine, github_app: FakeApp
) -> None:
    for _ in range(2):
        read(engine, github_app)
    assert told(records, 1) == [
        "20 09:00 jane-doe: commit",
        "21 09:00 jane-doe: review-requested #7 of dan-w",
        "23 09:00 jane-doe: commit",
    ]
    assert awaited(records, 1) == ()
    assert len(github_of(github_app).made("history")) == 1


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(replace(KNOWN, repository=repository(archived=True)), id="archived"),
        pytest.param(
            replace(
                KNOWN,
                repository=repository(pushed_at=NOW - timedelta(days=400)),
                first_pushed_at=NOW - timedelta(days=400),
            ),
            id="dormant",
        ),
    ],
)
def test_history_of_what_rests_is_not_read(
    records: Store, engine: Engine, github_app: FakeApp, known: KnownRepository
) -> None:
    read(engine, github_app, known)
    assert github_of(github_app).calls == []
    assert not stored_poc(records, 1).history_read


@pytest.mark.parametrize("kind", [FailureKind.REFUSED, FailureKind.GONE])
def test_history_that_is_refused_stays_unread_and_stops_no_look(
    records: Store, engine: Engine, github_app: FakeApp, kind: FailureKind
) -> None:
    github_of(github_app).fail_next(Failure(kind, "no"), "history")
    read(engine, github_app)
    assert told(records, 1) == []
    assert not stored_poc(records, 1).history_read
    read(engine, github_app)
    assert stored_poc(records, 1).history_read


@pytest.mark.parametrize("kind", [FailureKind.TRANSIENT, FailureKind.RATE_LIMITED])
def test_history_that_does_not_come_now_is_waited_for(
    records: Store, engine: Engine, github_app: FakeApp, kind: FailureKind
) -> None:
    github_of(github_app).fail_next(Failure(kind, "later", NOW), "history")
    with pytest.raises(GitHubError):
        read(engine, github_app)
    assert not stored_poc(records, 1).history_read
