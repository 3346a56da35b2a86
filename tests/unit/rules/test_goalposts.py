"""Moved goalposts: each kind of move, its place, its direction, who signs again; units move nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.bounds import Change, bound_of, compare
from service.rules.charter.goalposts import Move, MoveKind, moved, reopened
from service.rules.charter.model import Charter
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.checks.judge import judge
from service.rules.checks.verdict import Verdict, conclude, situate
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.actions import Conclusion
from service.rules.values.finding import Severity
from service.rules.values.groups import Group
from service.texts.charter import annotate, check_view
from service.texts.goalposts import counted, goalposts_view, move_findings
from tests.harness.charters import GOOD as EXAMPLE
from tests.harness.charters import SAME_IN_OTHER_WORDS
from tests.harness.github import charter_file

TODAY = date(2026, 11, 22)
COST = "  - cost_per_request < 0.02 USD\n"
DRILL = "  drilled: 2026-11-12 in 4 min\n"
ERRORS = "  - error_rate < 0.5 % over 7 d\n"


def charter(text: str) -> Charter:
    read = judge(CharterFile(FileKind.FILE, text.encode()), today=TODAY).charter
    assert read is not None
    return read


def edited(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new)


def moves_of(old: str, new: str) -> tuple[Move, ...]:
    return moved(charter(EXAMPLE), charter(edited(old, new)))


def threshold(text: str) -> Threshold:
    read = parse_threshold(text)
    assert isinstance(read, Threshold)
    return read


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (">= 92 %", ">= 88 %", MoveKind.LOOSENED),
        (">= 92 %", "> 91 %", MoveKind.LOOSENED),
        (">= 92 %", "> 92 %", MoveKind.TIGHTENED),
        (">= 92 %", ">= 0.95", MoveKind.TIGHTENED),
        ("<= 300 ms", "<= 0.4 s", MoveKind.LOOSENED),
        ("<= 300 ms", "< 300 ms", MoveKind.TIGHTENED),
        ("< 0.02 USD", "<= 0.02 USD", MoveKind.LOOSENED),
        ("< 0.02 USD", "< 0.02 EUR", MoveKind.CHANGED),
        ("< 0.02 USD", "== 0.02 USD", MoveKind.LOOSENED),
        (">= 92 %", "<= 99 %", MoveKind.LOOSENED),
        ("tickets-2026q3", "tickets-easy", MoveKind.RECONDITIONED),
        ("n >= 2000", "n >= 200", MoveKind.RECONDITIONED),
        ("over 7 d", "over 1 h", MoveKind.RECONDITIONED),
        ("at 50 req/s", "at 5 req/s", MoveKind.RECONDITIONED),
        (">= 92 % on tickets-2026q3", ">= 88 % on tickets-easy", MoveKind.LOOSENED),
        (COST, "", MoveKind.DELETED),
        (COST, COST + "  - recall >= 80 % on tickets-2026q3\n", MoveKind.ADDED),
        ("2027-02-26", "2027-03-26", MoveKind.LATER),
        ("2027-02-26", "2027-01-26", MoveKind.EARLIER),
        ("owner: jane-doe", "owner: joe-doe", MoveKind.OTHER),
        ("environment: support-prod", "environment: support-beta", MoveKind.OTHER),
        ("measured_in: support-staging", "measured_in: support-shadow", MoveKind.OTHER),
        ("  measured_in: support-staging\n", "", MoveKind.OTHER),
        ("auth: okta-oidc", "auth: basic", MoveKind.OTHER),
        ("load: 50 req/s", "load: 5 req/s", MoveKind.LOOSENED),
        ("load: 50 req/s", "load: 500 req/s", MoveKind.TIGHTENED),
        ("180000 tickets/day", "180000 calls/day", MoveKind.OTHER),
        ("within: 10 min", "within: 1 h", MoveKind.LOOSENED),
        ("within: 10 min", "within: 90 s", MoveKind.TIGHTENED),
        ("go back to the manual queue", "wait for a person", MoveKind.REPLACED),
        (DRILL, "", MoveKind.WITHDRAWN),
        ("deploy_process: missing", "deploy_process: .github/workflows/deploy.yml", MoveKind.SUPPLIED),
        ("deploy_process: missing", "deploy_process: https://deploy.example.com", MoveKind.SUPPLIED),
        ("deploy_process: missing", "deploy_process: n/a - another team deploys", MoveKind.SUPPLIED),
        ("n/a - retrieval only, no features", "features/store.yml", MoveKind.SUPPLIED),
        ("n/a - retrieval only, no features", "missing", MoveKind.WITHDRAWN),
        ("n/a - retrieval only, no features", "n/a - no time", MoveKind.REPLACED),
        (".github/workflows/eval.yml", "missing", MoveKind.WITHDRAWN),
        (".github/workflows/eval.yml", "n/a - looked at by hand", MoveKind.WITHDRAWN),
        (".github/workflows/eval.yml", ".github/workflows/Eval.yml", MoveKind.REPLACED),
        (".github/workflows/eval.yml", "https://ci.example.com/eval", MoveKind.REPLACED),
    ],
)
def test_a_move_has_its_kind_and_its_place(old: str, new: str, kind: MoveKind) -> None:
    [move] = moves_of(old, new)
    lines = edited(old, new).split("\n")
    assert move.kind is kind
    if new and "\n" not in old:
        assert new.rsplit(maxsplit=1)[-1] in lines[move.line - 1]
    elif kind is MoveKind.DELETED:
        assert lines[move.line - 1] == "done:"
    elif kind is MoveKind.WITHDRAWN:
        assert lines[move.line - 1] == "  within: 10 min"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *SAME_IN_OTHER_WORDS,
        ("turn flag ai_triage off", "Turn  flag ai_triage off"),
        (DRILL, "  drilled: 2026-11-20 in 3 min\n"),
        ("n/a - retrieval only", "n/a - Retrieval only"),
        ("agents read", "agents skim"),
    ],
)
def test_what_means_the_same_is_no_move(old: str, new: str) -> None:
    assert moved(charter(EXAMPLE), charter(EXAMPLE.replace(old, new))) == ()


@pytest.mark.parametrize(
    ("old", "new", "groups"),
    [
        (">= 92 %", ">= 88 %", (Group.DATA_SCIENCE, Group.PRODUCT)),
        ("2027-02-26", "2027-03-26", (Group.PRODUCT,)),
        ("owner: jane-doe", "owner: joe-doe", (Group.PRODUCT,)),
        ("environment: support-prod", "environment: beta", (Group.PLATFORM,)),
        ("load: 50 req/s", "load: 5 req/s", (Group.PLATFORM,)),
        ("180000 tickets/day", "18 tickets/day", (Group.PLATFORM, Group.SECURITY)),
        ("auth: okta-oidc", "auth: basic", (Group.PLATFORM, Group.SECURITY)),
        ("within: 10 min", "within: 5 min", (Group.PLATFORM,)),
        ("deploy_process: missing", "deploy_process: n/a - by hand", (Group.PLATFORM,)),
    ],
)
def test_who_signs_again(old: str, new: str, groups: tuple[Group, ...]) -> None:
    assert reopened(moves_of(old, new)) == groups


@pytest.mark.parametrize(
    ("old", "new", "eases", "message"),
    [
        ("within: 10 min", "within: 1 h", True,
         "`rollback.within` is looser (`10 min` became `1 h`): platform signs again"),
        ("within: 10 min", "within: 90 s", False,
         "`rollback.within` is tighter (`10 min` became `90 s`): platform signs again"),
        (DRILL, "", True,
         "`rollback.drilled` is withdrawn (was `2026-11-12 in 4 min`): shipping needs one, add it again"),
        ("deploy_process: missing", "deploy_process: n/a - by hand", False,
         "`infra.deploy_process` is there now (`missing` became `n/a - by hand`): platform signs again"),
        (".github/workflows/eval.yml", "missing", True,
         ("`infra.eval_pipeline` is withdrawn (`.github/workflows/eval.yml` became `missing`): "
          "platform signs again")),
        (".github/workflows/eval.yml", "eval.yml", False,
         ("`infra.eval_pipeline` reads differently (`.github/workflows/eval.yml` became `eval.yml`): "
          "platform signs again")),
    ],
)  # fmt: skip
def test_what_makes_shipping_easier_is_a_warning(old: str, new: str, eases: bool, message: str) -> None:
    [finding] = move_findings(moves_of(old, new))
    assert finding.severity is (Severity.WARNING if eases else Severity.NOTICE)
    assert finding.message == message


def test_a_drill_that_is_recorded_moves_nothing() -> None:
    assert moved(charter(edited(DRILL, "")), charter(EXAMPLE)) == ()


STOP = "poc: 1\nstopped: 2026-11-20 - a rule does it as well"


def test_a_poc_that_ends_moves_no_goalposts() -> None:
    assert moves_of("poc: 1", STOP) == ()


def test_a_poc_that_is_taken_up_again_is_compared_with_what_it_stopped_with() -> None:
    stopped = charter(edited("poc: 1", STOP))
    assert moved(stopped, charter(EXAMPLE)) == ()
    [move] = moved(stopped, charter(edited(">= 92 %", ">= 10 %")))
    assert (move.kind, move.before, move.now) == (MoveKind.LOOSENED, ">= 92 %", ">= 10 %")


def test_lines_on_one_metric_are_told_apart_by_their_conditions() -> None:
    before = edited(COST, COST + "  - accuracy >= 80 % on calls\n")
    now = before.replace("accuracy >= 80 %", "accuracy >= 70 %")
    [move] = moved(charter(before), charter(now))
    assert (move.kind, move.before, move.now) == (MoveKind.LOOSENED, ">= 80 %", ">= 70 %")


UNITS = {"s": Decimal(1), "ms": Decimal(1000), "us": Decimal(10**6), "min": None, "h": None}
VALUES = st.decimals(
    min_value=Decimal("0.001"), max_value=Decimal(10**6), places=3, allow_nan=False, allow_infinity=False
)


@given(VALUES, VALUES, st.sampled_from(["<=", "<", ">=", ">", "=="]), st.sampled_from(["ms", "us"]))
def test_comparing_does_not_depend_on_units(one: Decimal, two: Decimal, op: str, unit: str) -> None:
    def written(value: Decimal, unit: str) -> Threshold:
        return threshold(f"latency_p95 {op} {value * (UNITS[unit] or 1):f} {unit}")

    plain = compare(bound_of(written(one, "s")), bound_of(written(two, "s")))
    assert compare(bound_of(written(one, unit)), bound_of(written(two, "s"))) is plain
    assert compare(bound_of(written(one, "s")), bound_of(written(two, unit))) is plain
    back = compare(bound_of(written(two, "s")), bound_of(written(one, unit)))
    mirrored = {Change.LOOSER: Change.TIGHTER, Change.TIGHTER: Change.LOOSER}
    assert back is mirrored.get(plain, plain)


LINES = st.lists(
    st.builds(
        "  - {} {} {} {}\n".format,
        st.sampled_from(["accuracy", "latency_p95", "refusals", "a" * 64]),
        st.sampled_from(["<=", ">=", "=="]),
        st.sampled_from(["92 %", "0.5", "300 ms", "9" * 30 + ".123 tickets/day"]),
        st.sampled_from(["", "on a", "on b", "with n >= 20", "over 7 d", "for " + "x" * 60]),
    ),
    max_size=8,
)


@given(LINES, LINES)
def test_any_two_charters_compare_and_every_move_is_told(one: list[str], other: list[str]) -> None:
    old, new = (EXAMPLE.replace(COST, "".join(lines)) for lines in (one, other))
    before, now = charter(old), charter(new)
    moves = moved(before, now)
    assert moved(now, now) == ()
    assert sum(1 for each in moves if each.kind is MoveKind.ADDED) - sum(
        1 for each in moves if each.kind is MoveKind.DELETED
    ) == len(now.done) - len(before.done)
    for finding in move_findings(moves):
        assert len(finding.message) <= 120
        assert finding.line <= len(new.split("\n"))
        assert finding.message.endswith("again")


def verdict(new: str, *, observe: bool = False) -> Verdict:
    before = charter_file(EXAMPLE)
    case = situate(charter_file(new), before, before)
    return conclude(case, author="jane-doe", observe=observe, today=TODAY)


def test_the_check_run_warns_on_the_line_and_stays_green() -> None:
    found = verdict(edited(">= 92 %", ">= 88 %"))
    [note] = annotate(found)
    assert found.conclusion is Conclusion.SUCCESS
    assert (note.start_line, note.level, note.title) == (18, "warning", "goalpost-moved")
    assert note.message == (
        "`accuracy` is looser (`>= 92 %` became `>= 88 %`): data science and product sign again"
    )


def test_what_got_harder_is_shown_and_not_annotated() -> None:
    found = verdict(edited(">= 92 %", ">= 95 %"))
    view = check_view(found, poc_reason="x", base_ref="main", draft_url="x", observe=False)
    assert annotate(found) == ()
    assert view.goalposts is not None
    assert view.goalposts.counted == "1 threshold tightened"
    assert not view.goalposts.eased
    assert view.goalposts.signers == (("data science", "alice-k"), ("product", "carol-s"))


def test_a_charter_with_errors_shows_no_goalposts() -> None:
    assert verdict(edited(">= 92 %", ">= good")).moves == ()


def test_the_moves_are_counted_in_a_few_words() -> None:
    text = edited(">= 92 %", ">= 88 %").replace(COST, "").replace("2027-02-26", "2027-04-01")
    text = text.replace("okta-oidc", "basic").replace("jane-doe", "joe-doe").replace("300 ms", "400 ms")
    moves = moved(charter(EXAMPLE), charter(text))
    assert counted(moves) == "2 thresholds loosened, 1 deleted, ship date later, other owner, other target"
    text = text.replace("within: 10 min", "within: 1 h").replace(DRILL, "").replace("eval.yml", "x.yml")
    both = moved(charter(EXAMPLE), charter(text.replace("process: missing", "process: n/a - by hand")))
    assert counted(both).endswith("other target, rollback withdrawn, infra supplied")
    view = goalposts_view(moves, charter(text))
    assert view is not None
    assert [row.subject for row in view.rows if row.now is None] == ["cost_per_request"]


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_a_charter_in_other_units_is_the_same_charter(one: int, other: int) -> None:
    plain = EXAMPLE.replace("load: 50 req/s", f"load: {one} req/s").replace("10 min", f"{other} min")
    before = plain.replace("300 ms at 50 req/s", f"{one} ms at {other} req/s").replace(
        "0.5 %", f"0.{other} %"
    )
    now = plain.replace("300 ms at 50 req/s", f"{one * 1000} us at {other * 60} requests/min")
    now = now.replace("0.5 %", f"{Decimal(f'0.{other}') / 100:f}").replace(
        f"{one} req/s", f"{one * 60} req/min"
    )
    now = now.replace(f"{other} min", f"{other * 60} s")
    assert moved(charter(before), charter(now)) == moved(charter(now), charter(before)) == ()
