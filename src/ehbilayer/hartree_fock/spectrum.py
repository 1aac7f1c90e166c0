"""Fock spectra: all levels of a crystal at every k, the lowest empty levels of a free box, gaps.

In a crystal the density matrix is D_p(kappa) = <c*_{kappa-p} c_kappa> for reciprocal-lattice transfers p only; its
exchange is, for each p, a convolution over kappa with v, so whole Fock blocks come from a batch of FFTs.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ehbilayer.hamiltonian import Hamiltonian
from ehbilayer.model import Bilayer
from ehbilayer.numerics.fourier import Fourier, good_size
from ehbilayer.numerics.minimize import Frames
from ehbilayer.terms import State

CHUNK_BYTES = 64_000_000  # of transfers that are transformed at once
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


class ExchangeKernel:
    """D_p(s) v(s) of one channel for every transfer p: exchange between plane waves kappa - p and kappa.

    s is the relative position on the torus; `at` transforms back to kappa + delta for any delta, exactly at the
    mesh' own k points and by minimal-image interpolation between them.
    """

    def __init__(self, hamiltonian: Hamiltonian, c: Frames, channel: int) -> None:
        setting = hamiltonian.setting
        self.basis, self._fourier = setting.basis, Fourier(threads=1)
        b, area, bilayer = self.basis, float(setting.areas[0]), setting.bilayers[0]
        self.n = tuple(good_size(int(2 * r + 1)) for r in b._reach)  # difference reach, both signs
        p = b.steps[:, :, None] - b.steps[:, None, :]
        upper = (p[..., 0] > 0) | ((p[..., 0] == 0) & (p[..., 1] >= 0))
        both = (b.mask[:, :, None] * b.mask[:, None, :]) > 0
        self.where = np.nonzero(both & upper)  # (k, g, g') with kappa = (k, g)
        codes = p[self.where] @ np.array([4096, 1])
        self.transfers, self.slot = np.unique(codes, return_inverse=True)
        kappa = b.waves[b.index[self.where[0], self.where[1]]]
        self.kappa = (kappa[:, 0] % self.n[0]) * self.n[1] + kappa[:, 1] % self.n[1]
        filling = setting.fillings[channel]
        dense = np.zeros((len(b.k_points), b.mask.shape[1], b.mask.shape[1]), dtype=complex)
        x = np.asarray(c[channel])[0]
        dense[filling.blocks] = np.einsum("kn,kng,knh->kgh", filling.f, x, x.conj())
        self._density = dense[self.where]
        self._v = self._interaction(bilayer, area)

    @cached_property
    def kernel(self) -> np.ndarray:
        """D_p(s) v(s) for every transfer, (p, n1, n2)."""
        return self._kernel(0, len(self.transfers))

    def _kernel(self, first: int, last: int) -> np.ndarray:
        mine = (self.slot >= first) & (self.slot < last)
        grid = np.zeros((last - first, self.n[0] * self.n[1]), dtype=complex)
        grid[self.slot[mine] - first, self.kappa[mine]] = self._density[mine]
        return self._fourier.c2c(grid.reshape(-1, *self.n), forward=False) * self._v

    def _interaction(self, bilayer: Bilayer, area: float) -> np.ndarray:
        """v(s)/n: the torus' interaction on the grid of relative positions, transfers between waves only."""
        i, j = np.meshgrid(*(np.fft.fftfreq(m, 1 / m).astype(int) for m in self.n), indexing="ij")
        t = np.stack([i, j], axis=-1)
        vectors = self.basis.box.vectors * np.sqrt(area / self.basis.box.area)
        q = np.linalg.norm(t @ (2 * np.pi * np.linalg.inv(vectors).T), axis=-1)
        v = bilayer.interaction.v(q, 0.0) / area * self.basis.is_transfer(t)
        if bilayer.zero_mode == "madelung":
            v[0, 0] = bilayer.interaction.zero_mode(vectors, 0.0)
        return self._fourier.c2c(v + 0j, forward=False) / (self.n[0] * self.n[1])

    def blocks(self) -> np.ndarray:
        """-K at the mesh' k points: (K, g, g')."""
        b = self.basis
        out = np.zeros((len(b.k_points), b.mask.shape[1], b.mask.shape[1]), dtype=complex)
        chunk = max(1, CHUNK_BYTES // (16 * self.n[0] * self.n[1]))
        for first in range(0, len(self.transfers), chunk):
            last = min(first + chunk, len(self.transfers))
            k_p = self._fourier.c2c(self._kernel(first, last), forward=True).reshape(last - first, -1)
            mine = (self.slot >= first) & (self.slot < last)
            out[tuple(w[mine] for w in self.where)] = -k_p[self.slot[mine] - first, self.kappa[mine]]
        return _hermitian(out)

    def at(self, block: int, shifts: np.ndarray) -> np.ndarray:
        """-K of one block with its k point moved by ``shifts`` (T, 2) (torus integers, fractions): (T, g, g')."""
        b = self.basis
        mine = self.where[0] == block
        g, h, slot = self.where[1][mine], self.where[2][mine], self.slot[mine]
        s, weight = _minimal_images(b.box.vectors, self.n)
        kappa = b.waves[b.index[block]]
        # kappa is an integer, so images of s differ in delta only: one axis at a time for the kappa that occur
        first, row = np.unique(kappa[:, 0], return_inverse=True)
        second, column = np.unique(kappa[:, 1], return_inverse=True)
        along = [np.exp(-2j * np.pi * np.outer(np.arange(n), values) / n)
                 for n, values in zip(self.n, (first, second), strict=True)]
        out = np.zeros((len(shifts), b.mask.shape[1], b.mask.shape[1]), dtype=complex)
        for t, delta in enumerate(shifts):
            window = np.sum(weight * np.exp(-2j * np.pi * np.einsum("x,isx->is", delta, s)), axis=0).reshape(self.n)
            partly = np.matmul((self.kernel * window).swapaxes(1, 2), along[0])  # (p, n2, first)
            values = np.matmul(partly.swapaxes(1, 2), along[1])  # (p, first, second)
            out[t, g, h] = -values[slot, row[g], column[g]]
        return _hermitian(out)


def _minimal_images(vectors: np.ndarray, n: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Shortest images of the torus' grid points, as fractions (images, points, 2), and their weights.

    Points on the border of the Wigner-Seitz cell count once for each equally short image, in equal shares.
    """
    a, b = np.meshgrid(np.arange(n[0]) / n[0], np.arange(n[1]) / n[1], indexing="ij")
    base = np.stack([a.ravel(), b.ravel()], axis=-1)
    shifts = np.array([[i, j] for i in (-2, -1, 0, 1) for j in (-2, -1, 0, 1)])
    images = base[None] + shifts[:, None]
    length = np.linalg.norm(images @ vectors, axis=-1)
    shortest = length <= length.min(axis=0) * (1 + 1e-9) + 1e-12
    depth = int(shortest.sum(axis=0).max())
    order = np.argsort(~shortest, axis=0, kind="stable")[:depth]
    weight = np.take_along_axis(shortest, order, axis=0) / shortest.sum(axis=0)
    return np.take_along_axis(images, order[..., None], axis=0), weight


def _hermitian(upper: np.ndarray) -> np.ndarray:
    """Fill the conjugate of the half that was computed; the diagonal is its own."""
    lower = np.conj(np.swapaxes(upper, -1, -2))
    diagonal = np.einsum("...gg->...g", upper).real
    out = upper + lower
    i = np.arange(out.shape[-1])
    out[..., i, i] = diagonal
    return out


def local_blocks(hamiltonian: Hamiltonian, state: State, channel: int) -> np.ndarray:
    """Direct potential between the waves of each block, (K, g, g'), plus 0 on the diagonal."""
    b = hamiltonian.setting.basis
    rho = hamiltonian.direct.density(state)
    potential = np.asarray((hamiltonian.direct.v * rho[:, None]).sum(axis=2))[0, channel]  # (n1, n2)
    p = b.steps[:, :, None] - b.steps[:, None, :]
    both = b.mask[:, :, None] * b.mask[:, None, :]
    return potential[p[..., 0] % b.shape[0], p[..., 1] % b.shape[1]] * both


def crystal_levels(hamiltonian: Hamiltonian, c: Frames, channel: int) -> Levels:
    """All Fock levels and vectors of one channel of a crystal (first batch entry), blocks diagonalised in turn."""
    setting = hamiltonian.setting
    b, filling = setting.basis, setting.fillings[channel]
    fock = ExchangeKernel(hamiltonian, c, channel).blocks() + local_blocks(hamiltonian, hamiltonian.state(c), channel)
    species = setting.species_of(setting.bilayers[0], channel)
    kinetic = species.kinetic(b.unit_k / np.sqrt(setting.areas[0]))
    i = np.arange(fock.shape[-1])
    big = 1e6 * (1 + np.abs(kinetic).max())
    fock[:, i, i] += np.where(b.mask > 0, kinetic, big)
    energy, vectors = np.linalg.eigh(fock)
    # a level is filled if the orbitals span it, which need not be the lowest levels of its block
    weight = np.zeros(energy.shape)
    overlap = np.einsum("kng,kgm->knm", np.asarray(c[channel])[0].conj(), vectors[filling.blocks])
    weight[filling.blocks] = np.einsum("kn,knm->km", filling.f, np.abs(overlap) ** 2)
    whole = np.rint(weight)
    filled = np.where(np.abs(weight - whole) < 1e-3, whole, weight)
    return Levels(np.where(energy > big / 2, np.inf, energy), filled, np.swapaxes(vectors, 1, 2))


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

    setting = hamiltonian.setting
    b, state = setting.basis, hamiltonian.state(c)
    x = np.asarray(c[channel])[0, 0]
    level = np.asarray(hamiltonian.kinetic.levels[channel])[0, 0, 0]
    rho = hamiltonian.direct.density(state)
    potential_g = (hamiltonian.direct.v * rho[:, None]).sum(axis=2)[:, channel]
    potential = b.backward(setting.fourier, np.asarray(potential_g))[:, None]

    def apply(vectors: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(vectors.reshape(len(level), -1).T)[None, None]
        psi = b.to_grid(setting.fourier, rows)[0]
        out = potential * psi + hamiltonian.exchange.on_targets(state, channel, psi, np.zeros(psi.shape[1], int))
        columns = (level * rows + b.from_grid(setting.fourier, out[:, None])).reshape(-1, len(level)).T
        return columns - x.T @ (x @ columns)

    if len(level) <= DENSE:
        fock = apply(np.eye(len(level)))
        outside = np.linalg.svd(x)[2][x.shape[0] :]
        energy, u = np.linalg.eigh(outside @ fock @ outside.T)
        return energy[:count], u.T[:count] @ outside, 0.0
    scale = float(np.mean(level[np.argsort(level)[: x.shape[0]]]))
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
