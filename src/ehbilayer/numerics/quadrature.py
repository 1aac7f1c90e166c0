"""Nodes and weights of integrals."""

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
