"""The homogeneous exciton condensate: Hartree-Fock-Bogoliubov on any set of wave vectors.

|Omega> = prod_k (cos theta_k + sin theta_k a+_k b+_-k)|0>, with n_k = sin^2 theta_k, F_k = sin 2theta_k / 2 and, with
X_k = sum_k' V0(k-k') n_k' and D_k = sum_k' V1(k-k') F_k',

    E = sum_k (k^2/2m) n_k - sum_k n_k X_k - sum_k F_k D_k,        1/m = 1/m_e + 1/m_h

(Nashabeh and Fu, arXiv (2026), Supplemental Material). A stationary state at fixed number of pairs has
tan 2theta_k = D_k/xi_k with xi_k = k^2/4m - X_k - mu/2; mu, the chemical potential of a pair, is the multiplier. Steps:
`fill` (theta from the fields), `minimise` (self-consistency, then Newton), `chemical_slope` (dmu/dN).

Which wave vectors there are, and how the two convolutions are done, is a `WaveVectors`: those of a torus
(`torus`) or of the infinite plane (`mesh`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ehbilayer.status import Status

NEWTON_BELOW = 0.3  # of the largest field: residuals at which Newton's method takes over
INNER = 60  # conjugate-gradient steps of one Newton step, at most


class WaveVectors(Protocol):
    """Wave vectors k with weights w: sum_k f_k stands for sum(w * f)."""

    weights: np.ndarray  # (M,)
    kinetic: np.ndarray  # (M,) k^2/2m in Ha_h, of electron and hole together

    def fields(self, occupation: np.ndarray, amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(X_k, D_k) in Ha_h from n_k and F_k, all (M,); linear and symmetric under the weights.

        X_k is the mean of both layers, which is what a balanced state feels.
        """

    def apart(self, occupation: np.ndarray) -> np.ndarray:
        """(X^h_k - X^e_k)/2 in Ha_h from n_k, by how much exchange differs between the layers; both (M,)."""


@dataclass(frozen=True, eq=False)
class PairState:
    """A state of the ansatz and how it was reached.

    angle : theta_k (M,), between 0 and pi/2. exchange, gap : X_k and D_k (M,), Ha_h.
    chemical_potential : of a pair (Ha_h), the Lagrange multiplier. energy : E (Ha_h, or per area with such weights).
    residual : sqrt(sum (dE/dtheta_k)^2 / N) at fixed N, Ha_h. iterations : evaluations of the fields.
    """

    angle: np.ndarray
    exchange: np.ndarray
    gap: np.ndarray
    chemical_potential: float
    energy: float
    residual: float
    iterations: int
    status: Status

    @property
    def occupation(self) -> np.ndarray:
        """n_k (M,)."""
        return np.sin(self.angle) ** 2

    @property
    def amplitude(self) -> np.ndarray:
        """F_k (M,)."""
        return 0.5 * np.sin(2 * self.angle)


