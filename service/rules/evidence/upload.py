"""The body of an upload: numbers with their units and conditions, or each place that is wrong in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from service.rules.charter.metrics import Measure, metric_of
from service.rules.charter.quantity import EXACT, Quantity, Refusal, parse_quantity, plain, read_unit
from service.rules.charter.threshold import read_clause
from service.rules.evidence.claims import Fault, Reason, Refused
from service.rules.source.text import listed, shown
from service.rules.values.groups import Level

MOST_NUMBERS = 100
MOST_FAULTS = 20
LONGEST_NAME = 100
LONGEST_ENVIRONMENT = 255
MOST_SAMPLES = 10**12
LARGEST_POWER = 30
"""Numbers lie between 10 to this power and its inverse."""
METRIC = re.compile(r"[a-z][a-z0-9_]{0,63}")
NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,4})?")
EXAMPLE = '{"metrics": {"latency_p95": {"value": 212.4, "unit": "ms"}}}'
TOP = ("metrics", "environment")
KEYS = ("value", "unit", "n", "dataset", "load", "window", "segment", "environment")
CLAUSES = {"dataset": "on", "load": "at", "window": "over", "segment": "for"}
MEANT = {word: key for key, word in CLAUSES.items()} | {"samples": "n", "env": "environment"}


class Literal(str):
    """A number as the JSON has it; also `NaN` and `Infinity`, which are none."""

    __slots__ = ()


class Object(dict[str, object]):
    """A JSON object, with the first key that it has twice."""

    twice: str | None = None


class _NoJSONError(Exception):
    """What is wrong with a text that isn't JSON."""


def _exact(data: bytes) -> object:
    """Read a JSON text."""
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=Literal,
            parse_float=Literal,
            parse_constant=Literal,
        )
    except json.JSONDecodeError as error:
        raise _NoJSONError(f"line {error.lineno}, column {error.colno}: {error.msg.lower()}") from error
    except UnicodeDecodeError as error:
        raise _NoJSONError("not UTF-8") from error
    except RecursionError as error:
        raise _NoJSONError("nested too deep") from error


