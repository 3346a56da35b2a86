"""What GitHub hands out once when an app is registered, and its encrypted form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from cryptography.fernet import InvalidToken

from service.config.secret_key import SecretKeys

PURPOSE = "app credentials"


class UnreadableAppError(Exception):
    """What is stored of the app was encrypted with another key."""


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """An app, and all that proves to be it; no secret shows in its `repr`."""

    app_id: int
    slug: str
    html_url: str
    github_url: str
    api_url: str
    client_id: str = ""
    private_key: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    webhook_secret_previous: str = field(default="", repr=False)

    @property
    def installing(self) -> str:
        """GitHub's page on which the app is installed."""
        return f"{self.html_url}/installations/new"

    def as_environment(self) -> Mapping[str, str]:
        """The settings that it stands for, without those that are empty."""
        settings = {
            "GITHUB_APP_ID": str(self.app_id),
            "GITHUB_APP_PRIVATE_KEY": self.private_key,
            "GITHUB_WEBHOOK_SECRET": self.webhook_secret,
            "GITHUB_WEBHOOK_SECRET_PREVIOUS": self.webhook_secret_previous,
            "GITHUB_CLIENT_ID": self.client_id,
            "GITHUB_CLIENT_SECRET": self.client_secret,
            "GITHUB_URL": self.github_url,
            "GITHUB_API_URL": self.api_url,
        }
        if not self.client_secret:  # nobody logs in with half of it
            del settings["GITHUB_CLIENT_ID"]
        return {name: value for name, value in settings.items() if value}

    def sealed(self, keys: SecretKeys) -> bytes:
        """It, encrypted; what it doesn't have is left out, so that earlier versions can read it."""
        values = {name: value for name, value in asdict(self).items() if value}
        return keys.cipher(PURPOSE).encrypt(json.dumps(values).encode())


def unsealed(data: bytes, keys: SecretKeys) -> AppCredentials:
    """It again; raises `UnreadableAppError` with other keys."""
    try:
        return AppCredentials(**json.loads(keys.cipher(PURPOSE).decrypt(data)))
    except InvalidToken as error:
        raise UnreadableAppError from error
