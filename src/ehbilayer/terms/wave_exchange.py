"""Exchange of a crystal on its plane waves, as one product of matrices.

In a crystal the density matrix D(kappa, kappa - p) = sum_n f_n c_n(kappa) c_n*(kappa - p) has transfers p of the
reciprocal lattice only, few where a block has few waves. For each of them exchange is a convolution over all waves:

    K(kappa, kappa - p) = sum_kappa' v(kappa - kappa')/A D(kappa', kappa' - p)

a matrix v over pairs of waves times a matrix with one column for each p. That beats transforms of pair densities until
a block has dozens of waves, and costs the same for many bands as for one.
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import numpy as np

from ehbilayer.terms import Array, Part, Setting

SECONDS = 1.3e-10  # per pair of waves and transfer, about; `PlaneWaveBasis.pair_seconds` is that of pair densities
MOST_PAIRS = 25_000_000  # of waves whose v is kept, over all points of a batch
REAL = 1e-12  # imaginary part of D that counts as round-off: crystals with inversion have a real one


class Between(Protocol):
    """What is needed of the exchange term, see `exchange.Exchange`."""

    setting: Setting

    def between(self, transfers: np.ndarray, m: Part, n: Part, entry: int = 0) -> np.ndarray:
        """v_ab(q)/A (Ha_h) of two components at torus integers ``transfers`` (..., 2)."""
        ...


def worth_it(setting: Setting, channel: int) -> bool:
    """Whether this way is the cheaper one for a channel; only on NumPy, for blocks of waves without spinors."""
    basis, filling = setting.basis, setting.fillings[channel]
    if basis.real or basis.cells == 1 or len(setting.parts_of(channel)) > 1 or setting.fourier.backend != "numpy":
        return False
    waves = int(basis.mask[filling.blocks].sum())
    if len(setting.tori) * waves**2 > MOST_PAIRS:
        return False
    return SECONDS * waves**2 * basis.transfer_count < basis.evaluation_seconds(filling.f.size)


class WaveExchange:
    """K of one channel on its occupied orbitals; v_aa(q) from the ``exchange`` term."""

    def __init__(self, exchange: Between, channel: int) -> None:
        self._exchange, self._setting, self._channel = exchange, exchange.setting, channel
        basis, self._filling = self._setting.basis, self._setting.fillings[channel]
        index, mask = basis.index[self._filling.blocks], basis.mask[self._filling.blocks] > 0
        steps = basis.steps[self._filling.blocks]
        p = steps[:, :, None] - steps[:, None, :]
        upper = (p[..., 0] > 0) | ((p[..., 0] == 0) & (p[..., 1] >= 0))  # the other half is its conjugate
        self._where = np.nonzero(mask[:, :, None] & mask[:, None, :] & upper)  # (k, g, g') with kappa = (k, g)
        codes, self._column = np.unique(p[self._where] @ np.array([4096, 1]), return_inverse=True)
        self._columns = len(codes)
        present, row = np.unique(index[self._where[0], self._where[1]], return_inverse=True)
        self._waves, self._row = basis.waves[present], row.ravel()

    @cached_property
    def _v(self) -> np.ndarray:
        """v(kappa - kappa')/A between the waves of occupied blocks, (b, M, M)."""
        part, = self._setting.parts_of(self._channel)
        most = 2 * np.abs(self._waves).max(axis=0)
        t = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in most), indexing="ij"), axis=-1)
        v = np.stack([self._exchange.between(t, part, part, i) for i in range(len(self._setting.tori))])
        code = (self._waves + most // 2) @ np.array([t.shape[1], 1])
        middle = most @ np.array([t.shape[1], 1])
        return v.reshape(len(v), -1)[:, code[:, None] - code[None] + middle]

    @property
    def everywhere(self) -> bool:
        """Whether the channel occupies every block of the basis, in order."""
        return np.array_equal(self._filling.blocks, np.arange(len(self._setting.basis.k_points)))

    def __call__(self, c: Array) -> Array:
        """K c of orbitals c (b, K, n, g), the same shape."""
        return np.matmul(c, np.swapaxes(self.matrix(c), -1, -2))

    def matrix(self, c: Array) -> Array:
        """K between the waves of each occupied block, (b, K, g, g')."""
        f = self._filling.f[None, :, :, None]
        density = np.matmul(np.swapaxes(f * c, -1, -2), c.conj())  # (b, K, g, g')
        k, g, h = self._where
        upper = density[:, k, g, h]
        if np.abs(upper.imag).max() < REAL * np.abs(upper.real).max():
            upper = upper.real  # half of the work
        columns = np.zeros((len(c), len(self._waves), self._columns), dtype=upper.dtype)
        columns[:, self._row, self._column] = upper
        product = np.matmul(self._v[: len(c)], columns.view(float)).view(upper.dtype)[:, self._row, self._column]
        matrix = np.zeros_like(density)
        matrix[:, k, h, g] = product.conj()
        matrix[:, k, g, h] = product
        return matrix
