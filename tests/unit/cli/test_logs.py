"""No secret stands in a log line, whatever it came in."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.logs import STRUCK, configure, strike_secrets

SHORT = "ghs_" + "Ab3" * 12
LONG = "ghs_4711_eyJ" + "x" * 300 + "." + "y_-" * 60 + "." + "z" * 86
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI0NzExIn0." + "s" * 342
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc=\n-----END RSA PRIVATE KEY-----"
SECRETS = [
    pytest.param(SHORT, SHORT, id="a short installation token"),
    pytest.param(LONG, LONG, id="a long installation token"),
    pytest.param(f"Bearer {JWT}", JWT, id="a JSON web token"),
    pytest.param(f"key {PEM} read", "MIIEpAIBAAKCAQEA", id="a private key"),
    pytest.param(PEM[:50], "MIIEpAIBAAKCAQEA", id="a private key that was cut"),
    pytest.param("at postgresql://app:hunter2@db/x", "hunter2", id="a password in an address"),
    pytest.param("at postgresql://:hunter2@db/x", "hunter2", id="a password without a user"),
    pytest.param("at https://x:hun%40ter2@host", "hun%40ter2", id="a password with an escape"),
]


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_secret_is_struck(
    text: str, secret: str, log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(log_format)
    log = structlog.get_logger()
    log.warning(text, value=text, list=[text, (text,)], mapping={"token": text, "deep": [{"x": text}]})
    log.error("failed", exc_info=ValueError(text), error=ValueError(text))
    logging.getLogger("psycopg.pool").warning("error connecting: %s", text)
    said = capsys.readouterr().err
    assert said.count(STRUCK) >= 7
    assert secret not in said
    assert secret.replace("\n", "\\n") not in said


@given(
    st.from_regex(r"gh[opsur]_[A-Za-z0-9]{36}", fullmatch=True), st.text(max_size=20), st.text(max_size=20)
)
def test_a_token_is_struck_wherever_it_stands(token: str, before: str, after: str) -> None:
    assert token not in str(strike_secrets(None, "info", {"event": f"{before}{token}{after}"}))


def test_what_is_no_secret_stays(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    structlog.get_logger().info(
        "looked", subject="repository:1", at="https://github.com/a/b:c@d", actions=["x"]
    )
    line = json.loads(capsys.readouterr().err)
    assert (line["subject"], line["at"], line["actions"]) == (
        "repository:1",
        "https://github.com/a/b:c@d",
        ["x"],
    )
