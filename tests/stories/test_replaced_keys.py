"""Keys are replaced one by one, and nothing that was encrypted or signed before is lost meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service.cli import credentials
from service.cli.credentials import CredentialsError, Given
from service.config.app_credentials import AppCredentials, unsealed
from service.config.secret_key import FILE, PREVIOUS_FILE, SecretKeys
from service.config.settings import StoreSettings
from service.configured import UnreadableSettingsError, encrypt_anew, keep_app, stored_app
from service.github_client.app import App
from service.ports import GitHubError
from service.rules.queue import Failure, FailureKind
from service.store.app_credentials import StoredApp
from service.store.database import Database
from service.store.people import People, Person
from service.web.oauth import GitHubOAuth, LoggedOutError, Tokens, UserTokens
from tests.harness.settings import PEM

OLD, NEW, THIRD = "o" * 40, "n" * 40, "t" * 40
ERIN = Person(5, "erin-x")
HOUR = timedelta(hours=1)
APP = AppCredentials(
    4711,
    "governor",
    "https://github.com/apps/governor",
    "https://github.com",
    "https://api.github.com",
    client_id="Iv1.id",
    private_key="the old private key",
    webhook_secret="the old secret",
    client_secret="the old client secret",
)
ENVIRONMENT = {"PUBLIC_URL": "https://governor.acme.dev"}


def given(current: str, previous: str = "") -> StoreSettings:
    return StoreSettings(secret_key=current, secret_key_previous=previous, data_dir=Path("/nowhere"))


def test_the_stored_app_is_encrypted_with_the_new_key(engine: Engine) -> None:
    keep_app(given(OLD), engine, APP)
    assert not encrypt_anew(given(OLD), engine)
    with pytest.raises(UnreadableSettingsError, match="set SECRET_KEY_PREVIOUS to that one"):
        stored_app(given(NEW), engine)
    assert stored_app(given(NEW, OLD), engine) == APP
    assert encrypt_anew(given(NEW, OLD), engine)
    assert not encrypt_anew(given(NEW, OLD), engine)
    assert stored_app(given(NEW), engine) == APP
    with pytest.raises(UnreadableSettingsError):
        stored_app(given(OLD), engine)


def test_neither_key_is_the_right_one(engine: Engine) -> None:
    keep_app(given(OLD), engine, APP)
    with pytest.raises(UnreadableSettingsError):
        stored_app(given(NEW, THIRD), engine)


def test_with_files_the_old_one_is_renamed(engine: Engine, tmp_path: Path) -> None:
    settings = StoreSettings(data_dir=tmp_path)
    keep_app(settings, engine, APP)
    (tmp_path / FILE).rename(tmp_path / PREVIOUS_FILE)
    assert stored_app(settings, engine) == APP
    assert encrypt_anew(settings, engine)
    (tmp_path / PREVIOUS_FILE).unlink()
    assert stored_app(settings, engine) == APP


def test_who_is_logged_in_stays_so(engine: Engine) -> None:
    log_in(engine, SecretKeys(OLD))
    assert asks_as(engine, SecretKeys(NEW, OLD)) == "ghu_1"
    with pytest.raises(LoggedOutError):
        asks_as(engine, SecretKeys(NEW))


def test_who_logs_in_meanwhile_needs_the_new_key_only(engine: Engine) -> None:
    log_in(engine, SecretKeys(NEW, OLD))
    assert asks_as(engine, SecretKeys(NEW)) == "ghu_1"


def user_tokens(engine: Engine, keys: SecretKeys) -> UserTokens:
    oauth = GitHubOAuth("id", "secret", "https://github.com", "x")
    return UserTokens(People(Database(engine)), oauth, keys.cipher("user tokens"))


def log_in(engine: Engine, keys: SecretKeys) -> None:
    now = datetime.now(UTC)
    sealed = user_tokens(engine, keys).sealed(Tokens("ghu_1", now + HOUR))
    People(Database(engine)).log_in(ERIN, sealed, b"session", now=now, lasts=HOUR)


def asks_as(engine: Engine, keys: SecretKeys) -> str:
    async def told(token: str) -> str:
        return token

    return asyncio.run(user_tokens(engine, keys).acting(ERIN.id, told))


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "secret"
        path.write_text(text)
        return path

    return written


@pytest.fixture
def stored(engine: Engine) -> Callable[[], AppCredentials]:
    """What is stored; at first the app with the old credentials."""
    keep_app(given(OLD), engine, APP)

    def found() -> AppCredentials:
        sealed = StoredApp(Database(engine)).find()
        assert sealed is not None
        return unsealed(sealed, SecretKeys(OLD))

    return found


def replace(database_url: str, asked: Given) -> str:
    return credentials.replace(ENVIRONMENT, given(OLD), database_url, asked)


def test_a_webhook_secret_is_replaced_in_two_steps(
    database_url: str, stored: Callable[[], AppCredentials], file: Callable[[str], Path]
) -> None:
    for _ in range(2):
        said = replace(database_url, Given(webhook_secret=file("the new secret\n")))
        assert said == (
            "Stored. Restart `serve` and `work`; then set the new secret on the app's settings page."
        )
        assert (stored().webhook_secret, stored().webhook_secret_previous) == (
            "the new secret",
            "the old secret",
        )
        assert stored().as_environment()["GITHUB_WEBHOOK_SECRET_PREVIOUS"] == "the old secret"
    assert replace(database_url, Given(forget_previous=True)) == "Stored. Restart `serve` and `work`."
    assert (stored().webhook_secret, stored().webhook_secret_previous) == ("the new secret", "")


def test_a_client_secret_is_replaced(
    database_url: str, stored: Callable[[], AppCredentials], file: Callable[[str], Path]
) -> None:
    replace(database_url, Given(client_secret=file("the new client secret")))
    assert stored().client_secret == "the new client secret"
    assert stored().webhook_secret_previous == ""


def test_a_private_key_is_replaced_once_github_takes_it(
    database_url: str,
    stored: Callable[[], AppCredentials],
    file: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusal = GitHubError(Failure(FailureKind.REFUSED, "GitHub says 401, Bad credentials"))
    monkeypatch.setattr(App, "slug", lambda _: (_ for _ in ()).throw(refusal))
    with pytest.raises(CredentialsError, match="GitHub does not take that private key: GitHub says 401"):
        replace(database_url, Given(private_key=file(PEM)))
    assert stored() == APP
    monkeypatch.setattr(App, "slug", lambda _: "governor")
    replace(database_url, Given(private_key=file(PEM)))
    assert stored().private_key == PEM.strip()


@pytest.mark.parametrize(
    ("text", "asked", "says"),
    [
        pytest.param("", Given(), "name what is new", id="nothing"),
        pytest.param(" \n", Given(webhook_secret=Path("x")), "is empty", id="an empty file"),
        pytest.param("naïve", Given(client_secret=Path("x")), "not plain text", id="not plain text"),
        pytest.param("no key", Given(private_key=Path("x")), "is not a PEM private key", id="no key"),
    ],
)
def test_what_can_not_be_stored(  # noqa: PLR0917
    text: str,
    asked: Given,
    says: str,
    database_url: str,
    stored: Callable[[], AppCredentials],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x").write_text(text)
    with pytest.raises(CredentialsError, match=says):
        replace(database_url, asked)
    assert stored() == APP


def test_without_a_stored_app_nothing_is_replaced(database_url: str, file: Callable[[str], Path]) -> None:
    with pytest.raises(CredentialsError, match="no app is configured"):
        replace(database_url, Given(webhook_secret=file("x")))
