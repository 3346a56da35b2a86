"""Settings from the environment: what is read, and the one line that names what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from service.settings import LogFormat, Settings, SettingsError, default_data_dir, load, load_store
from tests.harness.settings import CERTIFICATE, NEEDED, PEM, REMEDY, pem


def problems(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(NEEDED | changes)
    return caught.value.problems


def test_what_is_needed_is_enough() -> None:
    settings = load(NEEDED)
    assert (settings.github_app_id, settings.public_url) == (4711, "https://governor.example.com")
    assert (settings.github_api_url, settings.github_url) == ("https://api.github.com", "https://github.com")
    assert (settings.mode, settings.log_format, settings.port) == (None, LogFormat.TEXT, 8080)
    assert (settings.database_url, settings.data_dir) == ("", default_data_dir())
    assert not settings.github_is_local


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param(
            {"GITHUB_APP_ID": ""},
            "GITHUB_APP_ID is not set. The app's id, from its settings page.",
            id="no app id",
        ),
        pytest.param({"GITHUB_APP_ID": "Iv1.x"}, "GITHUB_APP_ID: ", id="an app id that is no number"),
        pytest.param(
            {"GITHUB_WEBHOOK_SECRET": "  "},
            "GITHUB_WEBHOOK_SECRET is not set. The webhook's secret.",
            id="a secret of spaces",
        ),
        pytest.param({"PUBLIC_URL": ""}, "PUBLIC_URL is not set. The address", id="no public address"),
        pytest.param(
            {"PUBLIC_URL": "governor.example.com"},
            "PUBLIC_URL: 'governor.example.com' is not an address: write one such as https://",
            id="an address without https",
        ),
        pytest.param({"PORT": "99999"}, "PORT: ", id="a port that there is not"),
        *(
            pytest.param(
                {name: "Iv23"}, "Of GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET only one", id=f"only {name}"
            )
            for name in ("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET")
        ),
        pytest.param(
            {"SECRET_KEY": "hunter2"},
            "SECRET_KEY: needs at least 32 random characters. Encrypts what",
            id="a short key",
        ),
        *(
            pytest.param(
                {"METRICS_TOKEN": token},
                "METRICS_TOKEN: needs at least 16 letters, digits or signs, without a space. What /metrics",
                id=f"a token {how}",
            )
            for token, how in (
                ("hunter2", "that is short"),
                ("correct horse battery staple", "with spaces"),
                ("passwörter-sind-geheim", "that is not ASCII"),
            )
        ),
        pytest.param(
            {"TRUSTED_PROXIES": "10.0.0.0/8, proxy.example.com"},
            "TRUSTED_PROXIES: 'proxy.example.com' is not an address or a network: write some such as",
            id="a proxy by its name",
        ),
        pytest.param(
            {"TRUSTED_PROXIES": "10.0.0.1/8"},
            "TRUSTED_PROXIES: '10.0.0.1/8' is not an address or a network",
            id="a network with an address in it",
        ),
        pytest.param({"MODE": "enforcing"}, "MODE: ", id="an unknown mode"),
        pytest.param({"LOG_FORMAT": "xml"}, "LOG_FORMAT: ", id="an unknown log format"),
        pytest.param(
            {"DATABASE_URL": "mysql://x"},
            "DATABASE_URL: must start with postgresql://",
            id="another database",
        ),
        pytest.param(
            {"GITHUB_APP_PRIVATE_KEY": ""},
            f"GITHUB_APP_PRIVATE_KEY is not set, and neither is GITHUB_APP_PRIVATE_KEY_FILE. {REMEDY}",
            id="no key",
        ),
        pytest.param(
            {"GITHUB_APP_PRIVATE_KEY": pem(ec.generate_private_key(ec.SECP256R1()))},
            f"GITHUB_APP_PRIVATE_KEY: it is not an RSA key, as those of GitHub Apps are. {REMEDY}",
            id="an EC key",
        ),
        pytest.param(
            {"GITHUB_APP_PRIVATE_KEY": pem(ed25519.Ed25519PrivateKey.generate())},
            f"GITHUB_APP_PRIVATE_KEY: it is not an RSA key, as those of GitHub Apps are. {REMEDY}",
            id="an Ed25519 key",
        ),
        pytest.param(
            {"GITHUB_APP_PRIVATE_KEY": CERTIFICATE},
            "GITHUB_APP_PRIVATE_KEY: it is not a PEM private key "
            f"(it begins with `-----BEGIN CERTIFICATE-----`). {REMEDY}",
            id="a certificate",
        ),
        pytest.param(
            {"GITHUB_APP_PRIVATE_KEY": "abc"},
            f"GITHUB_APP_PRIVATE_KEY: it is not a PEM private key (it has no PEM header). {REMEDY}",
            id="something else",
        ),
        pytest.param(
            {"GITHUB_APP_PRIVATE_KEY": "", "GITHUB_APP_PRIVATE_KEY_FILE": "/nowhere/app.pem"},
            "GITHUB_APP_PRIVATE_KEY_FILE: `/nowhere/app.pem` cannot be read (No such file or directory). "
            + REMEDY,
            id="a file that is not there",
        ),
    ],
)
def test_a_problem_is_one_line_that_names_the_setting(changes: dict[str, str], problem: str) -> None:
    [line] = problems(**changes)
    assert line.startswith(problem)
    assert "\n" not in line


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load({})
    named = {problem.split()[0] for problem in caught.value.problems}
    assert named == set(NEEDED)


def test_the_key_may_stand_in_a_file_or_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_text(PEM)
    by_file = {name: value for name, value in NEEDED.items() if name != "GITHUB_APP_PRIVATE_KEY"}
    assert (
        load(by_file | {"GITHUB_APP_PRIVATE_KEY_FILE": str(path)}).github_app_private_key.strip()
        == PEM.strip()
    )
    on_one_line = PEM.strip().replace("\n", "\\n")
    assert load(NEEDED | {"GITHUB_APP_PRIVATE_KEY": on_one_line}).github_app_private_key == PEM.strip()


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "app.der"
    path.write_bytes(b"\xff\xfe\x00")
    [line] = problems(GITHUB_APP_PRIVATE_KEY="", GITHUB_APP_PRIVATE_KEY_FILE=str(path))
    assert line == f"GITHUB_APP_PRIVATE_KEY_FILE: `{path}` cannot be read (not text). {REMEDY}"


def test_secrets_do_not_show_in_a_representation() -> None:
    shown = repr(load(NEEDED))
    assert "s3cret" not in shown
    assert "PRIVATE KEY" not in shown


def test_the_database_alone_needs_nothing_else() -> None:
    assert load_store({"DATA_DIR": "/data"}).data_dir == Path("/data")


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://localhost:4001", True), ("http://127.0.0.1", True), ("https://localhost.example.com", False)],
)
def test_an_emulator_on_this_machine_is_known_by_its_address(url: str, local: bool) -> None:
    assert load(NEEDED | {"GITHUB_API_URL": url}).github_is_local is local


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert (field.description or "").endswith("."), name
