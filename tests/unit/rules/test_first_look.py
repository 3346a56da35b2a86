"""The first look at an organisation, in one sentence."""

from __future__ import annotations

from datetime import date

import pytest

from service.rules.checks.judge import Judgement, judge
from service.rules.policy.model import Mode
from service.rules.setup.first_look import FirstLook
from service.rules.source.text import CharterFile, FileKind
from tests.harness.charters import GOOD

TODAY = date(2026, 11, 22)


def judged(text: str | None) -> Judgement:
    data = None if text is None else text.encode()
    return judge(CharterFile(FileKind.ABSENT if data is None else FileKind.FILE, data), today=TODAY)


NONE, FINE = judged(None), judged(GOOD)
FAST = judged(GOOD.replace("latency_p95 <= 300 ms", "fast"))


@pytest.mark.parametrize(
    ("look", "says"),
    [
        pytest.param(
            FirstLook(412, 0, Mode.OBSERVE, (FINE, FAST, NONE, NONE)),
            "4 POCs in 412 repositories; observing; 3 would fail, mostly `no-charter`.",
            id="some fail",
        ),
        pytest.param(
            FirstLook(1, 0, Mode.ENFORCE, (FAST,)),
            "1 POC in 1 repository; enforcing; 1 would fail, for `done-threshold`.",
            id="one fails",
        ),
        pytest.param(
            FirstLook(2, 0, Mode.OBSERVE, (FINE, FINE)),
            "2 POCs in 2 repositories; observing; each charter is complete.",
            id="none fails",
        ),
        pytest.param(FirstLook(3, 0, Mode.OBSERVE, ()), "0 POCs in 3 repositories; observing.", id="no POC"),
        pytest.param(
            FirstLook(300, 1, Mode.OBSERVE, (FINE,)),
            "1 POC in 300 repositories; observing; each charter is complete. 1 other repository was not "
            "opened: the service finds those that declare themselves by a `POC.md`.",
            id="more than it opens",
        ),
    ],
)
def test_what_is_found(look: FirstLook, says: str) -> None:
    assert look.says == says
