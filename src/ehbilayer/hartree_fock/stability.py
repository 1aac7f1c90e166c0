"""The curvature of the energy at a stationary state: is it a minimum, and of what?

With orthonormal frames x and tangent directions z of unit norm, E(x + t z) = E + t^2 lambda / 2; the lowest lambda is
found by LOBPCG with Hessian products from central differences of the gradient. Rigid translations cost nothing and
are projected out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.guesses import Guess
from ehbilayer.hartree_fock.transfer import place
from ehbilayer.model import Bilayer
from ehbilayer.numerics.fourier import Fourier
from ehbilayer.numerics.minimize import Frames, orthonormalise, project
from ehbilayer.status import Status
from ehbilayer.terms import Filling, Setting

if TYPE_CHECKING:
    from ehbilayer.hartree_fock.solver import End, Monitor, Options

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
            k = basis.coefficient_k()[setting.fillings[c].blocks][None, :, None, :, axis]
            if basis.real:  # d/dx turns the cosine of a wave into minus its sine
                n = (p.shape[-1] - 1) // 2
                even, odd = p[..., 1 : n + 1], p[..., n + 1 :]
                moved = np.concatenate([0 * p[..., :1], -k[..., 1 : n + 1] * odd, k[..., n + 1 :] * even], axis=-1)
            else:
                moved = 1j * k * p
            mode.append(project(np, p, moved, problem.mixing[c]))
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

    packing, rng = _Packing(x), np.random.default_rng(seed)

    def tangent(v: np.ndarray) -> Frames:
        return tuple(project(np, p, q, m) for p, q, m in zip(x, packing.unpack(v), problem.mixing, strict=True))

    def columns(f: Callable[[np.ndarray], Frames], v: np.ndarray) -> np.ndarray:
        if stop():
            raise Stopped
        v = v.reshape(len(v), -1)
        return np.stack([packing.pack(f(v[:, i])) for i in range(v.shape[1])], axis=1)

    def precondition(v: np.ndarray) -> np.ndarray:
        return columns(lambda u: tangent(packing.pack(problem.precondition(tangent(u)))), v)

    noise = tuple(rng.standard_normal(p.shape) + (1j * rng.standard_normal(p.shape) if np.iscomplexobj(p) else 0.0)
                  for p in x)
    setting = problem.hamiltonian.setting
    if not setting.basis.real:
        noise = tuple(q * setting.basis.mask[f.blocks][None, :, None]
                      for q, f in zip(noise, setting.fillings, strict=True))
    start = np.stack([packing.pack(noise), rng.permutation(packing.pack(noise))], axis=1)
    start = precondition(start)
    if np.linalg.norm(start) < 1e-8:
        return None
    shifts = np.stack([packing.pack(m) for m in translations(problem, x)], axis=1)
    u, size, _ = np.linalg.svd(shifts, full_matrices=False)
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
    frames, fillings = [], []
    for x, filling in zip(end.frames, setting.fillings, strict=True):
        amplitudes = setting.basis.to_waves(np.asarray(x)[0], filling.blocks).reshape(-1, setting.basis.size)
        occupied = filling.flat > 0
        y, new = place(basis, amplitudes[occupied], filling.flat[occupied])
        frames.append(y[None])
        fillings.append(new)
    return basis, tuple(frames), tuple(fillings)


def nothing_known(end: End) -> dict[str, Any]:
    """The stability entry before anything is computed: curvatures None, and what the state is held by."""
    setting = end.hamiltonian.setting
    basis = setting.basis
    held = ["time reversal"] if basis.real else []
    if basis.cells > 1:
        held.append("translations" if basis.coefficients == 1 else "crystal translations")
    if any(np.any((x.f > 0) & (x.f < 1)) for x in setting.fillings):
        held.append("equal filling of a shell")  # not freed by "beyond" either: integer fillings may lie lower
    return {"lowest_curvature": None, "within_kept_symmetry": None, "beyond": None, "minimum": None, "held": held}


@dataclass(frozen=True)
class Probe:
    """A state in one view (its own, or the free box) and its lowest curvature there."""

    problem: EnergyProblem
    frames: Frames
    curvature: Curvature


def probe(end: End, basis: PlaneWaveBasis, frames: Frames, fillings: tuple[Filling, ...], fourier: Fourier,
          eager: bool, monitor: Monitor) -> Probe | None:
    """The lowest curvature in this view; None if nothing can move, or if it is dear and nobody asked for it.

    Raises Stopped when the monitor says so.
    """
    if not eager and 100 * sum(basis.evaluation_seconds(x.f.size) for x in fillings) > AUTO_SECONDS:
        return None
    setting = end.hamiltonian.setting
    problem = EnergyProblem(Hamiltonian(Setting(basis, fourier, setting.bilayers, setting.areas, fillings)))
    curvature = lowest_curvature(problem, frames, stop=monitor.poll)
    return None if curvature is None else Probe(problem, frames, curvature)


def judge(bilayer: Bilayer, ends: list[End], best: End, options: Options, fourier: Fourier, monitor: Monitor) -> End:
    """Say what kind of stationary state ``best`` is; with ``follow`` leave it while that leads down.

    States that are fallen to are added to ``ends``. Returns the last state that lies lower than those before it.
    """
    curve(best, options, fourier, monitor)
    for _ in range(FALLS if options.follow else 0):
        if best.downhill is None or monitor.poll():
            break
        fallen = _fall(bilayer, best, options, fourier, monitor)
        ends.append(fallen)
        if fallen.status is not Status.converged or fallen.energy > best.energy - 1e-12:
            break
        best = fallen
        curve(best, options, fourier, monitor)
    return best


def curve(end: End, options: Options, fourier: Fourier, monitor: Monitor) -> None:
    """Fill in `stability`: the lowest curvature within what the state is held by, and beyond it (the complex free box,
    same spins). A state of the free box that curves downwards within becomes a ``saddle``."""
    found = end.stability = nothing_known(end)
    if options.stability == "none" and not options.follow:
        return
    setting, numpy = end.hamiltonian.setting, Fourier(threads=fourier.threads)
    eager = options.stability == "full" or options.follow
    probes = {}
    try:
        probes["within_kept_symmetry"] = probe(end, setting.basis, end.frames, setting.fillings, numpy, eager, monitor)
        if setting.basis.real or setting.basis.cells > 1:
            probes["beyond"] = probe(end, *free_box(end), numpy, eager, monitor)
    except Stopped:
        return
    known = {name: p for name, p in probes.items() if p is not None}
    found |= {name: p.curvature.value for name, p in known.items()}
    if not known:
        return
    lowest = min(known.values(), key=lambda p: p.curvature.value)
    found["lowest_curvature"] = lowest.curvature.value
    within = found["within_kept_symmetry"]
    found["minimum"] = None if within is None else within > -CURVATURE_ZERO
    if setting.basis.cells == 1 and found["minimum"] is False:
        end.status = Status.saddle
    end.downhill = lowest if lowest.curvature.value < -CURVATURE_ZERO else None


def _fall(bilayer: Bilayer, end: End, options: Options, fourier: Fourier, monitor: Monitor) -> End:
    """Go along the mode to where the energy is lowest, and minimise from there."""
    from ehbilayer.hartree_fock.solver import converge

    lowest = end.downhill
    assert lowest is not None
    size = np.sqrt(sum(x.shape[1] * x.shape[2] for x in lowest.frames))
    trials = [tuple(orthonormalise(np, x + t * size * m) for x, m in zip(lowest.frames, lowest.curvature.mode,
                                                                         strict=True))
              for t in (0.02, 0.05, 0.1, 0.2, 0.4)]
    moved = min(trials, key=lambda x: float(lowest.problem.evaluate(x)[0][0]))
    setting = lowest.problem.hamiltonian.setting
    begin = Guess(tuple(x[0] for x in moved), setting.fillings)
    fallen = converge(bilayer, setting.basis, begin, options, fourier, monitor)
    fallen.label, fallen.seed = "lowest mode of " + end.label, end.seed
    return fallen
