r"""Ideal gases of the plane at a temperature, exactly, and how they answer a static charge.

With hbar = 1, T = k_B T in Ha_h, z = mu/T and g flavours of mass m,

    n_F = (g m T/2 pi) ln(1 + e^z),     n_B = -(g M T/2 pi) ln(1 - e^z),
    chi(q) = (g m/2 pi) int_0^{pi/2} sin(phi) f((q/2) sin(phi)) dphi,     f(k) = 1/(e^{k^2/2mT - z} + 1)

chi, the density that a static potential pushes away per energy, is Lindhard's function at a temperature: its angular
integral 2 pi/(q sqrt(q^2 - 4k^2)) vanishes for 2k > q. chi(0) = dn/dmu is Debye's and Thomas and Fermi's, and
chi -> 4 m n/q^2 at large q, where a particle is too light to follow.

Source: Giuliani & Vignale, Quantum Theory of the Electron Liquid (2005), chapter 4.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Self, final

import numpy as np

from ehbilayer.numerics.quadrature import gauss_legendre

NODES = 48
COLD = 40.0  # f is e^-40 beyond this many T above the Fermi energy


def soft(z: float) -> float:
    """ln(1 + e^z)."""
    return z + math.log1p(math.exp(-z)) if z > 0 else math.exp(z) if z < -36 else math.log1p(math.exp(z))


@dataclass(frozen=True)
class IdealGas(ABC):
    """``unit`` = g m T/2 pi, a_h^-2, is the scale of its density n(z).

    ``levels`` are what a field adds to each flavour (Ha_h), none without one: n is then the mean over them of n(z -
    l/T), and z counts from the flavours without field.
    """

    mass: float
    flavours: float
    temperature: float
    levels: tuple[float, ...] = field(default=(), kw_only=True)

    @property
    def unit(self) -> float:
        """g m T/2 pi, a_h^-2."""
        return self.flavours * self.mass * self.temperature / (2 * math.pi)

    @property
    def flavour(self) -> Self:
        """The same gas with all flavours at one level."""
        return replace(self, levels=())

    @property
    def lowest(self) -> float:
        """The lowest level over T."""
        return min(self.levels, default=0.0) / self.temperature

    def density(self, z: float) -> float:
        """n at z = mu/T; of bosons below the lowest level."""
        if not self.levels:
            return self._density(z)
        return float(np.mean([self._density(z - level / self.temperature) for level in self.levels]))

    def potential(self, density: float) -> float:
        """z at n; minus infinity of bosons without particles."""
        if not self.levels or not density > 0:
            return self._potential(density)
        from scipy.optimize import brentq

        above = [level / self.temperature - self.lowest for level in self.levels]  # z from the lowest keeps its digits

        def excess(z: float) -> float:
            return float(np.mean([self._density(z - x) for x in above])) - density

        # all flavours at the lowest level, and all particles in one of them
        least, most = (self._potential(x * density) for x in (1, len(above)))
        ends = excess(least), excess(most)
        if ends[0] >= 0 or ends[1] <= 0:  # one of them to rounding
            return self.lowest + (least if ends[0] >= 0 else most)
        return self.lowest + float(brentq(excess, least, most, xtol=1e-300, rtol=1e-15))

    @abstractmethod
    def _density(self, z: float) -> float:
        """n at z = mu/T of flavours at one level."""

    @abstractmethod
    def _potential(self, density: float) -> float:
        """z at n."""


@final
@dataclass(frozen=True)
class Fermions(IdealGas):
    """An ideal Fermi gas: n = unit ln(1 + e^z)."""

    def _density(self, z: float) -> float:
        """n at z = mu/T."""
        return self.unit * soft(z)

    def _potential(self, density: float) -> float:
        """z at n: ln(e^{n/unit} - 1)."""
        x = density / self.unit
        return x + math.log(-math.expm1(-x))

    def response(self, q: np.ndarray, density: float) -> np.ndarray:
        """chi(q), see the top of the module; 1/(Ha_h a_h^2), shape of ``q``."""
        if not density > 0:
            return np.zeros_like(q)
        z = self.potential(density)
        if self.levels:
            one = self.flavour
            return np.asarray(np.mean([one.answer(q, z - level / self.temperature) for level in self.levels], axis=0))
        return self.answer(q, z)

    def answer(self, q: np.ndarray, z: float) -> np.ndarray:
        """chi(q) of flavours at one level, at z = mu/T."""
        node, weight = gauss_legendre(NODES)
        # above k_c nothing is occupied
        edge = math.sqrt(2 * self.mass * self.temperature * (max(z, 0.0) + COLD))
        last = np.arcsin(np.minimum(1.0, 2 * edge / q))
        phi = 0.5 * last[..., None] * (1 + node)
        k = 0.5 * q[..., None] * np.sin(phi)
        f = 1 / (np.exp(np.minimum(k**2 / (2 * self.mass * self.temperature) - z, 700.0)) + 1)
        integral = 0.5 * last * ((np.sin(phi) * f) @ weight)
        return np.asarray(self.flavours * self.mass / (2 * math.pi) * integral)


@final
@dataclass(frozen=True)
class Bosons(IdealGas):
    """An ideal Bose gas of the plane, which does not condense: n = -unit ln(1 - e^z), z < 0."""

    def _density(self, z: float) -> float:
        """n at z = mu/T < 0."""
        return -self.unit * math.log(-math.expm1(z))

    def _potential(self, density: float) -> float:
        """z at n: ln(1 - e^{-n/unit}); minus infinity without particles."""
        x = density / self.unit
        return math.log(-math.expm1(-x)) if x > 0 else -math.inf


@final
@dataclass(frozen=True)
class Pairs(IdealGas):
    """Bound pairs less what their states hold where nothing binds them, n = -unit [ln(1 - e^z) - ln(1 - e^{z - x})].

    In the plane the scattering states take away what a state at the edge of the continuum holds, e^x - 1 in place of
    e^x of a thin gas: so the number goes to 0 with the binding energy (G. E. Uhlenbeck and E. Beth, Physica 3, 729
    (1936)).

    Parameters
    ----------
    bound : x, binding energy over T.
    """

    bound: float

    def _density(self, z: float) -> float:
        """n at z = mu/T < 0, from the bound state."""
        return self.unit * (math.log(-math.expm1(z - self.bound)) - math.log(-math.expm1(z)))

    def _potential(self, density: float) -> float:
        """z at n: e^z = (1 - e^{-y})/(1 - e^{-y - x}), y = n/unit; minus infinity without particles."""
        y = density / self.unit
        return math.log(math.expm1(-y) / math.expm1(-y - self.bound)) if y > 0 else -math.inf
