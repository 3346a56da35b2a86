"""Units: what they measure and what they are in canonical form (s, B, ratio, a currency, a counted noun)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache


class Dimension(StrEnum):
    """What a unit measures."""

    NONE = "a plain number"
    TIME = "a time"
    SIZE = "a size"
    RATIO = "a ratio"
    MONEY = "an amount of money"
    COUNT = "a count"
    RATE = "a rate"
    OTHER = "a unit of its own"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as written, and the factor that leads to its canonical one."""

    text: str
    canonical: str
    factor: Fraction
    dimension: Dimension
    parts: tuple[Dimension, ...] = ()
    """What a rate has above its `/` and below it."""

    @property
    def is_flow(self) -> bool:
        """Whether it says how many or how much in a time: a price or a time per request does not."""
        return self.parts in FLOWS

    @property
    def is_load(self) -> bool:
        """Whether it can say how much something has to bear: a flow, or so many at once."""
        return self.is_flow or self.dimension in AMOUNTS


AMOUNTS = (Dimension.COUNT, Dimension.SIZE)
FLOWS = tuple((amount, Dimension.TIME) for amount in AMOUNTS)
NO_UNIT = Unit("", "", Fraction(1), Dimension.NONE)

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 604800
SECONDS = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "μs": Fraction(1, 10**6),
    **dict.fromkeys(("s", "second", "seconds"), Fraction(1)),
    **dict.fromkeys(("min", "minute", "minutes"), Fraction(MINUTE)),
    **dict.fromkeys(("h", "hour", "hours"), Fraction(HOUR)),
    **dict.fromkeys(("d", "day", "days"), Fraction(DAY)),
    **dict.fromkeys(("week", "weeks"), Fraction(WEEK)),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), Fraction(1, 1000)),
}
BYTES = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
RATIOS = {"%": Fraction(1, 100), "ratio": Fraction(1), "ppm": Fraction(1, 10**6)}
SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP"}
CURRENCIES = frozenset(
    (
        "AED", "AUD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR", "GBP",
        "HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP",
        "PLN", "RON", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR",
    )
)  # fmt: skip
PREFIXES: dict[str, Fraction] = {
    "": Fraction(1), "n": Fraction(1, 10**9), "µ": Fraction(1, 10**6), "m": Fraction(1, 1000),
    "k": Fraction(1000), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12),
}  # fmt: skip
MEASURED = ("W", "Wh", "J", "Hz", "V", "A", "N", "Pa", "eV", "VA", "lx")
WEIGHED = ("mol", "g", "gCO2e", "L", "bit")
"""What there can be more or less of, as of things that are counted."""
LENGTHS = {**dict.fromkeys(("metre", "metres", "meter", "meters"), Fraction(1)), "cm": Fraction(1, 100)}
PHYSICAL = {
    **{
        f"{short}{name}": (name, factor)
        for name in (*MEASURED, *WEIGHED)
        for short, factor in PREFIXES.items()
    },
    **{name: (name, Fraction(1)) for name in ("dB", "dBA", "dBm", "°C", "°F")},
    **{name: ("metre", factor) for name, factor in LENGTHS.items()},
    **{f"{short}m": ("metre", PREFIXES[short]) for short in ("n", "µ", "m", "k")},
}
"""Units of physics: what each is in its unit without a prefix. A bare `m` could be minutes as well."""
MONTH = "month"
CONCURRENT = "concurrent "
"""So many at once: it changes nothing about what is counted."""
NO_NOUNS = frozenset(
    ("k", "m", "kb", "mb", "gb", "pp", "ppt", "month", "months", "year", "years", "quarter", "quarters")
)  # fmt: skip

TOKEN = re.compile(r"[^\s\d<>=≤≥~,;$€£/-][^\s<>=≤≥~,;/]{0,23}")
NOUN = re.compile(r"[a-z][a-z0-9_-]{0,30}")
FOLDED = {"req": "request", "reqs": "request"}

UNITS = {
    **{name: Unit(name, "s", factor, Dimension.TIME) for name, factor in SECONDS.items()},
    **{name: Unit(name, "B", Fraction(factor), Dimension.SIZE) for name, factor in BYTES.items()},
    **{name: Unit(name, "ratio", factor, Dimension.RATIO) for name, factor in RATIOS.items()},
    **{name: Unit(name, name, Fraction(1), Dimension.MONEY) for name in CURRENCIES},
    **{sign: Unit(sign, name, Fraction(1), Dimension.MONEY) for sign, name in SYMBOLS.items()},
    **{
        name: Unit(name, base, factor, Dimension.COUNT if base in (*WEIGHED, "metre") else Dimension.OTHER)
        for name, (base, factor) in PHYSICAL.items()
    },
}
"""Each unit that isn't a counted noun."""

# What people write for a unit that we would misread, or cannot read, and what they mean.
MEANT = {
    **dict.fromkeys(("rps", "RPS", "req/sec", "requests/sec"), "req/s"),
    **dict.fromkeys(("qps", "QPS"), "queries/s"),
    **dict.fromkeys(("MS", "Ms", "msec", "msecs", "millis"), "ms"),
    **dict.fromkeys(("sec", "secs", "S"), "s"),
    "mins": "min",
    **dict.fromkeys(("FPS", "frames/sec"), "frames/s"),
    **dict.fromkeys(("hr", "hrs", "H"), "h"),
    **dict.fromkeys(("percent", "percentage", "pct"), "%"),
    **dict.fromkeys(("usd", "dollar", "dollars"), "USD"),
    **dict.fromkeys(("eur", "euro", "euros"), "EUR"),
}


@lru_cache(512)
def unit_of(text: str) -> Unit | None:
    """The unit that a text names, at most one `/` in it; None where it names none."""
    above, slash, below = (part.strip() for part in text.partition("/"))
    numerator = simple_unit(above)
    if not slash or numerator is None:
        return numerator
    denominator = Unit(MONTH, MONTH, Fraction(1), Dimension.TIME) if below == MONTH else simple_unit(below)
    if denominator is None or denominator.dimension in (Dimension.RATIO, Dimension.MONEY):
        return None
    canonical = f"{numerator.canonical}/{denominator.canonical}"
    factor = numerator.factor / denominator.factor
    parts = (numerator.dimension, denominator.dimension)
    return Unit(f"{above}/{below}", canonical, factor, Dimension.RATE, parts)


def target_unit(text: str) -> Unit | None:
    """A unit that is only compared with itself: what a forecast's error is measured in."""
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 2 or not all(TOKEN.fullmatch(part) for part in parts):  # noqa: PLR2004 - one `/`
        return None
    written = "/".join(parts)
    return Unit(written, written, Fraction(1), Dimension.OTHER)


def simple_unit(text: str) -> Unit | None:
    """A unit without a denominator."""
    if text in UNITS:
        return UNITS[text]
    noun = text.removeprefix(CONCURRENT)
    if noun in MEANT or noun in NO_NOUNS or not NOUN.fullmatch(noun):
        return None
    return Unit(text, singular(noun), Fraction(1), Dimension.COUNT)


def singular(noun: str) -> str:
    """One of what the noun counts, so that `ticket` and `tickets` are the same unit."""
    if noun in FOLDED:
        return FOLDED[noun]
    if noun.endswith("ies") and len(noun) > len("ties"):
        return f"{noun[:-3]}y"
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
