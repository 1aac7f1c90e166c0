"""Interactions averaged over Gaussians of the plane: f(c) = <v(r)> with variance c in each direction, and its slopes.

The distance of a pair in a product of two correlated Gaussians is a Gaussian, so that all matrix elements are made of f
and its derivatives. With f' = df/dc the moment <r^2 v> is 2 c (f + c f').
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from ehbilayer.interaction.screened import Screened

DEGREE, WIDTH = 10, 0.5  # of the polynomials in ln c, and how much of ln c each serves
RANGE = (1e-20, 1e20)  # of c, a_h^2


class Mean(Protocol):
    """f(c) of a pair and what follows from it; ``c`` of any shape in a_h^2."""

    def value(self, c: np.ndarray) -> np.ndarray:
        """f."""
        ...

    def slope(self, c: np.ndarray, f: np.ndarray) -> np.ndarray:
        """df/dc."""
        ...

    def square(self, c: np.ndarray, f: np.ndarray) -> np.ndarray:
        """<r^2 v>."""
        ...

    def square_slope(self, c: np.ndarray, f: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Its derivative by c."""
        ...


@dataclass(frozen=True)
class CoulombMean:
    """Of 1/sqrt(r^2 + d^2) at the distance d (a_h): f = sqrt(pi/2c) erfcx(d/sqrt(2c))."""

    distance: float

    def value(self, c: np.ndarray) -> np.ndarray:
        from scipy.special import erfcx

        f = np.asarray(np.sqrt(np.pi / (2 * c)))
        return f * erfcx(self.distance / np.sqrt(2 * c)) if self.distance else f

    def slope(self, c: np.ndarray, f: np.ndarray) -> np.ndarray:
        # df/dc = -(f (c + d^2) - d) / 2c^2
        return np.asarray(-(f * (c + self.distance**2) - self.distance) / (2 * c**2))

    def square(self, c: np.ndarray, f: np.ndarray) -> np.ndarray:
        d = self.distance
        return np.asarray(d + (c - d * d) * f)

    def square_slope(self, c: np.ndarray, f: np.ndarray, slope: np.ndarray) -> np.ndarray:
        d = self.distance
        return np.asarray(f + (c - d * d) * slope)


@dataclass(frozen=True, eq=False)
class TabulatedMean:
    """Of an interaction that is a sum of Gaussians: polynomials of ln c in equal intervals.

    table : coefficients (DEGREE + 1, intervals), highest power first, in the distance of ln c from the middle of its
    interval, of c f; and those of its first two derivatives.
    """

    table: tuple[np.ndarray, np.ndarray, np.ndarray]

    @classmethod
    def of(cls, t: np.ndarray, weight: np.ndarray) -> TabulatedMean:
        """Of v(q) = sum weight e^{-q^2 t}: f = sum weight/(2 pi (c + 2t))."""
        ends = np.log(np.array(RANGE))
        middles = np.arange(ends[0], ends[1], WIDTH) + WIDTH / 2
        nodes = WIDTH / 2 * np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
        c = np.exp(middles[:, None] + nodes)
        # c f: neither Coulomb's tail nor v(0)/2 pi c of a short range makes it small
        values = c * ((1 / (c[..., None] + 2 * t)) @ weight) / (2 * np.pi)
        fit = np.linalg.inv(np.vander(nodes / WIDTH, DEGREE + 1))
        plain = values @ fit.T / WIDTH ** np.arange(DEGREE, -1, -1)
        one = plain[:, :-1] * np.arange(DEGREE, 0, -1)
        two = one[:, :-1] * np.arange(DEGREE - 1, 0, -1)
        return cls((np.ascontiguousarray(plain.T), np.ascontiguousarray(one.T), np.ascontiguousarray(two.T)))

    def _at(self, c: np.ndarray, order: int) -> np.ndarray:
        """d^order (c f)/d(ln c)^order."""
        x = (np.log(c) - np.log(RANGE[0])) / WIDTH
        table = self.table[order]
        which = np.clip(x.astype(int), 0, table.shape[1] - 1)
        y = (x - which - 0.5) * WIDTH
        total = table[0].take(which)
        for row in table[1:]:  # in place: most of the time of a screened complex is spent here
            total *= y
            total += row.take(which)
        return np.asarray(total)

    def value(self, c: np.ndarray) -> np.ndarray:
        return self._at(c, 0) / c

    def slope(self, c: np.ndarray, f: np.ndarray) -> np.ndarray:
        # g = c f: f' = (dg/dlnc - g)/c^2
        return (self._at(c, 1) / c - f) / c

    def square(self, c: np.ndarray, f: np.ndarray) -> np.ndarray:
        # 2 c (f + c f') = 2 dg/dlnc
        return 2 * self._at(c, 1)

    def square_slope(self, c: np.ndarray, f: np.ndarray, slope: np.ndarray) -> np.ndarray:
        return 2 * self._at(c, 2) / c


@lru_cache(maxsize=64)
def mean_of(interaction: Screened | None, distance: float, a: int, b: int) -> Mean:
    """That of layers a and b, ``distance`` apart (a_h), in Coulomb's interaction (None) or a screened one."""
    if interaction is None:
        return CoulombMean(distance)
    if (stretched := interaction.coulomb_distance(a, b)) is not None:
        return CoulombMean(stretched)
    kernel = interaction.heat_kernel(a, b)
    return TabulatedMean.of(kernel.t, kernel.weight)
