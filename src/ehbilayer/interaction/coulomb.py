"""The bare Coulomb interaction between point charges in layers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ehbilayer.errors import InputError, is_number
from ehbilayer.interaction.base import Interaction

BEND = 1e-3  # of lengths, relative: exponents change little, so that central differences do


@dataclass(frozen=True)
class Coulomb(Interaction):
    """v(q) = 2 pi exp(-q d)/q, v(r) = 1/sqrt(r^2 + d^2) between layers at distance d.

    Parameters
    ----------
    spacing : between neighbouring layers in a_h, >= 0.

    Raises
    ------
    InputError : a spacing that is negative or not finite.
    """

    spacing: float = 0.0
    name = "coulomb"

    def __post_init__(self) -> None:
        if not (is_number(self.spacing) and 0 <= self.spacing < math.inf):
            raise InputError("spacing", "a finite length >= 0 (a_h)", self.spacing, "give the distance between layers")

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        safe = np.where(q > 0, q, 1.0)
        # v(q) = 2 pi e^{-q d} / q
        return np.where(q > 0, 2 * np.pi * np.exp(-safe * self.distance(a, b)) / safe, 0.0)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        # v(q -> 0) = 2 pi (1/q - d)
        return 2 * np.pi, -2 * np.pi * self.distance(a, b)

    def coulomb_distance(self, a: int, b: int) -> float | None:
        return self.distance(a, b)

    def area_exponent(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        # v/A ~ exp(-q d)/(q A) with q ~ A^(-1/2): the exponent is -1 + 1/2 + q d/2
        return -0.5 + 0.5 * q * self.distance(a, b)

    def area_bend(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        # d/dlnA of q d/2
        return -0.25 * np.asarray(q, dtype=float) * self.distance(a, b)

    def real_space(self, r: np.ndarray, a: int, b: int) -> np.ndarray:
        return np.asarray(1 / np.hypot(r, self.distance(a, b)))

    def zero_mode(self, vectors: np.ndarray, a: int, b: int) -> float:
        from ehbilayer.interaction.lattice_sums.potential import madelung_potential  # most runs never need the sums

        # -[psi(0) - self], self = 1/r in the same layer, 1/d in the other (Fraser et al., PRB 53, 1814)
        return -madelung_potential(vectors, self.distance(a, b))

    def zero_mode_area_exponent(self, vectors: np.ndarray, a: int, b: int) -> float:
        distance = self.distance(a, b)
        if distance == 0:
            return -0.5
        from ehbilayer.interaction.lattice_sums.potential import madelung_potential, madelung_slope

        # M ~ A^(-1/2) at fixed d / sqrt(A): dM/dlnA = -(M + d dM/dd) / 2
        m = madelung_potential(vectors, distance)
        return -0.5 * (1 + distance * madelung_slope(vectors, distance) / m)

    def zero_mode_area_bend(self, vectors: np.ndarray, a: int, b: int) -> float:
        up, down = (self.zero_mode_area_exponent(vectors * (1 + t), a, b) for t in (BEND, -BEND))
        return (up - down) / (4 * BEND)  # lnA = 2 ln(length)
