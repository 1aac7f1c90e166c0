"""Nodes and weights of integrals, and of sums over whole numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=32)
def gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights (count,) with which int_-1^1 f(x) dx is sum_i w_i f(x_i); read-only, made once."""
    found = np.polynomial.legendre.leggauss(count)
    for values in found:
        values.flags.writeable = False
    return found


def gram_rule(count: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights (order,) with sum_{j=0}^{count-1} p(j) = sum w p(node) for polynomials of degree < 2 order.

    The polynomials orthogonal on 0 ... count-1 are Gram's (discrete Chebyshev), with recurrence coefficients
    b_k = k^2 (count^2 - k^2)/(4 (4 k^2 - 1)); nodes and weights follow as in G. H. Golub and J. H. Welsch, Math. Comp.
    23, 221 (1969).
    """
    from scipy.linalg import eigh_tridiagonal

    k = np.arange(1, order, dtype=float)
    below = np.sqrt(k * k * (float(count) ** 2 - k * k) / (4 * (4 * k * k - 1)))
    node, vector = eigh_tridiagonal(np.full(order, (count - 1) / 2), below)
    return node, count * vector[0] ** 2
