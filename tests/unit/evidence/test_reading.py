"""What a line of `evidence` makes of a file: an exact number, or a sentence that says what to do."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.evidence import AGGREGATES, Source, parse_source
from service.rules.charter.quantity import plain
from service.rules.charter.units import NO_UNIT
from service.rules.evidence.reading import TOO_LARGE
from service.rules.evidence.values import Unread
from tests.unit.evidence.numbers import read_value

LONG = "reports/" + "evaluation/" * 12 + "metrics.json"


def source(text: str) -> Source:
    read = parse_source(text)
    assert isinstance(read, Source), read
    return read


def value(text: str, data: str | bytes) -> Decimal | Unread:
    return read_value(source(text), data.encode() if isinstance(data, str) else data)


def reason(text: str, data: str | bytes) -> str:
    read = value(text, data)
    assert isinstance(read, Unread), read
    return read.reason


@pytest.mark.parametrize(
    ("text", "data", "number"),
    [
        pytest.param("m.json $.a", '{"a": 0.1}', "0.1", id="a float is the decimal that it is written as"),
        pytest.param("m.json $.a", '{"a": 12345678901234567890.125}', "12345678901234567890.125", id="exact"),
        pytest.param("m.json $.a", '{"a": 2}', "2", id="a whole number"),
        pytest.param("m.json $.a", '{"a": -0.0}', "0", id="minus zero is zero"),
        pytest.param("m.json $.a", '{"a": 1.5E-3}', "0.0015", id="an exponent"),
        pytest.param("m.json $.a", b'\xef\xbb\xbf{"a": 1}', "1", id="a byte order mark"),
        pytest.param("m.json $.a", '{"a": 1, "b": NaN, "c": 1e400}', "1", id="NaN beside it does no harm"),
        pytest.param("m.json $", "0.93", "0.93", id="a file that is one number"),
        pytest.param("m.json $.a", '{"a": "0.93"}', "0.93", id="a number in quotes"),
        pytest.param("m.json $.a / $.b", '{"a": 3, "b": 4}', "0.75", id="a ratio"),
        pytest.param("m.json $[?@.a.b=='c'].d", '[{"a": {"b": "c"}, "d": 7}]', "7", id="a key inside"),
        pytest.param("load test/läuf [1],#2.json $.a", '{"a": 1}', "1", id="a file of any name"),
        pytest.param("m.jsonl $[-1].a", '{"a": 1}\n{"a": 2}\n', "2", id="the last of JSON lines"),
        pytest.param("m.json $.a[-1]", '{"a": [1, 2, 3]}', "3", id="an index from the end"),
        pytest.param('m.json $[\'a b\']["c\\""]', '{"a b": {"c\\"": 4}}', "4", id="quoted names"),
        pytest.param("m.json $.größe", '{"größe": 5}', "5", id="a name beyond ASCII"),
        pytest.param("m.json $[?@.k=='x'].v", '[{"k": 1, "v": 6}, {"k": "x", "v": 7}]', "7", id="a filter"),
        pytest.param("metrics $.a", '{"a": 1}', "1", id="a file of another name is JSON"),
        pytest.param("M.JSON $.a", '{"a": 1}', "1", id="an ending in capitals"),
        pytest.param("m.yaml $.a.b", "a:\n  b: 9.1e-1\n", "0.91", id="YAML"),
        pytest.param("m.yml $[1]", "[1, 2]", "2", id="a flow list in YAML"),
        pytest.param("m.yaml $['1']", "1: 0.5\n", "0.5", id="a key that is a number is its text"),
        pytest.param("m.yaml $.b", "a: &x 1\nb: 2\nc: *x\nd: !!python/none\n", "2", id="an anchor beside it"),
        pytest.param("R.md $.a", "---\na: 3\n---\n# Title\n---\na: 4\n---\n", "3", id="front matter"),
        pytest.param("m.json rate of $[*]", "[true, false, 1, 0]", "0.5", id="rate counts true and non-zero"),
        pytest.param("m.json mean of $[*].a", '[{"a": 0.1}, {"a": 0.2}, {}]', "0.15", id="mean, exact"),
        pytest.param("m.json mean of $[*]", '{"a": 1, "b": 2}', "1.5", id="all values of an object"),
        pytest.param("m.json sum of $[*]", "[" + "0.1," * 9 + "0.1]", "1", id="ten tenths are one"),
        pytest.param("m.json min of $[*]", "[3, -2.5]", "-2.5", id="min"),
        pytest.param("m.json max of $[*]", "[3, -2.5]", "3", id="max"),
        pytest.param("m.json p95 of $[*]", "[7]", "7", id="a percentile of one value"),
    ],
)
def test_a_number_is_read(text: str, data: str | bytes, number: str) -> None:
    read = value(text, data)
    assert isinstance(read, Decimal), read
    assert plain(read) == number


@pytest.mark.parametrize(
    ("text", "data", "told"),
    [
        ("m.json $.a", "", "the file is empty: let the tool write it again"),
        ("m.json $.a", "{", "line 1 is not JSON: let the tool write JSON"),
        ("m.txt $.a", "a,b\n1,2\n", "line 1 is not JSON: let the tool write JSON"),
        ("m.csv $[0].a", "a,a\n1,2\n", "a column is twice in the header: keep one"),
        (
            "m.csv $[0].a",
            "a,b\n1\n",
            "a row has different columns from the header: let the tool write it again",
        ),
        ("m.jsonl $[0].a", '{"a": 1}\n{"a"', "line 1 is not JSON: let the tool write JSON"),
        ("m.xml $.tests", "<a/>", "no `testcase` in it: commit JUnit's XML"),
        ("m.xml $.tests", "<a>", "not XML: let the tool write it again"),
        (
            "m.xml $.tests",
            '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
            "larger than 1 MB, or declares entities: commit JUnit's plain XML",
        ),
        ("m.json $.a / $.b", '{"a": 1, "b": 0}', "is divided by zero: measure again"),
        ("m.json $.a", '{"a": 1}\n{"a": 2}\n', "holds several JSON values: write them as one list"),
        ("m.json $.a", '{"a": 1, "b": 2, "a": 3}', "`a` is twice in one object: keep one"),
        ("m.json $.a", "[" * 100_000, "nested too deep: commit a flat summary"),
        ("m.json $.a", '{"a":' * 100_000, "nested too deep: commit a flat summary"),
        ("m.json $.a", '{"a": ' + "1" * 5000 + "}", "holds a number of thousands of digits: round it"),
        ("m.json $.a", '{"a": ' + "1" * 500 + "}", "has 500 characters: round the number"),
        ("m.json $.a", '{"a": 1.' + "1" * 500 + "}", "has 502 characters: round the number"),
        ("m.json $[0]", "[" + "1," * 500_001 + "1]", "too many values: commit a summary with the number"),
        ("m.json $.a", "{}".encode("utf-16"), "the file is encoded as UTF-16: save it as UTF-8"),
        ("m.json $.a", b'{"a": "\xff"}', "the file isn't UTF-8: save it as UTF-8"),
        (
            "m.json $.a",
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "the file is in Git LFS: commit the file itself",
        ),
        ("m.json $.a", '{"a": NaN}', "is NaN: measure again"),
        ("m.json $.a", '{"a": Infinity}', "is Infinity: measure again"),
        ("m.json $.a", '{"a": -Infinity}', "is Infinity: measure again"),
        ("m.json $.a", '{"a": 1e400}', "is `1e400`, too large or too small to be right: measure again"),
        ("m.json $.a", '{"a": 1e-400}', "is `1e-400`, too large or too small to be right: measure again"),
        (
            "m.json $.a",
            '{"a": 1e99999999999999999999}',
            "is `1e99999999999…`, too large or too small to be right: measure again",
        ),
        ("m.json $.a", '{"a": "N/A"}', "is the text `N/A`: write a number"),
        ("m.json $.a", '{"a": "0.93 s"}', "is the text `0.93 s`: write a number"),
        ("m.json $.a", '{"a": "93 %"}', "is the text `93 %`: write a number"),
        ("m.json $.a", '{"a": ""}', "is an empty text: write a number"),
        ("m.json $.a", '{"a": null}', "is null: let the tool write a number"),
        ("m.json $.a", '{"a": true}', "is true: write a number, or `rate of` a list"),
        ("m.json $.a", '{"a": [1]}', "is a list: point to one number in it"),
        ("m.json $.a", '{"a": {"b": 1}}', "is an object: point to one number in it"),
        ("m.json $.a.b", '{"a": {"c": 1, "d": 2}}', "no `.b`, but `c, d`: fix the path"),
        ("m.json $.a.b", '{"a": {}}', "nothing at `.b`: fix the path"),
        ("m.json $.a.b", '{"a": 1}', "nothing at `.b`: fix the path"),
        ("m.json $.a.b", '{"a": [1, 2]}', "no `.b` in a list of 2: fix the path"),
        ("m.json $[5]", "[1]", "no `[5]` in a list of 1: fix the path"),
        ("m.json mean of $[*]", "[]", "no `[*]` in a list of 0: fix the path"),
        ("m.json mean of $[*].b", '[{"a": 1}]', "no `.b`, but `a`: fix the path"),
        ("m.json $[?@.k=='x'].v", '[{"k": "y"}]', "nothing matches `[?@.k=='x']`: fix the filter"),
        (
            "m.json $[?@.k=='x'].v",
            '[{"k": "x", "v": 1}, {"k": "x", "v": 2}, {"k": "x"}]',
            "2 values, not one: name one, or write `mean of`",
        ),
        ("m.json mean of $[*]", '[1, "x"]', "value 2 is the text `x`: write a number"),
        ("m.json mean of $[*]", "[1, true]", "value 2 is true: write a number, or `rate of` a list"),
        ("m.json rate of $[*]", "[true, null]", "value 2 is null: let the tool write a number"),
        ("m.json p95 of $[*]", "[1, NaN]", "value 2 is NaN: measure again"),
        ("m.yaml $.a", "a: [1", "line 2 is not YAML: fix it"),
        ("m.yaml $.a", "a: 1\na: 2\n", "`a` is twice in one mapping: keep one"),
        ("m.yaml $.a", "a: 1\n---\na: 2\n", "a second YAML document begins at `---`: keep one"),
        ("m.yaml $.a", "%YAML 1.1\n---\na: 1\n", "a line begins with `%`: delete the directive"),
        ("m.yaml $.a", "? [a]\n: 1\n", "a list or mapping as a key: write a word before the colon"),
        ("m.yaml $.a", "b: &x 1\n*x : 2\n", "an alias as a key: write a word before the colon"),
        ("m.yaml $.a", "b: &x 1\na: *x\n", "is a YAML alias: write the value out"),
        ("m.yaml $.a", "a: !!float 1\n", "is a tagged YAML value: write a plain number"),
        ("m.yaml $.a", "a: !!python/tuple [1]\n", "is a tagged YAML value: write a plain number"),
        ("m.yaml $.a", "a: 010\n", "is the text `010`: write a number"),
        ("m.yaml $.a", "a: 1_000\n", "is the text `1_000`: write a number"),
        ("m.yaml $.a", "a: 22:30\n", "is the text `22:30`: write a number"),
        ("m.yaml $.a", "a: .5\n", "is the text `.5`: write a number"),
        ("m.yaml $.a", "a: .nan\n", "is NaN: measure again"),
        ("m.yaml $.a", "a: -.inf\n", "is Infinity: measure again"),
        ("m.yaml $.a", "a: True\n", "is true: write a number, or `rate of` a list"),
        ("m.yaml $.a", "a:\n", "is null: let the tool write a number"),
        ("m.yaml $.a", "a: \x07\n", "a character that YAML refuses: delete it"),
        ("m.yaml $.a", "[" * 1000, "nested too deep: commit a flat summary"),
        ("m.yaml $.a", "- 1\n" * 100_001, "too many values for YAML: write them as JSON"),
        ("m.yaml $.a", "a: 1\n" + "#" * 1024 * 1024, "larger than 1 MB as YAML: write it as JSON"),
        ("m.md $.a", "# Title\n", "no front matter: begin the file with a line `---`"),
        ("m.md $.a", "---\na: 1\n", "the front matter has no end: add a line `---`"),
    ],
)
def test_what_is_no_number_is_told(text: str, data: str | bytes, told: str) -> None:
    file, *_, path = text.split()
    assert reason(text, data) == f"`{file}` `{path}`: {told}"


def test_a_file_that_is_not_there() -> None:
    told = "`eval/m.json` `$.a`: no such file in this commit: commit it, or fix its name"
    assert read_value(source("eval/m.json $.a"), None) == Unread(told)
    assert "5 MB" in TOO_LARGE.reason


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("$..a", "`..` could find many numbers: write the whole path"),
        ("$.a..b", "`..` could find many numbers: write the whole path"),
        ("$[0:2]", "not a path for evidence: write names and indexes, `$.a.b[0]`"),
        ("$[?@.a=='x'][?@.b=='y']", "not a path for evidence: write names and indexes, `$.a.b[0]`"),
        ("$.a[?length(@)>1]", "not a path for evidence: write names and indexes, `$.a.b[0]`"),
        ("no path", "not a path for evidence: write names and indexes, `$.a.b[0]`"),
    ],
)
def test_a_path_beyond_the_charters_form_is_not_followed(path: str, told: str) -> None:
    read = read_value(Source("m.json", None, path, NO_UNIT), b'{"a": 1}')
    assert isinstance(read, Unread)
    assert read.reason.endswith(told)


def test_an_alias_bomb_is_never_unfolded() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert "is a YAML alias" in reason("m.yaml $.l29[0]", "l0: &l0 [1]\n" + levels)


def test_what_yaml_makes_of_a_numpy_number_is_told() -> None:
    text = (
        "a: !!python/object/apply:numpy.scalar\n- &id001 !!python/object/apply:numpy.dtype [f8]\n- *id001\n"
    )
    assert reason("m.yaml $.a", text) == "`m.yaml` `$.a`: is a tagged YAML value: write a plain number"


def test_a_long_name_leaves_room_for_what_to_do() -> None:
    told = reason(f"{LONG} $.{'a' * 90}", '{"accuracy": 1}')
    assert len(told) <= 120
    assert told.startswith("`reports/evaluation/")
    assert told.endswith("fix the path")


NUMBERS = st.decimals(min_value=-(10**9), max_value=10**9, places=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abk") | st.text(), inner),
    max_leaves=12,
)
STEPS = st.sampled_from([".a", "['b']", "[0]", "[-1]", "[*]", "[?@.k=='x']", ".*", "[?@['a']==\"x\"]", "..a"])
PATHS = st.lists(STEPS, max_size=5).map(lambda steps: "$" + "".join(steps))
FILES = st.sampled_from(["m.json", "m.yaml", "README.md", "m", LONG])
SOURCES = st.builds(
    Source, FILES, st.none() | st.sampled_from(AGGREGATES), PATHS | st.text(max_size=200), st.just(NO_UNIT)
)


def is_told_well(read: Decimal | Unread) -> bool:
    if isinstance(read, Decimal):
        return read.is_finite()
    return len(read.reason) <= 120 and read.reason.isprintable() and read.reason.count("`") % 2 == 0


@given(
    SOURCES, st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "ignore"))
)
def test_no_bytes_raise(line: Source, data: bytes) -> None:
    assert is_told_well(read_value(line, data))


@given(SOURCES, JSON)
def test_no_json_raises(line: Source, tree: object) -> None:
    assert is_told_well(read_value(line, json.dumps(tree).encode()))


@given(SOURCES, JSON, st.booleans())
def test_no_yaml_raises(line: Source, tree: object, flow: bool) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow)
    assert is_told_well(read_value(line, text.encode("utf-8", "ignore")))
    assert is_told_well(read_value(line, f"---\n{text}---\n".encode("utf-8", "ignore")))


@given(NUMBERS)
def test_json_and_yaml_give_what_was_written(number: Decimal) -> None:
    written = f"{number:f}"
    for name, data in (("m.json", f'{{"a": {written}}}'), ("m.yaml", f"a: {written}\n")):
        assert value(f"{name} $.a", data) == Decimal(written)
