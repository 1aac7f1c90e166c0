"""Where one phase follows another along the key of a sweep, in the box and for infinitely many particles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ehbilayer.phases.result import CompetitionResult
from ehbilayer.results.base import entry
from ehbilayer.status import Status


@dataclass(frozen=True)
class Boundary:
    """A change of the lowest phase between neighbouring points."""

    value: float = entry("of the swept key where both phases have one energy, in the unit of its axis")
    uncertainty: float = entry("its error: errors of the energies over their slope, and the bracket")
    below: str = entry("phase at smaller values")
    above: str = entry("phase at larger values")
    particles: str = entry("finite | infinite: in the box of the study, or by `limit`")


@dataclass(frozen=True)
class _Place:
    """A point of the axis: the lowest phase, the height of every one above it, and the error of these."""

    x: float
    winner: str
    heights: Mapping[str, float]
    error: float


def boundaries(axis: Sequence[float], points: Sequence[CompetitionResult | None]) -> tuple[Boundary, ...]:
    """All boundaries between neighbouring values of an axis; points that are missing or not converged are passed over.

    Between two points with different winners a and b the lead (E_b - E_a)/N is a straight line; it errs by a quarter of
    the bracket at most, and its own error moves its zero by error over slope.
    """
    there = sorted(((x, p) for x, p in zip(axis, points, strict=True)
                    if p is not None and p.status is Status.converged), key=lambda pair: pair[0])
    found = []
    for name, place in (("finite", _in_box), ("infinite", _in_limit)):
        places = [q for x, p in there if (q := place(x, p)) is not None]
        for low, high in pairwise(places):
            if low.winner != high.winner:
                found.append(Boundary(*_crossing(low, high), low.winner, high.winner, name))
    return tuple(found)


def _in_box(x: float, point: CompetitionResult) -> _Place | None:
    energies: dict[str, float] = {}
    for row in (*point.candidates, *point.further):
        if row.energy is not None and row.status is Status.converged:
            energies[row.phase] = min(float(row.energy), energies.get(row.phase, math.inf))
    if point.winner not in energies:
        return None
    heights = {phase: energy - energies[point.winner] for phase, energy in energies.items()}
    return _Place(x, point.winner, heights, float(point.numerical_error or 0.0))


def _in_limit(x: float, point: CompetitionResult) -> _Place | None:
    limit = point.limit
    if limit is None or limit.winner not in limit.heights:
        return None
    return _Place(x, limit.winner, limit.heights, float(limit.uncertainty or 0.0))


def _crossing(low: _Place, high: _Place) -> tuple[float, float]:
    """Where the winners of two points have one energy, and the error of that; half-way where one is not known."""
    width = high.x - low.x
    first, second = low.heights.get(high.winner), high.heights.get(low.winner)
    if first is None or second is None or first + second <= 0:
        return low.x + width / 2, width / 2
    share, error = first / (first + second), max(low.error, high.error)
    bent = width / 4 * min(4 * share * (1 - share), 1.0)
    return low.x + share * width, min(math.hypot(bent, error * width / (first + second)), width)
