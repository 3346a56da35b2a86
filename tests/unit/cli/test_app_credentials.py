"""What is stored of the app: encrypted, under a key that is made once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from service.cli import env_file
from service.config.app_credentials import PURPOSE, AppCredentials, UnreadableAppError, unsealed
from service.config.secret_key import (
    FILE,
    PREVIOUS_FILE,
    SecretKeyError,
    SecretKeys,
    find,
    find_or_make,
    find_previous,
)
from service.config.settings import Settings, SettingsError, load, load_service, names_an_app
from tests.harness.settings import NEEDED, PEM

APP = AppCredentials(
    4711,
    "governor",
    "https://github.com/apps/governor",
    "https://github.com",
    "https://api.github.com",
    "Iv1.id",
    PEM,
    "hook-secret",
    "client-secret",
)
KEY, OTHER = "k" * 32, "o" * 32


def test_it_is_read_back_with_its_key() -> None:
    assert unsealed(APP.sealed(SecretKeys(KEY)), SecretKeys(KEY)) == APP


def test_no_secret_shows_in_what_is_stored_or_printed() -> None:
    for shown in (APP.sealed(SecretKeys(KEY)).decode(), repr(APP)):
        assert not any(secret in shown for secret in ("BEGIN", "hook-secret", "client-secret"))


@pytest.mark.parametrize(
    "sealed",
    [
        pytest.param(APP.sealed(SecretKeys(OTHER)), id="another key"),
        pytest.param(SecretKeys(KEY).cipher("sessions").encrypt(b"{}"), id="another purpose"),
        pytest.param(b"nonsense", id="nonsense"),
    ],
)
def test_nothing_else_is_taken_for_it(sealed: bytes) -> None:
    with pytest.raises(UnreadableAppError):
        unsealed(sealed, SecretKeys(KEY))


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    made = find_or_make("", data)
    assert len(made) >= 32
    assert find_or_make("", data) == find("", data) == made
    assert (data / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in data.iterdir()] == [FILE]


def test_while_a_key_is_replaced_both_read_and_the_new_one_writes() -> None:
    before, during, after = SecretKeys(OTHER), SecretKeys(KEY, OTHER), SecretKeys(KEY)
    assert during.cipher("x").decrypt(before.cipher("x").encrypt(b"old")) == b"old"
    assert after.cipher("x").decrypt(during.cipher("x").encrypt(b"new")) == b"new"
    assert during.sealed("x", "text") == after.sealed("x", "text")
    assert during.is_sealed("x", "text", before.sealed("x", "text"))
    assert during.is_sealed("x", "text", after.sealed("x", "text"))
    assert not after.is_sealed("x", "text", before.sealed("x", "text"))
    assert not during.is_sealed("y", "text", after.sealed("x", "text"))
    assert OTHER not in repr(during)


def test_the_previous_key_is_read_where_it_is(tmp_path: Path) -> None:
    assert find_previous("", tmp_path) is None
    assert find_previous(OTHER, tmp_path) == OTHER
    (tmp_path / PREVIOUS_FILE).write_text(f"{KEY}\n")
    assert find_previous("", tmp_path) == KEY
    assert find("", tmp_path) is None


def test_what_earlier_versions_know_nothing_of_is_stored_only_where_it_is_needed() -> None:
    keys = SecretKeys(KEY)
    assert b"previous" not in keys.cipher(PURPOSE).decrypt(APP.sealed(keys))


def test_the_key_of_the_environment_wins(tmp_path: Path) -> None:
    assert find_or_make(KEY, tmp_path) == find(KEY, tmp_path) == KEY
    assert list(tmp_path.iterdir()) == []
    assert find("", tmp_path) is None


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(find_or_make("", tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert set(made) == {find("", tmp_path)}


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SecretKeyError, match=r"SECRET_KEY is not set, and .*secret-key can't be"):
        find_or_make("", tmp_path / "file" / "data")


def test_the_app_becomes_settings() -> None:
    settings = load(dict(APP.as_environment()) | {"PUBLIC_URL": "https://governor.acme.dev"})
    assert settings.github_app_id == APP.app_id
    assert settings.github_client_secret == "client-secret"
    assert "client-secret" not in repr(settings)


def test_a_line_of_the_file_is_read_alike_by_shells_and_by_docker() -> None:
    [line] = env_file.lines({"GITHUB_APP_PRIVATE_KEY": PEM})
    assert "\n" not in line
    as_docker_reads_it = line.partition("=")[2]
    assert as_docker_reads_it.startswith("'-----BEGIN")
    for value in (as_docker_reads_it, as_docker_reads_it.strip("'")):
        read = load(NEEDED | {"GITHUB_APP_PRIVATE_KEY": value})
        assert read.github_app_private_key.strip() == PEM.strip()


def test_a_file_is_made_before_it_is_needed_and_gone_if_it_was_not(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    with env_file.reserved(file):
        assert file.stat().st_mode & 0o777 == 0o600
    assert not file.exists()
    with env_file.reserved(file) as out:
        env_file.write(out, "governor", {"PORT": "1"})
    assert file.read_text().splitlines()[1:] == ["PORT=1"]


def test_a_file_that_exists_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("GITHUB_APP_PRIVATE_KEY=precious")
    with pytest.raises(FileExistsError), env_file.reserved(file):
        pass
    assert file.read_text() == "GITHUB_APP_PRIVATE_KEY=precious"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"PUBLIC_URL": "https://x.acme.dev", "SECRET_KEY": KEY}, False, id="nothing of an app"),
        pytest.param({"GITHUB_APP_ID": "  "}, False, id="a blank"),
        *(
            pytest.param({name: "x"}, True, id=name)
            for name in (
                "GITHUB_APP_ID",
                "GITHUB_APP_PRIVATE_KEY",
                "GITHUB_APP_PRIVATE_KEY_FILE",
                "GITHUB_WEBHOOK_SECRET",
                "GITHUB_WEBHOOK_SECRET_PREVIOUS",
                "GITHUB_CLIENT_ID",
                "GITHUB_CLIENT_SECRET",
            )
        ),
    ],
)
def test_what_names_an_app(environment: dict[str, str], named: bool) -> None:
    assert names_an_app(environment) is named


def test_without_an_app_the_rest_of_the_settings_is_still_asked_for() -> None:
    assert not isinstance(load_service({"PUBLIC_URL": "https://x.acme.dev"}), Settings)
    with pytest.raises(SettingsError) as caught:
        load_service({"SECRET_KEY": "short", "ALLOWED_ACCOUNTS": "acme, no/login"})
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "SECRET_KEY:",
        "PUBLIC_URL",
        "ALLOWED_ACCOUNTS:",
    ]
    assert "short" not in str(caught.value)
