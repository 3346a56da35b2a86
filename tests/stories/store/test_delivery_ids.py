"""Ids of deliveries as they are stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from service.store.subjects import stored_id

RFC = "c232ab00-9414-11ec-b3c8-9f6bdeced846", "1ec9414c-232a-6b00-b3c8-9f6bdeced846"
"""The same moment as version 1 and as version 6, from the appendix of RFC 9562."""


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        pytest.param(*RFC, id="version 1, as GitHub sends it"),
        pytest.param(RFC[1], RFC[1], id="version 6"),
        pytest.param(
            "9f1c7a3e-5d0b-4c6a-8f57-2f6f0f1f6d11", "9f1c7a3e-5d0b-4c6a-8f57-2f6f0f1f6d11", id="version 4"
        ),
        pytest.param("d-1", "0741a320-e613-baac-937e-2644e8e96a28", id="no UUID"),
    ],
)
def test_an_id_is_stored_as_a_uuid(given: str, stored: str) -> None:
    assert stored_id(given) == stored


def test_ids_that_differ_are_stored_as_different_ones() -> None:
    given = [RFC[0], RFC[0].upper(), f"{{{RFC[0]}}}", RFC[0].replace("-", ""), f"{RFC[0]}\n", "d-1", "d-2"]
    stored = [stored_id(each) for each in given]
    assert len(set(stored)) == len(given)
    assert [str(UUID(each)) for each in stored] == stored


def test_ids_of_version_1_are_stored_in_the_order_of_their_times() -> None:
    # The lowest digits of the time, which an id begins with, start again every seven minutes.
    moments = [datetime(2026, 11, 29, tzinfo=UTC) + timedelta(minutes=5 * n) for n in range(50)]
    given = [_version_1(int(each.timestamp() * 10**7)) for each in moments]
    assert given != sorted(given)
    assert [stored_id(each) for each in given] == sorted(map(stored_id, given))


def _version_1(ticks: int) -> str:
    low, mid, high = ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0xFFF
    return str(UUID(fields=(low, mid, high, 0, 0, 0), version=1))
