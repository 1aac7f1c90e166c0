r"""The splitting of 1/s behind all lattice sums: which vectors each half runs over, and the two halves themselves.

With s = sqrt(r^2 + d^2), a splitting length r0, x = k r0/2 and y = d/r0,

    short(s)  = erfc(s/r0) / s                                          summed over lattice vectors
    long(k)   = (pi/k) [e^{kd} erfc(x + y) + e^{-kd} erfc(x - y)]       summed over wave vectors
    back      = 2 pi [r0 e^{-y^2} / sqrt(pi) - d erfc(y)]               the cell integral of short

long(k) is the Fourier transform of erf(s/r0)/s. Where r0 = 0 it is the bare 2 pi e^{-kd}/k and nothing is short.
Lengths are in a_h, energies in Ha_h. Source: see `ewald`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erfc, erfcx

from ehbilayer.errors import InputError
from ehbilayer.numerics.lattice import Cell, reduce_vectors

TOLERANCE = 1e-14  # of potentials, in units of 1/sqrt(A)


@dataclass(frozen=True, eq=False)
class LatticeSum:
    """One splitting of the lattice sums over a cell: which vectors each half runs over.

    Parameters
    ----------
    vectors : reduced cell vectors as rows, shape (2, 2).
    area : cell area.
    splitting : r0, where the short part ends and the long part begins; 0 is the plain Fourier sum.
    images : lattice vectors of the short sum, shape (m, 2).
    waves : wave vectors of the long sum, one of each pair +-k, shape (w, 2).
    """

    vectors: np.ndarray
    area: float
    splitting: float
    images: np.ndarray
    waves: np.ndarray

    def wrap(self, displacements: np.ndarray) -> np.ndarray:
        """The same displacements, shape (n, 2), moved by lattice vectors into the cell around the origin."""
        fractions = displacements @ np.linalg.inv(self.vectors)
        return (fractions - np.rint(fractions)) @ self.vectors

    def kernel(self, distance: float) -> np.ndarray:
        """long(k) at the wave vectors, shape (w,), Ha_h a_h^2."""
        return long_part(np.linalg.norm(self.waves, axis=1), self.splitting, distance)

    def background(self, distance: float) -> float:
        """The constant that gives psi a zero average: the short part's cell integral over -A."""
        return background(self.splitting, distance, self.area)


def lattice_sum(vectors: np.ndarray, distance: float = 0.0, tolerance: float = TOLERANCE,
                splitting: float | None = None) -> LatticeSum:
    """Choose the splitting and the ranges that reach ``tolerance`` (in units of 1/sqrt(A)) at the least cost.

    Parameters
    ----------
    vectors : cell vectors as rows, shape (2, 2), a_h; any shape and handedness.
    distance : the smallest vertical distance that will be asked for.
    splitting : r0 in a_h, to choose it by hand.

    Raises
    ------
    InputError : dependent cell vectors, a negative distance, a tolerance not between 0 and 1.
    """
    cell = Cell(reduce_vectors(Cell(vectors).vectors)[0])
    if not (np.isfinite(distance) and distance >= 0):
        raise InputError("distance", "a finite length >= 0 (a_h)", distance, "give the distance between the layers")
    if splitting is not None and not (splitting > 0 or (splitting == 0 and distance > 0)):
        raise InputError("splitting", "a length > 0 (a_h), or 0 between layers", splitting, "leave it out")
    decades = decades_of(tolerance)
    softest = float(np.min(np.linalg.norm(cell.reciprocal, axis=1)))
    # r0 = sqrt(A/pi) makes both sums equally long
    r0 = np.sqrt(cell.area / np.pi) if splitting is None else splitting
    if splitting is None and decades < distance * (2 * np.sqrt(decades) / r0 - softest):
        r0 = 0.0
    largest = softest + decades / distance if r0 == 0 else 2 * np.sqrt(decades) / r0
    # a wrapped displacement can be half the cell's diagonal long; that much further the images must reach
    corner = 0.5 * max(np.linalg.norm(cell.vectors[0] + sign * cell.vectors[1]) for sign in (1, -1))
    reach = np.sqrt(max(decades * r0**2 - distance**2, 0.0))
    images = points_within(cell.vectors, reach + corner) if reach > 0 else np.zeros((int(r0 > 0), 2))
    waves = points_within(cell.reciprocal, max(largest, softest * (1 + 1e-9)))
    half = (waves[:, 1] > 0) | ((waves[:, 1] == 0) & (waves[:, 0] > 0))
    return LatticeSum(cell.vectors, cell.area, float(r0), images, waves[half])


