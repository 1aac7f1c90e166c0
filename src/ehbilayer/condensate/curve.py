"""Energy against density: where E(n) is concave, which densities coexist, and the density at a chemical potential.

A density inside a Maxwell construction is not a ground state: the system separates into the two densities at its ends,
which have equal chemical potential and pressure. Density 0 is one of the ends where pairs attract each other from
the start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ehbilayer.condensate.pairs import exciton_wave_number, pair_mass, pair_of
from ehbilayer.condensate.radial import Pairs, Solution, find
from ehbilayer.condensate.report import Gas, condensate_fraction
from ehbilayer.condensate.result import Coexistence
from ehbilayer.condensate.torus import lowest
from ehbilayer.errors import InputError
from ehbilayer.model import Bilayer
from ehbilayer.results.base import Variable
from ehbilayer.status import Status

ROUNDS = 40  # of Newton's method
DENSEST = 1e3  # how far a curve is drawn on towards a chemical potential, in its last density


@dataclass(frozen=True)
class Point:
    """A density (a_h^-2), with energy and chemical potential of a pair (Ha_h), dmu/dn (Ha_h a_h^2), fraction, gap."""

    density: float
    energy: float
    chemical_potential: float
    slope: float
    condensate_fraction: float
    max_gap: float

    @property
    def pressure(self) -> float:
        """n mu - E/A in Ha_h/a_h^2."""
        return self.density * (self.chemical_potential - self.energy)


Evaluate = Callable[[float], Point]


def limit_evaluator(pairs: Pairs, tolerance: float) -> Evaluate:
    """Points of the infinite plane, each started from the last one."""
    last: list[Solution] = []

    def evaluate(density: float) -> Point:
        here = pairs.at(density)
        found = find(here, tolerance, last[-1] if last else None)
        _check(found.state.status, density)
        last[:] = [found]
        return _point(found.gas, found.state, density, 1.0)

    return evaluate


def torus_evaluator(gas: Gas, area: float, target: float) -> Evaluate:
    """Points of a torus of fixed area and waves, with any number of pairs, whole or not."""
    last: list[np.ndarray] = []

    def evaluate(density: float) -> Point:
        here = replace(gas, pairs=density * area)
        state = lowest(here, target, last[-1] if last else None)
        _check(state.status, density)
        last[:] = [state.angle]
        return _point(here, state, density, area)

    return evaluate


class UnsolvedError(RuntimeError):
    """A density of the curve did not converge."""


def _check(status: Status, density: float) -> None:
    if status is not Status.converged:
        raise UnsolvedError(f"{status.value} at {density:g} a_h^-2")


def _point(gas: Gas, state: Any, density: float, area: float) -> Point:
    return Point(density, gas.energy(state) / gas.pairs, gas.chemical_potential(state), gas.slope(state) * area,
                 condensate_fraction(gas, state), float(np.max(state.gap)))


def densities(bilayer: Bilayer, flavours: int, count: int) -> np.ndarray:
    """Where to draw E(n), (count,): from far below the density of touching excitons to a plasma that is stable.

    Without pairing or capacitor E/N of the plasma is lowest at k_F = 16 m/(3 pi), m the reduced mass.
    """
    density = pair_of(bilayer)[1].density
    touching = flavours * exciton_wave_number(bilayer) ** 2 / (4 * math.pi)
    plasma = flavours * (16 * pair_mass(bilayer) / (3 * math.pi)) ** 2 / (4 * math.pi)
    low, high = min(touching, plasma) / 100, max(2 * touching, 4 * plasma)
    if density > 0:
        low, high = min(low, density / 4), max(high, 3 * density)
    return np.geomspace(low, high, count)


def coexistences(evaluate: Evaluate, points: Sequence[Point], accuracy: float = 1e-10) -> list[Coexistence]:
    """The Maxwell constructions: where the curve of E/A against n lies above its convex hull.

    points : in the order of density; n = 0 with E = 0 is added. accuracy : of the conditions (Ha_h).
    """
    n = [0.0, *(p.density for p in points)]
    e = [0.0, *(p.density * p.energy for p in points)]
    hull = [0]
    for i in range(1, len(n)):
        while len(hull) > 1 and (e[hull[-1]] - e[hull[-2]]) * (n[i] - n[hull[-2]]) >= \
                (e[i] - e[hull[-2]]) * (n[hull[-1]] - n[hull[-2]]):
            hull.pop()
        hull.append(i)
    found = []
    for a, b in pairwise(hull):
        if b > a + 1 and b < len(n) - 1:  # an edge that reaches the last point may go on beyond it
            found.append(_from_nothing(evaluate, points[b - 1], accuracy) if a == 0 else
                         _common_tangent(evaluate, points[a - 1], points[b - 1], accuracy))
    return found


def _from_nothing(evaluate: Evaluate, high: Point, accuracy: float) -> Coexistence:
    """The density where mu = E/N, the lowest energy per pair: it coexists with none."""
    for _ in range(ROUNDS):
        off = high.chemical_potential - high.energy
        step = -off / (high.slope - off / high.density)
        if abs(off) < accuracy or abs(step) < 1e-7 * high.density:
            break
        high = evaluate(float(high.density + np.clip(step, -0.3 * high.density, 0.3 * high.density)))
    return Coexistence(0.0, high.density, high.energy)


def _common_tangent(evaluate: Evaluate, low: Point, high: Point, accuracy: float) -> Coexistence:
    """Two densities of equal chemical potential and pressure, by Newton's method (dp/dn = n dmu/dn)."""
    for _ in range(ROUNDS):
        off = np.array([low.chemical_potential - high.chemical_potential, low.pressure - high.pressure])
        slopes = np.array([[low.slope, -high.slope], [low.density * low.slope, -high.density * high.slope]])
        step = -np.linalg.solve(slopes, off)
        ratio = np.clip(step / [low.density, high.density], -0.2, 0.2)
        if (abs(off[0]) < accuracy and abs(off[1]) < accuracy * high.density) or np.all(np.abs(ratio) < 1e-7):
            break
        low, high = (evaluate(float(p.density * (1 + r))) for p, r in zip((low, high), ratio, strict=True))
    return Coexistence(low.density, high.density, 0.5 * (low.chemical_potential + high.chemical_potential))