def _object(pairs: list[tuple[str, object]]) -> Object:
    made = Object(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                made.twice = key
                break
            seen.add(key)
    return made


@dataclass(frozen=True, slots=True)
class Sent:
    """One number that a workflow sent, and under what it says that it was taken."""

    metric: str
    value: Decimal
    unit: str
    n: int | None = None
    dataset: str | None = None
    load: str | None = None
    window: str | None = None
    segment: str | None = None
    environment: str | None = None

    @property
    def key(self) -> str:
        """What tells it from the other numbers of its job. The environment is last: it may hold any word."""
        told = {
            "on": self.dataset,
            "at": self.load,
            "over": self.window,
            "for": self.segment,
            "in": self.environment,
        }
        return " ".join([self.metric, *(f"{word} {text}" for word, text in told.items() if text is not None)])

    @property
    def printed(self) -> str:
        """The number with its unit."""
        return f"{plain(self.value)} {self.unit}".strip()

    def level(self, vouched: str | None) -> Level:
        """Self-reported where the job wrote the environment itself; `vouched` is GitHub's."""
        return Level.MEASURED if self.environment == vouched else Level.SELF_REPORTED


class _FaultError(Exception):
    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(pointer, detail)


def read_upload(body: bytes, environment: str | None) -> tuple[Sent, ...] | Refused:
    """Read a body; `environment` is the one that GitHub vouches for, where it names one."""
    try:
        root = _exact(body)
    except _NoJSONError as error:
        return Refused(Reason.NO_JSON, f"The body isn't JSON ({error}). Send something like {EXAMPLE}.")
    try:
        default, found = _environment(root, environment), list(_found(root))
    except _FaultError as error:
        return _body_refused([error.fault])
    sent: dict[str, Sent] = {}
    faults: list[Fault] = []
    for pointer, metric, entry in found:
        try:
            number = _number(pointer, metric, entry, default, environment)
            if number.key in sent:
                raise _FaultError(pointer, f"{shown(number.key, 60)} is here twice. {TELL_APART}")  # noqa: TRY301
        except _FaultError as error:
            faults.append(error.fault)
        else:
            sent[number.key] = number
    return _body_refused(faults) if faults else tuple(sent.values())


TELL_APART = "Give each its own segment, dataset, load, window or environment."


def _body_refused(faults: Sequence[Fault]) -> Refused:
    first, *more = faults
    rest = f" And {len(more)} more like it in `errors`." if more else ""
    return Refused(Reason.BODY, f"{first.detail}{rest}", tuple(faults[:MOST_FAULTS]))


def _environment(root: object, vouched: str | None) -> str | None:
    fields = _fields(root, "", TOP, EXAMPLE)
    return _place(fields.get("environment"), "/environment", vouched) or vouched


def _found(root: object) -> Iterator[tuple[str, str, object]]:
    """Every number of the body with its place and its metric."""
    metrics = root.get("metrics") if isinstance(root, Object) else None
    if not isinstance(metrics, Object) or not metrics:
        raise _FaultError(
            "/metrics", f"`metrics` holds one entry for each metric. Send something like {EXAMPLE}."
        )
    if metrics.twice is not None:
        raise _FaultError(f"/metrics/{_token(metrics.twice)}", _twice(metrics.twice))
    count = sum(len(entry) if isinstance(entry, list) else 1 for entry in metrics.values())
    if count > MOST_NUMBERS:
        detail = (
            f"{count} numbers; one upload takes {MOST_NUMBERS}. Send those that `done` and `stop_if` name."
        )
        raise _FaultError("/metrics", detail)
    for metric, entry in metrics.items():
        pointer = f"/metrics/{_token(metric)}"
        if not isinstance(entry, list):
            yield pointer, metric, entry
        elif not entry:
            raise _FaultError(pointer, "The list is empty. Give it a number, or leave the metric out.")
        else:
            yield from ((f"{pointer}/{index}", metric, one) for index, one in enumerate(entry))


def _number(pointer: str, metric: str, entry: object, default: str | None, vouched: str | None) -> Sent:
    if not METRIC.fullmatch(metric):
        detail = f"{shown(metric)} isn't a metric. Write its name as in `done`, like `latency_p95`."
        raise _FaultError(pointer, detail)
    fields = _fields(entry, pointer, KEYS, '{"value": 212.4, "unit": "ms"}')
    clauses = {key: _clause(fields.get(key), f"{pointer}/{key}", word) for key, word in CLAUSES.items()}
    place = _place(fields.get("environment"), f"{pointer}/environment", vouched)
    return Sent(
        metric=metric,
        value=_value(fields.get("value"), f"{pointer}/value"),
        unit=_unit(fields.get("unit"), f"{pointer}/unit", metric),
        n=_samples(fields.get("n"), f"{pointer}/n"),
        environment=place or default,
        **clauses,
    )


def _fields(value: object, pointer: str, known: Sequence[str], example: str) -> Mapping[str, object]:
    """The fields of an object that are not null."""
    if not isinstance(value, Object):
        raise _FaultError(pointer, f"This has to be an object, like {example}.")
    if value.twice is not None:
        raise _FaultError(f"{pointer}/{_token(value.twice)}", _twice(value.twice))
    for key in value:
        if key not in known:
            write = (
                f"write `{MEANT[key]}`" if MEANT.get(key) in known else f"here belong {listed(tuple(known))}"
            )
            raise _FaultError(f"{pointer}/{_token(key)}", f"There is no {shown(key)} here; {write}.")
    return {key: field for key, field in value.items() if field is not None}


def _value(value: object, pointer: str) -> Decimal:
    if not isinstance(value, str):
        raise _FaultError(pointer, "`value` is a number, such as 212.4, or the same in quotes.")
    if not NUMBER.fullmatch(value):
        quantity = parse_quantity(value)
        apart = isinstance(quantity, Quantity) and bool(quantity.unit.text)
        remedy = "Write the unit in `unit`." if apart else "Write a decimal number of at most 40 digits."
        raise _FaultError(pointer, f"{shown(value)} isn't a number that can be compared. {remedy}")
    number = EXACT.create_decimal(value)
    if number and not -LARGEST_POWER <= number.adjusted() < LARGEST_POWER:
        size = "large" if number.adjusted() > 0 else "small"
        raise _FaultError(pointer, f"{shown(value)} is too {size} to be right. Choose a unit that fits.")
    return number


def _unit(value: object, pointer: str, metric: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or isinstance(value, Literal) or len(value) > LONGEST_NAME:
        raise _FaultError(pointer, '`unit` is a text, such as "ms".')
    known = metric_of(metric)
    unit = read_unit(None, value.strip(), any_token=known is not None and known.measure is Measure.TARGET)
    if isinstance(unit, Refusal):
        remedy = f"Write `{unit.meant}`." if unit.meant else "Write one such as `ms`, `%`, `USD` or `req/s`."
        raise _FaultError(pointer, f"{unit.message[:1].upper()}{unit.message[1:]}. {remedy}")
    return unit.text


def _samples(value: object, pointer: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, Literal) or not value.isdecimal() or len(value) > len(str(MOST_SAMPLES)):
        raise _FaultError(pointer, "`n` is how many samples were measured: a whole number, such as 2000.")
    if not 1 <= int(value) <= MOST_SAMPLES:
        raise _FaultError(pointer, f"`n` is between 1 and {MOST_SAMPLES}. Leave it out if nobody counted.")
    return int(value)


def _clause(value: object, pointer: str, word: str) -> str | None:
    if value is None:
        return None
    text = _name(value, pointer, LONGEST_NAME)
    read = read_clause(word, text)
    if not isinstance(read, Refusal):
        quantity = parse_quantity(text) if word == "at" else None
        if not isinstance(quantity, Quantity) or quantity.value > 0:
            return read
        read = Refusal("a load is more than zero")
    key = pointer.rpartition("/")[2]
    example = {"dataset": "tickets-2026q3", "load": "50 req/s", "window": "7 d", "segment": "eu-tickets"}[key]
    raise _FaultError(
        pointer, f'`{key}` can\'t be {shown(text)}. Write it as in `done`, such as "{example}".'
    )


def _place(value: object, pointer: str, vouched: str | None) -> str | None:
    if value is None:
        return None
    named = _name(value, pointer, LONGEST_ENVIRONMENT)
    if vouched is not None and named.lower() != vouched.lower():  # GitHub minds no case
        detail = f"GitHub says that this job runs in {shown(vouched, 60)}, not in {shown(named, 60)}"
        raise _FaultError(pointer, f"{detail}. Leave `environment` out, or run the job in the other.")
    return vouched or named


def _name(value: object, pointer: str, longest: int) -> str:
    key = pointer.rpartition("/")[2]
    if not isinstance(value, str) or isinstance(value, Literal):
        raise _FaultError(pointer, f"`{key}` is a text.")
    text = value.strip()
    if not text or len(text) > longest or not text.isprintable():
        raise _FaultError(pointer, f"`{key}` is one line of at most {longest} characters.")
    return text


def _token(key: str) -> str:
    """A key as a JSON pointer writes it; of a long one its beginning."""
    return key[:LONGEST_NAME].replace("~", "~0").replace("/", "~1")


def _twice(key: str) -> str:
    return f"{shown(key)} is here twice. Leave one out; several numbers of a metric go into a list."
