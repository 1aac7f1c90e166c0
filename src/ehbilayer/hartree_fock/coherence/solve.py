"""All starts of a calculation with pairs on one basis: converge each, report the lowest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hartree_fock.coherence.field import Matrices, MeanField
from ehbilayer.hartree_fock.coherence.guesses import start_of
from ehbilayer.hartree_fock.coherence.order import CONDENSED
from ehbilayer.hartree_fock.coherence.pairs import matrices_of
from ehbilayer.hartree_fock.coherence.report import End, report
from ehbilayer.hartree_fock.coherence.scf import converge
from ehbilayer.hartree_fock.coherence.sectors import sectors
from ehbilayer.hartree_fock.coherence.stability import pairing_curvature
from ehbilayer.hartree_fock.result import HartreeFockResult, Stability, StartRow
from ehbilayer.hartree_fock.stationary import Calculation, kept_basis
from ehbilayer.orbitals import Orbitals
from ehbilayer.status import Status
from ehbilayer.torus import Torus

GAIN = 1e-5  # Ha_h, about, by which the energy rises with the momentum that the stiffness is from


def coherent_basis(torus: Torus, basis: PlaneWaveBasis, keep: str) -> PlaneWaveBasis:
    """Complex orbitals in the blocks that hold the symmetry; each wave is one of its own with all translations."""
    if keep == "translations":
        reach = 2 * np.abs(basis.waves).max(axis=0) + 1
        return PlaneWaveBasis(basis.box, basis.waves, np.diag(reach), real=False)
    kept = kept_basis(torus, basis, keep)
    return PlaneWaveBasis(kept.box, kept.waves, kept.supercell, real=False)


def solve_coherent(run: Calculation, initial: Orbitals | None, done: tuple[StartRow, ...] = ()) -> HartreeFockResult:
    """Converge every start with pairs and report the lowest; see `hartree_fock.solver.solve`.

    ``run`` is on the basis of `coherent_basis`; ``done`` are rows of starts of an unfinished calculation, of whose best
    state ``initial`` is.

    Raises InputError for a torus without electrons or holes, and orbitals that do not fit.
    """
    momentum = np.array(run.options.pair_momentum) @ run.torus.box.reciprocal
    mean = MeanField(run.torus, run.basis, sectors(run.torus), run.terms, momentum)
    ends: list[End] = []
    for number in range(run.options.starts):
        run.monitor.start = number + 1
        if done and number < len(done):
            continue
        ends.append(_converge(run, mean, _begin(run, mean, number, initial), number))
        if run.monitor.stopped is not None:
            break
    best = min(ends, key=lambda e: (e.status is not Status.converged, e.energy))
    stiffness = curvature = None
    if best.status is Status.converged and run.options.stability != "none":
        if best.fraction > CONDENSED:
            stiffness = superfluid_stiffness(run, best)
        else:
            curvature = _towards_pairing(best)
    result = report(run, best, [*done, *(e.row for e in ends)], Stability(held=held(run.basis)), stiffness)
    result = replace(result, pairing_curvature=curvature)
    return result if run.monitor.stopped is None else replace(result, status=run.monitor.stopped)


def held(basis: PlaneWaveBasis) -> tuple[str, ...]:
    """By what symmetry a state on this basis is held."""
    return () if basis.cells == 1 else ("translations" if basis.coefficients == 1 else "crystal translations",)


def _towards_pairing(end: End) -> float | None:
    """The lowest curvature of all sectors that could pair; None where one of them is not known."""
    found = [pairing_curvature(end.mean, c, filled) for c, (sector, filled) in enumerate(
        zip(end.mean.sectors, end.found.filled, strict=True)) if sector.paired and np.isnan(filled.mu)]
    known = [x for x in found if x is not None]
    return min(known) if known and len(known) == len(found) else None


def _begin(run: Calculation, mean: MeanField, number: int, initial: Orbitals | None) -> Matrices:
    options = run.options
    if initial is not None and (number == 0 or options.start == "path"):
        return matrices_of(mean, initial)
    name = "crystal" if options.start == "path" else options.start
    return start_of(mean, name, spin_order=options.spin_order, seed=options.seed + number, noise=number > 0)


def _converge(run: Calculation, mean: MeanField, start: Matrices, number: int) -> End:
    options = run.options
    found = converge(mean, start, residual=options.residual_target, max_iterations=options.max_iterations,
                     look=run.monitor)
    status = run.monitor.stopped or (Status.converged if found.converged else Status.not_converged)
    if not np.isfinite(found.field.energy):
        status = Status.not_finite
    return End(options.start, options.seed + number, status, mean, found)


def superfluid_stiffness(run: Calculation, end: End) -> float | None:
    """(1/A) d^2E/dQ^2 at the momentum of a state, the mean of two directions, from states that carry little more; None
    where they do not converge. Ha_h.

    By (E(Q + q) + E(Q - q) - 2 E(Q))/q^2, where E(-q) is E(q) at Q = 0.
    """
    mean, count = end.mean, sum(min(s.counts) * s.channel.degeneracy for s in end.mean.sectors if s.paired)
    mass = sum(mean.torus.species[p].mass for p in mean.sectors[0].channel.components)
    q = np.sqrt(2 * mass * GAIN / count)
    still = not np.any(mean.momentum)
    rises = []
    for direction in np.eye(2):
        moved = [sign * q * direction for sign in ((1,) if still else (1, -1))]
        for more in moved:
            other = MeanField(mean.torus, mean.basis, mean.sectors, run.terms, mean.momentum + more)
            start = tuple(r + 0j for r in end.found.matrices)
            found = converge(other, start, residual=run.options.residual_target,
                             look=lambda *_: run.monitor.poll())
            if not found.converged:
                return None
            rises.append((found.field.energy - end.energy) / len(moved))
    # E(Q +- q) - E(Q) = A stiffness q^2/2 in the mean, in each of two directions
    return float(np.sum(rises)) / q**2 / mean.torus.area
