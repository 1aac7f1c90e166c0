r"""Hartree-Fock at a temperature: occupations of Fermi in the levels of their own mean field.

T = k_B T in Ha_h. The free energy of one-particle density matrices D with eigenvalues f,

    F = E[D] - T S,    S = -sum_c g_c sum_p [f ln f + (1 - f) ln(1 - f)],    sum_p f_p = N_c,

is lowest where f_p = 1/(e^{(e_p - mu_c)/T} + 1) in the Fock levels e_p of D itself (N. D. Mermin, Ann. Phys. 21, 99
(1963)); every determinant keeps its number of particles by its mu_c. Then dF = -S dT - p dA.

From a start, steps to the lowest point between D and the occupations of its field, which lower F (the relaxed
constraints of E. Cances, J. Chem. Phys. 114, 10616 (2001)), then extrapolation of fields such that those of their own
occupations are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.hartree_fock.coherence.field import Field, Matrices, MeanField
from ehbilayer.hartree_fock.coherence.filling import padded
from ehbilayer.hartree_fock.coherence.guesses import density_matrices
from ehbilayer.hartree_fock.coherence.sectors import Sector
from ehbilayer.hartree_fock.coherence.solve import held
from ehbilayer.hartree_fock.observables import gap_of, per_species, report
from ehbilayer.hartree_fock.occupations import fill_levels, pack
from ehbilayer.hartree_fock.order import phase_name
from ehbilayer.hartree_fock.result import HartreeFockResult, Stability, StartRow
from ehbilayer.hartree_fock.spectrum import Levels
from ehbilayer.hartree_fock.stationary import Calculation, End, lowest
from ehbilayer.numerics.extrapolation import Extrapolation
from ehbilayer.numerics.minimize import Minimum
from ehbilayer.orbitals import Guess, Orbitals
from ehbilayer.status import Status
from ehbilayer.terms import Filling

COLDEST = 1e-12  # T over the spread of the levels, below which nothing changes
EMPTY = 1e-13  # occupations of orbitals that are left out
KEPT, PATIENCE = 10, 25  # fields that are extrapolated; extrapolations without a smaller residual
STEPS, MORE, SMALL = 4, 6, 1e-3  # downhill before extrapolation, further ones after it failed; a gain that is small
WORSE = 1e-9  # relative, by which F may lie above that of the steps downhill


@dataclass(frozen=True)
class Occupied:
    """Levels of one determinant's field (K, n), inf for padding, vectors in columns (K, g, n), occupations and mu."""

    levels: np.ndarray
    vectors: np.ndarray
    f: np.ndarray
    mu: float

    @property
    def matrix(self) -> np.ndarray:
        """D (K, g, g)."""
        return np.matmul(self.vectors * self.f[:, None, :], np.conj(np.swapaxes(self.vectors, 1, 2)))


@dataclass(frozen=True)
class Point:
    """Where a start ended: occupations in the levels of ``field``, their own, F, and the largest |dF psi_p| sqrt(f_p)
    of the field's last change (Ha_h)."""

    occupied: tuple[Occupied, ...]
    field: Field
    free: float
    residual: float


def fermi(levels: np.ndarray, count: float, temperature: float) -> tuple[np.ndarray, float]:
    """Occupations of levels (K, n), inf for none, that hold ``count`` particles, and mu."""
    from scipy.optimize import brentq
    from scipy.special import expit

    known = levels[np.isfinite(levels)]
    t = max(temperature, COLDEST * float(np.ptp(known)))

    def of(mu: float) -> np.ndarray:
        return np.asarray(expit(-(levels - mu) / t))

    low, high = float(known.min()), float(known.max())
    while of(low).sum() > count:
        low -= max(t, 1e-6)
    while of(high).sum() < count:
        if count >= known.size:
            return np.isfinite(levels) * 1.0, np.inf  # all of them
        high += 40 * t
    mu = float(brentq(lambda m: of(m).sum() - count, low, high, xtol=1e-15, rtol=1e-15, maxiter=500))
    return of(mu), mu


