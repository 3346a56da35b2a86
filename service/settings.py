"""Settings from the environment: one field, one sentence. Only the edges read them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

NOT_PRIVATE = "`PUBLIC_URL` begins with `http://`. Put the service behind TLS, and set its https address."
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class SettingsError(Exception):
    """Settings that are missing or malformed: a line for each, naming it and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Mode(StrEnum):
    """`enforce` holds deployments and checks back; `observe` only says what it would hold back."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class EvidenceLevel(StrEnum):
    """Which numbers count for shipping: also those of files, or only those that workflow runs sent."""

    SELF_REPORTED = "self-reported"
    MEASURED = "measured"


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r} is not an address: write one such as https://governor.example.com")
    return value.rstrip("/")


def _secret_url(value: str) -> str:
    """An address that is a secret: error messages don't show it."""
    if value and not value.startswith(("https://", "http://localhost", "http://127.0.0.1")):
        raise ValueError("is not an address that begins with https://")
    return value


def _postgres(value: str) -> str:
    if value and not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("must start with postgresql://")
    return value


def _app_id(value: object) -> object:
    if isinstance(value, str) and not value.strip().isdecimal():
        raise ValueError(f"{value!r} is not a number")
    return value


SHORTEST_TOKEN = 16


def _token(value: str) -> str:
    """A secret that goes into a header: error messages don't show it."""
    if value and (
        len(value) < SHORTEST_TOKEN or not value.isascii() or not value.isprintable() or " " in value
    ):
        raise ValueError(f"needs at least {SHORTEST_TOKEN} letters, digits or signs, without a space")
    return value


def _networks(value: str) -> str:
    for part in value.split(","):
        try:
            ip_network(part.strip())
        except ValueError as error:
            example = "10.0.0.0/8, 192.168.1.7"
            raise ValueError(
                f"{part.strip()!r} is not an address or a network: write some such as {example}"
            ) from error
    return value


def _accounts(value: str) -> str:
    for part in filter(None, (part.strip() for part in value.split(","))):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", part):
            raise ValueError(f"{part!r} is not an account: write logins with commas between them")
    return value


Url = Annotated[str, AfterValidator(_url)]
PRIVATE_NETWORKS = "127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, fc00::/7"
"""Where a proxy in front of the service stands."""
PUBLIC_API = "https://api.github.com"
PUBLIC_GITHUB, PUBLIC_ISSUER = "https://github.com", "https://token.actions.githubusercontent.com"


def default_data_dir() -> Path:
    """`/var/lib/poc-governor` for root, whose home others cannot enter; else below the home folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/poc-governor")
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "poc-governor"


SHORTEST_SECRET_KEY = 32


def _secret_key(value: str) -> str:
    """A secret: error messages don't show it."""
    if value and len(value) < SHORTEST_SECRET_KEY:
        raise ValueError(f"needs at least {SHORTEST_SECRET_KEY} random characters")
    return value


class StoreSettings(BaseModel):
    """What is needed to reach the database, and to read what is encrypted in it."""

    model_config = ConfigDict(frozen=True)

    database_url: Annotated[str, AfterValidator(_postgres)] = Field(
        default="", description="PostgreSQL to use; empty starts the embedded one below DATA_DIR."
    )
    data_dir: Path = Field(default_factory=default_data_dir, description="Folder of the embedded PostgreSQL.")
    secret_key: Annotated[str, AfterValidator(_secret_key)] = Field(
        default="",
        description="Encrypts what is stored of the app; empty makes a file `secret-key` in DATA_DIR.",
        repr=False,
    )
    secret_key_previous: Annotated[str, AfterValidator(_secret_key)] = Field(
        default="",
        description="The SECRET_KEY before this one, while what it encrypted is still read; empty reads a "
        "file `secret-key-previous` in DATA_DIR, if it is there.",
        repr=False,
    )
    log_format: LogFormat = Field(default=LogFormat.TEXT, description="Log lines as `text` or as `json`.")


