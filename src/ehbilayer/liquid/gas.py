r"""One layer of a uniform liquid in the infinite plane, in Hartree-Fock, for any interaction v(q) within the layer.

With g filled flavours, n = g k_F^2/4 pi, and q = 2 k_F sin(phi),

    E/N = k_F^2/4m - (g k_F^4/4 pi^3 n) int_0^{pi/2} sin cos v(q) (pi - 2 phi - sin 2 phi) dphi
    mu  = k_F^2/2m - (2 k_F^2/pi^2) int_0^{pi/2} sin cos v(q) (pi/2 - phi) dphi
    alpha^2 = n (dmu/dn)/eps_F = 1 - (4 n m/(g k_F^2)) (2/pi) int_0^{pi/2} sin^2 v(q) dphi

the integrals being the overlap of two Fermi circles, its chord, and its derivative. For Coulomb v = 2 pi/q they give
-4 k_F/3 pi, -2 k_F/pi and 1 - (sqrt(g)/pi) r_s.

Source: Giuliani & Vignale, Quantum Theory of the Electron Liquid (2005), sections 1.3 and 2.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.interaction.base import Interaction
from ehbilayer.model import Carrier
from ehbilayer.numerics.quadrature import gauss_legendre

NODES = 60  # of phi; integrands are smooth where q v(q) is


@dataclass(frozen=True)
class Gas:
    """A carrier at its density, all ``filled`` flavours equally; energies in Ha_h, see the top of this module.

    Raises InputError for a carrier without density, or with a dispersion of its own.
    """

    carrier: Carrier
    interaction: Interaction
    filled: int

    def __post_init__(self) -> None:
        if not self.carrier.density > 0:
            raise InputError(f"{self.carrier.name} density", "a density > 0 (a_h^-2)", self.carrier.density,
                             "leave out carriers that are absent")
        if self.carrier.dispersion is not None:
            raise InputError(f"{self.carrier.name} dispersion", "k^2/2m for a liquid of the plane", "a function",
                             "a torus (hartree_fock) takes any dispersion")

    @property
    def fermi_wave_number(self) -> float:
        """k_F = sqrt(4 pi n/g), 1/a_h."""
        return math.sqrt(4 * math.pi * self.carrier.density / self.filled)

    @property
    def fermi_energy(self) -> float:
        """eps_F = k_F^2/2m."""
        return self.fermi_wave_number**2 / (2 * self.carrier.mass)

    @cached_property
    def _nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """phi, and v(2 k_F sin phi) times the weights of dphi."""
        node, weight = gauss_legendre(NODES)
        phi = np.pi / 4 * (1 + node)
        layer = self.carrier.layer
        v = self.interaction.v(2 * self.fermi_wave_number * np.sin(phi), layer, layer)
        return phi, np.pi / 4 * weight * v

    @property
    def kinetic(self) -> float:
        """k_F^2/4m per particle."""
        return self.fermi_energy / 2

    @property
    def exchange(self) -> float:
        """Exchange energy per particle."""
        phi, v = self._nodes
        overlap = np.sin(phi) * np.cos(phi) * (np.pi - 2 * phi - np.sin(2 * phi))
        return -self.filled * self.fermi_wave_number**4 / (4 * np.pi**3 * self.carrier.density) * float(overlap @ v)

    @property
    def energy(self) -> float:
        """Energy per particle."""
        return self.kinetic + self.exchange

    @property
    def heat(self) -> float:
        """-T S, here 0."""
        return 0.0

    @property
    def entropy(self) -> float:
        """S/k_B, here 0."""
        return 0.0

    @property
    def chemical_potential(self) -> float:
        """mu = d(n E/N)/dn."""
        phi, v = self._nodes
        chord = np.sin(phi) * np.cos(phi) * (np.pi / 2 - phi)
        return self.fermi_energy - 2 * self.fermi_wave_number**2 / np.pi**2 * float(chord @ v)

    @property
    def chemical_slope(self) -> float:
        """dmu/dn = alpha^2 eps_F/n of one flavour, without the interaction's direct part."""
        return self.alpha_squared * self.fermi_energy / self.carrier.density

    @property
    def alpha_squared(self) -> float:
        """Bulk modulus over n eps_F."""
        phi, v = self._nodes
        factor = 4 * self.carrier.density * self.carrier.mass / (self.filled * self.fermi_wave_number**2)
        return 1 - factor * 2 / np.pi * float(np.sin(phi) ** 2 @ v)
