"""Many parameter points in one minimisation: the leading batch axis of every kernel, on NumPy or on a GPU under JAX.

All points share the basis' integers, the channels and the fillings; masses, spacing, area and zero mode may differ.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.guesses import guess
from ehbilayer.hartree_fock.options import Options
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.minimize import Frames, minimise
from ehbilayer.terms import Setting
from ehbilayer.torus import Torus


@dataclass(frozen=True)
class Batch:
    """Energies per particle (b,) in Ha_h, residuals (b,), which points converged, and the work it took.

    ``compile_seconds`` is what the first evaluation took longer than the second: compilation under JAX.
    """

    energy_per_particle: np.ndarray
    residual: np.ndarray
    converged: np.ndarray
    evaluations: int
    compile_seconds: float
    frames: Frames


def solve_batch(tori: Sequence[Torus], basis: PlaneWaveBasis, options: Options, *, backend: str = "numpy",
                threads: int = 1) -> Batch:
    """Minimise every point from the same kind of start, all in lockstep.

    Parameters
    ----------
    tori : one per point, of one shape.
    basis : plane waves and cell; only its integers and its shape matter.
    options : of the guess (start, spin_order, seed, occupation), tolerance and max_iterations; occupations stay as
        guessed.
    backend : ``numpy`` or ``jax``.

    Raises
    ------
    InputError : points with different channels.
    """
    if any(t.channels != tori[0].channels for t in tori):
        raise InputError("tori", "points with the same channels", len(tori),
                         "sort the points by particle counts and spin treatment")
    guesses = [guess(t, PlaneWaveBasis(t.box, basis.waves, basis.supercell, basis.real), options.start,
                     spin_order=options.spin_order, occupation=options.occupation, seed=options.seed) for t in tori]
    fourier = Fourier(backend, threads)
    setting = Setting(basis, fourier, list(tori), guesses[0].fillings)
    start = tuple(fourier.xp.asarray(np.stack([g.frames[c] for g in guesses])) for c in range(len(setting.channels)))
    problem = EnergyProblem(Hamiltonian(setting))
    compile_seconds = _warm(problem, start) if backend == "jax" else 0.0
    end = minimise(problem, start, residual=options.residual_target,
                   max_iterations=options.max_iterations)
    particles = np.array([t.particles for t in tori])
    return Batch(end.energy / particles, end.residual, end.converged, end.evaluations,
                 compile_seconds, end.frames)


def _warm(problem: EnergyProblem, x: Frames) -> float:
    """Evaluate twice; the difference is compilation."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        np.asarray(problem.evaluate(x)[0])
        times.append(time.perf_counter() - start)
    return max(times[0] - times[1], 0.0)
