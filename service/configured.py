"""The app that this service is: of the environment, or, where nothing of one is there, of the database."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.config.app_credentials import AppCredentials, UnreadableAppError, unsealed
from service.config.secret_key import FILE, SecretKeyError, SecretKeys, find, find_or_make, find_previous
from service.config.settings import Settings, StoreSettings, load
from service.store.app_credentials import StoredApp
from service.store.database import Database, connected
from service.store.schema import migrate, pending

ASKED_EVERY = 1.0
"""Seconds between two looks whether an app was stored."""


class UnreadableSettingsError(Exception):
    """An app is stored, and can't be read with this SECRET_KEY."""


def stored_app(settings: StoreSettings, engine: Engine) -> AppCredentials | None:
    """The app in the database; None where none is stored, or the database isn't up to date."""
    sealed = None if pending(engine) else StoredApp(Database(engine)).find()
    if sealed is None:
        return None
    try:
        return unsealed(sealed, _keys(settings, find(settings.secret_key, settings.data_dir) or "none"))
    except SecretKeyError as error:
        raise UnreadableSettingsError(str(error)) from error
    except UnreadableAppError as error:
        raise UnreadableSettingsError(
            "the app in the database was encrypted with another SECRET_KEY: set the one of the process that "
            f"stored it, or bring its file here as {settings.data_dir / FILE}; if you have replaced the key, "
            "set SECRET_KEY_PREVIOUS to that one"
        ) from error


def keep_app(settings: StoreSettings, engine: Engine, app: AppCredentials) -> bool:
    """Store the app, encrypted; False, and nothing is changed, where one is stored already."""
    keys = made_keys(settings)
    migrate(engine)
    return StoredApp(Database(engine)).keep(app.app_id, app.sealed(keys))


def replace_app(settings: StoreSettings, engine: Engine, app: AppCredentials) -> None:
    """Store the app in place of the one that is stored."""
    StoredApp(Database(engine)).replace(app.sealed(made_keys(settings)))


def encrypt_anew(settings: StoreSettings, engine: Engine) -> bool:
    """Encrypt the stored app with the present key if it was with the previous one; whether it was."""
    keys, stored = made_keys(settings), StoredApp(Database(engine)).find()
    if stored is None or keys.previous is None:
        return False
    try:
        unsealed(stored, SecretKeys(keys.current))
    except UnreadableAppError:
        StoredApp(Database(engine)).replace(unsealed(stored, keys).sealed(keys))
        return True
    return False


def made_keys(settings: StoreSettings) -> SecretKeys:
    """The keys; where there is none, one is made."""
    return _keys(settings, find_or_make(settings.secret_key, settings.data_dir))


def _keys(settings: StoreSettings, current: str) -> SecretKeys:
    return SecretKeys(current, find_previous(settings.secret_key_previous, settings.data_dir))


def with_stored_app(
    environment: Mapping[str, str], settings: StoreSettings, engine: Engine
) -> Settings | None:
    """All settings, with the app in the database; None where none is stored."""
    app = stored_app(settings, engine)
    # The address of GitHub in the environment wins: it may be a proxy in front of it.
    given = {name: value for name, value in environment.items() if value.strip()}
    return load({**app.as_environment(), **given}) if app else None


def complete(
    environment: Mapping[str, str], settings: StoreSettings, database_url: str, *, wait: bool
) -> Settings | None:
    """The same at an address; with `wait` once there is an app: a database that is away only costs time."""
    with connected(database_url, pool_size=1) as engine:
        while True:
            try:
                found = with_stored_app(environment, settings, engine)
            except SQLAlchemyError:
                if not wait:
                    raise
                found = None
            if found or not wait:
                return found
            time.sleep(ASKED_EVERY)
