"""Which states are filled: plane waves of a liquid, bands of a crystal, by integers or by whole shells."""

from __future__ import annotations

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.terms import Filling


def fill_levels(levels: np.ndarray, count: int, rule: str, tolerance: float) -> np.ndarray:
    """Occupations f, the shape of ``levels``, that put ``count`` particles into the lowest levels.

    ``integer`` takes levels in order (ties by position); ``shell`` shares what is left equally among all levels
    within ``tolerance`` of the highest occupied one. Levels may be inf (no state).
    """
    flat = levels.ravel()
    order = np.argsort(flat, kind="stable")
    f = np.zeros(flat.shape)
    if count == 0:
        return f.reshape(levels.shape)
    f[order[:count]] = 1.0
    if rule == "shell":
        top = flat[order[count - 1]]
        shell = np.abs(flat - top) <= tolerance
        below = (flat < top) & ~shell
        f = np.where(below, 1.0, 0.0)
        f[shell] = (count - below.sum()) / shell.sum()
    return f.reshape(levels.shape)


def liquid_filling(basis: PlaneWaveBasis, count: int, rule: str) -> tuple[Filling, list[np.ndarray]]:
    """Occupy the shortest waves. Returns the filling and, per occupied block, which coefficients the bands start as."""
    length = np.linalg.norm(basis.coefficient_k(), axis=-1)  # (K, g)
    length = np.where(basis.mask > 0, length, np.inf)
    # wave lengths of a shell agree to rounding only
    length = np.where(np.isfinite(length), np.round(length, 9), np.inf)
    return pack(fill_levels(length, count, rule, 1e-6))


def pack(f: np.ndarray) -> tuple[Filling, list[np.ndarray]]:
    """Drop empty blocks and bands of occupations f (K, bands).

    Returns the filling, every occupied block with as many bands as the fullest one (occupied first, then empty ones
    to fill up), and per block the original positions of its bands.
    """
    blocks = np.flatnonzero(f.max(axis=1) > 0)
    bands = int((f > 0).sum(axis=1).max())
    chosen = [np.argsort(-(f[k] > 0).astype(int), kind="stable")[:bands] for k in blocks]
    return Filling(blocks, np.array([f[k][c] for k, c in zip(blocks, chosen, strict=True)])), chosen


def insulating_filling(basis: PlaneWaveBasis, count: int) -> Filling | None:
    """The same number of full bands at every k, or None if the count does not allow it."""
    blocks = len(basis.k_points)
    if count % blocks:
        return None
    return Filling(np.arange(blocks), np.ones((blocks, count // blocks)))
