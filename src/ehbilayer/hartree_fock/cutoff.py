"""Plane-wave cutoffs from a requested energy tolerance: enlarge the disk of waves until the energy stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import disk_waves
from ehbilayer.hartree_fock.observables import gaps_of
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.result import HartreeFockResult
from ehbilayer.hartree_fock.starts import How, solve_on
from ehbilayer.hartree_fock.stationary import Calculation, Monitor, kept_basis
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.memory import fits
from ehbilayer.orbitals import Orbitals
from ehbilayer.status import Status
from ehbilayer.torus import Torus

GROWTH = 1.2  # of the largest wave number per round; cutoff errors fall about tenfold with it
MOST_WAVES = 40_000
FALL = 3.0  # by which errors fall at least from round to round
ROUGHER, ROUGH = 100.0, 1000.0  # tolerance of the solver while waves grow, over that at the end or of the waves
SLOWEST = 0.7  # ratio of successive changes that a geometric series is trusted with
WARM = 60  # iterations at a temperature, where first steps are large
RING = 1.4  # between the radii of the rings of waves whose kinetic energies are compared
GAP_TAIL = 8.0  # gaps move by this much of the kinetic energy per particle that a basis lacks, or by less


def solve_to_tolerance(torus: Torus, basis: PlaneWaveBasis, options: Options, how: How, *,
                       initial: Orbitals | None = None,
                       unfinished: HartreeFockResult | None = None) -> HartreeFockResult:
    """`starts.solve_on` growing bases, each started from the last, until the energy per particle moves by less
    than ``options.basis_tolerance`` (Ha_h).

    ``basis`` is where to begin. All starts run there, with all fillings; the best one alone goes on, in its filling and
    loosely converged until the waves suffice. ``basis_error`` is the last change, which bounds what is left as errors
    fall about tenfold from round to round, or more where the waves grew by less (`_beyond`). Where MOST_WAVES or the
    memory would be passed, it is what is left by the geometric series of the changes, and the status not_converged if
    that is more than the tolerance. ``gap_error`` has the last change of the gaps in it.
    """
    assert options.basis_tolerance is not None
    rough = replace(options, basis_tolerance=None, stability="none", spectrum=False, follow=False)
    # where the waves grow energies of one filling alone matter, and their error is of second order in the residual
    enough = min(max(ROUGHER * options.tolerance, ROUGH * options.basis_tolerance), 0.5)
    alone = replace(rough, starts=1, tolerance=enough, refill="none")
    if options.starts == 1:
        rough = replace(alone, refill=options.refill)
    growing = unfinished is not None and bool(unfinished.inputs.get("growing"))
    rows = unfinished.starts if growing and unfinished is not None else ()

    def solve_here(run: Options, start: Orbitals | None, growing: bool,
                   unfinished: HartreeFockResult | None = None) -> HartreeFockResult:
        def labelled(result: HartreeFockResult) -> HartreeFockResult:
            inputs = result.inputs | {"growing": growing, "options": result.inputs["options"] | {
                **{key: getattr(options, key) for key in (
                    "starts", "basis_tolerance", "stability", "tolerance", "refill")}}}
            return replace(result, inputs=inputs, starts=rows if growing and rows else result.starts)

        save = how.checkpoint
        here = how if save is None else replace(how, checkpoint=lambda result: save(labelled(result)))
        return labelled(solve_on(torus, basis, run, here, initial=start, unfinished=unfinished))

    # with its levels, so that an insulator that is none is filled anew before the waves are many
    begin = alone if growing else replace(rough, spectrum=True, bands=False)
    result = solve_here(begin, initial, growing, None if growing else unfinished)
    iterations, rows, poorer = result.iterations, rows or result.starts, None
    changes: list[float] = []
    cutoff = float(np.linalg.norm(basis.waves @ basis.box.reciprocal, axis=1).max())
    error = np.inf
    while result.status is Status.converged and error > options.basis_tolerance:
        cutoff *= GROWTH
        more = np.pi * cutoff**2 * basis.box.area / (4 * np.pi**2)
        if more > MOST_WAVES or not fits(basis.estimate(torus)["memory_bytes"] * more / basis.size):
            error = _left(changes)
            break
        poorer = basis, result
        basis = PlaneWaveBasis(basis.box, disk_waves(basis.box, cutoff), basis.supercell, basis.real)
        result = solve_here(alone, result.orbitals, True)
        iterations += result.iterations
        changes.append(abs(result.energy_unconverged() - poorer[1].energy_unconverged()) / torus.particles)
        error = changes[-1] * _beyond(basis.size / poorer[0].size)
    if result.status is Status.converged:  # one more evaluation, with everything that is read off the state
        last = replace(options, basis_tolerance=None, starts=1, refill="down")  # the first waves had all fillings
        result = solve_here(last, result.orbitals, True)
        if poorer is not None and not options.pairing:
            result = replace(result, gap_error=_gap_error(torus, poorer[0], poorer[1].orbitals, options, how, result))
        if error > options.basis_tolerance:
            result = replace(result, status=Status.not_converged)
    return replace(result, iterations=iterations, basis_error=error if np.isfinite(error) else None)


def _beyond(growth: float) -> float:
    """What is left over the last change, at least 1: errors fall threefold or more where waves grow by GROWTH^2, and by
    less in a small box, whose waves come in shells."""
    fall = FALL ** (-np.log(max(growth, 1.01)) / np.log(GROWTH**2))
    return max(1.0, float(fall / (1 - fall)))


def _left(changes: Sequence[float]) -> float:
    """What further bases would still change, where the last changes fall geometrically; infinite with fewer than two.
    """
    if len(changes) < 2:
        return changes[-1] / (1 - SLOWEST) if changes else np.inf
    ratio = min(changes[-1] / changes[-2] if changes[-2] > 0 else 0.0, SLOWEST)
    return changes[-1] * ratio / (1 - ratio)


def _gap_error(torus: Torus, basis: PlaneWaveBasis, orbitals: Orbitals, options: Options, how: How,
               result: HartreeFockResult) -> float | None:
    """The gap's error with the basis in it: by how much gaps changed with the last basis."""
    run = Calculation(torus, kept_basis(torus, basis, options.keep), options, Monitor(torus, options),
                      Fourier(how.backend, how.threads), how.terms)
    before = gaps_of(run, orbitals)
    known = [(gap, before[name]) for name, gap in result.gap.items()]
    moved = [abs(now - was) for now, was in known if now is not None and was is not None]
    return None if result.gap_error is None else result.gap_error + max(moved, default=0.0)


