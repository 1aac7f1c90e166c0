r"""Derivatives of an interaction by the area of the torus, at fixed integer wave vectors.

With a = ln A, w = v(q)/A has dw/da = s w with the exponent s = `Interaction.area_exponent`, so
d^2w/da^2 = (s^2 + ds/da) w. A derivative of an energy functional is therefore the same functional with other tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ehbilayer.interaction.base import Interaction


@dataclass(frozen=True)
class AreaDerivative(Interaction):
    """d^order/d(ln A)^order of v(q)/A and of the zero-mode element of another interaction; order 1 or 2."""

    base: Interaction
    order: int
    name = "derivative"

    @property
    def spacing(self) -> float:  # type: ignore[override]
        """That of the base."""
        return self.base.spacing

    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        slope = self.base.area_exponent(q, a, b)
        factor = slope if self.order == 1 else slope**2 + self.base.area_bend(q, a, b)
        return np.asarray(self.base.v(q, a, b) * factor)

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        raise NotImplementedError("the derivative of an interaction has no limit of its own")

    def zero_mode(self, vectors: np.ndarray, a: int, b: int) -> float:
        value, slope = self.base.zero_mode(vectors, a, b), self.base.zero_mode_area_exponent(vectors, a, b)
        if self.order == 1:
            return value * slope
        return value * (slope**2 + self.base.zero_mode_area_bend(vectors, a, b))

    def element(self, zero_mode: str, vectors: np.ndarray, a: int, b: int) -> float:
        if zero_mode == "madelung":
            return self.zero_mode(vectors, a, b)
        value = self.base.element(zero_mode, vectors, a, b)
        return -value if self.order == 1 else value  # v(0)/A


def area_derivative(interaction: Interaction, order: int) -> Interaction:
    """The interaction itself (order 0), or its derivative by ln A."""
    return AreaDerivative(interaction, order) if order else interaction
