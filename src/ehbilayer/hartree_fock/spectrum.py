"""Fock spectra: all levels of a crystal at every k, the lowest empty levels of a free box.

Both are sums over the terms of the Hamiltonian: of their matrices between the waves of a block, or of what they do to a
vector.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ehbilayer.hamiltonian import Hamiltonian
from ehbilayer.numerics.minimize import Frames
from ehbilayer.terms import State

DENSE = 150  # boxes of so few waves are diagonalised at once


@dataclass(frozen=True)
class Levels:
    """Fock levels of one channel.

    ``energy`` (K, n) in Ha_h, inf where a block has fewer states; ``filled`` (K, n) occupations; ``vectors``
    (K, n, g) where they were computed.
    """

    energy: np.ndarray
    filled: np.ndarray
    vectors: np.ndarray | None = None

    def lowest(self, count: int) -> Levels:
        """The first ``count`` levels of every block."""
        vectors = None if self.vectors is None else self.vectors[:, :count]
        return Levels(self.energy[:, :count], self.filled[:, :count], vectors)


def crystal_levels(hamiltonian: Hamiltonian, c: Frames, channel: int) -> Levels:
    """All Fock levels and vectors of one channel of a crystal (first batch entry), blocks diagonalised in turn."""
    filling = hamiltonian.setting.fillings[channel]
    fock, big = padded(hamiltonian, hamiltonian.blocks(hamiltonian.state(c), channel), channel)
    energy, vectors = np.linalg.eigh(fock)
    # a level is filled if the orbitals span it, which need not be the lowest levels of its block
    weight = np.zeros(energy.shape)
    overlap = np.einsum("kng,kgm->knm", np.asarray(c[channel])[0].conj(), vectors[filling.blocks])
    weight[filling.blocks] = np.einsum("kn,knm->km", filling.f, np.abs(overlap) ** 2)
    whole = np.rint(weight)
    filled = np.where(np.abs(weight - whole) < 1e-3, whole, weight)
    return Levels(np.where(energy > big / 2, np.inf, energy), filled, np.swapaxes(vectors, 1, 2))


def padded(hamiltonian: Hamiltonian, fock: np.ndarray, channel: int,
           block: int | slice = slice(None)) -> tuple[np.ndarray, float]:
    """Matrices (K, S g, S g') of these blocks with their padding moved out of the way, and how far up (Ha_h)."""
    mask = hamiltonian.setting.basis.mask[block]
    mask = np.concatenate([mask] * len(hamiltonian.setting.channels[channel].components), axis=-1)
    i = np.arange(fock.shape[-1])
    big = 1e6 * (1 + float(np.abs(fock[:, i, i].real).max()))
    fock = fock + 0j
    fock[:, i, i] += np.where(mask > 0, 0.0, big)
    return fock, big


def occupied_levels(hamiltonian: Hamiltonian, c: Frames, fock: Frames, channel: int) -> Levels:
    """Eigenvalues of F within the occupied orbitals of each block, (K, n), with the orbitals' occupations."""
    x, fx = np.asarray(c[channel])[0], np.asarray(fock[channel])[0]
    f = hamiltonian.setting.fillings[channel].f
    m = np.einsum("kig,kjg->kij", x.conj(), fx)
    energy, u = np.linalg.eigh(0.5 * (m + np.conj(np.swapaxes(m, 1, 2))))
    return Levels(energy, -np.sort(-f, axis=1), np.einsum("kin,kig->kng", u, x))


def empty_levels(hamiltonian: Hamiltonian, c: Frames, channel: int, count: int = 3,
                 tolerance: float = 1e-7) -> tuple[np.ndarray, np.ndarray, float]:
    """The lowest empty Fock levels of a free box, by LOBPCG outside the occupied orbitals.

    Returns levels (count,) in Ha_h, vectors (count, M), and the largest residual norm.
    """
    from scipy.sparse.linalg import lobpcg

    x = np.asarray(c[channel])[0, 0]
    level = np.asarray(hamiltonian.kinetic.levels[channel])[0, 0, 0]
    fock = _action(hamiltonian, hamiltonian.state(c), channel)

    def apply(vectors: np.ndarray) -> np.ndarray:
        columns = fock(vectors.reshape(len(level), -1).T).T
        return columns - x.T @ (x @ columns)

    if len(level) <= DENSE:
        matrix = apply(np.eye(len(level)))
        outside = np.linalg.svd(x)[2][x.shape[0] :]
        energy, u = np.linalg.eigh(outside @ matrix @ outside.T)
        return energy[:count], u.T[:count] @ outside, 0.0
    scale = float(np.mean(level[np.argsort(level)[: x.shape[0]]])) or float(level[level > 0].min())
    if not hamiltonian.uniform:  # wells make orbitals smaller than a liquid's
        scale = max(scale, float(np.mean(np.abs(x) ** 2 @ level)))
    guess = np.zeros((len(level), count + 2))
    guess[np.argsort(level, kind="stable")[: x.shape[0] + count + 2][-count - 2 :], np.arange(count + 2)] = 1.0
    guess += 1e-2 * np.random.default_rng(0).standard_normal(guess.shape) / (1 + level / scale)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not reaching the tolerance is reported through the residual below
        _, vectors = lobpcg(apply, guess, M=lambda r: r / (level + scale)[:, None], Y=x.T.copy(), largest=False,
                            tol=tolerance, maxiter=60)
    vectors = np.linalg.qr(vectors - x.T @ (x @ vectors))[0]
    fv = apply(vectors)
    energy, u = np.linalg.eigh(vectors.T @ fv)
    vectors, fv = vectors @ u, fv @ u
    residual = fv - vectors * energy
    return energy[:count], vectors.T[:count], float(np.linalg.norm(residual[:, :count], axis=0).max())


def _action(hamiltonian: Hamiltonian, state: State, channel: int) -> Callable[[np.ndarray], np.ndarray]:
    """F applied to vectors of the free box, rows (n, M): the sum over the terms."""
    basis, fourier = hamiltonian.setting.basis, hamiltonian.setting.fourier
    operators = hamiltonian.operators(state, channel)

    def apply(rows: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(rows)[None, None]
        psi = basis.to_grid(fourier, x)[:, 0, :, None]
        parts = [o.on(x, psi, np.zeros(len(rows), dtype=int)) for o in operators]
        grid = sum(g for _, g in parts if g is not None)
        return np.asarray(basis.from_grid(fourier, grid[:, :, 0][:, None]) + sum(
            coefficients for coefficients, _ in parts if coefficients is not None))[0, 0]

    return apply
