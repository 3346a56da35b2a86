"""The app's private key: what people take for it, where it is looked for, how it may be pasted."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from service.config.private_key import GITHUBS, KEY, KEY_FILE, private_key
from tests.harness.places import ROOT
from tests.harness.settings import CERTIFICATE, PEM, pem


def problem(environment: dict[str, str]) -> str:
    with pytest.raises(ValueError, match=KEY) as caught:
        private_key(environment)
    line = str(caught.value)
    assert "\n" not in line
    return line


def key_pem(encryption: KeySerializationEncryption, form: PrivateFormat) -> str:
    return KEY_PAIR.private_bytes(Encoding.PEM, form, encryption).decode()


KEY_PAIR = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PASSPHRASE = BestAvailableEncryption(b"hunter2")
PUBLIC = KEY_PAIR.public_key()
IN_LINE = PEM.strip().replace("\n", " ")
MISTAKEN = {
    "a public key": (
        PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        f"is a public key, not a private key as GitHub makes it. Take {GITHUBS}.",
    ),
    "an older public key": (
        PUBLIC.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(), "is a public key, not"
    ),
    "a public key of SSH": (
        PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(), "is an SSH key, not"
    ),
    "a private key of SSH": (key_pem(NoEncryption(), PrivateFormat.OpenSSH), "is an SSH key, not"),
    "an encrypted key": (
        key_pem(PASSPHRASE, PrivateFormat.PKCS8),
        "is encrypted with a passphrase, not a private key as GitHub makes it. Write it without: `openssl",
    ),
    "an older encrypted key": (
        key_pem(PASSPHRASE, PrivateFormat.TraditionalOpenSSL), "is encrypted with a passphrase, not"
    ),
    "a certificate": (CERTIFICATE, "is a certificate, not"),
    "base64 of it": (base64.b64encode(PEM.encode()).decode(), "is a PEM in base64, not"),
    "an EC key": (pem(ec.generate_private_key(ec.SECP256R1())), "is not an RSA key, as those of"),
    "an Ed25519 key": (pem(ed25519.Ed25519PrivateKey.generate()), "is not an RSA key, as those of"),
    "half of it": (
        PEM[:400], "is cut off: it begins with `-----BEGIN PRIVATE KEY-----` and has no end. Copy it whole."
    ),
    "its middle": (PEM[40:400], "is not a PEM private key (it has no PEM header). Take the .pem file"),
    "one damaged": (
        PEM[:200] + PEM[300:], "begins with `-----BEGIN PRIVATE KEY-----` and can't be read: it is damaged."
    ),
    "something else": ("hunter2", "is not a PEM private key (it has no PEM header)"),
}  # fmt: skip
"""What people take for the app's key."""


@pytest.mark.parametrize(("text", "says"), MISTAKEN.values(), ids=MISTAKEN)
def test_what_is_taken_for_the_key_is_recognised(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_text(text)
    by_text, by_file = problem({KEY: text}), problem({KEY_FILE: str(path)})
    assert by_text.startswith(f"{KEY}: it {says}")
    assert by_file.startswith(f"{KEY_FILE}: `{path}` {says}")
    for line in (by_text, by_file):
        assert not re.search(r"[A-Za-z0-9+/=]{30,}", line.replace(str(path), ""))
        assert "hunter2" not in line


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({KEY: "/run/secrets/app.pem"}, f"{KEY}: it is a path. Set it as {KEY_FILE}."),
        ({KEY: "app.pem"}, f"{KEY}: it is a path. Set it as {KEY_FILE}."),
        ({KEY: "<the app's key>"}, f"{KEY} is still what an example has there. Set it to the text of"),
        ({KEY_FILE: PEM}, f"{KEY_FILE}: it holds a key's text, not a path. Set that as {KEY}."),
        ({KEY_FILE: IN_LINE}, f"{KEY_FILE}: it holds a key's text, not a path. Set that as {KEY}."),
        (
            {KEY_FILE: "/nowhere/app.pem"},
            f"{KEY_FILE}: `/nowhere/app.pem` is not there. In a container it is a path inside, and the",
        ),
        ({KEY_FILE: "nowhere.pem"}, f"{KEY_FILE}: `{Path.cwd()}/nowhere.pem` is not there. In a"),
        (
            {KEY_FILE: "~/nowhere.pem"},
            f"{KEY_FILE}: `{Path.home()}/nowhere.pem` is not there. In a container",
        ),
        ({KEY_FILE: str(ROOT)}, f"{KEY_FILE}: `{ROOT}` is a folder. Name the file; Docker makes a"),
        ({KEY_FILE: "x" * 300}, "xxx` can't be read (File name too long). Name a file that can."),
    ],
    ids=["a path", "a name", "a blank", "a text", "a text in a line", "nowhere", "not here", "not at home",
         "a folder", "too long"],
)  # fmt: skip
def test_where_the_key_was_looked_for_is_told(changes: dict[str, str], says: str) -> None:
    assert says in problem(changes)


def test_a_file_that_is_not_for_us_or_not_a_key_is_told(tmp_path: Path) -> None:
    path = tmp_path / "app.der"
    path.write_bytes(b"\xff\xfe\x00")
    asked = {KEY_FILE: str(path)}
    assert problem(asked) == f"{KEY_FILE}: `{path}` is not text. Name {GITHUBS}."
    path.write_text("")
    assert problem(asked) == f"{KEY_FILE}: `{path}` is empty. Take {GITHUBS}."


def test_a_key_that_may_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", forbidden)
    assert problem({KEY_FILE: "/etc/app.pem"}) == (
        f"{KEY_FILE}: `/etc/app.pem` can't be read by the user that runs this. Let that user read it."
    )


OLDER = key_pem(NoEncryption(), PrivateFormat.TraditionalOpenSSL)
PASTED = {
    "as it is": PEM,
    "with escaped ends": PEM.strip().replace("\n", "\\n"),
    "with ends as of Windows": PEM.replace("\n", "\r\n"),
    "with escaped ends as of Windows": PEM.strip().replace("\n", "\\r\\n"),
    "in quotes": f"'{PEM.strip()}'",
    "in quotes, with escaped ends": '"' + PEM.strip().replace("\n", "\\n") + '"',
    "in one line": IN_LINE,
    "in one line without spaces": PEM.replace("\n", ""),
    "indented": "".join(f"    {line}\n" for line in PEM.splitlines()),
    "as older apps have it": OLDER,
    "as older apps have it, in one line": OLDER.strip().replace("\n", " "),
}


@pytest.mark.parametrize("text", PASTED.values(), ids=PASTED)
def test_a_key_is_read_however_it_was_pasted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_text(text)
    meant = key_in(OLDER if "RSA" in text else PEM)
    for given in ({KEY: text}, {KEY_FILE: f'"{path}"'}):
        assert key_in(private_key(given)) == meant


def key_in(text: str) -> rsa.RSAPrivateNumbers:
    key = load_pem_private_key(text.encode(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.private_numbers()
