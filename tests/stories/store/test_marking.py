"""Which deliveries mark a subject, by what is known of their repository: nothing that makes a POC is missed.

The payloads are the recorded ones, about a repository that is called acme/app here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import psycopg
import pytest

from service.deliveries.routes_push import LARGEST_PUSH, NO_COMMIT
from tests.harness.deliveries import Receiver, event_of, recorded

NUMBERS = count(100)
INSTALLATION = 8150
APP: dict[str, Any] = {"full_name": "acme/app", "topics": ["nlp"], "updated_at": "2026-11-20T10:15:30Z"}
LATER = "2026-11-21T10:15:30Z"
MERGED, PUSHED = "pull_request.closed-merged", "push"
FILES = [f"data/{number}.json" for number in range(3000)]
CREATED_FROM = {"before": NO_COMMIT, "created": True, "commits": []}

NO_POC: dict[str, Any] = {"charter_kind": "absent", "reread": False}
A_POC = NO_POC | {"charter_kind": "file", "poc_reason": "topic poc"}
UNKNOWN = None
NOT_LOOKED_AT: dict[str, Any] = {"charter_kind": None, "reread": True}
TO_BE_READ_AGAIN = NO_POC | {"reread": True}
REMOVED = NO_POC | {"removed_at": "2026-11-01"}
OTHER_PROPERTIES = NO_POC | {"properties": '{"stage": ["poc"]}'}
UNDESCRIBED = NOT_LOOKED_AT | {"default_branch": "", "topics": []}

NEVER: list[Mapping[str, Any]] = [
    {"topics": ["not-a-poc"]},
    {"archived": True},
    {"full_name": "acme/.github"},
]
"""What is none by what GitHub says of it: it is described so before."""

NOTHING: tuple[str, ...] = ()
REPOSITORY, PULL, POLICY = "repository", "pull_request", "policy"
MOVED = (PULL, REPOSITORY)


class Recorded:
    """A receiver over a database of the module's own, and a new repository for each case."""

    def __init__(self, url: str) -> None:
        self.receiver = Receiver(url)
        self.connection = psycopg.connect(url, autocommit=True)
        self.id = 0

    def knows(self, state: Mapping[str, Any] | None, told: Mapping[str, Any]) -> None:
        """Describe a repository, and set the columns that a look would have set."""
        self.id = next(NUMBERS)
        if state is None:
            return
        self.deliver("repository.edited-topics", told, {})
        columns = ", ".join(f"{name} = %({name})s" for name in state)
        self.ask(f"UPDATE repository SET {columns} WHERE id = %(id)s RETURNING id", **state)
        self.connection.execute("DELETE FROM subject")

    def deliver(self, name: str, told: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[str, ...]:
        """Deliver a recorded payload, and name what it marks."""
        payload = recorded(name) | dict(changes)
        payload["repository"] |= APP | {"id": self.id} | dict(told)
        if "pull_request" in payload:
            payload["pull_request"]["head"]["repo"]["id"] = self.id
        self.receiver.deliver(event_of(name), json.dumps(payload).encode(), f"delivery-{next(NUMBERS)}")
        marked = self.ask("DELETE FROM subject RETURNING key")
        return tuple(sorted(key.partition(":")[0] for key in marked))

    def ask(self, query: str, **values: Any) -> list[Any]:
        """The first column of what a statement about the repository returns."""
        cursor = self.connection.execute(query.encode(), {"id": self.id, **values})
        return [row[0] for row in cursor.fetchall()]

    def at(self, column: str) -> str:
        """A time that is known of the repository."""
        [found] = self.ask(f"SELECT {column} FROM repository WHERE id = %(id)s")
        return found.isoformat()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def deliveries(module_database_url: str) -> Iterator[Recorded]:
    made = Recorded(module_database_url)
    yield made
    made.receiver.close()
    made.connection.close()


def commits(*each: dict[str, Any]) -> dict[str, Any]:
    return {"commits": [{"id": "a" * 40, "message": "Work", **commit} for commit in each]}


@pytest.mark.parametrize(
    ("name", "state", "told", "changes", "marked"),
    [
        # What only describes.
        pytest.param("repository.created", UNKNOWN, {}, {}, (REPOSITORY,), id="created"),
        pytest.param("repository.created", NOT_LOOKED_AT, {}, {}, (REPOSITORY,), id="created after its push"),
        pytest.param("repository.created", UNDESCRIBED, {}, {}, (REPOSITORY,), id="only its name was known"),
        pytest.param("repository.edited-topics", NO_POC, {}, {}, NOTHING, id="edited, and nothing of ours"),
        pytest.param("repository.edited-topics", A_POC, {}, {}, NOTHING, id="the same of a POC"),
        pytest.param(
            "repository.edited-topics", NO_POC, {"updated_at": LATER}, {}, NOTHING, id="described long ago"
        ),
        pytest.param(
            "repository.edited-topics", TO_BE_READ_AGAIN, {}, {}, (REPOSITORY,), id="to be read again"
        ),
        pytest.param("repository.edited-topics", REMOVED, {}, {}, (REPOSITORY,), id="it is back"),
        pytest.param(
            "repository.edited-topics", NO_POC, {"topics": ["poc"]}, {}, (REPOSITORY,), id="another topic"
        ),
        pytest.param(
            "repository.renamed", NO_POC, {"full_name": "acme/poc-app"}, {}, (REPOSITORY,), id="another name"
        ),
        pytest.param(
            "repository.transferred",
            NO_POC,
            {},
            {"installation": {"id": 5}},
            (REPOSITORY,),
            id="another account",
        ),
        pytest.param(
            "repository.edited-topics",
            NO_POC,
            {"default_branch": "trunk"},
            {},
            (REPOSITORY,),
            id="another default branch",
        ),
        pytest.param(
            "repository.archived",
            NO_POC,
            {"archived": True, "fork": False},
            {},
            (REPOSITORY,),
            id="it was archived",
        ),
        pytest.param(
            "repository.archived",
            NOT_LOOKED_AT | {"archived": True},
            {"archived": False},
            {"action": "unarchived"},
            (REPOSITORY,),
            id="it is archived no more",
        ),
        pytest.param(
            "repository.archived", A_POC, {"private": False}, {}, (REPOSITORY,), id="everybody may see it"
        ),
        pytest.param(
            "repository.edited-topics", A_POC, {"has_issues": False}, {}, (REPOSITORY,), id="issues are off"
        ),
        pytest.param(
            "repository.edited-topics",
            NO_POC,
            {"custom_properties": {"stage": "poc"}},
            {},
            (REPOSITORY,),
            id="another property beside it",
        ),
        pytest.param(
            "custom_property_values.updated", NO_POC, {}, {}, (REPOSITORY,), id="another custom property"
        ),
        pytest.param(
            "custom_property_values.updated",
            OTHER_PROPERTIES,
            {"custom_properties": {"stage": "poc"}},
            {"new_property_values": [{"property_name": "stage", "value": "poc"}]},
            NOTHING,
            id="the custom property that it had",
        ),
        pytest.param(
            "custom_property_values.updated",
            OTHER_PROPERTIES,
            {"custom_properties": {"stage": "poc"}},
            {"new_property_values": [{"property_name": "stage", "value": None}]},
            (REPOSITORY,),
            id="a custom property less",
        ),
        pytest.param(
            "custom_property_values.updated-in-part",
            NO_POC,
            {},
            {},
            ("installation", REPOSITORY),
            id="which custom properties it has is not said",
        ),
        pytest.param("repository.deleted", NO_POC, {}, {}, (REPOSITORY,), id="deleted"),
        pytest.param(
            "repository.edited-topics",
            NO_POC,
            {"full_name": "acme/.github"},
            {},
            (POLICY, REPOSITORY),
            id="the policy's own",
        ),
        # Merges, and what else only a POC could need.
        pytest.param(MERGED, NO_POC, {}, {}, NOTHING, id="merged"),
        pytest.param(MERGED, A_POC, {}, {}, MOVED, id="merged in a POC"),
        pytest.param(MERGED, UNKNOWN, {}, {}, MOVED, id="merged where nothing is known"),
        pytest.param(MERGED, NOT_LOOKED_AT, {}, {}, MOVED, id="merged before the first look"),
        pytest.param(MERGED, TO_BE_READ_AGAIN, {}, {}, MOVED, id="merged where pushes were missed"),
        pytest.param(MERGED, NO_POC, {"topics": ["poc"]}, {}, MOVED, id="merged with another topic"),
        pytest.param(
            MERGED,
            NO_POC,
            {"custom_properties": {"stage": "poc"}},
            {},
            MOVED,
            id="merged with another custom property",
        ),
        pytest.param(
            "pull_request.opened", NO_POC, {}, {}, MOVED, id="opened: its branch may require the check"
        ),
        pytest.param(
            "pull_request.synchronize",
            A_POC,
            {"topics": ["poc"]},
            {},
            MOVED,
            id="a new head tells first of another topic",
        ),
        pytest.param(
            "pull_request.synchronize", A_POC, {}, {}, (PULL,), id="a new head, and nothing else is new"
        ),
        pytest.param("pull_request_review.submitted", NO_POC, {}, {}, NOTHING, id="reviewed"),
        pytest.param("issue_comment.created", NO_POC, {}, {}, NOTHING, id="a command"),
        pytest.param("deployment_status.created", NO_POC, {}, {}, NOTHING, id="deployed"),
        pytest.param(
            "check_run.rerequested", NO_POC, {"topics": ["poc"]}, {}, (REPOSITORY,), id="asked for again"
        ),
        # Pushes.
        pytest.param(PUSHED, UNKNOWN, {}, {}, (REPOSITORY,), id="pushed where nothing is known"),
        pytest.param(PUSHED, NO_POC, {}, {}, NOTHING, id="pushed"),
        pytest.param(PUSHED, NOT_LOOKED_AT, {}, {}, (REPOSITORY,), id="pushed before the first look"),
        pytest.param(PUSHED, NO_POC, {"fork": True}, {}, (REPOSITORY,), id="pushed to what became a fork"),
        pytest.param(
            PUSHED, NO_POC, {"full_name": "acme/poc-app"}, {}, (REPOSITORY,), id="pushed under another name"
        ),
        pytest.param(PUSHED, A_POC, {}, {}, (REPOSITORY,), id="pushed to a POC"),
        pytest.param(PUSHED, NO_POC, {}, commits({"added": ["POC.md"]}), (REPOSITORY,), id="it adds POC.md"),
        pytest.param(
            PUSHED,
            NO_POC,
            {},
            commits({}, {"removed": ["poc.md"], "added": ["POC.md"]}, {}),
            (REPOSITORY,),
            id="it renames poc.md",
        ),
        pytest.param(
            PUSHED, NO_POC, {}, commits({"modified": ["poc.md", "docs/POC.md"]}), NOTHING, id="similar names"
        ),
        pytest.param(
            PUSHED,
            NO_POC,
            {},
            commits({"distinct": False, "modified": ["POC.md"]}),
            (REPOSITORY,),
            id="by a commit that another branch had",
        ),
        pytest.param(
            PUSHED,
            NO_POC,
            {},
            commits(*[{}] * LARGEST_PUSH),
            (REPOSITORY,),
            id="as many commits as are listed",
        ),
        pytest.param(PUSHED, NO_POC, {}, commits(*[{}] * (LARGEST_PUSH - 1)), NOTHING, id="one commit less"),
        pytest.param(
            PUSHED, NO_POC, {}, commits({"modified": FILES}), (REPOSITORY,), id="as many files as are listed"
        ),
        pytest.param(PUSHED, NO_POC, {}, commits({"modified": FILES[1:]}), NOTHING, id="one file less"),
        pytest.param(PUSHED, NO_POC, {}, {"forced": True, "commits": []}, (REPOSITORY,), id="forced"),
        pytest.param(PUSHED, NO_POC, {}, CREATED_FROM, (REPOSITORY,), id="a default branch begins anew"),
        pytest.param(
            PUSHED, NO_POC, {}, CREATED_FROM | {"ref": "refs/heads/dev"}, NOTHING, id="another branch begins"
        ),
        pytest.param(
            PUSHED,
            NO_POC,
            {},
            commits({"added": ["POC.md"]}) | {"ref": "refs/heads/dev"},
            NOTHING,
            id="POC.md on another branch",
        ),
        # The policy's own repository is no POC by its name.
        pytest.param(PUSHED, NOT_LOOKED_AT, {"full_name": "acme/.github"}, {}, NOTHING, id="no policy in it"),
        pytest.param(
            PUSHED,
            NOT_LOOKED_AT,
            {"full_name": "acme/.github"},
            commits({"modified": ["poc-policy.yml"]}),
            (POLICY, REPOSITORY),
            id="the policy is pushed",
        ),
        pytest.param(
            PUSHED,
            NOT_LOOKED_AT,
            {"full_name": "acme/.github"},
            {"forced": True, "commits": []},
            (POLICY, REPOSITORY),
            id="the policy may be pushed",
        ),
        pytest.param(
            MERGED,
            NOT_LOOKED_AT,
            {"full_name": "acme/.github"},
            {},
            ("policy_change", PULL),
            id="merged where the policy stands",
        ),
        pytest.param(
            PUSHED, NOT_LOOKED_AT, {"topics": ["not-a-poc"]}, {}, NOTHING, id="pushed to what opted out"
        ),
        pytest.param(PUSHED, NOT_LOOKED_AT, {"archived": True}, {}, NOTHING, id="pushed to what is archived"),
    ],
)
def test_a_delivery_marks(  # noqa: PLR0917 - pytest passes them by name
    deliveries: Recorded,
    name: str,
    state: Mapping[str, Any] | None,
    told: Mapping[str, Any],
    changes: Mapping[str, Any],
    marked: tuple[str, ...],
) -> None:
    deliveries.knows(state, told if told in NEVER else {})
    assert deliveries.deliver(name, told, changes) == marked


def test_what_is_ignored_says_why_and_describes_all_the_same(deliveries: Recorded) -> None:
    deliveries.knows(NO_POC, {})
    deliveries.deliver("repository.edited-topics", {"updated_at": LATER}, {})
    deliveries.deliver(MERGED, {"updated_at": LATER}, {})
    asked = "SELECT ignored FROM delivery WHERE repository_id = %(id)s AND ignored IS NOT NULL ORDER BY 1"
    assert deliveries.ask(asked) == ["described as before", "not a POC"]
    assert deliveries.at("updated_at") == "2026-11-21T10:15:30+00:00"


@pytest.mark.parametrize(
    ("name", "pushed_at", "known"),
    [
        pytest.param(PUSHED, 1795256128, "2026-11-21T10:15:28+00:00", id="by a push"),
        pytest.param(MERGED, LATER, "2026-11-20T10:15:28+00:00", id="not by a merge: its push may be lost"),
    ],
)
def test_when_somebody_pushed_is_known(
    deliveries: Recorded, name: str, pushed_at: object, known: str
) -> None:
    """The hourly list shows a later push only where its event was lost."""
    deliveries.knows(NO_POC, {"pushed_at": "2026-11-20T10:15:28Z"})
    deliveries.deliver(name, {"updated_at": LATER, "pushed_at": pushed_at}, {})
    assert deliveries.at("pushed_at") == known


def test_when_somebody_pushed_is_known_of_a_new_repository_from_any_event(deliveries: Recorded) -> None:
    deliveries.knows(UNKNOWN, {})
    deliveries.deliver("pull_request.opened", {"pushed_at": LATER}, {})
    assert deliveries.at("pushed_at") == "2026-11-21T10:15:30+00:00"
