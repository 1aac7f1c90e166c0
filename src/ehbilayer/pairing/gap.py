"""The gap below T_c: the non-linear Eliashberg equations on the Matsubara axis, by Newton's method on the compact grid.

With x_n = n + 1/2, D_n = Delta_n/(2 pi T), R_n = sqrt(x_n^2 + D_n^2), and lambda and mu_N as in `eliashberg`:

    D_n = (1/2) sum_m { lambda(n - m) [D_m - D_n x_m/x_n] + lambda(n + m + 1) [D_m + D_n x_m/x_n] }/R_m
          - mu_N sum_{m < N} D_m/R_m
    Z_n = 1 + (1/2x_n) sum_m [lambda(n - m) - lambda(n + m + 1)] x_m/R_m

(Z taken out of the first). Source: F. Marsiglio and J. P. Carbotte in Superconductivity, ed. Bennemann and Ketterson
(Springer, 2008). At small T the gap at the lowest frequency is that of the excitations where coupling is weak; where it
is strong the edge, on the real axis, lies some per cent higher.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.pairing.coupling_spectrum import CouplingSpectrum
from ehbilayer.pairing.eliashberg import (
    EXPLICIT,
    Matsubara,
    check_mu_star,
    critical_temperature,
    cutoff_of,
    kernels,
    leading_gap,
    matsubara,
    repulsion_at_cutoff,
)

ITERATIONS = 60
BCS_RATIO = 1.764  # Delta(0)/T_c at weak coupling


@dataclass(frozen=True, eq=False)
class Gap:
    """Delta and Z at Matsubara frequencies (p,), in the unit of energy of the spectrum.

    ``temperature`` is k_B T; ``residual`` the largest error of the equation over the largest Delta; above T_c all
    Delta are 0. Z is given for the explicit frequencies (NaN beyond).
    """

    temperature: float
    frequency: np.ndarray
    delta: np.ndarray
    z: np.ndarray
    residual: float
    converged: bool

    @property
    def lowest(self) -> float:
        """Delta at the lowest Matsubara frequency."""
        return float(self.delta[0])


def solve_gap(spectrum: CouplingSpectrum, temperature: float, mu_star: float = 0.0,
              mu_star_frequency: float | None = None, *, critical: float | None = None,
              tolerance: float = 1e-10) -> Gap:
    """The gap at ``temperature`` > 0 (k_B = 1). ``critical`` is T_c where it is known. Raises InputError."""
    reference = check_mu_star(spectrum, mu_star, mu_star_frequency)
    if not (math.isfinite(temperature) and temperature > 0):
        raise InputError("temperature", "a positive number", temperature, "take e.g. a tenth of T_c for T = 0")
    t_c = critical_temperature(spectrum, mu_star, reference) if critical is None else critical
    grid = matsubara(temperature, cutoff_of(spectrum))
    near, far = kernels(spectrum, temperature, grid)
    repulsion = repulsion_at_cutoff(mu_star, reference, temperature, grid.count)
    d, residual = np.zeros(grid.x.size), 0.0
    if temperature < t_c:
        expected = BCS_RATIO * t_c * math.tanh(1.74 * math.sqrt(t_c / temperature - 1)) / (2 * math.pi * temperature)
        shape = _shape(spectrum, temperature, t_c, mu_star, reference, grid)
        for larger in (1.0, 1.5, 2.5, 4.0):  # from above the way to the gap is open, from below it may lead to zero
            d, residual = _newton(larger * expected * shape, grid, near, far, repulsion, tolerance)
            if residual <= tolerance:
                break
    z = _renormalisation(d, grid, near, far, spectrum.lam)
    scale = 2 * math.pi * temperature
    # zero solves the equations too, but is no answer below T_c
    good = residual <= tolerance and (temperature >= t_c or abs(d[0]) > 0)
    return Gap(temperature, scale * grid.x, scale * d * (1 if d[0] >= 0 else -1), z, residual, bool(good))


def _shape(spectrum: CouplingSpectrum, temperature: float, t_c: float, mu_star: float, reference: float,
           grid: Matsubara) -> np.ndarray:
    """Delta over its value at low frequency (p,): that of the linear equations not far below T_c."""
    warm = max(temperature, 0.6 * t_c)
    known = matsubara(warm, cutoff_of(spectrum))
    near, far = kernels(spectrum, warm, known)
    delta = leading_gap(known, near, far, repulsion_at_cutoff(mu_star, reference, warm, known.count))
    return np.interp(temperature * grid.x, warm * known.x, delta)


def _newton(d: np.ndarray, grid: Matsubara, near: np.ndarray, far: np.ndarray, repulsion: float,
            tolerance: float) -> tuple[np.ndarray, float]:
    """D (p,) and the residual that is left; a step never shrinks D at the lowest frequency by more than a third."""
    x, w = grid.x, grid.weight
    pair, own = 0.5 * (near + far) - repulsion, 0.5 * (near - far) / x[:, None]
    residual = math.inf
    for _ in range(ITERATIONS):
        r = np.sqrt(x * x + d * d)
        drag = 1 + own @ (w * x / r)  # Z without the term m = n
        error = drag * d - pair @ (w * d / r)
        residual = float(np.abs(error).max() / np.abs(d).max())
        if residual <= tolerance:
            break
        slope = np.diag(drag) - pair * (w * x * x / r**3) - (d[:, None] * own) * (w * x * d / r**3)
        step = np.linalg.solve(slope, -error)
        # towards zero lies the normal state, which solves the equations too
        share = min(1.0, 0.33 * abs(d[0]) / max(-step[0] * math.copysign(1, d[0]), 1e-300))
        share = min(share, abs(d[0]) / max(abs(step[0]), 1e-300))
        d = d + share * step
    return d, residual


def _renormalisation(d: np.ndarray, grid: Matsubara, near: np.ndarray, far: np.ndarray, lam: float) -> np.ndarray:
    """Z (p,); NaN where frequencies stand for many, among which the term m = n has no weight of its own."""
    r = np.sqrt(grid.x**2 + d * d)
    z = 1 + ((near - far) @ (grid.weight * grid.x / r) + lam * grid.x / r) / (2 * grid.x)
    z[EXPLICIT:] = np.nan
    return z


def gap_curve(spectrum: CouplingSpectrum, mu_star: float, mu_star_frequency: float | None, critical: float,
              ratios: tuple[float, ...]) -> list[Gap]:
    """The gap at temperatures ``ratios`` times T_c = ``critical`` > 0."""
    return [solve_gap(spectrum, ratio * critical, mu_star, mu_star_frequency, critical=critical) for ratio in ratios]
