"""The owner: one person."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.values import bare_login, parse_login
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.checks.surroundings import Access
from service.rules.source.text import shown
from service.rules.values.github import is_bot


@check(
    why="You can ask one person what happens next, but not a team or a bot.",
    examples=(
        Example("owner: acme/ml-team", "owner: jane-doe"),
        Example("owner: renovate[bot]", "owner: jane-doe"),
    ),
)
def owner(context: CheckContext) -> Iterator[Problem]:
    """One person owns the POC."""
    owner = context.text("owner")
    if owner is None:
        return
    name = bare_login(owner.value)
    if is_bot(name):
        yield Problem(f"{shown(name)} is a bot: write the login of the person who answers for it", owner)
    elif "@" in name.strip("@"):
        yield Problem(f"{shown(name)} is an e-mail address: write the GitHub login of that person", owner)
    elif "/" in name and name.lower() != "n/a":
        yield Problem(f"{shown(name)} is a team: write one person, for example `jane-doe`", owner)
    elif parse_login(owner.value):
        return
    elif parse_login(name):
        yield Problem(f"Only the login goes here: write {shown(name)}", owner, context.line_with(owner, name))
    elif len(name.replace(",", " ").replace("&", " ").split()) > 1:
        yield Problem(f"{shown(name)} isn't one login: write the one person who owns this", owner)
    else:
        yield Problem(f"{shown(name)} isn't a GitHub login: write one, for example `jane-doe`", owner)


@check(
    why="A signature counts when it comes from somebody other than the owner.",
    examples=(Example("product: jane-doe", "product: carol-s", "signoffs"),),
)
def owner_signs(context: CheckContext) -> Iterator[Problem]:
    """The owner is not among those who sign."""
    owner = (context.charter.owner_login or "").lower()
    for signer in context.charter.signoffs.all:
        if signer.value.lower() == owner:
            message = f"{shown(signer.value)} owns this POC and can't sign it: name somebody else"
            yield Problem(message, signer)


@check(
    why="An owner who can't push can't bring it to production. Checked with GitHub, not offline.",
    examples=(Example("owner: somebody-who-left", "owner: jane-doe"),),
)
def owner_access(context: CheckContext) -> Iterator[Problem]:
    """The owner can write to the repository."""
    owner, access = context.charter.owner, context.outside.owner_access
    if owner is None or access in (None, Access.WRITE):
        return
    name = shown(owner.value)
    if access is Access.UNKNOWN:
        message = f"GitHub doesn't know {name} here: fix the login, or give its person write access"
    elif access is Access.SUSPENDED:
        message = f"the account {name} is suspended: name an owner who can write to this repository"
    else:
        message = f"{name} can't write to this repository: give them write access, or name an owner who can"
    yield Problem(message, owner, severity=context.severity(lambda charter: charter.owner))
