"""All starts of a Hartree-Fock calculation on one basis: converge each, judge the lowest, report all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import STANDARD
from ehbilayer.hartree_fock.coherence.solve import coherent_basis, solve_coherent
from ehbilayer.hartree_fock.guesses import guess, stirred
from ehbilayer.hartree_fock.observables import report
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.result import HartreeFockResult, StartRow
from ehbilayer.hartree_fock.stability import judge
from ehbilayer.hartree_fock.stationary import Calculation, End, Monitor, converge, kept_basis, lowest
from ehbilayer.hartree_fock.warm import solve_warm
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.parallel import one_blas_thread
from ehbilayer.orbitals import Guess, Orbitals
from ehbilayer.status import Status
from ehbilayer.terms import TermOf
from ehbilayer.torus import Torus

NOISE = 0.3  # relative amplitude added to the starts after the first
STOPPED_WAVES = 3000  # a calculation that was stopped leaves out the spectrum of larger bases


@dataclass(frozen=True)
class How:
    """On what a calculation runs, whom it tells, and who ends it.

    backend, threads : ``numpy`` or ``jax``; threads share the pair densities on NumPy.
    progress : told start, starts, iteration, energy, energy_per_particle, residual, target.
    checkpoint : told a result of status interrupted, now and then.
    should_stop : asked every iteration; a Status ends the calculation there, with the state kept.
    terms : of the Hamiltonian, in place of kinetic, direct and exchange.
    """

    backend: str = "numpy"
    threads: int = 2
    progress: Callable[[dict[str, Any]], None] | None = None
    checkpoint: Callable[[HartreeFockResult], None] | None = None
    should_stop: Callable[[], Status | None] | None = None
    terms: tuple[TermOf, ...] = field(default=STANDARD)


def solve_on(torus: Torus, basis: PlaneWaveBasis, options: Options, how: How, *, initial: Orbitals | None = None,
             unfinished: HartreeFockResult | None = None) -> HartreeFockResult:
    """Minimise from every start on this basis and report the lowest state; see `solver.solve`."""
    if not np.allclose(basis.box.vectors, torus.box.vectors, rtol=1e-9, atol=1e-9):
        raise InputError("basis", "waves of the torus' own box", basis.box.vectors.tolist(),
                         "make it with PlaneWaveBasis(torus.box, ..)")
    warm = torus.bilayer.temperature > 0
    work = (coherent_basis if options.pairing or warm else kept_basis)(torus, basis, options.keep)
    for channel in torus.channels:
        if channel.orbitals > work.size:
            raise InputError("plane_waves", f"at least {channel.orbitals} waves (one per {channel.label} orbital)",
                             work.size, "enlarge the basis")
    monitor = Monitor(torus, options, how.progress, how.should_stop)
    run = Calculation(torus, work, options, monitor, Fourier(how.backend, how.threads), how.terms)
    done = [] if unfinished is None else _finished(unfinished)
    if options.pairing:
        with one_blas_thread():
            return solve_coherent(run, initial, tuple(done))
    if warm:
        with one_blas_thread():
            number = len(done)
            begins = [_begin(run, i, initial) for i in range(number, options.starts)] or [_begin(run, 0, initial)]
            return solve_warm(run, begins)
    ends: list[End] = []
    save = how.checkpoint
    if save is not None:
        monitor.save = lambda end: save(report(run, [*ends, end], prior=done, quick=True))
    with one_blas_thread():
        _run(run, initial, done, ends)
        best, stability = lowest(ends), None
        if monitor.stopped is None and best.status is Status.converged:
            ends, best, stability = judge(run, ends)
        stopped = monitor.stopped
        hurry = stopped is not None and work.size > STOPPED_WAVES
        result = report(run, ends, best=best, stability=stability, prior=done, quick=hurry)
    return result if stopped is None else replace(result, status=stopped)


def _finished(unfinished: HartreeFockResult) -> list[StartRow]:
    """The rows of the starts that an unfinished calculation had finished."""
    if unfinished.inputs.get("options", {}).get("starts", 1) == 1:
        return []
    return [row for row in unfinished.starts if row.status is Status.converged]


def _run(run: Calculation, initial: Orbitals | None, done: list[StartRow], ends: list[End]) -> None:
    """Converge every start that is not done into ``ends``; where some are, their best state is evaluated first."""
    seeds = {row.seed for row in done}
    if done:
        assert initial is not None
        ends.append(converge(run, _placed(run, initial)))
    for number in range(run.options.starts):
        if run.options.seed + number in seeds:
            continue
        run.monitor.start = number + 1
        ends.append(converge(run, _begin(run, number, None if done else initial), number))
        if run.monitor.stopped is not None:
            return


def _placed(run: Calculation, initial: Orbitals) -> Guess:
    """Orbitals on this basis; in a free box nothing fills a partly filled shell anew."""
    return initial.on(run.torus, run.basis, whole=run.basis.real and run.options.occupation == "integer")


def _begin(run: Calculation, number: int, initial: Orbitals | None) -> Guess:
    """The guess of start ``number``: the orbitals or phase itself first, then with noise of the seed + number."""
    options = run.options
    seed, noise = options.seed + number, NOISE if number else 0.0
    if initial is not None and (number == 0 or options.start == "path"):
        begin = _placed(run, initial)
        return stirred(run.torus, run.basis, begin, noise, seed) if noise else begin
    start = "crystal" if options.start == "path" else options.start
    return guess(run.torus, run.basis, start, spin_order=options.spin_order, occupation=options.occupation, seed=seed,
                 noise=noise)
