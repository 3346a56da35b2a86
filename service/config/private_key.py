"""The app's private key, from a text or a file, however it was pasted; messages never show it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from service.config.setting_values import home, left_from_an_example

KEY, KEY_FILE = "GITHUB_APP_PRIVATE_KEY", "GITHUB_APP_PRIVATE_KEY_FILE"

GITHUBS = 'the .pem file that GitHub let you download under "Private keys" on the app\'s settings page'
ANOTHER = 'Generate another one under "Private keys" on the app\'s settings page.'
FRAME = re.compile(
    r"(?P<begin>-----BEGIN (?P<kind>[A-Z0-9 ]+)-----)(?P<body>.*)(?P<end>-----END (?P=kind)-----)", re.DOTALL
)
HEADER = re.compile(r"-----BEGIN [A-Z0-9 ]+-----")

MISTAKES = (
    (r"-----BEGIN (RSA )?PUBLIC KEY-----", "a public key", f"Take {GITHUBS}."),
    (r"-----BEGIN OPENSSH PRIVATE KEY-----|(ssh-|ecdsa-)\S+ ", "an SSH key", f"Take {GITHUBS}."),
    (r"-----BEGIN CERTIFICATE( REQUEST)?-----", "a certificate", f"Take {GITHUBS}."),
    (
        r"-----BEGIN ENCRYPTED |-----BEGIN .*\s+Proc-Type: 4,ENCRYPTED",
        "encrypted with a passphrase",
        "Write it without: `openssl pkey -in app.pem -out plain.pem`.",
    ),
    (r"LS0tLS1CRUdJTi", "a PEM in base64", "Decode it: `base64 -d`."),
)
"""What people take for the key: how it begins, what it is, and what to do."""


def private_key(environment: Mapping[str, str]) -> str:
    """The key; `ValueError` names which of the two settings is wrong, and how."""
    # In one line it may be quoted: some readers of `.env` files take the quotes for a part of the value.
    text = environment.get(KEY, "").strip().strip("'\"")
    file = environment.get(KEY_FILE, "").strip().strip("'\"")
    if text:
        if left_from_an_example(text, secret=True):
            raise ValueError(f"{KEY} is still what an example has there. Set it to the text of {GITHUBS}.")
        if re.match(r"[~./]|[\w-]+\.(pem|key)$", text) and "\n" not in text:
            raise ValueError(f"{KEY}: it is a path. Set it as {KEY_FILE}.")
        return _checked(text, KEY, "it")
    if not file:
        raise ValueError(f"{KEY} is not set, and neither is {KEY_FILE}. Set one of them, to {GITHUBS}.")
    return _of_file(file)


def _of_file(file: str) -> str:
    if HEADER.search(file):
        raise ValueError(f"{KEY_FILE}: it holds a key's text, not a path. Set that as {KEY}.")
    path = home(file).absolute()
    try:
        return _checked(path.read_text(), KEY_FILE, f"`{path}`")
    except FileNotFoundError:
        says = "is not there. In a container it is a path inside, and the file has to be mounted"
    except IsADirectoryError:
        says = "is a folder. Name the file; Docker makes a folder where a file to mount is not there"
    except PermissionError:
        says = "can't be read by the user that runs this. Let that user read it"
    except UnicodeDecodeError:
        says = f"is not text. Name {GITHUBS}"
    except OSError as error:
        says = f"can't be read ({error.strerror}). Name a file that can"
    raise ValueError(f"{KEY_FILE}: `{path}` {says}.")


def _checked(pasted: str, name: str, what: str) -> str:
    text = _on_lines(pasted)
    for pattern, mistake, remedy in MISTAKES:
        if re.match(pattern, text):
            raise ValueError(f"{name}: {what} is {mistake}, not a private key as GitHub makes it. {remedy}")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{name}: {what} {_broken(text)}") from error
    if not isinstance(key, RSAPrivateKey):
        # Like every other line about a setting.
        raise ValueError(  # noqa: TRY004
            f"{name}: {what} is not an RSA key, as those of GitHub Apps are. Take {GITHUBS}."
        )
    return text


def _broken(text: str) -> str:
    """Why what may be a key can't be read."""
    if not text:
        return f"is empty. Take {GITHUBS}."
    header = HEADER.match(text)
    if not header:
        return f"is not a PEM private key (it has no PEM header). Take {GITHUBS}."
    if not FRAME.search(text):
        return f"is cut off: it begins with `{header[0]}` and has no end. Copy it whole."
    return f"begins with `{header[0]}` and can't be read: it is damaged. Copy it whole. {ANOTHER}"


def _on_lines(pasted: str) -> str:
    """The text on lines again, where their ends were escaped, or became spaces."""
    text = pasted.strip().replace("\\r", "").replace("\\n", "\n")
    framed = FRAME.fullmatch(text)
    if not framed or "\n" in framed["body"].strip():
        return text
    return "\n".join((framed["begin"], *textwrap.wrap("".join(framed["body"].split()), 64), framed["end"]))
