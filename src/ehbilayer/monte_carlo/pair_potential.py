"""The interaction of two charges on the torus, as fast as a walk needs it: an exact short part and a table.

psi_d(r), the Ewald potential of zero average (`interaction.lattice_sums`), is divided at the radius L of the circle
inscribed in the Wigner-Seitz cell, with s^2 = r^2 + d^2 and p the Taylor polynomial of 1/s in r^2 about r = L:

    psi_d(r) = [1/s - p(r^2)] theta(L - r) + smooth_d(r),  p(x) = sum_m c_m (x - L^2)^m,
    c_m = binomial(-1/2, m) (L^2 + d^2)^{-1/2 - m}.

The bracket and its first ORDER derivatives vanish at L, so that only the nearest image counts, and smooth_d is smooth
everywhere and goes into a spline. No error function is left in the loop. The energy of all charges is

    V = sum_{i<j} z_i z_j psi(r_i - r_j) + 1/2 sum_i z_i^2 M(0),

the Madelung convention, which is the only one of a Monte Carlo calculation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from ehbilayer.interaction.base import Interaction
from ehbilayer.interaction.lattice_sums.potential import madelung_potential, potential
from ehbilayer.interaction.screened import Screened
from ehbilayer.monte_carlo.compiled import compiled
from ehbilayer.monte_carlo.splines import GRID, coefficients, grid_fractions, padded, spline_value
from ehbilayer.numerics.lattice import Cell, reduce_vectors

ORDER = 5  # of the polynomial p


class Box(NamedTuple):
    """A torus: ``cell`` and ``inverse`` of reduced vectors, the three shortest lattice vectors ``sides`` (3, 2), and
    ``radius`` of the circle inscribed in its Wigner-Seitz cell (a_h)."""

    cell: np.ndarray
    inverse: np.ndarray
    sides: np.ndarray
    radius: float


def box_of(cell: Cell) -> Box:
    """The box of a cell of any vectors."""
    a, _ = reduce_vectors(cell.vectors)
    third = a[0] - a[1] if a[0] @ a[1] > 0 else a[0] + a[1]
    sides = np.stack([a[0], a[1], third])
    return Box(np.ascontiguousarray(a), np.linalg.inv(a), sides, float(np.linalg.norm(sides, axis=1).min()) / 2)


class Potential(NamedTuple):
    """psi at each distance of layers: squared ``heights`` (n,), ``taylor`` (n, ORDER + 1), ``smooth`` tables."""

    heights: np.ndarray
    taylor: np.ndarray
    smooth: np.ndarray


def taylor(radius: float, distance: float) -> np.ndarray:
    """c_m of the polynomial p."""
    c = np.empty(ORDER + 1)
    c[0] = 1 / np.hypot(radius, distance)
    for m in range(1, ORDER + 1):
        # binomial(-1/2, m) = binomial(-1/2, m - 1) (1/2 - m)/m
        c[m] = c[m - 1] * (0.5 - m) / m * c[0] ** 2
    return c


def make_potential(box: Box, distances: list[float], grid: int = GRID) -> Potential:
    """The tables of psi at the ``distances`` (a_h) between layers, 0 among them for one layer."""
    return _tables(box, [(d, partial(potential, box.cell, distance=d), madelung_potential(box.cell, d))
                         for d in distances], grid)


def screened_potential(box: Box, interaction: Screened, layers: list[tuple[int, int]], grid: int = GRID) -> Potential:
    """The tables of psi between ``layers``, where gates make v(0) finite with its v(0)/A.

    v(r) differs from 1/s, at s^2 = r^2 + (s d)^2 with the stretch s of heights, by the images in the gates, which are
    smooth.
    """
    rows = []
    for a, b in layers:
        kernel, back = interaction.heat_kernel(a, b), interaction.mean(box.cell, a, b)
        rows.append((interaction.stretch * interaction.distance(a, b),
                     lambda r, kernel=kernel, back=back: kernel.potential(box.cell, r) + back,
                     kernel.madelung(box.cell) + back + interaction.beyond_coulomb(a, b)))
    return _tables(box, rows, grid)


def self_image(interaction: Interaction, box: Box, layer: int) -> float:
    """The potential (Ha_h) that a unit charge of a layer feels of its own images, with v(0)/A where that is finite."""
    if isinstance(interaction, Screened):
        return interaction.mean(box.cell, layer, layer) - interaction.zero_mode(box.cell, layer, layer)
    return madelung_potential(box.cell)


def _tables(box: Box, rows: Sequence[tuple[float, Callable[[np.ndarray], np.ndarray], float]], grid: int) -> Potential:
    """Of the distance, psi at displacements (n, 2), and psi - 1/s on the axis, for every kind of pair."""
    fractions = grid_fractions(grid).reshape(-1, 2)
    points = fractions @ box.cell
    shift = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), axis=-1).reshape(-1, 2)
    wrapped = (fractions - np.rint(fractions))[:, None] + shift
    r2 = np.min(np.sum((wrapped @ box.cell) ** 2, axis=-1), axis=1)
    tables, series = [], []
    for d, psi, axis in rows:
        c = taylor(box.radius, d)
        p = np.polynomial.polynomial.polyval(r2 - box.radius**2, c)
        smooth = np.empty(len(points))
        smooth[1:] = psi(points[1:])
        near = (r2 < box.radius**2) & (np.arange(len(points)) > 0)
        smooth[near] -= 1 / np.sqrt(r2[near] + d * d) - p[near]
        smooth[0] = axis + p[0]  # psi - 1/s on the axis of the charge
        tables.append(padded(coefficients(smooth.reshape(grid, grid))))
        series.append(c)
    return Potential(np.array([d for d, _, _ in rows]) ** 2, np.array(series), np.array(tables))


@compiled
def nearest(box, x, y):  # type: ignore[no-untyped-def]
    """The displacement (x, y) moved by lattice vectors to its shortest."""
    a, b, c = box.cell, box.inverse, box.sides
    u, v = x * b[0, 0] + y * b[1, 0], x * b[0, 1] + y * b[1, 1]
    u, v = u - math.floor(u + 0.5), v - math.floor(v + 0.5)
    x, y = u * a[0, 0] + v * a[1, 0], u * a[0, 1] + v * a[1, 1]
    for i in range(3):  # the corners of the parallelogram lie nearer to another lattice point
        along, half = x * c[i, 0] + y * c[i, 1], 0.5 * (c[i, 0] * c[i, 0] + c[i, 1] * c[i, 1])
        shift = (1.0 if along > half else 0.0) - (1.0 if along < -half else 0.0)
        x, y = x - shift * c[i, 0], y - shift * c[i, 1]
    return x, y


@compiled
def pair_potential(box, table, which, x, y):  # type: ignore[no-untyped-def]
    """psi (Ha_h) at the shortest displacement (x, y), between layers at the distance number ``which``."""
    b = box.inverse
    value = spline_value(table.smooth, which, x * b[0, 0] + y * b[1, 0], x * b[0, 1] + y * b[1, 1])
    r2, edge = x * x + y * y, box.radius * box.radius
    if r2 < edge:
        p, t = 0.0, r2 - edge
        for m in range(table.taylor.shape[1] - 1, -1, -1):
            p = p * t + table.taylor[which, m]
        value += 1 / math.sqrt(r2 + table.heights[which]) - p
    return value
