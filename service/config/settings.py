"""Settings from the environment: one field, one sentence. Only the edges read them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from service.config import setting_values
from service.config.private_key import KEY, KEY_FILE, private_key
from service.rules.policy.model import Mode
from service.rules.setup.manifest import PUBLIC_API, PUBLIC_GITHUB
from service.rules.values.groups import Level

NOT_PRIVATE = "`PUBLIC_URL` begins with `http://`. Put the service behind TLS, and set its https address."
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class SettingsError(Exception):
    """Settings that are missing or malformed: a line for each, naming it and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


def _number(low: int, high: int) -> BeforeValidator:
    return BeforeValidator(partial(setting_values.whole_number, low=low, high=high))


def _one_of(words: type[StrEnum]) -> BeforeValidator:
    return BeforeValidator(partial(setting_values.one_of, words=words))


def _secret(name: str, *, shortest: int = 1, in_a_header: bool = False) -> AfterValidator:
    checked = partial(setting_values.secret, name=name, shortest=shortest, in_a_header=in_a_header)
    return AfterValidator(checked)


Url = Annotated[str, AfterValidator(setting_values.url)]
PRIVATE_NETWORKS = "127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, fc00::/7"
"""Where a proxy in front of the service stands."""
PUBLIC_ISSUER = "https://token.actions.githubusercontent.com"


def default_data_dir() -> Path:
    """`/var/lib/poc-governor` for root, whose home others cannot enter; else below the home folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/poc-governor")
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "poc-governor"


class StoreSettings(BaseModel):
    """What is needed to reach the database, and to read what is encrypted in it."""

    model_config = ConfigDict(frozen=True)

    database_url: Annotated[str, AfterValidator(setting_values.postgres)] = Field(
        default="", description="PostgreSQL to use; empty starts the embedded one below DATA_DIR.", repr=False
    )
    data_dir: Annotated[Path, BeforeValidator(setting_values.folder)] = Field(
        default_factory=default_data_dir, description="Folder of the embedded PostgreSQL."
    )
    secret_key: Annotated[str, _secret("SECRET_KEY", shortest=32)] = Field(
        default="",
        description="Encrypts what is stored of the app; empty makes a file `secret-key` in DATA_DIR.",
        repr=False,
    )
    secret_key_previous: Annotated[str, _secret("SECRET_KEY_PREVIOUS", shortest=32)] = Field(
        default="",
        description="The SECRET_KEY before this one, while what it encrypted is still read; empty reads a "
        "file `secret-key-previous` in DATA_DIR, if it is there.",
        repr=False,
    )
    log_format: Annotated[LogFormat, _one_of(LogFormat)] = Field(
        default=LogFormat.TEXT, description="Log lines as `text` or as `json`."
    )


class ServiceSettings(StoreSettings):
    """What is needed to serve /setup, before there is an app."""

    public_url: Annotated[str, AfterValidator(setting_values.public_url)] = Field(
        description="The address under which GitHub and people reach this service."
    )
    github_api_url: Url = Field(default=PUBLIC_API, description="GitHub's API.")
    github_url: Url = Field(default=PUBLIC_GITHUB, description="GitHub's pages.")
    host: Annotated[str, AfterValidator(setting_values.host)] = Field(
        default="127.0.0.1", description="Address to listen on."
    )
    port: Annotated[int, _number(0, 65535)] = Field(default=8080, description="Port to listen on.")
    database_connections: Annotated[int, _number(8, 100)] = Field(
        default=22,
        description="Connections to PostgreSQL that a worker takes at most: with 8 it looks at two subjects "
        "at a time, with 22 at eight, which is all it does.",
    )
    web_processes: Annotated[int, _number(1, 64)] = Field(
        default=1,
        description="Processes that receive deliveries, on one port.",
    )
    metrics_token: Annotated[str, _secret("METRICS_TOKEN", shortest=16, in_a_header=True)] = Field(
        default="",
        description="What /metrics and the details of /readyz ask for; empty for none.",
        repr=False,
    )
    trusted_proxies: Annotated[str, AfterValidator(setting_values.networks)] = Field(
        default=PRIVATE_NETWORKS,
        description="Addresses and networks whose X-Forwarded-For is believed; default the private networks.",
    )
    mode: Annotated[Mode | None, _one_of(Mode)] = Field(
        default=None,
        description="`enforce`, or `observe` to hold nothing up and open no issue, where no policy says; "
        "empty: a new installation observes until its policy says.",
    )
    evidence_level: Annotated[Level, _one_of(Level)] = Field(
        default=Level.SELF_REPORTED,
        description="Numbers that count for shipping: `self-reported` in files too, or only `measured` ones.",
    )
    allowed_accounts: Annotated[str, AfterValidator(setting_values.accounts)] = Field(
        default="",
        description="Accounts, with commas between, whose installations of the app count; empty for all.",
    )
    slack_webhook_url: Annotated[str, AfterValidator(setting_values.secret_url)] = Field(
        default="", description="Slack's incoming webhook for the weekly digest; empty for none.", repr=False
    )
    oidc_issuer: Url = Field(
        default="", description="Who signs the tokens of GitHub Actions; empty is who does for GITHUB_URL."
    )

    @property
    def actions_issuer(self) -> str:
        """The issuer of GitHub Actions: of github.com, of an enterprise's own SUB.ghe.com, or of a server."""
        if self.oidc_issuer:
            return self.oidc_issuer
        if self.github_url == PUBLIC_GITHUB:
            return PUBLIC_ISSUER
        parts = urlsplit(self.github_url)
        if (parts.hostname or "").endswith(".ghe.com"):
            return f"{parts.scheme}://token.actions.{parts.netloc}"
        return f"{self.github_url}/_services/token"

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts whose installations count, in small letters; empty for all."""
        return frozenset(part.strip().lower() for part in self.allowed_accounts.split(",") if part.strip())

    def serves(self, account: str) -> bool:
        """Whether the installation on an account counts."""
        return not self.accounts or account.lower() in self.accounts

    @property
    def github_is_local(self) -> bool:
        """Whether GitHub is an emulator on this machine, where tests and the demo may change the time."""
        return urlsplit(self.github_api_url).hostname in LOCAL_HOSTS

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way to the pages can read along."""
        parts = urlsplit(self.public_url)
        return parts.scheme == "https" or parts.hostname in LOCAL_HOSTS


