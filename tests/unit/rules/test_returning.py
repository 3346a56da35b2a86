"""What GitHub leads back with: only the return that was waited for is taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.rules.setup.manifest import Pending, ReturnError, code_of, parameters_of

BEGUN = datetime(2026, 11, 23, 9, tzinfo=UTC)
PENDING = Pending("the-state", BEGUN)
GOOD = {"code": "a-code", "state": "the-state"}


def test_the_return_that_was_waited_for() -> None:
    assert code_of(PENDING, GOOD, BEGUN + timedelta(minutes=59)) == "a-code"


@pytest.mark.parametrize(
    ("pending", "returned", "later", "says"),
    [
        pytest.param(None, GOOD, 1, "is over", id="a state that was used"),
        pytest.param(PENDING, GOOD | {"state": "another"}, 1, "isn't the one", id="a foreign state"),
        pytest.param(
            PENDING, GOOD | {"state": "the-statE"}, 1, "isn't the one", id="a state in other letters"
        ),
        pytest.param(PENDING, GOOD | {"state": "ümlaut"}, 1, "isn't the one", id="a state that is not ASCII"),
        pytest.param(PENDING, GOOD, 60, "more than an hour ago", id="an hour later"),
        pytest.param(PENDING, {"code": "a-code"}, 1, "no code and state", id="no state"),
        pytest.param(PENDING, {"state": "the-state"}, 1, "no code and state", id="no code"),
        pytest.param(PENDING, {}, 1, "no code and state", id="nothing"),
    ],
)
def test_any_other_return_is_refused(
    pending: Pending | None, returned: dict[str, str], later: int, says: str
) -> None:
    with pytest.raises(ReturnError, match=says):
        code_of(pending, returned, BEGUN + timedelta(minutes=later))


@pytest.mark.parametrize(
    ("pasted", "read"),
    [
        pytest.param("http://localhost/registered?code=a-code&state=the-state", GOOD, id="the address"),
        pytest.param("  http://localhost/registered?code=a-code&state=the-state\n", GOOD, id="with blanks"),
        pytest.param("localhost/registered?code=a-code&state=the-state", GOOD, id="without its scheme"),
        pytest.param("a-code", {}, id="only the code"),
        pytest.param("", {}, id="nothing"),
    ],
)
def test_an_address_that_was_pasted(pasted: str, read: dict[str, str]) -> None:
    assert parameters_of(pasted) == read
