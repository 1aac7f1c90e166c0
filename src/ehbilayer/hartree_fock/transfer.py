"""Carry orbitals from one basis to another: from a result to a new start, from a crystal to its free box."""

from __future__ import annotations

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.errors import InputError
from ehbilayer.terms import Filling


def match_waves(amplitudes: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Amplitudes (P, M_old) on waves ``old`` (M_old, 2) -> (P, M_new); waves that are new start at zero."""
    where = {tuple(w): i for i, w in enumerate(old.tolist())}
    out = np.zeros((len(amplitudes), len(new)), dtype=complex)
    pairs = [(i, where[tuple(w)]) for i, w in enumerate(new.tolist()) if tuple(w) in where]
    target, source = np.array(pairs).T
    out[:, target] = amplitudes[:, source]
    return out


def to_real_box(basis: PlaneWaveBasis, amplitudes: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, Filling]:
    """Orbitals (P, M) with occupations (P,) -> real orbitals of the free box spanning the same space.

    The density matrix must be real, as it is with time reversal; levels of equal occupation are treated together.
    """
    rows, weights = [], []
    for level in np.unique(np.round(f[f > 0], 12))[::-1]:
        mine = amplitudes[np.abs(f - level) < 1e-9]
        minus = _inverted(basis, mine)  # psi*(r) has amplitudes c*(-kappa)
        parts = np.concatenate([mine + minus, -1j * (mine - minus)]) / 2
        x = basis.from_waves(parts)
        _, size, vectors = np.linalg.svd(x, full_matrices=False)
        rows.append(vectors[: len(mine)])
        weights += [level] * len(mine)
        if len(size) > len(mine) and size[len(mine)] > 1e-5:
            raise InputError("hartree-fock.start", "a state with time-reversal symmetry", "one with currents",
                             "start from another state, or from one with shells filled equally")
    return np.concatenate(rows)[None], Filling(np.array([0]), np.array([weights]))


def _inverted(basis: PlaneWaveBasis, amplitudes: np.ndarray) -> np.ndarray:
    where = {tuple(w): i for i, w in enumerate(basis.waves.tolist())}
    return amplitudes[:, [where[(-i, -j)] for i, j in basis.waves.tolist()]].conj()


def to_blocks(basis: PlaneWaveBasis, amplitudes: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, Filling]:
    """Orbitals (P, M) that each lie in one k block -> frames (K, n, g) and their filling.

    Raises InputError if an orbital mixes blocks: the state lacks the translations of this cell.
    """
    there = np.linalg.norm(amplitudes, axis=1) > 0.5  # a block with fewer waves than bands has empty ones of no waves
    amplitudes, f = amplitudes[there], f[there]
    weight = np.zeros((len(amplitudes), len(basis.k_points)))
    for k, (index, mask) in enumerate(zip(basis.index, basis.mask, strict=True)):
        weight[:, k] = np.sum(np.abs(amplitudes[:, index]) ** 2 * mask, axis=1)
    home = weight.argmax(axis=1)
    if np.any(weight.max(axis=1) < 0.999 * weight.sum(axis=1)):
        raise InputError("hartree-fock.start", "a state with the translations of the cell", "a state without them",
                         'use symmetry = "none", or start from a crystal result')
    blocks = np.unique(home)
    bands = int(np.bincount(home).max())
    x = np.zeros((len(blocks), bands, basis.coefficients), dtype=complex)
    filled = np.zeros((len(blocks), bands))
    for row, k in enumerate(blocks):
        mine = np.flatnonzero(home == k)
        x[row, : len(mine)] = amplitudes[mine][:, basis.index[k]] * basis.mask[k]
        filled[row, : len(mine)] = f[mine]
        spare = bands - len(mine)  # any further vectors will do, the block's own waves first; they stay empty
        if spare:
            own = np.eye(basis.coefficients)[:, np.argsort(-basis.mask[k], kind="stable")]
            q = np.linalg.qr(np.concatenate([x[row, : len(mine)].T, own], axis=1))[0]
            x[row, len(mine) :] = q[:, len(mine) : bands].T
    return x, Filling(blocks, filled)


def place(basis: PlaneWaveBasis, amplitudes: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, Filling]:
    """`to_real_box` or `to_blocks`, whichever the basis needs."""
    return to_real_box(basis, amplitudes, f) if basis.real else to_blocks(basis, amplitudes, f)
