r"""Derivatives of an interaction by the area of the torus, at fixed integer wave vectors.

With a = ln A, w = v(q)/A has dw/da = s w with the exponent s = `Interaction.area_exponent`, so
d^2w/da^2 = (s^2 + ds/da) w. A derivative of an energy functional is therefore the same functional with other tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ehbilayer.interaction.base import Interaction

STEP = 1e-3  # of q and of lengths, relative: exponents are constant or linear in q, so central differences are exact


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
        return np.asarray(self.base.v(q, a, b) * (slope if self.order == 1 else slope**2 + self._bend(q, a, b)))

    def _bend(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        """d(exponent)/dlnA = -(q/2) d(exponent)/dq, as q ~ A^{-1/2}."""
        up, down = (self.base.area_exponent(q * (1 + t), a, b) for t in (STEP, -STEP))
        return np.asarray(-(up - down) / (4 * STEP))

    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        raise NotImplementedError("the derivative of an interaction has no limit of its own")

    def zero_mode(self, vectors: np.ndarray, a: int, b: int) -> float:
        value, slope = self.base.zero_mode(vectors, a, b), self.base.zero_mode_area_exponent(vectors, a, b)
        if self.order == 1:
            return value * slope
        up, down = (self.base.zero_mode_area_exponent(vectors * (1 + t), a, b) for t in (STEP, -STEP))
        return value * (slope**2 + (up - down) / (4 * STEP))  # lnA = 2 ln(length)


def area_derivative(interaction: Interaction, order: int) -> Interaction:
    """The interaction itself (order 0), or its derivative by ln A."""
    return AreaDerivative(interaction, order) if order else interaction
