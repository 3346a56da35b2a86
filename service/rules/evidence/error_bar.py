"""How far a share of a sample may lie from the share of all: Wilson's 95 % interval."""

from __future__ import annotations

from fractions import Fraction

Z = Fraction("1.959963984540054")
"""Standard deviations on either side that hold 95 % of a normal distribution."""


def inside_error_bar(share: Fraction, bound: Fraction, n: int) -> bool:
    """Whether a bound lies in the interval around a share of n samples, so that chance may have decided.

    The interval holds the bounds for which the score test does not reject the share; asked this way, no
    root has to be drawn and nothing is rounded.
    """
    if n <= 0 or not 0 <= share <= 1:
        return False
    return (share - bound) ** 2 * n <= Z**2 * bound * (1 - bound)
