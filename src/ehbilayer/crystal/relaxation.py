"""Relaxing a classical crystal: positions, and the shape of the cell at fixed density.

Unknowns are displacements in the plane and the two traceless symmetric strains u, w of the cell: r -> exp(S) r with
S = [[u, w], [w, -u]], which keeps the area exactly. Every step starts from S = 0 anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ehbilayer.crystal.structures import Crystal
from ehbilayer.errors import InputError
from ehbilayer.interaction.lattice_sums.charges import PointCharges
from ehbilayer.interaction.lattice_sums.derivatives import hessian
from ehbilayer.numerics.descent import Descent, newton, quasi_newton
from ehbilayer.status import Status

RELAX = ("none", "positions", "cell")
TOLERANCE = 1e-11  # of forces and stresses, in e^2/a^2 and e^2/a per charge
SUMS = 1e-14  # tolerance of the lattice sums
DIRECT = 40  # charges up to which second derivatives are cheaper than many gradients
NEAR, FAR_STEPS = 1e-2, 300  # forces in e^2/a^2, or iterations, where second derivatives take over in larger cells
# strains by which gradients are differentiated: forward far from the end, centrally where small curvatures count
FORWARD, CENTRAL, FINE = 1e-7, 1e-5, 1e-4  # the last: the residual in e^2/a^2 where that begins

Point = tuple[np.ndarray, np.ndarray]  # cell vectors, positions


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Where a relaxation ended.

    Parameters
    ----------
    crystal : in its reduced cell.
    energy : per cell, Ha_h; every layer with its own background, capacitor energy left out.
    max_force : largest force on a charge, Ha_h/a_h.
    max_stress : largest traceless stress per charge, Ha_h (0 unless the cell relaxes).
    iterations : of all stages.
    converged : forces and stress within the tolerance.
    stopped : the status it was told to stop with, if it was.
    """

    crystal: Crystal
    energy: float
    max_force: float
    max_stress: float
    iterations: int
    converged: bool
    stopped: Status | None = None

    @property
    def energy_per_hole(self) -> float:
        """Energy per hole, per electron where there are no holes, Ha_h."""
        return self.energy / (self.crystal.holes or self.crystal.electrons)


def relax(crystal: Crystal, relax: str = "cell", tolerance: float = TOLERANCE, *, max_iterations: int = 3000,
          should_stop: Callable[[], Status | None] | None = None) -> Relaxed:
    """Minimise the energy from a crystal.

    Symmetries of the start are kept up to round-off: a symmetric saddle stays one (`curvatures` tells).

    Parameters
    ----------
    crystal : the start.
    relax : "cell" for positions and the shape of the cell at fixed density, "positions", or "none".
    tolerance : of each force in units of e^2/a^2, and of the traceless stress per charge in e^2/a; a = 1/sqrt(pi n).
    max_iterations : of all stages together.
    should_stop : asked at every iteration; a status stops.

    Raises
    ------
    InputError : an unknown word for ``relax``, a tolerance not between 0 and 1.
    """
    if relax not in RELAX:
        raise InputError("relax", " | ".join(RELAX), relax, "choose one of these")
    if not 0 < tolerance < 1:
        raise InputError("tolerance", "between 0 and 1", tolerance, "1e-11 is what 64-bit arithmetic can hold")
    landscape = _Landscape(crystal, relax == "cell")
    start: Point = (crystal.vectors, crystal.positions)
    told: list[Status] = []

    def watch(iteration: int, energy: float, residual: float) -> bool:
        status = should_stop() if should_stop is not None else None
        told.extend([status] if status else [])
        return status is not None

    if relax == "none":
        energy, gradient = landscape.evaluate(start)
        end = Descent(start, energy, gradient, landscape.residual(gradient), 0)
    else:
        end = _minimise(landscape, start, tolerance, max_iterations, watch)
    return _finish(crystal, landscape, end, tolerance, told)


def _minimise(landscape: _Landscape, start: Point, tolerance: float, max_iterations: int,
              watch: Callable[[int, float, float], bool]) -> Descent:
    """Gradients only at first in large cells, then second derivatives."""
    before = 0
    if landscape.count > DIRECT:
        far = quasi_newton(landscape, start, max(NEAR, tolerance), radius=0.3 * landscape.length,
                           max_iterations=min(FAR_STEPS, max_iterations), watch=watch)
        if far.stopped:
            return far
        start, before = far.point, far.iterations
    end = newton(landscape, start, tolerance, radius=0.3 * landscape.length * np.sqrt(landscape.count / 3),
                 max_iterations=max(max_iterations - before, 0), watch=watch)
    return Descent(end.point, end.energy, end.gradient, end.residual, end.iterations + before, end.stopped)


def _finish(crystal: Crystal, landscape: _Landscape, end: Descent, tolerance: float, told: list[Status]) -> Relaxed:
    forces, stress = end.gradient[:-2].reshape(-1, 2), end.gradient[-2:] * landscape.scale
    return Relaxed(crystal.moved(*end.point).reduced(), end.energy, float(np.max(np.linalg.norm(forces, axis=1))),
                   float(np.max(np.abs(stress))) / landscape.count, end.iterations, end.residual <= tolerance,
                   told[0] if told else None)


