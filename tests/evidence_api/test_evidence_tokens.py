"""POST /api/v1/evidence: whose numbers are taken. A refusal says what to change, and stores nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from service.web.evidence import PATH
from service.web.oidc import COOLDOWN, FRESH, LONGEST_TOKEN, RETRY
from tests.harness.evidence import GOOD, Api, refused
from tests.harness.issuer import AUDIENCE, DISCOVERY, JWKS, Issuer, described, encoded

pytestmark = pytest.mark.asyncio


NOW = int(time.time())
CLAIMS: list[tuple[str, dict[str, Any], str, str]] = [
    ("expired", {"iat": NOW - 400, "exp": NOW - 100}, "token-expired", "Ask for a new one"),
    (
        "good for hours, but minted long ago",
        {"iat": NOW - 900, "exp": NOW + 9000},
        "token-expired",
        "new one",
    ),
    ("from the future", {"iat": NOW + 600, "exp": NOW + 900}, "token-not-yet-valid", "clock"),
    ("not valid before later", {"nbf": NOW + 600}, "token-not-yet-valid", "clock"),
    ("GitHub's default audience", {"aud": "https://github.com/acme"}, "token-audience", AUDIENCE),
    ("our audience with a slash", {"aud": f"{AUDIENCE}/"}, "token-audience", "exactly"),
    ("our audience among others", {"aud": [AUDIENCE, "https://x.example.com"]}, "token-audience", AUDIENCE),
    ("no audience", {"aud": None}, "token-audience", AUDIENCE),
    ("wrong issuer", {"iss": "https://token.actions.githubusercontent.com"}, "token-issuer", "only http"),
    ("no issuer", {"iss": None}, "token-issuer", "none"),
    ("no end", {"exp": None}, "token-claims", "`exp` is missing"),
    ("no time of issue", {"iat": None}, "token-claims", "`iat` is missing"),
    ("an end that is a text", {"exp": "tomorrow"}, "token-claims", "`exp` isn't a time"),
    ("an end beyond all calendars", {"exp": 10**15}, "token-claims", "`exp` isn't a time"),
    ("an infinite time of issue", {"iat": float("inf")}, "token-claims", "`iat` isn't a time"),
    ("no id of its own", {"jti": None}, "token-claims", "`jti` is missing"),
    ("an empty id", {"jti": ""}, "token-claims", "`jti`"),
    ("no repository id", {"repository_id": None}, "token-claims", "`repository_id` is missing"),
    ("a repository id that is a name", {"repository_id": "acme"}, "token-claims", "`repository_id`"),
    ("a repository id beyond all", {"repository_id": "9" * 30}, "token-claims", "`repository_id`"),
    ("a sha that is none", {"sha": "main"}, "token-claims", "`sha`"),
    ("a repository that is a path", {"repository": "../x"}, "token-claims", "`repository`"),
    ("an actor with a line break", {"actor": "jane\ndoe"}, "token-claims", "`actor`"),
    ("pull_request_target", {"event_name": "pull_request_target"}, "event-refused", "pull_request_target"),
    ("workflow_run", {"event_name": "workflow_run"}, "event-refused", "workflow_run"),
    ("issue_comment", {"event_name": "issue_comment"}, "event-refused", "issue_comment"),
    ("an event that does not exist yet", {"event_name": "moonrise"}, "event-refused", "moonrise"),
    ("no event", {"event_name": None}, "token-claims", "`event_name`"),
    ("a closed pull request", {"event_name": "pull_request"}, "event-refused", "while it is open"),
    ("another installation's repository", {"repository_id": "4711"}, "not-installed", "Install the app"),
    ("removed from the installation", {"repository_id": "9"}, "not-installed", "Install the app"),
    ("a suspended installation", {"repository_id": "10"}, "not-installed", "Install the app"),
    ("a deleted installation", {"repository_id": "11"}, "not-installed", "Install the app"),
    ("no POC", {"repository_id": "8"}, "not-a-poc", "topic `poc`"),
]


@pytest.mark.parametrize(
    ("claims", "problem", "says"), [row[1:] for row in CLAIMS], ids=[r[0] for r in CLAIMS]
)
async def test_a_token_that_does_not_count(api: Api, claims: dict[str, Any], problem: str, says: str) -> None:
    late = {name: value - NOW + int(time.time()) for name, value in claims.items() if _is_near(value)}
    answer = await api.send(**(claims | late))
    assert says in refused(answer, problem)
    assert api.stored() == {}


def _is_near(value: object) -> bool:
    return isinstance(value, int) and abs(value - NOW) < 10**5


def _swapped(issuer: Issuer) -> str:
    header, _, signature = issuer.token().split(".")
    return f"{header}.{encoded(issuer.claims(repository_id='8'))}.{signature}"


SIGNED: list[tuple[str, Callable[[Issuer], str], str]] = [
    ("alg none", lambda issuer: issuer.unsigned_token(), "token-algorithm"),
    ("alg None", lambda issuer: issuer.unsigned_token("None"), "token-algorithm"),
    ("HS256 with the public key", lambda issuer: issuer.hmac_token(), "token-algorithm"),
    ("RS512", lambda issuer: issuer.unsigned_token("RS512"), "token-algorithm"),
    ("no algorithm", lambda _: f"{encoded({'kid': 'first'})}.{encoded({})}.", "token-algorithm"),
    ("no signature", lambda issuer: issuer.unsigned_token("RS256"), "token-signature"),
    ("signed by somebody else", lambda issuer: issuer.token("first", signer="other"), "token-signature"),
    ("an unknown kid", lambda issuer: issuer.token("never-seen"), "token-key"),
    ("other claims under the signature", _swapped, "token-signature"),
    (
        "a critical header",
        lambda _: f"{encoded({'alg': 'RS256', 'crit': ['x'], 'x': 1})}.e30.",
        "token-malformed",
    ),
    ("no JSON Web Token", lambda _: "ghs_16C7e42F292c6912E7710c838347Ae178B4a", "token-malformed"),
    ("dots", lambda _: "...", "token-malformed"),
    ("deep JSON", lambda _: f"{encoded(b'[' * 9000)}.e30.e30", "token-malformed"),
    ("a very long one", lambda issuer: issuer.token(actor="x" * LONGEST_TOKEN), "token-malformed"),
]


@pytest.mark.parametrize(("made", "problem"), [row[1:] for row in SIGNED], ids=[row[0] for row in SIGNED])
async def test_a_token_that_nobody_vouches_for(api: Api, made: Callable[[Issuer], str], problem: str) -> None:
    answer = await api.send(token=made(api.issuer))
    assert refused(answer, problem)
    assert api.stored() == {}
    # What is no RS256 token is refused before any key is looked up.
    assert (api.issuer.asked == []) is (problem in ("token-algorithm", "token-malformed"))


async def test_a_token_that_names_no_key(api: Api) -> None:
    answer = await api.send(token=f"{encoded({'alg': 'RS256'})}.{encoded({})}.")
    assert refused(answer, "token-key")
    assert (api.stored(), api.issuer.asked) == ({}, [])


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic amFuZTpkb2U=", "token abc"])
async def test_without_a_token(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await api.http.post(PATH, json=GOOD, headers=headers)
    assert "id-token: write" in refused(answer, "token-missing")
    assert api.stored() == {}


async def test_a_minute_between_the_clocks_is_forgiven(api: Api) -> None:
    now = int(time.time())
    assert (await api.send(iat=now + 40, nbf=now + 40)).status_code == 202
    assert (await api.send(iat=now - 340, exp=now - 40, check_run_id="56")).status_code == 202


async def test_a_token_counts_once(api: Api) -> None:
    token = api.issuer.token()
    assert (await api.send(token=token)).status_code == 202
    before = api.stored()
    for body in (GOOD, {"metrics": {"accuracy": {"value": "93", "unit": "%"}}}):
        assert "new one" in refused(await api.send(body, token=token), "token-used")
    assert api.stored() == before


async def test_of_a_token_that_is_sent_many_times_at_once_one_counts(api: Api) -> None:
    token = api.issuer.token()
    answers = await asyncio.gather(*(api.send(token=token) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [202, *[409] * 11]
    assert len(api.rows("id")) == len(api.rows("jti", "used_token")) == 1
    assert sorted(api.rows("kind", "fact")) == [("activity",), ("evidence-sent",)]


async def test_a_refused_body_does_not_use_up_its_token(api: Api) -> None:
    token = api.issuer.token()
    assert (await api.send(b"{", token=token)).status_code == 400
    assert (await api.send(token=token)).status_code == 202


async def test_the_keys_are_fetched_once(api: Api) -> None:
    for job in range(3):
        assert (await api.send(check_run_id=str(job + 1))).status_code == 202
    assert api.issuer.asked == [DISCOVERY, JWKS]


async def test_a_new_key_is_found_and_an_old_one_forgotten(api: Api) -> None:
    assert (await api.send()).status_code == 202
    api.issuer.keys = [described("second")]
    api.clock.seconds += COOLDOWN + 1
    assert (await api.send(kid="second", check_run_id="56")).status_code == 202
    assert len(api.issuer.asked) == 4
    assert refused(await api.send(kid="first", check_run_id="57"), "token-key")


async def test_a_key_that_the_issuer_took_back_is_refused_within_the_hour(api: Api) -> None:
    assert (await api.send()).status_code == 202
    api.issuer.keys = [described("second")]
    api.clock.seconds += FRESH + 1
    assert refused(await api.send(), "token-key")


async def test_unknown_keys_do_not_make_us_ask_again_and_again(api: Api) -> None:
    answers = await asyncio.gather(*(api.send(kid=f"never-seen-{n % 3}") for n in range(20)))
    assert {refused(answer, "token-key") for answer in answers}
    assert api.issuer.asked == [DISCOVERY, JWKS]
    assert (await api.send()).status_code == 202
    api.clock.seconds += COOLDOWN + 1
    assert refused(await api.send(kid="never-seen"), "token-key")
    assert len(api.issuer.asked) == 4


AWAY: list[tuple[str, dict[str, tuple[int, bytes]]]] = [
    ("an error", {DISCOVERY: (500, b"")}),
    ("nothing there", {DISCOVERY: (404, b"")}),
    ("a page", {DISCOVERY: (200, b"<html>")}),
    ("a list", {DISCOVERY: (200, b"[]")}),
    ("not UTF-8", {DISCOVERY: (200, b"\xff\xfe{")}),
    ("elsewhere", {DISCOVERY: (302, b"/.well-known/jwks")}),
    ("another issuer", {DISCOVERY: (200, b'{"issuer": "https://evil.example.com", "jwks_uri": "x"}')}),
    ("no keys' address", {DISCOVERY: (200, b'{"issuer": "%s"}')}),
    ("a file for keys' address", {DISCOVERY: (200, b'{"issuer": "%s", "jwks_uri": "file:///etc/passwd"}')}),
    ("a broken keys' address", {DISCOVERY: (200, b'{"issuer": "%s", "jwks_uri": "http://[::1"}')}),
    ("keys in error", {JWKS: (503, b"")}),
    ("keys that are none", {JWKS: (200, b'{"keys": {}}')}),
    ("no keys", {JWKS: (200, b"{}")}),
]


@pytest.mark.parametrize("answers", [row[1] for row in AWAY], ids=[row[0] for row in AWAY])
async def test_an_issuer_that_does_not_answer_as_it_should(
    api: Api, answers: dict[str, tuple[int, bytes]]
) -> None:
    url = api.issuer.url.encode()
    api.issuer.answers = {path: (code, body.replace(b"%s", url)) for path, (code, body) in answers.items()}
    answer = await api.send()
    assert "send it again" in refused(answer, "issuer-away")
    assert answer.headers["retry-after"] == "5"
    assert api.stored() == {}
    asked = len(api.issuer.asked)
    assert refused(await api.send(), "issuer-away")
    assert len(api.issuer.asked) == asked  # not asked again at once
    api.issuer.answers = {}
    api.clock.seconds += RETRY + 1
    assert (await api.send()).status_code == 202


async def test_an_issuer_that_is_gone(api: Api, unused_tcp_port: int) -> None:
    api.issuer.answers = {
        DISCOVERY: (
            200,
            f'{{"issuer": "{api.issuer.url}", "jwks_uri": "http://127.0.0.1:{unused_tcp_port}/"}}'.encode(),
        )
    }
    assert refused(await api.send(), "issuer-away")
    assert api.stored() == {}


UNUSABLE: list[Any] = [
    "text",
    None,
    {},
    {"kid": 7},
    {"kid": "ec", "kty": "EC", "crv": "P-256", "x": "x", "y": "y"},
    {"kid": "oct", "kty": "oct", "k": "c2VjcmV0"},
    {"kid": "rsa", "kty": "RSA"},
    {"kid": "rsa", "kty": "RSA", "n": 1, "e": 2},
    {"kid": "rsa", "kty": "RSA", "n": "!!", "e": "AQAB"},
    described("first", use="enc") | {"kid": "enc"},
    described("first", alg="RS512") | {"kid": "rs512"},
]


async def test_keys_that_are_of_no_use_do_no_harm(api: Api) -> None:
    api.issuer.keys = [*UNUSABLE, described("first"), *UNUSABLE]
    assert (await api.send()).status_code == 202
    for kid in ("ec", "oct", "rsa", "enc", "rs512"):
        assert refused(await api.send(token=api.issuer.token(kid, signer="first")), "token-key")


async def test_only_post_is_answered(api: Api) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await api.http.request(method, PATH)
        assert method in refused(answer, "method")
        assert answer.headers["allow"] == "POST"
