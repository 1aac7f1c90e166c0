"""The interaction of unit charges in layers: v_ab(q) and v_ab(r), their limits, their change with the area.

Layer l lies at the height l times the spacing. All quantities are in hole atomic units. An interaction of your own is
a frozen dataclass with `spacing`, `v` and `long_wave`; what a method needs beyond follows from these by the defaults
below, or the method refuses the interaction by name (`require_coulomb`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from ehbilayer.errors import InputError

STEP = 1e-4  # of ln q, for the slope of an interaction that does not give its own


class Interaction(ABC):
    """v_ab(q) between unit charges in layers a and b.

    Attributes
    ----------
    name : how results and messages call it.   spacing : between neighbouring layers, a_h.
    """

    name: str = "own"
    spacing: float

    @abstractmethod
    def v(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        """v_ab(q) in Ha_h a_h^2 at wave numbers ``q`` (1/a_h); zero at q = 0 by convention."""

    @abstractmethod
    def long_wave(self, a: int, b: int) -> tuple[float, float]:
        """(c, h) of v_ab(q -> 0) = c/q + h + O(q): (2 pi, -2 pi d) for Coulomb, c = 0 between metal gates."""

    def distance(self, a: int, b: int) -> float:
        """Vertical distance of two layers in a_h."""
        return abs(a - b) * self.spacing

    def area_exponent(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        """d ln(v(q)/A) / d ln A when the torus is scaled at fixed integer wave vectors: -1 - (1/2) d ln v/d ln q."""
        q = np.asarray(q, dtype=float)
        safe = np.where(q > 0, q, 1.0)
        down, v, up = (self.v(safe * np.exp(t), a, b) for t in (-STEP, 0.0, STEP))
        # an interaction that has died out does not change with the area
        return np.asarray(-1 - np.divide(up - down, 4 * STEP * v, out=np.zeros_like(v), where=v != 0))

    def real_space(self, r: np.ndarray, a: int, b: int) -> np.ndarray:
        """v_ab(r) in Ha_h at in-plane distances ``r`` (a_h). Raises InputError where it is not known."""
        raise unknown(self, "in real space", "real_space")

    def zero_mode(self, vectors: np.ndarray, a: int, b: int) -> float:
        """The Madelung element v(0)/A (Ha_h) of exchange or pairing on the torus spanned by the rows of ``vectors``.

        Raises InputError where it is not known.
        """
        raise unknown(self, "at zero_mode = madelung", "zero_mode")

    def zero_mode_area_exponent(self, vectors: np.ndarray, a: int, b: int) -> float:
        """d ln |v(0)/A| / d ln A of that element, by a central difference."""
        up, down = (abs(self.zero_mode(vectors * np.exp(t / 2), a, b)) for t in (STEP, -STEP))
        return float(np.log(up / down) / (2 * STEP))

    def capacitor(self, charge_product: float, a: int, b: int, area: float) -> float:
        """Geometric q -> 0 energy (Ha_h) of two layers whose total charges multiply to ``charge_product``: h/A each."""
        return self.long_wave(a, b)[1] * charge_product / area

    @property
    def parameters(self) -> dict[str, Any]:
        """What a result says about the interaction: its name and all that its dataclass was made with."""
        given = asdict(self) if is_dataclass(self) and not isinstance(self, type) else {"spacing": self.spacing}
        return {"name": self.name, **given}


def unknown(interaction: Interaction, where: str, method: str) -> InputError:
    """The error for an interaction that lacks what a calculation asks of it."""
    return InputError("interaction", f"one that is known {where}", interaction.name,
                      f"define {type(interaction).__name__}.{method}, or use another interaction")


def require_coulomb(interaction: Interaction, method: str) -> None:
    """Raise InputError unless the interaction is the bare Coulomb one, by the name of the method that needs it."""
    if interaction.name != "coulomb":
        raise InputError("interaction", f"coulomb for {method}", interaction.name,
                         f"{method} cannot treat another interaction yet; a torus (Hartree-Fock, condensate) can")
