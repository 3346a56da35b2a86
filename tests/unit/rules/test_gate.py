"""The ship gate: what is missing, in which order, what follows from it, and what a deployment is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.model import Charter, Located
from service.rules.charter.values import Pause, Stop
from service.rules.checks.judge import judge
from service.rules.evidence.values import Result, Status
from service.rules.gate.signoffs import Round, give, standing
from service.rules.gate.verdict import Gap, GapKind, Gate, GateFacts, Occasion, answer_deployment, gate
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.actions import Conclusion
from tests.harness.charters import GOOD as EXAMPLE

TODAY = date(2027, 2, 2)
ASKED = datetime(2027, 2, 1, 9, tzinfo=UTC)
FINISHED = EXAMPLE.replace("deploy_process: missing", "deploy_process: .github/workflows/deploy.yml")
FOUR = ("alice-k", "bob-m", "carol-s", "dan-w")
METRICS = ("latency_p95", "accuracy", "cost_per_request", "error_rate")


def charter(text: str = FINISHED) -> Charter:
    read = judge(CharterFile(FileKind.FILE, text.encode()), today=TODAY).charter
    assert read is not None
    return read


CHARTER = charter()
DIRECT = charter(FINISHED.replace("  measured_in: support-staging\n", ""))
PENDING = charter(EXAMPLE.replace("  drilled: 2026-11-12 in 4 min\n", ""))
STOPPED = replace(PENDING, stopped=Located(Stop(date(2027, 1, 8), "a rule does it as well"), 1, 1))


def results(of: Charter = CHARTER, **statuses: Status) -> tuple[Result, ...]:
    return tuple(Result(line, statuses.get(line.metric, Status.MET)) for line in of.done)


def signatures(*logins: str) -> dict[str, object]:
    given_ = [each for login in logins for each in give(CHARTER, login, Round.SHIP, ASKED, 41, "review:1")]
    standing_ = standing(CHARTER, given_, Round.SHIP, number=41, since=ASKED)
    return {"signatures": standing_, "request_number": 41, "asked_on": ASKED.date()}


def facts(**changes: object) -> GateFacts:
    """Everything is there, and everybody has signed, but for what is told here."""
    ready = GateFacts(Occasion.SHIP_REQUEST, TODAY, CHARTER, valid=True, results=results())
    return replace(ready, **{**signatures(*FOUR), **changes})  # type: ignore[arg-type]


def paused(until: date) -> Charter:
    return replace(CHARTER, paused=Located(Pause(until, "waiting for the data contract"), 1, 1))


def told(verdict: Gate) -> list[str]:
    return [" ".join(filter(None, (gap.kind, gap.about, gap.login))) for gap in verdict.gaps]


UNASKED: dict[str, object] = {"signatures": {}, "request_number": None, "asked_on": None}


@pytest.mark.parametrize(
    ("changes", "gaps"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param(
            {"results": results(latency_p95=Status.MET_WITHIN_ERROR)}, [], id="inside the error bar is met"
        ),
        pytest.param({"charter": None, "results": ()}, ["charter none"], id="no charter"),
        pytest.param({"valid": False}, ["charter errors jane-doe"], id="a charter with errors"),
        pytest.param(
            {"charter": replace(CHARTER, done=()), "results": ()},
            ["charter done jane-doe"],
            id="a charter without a definition of done",
        ),
        *(
            pytest.param(
                {"results": results(accuracy=status)}, ["threshold accuracy jane-doe"], id=f"one is {status}"
            )
            for status in Status
            if status not in (Status.MET, Status.MET_WITHIN_ERROR)
        ),
        pytest.param(
            {"results": results()[1:]},
            ["threshold latency_p95 jane-doe"],
            id="a line that nobody has judged was not measured",
        ),
        pytest.param(
            {"results": ()}, [f"threshold {metric} jane-doe" for metric in METRICS], id="nothing was judged"
        ),
        pytest.param(
            {"charter": charter(EXAMPLE)}, ["infra deploy_process bob-m"], id="an entry of infra is missing"
        ),
        pytest.param(
            {"charter": charter(FINISHED.replace("  drilled: 2026-11-12 in 4 min\n", ""))},
            ["rollback drilled bob-m"],
            id="nobody has tried the way back",
        ),
        pytest.param(
            signatures("alice-k", "carol-s"),
            ["signature platform bob-m", "signature security dan-w"],
            id="two signatures are open",
        ),
        pytest.param(
            UNASKED,
            [
                "signature data_science alice-k",
                "signature platform bob-m",
                "signature product carol-s",
                "signature security dan-w",
            ],
            id="on the ship request itself it has been asked",
        ),
        pytest.param(
            {"occasion": Occasion.DEPLOYMENT, **UNASKED},
            ["request /poc ship jane-doe"],
            id="a deployment that nobody asked for",
        ),
        pytest.param(
            {"occasion": Occasion.ORDINARY, **UNASKED},
            [],
            id="an ordinary pull request before anybody asked",
        ),
        pytest.param(
            {"occasion": Occasion.ORDINARY, **signatures("alice-k", "bob-m", "carol-s")},
            [],
            id="an ordinary pull request beside a ship request",
        ),
        pytest.param(
            {"charter": paused(TODAY)}, ["paused 2027-02-02 jane-doe"], id="the last day of a pause"
        ),
        pytest.param({"charter": paused(date(2027, 2, 1))}, [], id="the day after a pause"),
        pytest.param(
            {"charter": STOPPED, "results": (), "valid": False},
            ["stopped 2027-01-08 jane-doe"],
            id="of a POC that stopped nothing else is said",
        ),
        pytest.param(
            {
                "charter": replace(PENDING, paused=paused(TODAY).paused),
                "valid": False,
                "results": results(error_rate=Status.NOT_MEASURED, latency_p95=Status.MISSED),
                **signatures("dan-w", "alice-k", "carol-s"),
            },
            [
                "paused 2027-02-02 jane-doe",
                "charter errors jane-doe",
                "threshold latency_p95 jane-doe",
                "threshold error_rate jane-doe",
                "infra deploy_process bob-m",
                "rollback drilled bob-m",
                "signature platform bob-m",
            ],
            id="everything at once, in its order",
        ),
    ],
)
def test_what_is_missing(changes: dict[str, object], gaps: list[str]) -> None:
    verdict = gate(facts(**changes))
    assert told(verdict) == gaps
    assert verdict.ready is (not gaps)


def test_a_threshold_that_is_not_met_brings_its_result() -> None:
    missed = results(accuracy=Status.MISSED)
    assert gate(facts(results=missed)).gaps == (Gap(GapKind.THRESHOLD, "accuracy", missed[1], "jane-doe"),)
    [forgotten] = gate(facts(results=results()[:3])).gaps
    assert forgotten.result == Result(CHARTER.done[3], Status.NOT_MEASURED)


@pytest.mark.parametrize("observe", [False, True], ids=["enforced", "observed"])
@pytest.mark.parametrize(
    ("occasion", "ready", "conclusion"),
    [
        (Occasion.ORDINARY, True, Conclusion.NEUTRAL),
        (Occasion.ORDINARY, False, Conclusion.NEUTRAL),
        (Occasion.SHIP_REQUEST, True, Conclusion.SUCCESS),
        (Occasion.SHIP_REQUEST, False, Conclusion.FAILURE),
        (Occasion.DEPLOYMENT, True, Conclusion.SUCCESS),
        (Occasion.DEPLOYMENT, False, Conclusion.FAILURE),
    ],
)
def test_the_conclusion_is_a_verdict_only_where_somebody_wants_to_ship(
    occasion: Occasion, ready: bool, conclusion: Conclusion, observe: bool
) -> None:
    verdict = gate(facts(occasion=occasion, results=results() if ready else (), observe=observe))
    assert verdict.ready is ready
    assert verdict.conclusion is (Conclusion.NEUTRAL if observe else conclusion)


@given(
    st.tuples(*[st.sampled_from(Status)] * len(METRICS)),
    st.sets(st.sampled_from(FOUR)),
    st.sampled_from([CHARTER, charter(EXAMPLE), PENDING, paused(TODAY)]),
    st.booleans(),
)
def test_only_a_commit_with_every_number_and_every_signature_is_ready(
    statuses: tuple[Status, ...], signed: set[str], judged_by: Charter, valid: bool
) -> None:
    measured = tuple(Result(line, status) for line, status in zip(CHARTER.done, statuses, strict=True))
    verdict = gate(facts(charter=judged_by, results=measured, valid=valid, **signatures(*signed)))
    whole = valid and judged_by is CHARTER and all(result.met for result in measured)
    assert verdict.ready is (whole and signed == set(FOUR))


@pytest.mark.parametrize(
    ("changes", "proven"),
    [
        pytest.param({}, True, id="nothing is missing"),
        pytest.param(signatures(), True, id="signatures are open"),
        pytest.param({"occasion": Occasion.ORDINARY, **UNASKED}, True, id="nobody asked"),
        pytest.param({"charter": paused(TODAY)}, True, id="paused"),
        pytest.param({"results": results(accuracy=Status.MISSED)}, False, id="a number is missed"),
        pytest.param({"results": results(accuracy=Status.TOO_OLD)}, False, id="a number is too old"),
        pytest.param({"charter": charter(EXAMPLE)}, False, id="infra is missing"),
        pytest.param({"valid": False}, False, id="the charter has errors"),
        pytest.param({"charter": None}, False, id="no charter"),
        pytest.param({"charter": STOPPED}, False, id="stopped"),
    ],
)
def test_proven_is_what_lacks_only_people(changes: dict[str, object], proven: bool) -> None:
    assert gate(facts(**changes)).proven is proven


def deployed(environment: str = "support-prod", **changes: object) -> tuple[bool, str]:
    answer = answer_deployment(gate(facts(**{"occasion": Occasion.DEPLOYMENT, **changes})), environment)
    return answer.approved, answer.note


ELSEWHERE = "not the environment that the charter names (`support-prod`)"
ALL_FOUR = "`latency_p95`, `accuracy`, `cost_per_request` and `error_rate`"
NOT_BOUND = "not bound yet: the charter has no `measured_in`, and"
MISSED = {"results": results(accuracy=Status.MISSED)}


@pytest.mark.parametrize(
    ("environment", "changes", "answer"),
    [
        pytest.param("support-prod", {}, (True, ""), id="everything is met"),
        pytest.param("Support-PROD", {}, (True, ""), id="names do not differ by case"),
        pytest.param("support-prod", MISSED, (False, ""), id="a number is missed"),
        pytest.param("SUPPORT-prod", MISSED, (False, ""), id="missed, in another case"),
        pytest.param("support-prod", UNASKED, (False, ""), id="nobody asked to ship"),
        pytest.param("support-prod", {"valid": False}, (False, ""), id="a charter with errors"),
        pytest.param("support-prod", {"charter": STOPPED}, (False, ""), id="stopped"),
        pytest.param("support-prod", {"charter": paused(TODAY)}, (False, ""), id="paused"),
        pytest.param("support-prod", {"results": ()}, (False, ""), id="measured before: nothing measured"),
        pytest.param("support-staging", MISSED, (True, ELSEWHERE), id="where it is measured"),
        pytest.param("support-prod-2", MISSED, (True, ELSEWHERE), id="another environment"),
        pytest.param(
            "support-staging", {**MISSED, "observe": True}, (True, ELSEWHERE), id="another, observed"
        ),
        pytest.param(
            "support-prod",
            {"charter": None},
            (True, "there is no charter that can be read, so nothing says where this POC will run"),
            id="no charter",
        ),
        pytest.param(
            "support-prod",
            {"charter": charter(FINISHED.replace("  environment: support-prod\n", "")), "valid": False},
            (True, "the charter names no environment"),
            id="a charter that names no environment",
        ),
        pytest.param(
            "support-prod",
            {**MISSED, "observe": True},
            (True, "only observed: enforcing would have rejected it"),
            id="missed, observed",
        ),
        pytest.param(
            "support-prod",
            {"observe": True},
            (True, "only observed: enforcing would have approved it"),
            id="met, observed",
        ),
        pytest.param(
            "support-prod",
            {"charter": DIRECT, "results": results(accuracy=Status.NOT_MEASURED), **UNASKED},
            (True, f"{NOT_BOUND} `accuracy` has no number that counts on this commit"),
            id="not bound: one number is not measured",
        ),
        pytest.param(
            "support-prod",
            {"charter": DIRECT, "results": ()},
            (
                True,
                f"{NOT_BOUND} {ALL_FOUR} have no number that counts on this commit",
            ),
            id="not bound: nothing is measured",
        ),
        pytest.param(
            "support-prod",
            {"charter": DIRECT, "results": results(accuracy=Status.MISSED, error_rate=Status.TOO_OLD)},
            (False, ""),
            id="bound: one number is missed, although another is too old",
        ),
        pytest.param(
            "support-prod",
            {"charter": replace(DIRECT, done=()), "results": (), "valid": False},
            (True, f"{NOT_BOUND} `done` has no threshold on this commit"),
            id="not bound: there is nothing to measure",
        ),
        pytest.param(
            "support-prod",
            {"charter": replace(DIRECT, stopped=STOPPED.stopped), "results": ()},
            (False, ""),
            id="without measured_in: what stopped measures nothing",
        ),
        pytest.param(
            "support-prod", {"charter": DIRECT, **MISSED}, (False, ""), id="bound by now: one is missed"
        ),
        pytest.param(
            "support-prod",
            {"charter": DIRECT, "results": results(accuracy=Status.MET_WITHIN_ERROR)},
            (True, ""),
            id="bound by now: all are met",
        ),
        pytest.param(
            "support-prod", {"charter": DIRECT, **UNASKED}, (False, ""), id="bound by now: nobody has asked"
        ),
    ],
)
def test_a_deployment_is_answered(
    environment: str, changes: dict[str, object], answer: tuple[bool, str]
) -> None:
    assert deployed(environment, **changes) == answer


BACK = "this goes back to what shipped here on 20 January 2027, and a rollback is always allowed"


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        *(
            pytest.param({"results": results(accuracy=status)}, (True, BACK), id=f"a number is {status}")
            for status in Status
            if status not in (Status.MET, Status.MET_WITHIN_ERROR)
        ),
        pytest.param({"results": ()}, (True, BACK), id="nothing is measured"),
        pytest.param({"charter": paused(TODAY)}, (True, BACK), id="paused"),
        pytest.param({"charter": charter(EXAMPLE)}, (True, BACK), id="an entry of infra is missing"),
        pytest.param(signatures(), (True, BACK), id="signatures are open"),
        pytest.param(UNASKED, (True, BACK), id="nobody asks to ship any more"),
        pytest.param({"valid": False}, (True, BACK), id="the charter has errors"),
        pytest.param(
            {"charter": None, "protected": frozenset({"support-prod"})}, (True, BACK), id="no charter"
        ),
        pytest.param({"contained": False}, (True, BACK), id="of another branch"),
        pytest.param({"observe": True, "results": ()}, (True, BACK), id="observed"),
        pytest.param({"charter": STOPPED, "results": ()}, (False, ""), id="stopped"),
        pytest.param({}, (True, ""), id="everything is met: by the verdict"),
    ],
)
def test_the_way_back_to_what_shipped_stays_open_until_a_stop(
    changes: dict[str, object], answer: tuple[bool, str]
) -> None:
    verdict = gate(facts(**{"occasion": Occasion.DEPLOYMENT, **changes}))
    found = answer_deployment(verdict, "support-prod", shipped_on=date(2027, 1, 20))
    assert (found.approved, found.note) == answer
    without = answer_deployment(verdict, "support-prod")
    assert without.approved is (verdict.ready or verdict.facts.observe)


@given(st.text(min_size=1, max_size=300))
def test_whatever_an_environment_is_called_the_note_stays_inert(name: str) -> None:
    target = replace(CHARTER.target, environment=Located(name, 1, 1))
    approved, note = deployed("elsewhere-entirely", charter=replace(CHARTER, target=target))
    opening, _, rest = note.partition("`")
    assert approved
    assert (opening, rest.count("`"), rest[-2:]) == ("not the environment that the charter names (", 1, "`)")
