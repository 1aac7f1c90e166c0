r"""Derivatives of the energy functional by the area, at fixed orbital coefficients on fixed integer wave vectors.

With a = ln A every term is a power or a known function of the area: T ~ e^{-a}, the interaction w = v(q)/A has
dw/da = s w with the exponent s = `Interaction.area_exponent`, so d^2w/da^2 = (s^2 + ds/da) w. A derivative of the
functional is therefore the same functional with other tables: a Hamiltonian whose `evaluate` gives dE/da (or
d^2E/da^2) and its operator on the orbitals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hamiltonian import Hamiltonian
from ehbilayer.interaction.base import Interaction
from ehbilayer.model import Bilayer, Species

STEP = 1e-3  # of q and of lengths, relative: exponents are constant or linear in q, so central differences are exact


@dataclass(frozen=True)
class AreaDerivative(Interaction):
    """d^order/d(ln A)^order of v(q)/A and of the zero-mode terms of another interaction; order 1 or 2."""

    base: Interaction
    order: int

    def v(self, q: np.ndarray, distance: float) -> np.ndarray:
        slope = self.base.area_exponent(q, distance)
        return self.base.v(q, distance) * (slope if self.order == 1 else slope**2 + self._bend(q, distance))

    def _bend(self, q: np.ndarray, distance: float) -> np.ndarray:
        """d(exponent)/dlnA = -(q/2) d(exponent)/dq, as q ~ A^{-1/2}."""
        up, down = (self.base.area_exponent(q * (1 + t), distance) for t in (STEP, -STEP))
        return np.asarray(-(up - down) / (4 * STEP))

    def zero_mode(self, vectors: np.ndarray, distance: float) -> float:
        value, slope = self.base.zero_mode(vectors, distance), self.base.zero_mode_area_exponent(vectors, distance)
        if self.order == 1:
            return value * slope
        up, down = (self.base.zero_mode_area_exponent(vectors * (1 + t), distance) for t in (STEP, -STEP))
        return value * (slope**2 + (up - down) / (4 * STEP))  # lnA = 2 ln(length)

    def capacitor(self, charge_product: float, distance: float, area: float) -> float:
        return (-1) ** self.order * self.base.capacitor(charge_product, distance, area)  # charge^2 d/A

    def area_exponent(self, q: np.ndarray, distance: float) -> np.ndarray:
        return np.full(np.shape(q), np.nan)  # the next derivative has an order of its own

    def zero_mode_area_exponent(self, vectors: np.ndarray, distance: float) -> float:
        return float("nan")


def derivative(hamiltonian: Hamiltonian, order: int) -> Hamiltonian:
    """The Hamiltonian of d^order E/d(ln A)^order at fixed coefficients; order 1 or 2.

    Kinetic energies must scale as 1/A, as k^2/2m does, also at a twist that is a fixed fraction of the torus'
    reciprocal vectors.
    """
    setting = hamiltonian.setting
    bilayers = [replace(b, species=tuple(_signed(s, order) for s in b.species),
                        interaction=AreaDerivative(b.interaction, order)) for b in setting.bilayers]
    return Hamiltonian(replace(setting, bilayers=bilayers))


def _signed(species: Species, order: int) -> Species:
    sign = (-1) ** order
    return replace(species, dispersion=lambda k: sign * species.kinetic(k))


def twisted(bilayer: Bilayer, name: str, twist: np.ndarray) -> Bilayer:
    """The bilayer with the wave vectors of one species moved by ``twist`` (2,) in 1/a_h: boundary conditions with a
    phase. Interactions see differences of wave vectors only, so that the kinetic energy is all that changes.

    Raises InputError for a species with a dispersion of its own.
    """
    def moved(species: Species) -> Species:
        if species.name != name:
            return species
        if species.dispersion is not None:
            raise InputError(f"{name} dispersion", "k^2/2m", "a function", "only parabolic bands scale with the area")
        return replace(species, dispersion=lambda k: species.kinetic(k + twist))

    return replace(bilayer, species=tuple(moved(s) for s in bilayer.species))
