"""What GitHub's description says may be null is taken as null, in every event."""

from __future__ import annotations

import json

import pytest

from service.deliveries.routes import route
from tests.harness.deliveries import event_of
from tests.harness.github_description import NULLABLE, PACKAGE, alternatives, read_paths, with_null
from tests.harness.places import DELIVERIES

DESCRIBED = json.loads(NULLABLE.read_text(encoding="utf-8"))
PATHS = read_paths()
RECORDED = sorted(DELIVERIES.glob("*.json"))


def test_the_description_was_asked_about_every_field_that_the_decoder_reads() -> None:
    assert DESCRIBED["read"] == sorted(PATHS), "run: python -m tests.harness.github_description"
    assert DESCRIBED["package"] == PACKAGE


@pytest.mark.parametrize("path", DESCRIBED["events"])
def test_the_type_of_a_field_that_may_be_null_allows_it(path: str) -> None:
    assert type(None) in alternatives(PATHS[path])


@pytest.mark.parametrize("path", DESCRIBED["events"])
def test_a_null_is_no_error_in_any_delivery(path: str) -> None:
    # Where GitHub says so of one event it holds for all: the description is not the same everywhere.
    nulled = {each.stem: with_null(json.loads(each.read_bytes()), path) for each in RECORDED}
    tried = [name for name, body in nulled.items() if body and not is_about(name, path)]
    for name in tried:
        route(event_of(name), json.dumps(nulled[name]).encode())
    assert tried


def is_about(name: str, path: str) -> bool:
    """Whether a delivery means nothing without that field, and GitHub never says it may be null there."""
    event = event_of(name).replace("_", "-")
    return event_of(name).startswith(path) and not any(
        said.startswith(event) for said in DESCRIBED["events"][path]
    )
