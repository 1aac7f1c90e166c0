"""The interaction of unit charges in layers: v_ab(q) and v_ab(r), their limits, their change with the area.

Layer l lies at the height l times the spacing. All quantities are in hole atomic units. An interaction of your own is
a frozen dataclass with `spacing`, `v` and `long_wave`; what a method needs beyond follows from these by the defaults
below, or the method refuses the interaction by name (`require_coulomb`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from ehbilayer.errors import InputError

STEP = 0.02  # of ln q and ln A, for the slopes of an interaction that does not give its own
TINY, HUGE = 1e-8, 1e6  # wave numbers (1/a_h) at which the limits of an interaction of one's own are looked at
LIMIT = 1e-3  # by how much they may be missed there
FIRST = np.array([-1, 9, -45, 0, 45, -9, 1]) / 60
SECOND = np.array([2, -27, 270, -490, 270, -27, 2]) / 180


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

    def coulomb_distance(self, a: int, b: int) -> float | None:
        """The distance (a_h) at which point charges have this interaction, v = (2 pi/q) e^{-q distance}; None where it
        is another one."""
        return None

    @property
    def finite(self) -> bool:
        """Whether v(q -> 0) is finite, as between metal gates: v(0) is then no convention, and counts everywhere."""
        return self.long_wave(0, 0)[0] == 0

    def area_exponent(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        """d ln(v(q)/A) / d ln A when the torus is scaled at fixed integer wave vectors: -1 - (1/2) d ln v/d ln q."""
        # an interaction that has died out does not change with the area
        return np.asarray(-1 - 0.5 * self._slopes(q, a, b)[0])

    def area_bend(self, q: np.ndarray, a: int, b: int) -> np.ndarray:
        """d(exponent)/d ln A of that exponent, (1/4) d^2 ln v/d(ln q)^2."""
        return np.asarray(0.25 * self._slopes(q, a, b)[1])

    def _slopes(self, q: np.ndarray, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
        """First and second derivative of ln v by ln q, by differences of sixth order; 0 where v is."""
        q = np.asarray(q, dtype=float)
        safe = np.where(q > 0, q, 1.0)
        v = self.v(safe, a, b)
        one, two = differences(lambda t: self.v(safe * np.exp(t), a, b), v)
        one, two = (np.divide(x, v, out=np.zeros_like(v), where=v != 0) for x in (one, two))
        return one, two - one**2

    def real_space(self, r: np.ndarray, a: int, b: int) -> np.ndarray:
        """v_ab(r) in Ha_h at in-plane distances ``r`` (a_h). Raises InputError where it is not known."""
        raise unknown(self, "in real space", "real_space")

    def zero_mode(self, vectors: np.ndarray, a: int, b: int) -> float:
        """The Madelung element v(0)/A (Ha_h) of exchange or pairing on the torus spanned by the rows of ``vectors``.

        Raises InputError where it is not known.
        """
        raise unknown(self, "at zero_mode = madelung", "zero_mode")

    def zero_mode_area_exponent(self, vectors: np.ndarray, a: int, b: int) -> float:
        """d ln |v(0)/A| / d ln A of that element, by a difference of sixth order."""
        return self._zero_mode_slopes(vectors, a, b)[0]

    def zero_mode_area_bend(self, vectors: np.ndarray, a: int, b: int) -> float:
        """d^2 ln |v(0)/A| / d(ln A)^2 of that element."""
        one, two = self._zero_mode_slopes(vectors, a, b)
        return two - one**2

    def _zero_mode_slopes(self, vectors: np.ndarray, a: int, b: int) -> tuple[float, float]:
        value = self.zero_mode(vectors, a, b)
        one, two = differences(lambda t: np.array(self.zero_mode(vectors * np.exp(t / 2), a, b)), np.array(value))
        return float(one / value), float(two / value)

    def element(self, zero_mode: str, vectors: np.ndarray, a: int, b: int) -> float:
        """The q = 0 element (Ha_h) of exchange or pairing in the convention ``none`` or ``madelung``.

        Where v(0) is finite it is v(0)/A in both, in ``madelung`` less the images of the charge, sum_{R != 0} v(R).
        """
        if zero_mode == "madelung":
            return self.zero_mode(vectors, a, b)
        return self.mean(vectors, a, b)

    def mean(self, vectors: np.ndarray, a: int, b: int) -> float:
        """v(0)/A (Ha_h), the mean over the torus, where it is finite; else 0, as the background makes it."""
        return self.long_wave(a, b)[1] / abs(float(np.linalg.det(vectors))) if self.finite else 0.0

    def charging(self, layers: Sequence[tuple[int, float]], area: float) -> float:
        """Geometric q -> 0 energy (Ha_h) of uniformly charged layers, (layer, total charge) each.

        Where v(0) is finite it is 1/2 sum_ab Q_a Q_b v_ab(0)/A. Else every layer has its own neutralising background
        and sum_{a<b} Q_a Q_b [h_ab - (h_aa + h_bb)/2]/A is left, 2 pi d Q^2/A of two opposite layers.
        """
        h, total = {(a, b): self.long_wave(a, b)[1] for a, _ in layers for b, _ in layers}, 0.0
        for i, (a, one) in enumerate(layers):
            if self.finite:
                total += 0.5 * one * one * h[a, a]
            total += sum(one * two * (h[a, b] - (0 if self.finite else (h[a, a] + h[b, b]) / 2))
                         for b, two in layers[:i])
        return total / area

    @property
    def parameters(self) -> dict[str, Any]:
        """What a result says about the interaction: its name and all that its dataclass was made with."""
        given = asdict(self) if is_dataclass(self) and not isinstance(self, type) else {"spacing": self.spacing}
        told = {key: getattr(value, "__qualname__", repr(value)) if callable(value) else value
                for key, value in given.items()}
        return {"name": self.name, **told}


def differences(f: Callable[[float], np.ndarray], centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of f at 0, where it is ``centre``, of sixth order in STEP."""
    one, two = np.zeros_like(centre), SECOND[3] * centre
    for i, (first, second) in enumerate(zip(FIRST, SECOND, strict=True)):
        if i != 3:
            value = f((i - 3) * STEP)
            one, two = one + first * value, two + second * value
    return one / STEP, two / STEP**2


