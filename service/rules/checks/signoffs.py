"""Who signs: people, and at least two of them."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.keys import SIGNOFFS
from service.rules.charter.model import Located
from service.rules.charter.values import NOT_APPLICABLE, bare_login, parse_login, parse_not_needed
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.nodes import Scalar
from service.rules.source.text import choice, shown
from service.rules.values.finding import Severity
from service.rules.values.github import is_bot
from service.rules.values.groups import FURTHER, NEEDED, Group

FEWEST_PEOPLE = 2
SHOWN = 20


@check(
    why="Four groups have to agree: a team can't sign, and one person can't speak for all four.",
    examples=(Example("security: acme/security", "security: dan-w", "signoffs"),),
)
def signoffs_people(context: CheckContext) -> Iterator[Problem]:
    """At least two people sign, one login a group."""
    for field in SIGNOFFS:
        signer = context.text("signoffs", field.name)
        if signer and not (field.name not in NEEDED and parse_not_needed(signer.value)):
            yield from not_a_person(context, signer, needed=field.name in NEEDED)
    signoffs = context.charter.signoffs
    if len(signoffs.all) == len(signoffs.groups) and len(signoffs.people) < FEWEST_PEOPLE:
        message = f"{shown(signoffs.all[0].value)} would sign alone: name at least two people"
        yield Problem(message, context.key("signoffs"))


def not_a_person(context: CheckContext, signer: Scalar, *, needed: bool) -> Iterator[Problem]:
    """What keeps one signer from being one login."""
    name = bare_login(signer.value)
    if NOT_APPLICABLE.fullmatch(signer.value):
        because = "This group always signs: name a person" if needed else "Say why: write `n/a - <reason>`"
        yield Problem(because, signer)
    elif is_bot(name):
        yield Problem(f"{shown(name)} is a bot: name a person", signer)
    elif "@" in name.strip("@"):
        yield Problem(f"{shown(name)} is an e-mail address: write the GitHub login of that person", signer)
    elif "/" in name:
        yield Problem(f"{shown(name)} is a team: name the person who signs for it", signer)
    elif not parse_login(name):
        yield Problem(f"{shown(name)} isn't a GitHub login: write one, for example `dan-w`", signer)
    elif name != signer.value:
        yield Problem(
            f"Only the login goes here: write {shown(name)}", signer, context.line_with(signer, name)
        )


@check(
    Severity.WARNING,
    why="Each group sees what the others miss, so one person can't sign for two of them.",
    examples=(Example("platform: alice-k", "platform: bob-m", "signoffs"),),
)
def signoffs_distinct(context: CheckContext) -> Iterator[Problem]:
    """Each group has a signer of its own."""
    signoffs = context.charter.signoffs
    asked = len(signoffs.groups)
    if len(signoffs.all) < asked or not FEWEST_PEOPLE <= len(signoffs.people) < asked:
        return
    seen: set[str] = set()
    for signer in signoffs.all:
        if signer.value.lower() in seen:
            yield Problem(f"{shown(signer.value)} signs for two groups: name somebody else for one", signer)
        seen.add(signer.value.lower())


@check(
    why="Anybody can take a login that was given up: the account counts. Checked with GitHub, not offline.",
    examples=(Example("security: a-login-that-changed-hands", "security: dan-w", "signoffs"),),
)
def signoffs_account(context: CheckContext) -> Iterator[Problem]:
    """A signer is the account that had this login when a charter here named it first."""
    strangers = context.outside.strangers or frozenset()
    for group in Group:
        signer: Located[str] | None = getattr(context.charter.signoffs, group)
        if signer is not None and signer.value.lower() in strangers:
            name = shown(signer.value, SHOWN)
            message = f"{name} isn't the account first named: write the person's current login"
            severity = context.severity(lambda charter: charter.signoffs)
            yield Problem(message, signer, severity=severity)


@check(
    why="A signature speaks for the group, so a member gives it. Checked with the policy, not offline.",
    examples=(Example("security: mallory", "security: dan-w", "signoffs"),),
)
def signoffs_not_member(context: CheckContext) -> Iterator[Problem]:
    """A signer is one of the people whom the organisation's policy lists for that group."""
    for group in Group:
        known, signer = context.policy.groups.get(group), context.text("signoffs", group)
        if known is None or not known.members or signer is None:
            continue
        name = bare_login(signer.value)
        if not parse_login(name) or is_bot(name) or name.lower() in known.members:
            continue
        members = sorted(known.members)
        example = context.line_with(signer, members[0]) if len(members) == 1 else None
        message = f"{shown(name, SHOWN)} isn't in `{group}` of the policy: name {choice(members, SHOWN)}"
        yield Problem(message, signer, example=example)


@check(
    why="Only the organisation can leave a group out. Checked with the policy, not offline.",
    examples=(Example("security: n/a - we have no security group", "security: dan-w", "signoffs"),),
)
def signoffs_not_needed(context: CheckContext) -> Iterator[Problem]:
    """`n/a - reason` stands only for a group that `signoffs.not_needed` of the policy lists."""
    policy = context.policy
    for group, reason in context.charter.signoffs.not_needed:
        if group in policy.not_needed:
            continue
        if not policy.known:
            message = "Allowed only if the organisation's `poc-policy.yml` lists this group: check that"
            yield Problem(message, reason, severity=Severity.NOTICE)
        else:
            message = f"The policy's `signoffs.not_needed` doesn't list `{group}`: name a person"
            yield Problem(message, reason)


@check(
    why="A group that an organisation names has to agree to each POC. Checked with the policy, not offline.",
    examples=(Example("legal:", "legal: lea-l", "signoffs"),),
)
def signoffs_further(context: CheckContext) -> Iterator[Problem]:
    """Each further group that the policy names has a signer, or a reason why none is needed."""
    for group in FURTHER:
        if group in context.policy.groups and context.text("signoffs", group) is None:
            message = f"The policy names `{group}` as a group that signs: add who signs for it"
            yield Problem(message, context.key("signoffs"), example=f"  {group}: <login>", insert=True)