class Search:
    """One start: steps downhill and extrapolation in turn."""

    def __init__(self, run: Calculation, mean: MeanField) -> None:
        self.run, self.mean, self.temperature = run, mean, run.torus.bilayer.temperature
        self.counts = [s.counts[0] for s in mean.sectors]
        self.weight = np.sqrt(np.array(mean.degeneracy, dtype=float))
        self.count = 0
        self.trace: list[tuple[float, float]] = []

    def occupied(self, fock: Matrices) -> tuple[Occupied, ...]:
        """The occupations of a field."""
        found = []
        for h, count in zip(fock, self.counts, strict=True):
            shifted, top = padded(h, self.mean.basis.mask)
            levels, vectors = np.linalg.eigh(shifted)
            levels = np.where(levels > top, np.inf, levels)
            found.append(Occupied(levels, vectors, *fermi(levels, count, self.temperature)))
        return tuple(found)

    def entropy(self, f: Sequence[np.ndarray]) -> float:
        """S/k_B of all determinants' occupations."""
        return sum(d * entropy_of(x) for d, x in zip(self.mean.degeneracy, f, strict=True))

    def evaluate(self, matrices: Matrices) -> Field:
        """The field of D."""
        self.count += 1
        return self.mean.evaluate(matrices)

    def over(self, free: float, residual: float) -> bool:
        """Tell whoever watches; whether to stop."""
        self.trace.append((free, residual))
        return self.run.monitor(self.count, free, residual) or self.count >= self.run.options.max_iterations

    def down(self, start: Matrices) -> Point:
        """The lowest F that is reached from D."""
        matrices, field, steps = start, self.evaluate(start), STEPS
        while True:
            matrices, field, free = self.downhill(matrices, field, steps)
            end = self.extrapolated(field.fock)
            done = end.residual <= self.run.options.residual_target and end.free < free + WORSE * (1 + abs(free))
            if done or self.run.monitor.stopped is not None or self.count >= self.run.options.max_iterations:
                return end
            steps += MORE
            if end.free < free:
                matrices, field = tuple(o.matrix for o in end.occupied), end.field

    def downhill(self, matrices: Matrices, field: Field, steps: int) -> tuple[Matrices, Field, float]:
        """At least so many steps, until they gain little. E is of second order between two D, -T S is convex."""
        from scipy.optimize import minimize_scalar

        def free_of(d: Matrices, energy: float) -> float:
            return energy - self.temperature * self.entropy([np.linalg.eigvalsh(x) for x in d])

        free, first = free_of(matrices, field.energy), 0.0
        for step in range(10 * steps):
            new = tuple(o.matrix for o in self.occupied(field.fock))
            change = tuple(a - b for a, b in zip(new, matrices, strict=True))
            other = self.evaluate(new)
            slope = sum(d * float(np.vdot(h, x).real) for d, h, x in zip(
                self.mean.degeneracy, field.fock, change, strict=True))
            bend = other.energy - field.energy - slope

            def at(t: float, old: Matrices = matrices, change: Matrices = change, field: Field = field,
                   slope: float = slope, bend: float = bend) -> float:
                moved = tuple(a + t * b for a, b in zip(old, change, strict=True))
                return free_of(moved, field.energy + t * slope + t * t * bend)

            best = min((0.0, free), (1.0, at(1.0)), *(
                (float(x), at(float(x))) for x in [minimize_scalar(at, bounds=(0, 1), method="bounded").x]),
                key=lambda pair: pair[1])
            t, gain = best[0], free - best[1]
            matrices = tuple(a + t * b for a, b in zip(matrices, change, strict=True))
            parts = {name: 0.0 for name in field.parts} | {"mean": field.energy + t * slope + t * t * bend}
            field = Field(parts, tuple(a + t * (b - a) for a, b in zip(field.fock, other.fock, strict=True)))
            free, first = best[1], max(first, gain)
            if (step + 1 >= steps and gain <= SMALL * first) or gain <= 0 or self.over(free, np.sqrt(max(gain, 0.0))):
                break
        return matrices, field, free

    def extrapolated(self, fock: Matrices) -> Point:
        """Pulay's extrapolation of fields; the best point where it stops to converge."""
        next_of, since = Extrapolation(KEPT), 0
        best: Point | None = None
        while True:
            occupied = self.occupied(fock)
            field = self.evaluate(tuple(o.matrix for o in occupied))
            error = tuple(a - b for a, b in zip(field.fock, fock, strict=True))
            residual = max(float(np.sqrt((o.f * np.sum(np.abs(np.matmul(e, o.vectors)) ** 2, axis=1)).max()))
                           for o, e in zip(occupied, error, strict=True))
            free = field.energy - self.temperature * self.entropy([o.f for o in occupied])
            here = Point(occupied, field, free, residual)
            best, since = (here, 0) if best is None or residual < best.residual else (best, since + 1)
            if residual <= self.run.options.residual_target or self.over(free, residual) or since > PATIENCE:
                return best
            fock = next_of(field.fock, np.concatenate([w * e.ravel() for w, e in zip(self.weight, error, strict=True)]))