def curvatures(crystal: Crystal, cell: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Second derivatives of the energy per cell at a crystal: values (m,) ascending, Ha_h/a_h^2, and modes (m, n+1, 2).

    Unknowns are all displacements and, with ``cell``, the strains (u, w) times sqrt(area), the last row of a mode. Two
    values are 0, the translations; a crystal at rest with a negative one is a saddle, which rows of the mode leave.
    """
    landscape = _Landscape(crystal, cell)
    matrix = landscape.second_derivatives((crystal.vectors, crystal.positions), CENTRAL, both_sides=True)
    if not cell:
        matrix = matrix[:-2, :-2]
    values, modes = np.linalg.eigh(matrix)
    if not cell:
        modes = np.vstack([modes, np.zeros((2, len(values)))])
    return values, modes.T.reshape(len(values), -1, 2)


def displaced(crystal: Crystal, mode: np.ndarray, amplitude: float) -> Crystal:
    """The crystal moved along a mode of `curvatures`, (n+1, 2), by ``amplitude`` (a_h)."""
    landscape = _Landscape(crystal, True)
    return crystal.moved(*landscape.move((crystal.vectors, crystal.positions), amplitude * mode.ravel()))


class _Landscape:
    """Energy per cell against displacements (2n of them) and strains times ``scale`` = sqrt(area)."""

    def __init__(self, crystal: Crystal, cell: bool) -> None:
        self._charges, self._heights, self._cell = crystal.charges, crystal.heights, cell
        self._medium = crystal.medium
        self.count, self.length, self.scale = len(crystal.species), crystal.length, float(np.sqrt(crystal.area))
        self._sums: tuple[np.ndarray, PointCharges] | None = None
        self._last: tuple[Point, tuple[float, np.ndarray]] | None = None

    def evaluate(self, point: Point) -> tuple[float, np.ndarray]:
        if self._last is None or self._last[0] is not point:
            self._last = point, self._evaluate(point)
        return self._last[1]

    def _evaluate(self, point: Point) -> tuple[float, np.ndarray]:
        vectors, positions = point
        sums = self._sums_of(vectors)
        if not self._cell:
            energy, forces = sums.energy_and_forces(positions)
            return energy, np.append((forces.mean(axis=0) - forces).ravel(), [0.0, 0.0])
        energy, forces, stress = sums.energy_forces_stress(positions)
        strain = np.array([stress[0, 0] - stress[1, 1], stress[0, 1] + stress[1, 0]]) / self.scale
        return energy, np.append((forces.mean(axis=0) - forces).ravel(), strain)

    def _sums_of(self, vectors: np.ndarray) -> PointCharges:
        """The lattice sums of a cell, made ready again only when the cell has changed."""
        if self._sums is None or self._sums[0] is not vectors:
            self._sums = vectors, PointCharges(vectors, self._charges, self._heights, SUMS, self._medium)
        return self._sums[1]

    def hessian(self, point: Point) -> np.ndarray:
        fine = self.residual(self.evaluate(point)[1]) < FINE
        return self.second_derivatives(point, CENTRAL if fine else FORWARD, both_sides=fine)

    def second_derivatives(self, point: Point, strain: float, *, both_sides: bool) -> np.ndarray:
        """The Hessian: of displacements in closed form, of strains by differences of the gradient."""
        n = 2 * self.count
        out = np.eye(n + 2) / self.length**3  # without strains their block only has to be regular
        out[:n, :n] = hessian(*point, self._charges, self._heights, SUMS, self._medium).reshape(n, n)
        if self._cell:
            step, here = strain * self.scale, None if both_sides else self.evaluate(point)[1]
            for c in (n, n + 1):
                along = np.arange(n + 2) == c
                up = self.evaluate(self.move(point, along * step))[1]
                down = self.evaluate(self.move(point, along * -step))[1] if here is None else here
                out[:, c] = (up - down) / (2 * step if both_sides else step)
            out[n:, :n] = out[:n, n:].T
            out[n:, n:] = (out[n:, n:] + out[n:, n:].T) / 2
        return out

    def move(self, point: Point, step: np.ndarray) -> Point:
        vectors, positions = point
        if not self._cell:
            return vectors, positions + step[:-2].reshape(-1, 2)
        u, w = step[-2:] / self.scale
        size = float(np.hypot(u, w))
        ratio = np.sinh(size) / size if size > 0 else 1.0
        strain = np.cosh(size) * np.eye(2) + ratio * np.array([[u, w], [w, -u]])  # exp(S), of determinant 1
        return vectors @ strain.T, positions @ strain.T + step[:-2].reshape(-1, 2)

    def residual(self, gradient: np.ndarray) -> float:
        """The largest force in e^2/a^2, or traceless stress per charge in e^2/a if that is larger."""
        force = float(np.max(np.linalg.norm(gradient[:-2].reshape(-1, 2), axis=1))) * self.length**2
        return max(force, float(np.max(np.abs(gradient[-2:]))) * self.scale / self.count * self.length)