class Settings(ServiceSettings):
    """What is needed to serve and to work."""

    github_app_id: Annotated[int, BeforeValidator(setting_values.app_id)] = Field(
        description="The app's id, from its settings page."
    )
    github_app_private_key: str = Field(
        description="The app's private key as PEM text; or give GITHUB_APP_PRIVATE_KEY_FILE.", repr=False
    )
    github_webhook_secret: Annotated[str, _secret("GITHUB_WEBHOOK_SECRET")] = Field(
        description="The webhook's secret.", repr=False
    )
    github_webhook_secret_previous: Annotated[str, _secret("GITHUB_WEBHOOK_SECRET_PREVIOUS")] = Field(
        default="", description="A webhook's secret that is taken too, while it is replaced.", repr=False
    )
    github_client_id: Annotated[str, AfterValidator(setting_values.client_id)] = Field(
        default="", description="The app's client id, for the pages."
    )
    github_client_secret: Annotated[str, _secret("GITHUB_CLIENT_SECRET")] = Field(
        default="", description="The app's client secret; without it the pages are off.", repr=False
    )

    @property
    def can_log_in(self) -> bool:
        """Whether people log in to the pages with GitHub."""
        return bool(self.github_client_id and self.github_client_secret) and self.is_private

    @property
    def pages_are_open(self) -> bool:
        """Whether the pages are open to this machine: where GitHub is an emulator on it, as in the demo."""
        here = {urlsplit(self.public_url).hostname, self.host}
        return self.github_is_local and here <= set(LOCAL_HOSTS) and not self.github_client_id


S = TypeVar("S", bound=StoreSettings)

HALF_A_LOGIN = (
    "Of GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET only one is set, and people log in to the pages with both. "
    "Set the other one from the app's settings page too, or none of them to leave the pages off."
)
OF_THE_APP = (
    *(name.upper() for name in Settings.model_fields.keys() - ServiceSettings.model_fields),
    KEY_FILE,
)
"""The settings that name an app, or prove to be one."""


def load(environment: Mapping[str, str]) -> Settings:
    """Read all that is needed to serve; raises `SettingsError` with a line for each problem."""
    environment = dict(environment)
    problems = []
    try:
        environment[KEY] = private_key(environment)
    except ValueError as error:
        problems.append(str(error))
        environment[KEY] = "none"
    if _is_set(environment, "GITHUB_CLIENT_ID") != _is_set(environment, "GITHUB_CLIENT_SECRET"):
        problems.append(HALF_A_LOGIN)
    return _parse(Settings, environment, problems)


def names_an_app(environment: Mapping[str, str]) -> bool:
    """Whether anything of an app is set: then all that is needed has to be."""
    return any(_is_set(environment, name) for name in OF_THE_APP)


def load_service(environment: Mapping[str, str]) -> ServiceSettings:
    """Read all that is needed to serve but the app."""
    return _parse(ServiceSettings, environment, [])


def load_store(environment: Mapping[str, str]) -> StoreSettings:
    """Read what is needed to reach the database."""
    return _parse(StoreSettings, environment, [])


def _is_set(environment: Mapping[str, str], name: str) -> bool:
    return bool(environment.get(name, "").strip())


def _parse(model: type[S], environment: Mapping[str, str], problems: list[str]) -> S:
    values, unfilled = _given(model, environment)
    problems = [*problems, *unfilled.values()]
    parsed = None
    try:
        parsed = model.model_validate(values)
    except ValidationError as error:
        wrong = {str(each["loc"][0]): each for each in error.errors()}
        problems += [
            _problem(name, model, "" if each["type"] == "missing" else each["msg"])
            for name, each in wrong.items()
            if name not in unfilled
        ]
    if problems or parsed is None:
        raise SettingsError(problems)
    return parsed


def _given(model: type[BaseModel], environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of the environment, and the problems of those that nobody filled in, by the field's name."""
    values: dict[str, Any] = {}
    unfilled: dict[str, str] = {}
    for name, field in model.model_fields.items():
        # Some readers of `.env` files take quotes for a part of the value. Those of a secret may be one.
        value = environment.get(name.upper(), "").strip()
        value = setting_values.unquoted(value) if field.repr else value
        if left := setting_values.left_from_an_example(value, secret=not field.repr):
            unfilled[name] = _problem(name, model, f"{left} is from an example: write your own")
        elif value:
            values[name] = value
    return values, unfilled


def _problem(name: str, model: type[BaseModel], reason: str) -> str:
    says = model.model_fields[name].description
    reason = reason.removeprefix("Value error, ")  # pydantic's
    return f"{name.upper()}: {reason}. {says}" if reason else f"{name.upper()} is not set. {says}"
