"""From a few sizes to infinitely many particles: a power law through the two largest, and an error from what else fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ehbilayer.errors import InputError

INSULATOR = 1.5  # power of 1/N that the errors of exchange fall with, once the Madelung term is in
OTHER = 1.0  # the power that is held against it


@dataclass(frozen=True)
class SizeLimit:
    """value + slope/N^power; ``uncertainty`` holds errors and laws, ``left_out`` the other pairs of sizes alone."""

    value: float
    uncertainty: float
    slope: float
    left_out: float
    power: float


def size_limit(particles: Sequence[float], values: Sequence[float], errors: Sequence[float] = (), *,
               power: float = INSULATOR) -> SizeLimit:
    """Where values of growing numbers of particles go: energies per particle, gaps, alpha^2, densities of a boundary.

        value(N) = value + slope/N^power,  through the two largest N

    Parameters
    ----------
    particles, values : N and the value at each, two or more.   errors : of the values, numerical.
    power : 3/2 in the Madelung convention.

    The uncertainty is the largest error, and the most of three: how far the largest size is from the limit, what the
    law 1/N makes of the two largest, what the law makes of other pairs (three sizes or more). Raises InputError for
    fewer than two different sizes.

        size_limit([36, 64, 100], [5.455, 5.412, 5.398]).value
    """
    order = np.argsort(particles, kind="stable")
    n, y = np.asarray(particles, dtype=float)[order], np.asarray(values, dtype=float)[order]
    if n.shape != y.shape or len(set(n)) < 2 or not np.isfinite(y).all() or not n[0] > 0:
        raise InputError("sizes", "two or more different numbers, with a value each", list(particles),
                         "a limit needs a series")

    def line(law: float, pair: tuple[int, int]) -> tuple[float, float]:
        (x, z), (a, b) = n[list(pair)] ** -law, y[list(pair)]
        slope = (a - b) / (x - z)
        return float(b - slope * z), float(slope)

    last = max(i for i in range(len(n)) if n[i] < n[-1]), len(n) - 1
    value, slope = line(power, last)
    left_out = max(abs(line(power, pair)[0] - value) for pair in combinations(range(len(n)), 2)
                   if n[pair[0]] < n[pair[1]])
    doubt = max(left_out, abs(line(OTHER, last)[0] - value), abs(float(y[-1]) - value))
    return SizeLimit(value, doubt + max(errors, default=0.0), slope, left_out, power)
