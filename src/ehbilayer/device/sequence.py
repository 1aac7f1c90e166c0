"""Phases of a device against its density: which follow each other, and at which density they change.

At every density of a grid the candidates compete. Between neighbours with different winners the lead of one phase over
the other, (E_above - E_below)/N, is followed to its zero by secants in ln n; its error there, over its slope, and what
is left of the bracket are the error of the transition.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from ehbilayer.device.result import PhaseRange, ScanPoint, Transition
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.phases.result import CompetitionResult
from ehbilayer.phases.verdict import lowest
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.units import Scales

CLOSE, LOOKS = 0.03, 4  # relative width at which a bracket is left, and competitions spent on each at most
Compete = Callable[[float, Hooks], Result]


def range_of(ends: Sequence[float | str], count: int, scales: Scales, argument: str) -> tuple[float, ...]:
    """``count`` densities (a_h^-2) with equal ratios, from one end to the other. Raises InputError for other ends."""
    if len(ends) != 2:
        raise InputError(argument, "two densities", ends, 'e.g. ("0.1e12 cm^-2", "3e12 cm^-2")')
    low, high = (scales.to_atomic(x, "density", argument) for x in ends)
    if not 0 < low < high:
        raise InputError(argument, "two rising densities > 0", list(ends), "give the smaller one first")
    if count < 2:
        raise InputError("points", "an integer >= 2", count, "9 is the default")
    return tuple(float(f"{n:.9g}") for n in np.geomspace(low, high, count))


def at_density(bilayer: Bilayer, density: float) -> Bilayer:
    """The bilayer at another density of its holes (of its electrons where there are none), all ratios kept."""
    base = bilayer.get("hole") or bilayer.carrier("electron")
    return bilayer.with_densities({c.name: c.density * (density / base.density) for c in bilayer.carriers})


def scan(compete: Compete, densities: Sequence[float], known: Sequence[ScanPoint], hooks: Hooks,
         keep: Callable[[tuple[ScanPoint, ...]], None]) -> tuple[tuple[ScanPoint, ...], Status | None]:
    """Points at all densities (a_h^-2 of the holes) and beside the transitions, by rising density.

    Parameters
    ----------
    compete : the competition at one density.   known : points of an earlier, unfinished scan.
    keep : told of all points after each new one.

    Returns
    -------
    The points, and why it was stopped if it was.
    """
    found = {p.density: p for p in known}

    def at(density: float) -> ScanPoint | Status:
        if density not in found:
            result = compete(density, hooks)
            if result.status in (Status.interrupted, Status.timeout):
                return result.status
            assert isinstance(result, CompetitionResult)
            found[density] = point_of(density, result)
            keep(_in_order(found))
        return found[density]

    grid: list[ScanPoint] = []
    for number, density in enumerate(densities):
        hooks.progress(f"density {number + 1} of {len(densities)}")
        point = at(float(density))
        if isinstance(point, Status):
            return _in_order(found), point
        grid.append(point)
    for low, high in pairwise(grid):
        stopped = _close_in(low, high, at, LOOKS)
        if stopped is not None:
            return _in_order(found), stopped
    return _in_order(found), None


def _in_order(found: dict[float, ScanPoint]) -> tuple[ScanPoint, ...]:
    return tuple(found[n] for n in sorted(found))


def point_of(density: float, result: CompetitionResult) -> ScanPoint:
    """What a scan keeps of a competition: the lowest energy of every phase that a candidate ended as."""
    found = lowest((*result.candidates, *result.further))
    energies = {phase: float(row.energy or 0.0) for phase, row in found.items()}
    shifts = {phase: abs(row.size_shift or 0.0) for phase, row in found.items()}
    return ScanPoint(density, result.winner, result.margin, result.numerical_error, result.resolved, energies, shifts)


def _close_in(low: ScanPoint, high: ScanPoint, at: Callable[[float], ScanPoint | Status], looks: int) -> Status | None:
    """Shrink the bracket of a transition; a third phase within it makes two of one."""
    while low.winner != high.winner and looks > 0 and math.log(high.density / low.density) > CLOSE:
        share = min(max(crossing(low, high), 0.15), 0.85)
        middle = at(float(f"{low.density * (high.density / low.density) ** share:.9g}"))
        if isinstance(middle, Status):
            return middle
        looks -= 1
        if middle.winner == low.winner:
            low = middle
        elif middle.winner == high.winner:
            high = middle
        else:
            return _close_in(low, middle, at, looks) or _close_in(middle, high, at, looks)
    return None


def crossing(low: ScanPoint, high: ScanPoint) -> float:
    """Where between two points their winners have equal energies, 0 to 1 in ln n; half-way where one is not known."""
    first, second = lead(low, low.winner, high.winner), lead(high, low.winner, high.winner)
    if first is None or second is None or not first - second > 0:
        return 0.5
    return min(max(first / (first - second), 0.0), 1.0)


def lead(point: ScanPoint, below: str, above: str) -> float | None:
    """(E_above - E_below)/N at a point; None where either does not exist."""
    one, other = point.energies.get(below), point.energies.get(above)
    return None if one is None or other is None else other - one


def transitions(points: Sequence[ScanPoint]) -> Iterator[Transition]:
    """All changes of the winner between neighbouring points."""
    for low, high in pairwise(points):
        if low.winner == high.winner:
            continue
        width = math.log(high.density / low.density)
        share = crossing(low, high)
        density = low.density * math.exp(share * width)
        first, second = lead(low, low.winner, high.winner), lead(high, low.winner, high.winner)
        sizes = (p.shifts.get(q.winner, 0.0) for p, q in ((low, high), (high, low)) if p.shifts)
        doubt = max(low.numerical_error or 0.0, high.numerical_error or 0.0, *sizes)
        if first is None or second is None or not first - second > 0:
            error = width / 2  # no more is known than the bracket
        else:
            # linear interpolation errs by less than a quarter of the bracket; the lead's own error over its slope
            error = math.hypot(width / 4 * min(4 * share * (1 - share), 1.0), doubt * width / (first - second))
        yield Transition(density, density * error, low.winner, high.winner)


def ranges(points: Sequence[ScanPoint], found: Sequence[Transition]) -> tuple[PhaseRange, ...]:
    """The phases by rising density, each with its ends."""
    if not points:
        return ()
    ends = [points[0].density, *(t.density for t in found), points[-1].density]
    names = [points[0].winner, *(t.above for t in found)]
    return tuple(PhaseRange(name, low, high) for name, (low, high) in zip(names, pairwise(ends), strict=True))
