"""The interaction of two charges on the torus, as fast as a walk needs it: an exact short part and a table.

psi_d(r), the Ewald potential of zero average (`interaction.lattice_sums`), is divided at the radius L of the circle
inscribed in the Wigner-Seitz cell, with s^2 = r^2 + d^2 and p the Taylor polynomial of 1/s in r^2 about r = L:

    psi_d(r) = [1/s - p(r^2)] theta(L - r) + smooth_d(r),  p(x) = sum_m c_m (x - L^2)^m,
    c_m = binomial(-1/2, m) (L^2 + d^2)^{-1/2 - m}.

The bracket and its first ORDER derivatives vanish at L, so that only the nearest image counts, and smooth_d is smooth
everywhere and goes into a spline. No error function is left in the loop. Where layers are polarisable or thick, v(r) of
the plane takes the place of 1/s: it begins as -(1/l) ln r within a layer,

    v(r) = c/s - ln(r)/l + radial(sqrt(r/L)) + p(r^2),   c = 1 where q v(q) -> 2 pi, else 0,   1/l = lim q^2 v(q)/2 pi,

and `radial` is a table of one dimension. The energy of all charges is

    V = sum_{i<j} z_i z_j psi(r_i - r_j) + 1/2 sum_i z_i^2 M(0),

the Madelung convention, which is the only one of a Monte Carlo calculation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from ehbilayer.interaction.base import Interaction
from ehbilayer.interaction.lattice_sums.potential import madelung_potential, potential
from ehbilayer.interaction.screened import Screened
from ehbilayer.monte_carlo.compiled import compiled
from ehbilayer.monte_carlo.splines import GRID, coefficients, grid_fractions, padded, spline_value
from ehbilayer.numerics.lattice import Cell, reduce_vectors

ORDER = 5  # of the polynomial p
KNOTS = 600  # of the radial table, in sqrt(r), which r^2 ln r and a kink at r = 0 ask for


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
    """psi at each distance of layers: squared ``heights`` (n,), ``taylor`` (n, ORDER + 1), ``smooth`` tables; where
    layers have no cusps ``core`` (n, 2), c and 1/l, and ``radial`` (n, KNOTS, 2), values and slopes."""

    heights: np.ndarray
    taylor: np.ndarray
    smooth: np.ndarray
    core: np.ndarray
    radial: np.ndarray


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
    smooth, unless layers are polarisable or thick.
    """
    rows, plane = [], []
    for a, b in layers:
        kernel, back = interaction.heat_kernel(a, b), interaction.mean(box.cell, a, b)
        at_zero = kernel.madelung(box.cell) + back
        rows.append((interaction.stretch * interaction.distance(a, b),
                     lambda r, kernel=kernel, back=back: kernel.potential(box.cell, r) + back,
                     at_zero + interaction.beyond_coulomb(a, b) if interaction.cusps else at_zero))
        if not interaction.cusps:
            plane.append(_plane(box, interaction, a, b))
    return _tables(box, rows, grid, plane)


def _plane(box: Box, interaction: Screened, a: int, b: int) -> _Plane:
    """v(r) of the plane without cusps, and its Taylor polynomial in r^2 about r = L."""
    kernel = interaction.heat_kernel(a, b)
    height, slope = kernel.weight / (4 * np.pi * kernel.t), -0.25 / kernel.t
    # e^{-x/4t} of the Gaussians: all derivatives by x = r^2
    at_edge = height * np.exp(slope * box.radius**2)
    c = np.array([at_edge @ slope**m / math.factorial(m) for m in range(ORDER + 1)])
    strength, inverse = interaction.core(a, b)
    distance = interaction.stretch * interaction.distance(a, b)
    u = np.linspace(0, 1, KNOTS)
    r = np.maximum(box.radius * u * u, 1e-9 * box.radius)
    values = kernel.real_space(r) - strength / np.hypot(r, distance) + inverse * np.log(r) \
        - np.polynomial.polynomial.polyval(r * r - box.radius**2, c)
    curve = CubicSpline(u, values)
    return _Plane(kernel.real_space, c, (strength, inverse), np.column_stack([values, curve(u, 1) / (KNOTS - 1)]))