def decades_of(tolerance: float) -> float:
    """Both sums are cut where their terms are e^-decades. Raises InputError for a tolerance not between 0 and 1."""
    if not 0 < tolerance < 1:
        raise InputError("tolerance", "between 0 and 1", tolerance, "1e-14 is what 64-bit arithmetic can hold")
    return float(np.log(1 / tolerance) + 2)


# -- the two halves --


def short_part(s: np.ndarray, r0: float) -> tuple[np.ndarray, np.ndarray]:
    """f(s) = erfc(s/r0)/s and f'(s)/s, the factor of r in its gradient."""
    f = erfc(s / r0) / s
    return f, -(f + 2 / (np.sqrt(np.pi) * r0) * np.exp(-((s / r0) ** 2))) / s**2


def short_curvature(s: np.ndarray, r0: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """f, f1 = f'/s and f2 = f1'/s: the second derivatives of f are f1 delta_ab + f2 r_a r_b."""
    gauss = 2 / (np.sqrt(np.pi) * r0) * np.exp(-((s / r0) ** 2))
    f = erfc(s / r0) / s
    f1 = -(f + gauss) / s**2
    return f, f1, (2 / r0**2 * gauss - 3 * f1) / s**2


def long_part(k: np.ndarray, r0: float, d: float) -> np.ndarray:
    """long(k) in Ha_h a_h^2 at wave numbers k > 0; 2 pi e^{-kd}/k without a splitting (r0 = 0)."""
    upward, downward = exponentials(k, r0, d)
    return np.pi / k * (upward + downward)


def long_slope(k: np.ndarray, r0: float, d: float) -> tuple[np.ndarray, np.ndarray]:
    """long(k) and its derivative by k."""
    upward, downward = exponentials(k, r0, d)
    value = np.pi / k * (upward + downward)
    gauss = 2 * r0 / np.sqrt(np.pi) * np.exp(-((k * r0 / 2) ** 2) - (d / r0) ** 2) if r0 else 0.0
    return value, np.pi / k * (d * (upward - downward) - gauss) - value / k


def exponentials(k: np.ndarray, r0: float, d: float) -> tuple[np.ndarray, np.ndarray]:
    """e^{kd} erfc(k r0/2 + d/r0) and e^{-kd} erfc(k r0/2 - d/r0), without overflow at large kd."""
    if r0 == 0:
        return np.zeros_like(k), 2 * np.exp(-k * d)
    x, y = k * r0 / 2, d / r0
    return np.exp(-x * x - y * y) * erfcx(x + y), np.exp(-k * d) * erfc(x - y)


def background(r0: float, d: float, area: float) -> float:
    """The constant that gives the potential of a layer a zero average: -back/A."""
    if r0 == 0:
        return 0.0
    y = d / r0
    return -2 * np.pi * r0 * float(np.exp(-y * y) / np.sqrt(np.pi) - y * erfc(y)) / area


# -- geometry and checks --


def points_within(basis: np.ndarray, radius: float) -> np.ndarray:
    """All integer combinations of the rows of ``basis`` no longer than ``radius``, shape (n, 2), with the origin."""
    n = np.floor(radius * np.linalg.norm(np.linalg.inv(basis), axis=0) + 1e-9).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in n), indexing="ij"), axis=-1).reshape(-1, 2)
    points = grid @ basis
    return points[np.sum(points * points, axis=1) <= radius**2]


def planar(name: str, points: np.ndarray) -> np.ndarray:
    """The points as an array (n, 2). Raises InputError for another shape and for numbers that are not finite."""
    array = np.asarray(points, dtype=float)
    if array.ndim != 2 or array.shape[1] != 2 or not np.all(np.isfinite(array)):
        raise InputError(name, "finite, of shape (n, 2), in a_h", array.shape, "give one row [x, y] per point")
    return array


def per_charge(name: str, values: np.ndarray, n: int) -> np.ndarray:
    """The numbers as an array (n,). Raises InputError for another shape and for numbers that are not finite."""
    array = np.asarray(values, dtype=float)
    if array.shape != (n,) or not np.all(np.isfinite(array)):
        raise InputError(name, f"finite, of shape ({n},)", array.shape, "give one number per position")
    return array


def coincident(name: str) -> InputError:
    """The error for two charges at one point."""
    return InputError(name, "off the charge itself", 0.0,
                      "separate the charges; the potential on a charge without its own is madelung_potential")
