"""Settings from the environment: what is read, and the one line that names what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.cli.register import Asked, SetupError, checked
from service.config.private_key import GITHUBS, KEY, KEY_FILE
from service.config.settings import (
    LogFormat,
    ServiceSettings,
    Settings,
    SettingsError,
    default_data_dir,
    load,
    load_service,
    load_store,
)
from service.rules.policy.model import Mode
from tests.harness.places import ROOT
from tests.harness.settings import CERTIFICATE, NEEDED


def problems(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(NEEDED | changes)
    return caught.value.problems


def problem(**changes: str) -> str:
    [line] = problems(**changes)
    assert "\n" not in line
    return line


def test_what_is_needed_is_enough() -> None:
    settings = load(NEEDED)
    assert (settings.github_app_id, settings.public_url) == (4711, "https://governor.acme.dev")
    assert (settings.github_api_url, settings.github_url) == ("https://api.github.com", "https://github.com")
    assert (settings.mode, settings.log_format, settings.port) == (None, LogFormat.TEXT, 8080)
    assert (settings.database_url, settings.data_dir) == ("", default_data_dir())
    assert not settings.github_is_local


ADDRESS = "isn't an address: write one such as https://"
APP_ID = 'write the number beside "App ID"'
CLIENT_ID = "Iv23liAbCdEfGhIjKlMn"
BOTH = {"GITHUB_CLIENT_ID": CLIENT_ID, "GITHUB_CLIENT_SECRET": "0123456789abcdef"}
WRONG: Mapping[str, Mapping[str, str]] = {
    "DATABASE_URL": {
        "mysql://root:hunter2@db/x": "must start with postgresql:// (it begins with `mysql://`)",
        "postgresql+psycopg://me:hunter2@db/x": "must start with postgresql:// (it begins with `postgresql+psycopg://`)",
        "host=db password=hunter2": "must start with postgresql://",
        "hunter2": "must start with postgresql://",
        "postgresql://me:hunter2#x@db/x": "has a port that isn't a number. In a password, write `#` as %23",
        "postgresql://me:hunter2@db:port/x": "has a port that isn't a number",
        "postgresql://<user>:hunter2@db/x": "its address is from an example: write your own",
        "postgresql://me:hunter2@db.example.com/x": "its address is from an example",
    },
    "DATA_DIR": {
        str(ROOT / "README.md"): "README.md` is a file: name a folder",
        "/path/to/...": "`...` is from an example: write your own",
    },
    "SECRET_KEY": {
        "hunter2": "needs at least 32 random characters",
        '"hunter2-hunter2-hunter2-hunter2-hunter2"': "is in quotes, which would be part of it",
        "<hunter2>": "it is from an example",
        "postgresql://me:hunter2@db/hunter2": "holds the address of a PostgreSQL, which",
        "x" * 40: "it is from an example",
    },
    "SECRET_KEY_PREVIOUS": {
        "hunter2": "needs at least 32 random characters",
        "<hunter2>": "it is from an example",
    },
    "LOG_FORMAT": {
        "xml": "`xml` isn't known: write `text` or `json`",
        "JSON": "`JSON` isn't known: write `text` or `json`",
        "te xt": "`te xt` isn't known",
    },
    "PUBLIC_URL": {
        "governor.acme.dev": f"`governor.acme.dev` {ADDRESS}",
        "https://": f"`https://` {ADDRESS}",
        "https://gov ernor.dev": f"`https://gov ernor.dev` {ADDRESS}",
        "https://[::1": f"`https://[::1` {ADDRESS}",
        "https://governor:https": f"`https://governor:https` {ADDRESS}",
        "https://governor:99999": f"`https://governor:99999` {ADDRESS}",
        "ftp://governor.acme.dev": f"`ftp://governor.acme.dev` {ADDRESS}",
        "https://me:hunter2@governor.acme.dev": "holds a user name or password: write the address without it",
        "https://governor.acme.dev/?a=b": "goes on after `?` or `#`: write the address without that",
        "https://governor.acme.dev/webhooks/github/": (
            "the service adds `/webhooks/github` itself: write https://governor.acme.dev. The address"
        ),
        "https://governor.acme.dev/login/callback": "the service adds `/login/callback` itself",
        "https://…": "`…` is from an example: write your own. The address under which",
        "https://...": "`...` is from an example",
        "https://<app>.fly.dev": "`<app>` is from an example",
        "https://your-app.fly.dev": "`your-app` is from an example",
        "https://YOUR_DOMAIN": "`YOUR_DOMAIN` is from an example",
        "https://REPLACE_ME": "`REPLACE_ME` is from an example",
        "https://changeme.fly.dev": "`changeme` is from an example",
        "https://governor.example.com": "`example.com` is from an example",
        "https://example.org/": "`example.org` is from an example",
        "x" * 5000: "xxx…` isn't an address",
    },
    "GITHUB_API_URL": {
        "api.github.com": f"`api.github.com` {ADDRESS}",
        "https://HOST/api/v3": "`HOST` is from an example",
    },
    "GITHUB_URL": {
        "github": f"`github` {ADDRESS}",
        "https://SUB.ghe.com": "`SUB` is from an example",
    },
    "HOST": {
        "http://0.0.0.0": "`http://0.0.0.0` isn't an address to listen on: write one such as 127.0.0.1",
        "localhost:8080": "`localhost:8080` isn't an address to listen on",
        "8080": "`8080` isn't an address to listen on",
        "0.0.0.0 ::": "`0.0.0.0 ::` isn't an address to listen on",
    },
    "PORT": {
        value: f"`{value}` isn't a whole number from 0 to 65535. Port to listen on."
        for value in ("http", "99999", "-1", "80.5", "8080/tcp", "80 80", "0x50", "٣", "1_000")
    }
    | {"9" * 5000: "9…` isn't a whole number"},
    "DATABASE_CONNECTIONS": {
        "7": "`7` isn't a whole number from 8 to 100",
        "101": "`101` isn't a whole number from 8 to 100",
        "many": "`many` isn't a whole number from 8 to 100",
    },
    "WEB_PROCESSES": {
        "0": "`0` isn't a whole number from 1 to 64",
        "65": "`65` isn't a whole number from 1 to 64",
        "auto": "`auto` isn't a whole number from 1 to 64",
    },
    "METRICS_TOKEN": {
        "hunter2": "needs at least 16 letters, digits or signs, without a space. What /metrics",
        "hunter2 horse battery staple": "needs at least 16 letters, digits or signs",
        "hunter2-wörter-sind-geheim": "needs at least 16 letters, digits or signs",
        "'hunter2-hunter2-hunter2'": "is in quotes",
        "your-metrics-token": "it is from an example",
        "changeme": "it is from an example",
    },
    "TRUSTED_PROXIES": {
        "10.0.0.0/8, proxy.acme.dev": "`proxy.acme.dev` isn't an address or a network: write some such as",
        "10.0.0.1/8": "`10.0.0.1/8` isn't an address or a network",
        "10.0.0.0/8,": "`` isn't an address or a network",
        "*": "`*` isn't an address or a network",
    },
    "MODE": {
        "enforcing": "`enforcing` isn't known: write `enforce` or `observe`",
        "Observe": "`Observe` isn't known: write `enforce` or `observe`",
    },
    "EVIDENCE_LEVEL": {"guessed": "`guessed` isn't known: write `self-reported` or `measured`"},
    "ALLOWED_ACCOUNTS": {
        "acme, no/login": "`no/login` isn't an account: write logins with commas between them",
        "acme initech": "`acme initech` isn't an account",
        "acme, your-org": "`your-org` is from an example",
    },
    "SLACK_WEBHOOK_URL": {
        "hooks.slack.com/services/hunter2": "isn't an address that begins with https://",
        "https:///hunter2": "isn't an address that begins with https://",
        "http://localhost.acme.dev/hunter2": "isn't an address that begins with https://",
        "xoxb-hunter2": "isn't an address that begins with https://",
        "https://hooks.slack.com/services/...": "its address is from an example",
    },
    "OIDC_ISSUER": {"github": f"`github` {ADDRESS}"},
    "GITHUB_APP_ID": {
        "Iv1.0123456789abcdef": f"holds the app's client id, which belongs to GITHUB_CLIENT_ID: {APP_ID}",
        CLIENT_ID: f"holds the app's client id, which belongs to GITHUB_CLIENT_ID: {APP_ID}",
        "my-app": f"`my-app` isn't an app's id: {APP_ID}. The app's id, from its settings page.",
        "0": f"`0` isn't an app's id: {APP_ID}",
        "-4711": f"`-4711` isn't an app's id: {APP_ID}",
        "4711.0": f"`4711.0` isn't an app's id: {APP_ID}",
        "9" * 30: f"isn't an app's id: {APP_ID}",
        "https://github.com/apps/my-app": f"holds an address, which belongs to PUBLIC_URL: {APP_ID}",
        "ghp_hunter2": f"holds a token of GitHub's, which no setting takes: {APP_ID}",
        "<app id>": "`<app id>` is from an example",
    },
    "GITHUB_WEBHOOK_SECRET": {
        "https://governor.acme.dev/hunter2": "holds an address, which belongs to PUBLIC_URL. The",
        "https://hooks.slack.com/services/hunter2": "holds an incoming webhook of Slack, which",
        "-----BEGIN RSA PRIVATE KEY-----hunter2": "holds a key or certificate, which",
        CLIENT_ID: "holds the app's client id, which belongs to GITHUB_CLIENT_ID",
        "ghs_hunter2": "holds a token of GitHub's, which no setting takes",
        '"hunter2"': "is in quotes, which would be part of it: write it without them",
        "REPLACE_ME": "it is from an example: write your own. The webhook's secret.",
        "your-webhook-secret": "it is from an example",
        "...": "it is from an example",
    },
    "GITHUB_WEBHOOK_SECRET_PREVIOUS": {
        "https://hunter2": "holds an address, which belongs to PUBLIC_URL",
        "REPLACE_ME": "it is from an example: write your own",
    },
    "GITHUB_CLIENT_ID": {
        "4711": '`4711` looks like the app\'s id: write what is next to "Client ID"',
        "Ov23liAbCdEfGhIjKlMn": "`Ov23liAbCdEfGhIjKlMn` is that of an OAuth app: write the one of",
        "https://github.com": "holds an address, which belongs to PUBLIC_URL",
        "Iv23 li": "`Iv23 li` isn't a client id: write one such as Iv23li",
    },
    "GITHUB_CLIENT_SECRET": {
        CLIENT_ID: "holds the app's client id, which belongs to GITHUB_CLIENT_ID",
        "https://hunter2": "holds an address, which belongs to PUBLIC_URL",
        "<hunter2>": "it is from an example",
    },
}  # fmt: skip
"""By setting, what may stand there by mistake, and what is said of it."""


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [(name, value, says) for name, values in WRONG.items() for value, says in values.items()],
    ids=lambda text: text[:30] or "empty",
)
def test_a_wrong_value_is_told_in_one_line(name: str, value: str, says: str) -> None:
    if name.lower() in ServiceSettings.model_fields:  # no key is read, which takes a while
        with pytest.raises(SettingsError) as caught:
            load_service({"PUBLIC_URL": "https://governor.acme.dev", name: value})
        [line] = caught.value.problems
    else:
        line = problem(**(BOTH if name in BOTH else {}) | {name: value})
    assert line.startswith(f"{name}: ")
    assert says in line
    assert line.endswith(f"{Settings.model_fields[name.lower()].description}")
    assert len(line) < 320
    # No word of pydantic's, and no secret.
    assert not re.search(r"Input should|Value error|valid integer|type=", line)
    assert "hunter2" not in line


def test_every_setting_may_be_wrong_but_those_of_the_key() -> None:
    assert set(WRONG) == {name.upper() for name in Settings.model_fields} - {KEY}


@pytest.mark.parametrize(
    ("option", "asked"),
    [
        ("--url", Asked("acme", "https://...")),
        ("--url", Asked("acme", "https://governor.example.com")),
        ("--github-url", Asked("acme", "https://governor.acme.dev", "https://<host>")),
    ],
    ids=["dots", "our example", "another GitHub"],
)
def test_setup_registers_no_app_at_an_address_from_an_example(option: str, asked: Asked) -> None:
    with pytest.raises(SetupError, match=rf"^{option}: `.*` is from an example: write your own"):
        checked(asked)


def test_what_is_not_set_is_told_at_once_and_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"GITHUB_WEBHOOK_SECRET": "  ", "PORT": "", "PUBLIC_URL": "''"})
    assert sorted(caught.value.problems) == [
        "GITHUB_APP_ID is not set. The app's id, from its settings page.",
        f"{KEY} is not set, and neither is {KEY_FILE}. Set one of them, to {GITHUBS}.",
        "GITHUB_WEBHOOK_SECRET is not set. The webhook's secret.",
        "PUBLIC_URL is not set. The address under which GitHub and people reach this service.",
    ]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    first = {name: next(iter(values)) for name, values in WRONG.items()}
    found = problems(**first, **{KEY: CERTIFICATE})
    assert sorted(line.partition(":")[0] for line in found) == sorted({*WRONG, KEY})


@pytest.mark.parametrize("name", BOTH)
def test_half_a_login_is_told(name: str) -> None:
    line = problem(**{name: BOTH[name]})
    assert line.startswith("Of GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET only one")


@pytest.mark.parametrize(
    ("changes", "name", "read"),
    [
        ({"PORT": " 9090 "}, "port", 9090),
        ({"PORT": "'9090'"}, "port", 9090),
        ({"PUBLIC_URL": '" https://x.acme.dev/ "'}, "public_url", "https://x.acme.dev"),
        ({"PUBLIC_URL": "https://acme.dev/governor/"}, "public_url", "https://acme.dev/governor"),
        ({"PUBLIC_URL": "https://myexample.com"}, "public_url", "https://myexample.com"),
        ({"PUBLIC_URL": "https://your-move.dev"}, "public_url", "https://your-move.dev"),
        ({"PUBLIC_URL": "https://exchange-media.dev"}, "public_url", "https://exchange-media.dev"),
        ({"GITHUB_APP_ID": '"4712"'}, "github_app_id", 4712),
        ({"GITHUB_WEBHOOK_SECRET": " s3cret\n"}, "github_webhook_secret", "s3cret"),
        ({"GITHUB_WEBHOOK_SECRET": "a <b>... your-key"}, "github_webhook_secret", "a <b>... your-key"),
        ({"HOST": "::1"}, "host", "::1"),
        ({"HOST": "governor.internal"}, "host", "governor.internal"),
        ({"DATA_DIR": "~/data"}, "data_dir", Path.home() / "data"),
        ({"DATA_DIR": "/srv/example.com"}, "data_dir", Path("/srv/example.com")),
        (
            {"DATABASE_URL": "postgresql://a,b:5433/x"}, "database_url", "postgresql://a,b:5433/x"
        ),
        (
            {"DATABASE_URL": "postgres://me:p%23@[::1]:5432/x"},
            "database_url",
            "postgres://me:p%23@[::1]:5432/x",
        ),
        (
            {"DATABASE_URL": "postgresql:///x?host=/run/postgresql"},
            "database_url",
            "postgresql:///x?host=/run/postgresql",
        ),
        ({"MODE": "'observe'"}, "mode", Mode.OBSERVE),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_can_be_read_is_read(changes: dict[str, str], name: str, read: object) -> None:
    assert getattr(load(NEEDED | changes), name) == read


def test_secrets_do_not_show_in_a_representation() -> None:
    shown = repr(load(NEEDED | {"DATABASE_URL": "postgresql://me:hunter2@db/x"}))
    assert "s3cret" not in shown
    assert "PRIVATE KEY" not in shown
    assert "hunter2" not in shown


def test_the_database_alone_needs_nothing_else() -> None:
    assert load_store({"DATA_DIR": "/data"}).data_dir == Path("/data")


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://localhost:4001", True), ("http://127.0.0.1", True), ("https://localhost.acme.dev", False)],
)
def test_an_emulator_on_this_machine_is_known_by_its_address(url: str, local: bool) -> None:
    assert load(NEEDED | {"GITHUB_API_URL": url}).github_is_local is local


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert (field.description or "").endswith("."), name
