"""Where one phase follows another along the key of a sweep, in the box and for infinitely many particles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ehbilayer.phases.result import CandidateRow, CompetitionResult
from ehbilayer.phases.verdict import lowest
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
    """A point of the axis: the lowest phase, and of every phase its height above it, what size may do to that either
    way, and which carriers are polarised; ``error`` is by how much the heights may shrink."""

    x: float
    winner: str
    heights: Mapping[str, float]
    error: float
    shifts: Mapping[str, float]
    polarised: Mapping[str, tuple[bool, ...]]


def boundaries(axis: Sequence[float], points: Sequence[CompetitionResult | None]) -> tuple[Boundary, ...]:
    """All boundaries between neighbouring values of an axis; points that are missing or not converged are passed over.

    Between two points with different winners a and b the lead (E_b - E_a)/N is a straight line; it errs by a quarter of
    the bracket at most, and its own error moves its zero by error over slope. Where a phase polarises between them the
    lead has a kink, and no more is known than the bracket. What leads at an end of the axis by less than its error
    makes no boundary.
    """
    there = sorted(((x, p) for x, p in zip(axis, points, strict=True)
                    if p is not None and p.status is Status.converged), key=lambda pair: pair[0])
    found = []
    for name, place in (("finite", _in_box), ("infinite", _in_limit)):
        places = [q for x, p in there if (q := place(x, p)) is not None]
        runs = [list(run) for _, run in groupby(places, key=lambda p: p.winner)]
        for i, (low, high) in enumerate(pairwise(runs)):
            below, above = low[0].winner, high[0].winner
            if (i > 0 or _leads(low, above)) and (i + 2 < len(runs) or _leads(high, below)):
                found.append(Boundary(*_crossing(low[-1], high[0]), below, above, name))
    return tuple(found)


def _leads(run: Sequence[_Place], other: str) -> bool:
    """Whether the winner of these points leads another phase by more than the error at any of them."""
    return any(p.heights.get(other, math.inf) > p.error for p in run)


def _in_box(x: float, point: CompetitionResult) -> _Place | None:
    found = lowest((*point.candidates, *point.further))
    if point.winner not in found:
        return None
    energies = {phase: float(row.energy or 0.0) for phase, row in found.items()}
    heights = {phase: energy - energies[point.winner] for phase, energy in energies.items()}
    shifts = {phase: abs(row.size_shift or 0.0) for phase, row in found.items()}
    return _Place(x, point.winner, heights, float(point.numerical_error or 0.0), shifts, _polarised(found))


def _in_limit(x: float, point: CompetitionResult) -> _Place | None:
    limit = point.limit
    if limit is None or limit.winner not in limit.heights:
        return None
    spins = _polarised(lowest((*point.candidates, *point.further)))
    return _Place(x, limit.winner, limit.heights, float(limit.uncertainty or 0.0), {}, spins)


def _polarised(rows: Mapping[str, CandidateRow]) -> dict[str, tuple[bool, ...]]:
    return {phase: tuple(spin.endswith("polarized") for spin in row.spin_arrangement.split(", "))
            for phase, row in rows.items()}


def _crossing(low: _Place, high: _Place) -> tuple[float, float]:
    """Where the winners of two points have one energy, and the error of that; half-way where one is not known, or
    where the lead has a kink."""
    width = high.x - low.x
    first, second = low.heights.get(high.winner), high.heights.get(low.winner)
    kink = any(low.polarised.get(phase) != high.polarised.get(phase) for phase in (low.winner, high.winner))
    if first is None or second is None or first + second <= 0 or kink:
        return low.x + width / 2, width / 2
    share = first / (first + second)
    error = max(low.error, high.error, low.shifts.get(high.winner, 0.0), high.shifts.get(low.winner, 0.0))
    bent = width / 4 * min(4 * share * (1 - share), 1.0)
    return low.x + share * width, min(math.hypot(bent, error * width / (first + second)), width)
