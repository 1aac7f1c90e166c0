"""An interaction other than Coulomb's, for tests: charges in a medium with a Debye length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ehbilayer.interaction.base import Interaction


@dataclass(frozen=True)
class Yukawa(Interaction):
    """e^{-kappa r}/r, that is v(q) = (2 pi/K) e^{-K d} with K = sqrt(q^2 + kappa^2)."""

    name: ClassVar[str] = "yukawa"
    spacing: float = 0.0
    kappa: float = 0.1

    def v(self, q, a, b):
        q = np.asarray(q, dtype=float)
        k = np.sqrt(q * q + self.kappa**2)
        return np.where(q > 0, 2 * np.pi / k * np.exp(-k * self.distance(a, b)), 0.0)

    def long_wave(self, a, b):
        return 0.0, 2 * np.pi / self.kappa * np.exp(-self.kappa * self.distance(a, b))

    def zero_mode(self, vectors, a, b):
        """v(0)/A less the images: what makes the sum over q != 0 an integral."""
        area = abs(np.linalg.det(vectors))
        n = int(np.ceil(40 / self.kappa / np.sqrt(area))) + 1
        i, j = np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1))
        inside = np.linalg.norm(np.stack([i.ravel(), j.ravel()], axis=1) @ vectors, axis=1)
        r = np.sqrt(inside[inside > 0] ** 2 + self.distance(a, b) ** 2)
        return float(self.long_wave(a, b)[1] / area - np.sum(np.exp(-self.kappa * r) / r))
