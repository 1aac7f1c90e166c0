r"""One layer of a uniform liquid at a temperature: the best of all free gases, by Gibbs and Bogoliubov.

T = k_B T in Ha_h. With the occupations f of a free gas at the temperature tau, which is varied,

    F/A = E_0(tau) - T S_0(tau) + E_x(tau) = min,    0 < tau <= T,
    E_x = -(g/2) int d^2q/(2 pi)^2 v(q) int d^2k/(2 pi)^2 f(k) f(k + q),

an upper bound of Hartree-Fock's free energy, equal to it at T = 0: exchange makes carriers lighter, so that a gas with
forces is as one that is colder. S = S_0(tau) is -dF/dT. With z from n = (g m tau/2 pi) ln(1 + e^z), E_0 is
(g m tau^2/2 pi) F_1(z). f is a mean of filled circles, f(k) = int dy theta(e(y) - e_k) with y = f at the energy e, so
that E_x is a mean over pairs of circles of their overlap in v. mu and alpha^2 are differences of F.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ehbilayer.interaction.base import Interaction
from ehbilayer.liquid.gas import Gas
from ehbilayer.model import Carrier
from ehbilayer.numerics.quadrature import gauss_legendre

CIRCLES, NODES = 20, 16  # of the mean over circles, and of q within each part
STEP = 1e-3  # of ln n, for mu and alpha^2
COLDEST = 1e-4  # tau over eps_F below which nothing changes
SETTLED = 1e-4  # of ln tau, in which F has a minimum


def _unit(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss's nodes and weights on (0, 1)."""
    node, weight = gauss_legendre(count)
    return 0.5 * (1 + node), 0.5 * weight


@dataclass(frozen=True)
class WarmGas:
    """A carrier at its density and a temperature (Ha_h > 0), ``filled`` flavours; energies per particle in Ha_h.

    Raises InputError for a carrier without density, or with a dispersion of its own.
    """

    carrier: Carrier
    interaction: Interaction
    filled: int
    temperature: float

    def __post_init__(self) -> None:
        Gas(self.carrier, self.interaction, self.filled)

    @property
    def fermi_energy(self) -> float:
        """eps_F = 2 pi n/(g m), that of T = 0."""
        return 2 * math.pi * self.carrier.density / (self.filled * self.carrier.mass)

    @cached_property
    def trial(self) -> float:
        """tau of the gas whose free energy is lowest, Ha_h."""
        from scipy.optimize import minimize_scalar

        coldest = COLDEST * self.fermi_energy
        if self.temperature <= coldest:
            return coldest
        ends = math.log(coldest), math.log(self.temperature)
        found = minimize_scalar(lambda x: self._free_energy(math.exp(x)), bounds=ends, method="bounded",
                                options={"xatol": SETTLED})
        return math.exp(found.x)

    def _z(self, tau: float) -> float:
        """mu_0/tau = ln(e^{eps_F/tau} - 1)."""
        x = self.fermi_energy / tau
        return x + math.log(-math.expm1(-x))

    def _kinetic(self, tau: float) -> float:
        # F_1(z) over F_0 = ln(1 + e^z) = eps_F/tau
        return tau**2 * _f1(self._z(tau)) / self.fermi_energy

    def _entropy(self, tau: float) -> float:
        # E_0 = p_0 A in two dimensions
        return 2 * self._kinetic(tau) / tau - self._z(tau)

    def _free_energy(self, tau: float) -> float:
        return self._kinetic(tau) - self.temperature * self._entropy(tau) + self._exchange(tau)

    @property
    def kinetic(self) -> float:
        """Mean of k^2/2m."""
        return self._kinetic(self.trial)

    @property
    def entropy(self) -> float:
        """S/k_B."""
        return self._entropy(self.trial)

    @cached_property
    def exchange(self) -> float:
        """Exchange energy."""
        return self._exchange(self.trial)

    def _exchange(self, tau: float) -> float:
        x, weight = _unit(CIRCLES)
        z = self._z(tau)
        full = 1 / (1 + math.exp(-z)) if z > -700 else math.exp(z)
        # f at the circle's energy, whose logarithms at both ends nodes gather at
        y = full * x**3 * (10 - 15 * x + 6 * x**2)
        energy = np.maximum(tau * (z + np.log1p(-y) - np.log(y)), 0.0)
        k, share = np.sqrt(2 * self.carrier.mass * energy), full * 30 * (x * (1 - x)) ** 2 * weight
        i, j = np.triu_indices(len(k))
        pairs = _overlap(self.interaction, self.carrier.layer, k[j], k[i])  # k falls
        both = share[i] * share[j] * np.where(i == j, 1.0, 2.0)
        return -self.filled / 2 * float(both @ pairs) / self.carrier.density

    @property
    def heat(self) -> float:
        """-T S."""
        return -self.temperature * self.entropy

    @property
    def energy(self) -> float:
        """Free energy."""
        return self._free_energy(self.trial)

    def _at(self, factor: float) -> float:
        """F/A at another density."""
        one = replace(self, carrier=replace(self.carrier, density=factor * self.carrier.density))
        return one.carrier.density * one.energy

    @property
    def chemical_potential(self) -> float:
        """mu = d(F/A)/dn."""
        return (self._at(1 + STEP) - self._at(1 - STEP)) / (2 * STEP * self.carrier.density)

    @property
    def alpha_squared(self) -> float:
        """n dmu/dn over eps_F."""
        bend = (self._at(1 + 10 * STEP) - 2 * self._at(1.0) + self._at(1 - 10 * STEP)) / (10 * STEP) ** 2
        return bend / (self.carrier.density * self.fermi_energy)


def _f1(z: float) -> float:
    """int_0^inf x dx/(e^{x - z} + 1) = -Li_2(-e^z)."""
    from scipy.special import spence

    if z > 0:  # Li_2(-e^z) + Li_2(-e^-z) = -pi^2/6 - z^2/2
        return math.pi**2 / 6 + z * z / 2 + float(spence(1 + math.exp(-z)))
    return -float(spence(1 + math.exp(z)))


def _overlap(interaction: Interaction, layer: int, small: np.ndarray, large: np.ndarray) -> np.ndarray:
    """int d^2q/(2 pi)^2 v(q) times the overlap of two circles over (2 pi)^2, each (p,)."""
    s, weight = _unit(NODES)

    def part(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        # sin^2 takes the square roots at both ends
        q = low[:, None] + (high - low)[:, None] * np.sin(np.pi / 2 * s) ** 2
        w = (high - low)[:, None] * weight * np.pi * np.sin(np.pi / 2 * s) * np.cos(np.pi / 2 * s)
        a, b = small[:, None], large[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            one = np.arccos(np.clip((q * q + a * a - b * b) / (2 * q * a), -1, 1))
            two = np.arccos(np.clip((q * q + b * b - a * a) / (2 * q * b), -1, 1))
        root = np.sqrt(np.maximum((a + b - q) * (q + a - b) * (q - a + b) * (a + b + q), 0.0))
        lens = np.where(q <= b - a, np.pi * a * a, a * a * one + b * b * two - root / 2)
        v = interaction.v(q, layer, layer)
        return np.asarray(np.sum(w * q * v * np.nan_to_num(lens), axis=1) / (2 * np.pi) ** 3)

    whole: np.ndarray = part(np.zeros_like(small), large - small) + part(large - small, large + small)
    return whole
