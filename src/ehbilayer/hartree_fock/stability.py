"""The curvature of the energy at a stationary state: is it a minimum, and of what?

With orthonormal frames x and tangent directions z of unit norm, E(x + t z) = E + t^2 lambda / 2; the lowest lambda is
found by LOBPCG with Hessian products from central differences of the gradient. Rigid translations cost nothing and
are projected out, unless a potential holds the state: then they are modes like others.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.result import Stability
from ehbilayer.hartree_fock.stationary import Calculation, End, converge, lowest
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.minimize import Frames, orthonormalise, project
from ehbilayer.orbitals import Guess
from ehbilayer.status import Status
from ehbilayer.terms import Filling

AUTO_SECONDS = 2.0  # stability = "auto" computes what costs no more than about this
CURVATURE_ZERO = 1e-6  # Ha_h; central differences do not resolve less
FALLS = 3  # saddles that are left in a row
STEP = 1e-4  # of the central difference: truncation error ~ STEP^2, round-off ~ 1e-16 / STEP


class Stopped(Exception):
    """The calculation was asked to stop."""


@dataclass(frozen=True)
class Curvature:
    """The lowest curvature (Ha_h per squared unit rotation), its mode, and the residual it was found to."""

    value: float
    mode: Frames
    residual: float


class _Packing:
    """Frames of one batch entry <-> real vectors."""

    def __init__(self, x: Frames) -> None:
        self.shapes = [p.shape for p in x]
        self.complex = any(np.iscomplexobj(p) for p in x)

    def pack(self, x: Frames) -> np.ndarray:
        flat = np.concatenate([np.asarray(p).ravel() for p in x])
        return np.concatenate([flat.real, flat.imag]) if self.complex else flat

    def unpack(self, v: np.ndarray) -> Frames:
        flat = v[: len(v) // 2] + 1j * v[len(v) // 2 :] if self.complex else v
        out, start = [], 0
        for shape in self.shapes:
            size = int(np.prod(shape))
            out.append(flat[start : start + size].reshape(shape))
            start += size
        return tuple(out)


def translations(problem: EnergyProblem, x: Frames) -> list[Frames]:
    """The two rigid shifts of all orbitals, d/dx and d/dy, as tangent directions."""
    setting = problem.hamiltonian.setting
    basis, modes = setting.basis, []
    for axis in (0, 1):
        mode = []
        for c, p in enumerate(x):
            moved = basis.gradient(setting.split(p, c), setting.fillings[c].blocks, axis)
            mode.append(project(np, p, setting.join(moved, c), problem.mixing[c]))
        modes.append(tuple(mode))
    return modes


def hessian_product(problem: EnergyProblem, x: Frames, z: Frames) -> Frames:
    """d^2 E / dx* dx applied to z: 2 dG/dt along the curve through x in direction z (any length of z)."""
    length = np.sqrt(sum(float(np.sum(np.abs(p) ** 2)) for p in z))
    if length == 0:
        return z
    gradients = []
    for sign in (1, -1):
        moved = tuple(orthonormalise(np, p + sign * STEP / length * q) for p, q in zip(x, z, strict=True))
        g = problem.evaluate(moved)[1]
        gradients.append(tuple(project(np, p, q, m) for p, q, m in zip(moved, g, problem.mixing, strict=True)))
    return tuple(project(np, p, length * (a - b) / STEP, m)
                 for p, a, b, m in zip(x, *gradients, problem.mixing, strict=True))


def lowest_curvature(problem: EnergyProblem, x: Frames, *, seed: int = 0, iterations: int = 30,
                     tolerance: float = 1e-4, stop: Callable[[], bool] = lambda: False) -> Curvature | None:
    """The lowest curvature at x (frames with one batch entry), outside translations; None if nothing can move.

    An upper bound, found to the residual given with it. Raises Stopped when ``stop()`` is true.
    """
    from scipy.sparse.linalg import lobpcg

    packing, rng, setting = _Packing(x), np.random.default_rng(seed), problem.hamiltonian.setting
    # blocks with fewer waves than others are padded, and what stands there means nothing
    there = [setting.basis.mask[f.blocks][None, :, None] for f in setting.fillings]

    def tangent(v: np.ndarray) -> Frames:
        there_alone = (setting.join(setting.split(q, c) * there[c], c) for c, q in enumerate(packing.unpack(v)))
        return tuple(project(np, p, q, m) for p, q, m in zip(x, there_alone, problem.mixing, strict=True))

    def columns(f: Callable[[np.ndarray], Frames], v: np.ndarray) -> np.ndarray:
        if stop():
            raise Stopped
        v = v.reshape(len(v), -1)
        return np.stack([packing.pack(f(v[:, i])) for i in range(v.shape[1])], axis=1)

    def precondition(v: np.ndarray) -> np.ndarray:
        return columns(lambda u: tangent(packing.pack(problem.precondition(tangent(u)))), v)

    noise = tuple(rng.standard_normal(p.shape) + (1j * rng.standard_normal(p.shape) if np.iscomplexobj(p) else 0.0)
                  for p in x)
    start = np.stack([packing.pack(noise), rng.permutation(packing.pack(noise))], axis=1)
    start = precondition(start)
    if np.linalg.norm(start) < 1e-8:
        return None
    shifts = np.zeros((len(start), 0))
    if problem.hamiltonian.uniform:  # else they are modes like others
        u, size, _ = np.linalg.svd(np.stack([packing.pack(m) for m in translations(problem, x)], axis=1),
                                   full_matrices=False)
        shifts = u[:, size > 1e-6 * max(1.0, size.max())]
    start = start - shifts @ (shifts.T @ start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the residual is returned instead
        values, vectors = lobpcg(lambda v: columns(lambda w: hessian_product(problem, x, tangent(w)), v), start,
                                 M=precondition, Y=shifts if shifts.shape[1] else None, largest=False,
                                 tol=tolerance * 0.1, maxiter=iterations)
    best = int(np.argmin(values))
    mode = tangent(vectors[:, best])
    product = hessian_product(problem, x, mode)
    residual = np.linalg.norm(packing.pack(product) - values[best] * packing.pack(mode))
    return Curvature(float(values[best]), mode, float(residual))


def free_box(end: End) -> tuple[PlaneWaveBasis, Frames, tuple[Filling, ...]]:
    """The state as complex orbitals of the whole box: no translations, no time reversal left to hold it."""
    setting = end.hamiltonian.setting
    basis = setting.basis.with_supercell(np.eye(2, dtype=int), real=False)
    guess = end.orbitals.occupied().on(setting.tori[0], basis)
    return basis, tuple(x[None] for x in guess.frames), guess.fillings


def nothing_known(end: End) -> Stability:
    """Before anything is computed: curvatures None, and what the state is held by."""
    setting = end.hamiltonian.setting
    basis = setting.basis
    held = ["time reversal"] if basis.real else []
    if basis.cells > 1:
        held.append("translations" if basis.coefficients == 1 else "crystal translations")
    if any(np.any((x.f > 0) & (x.f < 1)) for x in setting.fillings):
        held.append("equal filling of a shell")  # not freed by "beyond" either: integer fillings may lie lower
    return Stability(held=tuple(held))


@dataclass(frozen=True)
class Probe:
    """A state in one view (its own, or the free box) and its lowest curvature there."""

    problem: EnergyProblem
    frames: Frames
    curvature: Curvature


def probe(run: Calculation, end: End, basis: PlaneWaveBasis, frames: Frames,
          fillings: tuple[Filling, ...]) -> Probe | None:
    """The lowest curvature in this view; None if nothing can move, or if it is dear and nobody asked for it.

    Raises Stopped when the monitor says so.
    """
    eager = run.options.stability == "full" or run.options.follow
    if not eager and 100 * sum(basis.evaluation_seconds(x.f.size) for x in fillings) > AUTO_SECONDS:
        return None
    setting = replace(end.hamiltonian.setting, basis=basis, fourier=Fourier(threads=run.fourier.threads),
                      fillings=fillings)
    problem = EnergyProblem(Hamiltonian(setting, end.hamiltonian.makers))
    curvature = lowest_curvature(problem, frames, stop=run.monitor.poll)
    return None if curvature is None else Probe(problem, frames, curvature)


def judge(run: Calculation, ends: Sequence[End]) -> tuple[list[End], End, Stability]:
    """Say what kind of stationary state the lowest end is; with ``follow`` leave it while that leads down.

    Returns all ends, those that were fallen to added, the last one that lies lower than those before it, and its
    stability.
    """
    found, best = list(ends), lowest(ends)
    place = found.index(best)
    found[place], stability, downhill = curve(run, best)
    best = found[place]
    for _ in range(FALLS if run.options.follow else 0):
        if downhill is None or run.monitor.poll():
            break
        fallen = _fall(run, best, downhill)
        found.append(fallen)
        if fallen.status is not Status.converged or fallen.energy > best.energy - 1e-12:
            break
        found[-1], stability, downhill = curve(run, fallen)
        best = found[-1]
    return found, best, stability


def curve(run: Calculation, end: End) -> tuple[End, Stability, Probe | None]:
    """The end with its stability, and a mode that leads down: the lowest curvature within what the state is held by,
    and beyond it (the complex free box, same spins). A state of the free box that curves downwards within becomes a
    ``saddle``."""
    nothing = nothing_known(end)
    if run.options.stability == "none" and not run.options.follow:
        return end, nothing, None
    setting = end.hamiltonian.setting
    within = beyond = None
    try:
        within = probe(run, end, setting.basis, end.frames, setting.fillings)
        if setting.basis.real or setting.basis.cells > 1:
            beyond = probe(run, end, *free_box(end))
    except Stopped:
        return end, nothing, None
    known = [p for p in (within, beyond) if p is not None]
    if not known:
        return end, nothing, None
    softest = min(known, key=lambda p: p.curvature.value)
    minimum = None if within is None else within.curvature.value > -CURVATURE_ZERO
    if setting.basis.cells == 1 and minimum is False:
        end = replace(end, status=Status.saddle)
    values = [None if p is None else p.curvature.value for p in (within, beyond)]
    stability = Stability(softest.curvature.value, values[0], values[1], minimum, nothing.held)
    return end, stability, softest if softest.curvature.value < -CURVATURE_ZERO else None


def _fall(run: Calculation, end: End, downhill: Probe) -> End:
    """Go along the mode to where the energy is lowest, and minimise from there."""
    size = np.sqrt(sum(x.shape[1] * x.shape[2] for x in downhill.frames))
    trials = [tuple(orthonormalise(np, x + t * size * m) for x, m in zip(downhill.frames, downhill.curvature.mode,
                                                                         strict=True))
              for t in (0.02, 0.05, 0.1, 0.2, 0.4)]
    moved = min(trials, key=lambda x: float(downhill.problem.evaluate(x)[0][0]))
    setting = downhill.problem.hamiltonian.setting
    begin = Guess(tuple(x[0] for x in moved), setting.fillings)
    fallen = converge(replace(run, basis=setting.basis), begin, label="lowest mode of " + end.label)
    return replace(fallen, seed=end.seed)
