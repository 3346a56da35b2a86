"""Commands with words of their own: what they ask for, how a wrong one is refused, and what it meets."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.line_keys import Key, Waiver
from service.rules.charter.model import Charter, Located, Signoffs
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.charter.values import Stop as Stopped
from service.rules.commands.arguments import (
    CommandArguments,
    Extend,
    HandOver,
    Snooze,
    Stop,
    Waive,
    read_order,
    reason_of,
)
from service.rules.commands.parsing import Refusal, Verb, parse_commands, read_command
from service.rules.commands.refusals import PocState, may_not_own, refusal_of, rest_of
from service.rules.stall.stalls import in_a_row
from service.rules.stall.time_spent import ordinal
from service.rules.stall.waiting_on import PausePeriod
from tests.unit.rules.samples import SAMPLE, judged

TODAY = date(2026, 11, 23)
WAIVES = "`/poc waive` takes"
NEXT = "`/poc waive {} until 2026-12-21 <reason>`"
LATE = "`/poc waive error_rate until {} late`"
WRITE = re.compile(r"write `(/poc [^`]+)`\.$")


def read(line: str) -> CommandArguments | Refusal | None:
    [command] = parse_commands(line)
    return read_order(command, TODAY)


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("/poc snooze 14d waiting for legal", Snooze(14, "waiting for legal")),
        ("/poc snooze 2w waiting for legal", Snooze(14, "waiting for legal")),
        ("/poc snooze 10 d waits for #12", Snooze(10, "waits for #12")),
        ("/poc snooze 1 day - a holiday", Snooze(1, "a holiday")),
        ("/poc snooze 60 Days: audit", Snooze(60, "audit")),
        ("/poc snooze 3 weeks, fair", Snooze(21, "fair")),
        ("/poc extend 2027-03-15 the data came late", Extend(date(2027, 3, 15), "the data came late")),
        ("/poc extend 2026-11-24 one day", Extend(date(2026, 11, 24), "one day")),
        ("/poc extend 2027-11-24 a year", Extend(date(2027, 11, 24), "a year")),
        ("/poc owner @erin-x", HandOver("erin-x")),
        ("/poc owner erin_acme", HandOver("erin_acme")),
        ("/poc owner https://github.com/erin-x", HandOver("erin-x")),
        ("/poc stop the baseline was good enough", Stop("the baseline was good enough")),
        (
            "/poc waive error_rate until 2026-12-18 late logs",
            Waive(Waiver(Key("error_rate"), date(2026, 12, 18), "late logs")),
        ),
        (
            "/poc waive accuracy on eu until 2027-01-22 - labels come late",
            Waive(Waiver(Key("accuracy", {"on": "eu"}), date(2027, 1, 22), "labels come late")),
        ),
        ("/poc stop - too dear", Stop("too dear")),
        ("/poc stop data was bad", Stop("data was bad")),
        ("/poc stop value was never seen", Stop("value was never seen")),
        ("/poc stop data: the contract never came", Stop("data: the contract never came")),
        ("/poc stop Data : the contract never came", Stop("data: the contract never came")),
        ("/poc stop - data:: none", Stop("data: none")),
        ("/poc stop price: three dollars", Stop("price: three dollars")),
        ("/poc stop data", Stop("data")),
        ("/poc ship", None),
        ("/poc help me", None),
    ],
)
def test_an_order_is_read(line: str, order: CommandArguments | None) -> None:
    assert read(line) == order


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "/poc snooze",
            "`/poc snooze` begins with a number of days: write `/poc snooze 14d <reason>`.",
        ),
        (
            "/poc snooze until the data is there",
            "`/poc snooze` begins with a number of days: write `/poc snooze 14d until the data is there`.",
        ),
        ("/poc snooze 14d", "`/poc snooze` needs a reason: write `/poc snooze 14d <reason>`."),
        ("/poc snooze 2w TODO", "`/poc snooze` needs a reason: write `/poc snooze 14d <reason>`."),
        ("/poc snooze 5d -", "`/poc snooze` needs a reason: write `/poc snooze 5d <reason>`."),
        ("/poc snooze 5d \u202e\u200b", "`/poc snooze` needs a reason: write `/poc snooze 5d <reason>`."),
        ("/poc snooze 61d legal", "`/poc snooze` takes 1 to 60 days: write `/poc snooze 60d legal`."),
        ("/poc snooze 999999w legal", "`/poc snooze` takes 1 to 60 days: write `/poc snooze 60d legal`."),
        ("/poc snooze 0d legal", "`/poc snooze` takes 1 to 60 days: write `/poc snooze 1d legal`."),
        (
            "/poc snooze -3d legal",
            "`/poc snooze` begins with a number of days: write `/poc snooze 14d 3d legal`.",
        ),
        (
            "/poc snooze 10data contracts",
            "`/poc snooze` begins with a number of days: write `/poc snooze 14d 10data contracts`.",
        ),
        (
            "/poc extend",
            "`/poc extend` begins with the new day: write `/poc extend 2026-12-21 <reason>`.",
        ),
        (
            "/poc extend 2027-03-15",
            "`/poc extend` needs a reason: write `/poc extend 2027-03-15 <reason>`.",
        ),
        (
            "/poc extend 15.03.2027 late data",
            "`/poc extend` takes a day as year, month and day: write `/poc extend 2027-03-15 late data`.",
        ),
        (
            "/poc extend 2027-02-30 late data",
            (
                "`/poc extend` takes a day, and `2027-02-30` isn't in the calendar: "
                "write `/poc extend 2026-12-21 late data`."
            ),
        ),
        (
            "/poc extend 2026-11-23 late data",
            (
                "`/poc extend` takes a day in the future, and 2026-11-23 isn't: "
                "write `/poc extend 2026-12-21 late data`."
            ),
        ),
        (
            "/poc extend 2027-11-25 late data",
            (
                "`/poc extend` reaches 366 calendar days ahead at most: "
                "write `/poc extend 2027-11-24 late data`."
            ),
        ),
        (
            "/poc extend 2w late data",
            "`/poc extend` begins with the new day: write `/poc extend 2026-12-07 late data`.",
        ),
        (
            "/poc extend 999999w late data",
            "`/poc extend` begins with the new day: write `/poc extend 2027-11-24 late data`.",
        ),
        (
            "/poc extend 0000-00-00 late data",
            (
                "`/poc extend` takes a day, and `0000-00-00` isn't in the calendar: "
                "write `/poc extend 2026-12-21 late data`."
            ),
        ),
        ("/poc owner", "`/poc owner` takes one GitHub login: write `/poc owner @<login>`."),
        (
            "/poc owner @acme/ml",
            "`/poc owner` takes one person, and `acme/ml` is a team: write `/poc owner @<login>`.",
        ),
        (
            "/poc owner @renovate[bot]",
            "`/poc owner` takes a person, and `renovate[bot]` is a bot: write `/poc owner @<login>`.",
        ),
        ("/poc owner @<login>", "`/poc owner` takes one GitHub login: write `/poc owner @<login>`."),
        ("/poc owner -x", "`/poc owner` takes one GitHub login: write `/poc owner @<login>`."),
        (
            "/poc owner @erin-x @bob-m",
            "`/poc owner` takes one login and nothing else: write `/poc owner @erin-x`.",
        ),
        (
            "/poc waive",
            f"{WAIVES} a metric, a day and a reason: write `/poc waive <metric> until 2026-12-21 <reason>`.",
        ),
        (
            "/poc waive error_rate for now",
            f"{WAIVES} a metric, a day and a reason: write {NEXT.format('error_rate')}.",
        ),
        (
            "/poc waive Error rate until 2026-12-18 late",
            f"{WAIVES} a metric as `done` names it: write {NEXT.format('<metric>')}.",
        ),
        (
            "/poc waive error_rate until 2026-12-18",
            "`/poc waive` needs a reason: write `/poc waive error_rate until 2026-12-18 <reason>`.",
        ),
        (
            "/poc waive error_rate until 2027-01-23 late",
            f"`/poc waive` reaches 60 calendar days ahead at most: write {LATE.format('2027-01-22')}.",
        ),
        (
            "/poc waive error_rate until 2026-11-23 late",
            f"{WAIVES} a day in the future, and {TODAY} isn't: write {LATE.format('2026-12-21')}.",
        ),
        (
            "/poc waive error_rate until 18.12.2026 late",
            f"{WAIVES} a day as year, month and day: write {LATE.format('2026-12-18')}.",
        ),
        (
            "/poc waive error_rate until Christmas late",
            f"{WAIVES} a day, and `Christmas` isn't one: write {LATE.format('2026-12-21')}.",
        ),
        ("/poc stop", "`/poc stop` needs a reason: write `/poc stop <reason>`."),
        (
            "/poc stop data: ",
            "`/poc stop` needs a reason after the class: write `/poc stop data: <reason>`.",
        ),
        ("/poc stop <reason>", "`/poc stop` needs a reason: write `/poc stop <reason>`."),
        ("/poc stop ...", "`/poc stop` needs a reason: write `/poc stop <reason>`."),
    ],
)
def test_a_malformed_one_is_refused_with_the_line_to_write(line: str, reason: str) -> None:
    assert read(line) == Refusal(reason)


ANYTHING = st.one_of(
    st.text(max_size=80),
    st.builds(
        " ".join, st.lists(st.sampled_from(["14d", "2w", "@a", "2027-03-15", "x", "-", "`", "#12", "61 d"]))
    ),
)


@given(st.sampled_from([Verb.SNOOZE, Verb.EXTEND, Verb.OWNER, Verb.STOP, Verb.WAIVE]), ANYTHING)
def test_the_line_to_write_is_an_order_once_its_blanks_are_filled(verb: Verb, text: str) -> None:
    order = read_order(read_command(f"/poc {verb} {text}"), TODAY)
    if isinstance(order, Refusal):
        wanted = WRITE.search(order.reason)
        assert wanted is not None
        filled = wanted[1].replace("<reason>", "a reason").replace("<login>", "erin-x")
        filled = filled.replace("<metric>", "recall")
        order = read_order(read_command(filled), TODAY)
    assert isinstance(order, Snooze | Extend | HandOver | Stop | Waive)
    assert order.verb is verb


@given(st.text(max_size=400))
def test_a_reason_is_one_readable_line(text: str) -> None:
    reason = reason_of(text)
    assert len(reason) <= 200
    assert reason == "" or reason.isprintable()
    assert reason == " ".join(reason.split())


POC, CENTRAL = "acme/poc-triage", "acme/portfolio"


@pytest.mark.parametrize(
    ("reason", "place", "reference", "said"),
    [
        ("waits for #12", POC, "#12", "waits for #12"),
        ("waits for #12", CENTRAL, f"{CENTRAL}#12", f"waits for {CENTRAL}#12"),
        (f"waits for {POC.upper()}#12.", CENTRAL, "#12", "waits for #12."),
        ("(acme/x.y#7), then #8", POC, "acme/x.y#7", "(acme/x.y#7), then #8"),
        ("https://github.com/acme/x/issues/7 first", POC, "acme/x#7", "acme/x#7 first"),
        ("see https://ghe.example.com/acme/poc-triage/pull/7", POC, "#7", "see #7"),
        ("issue#12, GH-12, a/b/c#3, #0, #1234567890, #12a", POC, None, None),
        ("nobody", POC, None, None),
        ("waits for #5, where this is said", CENTRAL, None, None),
        ("waits for #5", POC, "#5", "waits for #5"),
        ("waits for #1, which is ours", POC, None, None),
    ],
)
def test_an_issue_in_the_reason_is_the_blocker(
    reason: str, place: str, reference: str | None, said: str | None
) -> None:
    order, found = Snooze(14, reason).waits_for(poc=POC, place=place, but=((CENTRAL, 5), (POC, 1)))
    assert found == reference
    assert order == Snooze(14, said or reason)


def charter() -> Charter:
    found = judged(SAMPLE).charter
    assert found is not None
    return found


def line(text: str) -> Threshold:
    read = parse_threshold(text)
    assert isinstance(read, Threshold)
    return read


CHARTER = replace(charter(), done=(line("latency_p95 <= 300 ms"), line("accuracy >= 92 % on eu")))
STOPPED = replace(CHARTER, stopped=Located(Stopped(date(2026, 11, 20), "enough"), 2, 1))
UNTIL = [
    PausePeriod(date(2026, 11, 1), date(2026, 11, 15), "a"),
    PausePeriod(date(2026, 11, 17), date(2026, 12, 17), "b"),
]
WAIVED = Waiver(Key("latency_p95"), date(2026, 12, 20), "late")
TWO = replace(CHARTER, done=(line("accuracy >= 9 % on eu"), line("accuracy >= 9 % on us")))


def waive(metric: str) -> Waive:
    return Waive(Waiver(Key(metric), date(2026, 12, 18), "late"))


ORDERS: list[CommandArguments] = [
    Snooze(14, "legal"),
    Extend(date(2027, 3, 15), "late data"),
    HandOver("erin-x"),
    Stop("enough"),
    waive("latency_p95"),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: str(order.verb))
def test_an_order_meets_no_objection(order: CommandArguments) -> None:
    assert refusal_of(order, PocState(TODAY, CHARTER)) is None


@pytest.mark.parametrize(
    ("order", "present", "reason"),
    [
        *(
            pytest.param(
                order,
                PocState(TODAY, CHARTER, shipped=True),
                f"`/poc {order.verb}` comes too late: this POC has shipped.",
                id=f"{order.verb} when shipped",
            )
            for order in ORDERS
        ),
        *(
            pytest.param(
                order,
                PocState(TODAY, STOPPED),
                f"`/poc {order.verb}` comes too late: this POC was stopped on 2026-11-20. To take it up "
                "again, delete the line `stopped` from its charter.",
                id=f"{order.verb} when stopped",
            )
            for order in ORDERS
        ),
        pytest.param(
            ORDERS[1],
            PocState(TODAY),
            "`/poc extend` changes the charter, and there is none here: write one that says in `ship_by` "
            "when it ships.",
            id="extend without a charter",
        ),
        pytest.param(
            ORDERS[2],
            PocState(TODAY),
            "`/poc owner` changes the charter, and there is none here: write one that names the owner "
            "in `owner`.",
            id="owner without a charter",
        ),
        pytest.param(
            ORDERS[3],
            PocState(TODAY),
            "`/poc stop` changes the charter, and there is none here: give the repository the topic "
            "`not-a-poc`, or archive it.",
            id="stop without a charter",
        ),
        pytest.param(
            Extend(date(2027, 2, 26), "again"),
            PocState(TODAY, CHARTER),
            "`/poc extend` changes nothing here: the charter already says `ship_by: 2027-02-26`.",
            id="the same day",
        ),
        pytest.param(
            HandOver("Jane-Doe"),
            PocState(TODAY, CHARTER),
            "`/poc owner` changes nothing here: the charter says `owner: Jane-Doe` already.",
            id="the same owner",
        ),
        pytest.param(
            HandOver("Bob-M"),
            PocState(TODAY, replace(CHARTER, signoffs=Signoffs(*(Located("bob-m", 1, 1),) * 2))),
            "`/poc owner`: `Bob-M` signs for data science and platform, and nobody signs their own POC. Name "
            "another signer first, or write `/poc owner @<login>`.",
            id="a signer",
        ),
        pytest.param(
            waive("error_rate"),
            PocState(TODAY),
            "`/poc waive` changes the charter, and there is none here: write one that says in `done` what "
            "has to be reached.",
            id="waive without a charter",
        ),
        pytest.param(
            waive("error_rate"),
            PocState(TODAY, replace(CHARTER, done=())),
            "`/poc waive`: no line of `done` in the charter can be read, so none is about `error_rate`.",
            id="waive without a line that can be read",
        ),
        pytest.param(
            waive("recall"),
            PocState(TODAY, CHARTER),
            "`/poc waive`: `recall` isn't on any line of `done`. Write `/poc waive latency_p95 until "
            "2026-12-18 late` or `/poc waive accuracy until 2026-12-18 late`.",
            id="waive another metric",
        ),
        pytest.param(
            waive("accuracy"),
            PocState(TODAY, TWO),
            "`/poc waive`: `accuracy` could be for more than one line of `done`. Write `/poc waive accuracy "
            "on eu until 2026-12-18 late` or `/poc waive accuracy on us until 2026-12-18 late`.",
            id="waive one of two",
        ),
        pytest.param(
            waive("latency_p95"),
            PocState(TODAY, replace(CHARTER, waived=(Located(WAIVED, 9, 5),))),
            "`/poc waive` changes nothing here: `latency_p95` is already waived until 2026-12-20, and only a "
            "later end replaces that.",
            id="waive for a shorter time",
        ),
        pytest.param(
            Snooze(7, "legal"),
            PocState(TODAY, CHARTER, snoozes=UNTIL),
            "`/poc snooze` changes nothing here: it's already snoozed until 2026-12-17, and only a later "
            "end replaces that, for example `/poc snooze 31d legal`.",
            id="an end before that of one that runs",
        ),
        pytest.param(
            Snooze(58, "legal"),
            PocState(TODAY, None, snoozes=UNTIL),
            "`/poc snooze` reaches 60 calendar days in a row, and this third one would make it 80. A longer "
            "rest is a pause: write `paused: until 2027-01-20 - legal` into the charter.",
            id="more than 60 days in a row",
        ),
    ],
)
def test_what_stands_in_the_way_of_an_order(order: CommandArguments, present: PocState, reason: str) -> None:
    assert refusal_of(order, present) == Refusal(reason)


@pytest.mark.parametrize(
    ("days", "earlier", "row"),
    [
        pytest.param(14, [], (TODAY, 1), id="the first"),
        pytest.param(14, UNTIL, (date(2026, 11, 1), 3), id="while one runs, two days after another"),
        pytest.param(14, UNTIL[:1], (TODAY, 1), id="more than a week later"),
        pytest.param(
            14,
            [PausePeriod(date(2026, 11, 2), date(2026, 11, 16), "a")],
            (date(2026, 11, 2), 2),
            id="a week later",
        ),
        pytest.param(
            37,
            [PausePeriod(date(2026, 11, 1), date(2026, 11, 15), "a"), *UNTIL[1:]],
            (date(2026, 11, 1), 3),
            id="60",
        ),
    ],
)
def test_snoozes_are_counted_in_a_row(days: int, earlier: list[PausePeriod], row: tuple[date, int]) -> None:
    assert in_a_row(rest_of(Snooze(days, "legal"), TODAY), earlier) == row


def test_sixty_days_in_a_row_are_the_most() -> None:
    running = [PausePeriod(TODAY - timedelta(days=20), TODAY + timedelta(days=1), "a")]
    assert refusal_of(Snooze(40, "legal"), PocState(TODAY, snoozes=running)) is None
    assert refusal_of(Snooze(41, "legal"), PocState(TODAY, snoozes=running)) is not None


@pytest.mark.parametrize(
    ("permission", "reason"),
    [
        ("admin", None),
        ("maintain", None),
        ("write", None),
        ("read", "an owner needs write access to the repository, and `erin-x` has read"),
        ("none", "an owner needs write access to the repository, and `erin-x` has none"),
        (None, "GitHub doesn't know anybody called `erin-x`"),
    ],
)
def test_an_owner_may_write(permission: str | None, reason: str | None) -> None:
    expected = reason and Refusal(f"`/poc owner`: {reason}. Give it, or write `/poc owner @<login>`.")
    assert may_not_own("erin-x", permission) == expected


def test_it_counts_in_words() -> None:
    assert [ordinal(1), ordinal(2), ordinal(10), ordinal(11)] == ["first", "second", "tenth", "11th"]
