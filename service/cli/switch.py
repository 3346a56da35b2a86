"""`observe` and `enforce`: an operator's word for an organisation; a running service follows it at once."""

from __future__ import annotations

from sqlalchemy import Engine

from service.rules.policy.model import Mode
from service.store.database import Database
from service.store.installations import Installations


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
