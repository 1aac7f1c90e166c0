r"""Pairing by the phonons of a hole crystal, screened by the electrons: a mediator beside plasmon pole and liquid.

The holes stand on a triangular lattice above the electrons, which screen their forces at once
(`response.hole_lattice`). Two electrons of the Fermi circle that exchange k excite each phonon of that wave
vector, in whichever zone k lies, so that Umklapp is exact,

    lambda(nu) = N_0 < X(k)^2 n k.[D(k) + nu^2]^-1.k > = sum_s N_0 < X(k)^2 n (k.e_s)^2/(w_s^2 + nu^2) >,

X = v_eh/(1 - v_ee chi_e) screened by electrons at rest, D the dynamical matrix (m_h = 1) with phonons w_s and
polarisations e_s: longitudinal ones, and transverse ones where k is no direction of symmetry. It is the response of a
harmonic crystal, chi_h = -n k.[D + nu^2]^-1.k, where the one of a liquid stands in `mediated`; the two meet at large
nu, where the holes are free. Averages run over the whole circle, and over all directions of the crystal.

Sources: D. Pines, Phys. Rev. 109, 280 (1958); Born & Huang, Dynamical Theory of Crystal Lattices (1954).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ehbilayer.model import SAME, Bilayer
from ehbilayer.numerics.quadrature import gauss_legendre
from ehbilayer.pairing.coupling_spectrum import CouplingSpectrum
from ehbilayer.response.hole_lattice import ScreenedLattice

# of theta, and of k within 60 degrees, after which a triangular lattice repeats; 3e-4: D has kinks, as chi_e has
ANGLES, DIRECTIONS = 32, 12


@dataclass(frozen=True, eq=False)
class CrystalCoupling:
    """mu, the spectrum of all phonons (None for a lattice that is not stable), and the shares of lambda.

    ``squared`` is omega^2 (n, 2) at all k of the averages, ``strength`` their couplings times omega^2, alike.
    ``branches`` is lambda of the lower and of the upper branch; ``longitudinal`` and ``transverse`` are the squared
    velocities of sound, a_h^2 Ha_h^2.
    """

    mu: float
    squared: np.ndarray
    strength: np.ndarray
    spectrum: CouplingSpectrum | None
    branches: tuple[float, float]
    longitudinal: float
    transverse: float

    def at(self, nu: np.ndarray) -> np.ndarray:
        """lambda(nu), (n,)."""
        # sum_s N_0 < X^2 n (k.e_s)^2/(w_s^2 + nu^2) >
        return np.asarray(np.sum(self.strength.ravel() / (self.squared.ravel() + nu[:, None] ** 2), axis=1))


def applies(bilayer: Bilayer) -> bool:
    """Whether the screened lattice knows this bilayer: Coulomb's interaction, an electron to each hole, of mass 1."""
    electron, hole = bilayer.carrier("electron"), bilayer.carrier("hole")
    return (bilayer.interaction.name == "coulomb" and len(bilayer.carriers) == 2 and hole.mass == 1
            and math.isclose(electron.density, hole.density, rel_tol=SAME))


def crystal_coupling(bilayer: Bilayer, local_field: str = "none") -> CrystalCoupling:
    """lambda and mu by the phonons of the hole crystal; see `ScreenedLattice` for the field and errors."""
    lattice = ScreenedLattice(bilayer, local_field)
    node, weight = gauss_legendre(ANGLES)
    theta = np.pi / 4 * (1 + node)
    k = 2 * lattice.fermi_wave_number * np.sin(theta)
    pi, field = lattice.polarisability(k), lattice.field_factor(k)
    n_0, v = bilayer.carrier("electron").mass / (2 * math.pi), 2 * np.pi / k
    dielectric = 1 + v * (1 - field) * pi
    mu = n_0 * float(weight / 2 @ (v - v * v * pi / dielectric))
    coupled = v * np.exp(-k * bilayer.spacing) / dielectric
    turn = (np.arange(DIRECTIONS) + 0.5) * np.pi / 3 / DIRECTIONS
    unit = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    waves = k[:, None, None] * unit  # theta, direction, xy
    squared, e = np.linalg.eigh(lattice.matrix(waves.reshape(-1, 2)))
    share = np.repeat(n_0 * weight / 2 * coupled**2 * lattice.density / DIRECTIONS, DIRECTIONS)
    strength = share[:, None] * np.einsum("mi,mis->ms", waves.reshape(-1, 2), e) ** 2
    sound = lattice.sound
    stable = bool(squared.min() > 0 and sound.transverse > 0 and lattice.lowest > 0)
    lam = strength / squared
    spectrum = CouplingSpectrum(np.sqrt(squared).ravel(), lam.ravel()) if stable else None
    lower, upper = lam.sum(axis=0)
    return CrystalCoupling(mu, squared, strength, spectrum, (float(lower), float(upper)),
                           sound.longitudinal * lattice.fermi_energy, sound.transverse * lattice.fermi_energy)
