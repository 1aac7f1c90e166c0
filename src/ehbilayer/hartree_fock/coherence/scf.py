"""Self-consistency: the determinant of its own mean field, downhill from a start.

First steps are those to the determinant of the field H - b R, with filled levels shifted down by b: the larger b the
shorter they are, and short ones lower the energy (Cances and Le Bris, M2AN 34, 749 (2000)) and stay in the valley that
they begin in. Near the end fields are extrapolated such that their commutators with the states vanish (Pulay,
J. Comput. Chem. 3, 556 (1982)); where that leads up, there are more short steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.hartree_fock.coherence.field import Field, Matrices, MeanField
from ehbilayer.hartree_fock.coherence.filling import Filled, Filler
from ehbilayer.numerics.extrapolation import Extrapolation

NEAR, FAR = 0.15, 0.35  # sizes of steps over the root of the particles: fields are extrapolated, steps are too long
LEAST = 5  # further short steps after extrapolation has failed
STIFFEST = 1e4  # largest shift over the energy of a particle
KEPT = 10  # fields that are
WORSE = 1e-10  # Ha_h, by which the energy may rise meanwhile, beside what is left to gain
GAINS = 4.0  # of the residual squared over the energy of a particle, by which energies may lie above the lowest one
PATIENCE = 25  # extrapolations without a smaller residual
ROUNDS = 6  # fillings that are tried


@dataclass(frozen=True)
class Converged:
    """Where it ended: the determinant of every sector with its field, and how good that is.

    residual : |(1 - R) H R|, all blocks together, Ha_h; its square over the gap is the error of the energy.
    aufbau : whether the filled levels are the lowest.
    """

    filled: tuple[Filled, ...]
    field: Field
    residual: float
    iterations: int
    converged: bool
    aufbau: bool
    trace: tuple[tuple[float, float], ...]

    @property
    def matrices(self) -> Matrices:
        """R' of every sector."""
        return tuple(f.matrix for f in self.filled)


def converge(mean: MeanField, start: Matrices, *, residual: float, max_iterations: int = 500,
             look: Callable[[int, float, float], bool] = lambda *_: False) -> Converged:
    """The determinant downhill from ``start`` (R' of each sector).

    ``residual`` (Ha_h) is where to stop; ``look(iteration, energy, residual)`` returning True stops at once. Levels
    of each block are filled as they first were until that converges; then the lowest ones, and again.
    """
    fillers = [Filler(mean, c, x) for c, x in enumerate(start)]
    run = _Run(mean, fillers, residual, max_iterations, look)
    best = run.down(start)
    for _ in range(ROUNDS):
        if best.aufbau or not best.converged:
            break
        for filler, filled in zip(fillers, best.filled, strict=True):
            filler.refill(filled)
        end = run.down(best.matrices)
        if not end.field.energy < best.field.energy - WORSE:
            break  # round in a circle
        best = end
    return best


