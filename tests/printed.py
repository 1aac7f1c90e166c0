"""Whether a program prints what a page or a notebook says that it prints."""

from __future__ import annotations

import re

import pytest

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
RELATIVE = 5e-3  # beside one unit of the last printed digit: linear algebra differs between machines


def last_digit(number: str) -> float:
    """One unit of the last digit in the text of a number."""
    mantissa, _, exponent = number.partition("e")
    digits = len(mantissa.partition(".")[2])
    return float(10.0 ** (int(exponent or 0) - digits))


def assert_same(now: str, committed: str, relative: float = RELATIVE) -> None:
    """Equal words, and numbers equal to the last printed digit or to ``relative``."""
    assert NUMBER.sub("#", now).split() == NUMBER.sub("#", committed).split()
    for new, old in zip(NUMBER.findall(now), NUMBER.findall(committed), strict=True):
        assert float(new) == pytest.approx(float(old), rel=relative, abs=1.01 * last_digit(old)), committed
