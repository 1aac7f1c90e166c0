"""Interactions between point charges in two layers, in momentum space. More kinds are new classes here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np


class Interaction(ABC):
    """v(q) between unit charges at vertical distance d, its area derivative, and its q -> 0 terms."""

    @abstractmethod
    def v(self, q: np.ndarray, distance: float) -> np.ndarray:
        """Interaction in Ha_h a_h^2 at wave numbers ``q`` (1/a_h); zero at q = 0 by convention."""

    @abstractmethod
    def area_exponent(self, q: np.ndarray, distance: float) -> np.ndarray:
        """d ln(v(q)/A) / d ln A when the torus is scaled at fixed integer wave vectors and fixed ``distance``."""

    @abstractmethod
    def zero_mode(self, vectors: np.ndarray, distance: float) -> float:
        """The Madelung element v(0)/A (Ha_h) of exchange or pairing on the torus spanned by the rows of ``vectors``."""

    @abstractmethod
    def zero_mode_area_exponent(self, vectors: np.ndarray, distance: float) -> float:
        """d ln |v(0)/A| / d ln A of that element."""

    @abstractmethod
    def capacitor(self, charge_product: float, distance: float, area: float) -> float:
        """Geometric q -> 0 energy (Ha_h) of two layers whose total charges multiply to ``charge_product``."""


@dataclass(frozen=True)
class Coulomb(Interaction):
    """v(q) = 2 pi exp(-q d) / q, the bare Coulomb interaction between layers at distance d."""

    def v(self, q: np.ndarray, distance: float) -> np.ndarray:
        safe = np.where(q > 0, q, 1.0)
        return np.where(q > 0, 2 * np.pi * np.exp(-safe * distance) / safe, 0.0)

    def area_exponent(self, q: np.ndarray, distance: float) -> np.ndarray:
        # v/A ~ exp(-q d)/(q A) with q ~ A^(-1/2): the exponent is -1 + 1/2 + q d/2.
        return -0.5 + 0.5 * q * distance

    def zero_mode(self, vectors: np.ndarray, distance: float) -> float:
        from ehbilayer.interaction.lattice_sums.potential import (
            madelung_potential,  # here: most runs never need the lattice sums
        )

        # -[psi(0) - self], self = 1/r in the same layer, 1/d in the other (Fraser et al., PRB 53, 1814).
        return -madelung_potential(vectors, distance)

    def zero_mode_area_exponent(self, vectors: np.ndarray, distance: float) -> float:
        if distance == 0:
            return -0.5
        from ehbilayer.interaction.lattice_sums.potential import madelung_potential, madelung_slope

        # M ~ A^(-1/2) at fixed d / sqrt(A): dM/dlnA = -(M + d dM/dd) / 2
        m = madelung_potential(vectors, distance)
        return -0.5 * (1 + distance * madelung_slope(vectors, distance) / m)

    def capacitor(self, charge_product: float, distance: float, area: float) -> float:
        # v(q -> 0) = 2 pi (1/q - d): the finite part, for every pair across the layers.
        return -2 * np.pi * distance * charge_product / area
