r"""Up to which temperature a crystal resists: dislocations (KTHNY) from elastic constants, and Lindemann's rule.

A hexagonal crystal with Lame's constants mu and lambda and lattice constant a melts by free dislocations at

    k_B T = (a^2/4 pi) mu (mu + lambda)/(2 mu + lambda),     mu = rho c_T^2,   2 mu + lambda = rho c_L^2

rho the mass per area; with net charge lambda is infinite. For electrons alone mu = 0.245065 n^{3/2} and
Gamma = sqrt(pi n)/k_B T = 78.71 (D. J. Thouless, J. Phys. C 11, L189 (1978)); experiment melts them at about 130
(C. C. Grimes and G. Adams, PRL 42, 795 (1979)): the constants of the crystal at rest give an upper bound.

Lindemann's rule in two dimensions takes neighbours' relative motion, which is finite: with coth for Bose's occupation,

    <(u_i - u_j)^2> = sum_b < coth(omega/2T) |e_i/sqrt(m_i) - e^{iqR} e_j/sqrt(m_j)|^2 / 2 omega >

over the zone, at most 0.1 of the distance squared in classical simulations (V. M. Bedanov, G. V. Gadiyak and Yu. E.
Lozovik, Phys. Lett. A 109, 289 (1985)). Where zero-point motion alone is more, there is no crystal; that of
electrons has 0.14 at r_s = 31, where quantum Monte Carlo melts it, so that 0.1 is cautious for a quantum crystal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ehbilayer.crystal.structures import Crystal
from ehbilayer.numerics.lattice import reduce_vectors
from ehbilayer.phonons.melting import Group, groups, pair_up
from ehbilayer.phonons.modes import Phonons, sound
from ehbilayer.phonons.zone import sample, softest, zone_rule

RELATIVE = 0.1  # <(u_i - u_j)^2>/R^2 at melting, by default
ISOTROPIC = 0.02  # relative spread of the speed of sound over directions; round-off of soft dipoles is below it
ORDER = 18  # of the zone's rule
UNSTABLE = "the classical crystal is unstable"
ZONE = 12  # wave vectors along each reciprocal vector that stability is looked at on


@dataclass(frozen=True, eq=False)
class Elastic:
    """Lame's constants (Ha_h/a_h^2; lambda is infinite with net charge) and the lattice constant (a_h)."""

    mu: float
    lam: float
    lattice_constant: float

    @property
    def melting(self) -> float:
        """k_B T of KTHNY, Ha_h."""
        ratio = 1.0 if math.isinf(self.lam) else (self.mu + self.lam) / (2 * self.mu + self.lam)
        return self.lattice_constant**2 / (4 * math.pi) * self.mu * ratio


def elastic(phonons: Phonons) -> Elastic | str:
    """Constants of a stable crystal that is elastically isotropic, or why it has none."""
    grid = sample(phonons, ZONE)
    if grid is None or not softest(phonons, grid).stable:
        return UNSTABLE
    law, cell = sound(phonons), reduce_vectors(phonons.crystal.vectors)[0]
    if abs(law.fastest - law.slowest) > ISOTROPIC * law.fastest:
        return "not a hexagonal crystal: its constants depend on the direction"
    rho = float(phonons.mass.sum()) / phonons.crystal.area
    mu = rho * law.slowest * law.fastest
    lam = math.inf if law.longitudinal is None else rho * law.longitudinal**2 - 2 * mu
    return Elastic(mu, lam, float(np.linalg.norm(cell, axis=1).min()))


class Relative:
    """Relative motion of nearest neighbours of one group of charges in a stable crystal: of centres of mass."""

    def __init__(self, phonons: Phonons, group: Group) -> None:
        crystal, members = phonons.crystal, group.members
        mass = phonons.mass[members]
        share = mass / mass.sum(axis=1, keepdims=True)
        centre = np.einsum("km,kmx->kx", share, crystal.positions[members])
        first, second, shift, self.distance = neighbours(centre, crystal.vectors,
                                                         crystal.heights[members].mean(axis=1))
        q, self.weight = zone_rule(phonons.cell, ORDER)
        squared, e = phonons.modes(q)
        self.omega = np.sqrt(np.maximum(squared, 1e-300))
        e = e.reshape(len(q), len(phonons.mass), 2, -1) / np.sqrt(phonons.mass)[:, None, None]
        # u_i = e_i e^{iqr_i}: the phases that D leaves out of its vectors
        turn = np.exp(1j * np.einsum("qx,kmx->qkm", q, crystal.positions[members]))
        moves = np.einsum("km,qkm,qkmxb->qkxb", share, turn, e[:, members], optimize=True)
        far = np.exp(1j * q @ shift.T)
        apart = moves[:, first] - far[:, :, None, None] * moves[:, second]
        self.apart = np.mean(np.sum(np.abs(apart) ** 2, axis=2), axis=1)  # wave vector, branch

    def square(self, temperature: float) -> float:
        """<(u_i - u_j)^2>/R^2 at k_B T (Ha_h)."""
        coth = 1.0 if temperature == 0 else 1 / np.tanh(np.maximum(self.omega / (2 * temperature), 1e-300))
        total = np.sum(self.apart * coth / (2 * self.omega), axis=1)
        return float(self.weight @ total) / self.distance**2

    def melting(self, threshold: float) -> float:
        """k_B T (Ha_h) at which it reaches the threshold; 0 where zero-point motion does."""
        if self.square(0.0) >= threshold:
            return 0.0
        from scipy.optimize import brentq

        high = float(self.omega.max())
        while self.square(high) < threshold:
            high *= 2
        return float(brentq(lambda t: self.square(t) - threshold, 0.0, high, rtol=1e-12))


def neighbours(positions: np.ndarray, vectors: np.ndarray,
               heights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Pairs of one height at the shortest distance: numbers of both (k,), shifts (k, 2) of the second, the distance."""
    cell = reduce_vectors(vectors)[0]
    images = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 2, indexing="ij"), axis=-1).reshape(-1, 2) @ cell
    apart = positions[None, :, None] + images - positions[:, None, None]
    distance = np.linalg.norm(apart, axis=-1)
    distance[heights[:, None] != heights[None, :]] = np.inf
    distance[distance < 1e-9 * float(np.abs(cell).max())] = np.inf
    nearest = float(distance.min())
    i, j, image = np.nonzero(distance < nearest * (1 + 1e-6))
    return i, j, images[image], nearest


@dataclass(frozen=True, eq=False)
class Limits:
    """k_B T (Ha_h) up to which a crystal resists by either rule; None with the reason."""

    kthny: float | None
    lindemann: float | None
    reason: str = ""
    elastic: Elastic | None = None


def limits(crystal: Crystal, masses: dict[str, float], threshold: float = RELATIVE) -> Limits:
    """Both estimates for a crystal at rest, Lindemann's for the group of charges that melts first.

    Groups are dipoles and the electrons outside them where there are dipoles, else all electrons and all holes.
    """
    whole, dipoles = pair_up(crystal)
    phonons = Phonons(whole, masses)
    found = elastic(phonons)
    if found == UNSTABLE:
        return Limits(None, None, UNSTABLE)
    together = groups(whole, dipoles, masses)
    names = ("dipole", "free_electron") if "dipole" in together else ("electron", "hole")
    first = min(Relative(phonons, together[name]).melting(threshold) for name in names if name in together)
    if isinstance(found, str):
        return Limits(None, first, found)
    return Limits(found.melting, first, "", found)
