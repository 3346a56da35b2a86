"""Every approval that does not count is explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from service.rules.checks.judge import judge
from service.rules.gate.signoffs import Round, Signature, give, standing
from service.rules.gate.uncounted import Given, SigningFacts, uncounted
from service.rules.policy.model import NO_POLICY
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.github import Review
from service.rules.values.recorded import RecordedReview
from tests.harness.charters import CHARTER

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def charter_of(text: str = CHARTER):  # type: ignore[no-untyped-def] # the charter
    judged = judge(CharterFile(FileKind.FILE, text.encode(), "b", len(text)), today=date(2026, 11, 20))
    assert judged.charter is not None
    return judged.charter


def approved(login: str, number: int = 5, review_id: int = 1, *, dismissed_by: str = "") -> Given:
    review = Review(review_id, number, login, "approved", "sha")
    return Given(RecordedReview(review, dismissed_by or login, AT, bool(dismissed_by)), number)


def signed(login: str, text: str = CHARTER, round_: Round = Round.START) -> tuple[Signature, ...]:
    return give(charter_of(text), login, round_, AT, 5, "review:1")


def facts(given: tuple[Signature, ...] = (), *, gone: bool = False, request: bool = False) -> SigningFacts:
    charter = charter_of()
    now = [] if gone else list(given)
    return SigningFacts(
        charter,
        [(each, gone) for each in given],
        [standing(charter, now, Round.START)],
        NO_POLICY,
        (5, AT + timedelta(hours=1)) if request else None,
    )


OTHER = CHARTER.replace("<= 300 ms", "<= 250 ms")
UNASKED = "it was given on a pull request that neither changes the charter nor asks to ship"
CHANGED = "what data science signs for has changed since"
CASES = [
    ("it counts", facts(signed("alice-k")), [approved("alice-k")], None),
    ("nobody named", facts(), [approved("erin-x")], "the charter doesn't name them under `signoffs`"),
    ("elsewhere", facts(), [approved("alice-k")], UNASKED),
    ("too early", facts(request=True), [approved("alice-k")], "it was given before `/poc ship`"),
    ("changed", facts(signed("alice-k", OTHER)), [approved("alice-k")], CHANGED),
    ("withdrawn", facts(signed("alice-k"), gone=True), [approved("alice-k")], "it was withdrawn"),
    (
        "dismissed",
        facts(signed("alice-k"), gone=True),
        [approved("alice-k"), approved("alice-k", dismissed_by="bob-m")],
        "bob-m dismissed it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "why"), [case[2:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_reason(told: list[Given], why: str | None, request: pytest.FixtureRequest) -> None:
    known = next(case[1] for case in CASES if case[0] == request.node.callspec.id)
    assert [each.why for each in uncounted(known, told)] == ([] if why is None else [why])


def test_of_several_approvals_by_one_person_the_newest_is_explained() -> None:
    first, later = approved("erin-x"), approved("erin-x", review_id=2)
    moved = replace(later, told=replace(later.told, at=AT + timedelta(hours=2)))
    [found] = uncounted(facts(), [first, moved])
    assert found.at == AT + timedelta(hours=2)