def gap_tail(torus: Torus, result: HartreeFockResult) -> float:
    """What the waves that a basis lacks may change in a gap (Ha_h), from n(k) at its edge, at no cost.

        8 max_a max( n(k_c) k_c^2/2m,  T_1 q/(1 - q) ),   q = T_1/T_2 <= 0.7,   k_c^2 = 4 pi M/A

    n is per flavour, T_1 and T_2 the kinetic energy per particle in the rings k > k_c/1.4 and k_c/1.96 < k < k_c/1.4.
    Levels follow the density, as the exchange hole does, so they lack what the state lacks; the factor is an experience
    (`tests/test_error_bars.py` counts).
    """
    if result.kept_symmetry == "translations":
        return 0.0  # plane waves lack nothing
    k = result.orbitals.waves @ torus.box.reciprocal
    length, edge = np.linalg.norm(k, axis=1), float(np.sqrt(4 * np.pi * len(k) / torus.area))
    most = 0.0
    for s in torus.species:
        if not s.count:
            continue
        n = result.orbitals.momentum(s.name)
        energy = s.kinetic(k) * n
        last, before = (float(energy[(length > edge / RING**i) & (length <= top)].sum()) / s.count
                        for i, top in ((1, np.inf), (2, edge / RING)))
        fall = min(last / before, SLOWEST) if before > 0 else SLOWEST
        outermost = float(energy[length > 0.95 * edge].max(initial=0.0)) / s.occupied_flavours
        most = max(most, last * fall / (1 - fall), outermost)
    return GAP_TAIL * most


def basis_error(torus: Torus, basis: PlaneWaveBasis, result: HartreeFockResult, *, growth: float = 1.6,
                iterations: int = 15, threads: int = 1, pairing: bool = False, keep: str = "none") -> float:
    """How much energy (Ha_h, >= 0) a state gains in a few iterations on a basis that reaches ``growth`` times as far.

    It comes short of the whole error of the basis by what further iterations and waves would still gain: a third for
    a poor basis, less for a good one.

    Parameters
    ----------
    torus, basis : as the state was computed with.
    result : on that basis.   pairing, keep : with which it was computed, see `Options`.
    """
    cutoff = growth * float(np.linalg.norm(basis.waves @ basis.box.reciprocal, axis=1).max())
    present = {tuple(w) for w in basis.waves.tolist()}
    more = [w for w in disk_waves(basis.box, cutoff).tolist() if tuple(w) not in present]
    larger = PlaneWaveBasis(basis.box, np.array([*basis.waves.tolist(), *more]), basis.supercell, basis.real)
    warm = result.free_energy is not None
    options = Options(start="path", occupation=result.occupation, tolerance=1e-8, stability="none",
                      max_iterations=WARM if warm else iterations, spectrum=False, pairing=pairing,
                      keep=keep if pairing or warm else "none")
    better = solve_on(torus, larger, options, How(threads=threads), initial=result.orbitals)
    if result.free_energy is not None and better.free_energy is not None:
        return max(result.free_energy - better.free_energy, 0.0)
    return max(result.total_energy - better.energy_unconverged(), 0.0)
