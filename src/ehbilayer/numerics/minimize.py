"""Preconditioned limited-memory BFGS on orthonormal frames, for a batch of independent problems in lockstep.

A point is a tuple of frames x (b, K, n, g): for every batch entry b and block K, n orthonormal rows of length g. It
knows no physics: the problem supplies energy and gradient, a preconditioner and what counts as the residual.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Array = Any
Frames = tuple[Array, ...]


class Problem(Protocol):
    """What is minimised. ``mixing[c]`` (K, n, n) marks pairs of rows between which the energy does change (None: no
    pair does, the energy depends on the spanned space only)."""

    xp: Any
    mixing: tuple[np.ndarray | None, ...]

    def evaluate(self, x: Frames) -> tuple[Array, Frames]:
        """Energy (b,) and dE/dx*; the energy changes by 2 Re <dx, dE/dx*>."""
        ...

    def precondition(self, g: Frames) -> Frames:
        """An approximate inverse Hessian applied to g."""
        ...

    def residual(self, g: Frames) -> Array:
        """The size (b,) of a tangent gradient, in the unit of the requested residual."""
        ...


@dataclass
class Minimum:
    """Where a minimisation ended: frames, energy (b,), residual (b,), whether each entry converged, and the cost."""

    frames: Frames
    energy: np.ndarray
    residual: np.ndarray
    converged: np.ndarray
    iterations: int
    evaluations: int
    stopped: bool = False
    trace: list[tuple[float, float]] = field(default_factory=list)


def inner(a: Frames, b: Frames, xp: Any = np) -> Array:
    """Re <a, b> per batch entry, shape (b,)."""
    return sum(xp.sum((xp.conj(p) * q).real, axis=(1, 2, 3)) for p, q in zip(a, b, strict=True))


def _overlap(xp: Any, a: Array, b: Array) -> Array:
    return xp.matmul(xp.conj(a), xp.swapaxes(b, -1, -2))  # <a_i | b_j>, (b, K, n, n)


def orthonormalise(xp: Any, x: Array) -> Array:
    """Orthonormal rows spanning the same spaces, by Loewdin's symmetric orthonormalisation.

    Of all orthonormal rows these are the closest to x, so that rows keep their meaning from step to step and the
    quasi-Newton history stays valid (Cholesky rotates rows and triples the iterations of a large frame).
    """
    if x.shape[2] == 1:
        return x / xp.sqrt(xp.sum(xp.abs(x) ** 2, axis=-1, keepdims=True))
    values, vectors = xp.linalg.eigh(_overlap(xp, x, x))
    root = xp.matmul(vectors / xp.sqrt(values)[..., None, :], xp.conj(xp.swapaxes(vectors, -1, -2)))
    return xp.matmul(xp.swapaxes(root, -1, -2), x)


def project(xp: Any, x: Array, z: Array, mixing: np.ndarray | None) -> Array:
    """The part of z tangent at x: no change of norms, and no rotation among rows that mixing does not mark."""
    m = _overlap(xp, x, z)
    if mixing is not None:
        m = m - 0.5 * mixing * (m - xp.conj(xp.swapaxes(m, -1, -2)))
    return z - xp.matmul(xp.swapaxes(m, -1, -2), x)


def _column(a: Array) -> Array:
    return a[:, None, None, None]


def _flat(xp: Any, x: Frames) -> Array:
    """All numbers of each batch entry in a row, real and imaginary parts apart, (b, D)."""
    rows = [p.reshape(len(p), -1) for p in x]
    return xp.concatenate([part for p in rows for part in ((p.real, p.imag) if xp.iscomplexobj(p) else (p,))], axis=1)


def _frames(xp: Any, flat: Array, like: Frames) -> Frames:
    """The inverse of `_flat`."""
    found, at = [], 0
    for p in like:
        size, parts = p[0].size, []
        for _ in range(2 if xp.iscomplexobj(p) else 1):
            parts.append(flat[:, at : at + size].reshape(p.shape))
            at += size
        found.append(parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1])
    return tuple(found)


class _History:
    """The last few steps s and gradient changes y of every batch entry, (b, D), and the two-loop recursion."""

    def __init__(self, size: int, xp: Any) -> None:
        self.size, self.xp = size, xp
        self.pairs: list[tuple[Array, Array, Array]] = []

    def push(self, s: Frames, y: Frames, keep: Array) -> None:
        flat_s, flat_y = _flat(self.xp, s), _flat(self.xp, y)
        sy = self._inner(flat_s, flat_y)
        good = keep & (sy > 0)
        self.pairs.append((flat_s, flat_y, self.xp.where(good, 1 / self.xp.where(good, sy, 1.0), 0.0)))
        del self.pairs[: -self.size]

    def _inner(self, a: Array, b: Array) -> Array:
        return self.xp.einsum("bd,bd->b", a, b)

    def forget(self, entries: Array) -> None:
        """Drop the history of some batch entries."""
        self.pairs = [(s, y, self.xp.where(entries, 0.0, rho)) for s, y, rho in self.pairs]

    def direction(self, g: Frames, precondition: Callable[[Frames], Frames]) -> Frames:
        def preconditioned(flat: Array) -> Array:
            return _flat(self.xp, precondition(_frames(self.xp, flat, g)))

        q, alphas = _flat(self.xp, g), []
        for s, y, rho in reversed(self.pairs):
            a = rho * self._inner(s, q)
            alphas.append(a)
            q = q - a[:, None] * y
        q = self._scale(preconditioned)[:, None] * preconditioned(q)
        for (s, y, rho), a in zip(self.pairs, reversed(alphas), strict=True):
            q = q + (a - rho * self._inner(y, q))[:, None] * s
        return _frames(self.xp, -q, g)

    def _scale(self, preconditioned: Callable[[Array], Array]) -> Array:
        """<s, y>/<y, P y> of the newest usable pair of each entry, 1 where there is none."""
        xp = self.xp
        if not self.pairs:
            return np.ones(1)
        y, rho = self.pairs[-1][1:]
        yy = self._inner(y, preconditioned(y))
        return xp.where(rho > 0, 1 / xp.where(rho > 0, rho * yy, 1.0), 1.0)


def minimise(problem: Problem, start: Frames, *, residual: float, max_iterations: int = 1000, memory: int = 20,
             callback: Callable[[int, Array, Array, Frames], bool] | None = None) -> Minimum:
    """Minimise from ``start`` until every entry's residual is at most ``residual``.

    Each iteration evaluates all entries once, each at its own trial step; an entry whose step fails the decrease test
    shortens it while the others move on. Acceptance falls back on the slope where energies drown in round-off.
    ``callback(iteration, energy, residual, frames)`` returning True stops with the present state.
    """
    xp = problem.xp
    x = tuple(orthonormalise(xp, f) for f in start)
    energy, gradient = problem.evaluate(x)
    g = _tangent(problem, x, gradient)
    size = problem.residual(g)
    history = _History(memory, xp)
    z, slope = _descent(problem, history, x, g)
    step = xp.ones_like(energy)
    evaluations, iteration, stopped = 1, 0, False
    trace = [(float(energy[0]), float(size[0]))]
    failures = 0
    for iteration in range(1, max_iterations + 1):
        active = size > residual
        if callback is not None and callback(iteration - 1, energy, size, x):
            stopped = True
            break
        if not bool(xp.any(active)) or failures > 60:
            break
        trial = tuple(orthonormalise(xp, p + _column(step) * q) for p, q in zip(x, z, strict=True))
        new_energy, gradient = problem.evaluate(trial)
        evaluations += 1
        new_g = _tangent(problem, trial, gradient)
        moved = _tangent(problem, trial, z)
        new_slope = 2 * inner(moved, new_g, xp)
        ok = active & _acceptable(xp, energy, new_energy, step, slope, new_slope)
        failures = 0 if bool(xp.any(ok)) else failures + 1
        s = tuple(_column(step) * p for p in moved)
        y = tuple(p - q for p, q in zip(new_g, _tangent(problem, trial, g), strict=True))
        history.push(s, y, ok)
        shorter = _shorter(xp, energy, new_energy, step, slope)
        x = _choose(xp, ok, trial, x)
        g = _choose(xp, ok, new_g, g)
        energy = xp.where(ok, new_energy, energy)
        size = xp.where(ok, problem.residual(new_g), size)
        stuck = ~ok & (shorter < 1e-7)
        history.forget(stuck)
        fresh, fresh_slope = _descent(problem, history, x, g)
        renew = ok | stuck
        z, slope = _choose(xp, renew, fresh, z), xp.where(renew, fresh_slope, slope)
        step = xp.where(renew, 1.0, shorter)
        trace.append((float(energy[0]), float(size[0])))
    return Minimum(x, np.asarray(energy), np.asarray(size), np.asarray(size <= residual), iteration, evaluations,
                   stopped, trace)


def _tangent(problem: Problem, x: Frames, z: Frames) -> Frames:
    return tuple(project(problem.xp, p, q, m) for p, q, m in zip(x, z, problem.mixing, strict=True))


def _choose(xp: Any, which: Array, a: Frames, b: Frames) -> Frames:
    return tuple(xp.where(_column(which), p, q) for p, q in zip(a, b, strict=True))


def _descent(problem: Problem, history: _History, x: Frames, g: Frames) -> tuple[Frames, Array]:
    """The quasi-Newton direction and its slope; entries where it does not descend start over with -P g."""
    xp = problem.xp
    z = _tangent(problem, x, history.direction(g, problem.precondition))
    slope = 2 * inner(z, g, xp)
    bad = ~(slope < 0)
    if bool(xp.any(bad)):
        history.forget(bad)
        plain = _tangent(problem, x, tuple(-p for p in problem.precondition(g)))
        z = _choose(xp, bad, plain, z)
        slope = 2 * inner(z, g, xp)
    return z, slope


def _acceptable(xp: Any, e: Array, new_e: Array, step: Array, slope: Array, new_slope: Array) -> Array:
    """Armijo's decrease or, within round-off of the energy, the approximate Wolfe test on slopes."""
    noise = 1e-13 * xp.maximum(1.0, xp.abs(e))
    armijo = new_e <= e + 1e-4 * step * slope
    wolfe = (new_e <= e + noise) & (new_slope <= -0.9 * slope)
    return xp.isfinite(new_e) & (armijo | wolfe)


def _shorter(xp: Any, e: Array, new_e: Array, step: Array, slope: Array) -> Array:
    """The minimum of a parabola through the data, between 0.1 and 0.5 of the failed step."""
    curvature = new_e - e - step * slope
    guess = -slope * step**2 / xp.where(curvature > 0, 2 * curvature, 1.0)
    guess = xp.where(xp.isfinite(new_e) & (curvature > 0), guess, 0.1 * step)
    return xp.minimum(xp.maximum(guess, 0.1 * step), 0.5 * step)
