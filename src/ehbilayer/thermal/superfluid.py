r"""Up to which temperature a condensate is superfluid: its stiffness, what heat takes from it, and vortices.

hbar = 1, T = k_B T. Pairs of mass M = m_e + m_h and density n (of one of g equal condensates) have the stiffness n_s/M,
and n_s(0) = n. At a temperature quasiparticles of energy E and wave vector k are dragged along by the normal part,

    M (n - n_s) = sum_branches int d^2k/(2 pi)^2 (k^2/2) (-df/dE),

f Fermi's function for the two branches of broken pairs (`condensate`) and Bose's for sound, omega^2 = e (e + 2 M c^2)
with e = k^2/2M and M c^2 = n dmu/dn, its share of each condensate. Vortices of core energy C n_s/M lower the rest: with
u = M T/n_s, y = e^{-C/u} Kosterlitz' flow

    du/dl = 4 pi^3 y^2,    dy/dl = (2 - pi/u) y    keeps    2 pi^3 y^2 - 2 u + pi ln u

so that the renormalised u is a root of one function, and at T_BKT it is pi/2: n_s jumps by 2 M T/pi to zero. Without
vortices below that, T = (pi/2) n_s(T)/M is an upper bound. A vortex of Gross and Pitaevskii has the energy
(pi n/M) ln(1.46 R/xi) with 1/2 M xi^2 = M c^2; two are no closer than xi, nor than pairs are: than R_0, the larger of
xi and n^{-1/2}, so C = pi ln(1.46 R_0/xi).

Sources: J. M. Kosterlitz, J. Phys. C 7, 1046 (1974); D. R. Nelson and J. M. Kosterlitz, PRL 39, 1201 (1977); the
vortex: L. P. Pitaevskii, Sov. Phys. JETP 13, 451 (1961).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ehbilayer.numerics.quadrature import gauss_legendre

VORTEX = 1.46  # in the logarithm of a vortex' energy
NODES = 200
COLD = 45.0  # omega/T beyond which nothing is excited
FROZEN = 1e-9  # k_B T over n/M below which nothing changes


@dataclass(frozen=True, eq=False)
class Superfluid:
    """One of g equal condensates.

    Parameters
    ----------
    density : n of its pairs, a_h^-2.   mass : M, in units of m_h.
    k, weight : wave numbers (m,) and weights of sum_k per area.
    branches : energies to add an electron and a hole, each (m,), Ha_h.
    sound : M c^2 = n dmu/dn of all pairs, Ha_h; None where the gas is not stable, and sound is left out.
    share : of the condensate in all pairs, 1/g.
    """

    density: float
    mass: float
    k: np.ndarray
    weight: np.ndarray
    branches: tuple[np.ndarray, np.ndarray]
    sound: float | None
    share: float = 1.0

    @property
    def core(self) -> float:
        """C of a vortex, in units of n_s/M."""
        strong = 2 * self.mass * (self.sound or 0.0) / self.density  # (R_0/xi)^2 where pairs are farther than xi
        return math.pi * (math.log(VORTEX) + 0.5 * math.log(max(strong, 1.0)))

    def bare(self, temperature: float) -> float:
        """n_s (a_h^-2) without vortices, at k_B T in Ha_h; not below 0."""
        if temperature < FROZEN * self.density / self.mass:
            return self.density
        broken = sum(float(self.weight @ (self.k**2 / 2 * _fermi_slope(e / temperature))) for e in self.branches)
        dragged = broken / temperature + self.share * _of_sound(self.sound, self.mass, temperature)
        return max(self.density - dragged / self.mass, 0.0)

    def renormalised(self, temperature: float) -> float:
        """n_s with vortices; 0 above T_BKT."""
        bare = self.bare(temperature)
        if temperature < FROZEN * self.density / self.mass or not bare:
            return bare
        u = settled(self.mass * temperature / bare, self.core)
        return 0.0 if u is None else self.mass * temperature / u

    def transition(self, *, vortices: bool = True) -> float:
        """T_BKT (Ha_h); without vortices its upper bound T = (pi/2) n_s(T)/M."""
        limit = critical(self.core) if vortices else math.pi / 2

        def above(temperature: float) -> bool:
            return self.mass * temperature >= limit * self.bare(temperature)

        low, high = 0.0, limit * self.density / self.mass
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if above(middle) else (middle, high)
        return 0.5 * (low + high)


def settled(u: float, core: float) -> float | None:
    """u = M T/n_s where the flow from a bare u ends, at most pi/2; None where vortices unbind."""
    if u >= critical(core):
        return None
    from scipy.optimize import brentq

    return float(brentq(lambda x: _left(x, u, core), u, math.pi / 2, xtol=1e-15))


def critical(core: float) -> float:
    """The bare u = M T/n_s at which the flow ends at pi/2: the transition."""
    from scipy.optimize import brentq

    return float(brentq(lambda u: _left(math.pi / 2, u, core), 1e-3, math.pi / 2, xtol=1e-15))


def _left(x: float, u: float, core: float) -> float:
    """2 pi^3 y^2 at x on the line of flow that begins at u; the flow ends where it is 0."""
    return 2 * math.pi**3 * math.exp(-2 * core / u) + 2 * (x - u) - math.pi * math.log(x / u)


def _fermi_slope(x: np.ndarray) -> np.ndarray:
    """e^x/(e^x + 1)^2."""
    return np.asarray(0.25 / np.cosh(np.clip(x / 2, -300, 300)) ** 2)


def _of_sound(sound: float | None, mass: float, temperature: float) -> float:
    """int d^2k/(2 pi)^2 (k^2/2) (-dn_B/domega) of Bogoliubov's sound, a_h^-2 m_h."""
    if sound is None or not sound > 0:
        return 0.0
    # in e = k^2/2M: k^2/2 = M e, d^2k/(2 pi)^2 = M de/2 pi; e^x - 1 is about x up to the temperature
    top = (COLD * temperature) ** 2 / (math.hypot(sound, COLD * temperature) + sound)
    node, weight = gauss_legendre(NODES)
    x = 0.5 * (1 + node)
    e = top * x**2
    omega = np.sqrt(e * (e + 2 * sound))
    slope = 0.25 / np.sinh(np.clip(omega / (2 * temperature), 1e-300, 300)) ** 2 / temperature
    return float(0.5 * weight @ (2 * top * x * mass**2 * e * slope)) / (2 * math.pi)
