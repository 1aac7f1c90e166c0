r"""Equations of state f(n_e, n_h) in sheets, smooth in x and y, the densities of what they are made of.

    n = B (x, y):    electrons and holes,  or  pairs and electrons,  or  pairs and holes,

so that the kink of f at n_e = n_h is an edge of two sheets, and phases that compete are sheets of their own. Every
energy is a function of u = sqrt(x): liquids have terms x^{3/2}, and a grid that is even in u is fine where x is small.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

NODES = 96  # of each axis, where the lowest minimum is looked for
DEGREE = 5  # of splines: x^2 = u^4 is exact
FLOOR = 1e-7  # of the largest u, below which x counts as 0
INSULATOR, ELECTRONS, HOLES, PLASMA, EMPTY = "exciton insulator", "electrons", "holes", "plasma", "empty"
MATRICES = {"carriers": np.eye(2), "electrons": np.array([[1.0, 1.0], [1.0, 0.0]]),
            "holes": np.array([[1.0, 0.0], [1.0, 1.0]]), "holes alone": np.array([[0.0, 1.0], [1.0, 0.0]])}
Derivatives = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class Energy(ABC):
    """f(x, y) in Ha_h/a_h^2."""

    @abstractmethod
    def derivatives(self, x: np.ndarray, y: np.ndarray) -> Derivatives:
        """f, f_x, f_y, f_xx, f_xy, f_yy, each of the shape of x and y."""


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """f(n) = n e(sqrt n) + heat n ln n of one density, e by a spline through ``e`` at ``u``.

    heat : the ideal part of a gas at a temperature, which no spline follows, Ha_h.
    """

    u: np.ndarray
    e: np.ndarray
    heat: float = 0.0
    degree: int = DEGREE

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import make_interp_spline

        return make_interp_spline(self.u, self.e, k=min(self.degree, len(self.u) - 1))

    def __call__(self, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """f, df/dn, d^2f/dn^2."""
        u = np.maximum(np.sqrt(n), FLOOR * self.u[-1])
        x, (e, one, two) = u * u, (self._spline(u, nu) for nu in range(3))
        log, h = np.log(x), self.heat
        return n * (e + h * log), e + u * one / 2 + h * (log + 1), 0.75 * one / u + two / 4 + h / x


@final
@dataclass(frozen=True, eq=False)
class Apart(Energy):
    """Two curves whose carriers do not see each other but for the capacitor; without the second x is alone."""

    first: Curve
    second: Curve | None

    def derivatives(self, x: np.ndarray, y: np.ndarray) -> Derivatives:
        f, fx, fxx = self.first(x)
        if self.second is None:
            zero = np.zeros_like(f)
            return f, fx, zero, fxx, zero, zero
        g, gy, gyy = self.second(y)
        return f + g, fx, gy, fxx, np.zeros_like(f), gyy


@final
@dataclass(frozen=True, eq=False)
class Together(Energy):
    """f on a grid of (u, v) = (sqrt x, sqrt y)."""

    u: np.ndarray
    v: np.ndarray
    f: np.ndarray

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import RectBivariateSpline

        degrees = (min(DEGREE, len(axis) - 1) for axis in (self.u, self.v))
        return RectBivariateSpline(self.u, self.v, self.f, **dict(zip(("kx", "ky"), degrees, strict=True)))

    def by_roots(self, x: np.ndarray, y: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], Derivatives]:
        """(u, v), and the values with their slopes by these."""
        u, v = (np.maximum(np.sqrt(n), 1e-3 * axis[1]) for n, axis in ((x, self.u), (y, self.v)))
        f, fu, fv, fuu, fuv, fvv = (self._spline.ev(u, v, i, j) for i, j in
                                    ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)))
        return (u, v), (f, fu, fv, fuu, fuv, fvv)

    def derivatives(self, x: np.ndarray, y: np.ndarray) -> Derivatives:
        (u, v), (f, fu, fv, fuu, fuv, fvv) = self.by_roots(x, y)
        return f, fu / (2 * u), fv / (2 * v), (fuu - fu / u) / (4 * u * u), fuv / (4 * u * v), \
            (fvv - fv / v) / (4 * v * v)


@final
@dataclass(frozen=True, eq=False)
class Coupled(Energy):
    """Two curves and x y g, with g on a grid of roots: what x and y do to each other begins with their product."""

    alone: Apart
    g: Together

    def derivatives(self, x: np.ndarray, y: np.ndarray) -> Derivatives:
        (u, v), (g, gu, gv, guu, guv, gvv) = self.g.by_roots(x, y)
        mine = (x * y * g, y * (g + u * gu / 2), x * (g + v * gv / 2), y * (0.75 * gu / u + guu / 4),
                g + (u * gu + v * gv) / 2 + u * v * guv / 4, x * (0.75 * gv / v + gvv / 4))
        f, fx, fy, fxx, fxy, fyy = (a + b for a, b in zip(self.alone.derivatives(x, y), mine, strict=True))
        return f, fx, fy, fxx, fxy, fyy


@final
@dataclass(frozen=True, eq=False)
class Sheet:
    """One sheet of an equation of state.

    Parameters
    ----------
    made_of : ``carriers`` (x electrons, y holes), ``holes alone`` (x holes), ``electrons`` or ``holes`` (x pairs, y of
        these).
    energy : f(x, y).   u, v : square roots of the densities it is known at; v of one 0 for x alone.
    names : of the phase with both, with x alone, with y alone.
    known : where on (u, v) it is known, (n, m); None: everywhere.   paired : densities of x between which there are
        pairs; others are plasma.
    """

    made_of: str
    energy: Energy
    u: np.ndarray
    v: np.ndarray
    names: tuple[str, str, str]
    known: np.ndarray | None = None
    paired: tuple[float, float] | None = None

    @property
    def matrix(self) -> np.ndarray:
        """B (2, 2)."""
        return MATRICES[self.made_of]

    @cached_property
    def grid(self) -> np.ndarray:
        """f on (u, v); infinite where it is not known."""
        x, y = np.meshgrid(self.u**2, self.v**2, indexing="ij")
        f = np.where((x == 0) & (y == 0), 0.0, self.energy.derivatives(x, y)[0])
        return f if self.known is None else np.where(self.known, f, np.inf)


def pair_sheet(pairs: Curve, excess: Curve | None, made_of: str, largest: float,
               paired: tuple[float, float] | None = None) -> Sheet:
    """Pairs, with what one of the layers holds beyond them where there is such a curve."""
    axis = np.linspace(0.0, largest, NODES)
    alone = ELECTRONS if made_of == "electrons" else HOLES
    return Sheet(made_of, Apart(pairs, excess), axis, axis if excess is not None else np.zeros(1),
                 (f"excitons and {alone}", INSULATOR, alone), paired=paired)


def carrier_sheet(electrons: Curve, holes: Curve, largest: float) -> Sheet:
    """Electrons and holes that do not see each other."""
    axis = np.linspace(0.0, largest, NODES)
    return Sheet("carriers", Apart(electrons, holes), axis, axis, (PLASMA, ELECTRONS, HOLES))
