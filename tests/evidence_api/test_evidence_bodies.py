"""POST /api/v1/evidence: what a body may say, the sentence and the place for everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rules.charter.quantity import plain
from service.rules.evidence.claims import Reason, Refused
from service.rules.evidence.upload import MOST_FAULTS, Sent, read_upload
from service.web.evidence import LARGEST_BODY
from tests.harness.evidence import Api, refused


def body(**entry: Any) -> bytes:
    """One number for `latency_p95`, good but for the given fields."""
    return json.dumps({"metrics": {"latency_p95": {"value": 212.4, "unit": "ms"} | entry}}).encode()


def raw(value: str) -> bytes:
    """A value as it stands in the JSON, to the last character."""
    return b'{"metrics": {"latency_p95": {"value": %s, "unit": "ms"}}}' % value.encode()


VALUE = "/metrics/latency_p95/value"
REFUSED: list[tuple[str, bytes, str, str]] = [
    ("NaN", raw("NaN"), VALUE, "`NaN` isn't a number that can be compared. Write a decimal number"),
    ("NaN in quotes", raw('"NaN"'), VALUE, "`NaN` isn't a number"),
    ("Infinity", raw("Infinity"), VALUE, "`Infinity` isn't a number"),
    ("minus Infinity", raw("-Infinity"), VALUE, "`-Infinity` isn't a number"),
    ("1e400", raw("1e400"), VALUE, "`1e400` is too large to be right. Choose a unit that fits."),
    ("1e-400", raw("1e-400"), VALUE, "`1e-400` is too small"),
    ("1e99999999", raw("1e99999999"), VALUE, "isn't a number"),
    ("a hundred digits", raw("9" * 100), VALUE, "isn't a number"),
    ("a hundred thousand digits", raw("9" * 100_000), VALUE, "isn't a number"),
    ("a unit in the value", raw('"212 ms"'), VALUE, "Write the unit in `unit`."),
    ("a decimal comma", raw('"212,4"'), VALUE, "Write a decimal number"),
    ("true", raw("true"), VALUE, "`value` is a number"),
    ("null", raw("null"), VALUE, "`value` is a number"),
    ("a list of values", raw("[1]"), VALUE, "`value` is a number"),
    ("an object", raw("{}"), VALUE, "`value` is a number"),
    ("negative n", body(n=-5), "/metrics/latency_p95/n", "`n` is how many samples"),
    ("no samples", body(n=0), "/metrics/latency_p95/n", "Leave it out if nobody counted."),
    ("half a sample", body(n=1.5), "/metrics/latency_p95/n", "a whole number"),
    ("n in quotes", body(n="2000"), "/metrics/latency_p95/n", "a whole number"),
    ("n beyond all", body(n=10**30), "/metrics/latency_p95/n", "a whole number"),
    ("a little more than all", body(n=10**12 + 1), "/metrics/latency_p95/n", "is between 1 and"),
    ("n true", body(n=True), "/metrics/latency_p95/n", "a whole number"),
    ("milliseconds", body(unit="msec"), "/metrics/latency_p95/unit", "`msec` isn't a unit here. Write `ms`."),
    ("requests per second", body(unit="rps"), "/metrics/latency_p95/unit", "Write `req/s`."),
    ("a unit that is none", body(unit="3 apples"), "/metrics/latency_p95/unit", "Write one such as `ms`"),
    ("a unit that is a number", body(unit=5), "/metrics/latency_p95/unit", '`unit` is a text, such as "ms".'),
    ("a bare load", body(load="50"), "/metrics/latency_p95/load", 'such as "50 req/s"'),
    ("no load at all", body(load="0 req/s"), "/metrics/latency_p95/load", 'such as "50 req/s"'),
    ("a load in words", body(load="heavy"), "/metrics/latency_p95/load", 'such as "50 req/s"'),
    ("a window that is no time", body(window="7 tickets"), "/metrics/latency_p95/window", 'such as "7 d"'),
    ("no window at all", body(window="0 d"), "/metrics/latency_p95/window", 'such as "7 d"'),
    ("two words for a data set", body(dataset="my data"), "/metrics/latency_p95/dataset", "tickets-2026q3"),
    ("a segment of two lines", body(segment="e\nu"), "/metrics/latency_p95/segment", "one line"),
    ("half a character", body(segment="\ud800"), "/metrics/latency_p95/segment", "one line"),
    ("a null byte", body(dataset="a\0b"), "/metrics/latency_p95/dataset", "one line"),
    ("an environment of spaces", body(environment="  "), "/metrics/latency_p95/environment", "one line"),
    ("a very long environment", body(environment="x" * 256), "/metrics/latency_p95/environment", "255"),
    ("an environment that is a list", body(environment=[]), "/metrics/latency_p95/environment", "is a text"),
    ("a key that there is not", body(colour="red"), "/metrics/latency_p95/colour", "is no `colour` here"),
    ("the charter's word for it", body(over="7 d"), "/metrics/latency_p95/over", "write `window`."),
    ("a key of half a character", body(**{"\ud800/~": 1}), "/metrics/latency_p95/\ud800~1~0", "There is no"),
    ("a key twice", b'{"metrics": {"a": {"value": 1, "value": 2}}}', "/metrics/a/value", "is here twice"),
    ("a metric twice", b'{"metrics": {"a": {"value": 1}, "a": {"value": 1}}}', "/metrics/a", "into a list"),
    ("`metrics` twice", b'{"metrics": {}, "metrics": {}}', "/metrics", "is here twice"),
    ("a name in capitals", b'{"metrics": {"Acc/all": {"value": 1}}}', "/metrics/Acc~1all", "isn't a metric"),
    ("a metric without a name", b'{"metrics": {"": {"value": 1}}}', "/metrics/", "isn't a metric"),
    ("a bare number", b'{"metrics": {"accuracy": 0.93}}', "/metrics/accuracy", "This has to be an object"),
    ("an empty list", b'{"metrics": {"accuracy": []}}', "/metrics/accuracy", "leave the metric out"),
    ("a list in a list", b'{"metrics": {"a": [[]]}}', "/metrics/a/0", "This has to be an object"),
    ("no metrics", b'{"metrics": {}}', "/metrics", "holds one entry for each metric"),
    ("metrics that are a list", b'{"metrics": []}', "/metrics", "holds one entry for each metric"),
    ("nothing", b"{}", "/metrics", "holds one entry for each metric"),
    ("a list", b"[]", "", "This has to be an object"),
    ("the numbers outside", b'{"accuracy": {"value": 1}}', "/accuracy", "belong metrics and environment"),
    ("two that cannot be told apart", b'{"metrics": {"a": [{"value": 1}, {"value": 2}]}}', "/metrics/a/1",
     "`a` is here twice. Give each its own segment"),
    ("ten thousand metrics", json.dumps({"metrics": {f"m{n}": {"value": 1} for n in range(10_000)}}).encode(),
     "/metrics", "10000 numbers; one upload takes 100."),
    ("a hundred and one in a list", json.dumps({"metrics": {"a": [{"value": 1}] * 101}}).encode(), "/metrics",
     "101 numbers"),
]  # fmt: skip
NO_JSON: list[tuple[str, bytes, str]] = [
    ("empty", b"", "line 1, column 1"),
    ("half", b'{"metrics": {', "line 1, column 14"),
    ("a form", b"metrics=1", "line 1, column 1"),
    ("not UTF-8", b'{"metrics": "\xff"}', "not UTF-8"),
    ("deep", b'{"metrics":' * 50_000, "nested too deep"),
    ("YAML", b"metrics:\n  accuracy: 0.93\n", "line 1, column 1"),
]


@pytest.mark.parametrize(("sent", "pointer", "says"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_body_that_is_refused(sent: bytes, pointer: str, says: str) -> None:
    answer = read_upload(sent, None)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.BODY
    assert says in answer.detail
    assert answer.detail.endswith(".")
    assert answer.faults[0].pointer == pointer


@pytest.mark.parametrize(("sent", "says"), [row[1:] for row in NO_JSON], ids=[row[0] for row in NO_JSON])
def test_a_body_that_is_no_json(sent: bytes, says: str) -> None:
    answer = read_upload(sent, None)
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.faults) == (Reason.NO_JSON, ())
    assert says in answer.detail


@pytest.mark.asyncio
async def test_refused_bodies_are_answered_with_their_place_and_store_nothing(api: Api) -> None:
    for _, sent, pointer, says in REFUSED:
        answer = await api.send(sent)
        assert says in refused(answer, "body-refused")
        assert answer.json()["pointer"] == answer.json()["errors"][0]["pointer"] == pointer
    for _, sent, says in NO_JSON:
        assert says in refused(await api.send(sent), "body-not-json")
    assert api.stored() == {}


@pytest.mark.asyncio
async def test_a_body_of_5_mb_is_refused_by_its_length_and_a_stream_without_one_is_not_read(api: Api) -> None:
    large = body().ljust(5 * 1024 * 1024)
    assert "1048576 bytes" in refused(await api.send(large), "body-too-large")

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * (LARGEST_BODY // 8)

    headers = {"Authorization": f"Bearer {api.issuer.token()}"}
    answer = await api.http.post("/api/v1/evidence", content=chunks(), headers=headers)
    assert "Content-Length" in refused(answer, "length-missing")
    assert api.stored() == {}
    assert (await api.send(body().ljust(LARGEST_BODY))).status_code == 202


@pytest.mark.asyncio
async def test_the_environment_is_the_one_that_github_names(api: Api) -> None:
    for sent in (body(environment="laptop"), b'{"metrics": {"a": {"value": 1}}, "environment": "laptop"}'):
        answer = await api.send(sent, environment="support-staging")
        detail = refused(answer, "body-refused")
        assert "this job runs in `support-staging`, not in `laptop`" in detail
    assert api.stored() == {}


@pytest.mark.asyncio
async def test_every_place_that_is_wrong_is_told_at_once(api: Api) -> None:
    wrong = {"metrics": {f"m{n}": {"value": "x"} for n in range(30)} | {"good": {"value": 1}}}
    answer = await api.send(wrong)
    assert "And 29 more like it in `errors`." in refused(answer, "body-refused")
    assert [one["pointer"] for one in answer.json()["errors"]] == [
        f"/metrics/m{n}/value" for n in range(MOST_FAULTS)
    ]
    assert api.stored() == {}


def read(sent: bytes, environment: str | None = None) -> tuple[Sent, ...]:
    numbers = read_upload(sent, environment)
    assert isinstance(numbers, tuple), numbers
    return numbers


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("212.4", "212.4"),
        ('"212.40"', "212.4"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("1e-05", "0.00001"),
        ("1.5E+3", "1500"),
        ("-3", "-3"),
        ("0", "0"),
        ("0e400", "0"),
        ("-0.0", "0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("0.1234567890123456789012345678901234567890", "0.123456789012345678901234567890123456789"),
    ],
)
def test_a_number_is_kept_to_the_last_digit(written: str, value: str) -> None:
    [number] = read(raw(written))
    assert plain(number.value).lstrip("-") == value.lstrip("-")
    assert number.printed.endswith(" ms")


def test_everything_that_can_be_said() -> None:
    said = {"n": 15000, "dataset": "t-2026q3", "load": "50 req/s", "window": "7 d", "segment": "eu"}
    [number] = read(body(**said, environment="staging"))
    assert number.key == "latency_p95 on t-2026q3 at 50 req/s over 7 d for eu in staging"
    assert (number.n, number.dataset, number.load) == (15000, "t-2026q3", "50 req/s")
    assert (number.window, number.segment, number.environment) == ("7 d", "eu", "staging")


def test_a_number_s_own_environment_goes_before_the_body_s() -> None:
    entries = [{"value": 1}, {"value": 2, "environment": "prod"}, {"value": 3, "segment": "eu"}]
    sent = json.dumps({"metrics": {"mae": entries}, "environment": "staging"}).encode()
    assert [number.environment for number in read(sent)] == ["staging", "prod", "staging"]


def test_the_case_of_an_environment_is_github_s() -> None:
    [number] = read(body(environment="Support-Staging"), "support-staging")
    assert number.environment == "support-staging"


def test_null_says_nothing() -> None:
    [number] = read(body(n=None, segment=None, environment=None, unit=None), "staging")
    assert (number.n, number.segment, number.unit, number.environment) == (None, None, "", "staging")


def test_an_error_is_measured_in_what_is_forecast() -> None:
    [number] = read(b'{"metrics": {"rmse": {"value": 3, "unit": "degF"}}}')
    assert number.unit == "degF"
    other = read_upload(b'{"metrics": {"accuracy": {"value": 3, "unit": "degF"}}}', None)
    assert isinstance(other, Refused)


def test_a_byte_order_mark_is_no_error() -> None:
    assert read(b"\xef\xbb\xbf" + body())


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
FIELDS = st.sampled_from(["value", "unit", "n", "dataset", "load", "window", "segment", "environment", "x"])
ENTRY = st.dictionaries(FIELDS, JSON, max_size=5) | JSON
UPLOAD = st.fixed_dictionaries(
    {
        "metrics": st.dictionaries(
            st.sampled_from(["latency_p95", "a", "Ä"]), ENTRY | st.lists(ENTRY, max_size=3)
        )
    },
    optional={"environment": JSON},
)


@settings(max_examples=500)
@given(
    st.binary(max_size=200) | (UPLOAD | JSON).map(lambda value: json.dumps(value).encode()),
    st.none() | st.just("s"),
)
def test_no_body_is_an_error_of_ours(sent: bytes, environment: str | None) -> None:
    numbers = read_upload(sent, environment)
    if isinstance(numbers, Refused):
        assert numbers.reason in (Reason.NO_JSON, Reason.BODY)
        assert bool(numbers.faults) is (numbers.reason is Reason.BODY)
        assert all(f.pointer == "" or f.pointer.startswith("/") for f in numbers.faults)
    else:
        assert len({number.key for number in numbers}) == len(numbers) > 0
        assert {number.environment for number in numbers} <= {"s"} or environment is None


@settings(max_examples=300)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=9))
def test_every_number_comes_back_as_it_was_sent(value: Any) -> None:
    [number] = read(raw(f"{value:f}"))
    assert number.value == value
