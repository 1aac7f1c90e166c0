"""Exchange as a matrix between plane waves, from the density matrix of a crystal.

In a crystal the density matrix is D_p(kappa) = <c*_{kappa-p} c_kappa> for reciprocal-lattice transfers p only; its
exchange is, for each p, a convolution over kappa with v, so whole Fock blocks come from a batch of FFTs.
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import numpy as np

from ehbilayer.numerics.fourier import Fourier, good_size
from ehbilayer.terms import Array, Part, State
from ehbilayer.terms.wave_exchange import Between, WaveExchange

CHUNK_BYTES = 64_000_000  # of transfers that are transformed at once


class PairTerm(Between, Protocol):
    """What is needed of the exchange term, see `exchange.Exchange`."""

    def on_all_waves(self, channel: int) -> WaveExchange | None:
        """What gives the operator of a channel between all waves, if there is something cheaper than transforms."""
        ...

    def on_targets(self, state: State, channel: int, targets: Array, blocks: np.ndarray) -> Array:
        """-K applied to other orbitals, values (b, T, S, n1, n2) on blocks (T,)."""
        ...


class ExchangeOperator:
    """-K of one channel between plane waves: D_p(s) v(s) for every transfer p and pair of components."""

    def __init__(self, exchange: PairTerm, state: State, channel: int) -> None:
        self._exchange, self._state, self._channel = exchange, state, channel
        self._parts = exchange.setting.parts_of(channel)

    @cached_property
    def _kernels(self) -> dict[tuple[int, int], Kernel]:
        """One for each pair a <= b of components."""
        return {(m.component, n.component): Kernel.of(self._exchange, self._state.c[self._channel], m, n)
                for m in self._parts for n in self._parts if m.component <= n.component}

    def _join(self, pieces: dict[tuple[int, int], np.ndarray]) -> np.ndarray:
        """Matrices (T, S g, S g') from those of pairs of components; the lower half is the conjugate of the upper."""
        count = len(self._parts)
        if count == 1:  # spare it the copy
            return pieces[0, 0]
        return np.block([[pieces[a, b] if a <= b else np.conj(np.swapaxes(pieces[b, a], -1, -2))
                          for b in range(count)] for a in range(count)])

    def blocks(self) -> np.ndarray:
        cheaper = self._exchange.on_all_waves(self._channel)
        if cheaper is not None:
            return -cheaper.matrix(np.asarray(self._state.c[self._channel])[:1])[0]
        return self._join({pair: kernel.blocks() for pair, kernel in self._kernels.items()})

    def at(self, block: int, shifts: np.ndarray) -> np.ndarray:
        return self._join({pair: kernel.at(block, shifts) for pair, kernel in self._kernels.items()})

    def on(self, x: Array, psi: Array, blocks: np.ndarray) -> tuple[None, Array]:
        return None, self._exchange.on_targets(self._state, self._channel, psi, blocks)


class Convolution:
    """v_ab * D of matrices D between the waves of each block: for every transfer p a convolution over kappa.

        X(kappa - p, kappa) = sum_kappa' v_ab(kappa - kappa') D(kappa' - p, kappa')

    s is the relative position on the torus, where v multiplies. ``hermitian`` says that D(kappa', kappa) is the
    conjugate of D(kappa, kappa'), which spares half of the work; real matrices spare another half.
    """

    def __init__(self, exchange: Between, m: Part, n: Part, hermitian: bool) -> None:
        setting = exchange.setting
        self.basis, self._fourier, self.hermitian = setting.basis, Fourier(threads=1), hermitian
        b = self.basis
        self.n = tuple(good_size(int(2 * r + 1)) for r in b._reach)  # difference reach, both signs
        p = b.steps[:, :, None] - b.steps[:, None, :]
        upper = (p[..., 0] > 0) | ((p[..., 0] == 0) & (p[..., 1] >= 0))
        both = (b.mask[:, :, None] * b.mask[:, None, :]) > 0
        self.where = np.nonzero(both & upper if hermitian else both)  # (k, g, g') with kappa = (k, g)
        codes = p[self.where] @ np.array([4096, 1])
        self.transfers, self.slot = np.unique(codes, return_inverse=True)
        kappa = b.waves[b.index[self.where[0], self.where[1]]]
        self.kappa = (kappa[:, 0] % self.n[0]) * self.n[1] + kappa[:, 1] % self.n[1]
        chunk = max(1, CHUNK_BYTES // (16 * self.n[0] * self.n[1]))
        firsts = range(0, len(self.transfers), chunk)
        self._chunks = [(first, min(first + chunk, len(self.transfers))) for first in firsts]
        self._members = [np.flatnonzero((self.slot >= first) & (self.slot < last)) for first, last in self._chunks]
        self._v = self._interaction(exchange, m, n)

    def _interaction(self, exchange: Between, m: Part, n: Part) -> np.ndarray:
        """v(s)/n: the torus' interaction on the grid of relative positions, transfers between waves only."""
        i, j = np.meshgrid(*(np.fft.fftfreq(size, 1 / size).astype(int) for size in self.n), indexing="ij")
        t = np.stack([i, j], axis=-1)
        v = exchange.between(t, m, n) * self.basis.is_transfer(t)
        return np.asarray(self._fourier.c2c(v + 0j, forward=False).real / (self.n[0] * self.n[1]))  # v(q) = v(-q)

    def in_space(self, matrix: np.ndarray, chunk: tuple[int, int] | None = None) -> np.ndarray:
        """D_p(s) v(s) of a matrix (K, g, g') for every transfer, or a chunk of them: (p, n1, n2)."""
        first, last = chunk or (0, len(self.transfers))
        mine = np.arange(len(self.slot)) if chunk is None else self._members[self._chunks.index(chunk)]
        grid = np.zeros((last - first, self.n[0] * self.n[1]), dtype=complex)
        grid[self.slot[mine] - first, self.kappa[mine]] = matrix[tuple(w[mine] for w in self.where)]
        return np.asarray(self._fourier.c2c(grid.reshape(-1, *self.n), forward=False) * self._v)

    def __call__(self, matrix: np.ndarray) -> np.ndarray:
        """v * D of a matrix (K, g, g'), the same shape."""
        out = np.zeros(matrix.shape, dtype=matrix.dtype)
        for chunk, mine in zip(self._chunks, self._members, strict=True):
            first, last = chunk
            if np.iscomplexobj(matrix):
                x = self._fourier.c2c(self.in_space(matrix, chunk), forward=True)
            else:
                grid = np.zeros((last - first, self.n[0] * self.n[1]))
                grid[self.slot[mine] - first, self.kappa[mine]] = matrix[tuple(w[mine] for w in self.where)]
                spectrum = self._fourier.r2c(grid.reshape(-1, *self.n)) * self._v[:, : self.n[1] // 2 + 1]
                x = self._fourier.c2r(spectrum, self.n[1])
            out[tuple(w[mine] for w in self.where)] = x.reshape(last - first, -1)[self.slot[mine] - first,
                                                                                 self.kappa[mine]]
        return _hermitian(out) if self.hermitian else out


class Kernel:
    """Exchange of a density matrix (K, g, g') of two components between plane waves kappa - p and kappa, see
    `Convolution`.

    `at` transforms back to kappa + delta for any delta, exactly at the mesh' own k points and by minimal-image
    interpolation between them.
    """

    def __init__(self, plan: Convolution, density: np.ndarray) -> None:
        self._plan, self._density, self.basis = plan, density, plan.basis

    @classmethod
    def of(cls, exchange: PairTerm, c: Array, m: Part, n: Part) -> Kernel:
        """Of components m and n of the orbitals of their channel."""
        basis, filling = exchange.setting.basis, exchange.setting.fillings[m.channel]
        g = basis.mask.shape[1]
        density = np.zeros((len(basis.k_points), g, g), dtype=complex)
        x = np.asarray(c)[0]
        bra, ket = (x[..., i * g : (i + 1) * g] for i in (m.component, n.component))
        density[filling.blocks] = np.einsum("kn,kng,knh->kgh", filling.f, bra, ket.conj())
        return cls(Convolution(exchange, m, n, m == n), density)

    @cached_property
    def kernel(self) -> np.ndarray:
        """D_p(s) v(s) for every transfer, (p, n1, n2)."""
        return self._plan.in_space(self._density)

    def blocks(self) -> np.ndarray:
        """-K at the mesh' k points: (K, g, g')."""
        return -self._plan(self._density)

    def at(self, block: int, shifts: np.ndarray) -> np.ndarray:
        """-K of one block with its k point moved by ``shifts`` (T, 2) (torus integers, fractions): (T, g, g')."""
        b, plan = self.basis, self._plan
        mine = plan.where[0] == block
        g, h, slot = plan.where[1][mine], plan.where[2][mine], plan.slot[mine]
        s, weight = _minimal_images(b.box.vectors, plan.n)
        kappa = b.waves[b.index[block]]
        # kappa is an integer, so images of s differ in delta only: one axis at a time for the kappa that occur
        first, row = np.unique(kappa[:, 0], return_inverse=True)
        second, column = np.unique(kappa[:, 1], return_inverse=True)
        along = [np.exp(-2j * np.pi * np.outer(np.arange(n), values) / n)
                 for n, values in zip(plan.n, (first, second), strict=True)]
        out = np.zeros((len(shifts), b.mask.shape[1], b.mask.shape[1]), dtype=complex)
        for t, delta in enumerate(shifts):
            window = np.sum(weight * np.exp(-2j * np.pi * np.einsum("x,isx->is", delta, s)), axis=0).reshape(plan.n)
            partly = np.matmul((self.kernel * window).swapaxes(1, 2), along[0])  # (p, n2, first)
            values = np.matmul(partly.swapaxes(1, 2), along[1])  # (p, first, second)
            out[t, g, h] = -values[slot, row[g], column[g]]
        return _hermitian(out) if plan.hermitian else out


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
