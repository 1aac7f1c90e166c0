"""The Jastrow factor: e^J with one smooth function of the distance for every kind of pair, cusps exact.

    J = sum_{i<j} f_c(r_ij),  f_c(r) = (x - 1)^3 theta(1 - x) sum_l a_l x^l,  x = r/L,

L the radius of the circle inscribed in the Wigner-Seitz cell of the torus; c counts species and, in one species, equal
and unequal flavours. The slope at r = 0 is the cusp, which fixes a_1 = 3 a_0 - cusp L:

    cusp = 2 mu z_i z_j (unlike flavours or species of one layer), a third of it (like), 0 between layers at d > 0,

mu the reduced mass of the two. The start is that of a cusp that is screened at the distance b of neighbours,
-2 mu z_i z_j b e^{-r/b} for like spins too, as far away they do not matter; between layers it is smoothed over d.

Source: Drummond, Towler, Needs, PRB 70, 235119 (2004); the cusps in two dimensions: Rajagopal et al., PRB 51, 10591.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ehbilayer.monte_carlo.compiled import compiled

DEGREE = 5  # of the polynomial, unless the user says another


class Jastrow(NamedTuple):
    """What the kernels read: the kind of pair (N, N), and ``coefficients`` a_l (kinds, DEGREE + 1)."""

    kind: np.ndarray
    coefficients: np.ndarray


@dataclass(frozen=True)
class PairKind:
    """One kind of pair: its ``cusp``, the slope and the smoothing length that its start has.

    cusp : slope of ln psi at r = 0, 1/a_h.   slope : of the start, 1/a_h.   smoothing : sqrt(r^2 + d^2) for r, a_h.
    """

    label: str
    cusp: float
    slope: float
    smoothing: float


def cusp(mass_a: float, mass_b: float, charges: float, like: bool, distance: float) -> float:
    """The slope of ln psi where two particles meet, in 1/a_h."""
    if distance > 0:
        return 0.0
    # 2 mu z_i z_j, a third between equal fermions
    return 2 * mass_a * mass_b / (mass_a + mass_b) * charges / (3 if like else 1)


def free_of(kind: PairKind, radius: float, screening: float, degree: int) -> np.ndarray:
    """The free coefficients a_0, a_2, a_3 ... (degree,) of the start, a fit to -slope b e^{-s/b} within ``radius``."""
    x = (np.arange(200) + 0.5) / 200
    s = np.hypot(x * radius, kind.smoothing) - kind.smoothing
    target = -kind.slope * screening * np.exp(-s / screening)
    powers = (x[:, None] - 1) ** 3 * x[:, None] ** np.arange(degree + 1)
    # a_1 follows from a_0: f = (x - 1)^3 [(1 + 3 x) a_0 + a_2 x^2 + ... - cusp L x]
    design = np.delete(powers, 1, axis=1)
    design[:, 0] += 3 * powers[:, 1]
    fixed = -kind.cusp * radius * powers[:, 1]
    # a constant is a matter of the norm of psi; weights of the area
    design, weight = np.column_stack([design, np.ones_like(x)]), np.sqrt(x)
    found, *_ = np.linalg.lstsq(design * weight[:, None], (target - fixed) * weight, rcond=1e-12)
    return np.asarray(found[:-1])


def coefficients_of(kinds: tuple[PairKind, ...], radius: float, free: np.ndarray) -> np.ndarray:
    """All a_l (kinds, degree + 1) with a_1 from the cusps, of the ``free`` coefficients (kinds, degree)."""
    a1 = 3 * free[:, 0] - np.array([kind.cusp for kind in kinds]) * radius
    return np.ascontiguousarray(np.column_stack([free[:, 0], a1, free[:, 1:]]))


@compiled
def pair_function(coefficients, kind, radius, r):  # type: ignore[no-untyped-def]
    """f, f'/r and f'' at 0 < r < ``radius``, of one ``kind`` of pair."""
    x = r / radius
    p, dp, ddp = 0.0, 0.0, 0.0
    for l in range(coefficients.shape[1] - 1, -1, -1):
        ddp = ddp * x + 2 * dp
        dp = dp * x + p
        p = p * x + coefficients[kind, l]
    t = x - 1
    # f = t^3 p, f' = (3 t^2 p + t^3 p')/L, f'' = (6 t p + 6 t^2 p' + t^3 p'')/L^2
    slope, curve = 3 * t * t * p + t * t * t * dp, 6 * t * p + 6 * t * t * dp + t * t * t * ddp
    return t * t * t * p, slope / (radius * r), curve / (radius * radius)