def entropy_of(f: np.ndarray) -> float:
    """-sum [f ln f + (1 - f) ln(1 - f)]."""
    from scipy.special import entr

    f = np.clip(f, 0.0, 1.0)
    return float(np.sum(entr(f) + entr(1 - f)))


def solve_warm(run: Calculation, begins: Sequence[Guess], done: Sequence[StartRow] = ()) -> HartreeFockResult:
    """The lowest free energy of all starts; ``run`` is on a basis of complex orbitals."""
    torus = run.torus
    sectors = tuple(Sector(c, (c.orbitals,), (c.label,), (i,)) for i, c in enumerate(torus.channels))
    mean = MeanField(torus, run.basis, sectors, run.terms)
    ends, points = [], []
    for number, begin in enumerate(begins):
        run.monitor.start = number + 1
        search = Search(run, mean)
        point = search.down(density_matrices(run.basis, begin))
        ends.append(_end(run, search, point, number))
        points.append(point)
        if run.monitor.stopped is not None:
            break
    best = lowest(ends)
    result = report(run, ends, best=best, stability=Stability(held=held(run.basis)), prior=done)
    return replace(result, **_said(best, points[ends.index(best)], result))


def _end(run: Calculation, search: Search, point: Point, number: int) -> End:
    """Natural orbitals with their occupations; its energy is F."""
    frames, fillings, levels = [], [], []
    for o in point.occupied:
        n = max(1, int((o.f > EMPTY).sum(axis=1).max()))
        frames.append(np.swapaxes(o.vectors, 1, 2)[None, :, :n])
        fillings.append(Filling(np.arange(len(o.f)), np.where(o.f[:, :n] > EMPTY, o.f[:, :n], 0.0)))
        levels.append(Levels(o.levels, o.f, np.swapaxes(o.vectors, 1, 2)))
    converged = point.residual <= run.options.residual_target
    status = run.monitor.stopped or (Status.converged if converged else Status.not_converged)
    here = Minimum(tuple(frames), np.array([point.free]), np.array([point.residual]), np.array([converged]),
                   search.count, search.count, trace=[*search.trace, (point.free, point.residual)])
    end = End(run.options.start, run.options.seed + number, status, here, run.hamiltonian(tuple(fillings)),
              tuple(levels), True, search.count)
    vars(end)["phase"] = _name(run, levels)  # in place of that of the occupations, which heat spreads in a liquid, too
    return end


def _name(run: Calculation, levels: Sequence[Levels]) -> str:
    """The phase of the lowest levels of the field, as many as there are particles."""
    frames, fillings = [], []
    for channel, lv in zip(run.torus.channels, levels, strict=True):
        filling, chosen = pack(fill_levels(lv.energy, channel.orbitals, "integer", 0.0))
        assert lv.vectors is not None
        frames.append(np.array([lv.vectors[k][i] for k, i in zip(filling.blocks, chosen, strict=True)])[None])
        fillings.append(filling)
    setting = run.hamiltonian(tuple(fillings)).setting
    return phase_name(run.torus, Orbitals.of(setting, tuple(frames)))


def _said(end: End, point: Point, result: HartreeFockResult) -> dict[str, Any]:
    """What a temperature adds, and the gaps between the levels that would be filled and empty without it."""
    torus, channels = end.hamiltonian.setting.tori[0], end.hamiltonian.setting.channels
    whole = [Levels(o.levels, fill_levels(o.levels, c.orbitals, "integer", 0.0), None)
             for o, c in zip(point.occupied, channels, strict=True)]
    entropy = [c.degeneracy * entropy_of(o.f) for o, c in zip(point.occupied, channels, strict=True)]
    return {
        "temperature": torus.bilayer.temperature, "free_energy": point.free,
        "free_energy_per_particle": point.free / torus.particles, "aufbau": True,
        "entropy": per_species(torus, lambda i: sum(s for s, c in zip(entropy, channels, strict=True)
                                                     if c.species == i) / torus.species[i].count),
        "chemical_potential": {c.label: o.mu for o, c in zip(point.occupied, channels, strict=True)},
        "gap": per_species(torus, lambda i: gap_of(end, whole, i)),
        "inputs": result.inputs | {"temperature": torus.bilayer.temperature},
    }