def _occupation(xi: np.ndarray, gap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """n = (1 - xi/E)/2 without cancellation, and E = hypot(xi, gap)."""
    e = np.hypot(xi, gap)
    safe = np.maximum(e, 1e-300)
    small = gap / safe * (gap / (safe + np.abs(xi) + 1e-300)) / 2  # the smaller of n and 1 - n
    return np.where(xi > 0, small, 1 - small), safe


def fill(xi: np.ndarray, gap: np.ndarray, weights: np.ndarray, count: float) -> tuple[np.ndarray, float]:
    """Angles theta_k with tan 2theta = gap/(xi - shift), the shift chosen such that sum(w n) = count.

    Parameters: xi, gap, weights of shape (M,), gap >= 0, 0 < count < sum(w). Returns (theta (M,), shift).
    Newton's method on ln N, which grows with the shift, inside a bracket.
    """
    width = float(np.max(gap)) + float(np.ptp(xi)) + 1e-12
    low, high = float(np.min(xi)) - width, float(np.max(xi)) + width
    while _number(xi - low, gap, weights)[0] > count:
        low -= 2 * (high - low)
    while _number(xi - high, gap, weights)[0] < count:
        high += 2 * (high - low)
    shift = float(np.clip(0.0, low, high))
    for _ in range(200):
        number, slope = _number(xi - shift, gap, weights)
        if number > count:
            high = shift
        else:
            low = shift
        if abs(number - count) <= 4e-15 * count or high - low <= 4e-16 * max(abs(low), abs(high)):
            break
        step = shift - number * np.log(number / count) / slope if number > 0 and slope > 0 else np.inf
        shift = float(step) if low < step < high else 0.5 * (low + high)
    return 0.5 * np.arctan2(gap, xi - shift), shift


def _number(xi: np.ndarray, gap: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """sum(w n) and its derivative by the shift, sum(w gap^2 / 2E^3)."""
    n, e = _occupation(xi, gap)
    return float(weights @ n), float(weights @ ((gap / e) ** 2 / (2 * e)))


class _Point:
    """A state with its fields, energy, chemical potential and gradient; everything a step needs."""

    def __init__(self, kset: WaveVectors, angle: np.ndarray, mu: float) -> None:
        w = kset.weights
        self.angle, self.s, self.c = angle, np.sin(2 * angle), np.cos(2 * angle)
        n, f = np.sin(angle) ** 2, 0.5 * self.s
        self.exchange, self.gap = kset.fields(n, f)
        self.energy = float(w @ (n * (kset.kinetic - self.exchange) - f * self.gap))
        self.xi = kset.kinetic / 2 - self.exchange  # without mu
        bare = 2 * (self.xi * self.s - self.gap * self.c)
        self.weight = float(w @ self.s**2)
        # mu takes what it can off the gradient; where no k is in a superposition it cannot
        self.mu = float(w @ (self.s * bare)) / self.weight if self.weight > 1e-200 else mu
        self.gradient = bare - self.mu * self.s
        self.number = float(w @ n)
        self.residual = float(np.sqrt(w @ self.gradient**2 / max(self.number, 1e-300)))
        self.curvature = 4 * ((self.xi - self.mu / 2) * self.c + self.gap * self.s)
        self.quasi = np.hypot(self.xi - self.mu / 2, self.gap)

    def goal(self, residual: float) -> float:
        """Down to which residual to go: a thin layer at the Fermi surface hardly counts in it, and makes the gap."""
        layer = float(np.max(self.gap)) * float(np.sqrt(self.weight / (4 * max(self.number, 1e-300))))
        return max(min(residual, 1e-4 * layer), 1e-3 * residual)

    def hessian(self, kset: WaveVectors, z: np.ndarray) -> np.ndarray:
        """Second derivative of E - mu N by the angles, applied to z (M,)."""
        x, d = kset.fields(self.s * z, self.c * z)
        return self.curvature * z - 2 * self.s * x - 2 * self.c * d


def minimise(kset: WaveVectors, count: float, start: np.ndarray, *, residual: float = 1e-9, max_iterations: int = 500,
             look: Callable[[int, float, float], Status | None] | None = None) -> PairState:
    """The lowest state downhill from ``start`` at a fixed number of pairs.

    Parameters
    ----------
    kset : wave vectors and their interactions.
    count : number of pairs, 0 < count < sum(w).
    start : angles theta_k (M,).
    residual : at which to stop (Ha_h); it goes on, to a thousandth of it at most, where only a thin layer at the
        Fermi surface pairs. Energies are then right to about residual^2 / gap.
    look : called with iteration, energy and residual; a Status ends the calculation there.

    The energy is a concave function of the density matrix, so filling the mean field of a state never raises it;
    these steps come first. Newton steps (projected conjugate gradients, preconditioned with 4 E_k) are taken near the
    solution, and only where they do not raise the energy. Source of the functional: see the top of this module.
    """
    point = _Point(kset, start, 0.0)
    evaluations, status, newton_allowed = 1, Status.not_converged, True
    floor = 1e-14 * float(np.max(np.abs(point.xi) * point.s + point.gap))
    while True:
        stop = look(evaluations, point.energy, point.residual) if look is not None else None
        if stop is not None or not np.isfinite(point.energy):
            status = stop or Status.not_finite
            break
        if point.residual <= max(point.goal(residual), floor):
            status = Status.converged
            break
        if evaluations >= max_iterations:
            break
        new, cost = None, 0
        if newton_allowed and evaluations > 2 and point.residual < NEWTON_BELOW * float(np.max(point.gap)):
            new, cost = _newton(kset, count, point)
            newton_allowed = new is not None
        else:
            newton_allowed = True
        if new is None:
            new = _fill_fields(kset, count, point)
            cost += 1
        point, evaluations = new, evaluations + cost
    return PairState(point.angle, point.exchange, point.gap, point.mu, point.energy, point.residual, evaluations,
                     status)


def _fill_fields(kset: WaveVectors, count: float, point: _Point) -> _Point:
    """One step of self-consistency: the ground state of the mean field."""
    angle, shift = fill(point.xi, point.gap, kset.weights, count)
    return _Point(kset, angle, 2 * shift)


def _newton(kset: WaveVectors, count: float, point: _Point) -> tuple[_Point | None, int]:
    """A Newton step, brought back to the number of pairs by a shift of the chemical potential; None if it fails."""
    z, products = _solve(kset, point, -point.gradient, min(0.1, point.residual / float(np.max(point.gap))))
    e, phase = point.quasi, 2 * (point.angle + z)
    if not np.all(np.isfinite(phase)) or np.any(phase < -0.5) or np.any(phase > np.pi + 0.5):
        return None, products
    angle, _ = fill(e * np.cos(phase), np.abs(e * np.sin(phase)), kset.weights, count)
    new = _Point(kset, angle, point.mu)
    rounding = 1e-14 * abs(point.energy)
    better = new.energy < point.energy - rounding or (
        new.energy <= point.energy + rounding and new.residual < 0.5 * point.residual)
    return (new if better else None), products + 1


def _solve(kset: WaveVectors, point: _Point, right: np.ndarray, accuracy: float) -> tuple[np.ndarray, int]:
    """z with H z = right up to a multiple of s, and sum(w s z) = 0: N stays. Ends early at negative curvature."""
    w, s = kset.weights, point.s
    inverse = 1 / np.maximum(4 * point.quasi, 1e-300)
    pb = inverse * s
    norm = float(w @ (s * pb))


    def project(r: np.ndarray) -> np.ndarray:
        # the part along s is the multiplier's; taken off the residual itself it leaves no rounding errors behind
        return r - s * (float(w @ (pb * r)) / norm) if norm > 1e-200 else r

    z, r = np.zeros_like(right), project(right)
    y = inverse * r
    p, size = y, float(w @ (r * y))
    first, products = size, 0
    while products < INNER and size > accuracy**2 * first and size > 0:
        hp = point.hessian(kset, p)
        products += 1
        bend = float(w @ (p * hp))
        if bend <= 0:
            return (z if products > 1 else p), products
        z = z + size / bend * p
        r = project(r - size / bend * hp)
        y = inverse * r
        new = float(w @ (r * y))
        p, size = y + new / size * p, new
    return z, products


def chemical_slope(kset: WaveVectors, state: PairState) -> float:
    """dmu/dN at a stationary state (Ha_h per pair, or times area with weights per area); negative: E(N) is concave.

    Exact linear response: dtheta = u + z with sum(w s u) = 1 and z chosen such that the gradient stays along s. NaN
    where no k is in a superposition, as in a normal state with a gap.
    """
    point = _Point(kset, state.angle, state.chemical_potential)
    u = point.s / np.maximum(4 * point.quasi, 1e-300)
    norm = float(kset.weights @ (point.s * u))
    if norm < 1e-12:
        return float("nan")
    u = u / norm
    z, _ = _solve(kset, point, -point.hessian(kset, u), 1e-8)
    return float(kset.weights @ ((u + z) * point.hessian(kset, u + z)))
