"""Periodic functions of two dimensions as tables: cubic B-splines on a grid over the cell, and their fast evaluation.

A function of displacements that is smooth and has the periods of the torus is known from its values on an M x M grid of
fractions. Its spline coefficients follow from one division in Fourier space, as the B-spline's own symbol is
(4 + 2 cos(2 pi m/M))/6 along each axis. Errors fall as M^-4.

Source: Unser, IEEE Signal Processing Magazine 16, 22 (1999).
"""

from __future__ import annotations

import math

import numpy as np

from ehbilayer.monte_carlo.compiled import compiled

GRID = 96  # points along each vector of the cell
PADDING = 4


def coefficients(values: np.ndarray) -> np.ndarray:
    """B-spline coefficients (M, M) of the periodic function with these ``values`` on the grid of fractions."""
    symbols = [(4 + 2 * np.cos(2 * np.pi * np.arange(m) / m)) / 6 for m in values.shape]
    transformed = np.fft.fft2(values) / np.outer(*symbols)
    return np.ascontiguousarray(np.fft.ifft2(transformed).real)


def grid_fractions(grid: int = GRID) -> np.ndarray:
    """The fractions (M, M, 2) of the grid."""
    f = np.arange(grid) / grid
    return np.stack(np.meshgrid(f, f, indexing="ij"), axis=-1)


def padded(table: np.ndarray) -> np.ndarray:
    """Coefficients (M + PADDING, M + PADDING) with those of the next periods around: no index goes over an end."""
    return np.ascontiguousarray(np.pad(table, (1, PADDING - 1), mode="wrap"))


def from_waves(waves: np.ndarray, weights: np.ndarray, grid: int = GRID) -> np.ndarray:
    """`padded` coefficients of sum_k g_k cos(k r) of integer ``waves`` (n, 2) with ``weights`` (n,), g_k = g_-k.

    Waves beyond the grid's own, of which a smooth function has none of weight, are left out.
    """
    inside = np.all(np.abs(waves) < grid // 2, axis=1)
    spectrum = np.zeros((grid, grid))
    np.add.at(spectrum, tuple(waves[inside].T % grid), weights[inside])
    return padded(coefficients(np.fft.ifft2(spectrum).real * grid**2))


@compiled
def _basis(t):  # type: ignore[no-untyped-def]
    """The four cubic B-splines at 0 <= t < 1 and their slopes."""
    s = 1 - t
    return (s * s * s / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (4 - 6 * s * s + 3 * s * s * s) / 6, t * t * t / 6,
            -s * s / 2, -2 * t + 1.5 * t * t, 2 * s - 1.5 * s * s, t * t / 2)


@compiled
def spline(tables, which, u, v):  # type: ignore[no-untyped-def]
    """Value and slopes by the fractions, at fractions (u, v) of any size; of one of `padded` ``tables`` (n, M, M)."""
    m, n = tables.shape[1] - PADDING, tables.shape[2] - PADDING
    u, v = (u - math.floor(u)) * m, (v - math.floor(v)) * n
    i, j = int(u), int(v)
    a, b = _basis(u - i), _basis(v - j)
    value, by_u, by_v = 0.0, 0.0, 0.0
    for step in range(4):
        k = i + step  # a view of the table would cost more than its numbers
        c0, c1, c2, c3 = tables[which, k, j], tables[which, k, j + 1], tables[which, k, j + 2], tables[which, k, j + 3]
        along = b[0] * c0 + b[1] * c1 + b[2] * c2 + b[3] * c3
        value += a[step] * along
        by_u += a[4 + step] * along
        by_v += a[step] * (b[4] * c0 + b[5] * c1 + b[6] * c2 + b[7] * c3)
    return value, by_u * m, by_v * n


@compiled
def spline_value(tables, which, u, v):  # type: ignore[no-untyped-def]
    """The value alone."""
    m, n = tables.shape[1] - PADDING, tables.shape[2] - PADDING
    u, v = (u - math.floor(u)) * m, (v - math.floor(v)) * n
    i, j = int(u), int(v)
    a, b = _basis(u - i), _basis(v - j)
    value = 0.0
    for step in range(4):
        k = i + step
        value += a[step] * (b[0] * tables[which, k, j] + b[1] * tables[which, k, j + 1] + b[2] * tables[which, k, j + 2]
                            + b[3] * tables[which, k, j + 3])
    return value


@compiled
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
