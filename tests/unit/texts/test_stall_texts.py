"""What people read when a POC stalls: golden texts for every cause, action and step."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.model import Charter, Located, Signoffs, Target
from service.rules.commands.arguments import Extend, Snooze, read_order
from service.rules.commands.parsing import Refusal, Verb, parse_commands
from service.rules.gate.lifecycle import State
from service.rules.policy.model import NO_POLICY, GroupPolicy
from service.rules.stall.stalls import Cause, EscalationStep, Stall, StallFacts
from service.rules.stall.time_spent import Totals, ship_date_changes
from service.rules.stall.waiting_on import Party, WaitingOn, Wants
from service.rules.values.actions import STALL_MARKER, stall_opening
from service.rules.values.groups import Group
from service.texts.markdown import STALL_END, WORD_JOINER, replace_block
from service.texts.render import TITLE_LIMIT
from service.texts.stall import Place, StallView, stall_view
from tests.harness.places import GOLDEN
from tests.unit.texts.reading import (
    ACTIVE,
    CHARTER_URL,
    DRAFT_URL,
    MARKDOWN,
    NASTY,
    TEXTS,
    assert_golden,
    assert_reads_well,
    inline,
    links,
)

BEGAN = date(2026, 12, 4)
SINCE = datetime(2027, 2, 1, 9, tzinfo=UTC)
LIMIT = 5
DUE = {
    EscalationStep.ISSUE: date(2027, 2, 8),
    EscalationStep.LEAD: date(2027, 2, 15),
    EscalationStep.DECISION: date(2027, 2, 22),
}
PAST = {
    EscalationStep.ISSUE: date(2027, 3, 1),
    EscalationStep.LEAD: date(2027, 3, 8),
    EscalationStep.DECISION: date(2027, 3, 15),
}
"""The same where the ship date has passed."""
SHIP_BY = date(2027, 2, 26)
TOTALS = Totals(19, 9, 0, (("security", 24), ("platform", 14)))
POLICY = replace(
    NO_POLICY,
    groups={
        Group.SECURITY: GroupPolicy(lead="sec-lead"),
        Group.PLATFORM: GroupPolicy(lead="platform-lead"),
    },
)
HERE = Place(7, "acme/poc-triage", elsewhere=False, charter_url=CHARTER_URL, draft_url=DRAFT_URL)
ELSEWHERE = replace(HERE, elsewhere=True)


def at(value: Any) -> Located[Any]:
    return Located(value, 1, 1)


CHARTER = Charter(
    line=1,
    title="Ticket triage",
    owner=at("jane-doe"),
    ship_by=at(SHIP_BY),
    target=Target(environment=at("support-prod")),
    signoffs=Signoffs(at("alice-k"), at("bob-m"), at("carol-s"), at("dan-w")),
)


def waiting_on(party: Party, wants: Wants, *people: str, **more: Any) -> WaitingOn:
    return WaitingOn(party, wants, SINCE, people, **more)


OWNER = waiting_on(Party.OWNER, Wants.WORK, "jane-doe")
SECURITY = waiting_on(Party.SIGNER, Wants.SHIP_SIGNATURE, "dan-w", group=Group.SECURITY, number=41)
PLATFORM = waiting_on(
    Party.PLATFORM, Wants.INFRA, "bob-m", group=Group.PLATFORM, about="model_registry, deploy_process"
)


@dataclass(frozen=True)
class Told:
    name: str
    title: str
    waiting_on: WaitingOn | None
    cause: Cause = Cause.SILENT
    rung: EscalationStep = EscalationStep.ISSUE
    charter: Charter | None = CHARTER
    place: Place = HERE
    totals: Totals | None = TOTALS
    dates: tuple[date, ...] = (SHIP_BY,)
    policy: Any = field(default=POLICY, repr=False)
    today: date | None = None

    @property
    def view(self) -> StallView:
        facts = StallFacts(
            is_poc=True,
            dormant=False,
            has_home=True,
            registered_at=SINCE,
            state=State.BUILDING,
            policy=self.policy,
            waiting_on=self.waiting_on,
            charter=self.charter,
        )
        overdue = self.cause is Cause.OVERDUE
        since, due = (SHIP_BY, PAST[self.rung]) if overdue else (SINCE.date(), DUE[self.rung])
        stall = Stall(self.cause, self.waiting_on, since, LIMIT, self.rung, due)
        return stall_view(
            stall,
            facts,
            self.place,
            slips=ship_date_changes(self.dates),
            began=BEGAN,
            totals=self.totals,
            today=self.today or stall.due,
        )

    def at(self, rung: EscalationStep) -> Told:
        return replace(self, rung=rung)


def silent(name: str, whom: str, having: WaitingOn, **more: Any) -> Told:
    return Told(name, f"Ticket triage is waiting for {whom}: 5 working days", having, **more)


TOLD = [
    silent("security-ship", "security", SECURITY, dates=(date(2027, 1, 15), SHIP_BY)),
    silent(
        "data-science-start",
        "data science",
        waiting_on(Party.SIGNER, Wants.START_SIGNATURE, "alice-k", group=Group.DATA_SCIENCE, number=7),
    ),
    silent(
        "product-start-here",
        "product",
        waiting_on(Party.SIGNER, Wants.START_SIGNATURE, "carol-s", group=Group.PRODUCT),
    ),
    silent("reviewer", "erin-x", waiting_on(Party.REVIEWER, Wants.REVIEW, "erin-x", number=31)),
    silent("team", "acme/ml", waiting_on(Party.REVIEWER, Wants.REVIEW, "acme/ml", number=31)),
    silent("platform", "platform", PLATFORM),
    silent("platform-unnamed", "platform", replace(PLATFORM, people=(), about="deploy_process")),
    silent("blocker", "#12", waiting_on(Party.BLOCKER, Wants.UNBLOCK, "gus-i", "hana-c", about="#12")),
    silent("blocker-unassigned", "#12", waiting_on(Party.BLOCKER, Wants.UNBLOCK, about="#12")),
    silent(
        "blocker-of-others",
        "acme/infra#9",
        waiting_on(Party.BLOCKER, Wants.UNBLOCK, "gus-i", about="acme/infra#9"),
    ),
    silent("owner-work", "jane-doe", OWNER),
    silent("owner-fix", "jane-doe", replace(OWNER, wants=Wants.FIX_CHARTER), totals=None),
    silent("owner-fix-proposal", "jane-doe", replace(OWNER, wants=Wants.FIX_CHARTER, number=3)),
    silent(
        "owner-answer",
        "jane-doe",
        replace(OWNER, wants=Wants.ANSWER_REVIEW, number=41, about="carol-s, dan-w"),
    ),
    silent("owner-ask", "jane-doe", replace(OWNER, wants=Wants.ASK_TO_SHIP)),
    silent("owner-deploy", "jane-doe", replace(OWNER, wants=Wants.DEPLOY, number=41)),
    Told(
        "no-charter",
        "poc-triage is waiting for a charter: 5 working days",
        waiting_on(Party.UNNAMED, Wants.CHARTER),
        Cause.NO_CHARTER,
        charter=None,
        totals=None,
    ),
    Told(
        "no-charter-worked-on",
        "poc-triage is waiting for a charter: 5 working days",
        waiting_on(Party.UNNAMED, Wants.CHARTER, about="john-roe"),
        Cause.NO_CHARTER,
        charter=None,
        totals=None,
    ),
    Told(
        "overdue",
        "Ticket triage is past its ship date, 26 February 2027 (third date, +42 calendar days)",
        SECURITY,
        Cause.OVERDUE,
        dates=(date(2027, 1, 15), date(2027, 2, 1), SHIP_BY),
    ),
    Told("overdue-owner", "Ticket triage is past its ship date, 26 February 2027", OWNER, Cause.OVERDUE),
    Told("owner-gone", "Ticket triage is waiting for a new owner", OWNER, Cause.OWNER_GONE),
    Told(
        "owner-gone-no-product",
        "Ticket triage is waiting for a new owner",
        OWNER,
        Cause.OWNER_GONE,
        charter=replace(CHARTER, signoffs=Signoffs()),
    ),
    Told(
        "elsewhere",
        "Ticket triage (acme/poc-triage) is waiting for security: 5 working days",
        SECURITY,
        place=ELSEWHERE,
    ),
    Told(
        "elsewhere-no-charter",
        "acme/poc-triage is waiting for a charter: 5 working days",
        None,
        Cause.NO_CHARTER,
        charter=None,
        totals=None,
        place=ELSEWHERE,
    ),
    Told(
        "elsewhere-blocker",
        "Ticket triage (acme/poc-triage) is waiting for acme/poc-triage#12: 5 working days",
        waiting_on(Party.BLOCKER, Wants.UNBLOCK, "gus-i", about="#12"),
        place=ELSEWHERE,
    ),
]
BY_NAME = {told.name: told for told in TOLD}
LADDER = [
    "security-ship",
    "data-science-start",
    "product-start-here",
    "reviewer",
    "platform",
    "blocker",
    "owner-work",
    "owner-deploy",
    "no-charter",
    "overdue",
    "owner-gone",
    "elsewhere",
]


@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.name)
def test_a_stall_issue(told: Told) -> None:
    title, body = TEXTS.stall_issue(told.view)
    assert title.replace(WORD_JOINER, "") == told.title
    assert body.startswith(f"{stall_opening(7)}\n")
    assert body.endswith(f"\n\n{STALL_END}\n")
    assert_golden(f"stall/{told.name}", f"{title}\n\n{body}")
    assert_reads_well(body)


@pytest.mark.parametrize(
    "rung", [EscalationStep.LEAD, EscalationStep.DECISION], ids=lambda rung: rung.name.lower()
)
@pytest.mark.parametrize("name", LADDER)
def test_a_step_of_the_ladder(name: str, rung: EscalationStep) -> None:
    text = TEXTS.ladder_comment(BY_NAME[name].at(rung).view, rung)
    assert_golden(f"stall/{name}-{int(rung)}", text)
    assert_reads_well(text)


def test_the_golden_files_are_those_of_the_tables() -> None:
    names = {told.name for told in TOLD} | {f"{name}-{step}" for name in LADDER for step in (2, 3)}
    assert {path.stem for path in Path(GOLDEN / "stall").glob("*.md")} == names


def test_every_cause_and_every_action_has_a_text() -> None:
    assert {told.cause for told in TOLD} == set(Cause)
    wanted = {told.waiting_on.wants for told in TOLD if told.waiting_on}
    assert wanted == set(Wants) - {Wants.NOTHING}


MENTION = re.compile(r"(?<!\w)@[\w/-]+")


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        pytest.param("security-ship", ["@dan-w"], ["@jane-doe", "@sec-lead"], id="a signer"),
        pytest.param("reviewer", ["@erin-x"], ["@jane-doe", "@carol-s"], id="a reviewer has no lead"),
        pytest.param("team", ["@acme/ml"], ["@jane-doe", "@carol-s"], id="a team"),
        pytest.param(
            "platform-unnamed", ["@jane-doe"], ["@jane-doe", "@platform-lead"], id="nobody of the group"
        ),
        pytest.param("blocker-unassigned", ["@jane-doe"], ["@jane-doe", "@carol-s"], id="nobody assigned"),
        pytest.param("owner-work", ["@jane-doe"], ["@jane-doe", "@carol-s"], id="the owner, then product"),
        pytest.param("no-charter", [], [], id="nobody is named"),
        pytest.param("owner-gone", ["@carol-s"], ["@carol-s"], id="the owner is gone: product"),
        pytest.param(
            "overdue", ["@dan-w"], ["@jane-doe", "@sec-lead", "@carol-s"], id="overdue: all who decide"
        ),
    ],
)
def test_who_is_mentioned(name: str, first: list[str], second: list[str]) -> None:
    view = BY_NAME[name].view
    body = TEXTS.stall_issue(view)[1]
    spoken = re.sub("`[^`]*`", "", body)
    assert MENTION.findall(spoken) == first
    assert MENTION.findall(body.split("\n")[2]) == first
    for rung in (EscalationStep.LEAD, EscalationStep.DECISION):
        text = re.sub("`[^`]*`", "", TEXTS.ladder_comment(view, rung))
        assert MENTION.findall(text) == second


def test_a_team_is_no_assignee() -> None:
    assert BY_NAME["team"].view.assignee is None
    assert BY_NAME["reviewer"].view.assignee == "erin-x"


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_the_commands_that_are_shown_are_commands(name: str) -> None:
    """Each is followed as it stands once its reason is written, and refused while it is not."""
    told = BY_NAME[name]
    texts = [TEXTS.stall_issue(told.view)[1]]
    texts += [
        TEXTS.ladder_comment(told.at(rung).view, rung)
        for rung in (EscalationStep.LEAD, EscalationStep.DECISION)
    ]
    shown = [line for text in texts for line in re.findall(r"`(/poc [^`]*)`", text)]
    assert shown
    for line in shown:
        (command,) = parse_commands(line)
        assert command.verb is not None, line
        if command.verb in (Verb.SNOOZE, Verb.EXTEND):
            assert isinstance(read_order(command, DUE[EscalationStep.ISSUE]), Refusal)
            (command,) = parse_commands(line.replace("<reason>", "the data came late"))
            for day in DUE.values():
                assert isinstance(read_order(command, day), Snooze | Extend), line


def test_the_issue_stays_as_it_is_and_a_comment_counts_to_its_own_day() -> None:
    """A step that is said late, because somebody else had to be spoken to first."""
    told = BY_NAME["security-ship"].at(EscalationStep.DECISION)
    late = replace(told, today=date(2027, 3, 22))
    assert TEXTS.stall_issue(told.view) == TEXTS.stall_issue(late.view)
    assert "**15 working days of" in TEXTS.ladder_comment(told.view, EscalationStep.LEAD)
    assert "**35 working days of" in TEXTS.ladder_comment(late.view, EscalationStep.LEAD)


def test_a_far_ship_date_is_extended_by_no_more_than_a_command_takes() -> None:
    far = replace(CHARTER, ship_by=at(date(2030, 1, 1)))
    (line,) = re.findall(
        r"`(/poc extend [^`]*)`", TEXTS.stall_issue(Told("", "", OWNER, charter=far).view)[1]
    )
    (command,) = parse_commands(line.replace("<reason>", "it is far away"))
    assert isinstance(read_order(command, DUE[EscalationStep.ISSUE]), Extend)


def test_long_waits_are_added_up() -> None:
    waited = tuple((f"erin-{n}", 30 - n) for n in range(12))
    view = Told("", "", OWNER, totals=Totals(1, 2, 3, waited)).view
    assert view.totals is not None
    assert len(view.totals.waiting) == 9
    assert view.totals.waiting[-1] == ("others", sum(days for _, days in waited[8:]))


def test_a_title_has_the_length_that_github_takes() -> None:
    long = replace(CHARTER, title="x" * 300)
    title = TEXTS.stall_issue(Told("", "", SECURITY, charter=long).view)[0]
    assert len(title) <= TITLE_LIMIT
    assert title.endswith("is waiting for security: 5 working days")


HARMFUL = NASTY | st.sampled_from(
    [STALL_END, stall_opening(8), "fixes #3", "closes acme/x#4", "`@dan-w", "a/b/c"]
)


@given(HARMFUL, HARMFUL, HARMFUL, st.sampled_from(sorted(BY_NAME)), st.sampled_from(list(EscalationStep)))
def test_what_strangers_wrote_does_nothing(
    title: str, login: str, other: str, name: str, rung: EscalationStep
) -> None:
    told = BY_NAME[name].at(rung)
    charter = told.charter and replace(
        CHARTER,
        title=title,
        owner=at(f"{login} o"),
        target=Target(environment=at(other)),
        signoffs=Signoffs(product=at(f"{other} p")),
    )
    having = told.waiting_on and replace(
        told.waiting_on,
        people=(f"{login} x", other),
        about=other if told.waiting_on.wants is Wants.INFRA else f"{other} #",
    )
    place = replace(told.place, full_name=f"acme/{login} r")
    totals = Totals(1, 2, 3, ((other, 4), (login, 5)))
    nasty = replace(
        told, charter=charter, waiting_on=having, place=place, totals=totals, policy=leads(f"{login} l")
    )
    heading, body = TEXTS.stall_issue(nasty.view)
    assert not ACTIVE.search(heading)
    assert "\n" not in heading
    assert replace_block(body, "") == "\n"
    assert body.count(STALL_MARKER) == body.count(STALL_END) == 1
    assert_inert(body.removeprefix(stall_opening(7)).replace(STALL_END, ""), nasty)
    assert_inert(TEXTS.ladder_comment(nasty.view, rung), nasty)


def leads(login: str) -> Any:
    return replace(NO_POLICY, groups={group: GroupPolicy(lead=login) for group in Group})


def assert_inert(text: str, told: Told) -> None:
    """No mention, no reference but to the pull request of ours, no link, no HTML that strangers wrote."""
    tokens = MARKDOWN.parse(text)
    kinds = {token.type for token in tokens} | {token.type for token in inline(tokens)}
    assert not kinds & {"html_block", "html_inline", "heading_open", "fence", "image", "code_block"}
    assert set(links(tokens)) <= {CHARTER_URL, DRAFT_URL}
    number = told.waiting_on.number if told.waiting_on else None
    ours = f"#{number}" if number else "#"
    for token in inline(tokens):
        if token.type == "text":
            assert not ACTIVE.search(token.content.replace(ours, "")), token.content
            assert not re.search(r"\b(?:clos|fix|resolv)\w*:? +[\w/.-]*#\d", token.content, re.IGNORECASE)
        if token.type == "code_inline":
            assert "<!--" not in token.content.replace(f"<{WORD_JOINER}!--", "")
