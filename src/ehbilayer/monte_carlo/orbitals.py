"""The functions that determinants are made of: closed shells of plane waves, and Gaussians on sites.

Functions about a centre are given by their Fourier coefficients g_k on the torus, phi(r) = sum_k g_k cos(k r):
exp(-k^2 w^2/2) of Gaussians exp(-r^2/2w^2); those of pairs are in `pairs`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.monte_carlo.splines import GRID, from_waves
from ehbilayer.numerics.lattice import Cell, reduce_vectors
from ehbilayer.torus import Torus

SHELL = 1e-9  # relative difference of k^2 within a shell


def integer_waves(reach: int) -> np.ndarray:
    """All integer wave vectors (n, 2) up to ``reach`` along each axis."""
    m = np.arange(-reach, reach + 1)
    return np.stack(np.meshgrid(m, m, indexing="ij"), axis=-1).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class Waves:
    """Plane waves of a determinant: ``k`` (n, 2) in 1/a_h, each with ``parts`` (n,) columns a cos(kr) + b sin(kr), of
    ``mix`` (n, 2, 2) = (a, b); b is imaginary where a column is exp(ikr)."""

    k: np.ndarray
    parts: np.ndarray
    mix: np.ndarray

    @classmethod
    def none(cls) -> Waves:
        """Not one."""
        return cls(np.zeros((0, 2)), np.zeros(0, dtype=int), np.zeros((0, 2, 2)))

    @classmethod
    def of(cls, k: np.ndarray) -> Waves:
        """Of wave vectors (N, 2): cosines and sines where -k is among them for every k, else exp(ikr)."""
        lengths = np.linalg.norm(k[:, None] + k, axis=-1)
        scale = np.sqrt(SHELL) * max(np.linalg.norm(k, axis=1).max(initial=0.0), 1e-300)
        if not np.all(lengths.min(axis=1) <= scale):
            return cls(k, np.ones(len(k), dtype=int), np.tile(np.array([[1, 1j], [0, 0]]), (len(k), 1, 1)))
        half = k[(k[:, 1] > scale) | ((abs(k[:, 1]) <= scale) & (k[:, 0] > scale))]
        zero = np.zeros((len(k) - 2 * len(half), 2))
        parts = np.repeat([1, 2], [len(zero), len(half)])
        return cls(np.concatenate([zero, half]), parts, np.tile(np.eye(2), (len(parts), 1, 1)))

    @property
    def squares(self) -> np.ndarray:
        """k^2 of every column (N,)."""
        return np.repeat(np.sum(self.k**2, axis=1), self.parts)


def _sorted_waves(cell: Cell, count: int, twist: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wave vectors 2 pi a^-1 (m + twist) by length, surely the lowest ``count`` and some more, and the numbers of them
    that close a shell."""
    reduced, _ = reduce_vectors(cell.vectors)
    # (m + twist) B = (m' + shift) B' with the reciprocal vectors of the given and the reduced cell
    shift = twist @ cell.reciprocal @ reduced.T / (2 * np.pi)
    k = (integer_waves(int(np.sqrt(count)) + 4) + shift - np.rint(shift)) @ Cell(reduced).reciprocal
    square = np.sum(k * k, axis=1)
    order = np.argsort(square, kind="stable")
    ends = np.flatnonzero(np.diff(square[order]) > SHELL * np.median(square)) + 1
    return k[order], ends


def closed_shells(cell: Cell, most: int, twist: tuple[float, float] | None = None) -> np.ndarray:
    """The numbers of plane waves, up to ``most`` or one beyond it, that close a shell of the torus; see
    `plane_waves`."""
    ends = _sorted_waves(cell, most, np.array(twist or (0.0, 0.0)))[1]
    return ends[: np.searchsorted(ends, most) + 1]


def lowest_waves(cell: Cell, count: int, twist: tuple[float, float] | None = None) -> np.ndarray:
    """The lowest ``count`` wave vectors (count, 2) in 1/a_h, by their length."""
    return _sorted_waves(cell, count, np.array(twist or (0.0, 0.0)))[0][:count]


def plane_waves(cell: Cell, count: int, argument: str, twist: tuple[float, float] | None = None) -> Waves:
    """The lowest ``count`` plane waves, moved by ``twist`` (2,) in fractions of the reciprocal vectors; cosines and
    sines where time reversal allows.

    Raises InputError, naming ``argument``, for an open shell, whose filling would be a choice.
    """
    closed = closed_shells(cell, count, twist)
    if count not in closed:
        raise InputError(argument, f"a number that closes a shell of each flavour, such as {closed[-2:].tolist()}",
                         count, "change it, or give twists" if twist is None else "change it, or take another twist")
    return Waves.of(lowest_waves(cell, count, twist))


@dataclass(frozen=True, eq=False)
class Gaussian:
    """exp(-r^2/2w^2) about every site of a lattice; the parameter is ln w (a_h)."""

    name: str
    sites: np.ndarray
    width: float

    def start(self) -> np.ndarray:
        """The parameters (1,) to begin with."""
        return np.array([np.log(self.width)])

    def carried(self, parameters: np.ndarray, scale: float) -> np.ndarray:
        """The parameters where all lengths are ``scale`` times as long."""
        return parameters + np.log(scale)

    def table(self, cell: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Spline coefficients (2, M, M) of the orbital and of its Laplacian."""
        waves = integer_waves(GRID // 2 - 1)
        k = waves @ Cell(cell).reciprocal
        # e^{-k^2 w^2/2}; a width below the mesh of the table would not be seen
        return periodic_table(cell, waves, np.exp(-np.sum(k * k, axis=1) * np.exp(2 * parameters[0]) / 2))


def periodic_table(cell: np.ndarray, waves: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spline coefficients (2, M, M) of sum_k g_k cos(kr), the largest value 1, and of its Laplacian."""
    k = waves @ Cell(cell).reciprocal
    weights = weights / weights.sum()
    return np.stack([from_waves(waves, weights), from_waves(waves, -np.sum(k * k, axis=1) * weights)])


def reduced_waves(torus: Torus, waves: np.ndarray) -> np.ndarray:
    """Integer waves (n, 2) of the torus' vectors as those of its reduced vectors."""
    reduced, _ = reduce_vectors(torus.box.vectors)
    # k = m b with b of the given vectors; on the reduced ones a_i it has the integers k a_i/2 pi
    return np.rint(waves @ torus.box.reciprocal @ reduced.T / (2 * np.pi)).astype(int)
