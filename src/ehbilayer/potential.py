"""An external periodic potential, such as the moire potential of two layers: what each carrier feels of it.

Triangular, with three vectors G_j of length 4 pi/(sqrt(3) p) at 120 degrees to each other and p the period,

    V_a(r) = 2 V_a sum_{j=1..3} cos(G_j r + phi),

after F. Wu, T. Lovorn, E. Tutuc and A. H. MacDonald, Phys. Rev. Lett. 121, 026402 (2018); square, with two vectors of
length 2 pi/p at a right angle, the same sum over two. At the three points of high symmetry of a triangular cell V is
6 V_a cos(phi + 120 s), s = 0, 1, 2 (degrees), whose sum is 0: the negative ones are its minima. With phi = 0 these are
a triangular lattice of wells 6 |V_a| deep for V_a < 0, and a honeycomb of wells 3 V_a deep for V_a > 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.numerics.lattice import Cell, regular_cell
from ehbilayer.units import Scales

CELL_AREA = {"triangular": math.sqrt(0.75), "square": 1.0}  # over the square of the period
FITS = 1e-6  # relative error of a period that fits into a box
ENERGIES = ("depth", "depth_electron", "depth_hole")


@dataclass(frozen=True)
class Potential:
    """V_a(r) of carriers of charge -1 (electrons) and +1 (holes).

    Parameters
    ----------
    period : lattice constant p, a_h.
    depth : V of a charge +1, Ha_h; a charge -1 has -V, as of an electrostatic potential.
    depth_electron, depth_hole : V_a of the carriers of one sign, in place of that.
    phase : phi in degrees.
    lattice : ``triangular`` or ``square``.

    Raises
    ------
    InputError : a period that is not positive, an energy or phase that is not finite, another lattice.
    """

    period: float
    depth: float = 0.0
    depth_electron: float | None = None
    depth_hole: float | None = None
    phase: float = 0.0
    lattice: str = "triangular"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.period) and self.period > 0):
            raise InputError("period", 'a length > 0, such as "8 nm" or a number in a_h', self.period,
                             "give the lattice constant of the potential")
        for name in (*ENERGIES, "phase"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise InputError(name, "a finite number", value, "energies in Ha_h, the phase in degrees")
        if self.lattice not in CELL_AREA:
            raise InputError("lattice", " | ".join(CELL_AREA), self.lattice, "choose one of these")

    @classmethod
    def of(cls, said: Mapping[str, Any], scales: Scales, density: float) -> Potential:
        """As one would say it: lengths and energies with units, and ``filling``, the particles per cell of the
        potential, in place of the period, with their ``density`` (a_h^-2).

        Raises InputError for a name that does not exist, a period that is missing or said twice, and what `Potential`
        refuses.
        """
        known = {"filling", *(f.name for f in fields(cls))}
        unknown = sorted(set(said) - known)
        if unknown:
            raise InputError("potential", f"a table of {', '.join(sorted(known))}", unknown[0], "correct the name")
        given = {k: v for k, v in said.items() if v is not None}
        if ("period" in given) == ("filling" in given):
            raise InputError("period", "given, or the filling from which it follows",
                             "both" if "period" in given else "missing", "give one of them beside the density")
        found: dict[str, Any] = {k: scales.to_atomic(v, "energy", k) if k in ENERGIES else v for k, v in given.items()}
        if "period" in given:
            found["period"] = scales.to_atomic(given["period"], "length", "period")
        else:
            found["period"] = period_of(found.pop("filling"), density, given.get("lattice", "triangular"))
        return cls(**found)

    @property
    def cell_area(self) -> float:
        """Area of its cell, a_h^2."""
        return CELL_AREA[self.lattice] * self.period**2

    @property
    def parameters(self) -> dict[str, Any]:
        """What a result says of it."""
        return asdict(self)

    def amplitude(self, charge: int) -> float:
        """V_a of a carrier of this charge, Ha_h."""
        own = self.depth_electron if charge < 0 else self.depth_hole
        return charge * self.depth if own is None else own

    def cells(self, box: Cell) -> np.ndarray:
        """Its cells in a box: S of box.vectors = S @ (vectors of its cell), integers.

        Raises InputError, with the nearest periods that fit, where it is not commensurate with the box.
        """
        number = box.area / self.cell_area
        nearest = max(1, round(number))
        if abs(nearest - number) < 2 * FITS * number:
            found = regular_cell(box, nearest, self.lattice)
            if found is not None:
                return found
        fits = sorted(n for n in _around(box, number, self.lattice))
        periods = ", ".join(f"{math.sqrt(box.area / (n * CELL_AREA[self.lattice])):.9g} ({n} in the box)" for n in fits)
        raise InputError("period", f"such that whole cells of the {self.lattice} potential fill the box, in a_h the "
                         f"nearest: {periods or 'none, its shape does not allow it'}",
                         f"{self.period:.9g} ({number:.6g} in the box)",
                         "change it, the number of particles or the shape of the box; a filling sets the period")

    def vectors(self, box: Cell) -> np.ndarray:
        """The G_j as integer waves of a box, (3, 2) or (2, 2); of the two choices of three, which differ by their sign,
        that with a vector between 0 and 60 degrees from the first axis. Raises InputError."""
        cell = Cell(np.linalg.inv(self.cells(box)) @ box.vectors)
        steps = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3) if i or j])
        g = steps @ cell.reciprocal
        shortest = np.linalg.norm(g, axis=1) < 1.01 * np.linalg.norm(g, axis=1).min()
        waves = np.rint(steps[shortest] @ self.cells(box).T).astype(int)
        angle = np.degrees(np.arctan2(g[shortest, 1], g[shortest, 0]))
        turning = waves[np.argsort((angle + 1e-6) % 360)]
        return np.asarray(turning[::2] if self.lattice == "triangular" else turning[:2])

    def values(self, box: Cell, charge: int, r: np.ndarray) -> np.ndarray:
        """V(r) of a carrier of this charge at r (..., 2) in a_h; Ha_h, shape (...)."""
        angle = np.asarray(r) @ (self.vectors(box) @ box.reciprocal).T + math.radians(self.phase)
        return np.asarray(2 * self.amplitude(charge) * np.cos(angle).sum(axis=-1))

    def wells(self, box: Cell, charge: int) -> np.ndarray:
        """Its minima in one cell for a carrier of this charge, deepest first, (n, 2) in a_h; one point without depth.
        """
        v, g = self.amplitude(charge), self.vectors(box)[:2] @ box.reciprocal
        if self.lattice == "square":  # the phase moves it
            angle = (math.pi if v > 0 else 0.0) - math.radians(self.phase)
            return np.array([np.linalg.solve(g, np.full(2, angle))])
        turn = 120.0 * np.arange(3)
        energy = 6 * v * np.cos(np.radians(self.phase + turn))
        order = [s for s in np.argsort(np.round(energy, 12), kind="stable") if energy[s] < -1e-9 * abs(v)] or [0]
        return np.array([np.linalg.solve(g, np.radians(np.full(2, turn[s]))) for s in order])


def period_of(filling: float, density: float, lattice: str = "triangular") -> float:
    """The period (a_h) of a potential that holds ``filling`` particles per cell. Raises InputError."""
    if lattice not in CELL_AREA:
        raise InputError("lattice", " | ".join(CELL_AREA), lattice, "choose one of these")
    if not (math.isfinite(filling) and filling > 0 and density > 0):
        raise InputError("filling", "a number of particles per cell of the potential > 0, with a density", filling,
                         "1 is one particle per period")
    return math.sqrt(filling / (density * CELL_AREA[lattice]))


def _around(box: Cell, number: float, lattice: str) -> list[int]:
    """The nearest numbers of cells up and down that fit into a box."""
    found = []
    for start, step in ((math.floor(number), -1), (math.ceil(number) + (number == math.floor(number)), 1)):
        tried = (start + step * i for i in range(60))
        found += [n for n in tried if 1 <= n <= 20_000 and regular_cell(box, n, lattice) is not None][:1]
    return found