def reaching(evaluate: Evaluate, points: Sequence[Point], chemical_potential: float) -> list[Point]:
    """The points, and denser ones until theirs is above this chemical potential (Ha_h), or they cannot be solved."""
    out = list(points)
    while out[-1].chemical_potential <= chemical_potential and out[-1].density < DENSEST * points[-1].density:
        try:
            out.append(evaluate(1.5 * out[-1].density))
        except UnsolvedError:
            break
    return out


def density_at(evaluate: Evaluate, points: Sequence[Point], chemical_potential: float, first: float) -> float:
    """The density (a_h^-2) of the ground state at a chemical potential of a pair (Ha_h).

    The lowest E/A - mu n among the densities with this mu that are stable against small changes. ``first`` is where the
    first pairs appear: the energy of a lone pair, or the chemical potential at which a density coexists with none.

    Raises
    ------
    InputError : it is below ``first``, where there are no pairs, or above that of the last point.
    """
    if chemical_potential >= points[-1].chemical_potential:
        raise InputError("chemical_potential", f"below {points[-1].chemical_potential:.6g} Ha_h, that of "
                         f"{points[-1].density:.3g} a_h^-2", chemical_potential, "lower it, or give a density")
    best, grand = 0.0, math.inf
    alone = points[0].chemical_potential - points[0].slope * points[0].density
    ends = [Point(0.0, alone, alone, points[0].slope, 1.0, 0.0), *points]
    for low, high in pairwise(ends):
        if chemical_potential > first and low.chemical_potential <= chemical_potential < high.chemical_potential:
            here = _with_potential(evaluate, low, high, chemical_potential)
            value = here.density * (here.energy - chemical_potential)
            if value < grand:
                best, grand = here.density, value
    if best == 0:
        raise InputError("chemical_potential", f"above {first:.8g} Ha_h, where the first pairs appear",
                         chemical_potential, "raise it, or give a density")
    return best


def _with_potential(evaluate: Evaluate, low: Point, high: Point, mu: float) -> Point:
    """The point between two others whose chemical potential is mu: Newton's method inside a bracket."""
    a, b = low.density, high.density
    n = a + (b - a) * (mu - low.chemical_potential) / (high.chemical_potential - low.chemical_potential)
    for _ in range(2 * ROUNDS):
        here = evaluate(n)
        off = here.chemical_potential - mu
        a, b = (n, b) if off < 0 else (a, n)
        step = n - off / here.slope if here.slope > 0 else -1.0
        if abs(off) < 1e-10 * max(1.0, abs(mu)) or abs(step - n) < 1e-8 * n or b - a < 1e-10 * b:
            break
        n = step if a < step < b else 0.5 * (a + b)
    return here


def arrays(points: Sequence[Point]) -> dict[str, Variable]:
    """The curve as arrays over ``curve_density``."""
    told = {"density": ("a_h^-2", "pairs per area"), "energy": ("Ha_h", "energy per pair"),
            "chemical_potential": ("Ha_h", "of a pair"), "slope": ("Ha_h a_h^2", "dmu/dn"),
            "condensate_fraction": ("1", "sum |u v|^2 / N"), "max_gap": ("Ha_h", "largest D_k")}
    return {f"curve_{name}": Variable(("curve_density",), np.array([getattr(p, name) for p in points]), unit, what)
            for name, (unit, what) in told.items()}


def separates(found: Sequence[Coexistence], density: float) -> bool:
    """Whether a density (a_h^-2) lies between two that coexist."""
    return any(c.low < density < c.high for c in found)
