"""Registers the app with GitHub for /setup, and keeps its credentials in the database."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.app_credentials import AppCredentials
from service.configured import keep_app
from service.github_client.app import App
from service.github_client.registration import take_over, version_of
from service.packaged import app_manifest
from service.ports import GitHubError
from service.rules.setup.manifest import PUBLIC_API, Registration, api_of, form_address, manifest
from service.secret_key import SecretKeyError
from service.settings import ServiceSettings, SettingsError, load
from service.web.setup import RegistrarError

log = structlog.get_logger(__name__)


class Registering:
    """Registers with GitHub, and keeps the credentials in the database."""

    def __init__(self, settings: ServiceSettings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        default = settings.github_api_url == PUBLIC_API
        self._api_url = api_of(settings.github_url) if default else settings.github_api_url

    def form(self, org: str, state: str) -> tuple[str, Mapping[str, Any]]:
        """Where the browser posts the manifest to, and the manifest."""
        if not org.replace("-", "").replace("_", "").isalnum() or not org.isascii():
            raise RegistrarError("Name the organisation by its login, like acme.")
        server = None
        if self._api_url != PUBLIC_API:
            with suppress(GitHubError):  # one that doesn't tell is taken for up to date
                server = version_of(self._api_url)
        asked = Registration(org, self._settings.public_url, server=server)
        return form_address(self._settings.github_url, org, state), manifest(app_manifest(), asked)

    def take_over(self, code: str) -> AppCredentials:
        """Exchange the code for the app's credentials, and keep them."""
        try:
            return self._kept(take_over(self._api_url, self._settings.github_url, code))
        except GitHubError as error:
            raise RegistrarError(f"{error.failure.message}.") from error

    def adopt(self, given: Mapping[str, str]) -> AppCredentials:
        """Keep the credentials of an app that exists, if GitHub accepts its key."""
        named = {
            "GITHUB_APP_ID": given["app_id"],
            "GITHUB_APP_PRIVATE_KEY": given["private_key"],
            "GITHUB_WEBHOOK_SECRET": given["webhook_secret"],
            "PUBLIC_URL": self._settings.public_url,
        }
        try:
            read = load(named)
            app = App(read.github_app_id, read.github_app_private_key, self._api_url).registered()
        except SettingsError as error:
            raise RegistrarError(" ".join(error.problems)) from error
        except GitHubError as error:
            raise RegistrarError(
                f"GitHub doesn't accept this key and id: {error.failure.message}."
            ) from error
        return self._kept(
            AppCredentials(
                read.github_app_id,
                app.slug,
                app.html_url,
                self._settings.github_url,
                self._api_url,
                app.client_id,
                read.github_app_private_key,
                read.github_webhook_secret,
                given["client_secret"],
            )
        )

    def _kept(self, app: AppCredentials) -> AppCredentials:
        try:
            kept = keep_app(self._settings, self._engine, app)
        except (SecretKeyError, SQLAlchemyError) as error:
            reason = str(getattr(error, "orig", error)).splitlines()[0]
            raise RegistrarError(
                f"{app.slug} wasn't stored: {reason}. If it was registered just now, delete it again: "
                f"{app.html_url}."
            ) from error
        if not kept:
            raise RegistrarError("This service already has an app: somebody was faster.")
        log.info("app stored", app=app.slug, app_id=app.app_id)
        return app
