"""Errors of a mean whose samples remember each other: reblocking.

Blocks of 2^l samples are averaged until their means no longer know of each other; the error is sqrt(var/blocks) there.
The level is the first whose block length B satisfies B^3 > 2 n (error_B/error_1)^4 (Wolff; Lee et al.), the error of
the error included; too few blocks are said to be so.

Source: Flyvbjerg, Petersen, JCP 91, 461 (1989); Lee et al., PRE 83, 066706 (2011).
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

import numpy as np

FEWEST = 16  # independent blocks, for an error that can be trusted
DRIFTING = 4.0  # standard errors of a slope from which a series has not settled: 1 in 900 of 16 blocks that have
ROUNDING = 1e-13  # relative differences below which all samples are the same number


class Series:
    """A table that grows by rows of ``width`` numbers, 8 bytes each."""

    def __init__(self, width: int, table: np.ndarray | None = None) -> None:
        self.width = width
        self._flat = array("d", [] if table is None else np.ravel(table).tolist())

    def __len__(self) -> int:
        return len(self._flat) // self.width

    def add(self, *row: float) -> None:
        """Append a row."""
        self._flat.extend(row)

    def halve(self) -> None:
        """Forget the first half of the rows."""
        del self._flat[: len(self) // 2 * self.width]

    @property
    def table(self) -> np.ndarray:
        """All rows (n, width)."""
        return np.array(self._flat, dtype=float).reshape(-1, self.width)


@dataclass(frozen=True)
class Average:
    """A mean with its error.

    mean, error : of the series.   autocorrelation : (error/naive error)^2, samples that count as one.
    blocks : that were independent.   levels : error at each level of blocking (l,), their own errors (l,).
    slope : of a straight line through the blocks, in its standard errors.
    """

    mean: float
    error: float
    autocorrelation: float
    blocks: int
    levels: np.ndarray
    uncertainty: np.ndarray
    slope: float = 0.0

    @property
    def trusted(self) -> bool:
        """Whether there were enough independent blocks."""
        return self.blocks >= FEWEST

    @property
    def drifting(self) -> bool:
        """Whether enough independent blocks say that the series had not settled where it began."""
        return self.trusted and abs(self.slope) > DRIFTING


def reblock(series: np.ndarray, weights: np.ndarray | None = None) -> Average:
    """The weighted mean of a series (n,) with its error, which one sample does not have (NaN)."""
    w = np.ones(len(series)) if weights is None else np.asarray(weights, dtype=float)
    mean, total = float(w @ series / w.sum()), len(series)
    errors, doubts, counts, slopes = [], [], [], []
    x, size = np.asarray(series, dtype=float), 1
    if total and np.ptp(x) <= ROUNDING * np.abs(x).max():
        x = np.full(total, mean)  # a state without variance; its rounding errors are no series
    while len(x) >= 2:
        share = w / w.sum()
        # variance of a ratio of means, the weights as they are
        variance = float(np.sum((share * (x - mean)) ** 2)) * len(x) / (len(x) - 1)
        errors.append(np.sqrt(variance))
        doubts.append(errors[-1] / np.sqrt(2 * (len(x) - 1)))
        counts.append(len(x))
        slopes.append(_slope(x, w))
        even = len(x) // 2 * 2
        sums = (w[:even] * x[:even]).reshape(-1, 2).sum(axis=1)
        w = w[:even].reshape(-1, 2).sum(axis=1)
        x, size = sums / w, size * 2
    levels = np.array(errors)
    if not len(levels) or levels[0] == 0:
        return Average(mean, 0.0 if len(levels) else math.nan, 1.0, total, levels, np.array(doubts))
    lengths = 2.0 ** np.arange(len(levels))
    good = np.flatnonzero(lengths**3 > 2 * total * (levels / levels[0]) ** 4)
    best = int(good[0]) if len(good) else len(levels) - 1
    return Average(mean, float(levels[best]), float((levels[best] / levels[0]) ** 2), counts[best], levels,
                   np.array(doubts), slopes[best])


def _slope(x: np.ndarray, w: np.ndarray) -> float:
    """The slope of independent values x (n,) of weights w along their number, in its standard errors, which follow
    from what a straight line leaves; 0 of fewer than three."""
    if len(x) < 3:
        return 0.0
    t = np.arange(len(x)) - w @ np.arange(len(x)) / w.sum()
    y = x - w @ x / w.sum()
    slope = (w * t) @ y / ((w * t) @ t)
    # error^2 = sum w^2 t^2 (y - slope t)^2 / (sum w t^2)^2 n/(n - 2)
    error = np.sqrt(np.sum((w * t * (y - slope * t)) ** 2) * len(x) / (len(x) - 2)) / ((w * t) @ t)
    return float(slope / error) if error > 0 else 0.0
