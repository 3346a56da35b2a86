"""Whether an installation may do more than before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.rules.values.github import Installation

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "grew"),
    [
        pytest.param({}, {}, False, id="nothing granted"),
        pytest.param({"checks": "write"}, {"checks": "write"}, False, id="as before"),
        pytest.param({}, {"checks": "read"}, True, id="a permission that is new"),
        pytest.param({"checks": "read"}, {"checks": "write"}, True, id="a higher level"),
        pytest.param({"checks": "write"}, {"checks": "admin"}, True, id="the highest"),
        pytest.param({"checks": "write"}, {"checks": "read"}, False, id="a lower level"),
        pytest.param({"checks": "write"}, {}, False, id="one taken away"),
        pytest.param({"checks": "write"}, {"issues": "read"}, True, id="one for another"),
        pytest.param({}, {"checks": "unheard-of"}, False, id="a level that we don't know"),
    ],
)
def test_its_permissions(before: dict[str, str], after: dict[str, str], grew: bool) -> None:
    assert Installation(7, "acme", after).grew(Installation(7, "acme", before)) is grew


@pytest.mark.parametrize(
    ("before", "after", "grew"),
    [(None, None, False), (AT, None, True), (AT, AT, False), (None, AT, False)],
)
def test_its_suspension(before: datetime | None, after: datetime | None, grew: bool) -> None:
    known, now = Installation(7, "acme", {}, before), Installation(7, "acme", {}, after)
    assert now.grew(known) is grew
