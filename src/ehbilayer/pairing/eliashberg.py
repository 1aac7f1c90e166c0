"""Isotropic Eliashberg equations on the Matsubara axis: T_c of any spectrum alpha^2F, with a pseudopotential mu*.

Linearised at T_c, with g_n = Delta_n/2x_n, x_n = n + 1/2 > 0 and frequencies 2 pi T x_n (k_B = hbar = 1):

    2 x_n g_n = sum_m { lambda(n - m) [g_m - g_n] + lambda(n + m + 1) [g_m + g_n] } - 2 mu_N sum_{m < N} g_m

The bracket, which the mass renormalisation Z puts there, is zero for m = n: static scattering does not pair. T_c is
where the largest eigenvalue of the right-hand side over the left passes 1. Sources: G. M. Eliashberg, Sov. Phys. JETP
11, 696 (1960); P. B. Allen and R. C. Dynes, Phys. Rev. B 12, 905 (1975).

Cutoff. mu* belongs to a frequency w* (by default the highest of the spectrum). The sums run to 2 pi T N, far above; the
repulsion that goes with this cutoff is 1/mu_N = 1/mu* - ln(2 pi T N/w*). So T_c does not depend on N.

Frequencies. The first ones are all there. Beyond, every block [n, 2n) is summed by a Gauss rule that is exact for
polynomials on integers (Gram's), so that any temperature takes about a hundred unknowns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from ehbilayer.errors import InputError
from ehbilayer.numerics.quadrature import gram_rule
from ehbilayer.pairing.coupling_spectrum import Coupling, from_table

EXPLICIT = 32  # Matsubara frequencies that all are there
PER_BLOCK = 10
CUTOFF = 240.0  # over the highest frequency of the spectrum, or sqrt(lambda <w^2>) if that is more
FLOOR = 1e-10  # lowest T_c that is looked for, over the highest frequency
STRONG = 0.1827  # T_c < 0.1827 sqrt(lambda <w^2>) for every spectrum: Allen and Dynes
STRONGEST = 1e5  # lambda up to which 2 x_n + sum_m is summed to 0.1 %: it cancels lambda, which is known to 1e-8


@dataclass(frozen=True, eq=False)
class Matsubara:
    """Positive Matsubara frequencies in units of 2 pi T: ``x`` (p,), the numbers they stand for, ``weight`` (p,)."""

    x: np.ndarray
    weight: np.ndarray
    count: int  # all frequencies up to the cutoff


def eliashberg_tc(omega: ArrayLike, alpha2F: ArrayLike, mu_star: float = 0.0, *,
                  mu_star_frequency: float | None = None) -> float:
    """T_c of a tabulated spectrum, in the units of omega (k_B = hbar = 1).

    Parameters
    ----------
    omega, alpha2F : rising frequencies (n,) and alpha^2F there, interpolated linearly.
    mu_star : pseudopotential >= 0 at the frequency ``mu_star_frequency``, by default the highest that couples.

    Returns
    -------
    T_c to about 1e-4 of itself; 0 where it lies below 1e-10 of the highest frequency.

    Raises
    ------
    InputError : tables that are no spectrum, a negative mu*.
    """
    return critical_temperature(from_table(omega, alpha2F), mu_star, mu_star_frequency)


def critical_temperature(spectrum: Coupling, mu_star: float = 0.0, mu_star_frequency: float | None = None,
                         tolerance: float = 1e-8, floor: float = FLOOR) -> float:
    """T_c of a spectrum in its own units; otherwise as `eliashberg_tc`.

    ``tolerance`` is that of the root in ln T, ``floor`` the lowest T_c over the highest frequency that is looked for.
    """
    from scipy.optimize import brentq

    reference = check_mu_star(spectrum, mu_star, mu_star_frequency)
    if spectrum.lam > STRONGEST:
        raise InputError("lambda", f"at most {STRONGEST:g} for Eliashberg's equations", spectrum.lam,
                         "a larger alpha^2; there Z loses its digits, and T_c = 0.1827 (lambda <w^2>)^{1/2}")
    high = 1.02 * STRONG * math.sqrt(spectrum.lam) * spectrum.omega_square
    low = floor * spectrum.top

    def excess(log_t: float) -> float:
        return pairing_strength(spectrum, math.exp(log_t), mu_star, reference) - 1

    # downwards in growing steps: high temperatures are cheap
    upper, step = math.log(high), 0.7
    while upper > math.log(low):
        lower = max(upper - step, math.log(low))
        if excess(lower) > 0:
            return math.exp(brentq(excess, lower, upper, xtol=tolerance, rtol=1e-14))
        upper, step = lower, 2 * step
    return 0.0


def check_mu_star(spectrum: Coupling, mu_star: float, frequency: float | None) -> float:
    """The frequency that mu* belongs to. Raises InputError."""
    if not (math.isfinite(mu_star) and mu_star >= 0):
        raise InputError("mu_star", "a number >= 0", mu_star, "repulsion is positive; 0 leaves it out")
    reference = spectrum.top if frequency is None else frequency
    if not (math.isfinite(reference) and reference > 0):
        raise InputError("mu_star_frequency", "a positive frequency", reference, "in the units of omega")
    return reference


def pairing_strength(spectrum: Coupling, temperature: float, mu_star: float, reference: float) -> float:
    """The eigenvalue that is 1 at T_c and falls with temperature. Arguments as `critical_temperature`."""
    from scipy.linalg import eigvalsh

    grid = matsubara(temperature, cutoff_of(spectrum))
    near, far = kernels(spectrum, temperature, grid)
    repulsion = repulsion_at_cutoff(mu_star, reference, temperature, grid.count)
    matrix, _, which = symmetric_problem(grid, near, far, repulsion)
    return float(eigvalsh(matrix, subset_by_index=[which, which])[0])


def leading_gap(grid: Matsubara, near: np.ndarray, far: np.ndarray, repulsion: float) -> np.ndarray:
    """Delta (p,) of the eigenvector that goes with `pairing_strength`, 1 at the lowest frequency."""
    from scipy.linalg import eigh

    matrix, scale, which = symmetric_problem(grid, near, far, repulsion)
    delta = eigh(matrix, subset_by_index=[which, which])[1][:, 0] * scale * grid.x
    return np.asarray(delta / delta[0])


def symmetric_problem(grid: Matsubara, near: np.ndarray, far: np.ndarray,
                      repulsion: float) -> tuple[np.ndarray, np.ndarray, int]:
    """The linear equations as M u = u with M symmetric (p, p), g = scale u, and which eigenvalue of M is meant."""
    left = 2 * grid.x + (near - far) @ grid.weight
    both = np.sqrt(grid.weight / left)
    matrix = (near + far - 2 * repulsion) * both[:, None] * both
    # past mu_N = infinity the repulsion looks like an attraction that adds one eigenvalue above all others
    return matrix, 1 / np.sqrt(grid.weight * left), len(both) - (1 if repulsion >= 0 else 2)


def repulsion_at_cutoff(mu_star: float, reference: float, temperature: float, count: int) -> float:
    """mu_N, with 1/mu_N = 1/mu* - ln(2 pi T N/w*); negative beyond the cutoff where it diverges."""
    if mu_star == 0:
        return 0.0
    inverse = 1 / mu_star - math.log(2 * math.pi * temperature * count / reference)
    return 1 / (inverse if abs(inverse) > 1e-9 else math.copysign(1e-9, inverse))


def kernels(spectrum: Coupling, temperature: float, grid: Matsubara) -> tuple[np.ndarray, np.ndarray]:
    """lambda(n - m), with 0 for m = n, and lambda(n + m + 1), both (p, p)."""
    nu = 2 * math.pi * temperature * grid.x
    near, far = spectrum.quickly_at(nu[:, None] - nu), spectrum.quickly_at(nu[:, None] + nu)
    # a frequency of its own pairs with itself through lambda(0), which Z takes away again
    np.fill_diagonal(near, 0.0)
    return near, far


def cutoff_of(spectrum: Coupling) -> float:
    """How far the sums run. At strong coupling the gap extends beyond the spectrum, to sqrt(lambda <w^2>)."""
    return CUTOFF * max(spectrum.top, math.sqrt(spectrum.lam) * spectrum.omega_square)


def matsubara(temperature: float, cutoff: float) -> Matsubara:
    """The compact grid up to at least ``cutoff``, in the units of ``temperature``."""
    blocks = max(0, math.ceil(math.log2(cutoff / (2 * math.pi * temperature * EXPLICIT))))
    return _grid(blocks)


@cache
def _grid(blocks: int) -> Matsubara:
    x, weight, start = [np.arange(EXPLICIT) + 0.5], [np.ones(EXPLICIT)], EXPLICIT
    for _ in range(blocks):
        node, w = gram_rule(start, PER_BLOCK)
        x.append(start + 0.5 + node)
        weight.append(w)
        start *= 2
    return Matsubara(np.concatenate(x), np.concatenate(weight), start)
