"""Couplings of the electron liquid by acoustic plasmons of the hole crystal, and the published temperature.

The model is that of Nashabeh and Fu, arXiv (2026), Eqs. 1-5, in whose formulas lengths count in a_e: Coulomb repulsion
and coupling to plasmons with Thomas-Fermi screening, U = 2 pi/(k + k_s) and |M|^2 = n k^2 (U e^{-kd})^2/2 m_h w_q with
w_q = v_p q, v_p = alpha sqrt(eps_F/m_h), averaged over the Fermi circle, where k = |k1 - k2| = 2 k_F sin(theta):

    g0V = mu - lambda,   mu = N_0 <U>,   lambda = N_0 <2 |M|^2/w_q>,   N_0 the density of states per flavour.

With a = k_s/2k_F and s = 4 k_F d (a = r_s/sqrt(2), s = 4 sqrt(2) d/r_s for two flavours) and g flavours

    mu     = (2/pi g) int_0^{pi/2} a/(sin(theta) + a) dtheta
    lambda = (2/pi g) (1/alpha^2) int_0^{pi/2} (k/q)^2 e^{-s sin(theta)} (a/(sin(theta) + a))^2 dtheta

q is k where k lies in the Brillouin zone of the hole lattice. Beyond it (Umklapp) the paper sets q = k_D ("debye");
"folded" takes q = k - G in the zone of the triangular lattice, averaged over the direction of k, exactly.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ehbilayer.errors import InputError
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.pairing.liquid import UMKLAPP, Liquid, check

BCS_FACTOR = 1.13  # as printed; 2 e^gamma/pi = 1.1339
PAPER_LINE = (1.2, 1.39)
NODES = 24
CHUNK = 4096  # points at a time, to stay in the cache
FARTHEST = 80.0  # e^-80 is nothing


class Couplings(NamedTuple):
    """Repulsion mu and attraction lambda, dimensionless, and g0V = mu - lambda (negative: they pair)."""

    mu: np.ndarray
    lam: np.ndarray

    @property
    def g0V(self) -> np.ndarray:
        return self.mu - self.lam


def couplings(liquid: Liquid) -> Couplings:
    """mu and lambda of Eq. 4, to about 1e-12 of each.

    Raises InputError for an alpha^2 that is not positive, and for an unknown umklapp.
    """
    lam = attraction(liquid) / positive(liquid)
    return Couplings(repulsion(liquid) + 0 * lam, lam)


def positive(liquid: Liquid) -> np.ndarray:
    """alpha^2. Raises InputError where it is not positive."""
    square = np.asarray(liquid.alpha_squared, dtype=float)
    check("alpha_squared", "a positive number", square, square > 0, "without a positive alpha^2 there is no plasmon")
    return square


def repulsion(liquid: Liquid) -> np.ndarray:
    """mu = (2/pi g) a R_C(1, a^2), with Carlson's degenerate elliptic integral: exact for all a."""
    from scipy.special import elliprc

    a = liquid.screening
    return np.asarray(2 / (np.pi * liquid.flavours) * a * elliprc(1.0, a * a))


def attraction(liquid: Liquid) -> np.ndarray:
    """alpha^2 lambda, which depends on r_s and d/a_e alone. Raises InputError for an unknown umklapp."""
    a, s = np.broadcast_arrays(liquid.screening, liquid.suppression)
    flat_a, flat_s, out = a.reshape(-1), s.reshape(-1), np.empty(a.size)
    edge, theta, weight = umklapp_nodes(liquid.umklapp, liquid.flavours)
    for i in range(0, a.size, CHUNK):
        part = slice(i, i + CHUNK)
        out[part] = _normal(flat_a[part], flat_s[part], edge)
        out[part] += weighted(flat_a[part], flat_s[part], np.sin(theta)) @ weight
    return 2 / (np.pi * liquid.flavours) * out.reshape(a.shape)


def weighted(a: np.ndarray, s: np.ndarray, sine: np.ndarray) -> np.ndarray:
    """e^{-s y} (a/(y + a))^2 at y = ``sine`` (n,) for all points: (points, n)."""
    ratio = a[:, None] / (sine + a[:, None])
    return np.exp(-s[:, None] * sine) * ratio * ratio


def _normal(a: np.ndarray, s: np.ndarray, edge: float) -> np.ndarray:
    """int_0^edge e^{-s sin} (a/(sin + a))^2 dtheta by Gauss-Legendre in t, theta = b (e^t - 1).

    b, the smaller of the two scales a and 1/s, makes the integrand as smooth in t for tiny a or huge s as for others:
    its nearest pole, sin(theta) = -a, is at a distance pi from the real axis.
    """
    node, weight = gauss_legendre(NODES)
    b = 1 / (1 / a + s)
    end = np.minimum(edge, FARTHEST / np.maximum(s, 1e-300))
    t = np.log1p(end / b)[:, None] * (0.5 + 0.5 * node)
    grown = np.expm1(t)
    sine = np.sin(b[:, None] * grown)
    ratio = a[:, None] / (sine + a[:, None])
    value = np.exp(-s[:, None] * sine) * ratio * ratio * (1 + grown)
    return np.asarray(0.5 * np.log1p(end / b) * b * (value @ weight))