def check_limits(interaction: Interaction, layers: tuple[int, ...]) -> None:
    """Raise InputError for a v_ab(q) of one's own that cannot be one: not finite, negative as a matrix of the layers,
    without decay at large q, or with another limit q -> 0 than its `long_wave` says."""
    def wrong(must: str, was: object, todo: str) -> InputError:
        return InputError("interaction", f"{must} for {interaction.name}", was, todo)

    q = np.array([TINY, *np.geomspace(1e-3, HUGE, 37)])
    v = np.empty((len(layers), len(layers), len(q)))
    for i, a in enumerate(layers):
        for j, b in enumerate(layers):
            found = np.asarray(interaction.v(q, a, b))
            if found.shape != q.shape or not np.all(np.isfinite(found)):
                raise wrong("finite v(q) of the shape of q", found.shape, f"v of layers {a} and {b} is not")
            c, h = interaction.long_wave(a, b)
            if not abs(found[0] - c / TINY - h) <= LIMIT * (1 + abs(h)) + 1e-12 * abs(c) / TINY:
                raise wrong(f"c/q + h at q -> 0 with the long_wave of layers {a} and {b}", (c, h),
                            f"v({TINY:g}) is {found[0]:.6g}: correct v or long_wave")
            v[i, j] = found
    if np.abs(v[..., -1]).max() > LIMIT * np.abs(v).max():
        raise wrong("v(q) -> 0 at large q", f"{v[..., -1].max():.3g} at q = {HUGE:g}", "point charges need 1/q")
    for k in range(len(q)):
        lowest = float(np.linalg.eigvalsh(v[..., k])[0])
        if lowest < -1e-9 * np.abs(v[..., k]).max():
            raise wrong("a matrix v_ab(q) >= 0 of the layers", f"{lowest:.3g} at q = {q[k]:.3g}",
                        "charges would gain energy from waves of charge without end")


def refuse_capacitor(interaction: Interaction, capacitor: bool) -> None:
    """Raise InputError where the energy of charged layers is asked for, and a finite v(0) holds it already."""
    if capacitor and interaction.finite:
        raise InputError("capacitor", "absent with gates, whose v(0) holds the energy of charged layers", True,
                         "leave it out: it counts as it is")


def unknown(interaction: Interaction, where: str, method: str) -> InputError:
    """The error for an interaction that lacks what a calculation asks of it."""
    return InputError("interaction", f"one that is known {where}", interaction.name,
                      f"define {type(interaction).__name__}.{method}, or use another interaction")


def require_known(interaction: Interaction, method: str) -> None:
    """Raise InputError unless the interaction is Coulomb's or a screened one, by the name of the method."""
    if interaction.name not in ("coulomb", "screened"):
        raise InputError("interaction", f"coulomb or screened for {method}", interaction.name,
                         f"{method} cannot treat another interaction; a torus (Hartree-Fock, condensate) can")


def require_coulomb(interaction: Interaction, method: str) -> None:
    """Raise InputError unless the interaction is the bare Coulomb one, by the name of the method that needs it."""
    if interaction.name != "coulomb":
        raise InputError("interaction", f"coulomb for {method}", interaction.name,
                         f"{method} cannot treat another interaction yet; a torus (Hartree-Fock, condensate) can")
