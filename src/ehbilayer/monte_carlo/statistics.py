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

    @property
    def table(self) -> np.ndarray:
        """All rows (n, width)."""
        return np.array(self._flat, dtype=float).reshape(-1, self.width)


@dataclass(frozen=True)
class Average:
    """A mean with its error.

    mean, error : of the series.   autocorrelation : (error/naive error)^2, samples that count as one.
    blocks : that were independent.   levels : error at each level of blocking (l,), their own errors (l,).
    """

    mean: float
    error: float
    autocorrelation: float
    blocks: int
    levels: np.ndarray
    uncertainty: np.ndarray

    @property
    def trusted(self) -> bool:
        """Whether there were enough independent blocks."""
        return self.blocks >= FEWEST


def reblock(series: np.ndarray, weights: np.ndarray | None = None) -> Average:
    """The weighted mean of a series (n,) with its error, which one sample does not have (NaN)."""
    w = np.ones(len(series)) if weights is None else np.asarray(weights, dtype=float)
    mean, total = float(w @ series / w.sum()), len(series)
    errors, doubts, counts = [], [], []
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
                   np.array(doubts))