def self_image(interaction: Interaction, box: Box, layer: int) -> float:
    """The potential (Ha_h) that a unit charge of a layer feels of its own images, with v(0)/A where that is finite."""
    if isinstance(interaction, Screened):
        return interaction.mean(box.cell, layer, layer) - interaction.zero_mode(box.cell, layer, layer)
    return madelung_potential(box.cell)


@dataclass(frozen=True, eq=False)
class _Plane:
    """v(r) of the plane, its polynomial p, ``core`` (c, 1/l), and the radial table (KNOTS, 2)."""

    v: Callable[[np.ndarray], np.ndarray]
    taylor: np.ndarray
    core: tuple[float, float]
    radial: np.ndarray


def _tables(box: Box, rows: Sequence[tuple[float, Callable[[np.ndarray], np.ndarray], float]], grid: int,
            plane: Sequence[_Plane] = ()) -> Potential:
    """Of the distance, psi at displacements (n, 2), and psi - 1/s on the axis, for every kind of pair; psi - v there
    where v of the ``plane`` takes the place of 1/s."""
    fractions = grid_fractions(grid).reshape(-1, 2)
    points = fractions @ box.cell
    shift = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), axis=-1).reshape(-1, 2)
    wrapped = (fractions - np.rint(fractions))[:, None] + shift
    r2 = np.min(np.sum((wrapped @ box.cell) ** 2, axis=-1), axis=1)
    tables, series = [], []
    for k, (d, psi, axis) in enumerate(rows):
        c = plane[k].taylor if plane else taylor(box.radius, d)
        p = np.polynomial.polynomial.polyval(r2 - box.radius**2, c)
        smooth = np.empty(len(points))
        smooth[1:] = psi(points[1:])
        near = (r2 < box.radius**2) & (np.arange(len(points)) > 0)
        smooth[near] -= (plane[k].v(np.sqrt(r2[near])) if plane else 1 / np.sqrt(r2[near] + d * d)) - p[near]
        smooth[0] = axis + p[0]  # psi - 1/s on the axis of the charge
        tables.append(padded(coefficients(smooth.reshape(grid, grid))))
        series.append(c)
    core = np.array([p.core for p in plane]) if plane else np.zeros((0, 2))
    radial = np.array([p.radial for p in plane]) if plane else np.zeros((0, 1, 2))
    return Potential(np.array([d for d, _, _ in rows]) ** 2, np.array(series), np.array(tables), core, radial)


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
def short_part(radius, taylor, heights, core, radial, which, r2):  # type: ignore[no-untyped-def]
    """psi - smooth at the squared distance ``r2`` < radius^2 to the nearest image, in Ha_h."""
    if radial.shape[0]:
        r, value = math.sqrt(r2), 0.0
        if core[which, 0]:
            value = core[which, 0] / math.sqrt(r2 + heights[which])
        if core[which, 1]:
            value = -core[which, 1] * math.log(r)
        x = math.sqrt(r / radius) * (radial.shape[1] - 1)
        k = min(int(x), radial.shape[1] - 2)
        t = x - k
        # Hermite: f_k (1 - h) + f_k+1 h + t (1 - t) [f'_k (1 - t) - f'_k+1 t],  h = t^2 (3 - 2 t)
        h = t * t * (3 - 2 * t)
        return value + radial[which, k, 0] * (1 - h) + radial[which, k + 1, 0] * h + t * (1 - t) * (
            radial[which, k, 1] * (1 - t) - radial[which, k + 1, 1] * t)
    p, t = 0.0, r2 - radius * radius
    for m in range(taylor.shape[1] - 1, -1, -1):
        p = p * t + taylor[which, m]
    return 1 / math.sqrt(r2 + heights[which]) - p


@compiled
def pair_potential(box, table, which, x, y):  # type: ignore[no-untyped-def]
    """psi (Ha_h) at the shortest displacement (x, y), between layers at the distance number ``which``."""
    b, r2 = box.inverse, x * x + y * y
    value = spline_value(table.smooth, which, x * b[0, 0] + y * b[1, 0], x * b[0, 1] + y * b[1, 1])
    if r2 < box.radius * box.radius:
        value += short_part(box.radius, table.taylor, table.heights, table.core, table.radial, which, r2)
    return value
