"""Which organisation observes, since when and by whose word: said to an operator, and switched by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from service.rules.policy.model import Exceptions, Mode, Policy
from service.rules.policy.recognition import mode_of
from service.rules.source.text import in_words
from service.store.database import Database
from service.store.installations import Installations, KnownInstallation
from service.store.policies import Policies


@dataclass(frozen=True, slots=True)
class Held:
    """How one account stands: what holds there, and whether somebody has to decide."""

    account: str
    says: str
    due: bool


def modes(engine: Engine, default: Mode | None, now: datetime) -> Iterator[Held]:
    """Each installation that the app may use."""
    installations, policies = Installations(Database(engine)), Policies(Database(engine))
    for installation_id in installations.known():
        known = installations.find(installation_id)
        if known is not None and known.installation.suspended_at is None:
            yield _held(known, policies.in_force(installation_id), default, now)


def _held(known: KnownInstallation, policy: Policy, default: Mode | None, now: datetime) -> Held:
    begins, switched = known.begins_observing, known.switched
    mode = mode_of(policy, None, switched=switched, default=default, begins=begins)
    since = policy.calendar.day(known.observing_since) if known.observing_since else None
    why = (
        "an operator said so"
        if switched
        else "its policy says so"
        if policy.mode
        else "MODE says so"
        if default
        else "that's how an installation starts"
    )
    if mode is Mode.OBSERVE:
        says = f"observing{f' since {in_words(since)}' if since else ''}; {why}. Nothing is held up"
    else:
        says = f"enforcing; {why}"
    passed = [
        f"`{name}.until: {each.until}`"
        for name, each in (("observe", policy.observed), ("enforce", policy.enforced))
        if _passed(each, policy, now)
    ]
    if passed:
        says += (
            f". {' and '.join(passed)} of its policy has passed, and changes nothing by itself: decide there"
        )
    return Held(known.installation.account, says, bool(passed))


def _passed(each: Exceptions, policy: Policy, now: datetime) -> bool:
    return each.until is not None and each.until < policy.calendar.day(now)


class UnknownAccountError(Exception):
    """The app is not installed there, as far as is known."""


def switch(engine: Engine, account: str, mode: Mode | None) -> str:
    """Switch an account's installation, have everything in it looked at again, and say what holds now."""
    installations = Installations(Database(engine))
    found = installations.of_account(account)
    if not found:
        raise UnknownAccountError(f"{account} has no installation here: install the app, or fix --org")
    for installation_id in found:
        installations.switch(installation_id, mode)
    match mode:
        case None:
            return f"{account}: its policy decides again, or MODE if the policy doesn't say"
        case Mode.OBSERVE:
            return f"{account} observes from now on: nothing is held up and no issue is opened"
        case Mode.ENFORCE:
            return f"{account} enforces from now on, whatever its policy says"
