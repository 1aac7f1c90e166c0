r"""Density response of a free gas in the plane, chi_0(q, z) (Lindhard, Stern), on both axes and on the second sheet.

With g filled flavours of mass m, N_0 = g m/2 pi, a = q/2k_F and zeta = m z/(q k_F), x_1 = a + zeta, x_2 = a - zeta,

    chi_0 = -(N_0/2a) { 2a - [f(x_1) + f(x_2)] } = -(N_0/2a) { 1/[x_1 + f(x_1)] + 1/[x_2 + f(x_2)] },

f(x) = sqrt(x - 1) sqrt(x + 1), whose second form loses no digits where x is large. On the imaginary axis z = i w it is
-(N_0/a) Re 1/(x + f(x)), x = a + i m w/(q k_F), real and negative. Below the real axis, where modes decay, f goes on
from above: i sqrt(1 - x^2) between the branch points. For q -> 0 at z = c q

    chi_0 = -N_0 [1 - c/sqrt(c^2 - v_F^2)],  and c/sqrt(c^2 - v_F^2) = -i c/sqrt(v_F^2 - c^2) for |Re c| < v_F.

Source: F. Stern, Phys. Rev. Lett. 18, 546 (1967).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ehbilayer.model import Carrier


@dataclass(frozen=True)
class FreeGas:
    """A carrier with ``filled`` of its flavours equally full, in the ground state."""

    carrier: Carrier
    filled: int

    @property
    def fermi(self) -> float:
        """k_F = sqrt(4 pi n/g), 1/a_h."""
        return math.sqrt(4 * math.pi * self.carrier.density / self.filled)

    @property
    def reach(self) -> float:
        """The wave number that holds all carriers, k_F."""
        return self.fermi

    @property
    def velocity(self) -> float:
        """v_F = k_F/m, a_h Ha_h."""
        return self.fermi / self.carrier.mass

    @property
    def states(self) -> float:
        """N_0 = g m/2 pi, states per energy and area of all flavours."""
        return self.filled * self.carrier.mass / (2 * math.pi)

    def imaginary(self, q: np.ndarray, w: np.ndarray) -> np.ndarray:
        """chi_0(q, i w) at q > 0 (1/a_h) and w >= 0 (Ha_h), which broadcast; 1/(Ha_h a_h^2)."""
        a = q / (2 * self.fermi)
        x = a + 1j * w / (q * self.velocity)
        # chi_0 = -(N_0/a) Re 1/(x + f(x))
        return np.asarray(-self.states / a * (1 / (x + np.sqrt(x - 1) * np.sqrt(x + 1))).real)

    def real(self, q: np.ndarray, z: np.ndarray) -> np.ndarray:
        """chi_0(q, z) at z = w + i 0, or at complex z near the real axis on the sheet that goes on from above."""
        a = q / (2 * self.fermi)
        zeta = np.asarray(z, dtype=complex) / (q * self.velocity)
        x, y = a + zeta, zeta - a  # x_1 and -x_2, f odd
        f, g = continued(x), continued(y)
        one, two = 1 / (x + f), 1 / (y + g)
        near = np.abs(zeta) < a
        # where q is small the difference of both is taken out: it is -2a [1 + 2 zeta/(f + g)] times their product
        far = (1 + 2 * zeta / np.where(near, 1.0, f + g)) * one * two
        return np.asarray(self.states * np.where(near, (two - one) / (2 * a), far))

    def sound(self, c: complex) -> complex:
        """chi_0(q, c q) for q -> 0, on the sheet that goes on from above."""
        v = self.velocity
        if abs(c.real) < v:
            return complex(-self.states * (1 + 1j * c / np.sqrt(v * v - c * c + 0j)))
        return complex(-self.states * (1 - c / np.sqrt(c * c - v * v + 0j)))

    def hole(self, q: np.ndarray) -> np.ndarray:
        """S_0(q) - 1 = -(2/pi) [arccos a - a sqrt(1 - a^2)] up to 2 k_F, then 0."""
        a = np.minimum(q / (2 * self.fermi), 1.0)
        return np.asarray(-2 / np.pi * (np.arccos(a) - a * np.sqrt(1 - a * a)))


def continued(x: np.ndarray) -> np.ndarray:
    """f(x) = sqrt(x - 1) sqrt(x + 1) above the real axis, and on from there to below."""
    inside = np.abs(x.real) < 1
    root = np.sqrt(np.where(inside, 1 - x * x, x * x - 1))
    return np.asarray(np.where(inside, 1j * root, np.where(x.real < 0, -root, root)))