@cache
def umklapp_nodes(umklapp: str, flavours: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Where Umklapp begins, and nodes and weights beyond: int (k/q)^2 f dtheta = int_0^edge f + sum weight f(theta).

    Raises InputError for an unknown name.
    """
    if umklapp not in UMKLAPP:
        raise InputError("umklapp", " | ".join(UMKLAPP), umklapp, "choose one of these")
    zone = half_zone(flavours) if umklapp == "folded" else 0.5 * np.sqrt(flavours)
    if zone >= 1:  # the Fermi circle is too small for Umklapp
        return np.pi / 2, np.zeros(0), np.zeros(0)
    edge = float(np.arcsin(zone))
    if umklapp == "debye":  # q = k_D = sqrt(g) k_F
        theta, weight = _gauss(edge, np.pi / 2)
        return edge, theta, weight * 4 / flavours * np.sin(theta) ** 2
    # the share of directions outside the zone begins like a square root, and is 1 beyond the corners
    corner = float(np.arcsin(min(2 * zone / np.sqrt(3), 1.0)))
    u, du = _gauss(0.0, 1.0)
    theta = np.concatenate([edge + (corner - edge) * u * u, corner + (np.pi / 2 - corner) * u])
    weight = np.concatenate([(corner - edge) * 2 * u * du, (np.pi / 2 - corner) * du])
    return edge, theta, weight * folding(np.sin(theta), flavours)


def half_zone(flavours: int) -> float:
    """|G|/2 over 2 k_F: half the shortest reciprocal vector of the triangular lattice, |G|^2 = 8 pi^2 n/sqrt(3)."""
    return 0.5 * float(np.sqrt(np.pi * flavours / (2 * np.sqrt(3))))


def folding(sine: np.ndarray, flavours: int) -> np.ndarray:
    """<(k/q)^2> over the directions of k, |k| = 2 k_F ``sine``, with q folded into the Brillouin zone (closed form).

    Seen from the nearest G, directions up to psi = arccos(G/2k) lie outside the zone (at most 30 degrees: then all do):
    int dpsi k^2/(k^2 + G^2 - 2 k G cos(psi)) = 2 k^2/(G^2 - k^2) arctan((G + k)/(G - k) tan(psi/2)).
    For two flavours and more 2 k_F < |G|, so no second G comes near and q stays away from zero.
    """
    k, big = np.asarray(sine, dtype=float), 2 * half_zone(flavours)
    psi = np.clip(np.arccos(np.minimum(big / (2 * np.maximum(k, 1e-300)), 1.0)), 0.0, np.pi / 6)
    outside = 2 * k * k / (big * big - k * k) * np.arctan((big + k) / (big - k) * np.tan(psi / 2))
    return np.asarray(6 / np.pi * outside + (1 - 6 / np.pi * psi))


def _gauss(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    node, weight = gauss_legendre(NODES)
    return low + (high - low) * (0.5 + 0.5 * node), 0.5 * (high - low) * weight


def bcs_temperature(rs: ArrayLike, spacing: ArrayLike, alpha_squared: ArrayLike, mass_ratio: ArrayLike,
                    umklapp: str = "debye", flavours: int = 2) -> np.ndarray:
    """k_B T_c in Ha_h as published: 1.13 T_D e^{1/g0V} where g0V < 0, else 0; 0 also where alpha^2 <= 0 (no plasmon).

    Parameters
    ----------
    rs : r_s of the electrons.   spacing : a_h.   alpha_squared : (v_p/v_0)^2.   mass_ratio : m_e/m_h.
        These four broadcast against each other; a map of 400 x 400 points takes less than a second.
    umklapp : ``debye`` or ``folded``.   flavours : of the electrons.

    Raises
    ------
    InputError : numbers that `liquid.Liquid` refuses, an unknown umklapp.
    """
    return published_temperature(Liquid(rs, spacing, mass_ratio, alpha_squared, umklapp, flavours))


def published_temperature(liquid: Liquid) -> np.ndarray:
    """The same of a liquid."""
    alive = np.asarray(liquid.alpha_squared, dtype=float) > 0
    safe = replace(liquid, alpha_squared=np.where(alive, liquid.alpha_squared, 1.0))
    g0V = couplings(safe).g0V
    pairs = alive & (g0V < 0)
    return np.where(pairs, BCS_FACTOR * safe.debye * np.exp(1 / np.where(pairs, g0V, -1.0)), 0.0)


def paper_line(rs: ArrayLike, rs_star: float = 2.0, line: tuple[float, float] = PAPER_LINE) -> np.ndarray:
    """alpha^2 = 1.2 - 1.39 r_s/r_s*: our reading of the straight line in Fig. 4a, not a printed formula.

    With r_s* = 31 in place of 2 it is the rescaled line of the Supplemental Material. May be negative.
    """
    return np.asarray(line[0] - line[1] * np.asarray(rs, dtype=float) / rs_star)