class _Run:
    def __init__(self, mean: MeanField, fillers: Sequence[Filler], residual: float, most: int,
                 look: Callable[[int, float, float], bool]) -> None:
        self.mean, self.fillers, self.target, self.most, self.look = mean, fillers, residual, most, look
        self.count, self.stopped, self.unit = 0, False, 0.0
        self.trace: list[tuple[float, float]] = []
        self.weight = np.sqrt(np.array(mean.degeneracy, dtype=float))
        self.size = np.sqrt(sum(d * sum(s.counts) for d, s in zip(mean.degeneracy, mean.sectors, strict=True)))

    def evaluate(self, matrices: Matrices) -> Field:
        self.count += 1
        return self.mean.evaluate(matrices)

    def fill(self, fock: Matrices) -> tuple[Filled, ...]:
        return tuple(filler(f, near=True) for filler, f in zip(self.fillers, fock, strict=True))

    def over(self, energy: float, residual: float) -> bool:
        self.trace.append((energy, residual))
        self.stopped = self.stopped or self.look(self.count, energy, residual)
        return self.stopped or self.count >= self.most

    def down(self, start: Matrices) -> Converged:
        """Short steps and extrapolation in turn until converged; never up."""
        r, field, least = start, self.evaluate(start), 0
        self.unit = abs(field.energy) / self.size**2
        while True:
            r, field, filled = self.short(r, field, least)
            end, low, lowest = self.extrapolated(filled)
            if lowest.energy < field.energy:  # perhaps on the way
                r, field = low, lowest
            if self.stopped or self.count >= self.most or (end.converged and end.field.energy < field.energy + WORSE):
                return end
            least += LEAST

    def short(self, r: Matrices, field: Field, least: int) -> tuple[Matrices, Field, tuple[Filled, ...]]:
        """Steps downhill with levels shifted, at least so many, until they are short without."""
        unit, done = self.unit, 0
        shift = unit
        while True:
            filled = self.fill(field.fock)
            if (self.moved(filled, r) < NEAR and done >= least) or self.over(field.energy, self.residual(
                    r, field.fock)[1]):
                return r, field, filled
            shift = 0.25 * shift
            while True:
                trial = self.fill(tuple(h - shift * x for h, x in zip(field.fock, r, strict=True)))
                if self.moved(trial, r) < FAR:
                    new = self.evaluate(tuple(f.matrix for f in trial))
                    if new.energy <= field.energy + 1e-13 * abs(field.energy):
                        break
                shift = 2 * shift
                if shift > STIFFEST * unit:
                    return r, field, filled
            r, field, done = tuple(f.matrix for f in trial), new, done + 1

    def moved(self, filled: tuple[Filled, ...], r: Matrices) -> float:
        """|R_new - R| over the root of the particles."""
        step = tuple(f.matrix - old for f, old in zip(filled, r, strict=True))
        return float(np.linalg.norm(self.flat(step))) / self.size

    def extrapolated(self, filled: tuple[Filled, ...]) -> tuple[Converged, Matrices, Field]:
        """Pulay's extrapolation; the best state where it stops to converge, and the lowest one that it came by."""
        next_of, best, since = Extrapolation(KEPT), None, 0
        low, lowest = None, None
        while True:
            r = tuple(f.matrix for f in filled)
            field = self.evaluate(r)
            error, residual = self.residual(r, field.fock)
            here = Converged(filled, field, residual, self.count, residual <= self.target, False, ())
            if best is None or residual < best.residual:
                best, since = here, 0
            if low is None or lowest is None or field.energy < lowest.energy:
                low, lowest = r, field
            since += 1
            # what a residual is over a gap may still be gained: above that it leads to a higher stationary state
            lost = field.energy - lowest.energy > GAINS * residual**2 / self.unit + WORSE
            if residual <= self.target or self.over(field.energy, residual) or since > PATIENCE or lost:
                self.trace.append((best.field.energy, best.residual))
                return self.finished(best), low, lowest
            filled = self.fill(next_of(field.fock, error))

    def residual(self, r: Matrices, fock: Matrices) -> tuple[np.ndarray, float]:
        """[H - mu S/2, R] with the mu that makes it smallest, and its size."""
        found = []
        for c, (x, h) in enumerate(zip(r, fock, strict=True)):
            full, i = x.copy(), np.arange(x.shape[-1])
            full[:, i, i] += self.mean.sea(c)
            a = np.matmul(h, full)
            a = a - np.conj(np.swapaxes(a, 1, 2))
            if self.mean.sectors[c].paired:
                g = self.mean.basis.coefficients
                sign = np.where(i < g, 1.0, -1.0)
                s = (sign[:, None] - sign[None]) * full
                norm = float(np.vdot(s, s).real)
                if norm > 1e-20:
                    a = a - float(np.vdot(s, a).real) / norm * s
            found.append(a)
        error = self.flat(tuple(found))
        return error, float(np.linalg.norm(error)) / np.sqrt(2)

    def flat(self, matrices: Matrices) -> np.ndarray:
        """All numbers in a row, sectors weighted by their flavours."""
        return np.concatenate([w * m.ravel() for w, m in zip(self.weight, matrices, strict=True)])

    def finished(self, best: Converged) -> Converged:
        """With the levels of its own field, in the determinant's place where they are the same."""
        filled, aufbau = [], True
        for filler, old, fock in zip(self.fillers, best.filled, best.field.fock, strict=True):
            new = filler(fock)
            aufbau = aufbau and filler.lowest(new)
            filled.append(Filled(old.matrix, new.mu, new.levels, new.vectors, new.occupied))
        return Converged(tuple(filled), best.field, best.residual, self.count, best.converged, aufbau,
                         tuple(self.trace))
