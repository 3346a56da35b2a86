"""`replace-credentials`: what is stored of the app, replaced part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path

from sqlalchemy import Engine

from service.cli.environment import no_app
from service.config.app_credentials import AppCredentials
from service.config.private_key import KEY
from service.config.secret_key import SecretKeyError
from service.config.settings import SettingsError, StoreSettings, load
from service.configured import UnreadableSettingsError, replace_app, stored_app
from service.github_client.app import App
from service.ports import GitHubError
from service.store.database import connected


class CredentialsError(Exception):
    """What is given can't be used, and nothing was replaced; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Given:
    """Files with what is new."""

    private_key: Path | None = None
    webhook_secret: Path | None = None
    client_secret: Path | None = None
    forget_previous: bool = False


def replace(environment: Mapping[str, str], settings: StoreSettings, database_url: str, given: Given) -> str:
    """Replace what is given, and say what is left to do."""
    if given == Given():
        raise CredentialsError("name what is new: --private-key, --webhook-secret or --client-secret")
    try:
        with connected(database_url, pool_size=1) as engine:
            return _replace(environment, settings, engine, given)
    except (UnreadableSettingsError, SecretKeyError) as error:
        raise CredentialsError(str(error)) from error


def _replace(environment: Mapping[str, str], settings: StoreSettings, engine: Engine, given: Given) -> str:
    app = stored_app(settings, engine)
    if app is None:
        raise CredentialsError(no_app())
    if given.forget_previous:
        app = changed(app, webhook_secret_previous="")
    if given.webhook_secret:
        app = _with_webhook_secret(app, _read(given.webhook_secret))
    if given.client_secret:
        app = changed(app, client_secret=_read(given.client_secret))
    if given.private_key:
        app = changed(app, private_key=_accepted_key(environment, app, _read(given.private_key)))
    replace_app(settings, engine, app)
    after = "; then set the new secret on the app's settings page" if given.webhook_secret else ""
    return f"Stored. Restart `serve` and `work`{after}."


def _with_webhook_secret(app: AppCredentials, secret: str) -> AppCredentials:
    if secret == app.webhook_secret:  # given once more: the one before it stays what it was
        return app
    return changed(app, webhook_secret=secret, webhook_secret_previous=app.webhook_secret)


def _accepted_key(environment: Mapping[str, str], app: AppCredentials, key: str) -> str:
    """The key, once GitHub takes it for the app."""
    given = {name: value for name, value in environment.items() if value.strip()}
    try:
        settings = load({**app.as_environment(), **given, KEY: key})
        App(settings.github_app_id, settings.github_app_private_key, settings.github_api_url).slug()
    except SettingsError as error:
        raise CredentialsError("; ".join(error.problems)) from error
    except GitHubError as error:
        raise CredentialsError(f"GitHub does not take that private key: {error.failure.message}") from error
    return settings.github_app_private_key


def _read(file: Path) -> str:
    try:
        found = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not plain text"
        raise CredentialsError(f"{file} can't be read: {reason}") from error
    if not found:
        raise CredentialsError(f"{file} is empty: write the secret into it")
    return found
