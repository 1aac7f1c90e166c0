"""Minimisers for a few to a few hundred unknowns whose second derivatives are known; they know no physics.

`newton` is a trust-region method that takes every curvature as positive, so that it walks off saddles and converges
quadratically to minima; `quasi_newton` (limited-memory BFGS) costs gradients only and serves far from the minimum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Watch = Callable[[int, float, float], bool]  # iteration, energy, largest gradient -> stop?
FLAT = 1e-13  # curvatures below this part of the largest one count as flat
CLOSE = 1e-5  # residuals below which the nearest stationary point is meant, whatever its curvatures
NOISE = 3e-13  # round-off of an energy, relative: its parts are larger than their sum


class Landscape(Protocol):
    """What is minimised; a point is whatever `move` takes and returns, gradients and steps are vectors (m,)."""

    def evaluate(self, point: Any) -> tuple[float, np.ndarray]:
        """Energy and gradient (m,)."""
        ...

    def hessian(self, point: Any) -> np.ndarray:
        """Second derivatives (m, m)."""
        ...

    def move(self, point: Any, step: np.ndarray) -> Any:
        """The point after a step."""
        ...

    def residual(self, gradient: np.ndarray) -> float:
        """The size of a gradient, in the unit of the target."""
        ...


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a minimisation ended: point, energy, gradient, its size, iterations, and whether it was told to stop."""

    point: Any
    energy: float
    gradient: np.ndarray
    residual: float
    iterations: int
    stopped: bool = False


def newton(landscape: Landscape, point: Any, target: float, *, radius: float, max_iterations: int = 200,
           watch: Watch | None = None) -> Descent:
    """Minimise until the residual is at most ``target``, or no step lowers the energy any more.

    The step solves (|H| + mu) p = -g with mu >= 0 such that |p| <= radius; |H| has the eigenvectors of H and the
    absolute values of its eigenvalues. The radius follows the agreement with the parabola (Nocedal & Wright, Numerical
    Optimization, 2nd ed., chapter 4); steps within round-off of the energy are accepted if the gradient shrinks, or
    if its mean over the step says downhill.
    Residuals below CLOSE take plain Newton steps: |H| would amplify round-off along the negative curvatures of a saddle
    that a symmetric start is meant to stay on.
    """
    energy, gradient = landscape.evaluate(point)
    largest = radius * 4
    for iteration in range(max_iterations):
        size = landscape.residual(gradient)
        stop = watch is not None and watch(iteration, energy, size)
        if stop or size <= target:
            return Descent(point, energy, gradient, size, iteration, stop)
        values, modes = np.linalg.eigh(landscape.hessian(point))
        along = modes.T @ gradient
        if size < CLOSE:
            flat = np.abs(values) < FLAT * np.max(np.abs(values))
            step = np.where(flat, 0.0, -along / np.where(flat, 1.0, values))
            trial = landscape.move(point, modes @ step)
            new_energy, new_gradient = landscape.evaluate(trial)
            if np.linalg.norm(step) <= radius and landscape.residual(new_gradient) < 0.5 * size:
                point, energy, gradient = trial, new_energy, new_gradient
                continue
        while True:
            step = _bounded_step(values, along, radius)
            trial = landscape.move(point, modes @ step)
            new_energy, new_gradient = landscape.evaluate(trial)
            noise = NOISE * max(abs(energy), 1e-300)
            better = landscape.residual(new_gradient) < size or (gradient + new_gradient) @ (modes @ step) < 0
            if new_energy < energy - noise or (new_energy <= energy + noise and better):
                break
            radius = 0.25 * min(radius, float(np.linalg.norm(step)))
            if radius < 1e-13 * largest:
                return Descent(point, energy, gradient, size, iteration)
        predicted = float(along @ step + 0.5 * step @ (values * step))
        agreement = (new_energy - energy) / predicted if predicted < -10 * noise else 1.0
        if agreement < 0.2:
            radius *= 0.5
        elif agreement > 0.7 and np.linalg.norm(step) > 0.9 * radius:
            radius = min(2 * radius, largest)
        point, energy, gradient = trial, new_energy, new_gradient
    return Descent(point, energy, gradient, landscape.residual(gradient), max_iterations)


def _bounded_step(values: np.ndarray, along: np.ndarray, radius: float) -> np.ndarray:
    """-g/(|lambda| + mu) in the eigenvectors' frame, no longer than the radius."""
    stiff = np.maximum(np.abs(values), FLAT * np.max(np.abs(values)))
    step = -along / stiff
    if np.linalg.norm(step) <= radius:
        return step
    low, high = 0.0, float(np.linalg.norm(along)) / radius
    for _ in range(60):
        shift = 0.5 * (low + high)
        low, high = (shift, high) if np.linalg.norm(along / (stiff + shift)) > radius else (low, shift)
    return -along / (stiff + high)


def quasi_newton(landscape: Landscape, point: Any, target: float, *, radius: float, max_iterations: int = 2000,
                 memory: int = 30, watch: Watch | None = None) -> Descent:
    """Limited-memory BFGS (Nocedal, Math. Comput. 35, 773 (1980)) with no component of a step above ``radius``."""
    energy, gradient = landscape.evaluate(point)
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for iteration in range(max_iterations):
        size = landscape.residual(gradient)
        stop = watch is not None and watch(iteration, energy, size)
        if stop or size <= target:
            return Descent(point, energy, gradient, size, iteration, stop)
        direction = _two_loops(pairs, gradient)
        if direction @ gradient >= 0:
            pairs, direction = [], -gradient
        step = direction * min(1.0, radius / float(np.max(np.abs(direction))))
        if not pairs:
            step *= min(1.0, 0.1 * radius / float(np.max(np.abs(step))))
        while True:
            trial = landscape.move(point, step)
            new_energy, new_gradient = landscape.evaluate(trial)
            if new_energy <= energy + 1e-4 * float(step @ gradient) + NOISE * abs(energy):
                break
            step = step * 0.3
            if np.max(np.abs(step)) < 1e-12 * radius:
                return Descent(point, energy, gradient, size, iteration)
        change = new_gradient - gradient
        if change @ step > 0:
            pairs = [*pairs[1 - memory :], (step, change)]
        point, energy, gradient = trial, new_energy, new_gradient
    return Descent(point, energy, gradient, landscape.residual(gradient), max_iterations)


def _two_loops(pairs: list[tuple[np.ndarray, np.ndarray]], gradient: np.ndarray) -> np.ndarray:
    q, weights = gradient, []
    for s, y in reversed(pairs):
        weight = (s @ q) / (s @ y)
        weights.append(weight)
        q = q - weight * y
    if pairs:
        s, y = pairs[-1]
        q = q * ((s @ y) / (y @ y))
    for (s, y), weight in zip(pairs, reversed(weights), strict=True):
        q = q + (weight - (y @ q) / (s @ y)) * s
    return -q
