"""Periodic functions of two dimensions as tables: cubic B-splines on a grid over the cell, and their fast evaluation.

A function of displacements that is smooth and has the periods of the torus is known from its values on an M x M grid of
fractions. Its spline coefficients follow from one division in Fourier space, as the B-spline's own symbol is
(4 + 2 cos(2 pi m/M))/6 along each axis. Errors fall as M^-4.

Source: Unser, IEEE Signal Processing Magazine 16, 22 (1999).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

GRID = 96  # points along each vector of the cell


def coefficients(values: np.ndarray) -> np.ndarray:
    """B-spline coefficients (M, M) of the periodic function with these ``values`` on the grid of fractions."""
    symbols = [(4 + 2 * np.cos(2 * np.pi * np.arange(m) / m)) / 6 for m in values.shape]
    transformed = np.fft.fft2(values) / np.outer(*symbols)
    return np.ascontiguousarray(np.fft.ifft2(transformed).real)


def grid_fractions(grid: int = GRID) -> np.ndarray:
    """The fractions (M, M, 2) of the grid."""
    f = np.arange(grid) / grid
    return np.stack(np.meshgrid(f, f, indexing="ij"), axis=-1)


def from_waves(waves: np.ndarray, weights: np.ndarray, grid: int = GRID) -> np.ndarray:
    """Coefficients of sum_k g_k cos(k r) of integer ``waves`` (n, 2) with ``weights`` (n,), g_k = g_-k.

    Waves beyond the grid's own, of which a smooth function has none of weight, are left out.
    """
    inside = np.all(np.abs(waves) < grid // 2, axis=1)
    spectrum = np.zeros((grid, grid))
    np.add.at(spectrum, tuple(waves[inside].T % grid), weights[inside])
    return coefficients(np.fft.ifft2(spectrum).real * grid**2)


@njit(cache=True, error_model="numpy")
def _basis(t):  # type: ignore[no-untyped-def]
    """The four cubic B-splines at 0 <= t < 1 and their slopes."""
    s = 1 - t
    return (s * s * s / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (4 - 6 * s * s + 3 * s * s * s) / 6, t * t * t / 6,
            -s * s / 2, -2 * t + 1.5 * t * t, 2 * s - 1.5 * s * s, t * t / 2)


@njit(cache=True, error_model="numpy")
def spline(table, u, v):  # type: ignore[no-untyped-def]
    """Value, and the slopes by the fractions, at fractions (u, v) of any size."""
    m, n = table.shape
    u, v = (u - math.floor(u)) * m, (v - math.floor(v)) * n
    i, j = int(u), int(v)
    a0, a1, a2, a3, da0, da1, da2, da3 = _basis(u - i)
    b0, b1, b2, b3, db0, db1, db2, db3 = _basis(v - j)
    j0, j1, j2, j3 = (j - 1) % n, j % n, (j + 1) % n, (j + 2) % n
    value, by_u, by_v = 0.0, 0.0, 0.0
    for step in range(4):
        row = table[(i - 1 + step) % m]
        a = (a0, a1, a2, a3)[step]
        da = (da0, da1, da2, da3)[step]
        along = b0 * row[j0] + b1 * row[j1] + b2 * row[j2] + b3 * row[j3]
        value += a * along
        by_u += da * along
        by_v += a * (db0 * row[j0] + db1 * row[j1] + db2 * row[j2] + db3 * row[j3])
    return value, by_u * m, by_v * n


@njit(cache=True, error_model="numpy")
def spline_value(table, u, v):  # type: ignore[no-untyped-def]
    """The value alone."""
    m, n = table.shape
    u, v = (u - math.floor(u)) * m, (v - math.floor(v)) * n
    i, j = int(u), int(v)
    a0, a1, a2, a3, _, _, _, _ = _basis(u - i)
    b0, b1, b2, b3, _, _, _, _ = _basis(v - j)
    j0, j1, j2, j3 = (j - 1) % n, j % n, (j + 1) % n, (j + 2) % n
    value = 0.0
    for step in range(4):
        row = table[(i - 1 + step) % m]
        value += (a0, a1, a2, a3)[step] * (b0 * row[j0] + b1 * row[j1] + b2 * row[j2] + b3 * row[j3])
    return value


@njit(cache=True, error_model="numpy")
def splines(bands, first, start, end, u, v, line, curved):  # type: ignore[no-untyped-def]
    """Many functions at one place: of ``bands`` (2, M, M, n), the functions and their Laplacians, those from ``first``
    on into columns ``start`` to ``end`` of ``line``: values, slopes by the fractions (u, v) and, if ``curved``,
    Laplacians."""
    m, n = bands.shape[1], bands.shape[2]
    u, v = (u - math.floor(u)) * m, (v - math.floor(v)) * n
    i, j = int(u), int(v)
    a0, a1, a2, a3, da0, da1, da2, da3 = _basis(u - i)
    b0, b1, b2, b3, db0, db1, db2, db3 = _basis(v - j)
    for c in range(start, end):
        line[0, c] = line[1, c] = line[2, c] = line[3, c] = 0.0
    for s in range(4):
        a, da, row = (a0, a1, a2, a3)[s], (da0, da1, da2, da3)[s] * m, (i - 1 + s) % m
        for t in range(4):
            b, db, column = (b0, b1, b2, b3)[t], (db0, db1, db2, db3)[t] * n, (j - 1 + t) % n
            value, by_u, by_v = a * b, da * b, a * db
            for c in range(start, end):
                x = bands[0, row, column, first + c - start]
                line[0, c] += value * x
                line[1, c] += by_u * x
                line[2, c] += by_v * x
            if curved:
                for c in range(start, end):
                    line[3, c] += value * bands[1, row, column, first + c - start]