class ServiceSettings(StoreSettings):
    """What is needed to serve /setup, before there is an app."""

    public_url: Url = Field(description="The address under which GitHub and people reach this service.")
    github_api_url: Url = Field(default=PUBLIC_API, description="GitHub's API.")
    github_url: Url = Field(default=PUBLIC_GITHUB, description="GitHub's pages.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on.")
    database_connections: int = Field(
        default=22,
        ge=8,
        le=100,
        description="Connections to PostgreSQL that a worker takes at most: with 8 it looks at two subjects "
        "at a time, with 22 at eight, which is all it does.",
    )
    web_processes: int = Field(
        default_factory=lambda: min(2, os.cpu_count() or 1),
        ge=1,
        le=64,
        description="Processes that receive deliveries, on one port; two where there are two cores.",
    )
    metrics_token: Annotated[str, AfterValidator(_token)] = Field(
        default="",
        description="What /metrics and the details of /readyz ask for; empty for none.",
        repr=False,
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        default=PRIVATE_NETWORKS,
        description="Addresses and networks whose X-Forwarded-For is believed; default the private networks.",
    )
    mode: Mode | None = Field(
        default=None,
        description="`enforce`, or `observe` to hold nothing up and open no issue, where no policy says; "
        "empty: a new installation observes until its policy says.",
    )

    evidence_level: EvidenceLevel = Field(
        default=EvidenceLevel.SELF_REPORTED,
        description="Numbers that count for shipping: `self-reported` in files too, or only `measured` ones.",
    )
    allowed_accounts: Annotated[str, AfterValidator(_accounts)] = Field(
        default="",
        description="Accounts, with commas between, whose installations of the app count; empty for all.",
    )
    slack_webhook_url: Annotated[str, AfterValidator(_secret_url)] = Field(
        default="", description="Slack's incoming webhook for the weekly digest; empty for none.", repr=False
    )
    oidc_issuer: Annotated[str, AfterValidator(lambda value: value and _url(value))] = Field(
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

    github_app_id: Annotated[int, BeforeValidator(_app_id)] = Field(
        description="The app's id, from its settings page."
    )
    github_app_private_key: str = Field(
        description="The app's private key as PEM text; or give GITHUB_APP_PRIVATE_KEY_FILE.", repr=False
    )
    github_webhook_secret: str = Field(min_length=1, description="The webhook's secret.", repr=False)
    github_webhook_secret_previous: str = Field(
        default="", description="A webhook's secret that is taken too, while it is replaced.", repr=False
    )
    github_client_id: str = Field(default="", description="The app's client id, for the pages.")
    github_client_secret: str = Field(
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

KEY, KEY_FILE = "GITHUB_APP_PRIVATE_KEY", "GITHUB_APP_PRIVATE_KEY_FILE"
HALF_A_LOGIN = (
    "Of GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET only one is set, and people log in to the pages with both. "
    "Set the other one from the app's settings page too, or none of them to leave the pages off."
)
OF_THE_APP = (
    *(name.upper() for name in Settings.model_fields.keys() - ServiceSettings.model_fields),
    KEY_FILE,
)
"""The settings that name an app, or prove to be one."""
KEY_REMEDY = 'Download the key again under "Private keys" on the app\'s settings page.'


def load(environment: Mapping[str, str]) -> Settings:
    """Read all that is needed to serve; raises `SettingsError` with a line for each problem."""
    values = _values(Settings, environment)
    problems = []
    try:
        values["github_app_private_key"] = _private_key(environment)
    except ValueError as error:
        problems.append(str(error))
        values.setdefault("github_app_private_key", "")
    if ("github_client_id" in values) != ("github_client_secret" in values):
        problems.append(HALF_A_LOGIN)
    return _parse(Settings, values, problems)


def names_an_app(environment: Mapping[str, str]) -> bool:
    """Whether anything of an app is set: then all that is needed has to be."""
    return any(environment.get(name, "").strip() for name in OF_THE_APP)


def load_service(environment: Mapping[str, str]) -> ServiceSettings:
    """Read all that is needed to serve but the app."""
    return _parse(ServiceSettings, _values(ServiceSettings, environment), [])


def load_store(environment: Mapping[str, str]) -> StoreSettings:
    """Read what is needed to reach the database."""
    return _parse(StoreSettings, _values(StoreSettings, environment), [])


def _values(model: type[BaseModel], environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: environment[name.upper()]
        for name in model.model_fields
        if environment.get(name.upper(), "").strip()
    }


def _parse(model: type[S], values: dict[str, Any], problems: list[str]) -> S:
    try:
        parsed = model.model_validate(values)
    except ValidationError as error:
        problems += [_problem(dict(one), model) for one in error.errors()]
    if problems:
        raise SettingsError(problems)
    return parsed


def _problem(error: dict[str, Any], model: type[BaseModel]) -> str:
    name = str(error["loc"][0])
    says = model.model_fields[name].description
    if error["type"] == "missing":
        return f"{name.upper()} is not set. {says}"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{name.upper()}: {reason}. {says}"


def _private_key(environment: Mapping[str, str]) -> str:
    """The key from the text or the file; `ValueError` names which of them is wrong, and how."""
    file = environment.get(KEY_FILE, "").strip()
    # In one line it may be quoted: some readers of `.env` files take the quotes for a part of the value.
    text = environment.get(KEY, "").strip().strip("'\"").replace("\\n", "\n")
    if text:
        return _checked_key(text, KEY, "it")
    if not file:
        raise ValueError(f"{KEY} is not set, and neither is {KEY_FILE}. {KEY_REMEDY}")
    try:
        return _checked_key(Path(file).read_text(), KEY_FILE, f"`{file}`")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ValueError(f"{KEY_FILE}: `{file}` cannot be read ({reason}). {KEY_REMEDY}") from error


def _checked_key(text: str, name: str, what: str) -> str:
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        first = text.strip().splitlines()[0][:40] if text.strip() else "nothing"
        shown = f"it begins with `{first}`" if first.startswith("-----") else "it has no PEM header"
        raise ValueError(f"{name}: {what} is not a PEM private key ({shown}). {KEY_REMEDY}") from error
    if not isinstance(key, RSAPrivateKey):
        # Like every other line about a setting.
        raise ValueError(  # noqa: TRY004
            f"{name}: {what} is not an RSA key, as those of GitHub Apps are. {KEY_REMEDY}"
        )
    return text
