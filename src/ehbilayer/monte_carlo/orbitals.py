"""The functions that determinants are made of: closed shells of plane waves, Gaussians on sites, electron-hole pairs.

Functions about a centre are given by their Fourier coefficients g_k on the torus, phi(r) = sum_k g_k cos(k r):

    Gaussians exp(-r^2/2w^2)          g_k = exp(-k^2 w^2/2)
    pairs of a condensate             g_k = (v_k/u_k)^p, with v and u of Hartree-Fock-Bogoliubov on the same torus

The projection of the BCS state on N pairs is det[phi(r_e - r_h)] with p = 1 (Bouchaud, Georges, Lhuillier 1988). With
larger p the sea sharpens, and p -> infinity is the plasma: v/u is largest for the N lowest wave vectors.
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


def closed_shells(cell: Cell, most: int) -> np.ndarray:
    """The numbers of plane waves, up to ``most`` or one beyond it, that close a shell of the torus."""
    b = Cell(reduce_vectors(cell.vectors)[0]).reciprocal
    square = np.sort(np.sum((integer_waves(int(np.sqrt(most)) + 4) @ b) ** 2, axis=1))
    ends = np.flatnonzero(np.diff(square) > SHELL * square[1]) + 1
    return ends[: np.searchsorted(ends, most) + 1]


def plane_waves(cell: Cell, count: int, argument: str) -> np.ndarray:
    """The lowest ``count`` real plane waves (count, 3): k in 1/a_h, and 0 for cos(kr), 1 for sin(kr).

    Raises InputError, naming ``argument``, for an open shell, whose filling would be a choice.
    """
    closed = closed_shells(cell, count)
    if count not in closed:
        raise InputError(argument, f"a number that closes a shell of each flavour, such as {closed[-2:].tolist()}",
                         count, "change it; open shells need a twist, which this method does not have yet")
    b = Cell(reduce_vectors(cell.vectors)[0]).reciprocal
    k = integer_waves(int(np.sqrt(count)) + 4) @ b
    k = k[np.argsort(np.sum(k * k, axis=1), kind="stable")[:count]]
    half = k[(k[:, 1] > SHELL) | ((abs(k[:, 1]) <= SHELL) & (k[:, 0] > SHELL))]
    both = [np.column_stack([half, np.full(len(half), phase)]) for phase in (0.0, 1.0)]
    return np.concatenate([np.zeros((1, 3)), *both])


@dataclass(frozen=True, eq=False)
class Gaussian:
    """exp(-r^2/2w^2) about every site of a lattice; the parameter is ln w (a_h)."""

    sites: np.ndarray
    width: float
    name: str = "width"

    def start(self) -> float:
        """The parameter to begin with."""
        return float(np.log(self.width))

    def weights(self, k: np.ndarray, parameter: float) -> np.ndarray:
        """g_k at wave vectors (n, 2)."""
        # e^{-k^2 w^2/2}; a width below the mesh of the table would not be seen
        return np.exp(-np.sum(k * k, axis=1) * np.exp(2 * parameter) / 2)


@dataclass(frozen=True, eq=False)
class PairFunction:
    """g_k = exp(p ln(v_k/u_k)) on given integer waves of the reduced cell; the parameter is ln p."""

    waves: np.ndarray
    log_ratio: np.ndarray
    name: str = "sharpness"

    def start(self) -> float:
        """The parameter to begin with: the state of Hartree-Fock-Bogoliubov itself."""
        return 0.0

    def amplitudes(self, parameter: float) -> np.ndarray:
        """g_k at the function's own waves, the largest 1 times their number."""
        exponent = np.exp(parameter) * self.log_ratio
        return np.exp(np.clip(exponent - exponent.max(), -80.0, 0.0))


def gaussian_table(cell: np.ndarray, orbital: Gaussian, parameter: float) -> np.ndarray:
    """Spline coefficients (2, M, M) of the orbital and of its Laplacian, the orbital of largest value 1."""
    waves = integer_waves(GRID // 2 - 1)
    return _table(cell, waves, orbital.weights(waves @ Cell(cell).reciprocal, parameter))


def pair_table(cell: np.ndarray, orbital: PairFunction, parameter: float) -> np.ndarray:
    """Spline coefficients (2, M, M) of the pair function and of its Laplacian."""
    return _table(cell, orbital.waves, orbital.amplitudes(parameter))


def _table(cell: np.ndarray, waves: np.ndarray, weights: np.ndarray) -> np.ndarray:
    k = waves @ Cell(cell).reciprocal
    weights = weights / weights.sum()
    return np.stack([from_waves(waves, weights), from_waves(waves, -np.sum(k * k, axis=1) * weights)])


def pair_function(torus: Torus, spin: str, tolerance: float = 1e-5) -> PairFunction:
    """The pair function of our condensate on the same torus. Raises InputError where it does not condense there."""
    from ehbilayer.condensate import condensate

    state = condensate(torus, spin=spin, curve_points=0, tolerance=tolerance, progress=False)
    if state.phase != "condensate":
        raise InputError("trial", "liquid where Hartree-Fock-Bogoliubov has no condensate", "condensate",
                         "lower the density, or take the liquid")
    angle = np.clip(np.abs(state.data["angle"].values), 1e-12, np.pi / 2 - 1e-12)
    reduced, _ = reduce_vectors(torus.box.vectors)
    # k = m b with b of the given vectors; on the reduced ones a_i it has the integers k a_i/2 pi
    waves = np.rint(state.data["waves"].values @ torus.box.reciprocal @ reduced.T / (2 * np.pi)).astype(int)
    return PairFunction(waves, np.log(np.tan(angle)))
