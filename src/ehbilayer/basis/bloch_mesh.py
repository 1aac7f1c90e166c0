"""Complex orbitals in the k blocks of a cell: Bloch orbitals of a crystal, or the whole box as one block."""

from __future__ import annotations

from typing import final

import numpy as np

from ehbilayer.basis.base import Array, PlaneWaveBasis
from ehbilayer.numerics.fourier import Fourier


@final
class BlochMesh(PlaneWaveBasis):
    """Coefficients of an orbital: the amplitudes of the waves of its block, padded to the length G of the longest."""

    real, dtype, coarse, pair_seconds, number_bytes = False, complex, 0.7, 25e-9, 16

    def _index_grid(self) -> None:
        n1, n2 = self.shape
        self.coefficients, self.columns = int(self.mask.shape[1]), n2
        self._put = (self.steps[..., 0] % n1) * n2 + self.steps[..., 1] % n2  # (K, G)
        gather = np.full((len(self._put), n1 * n2), self._put.shape[1])
        k, g = np.nonzero(self.mask)
        gather[k, self._put[k, g]] = g
        self._gather = gather

    def to_grid(self, fourier: Fourier, c: Array, blocks: np.ndarray | slice = slice(None)) -> Array:
        xp, (n1, n2) = fourier.xp, self.shape
        padded = xp.concatenate([c, xp.zeros_like(c[..., :1])], axis=-1)
        spread = xp.take_along_axis(padded, self._gather[blocks][None, :, None, :], axis=-1)
        return fourier.c2c(spread.reshape(*c.shape[:-1], n1, n2), forward=False)

    def from_grid(self, fourier: Fourier, f: Array, blocks: np.ndarray | slice = slice(None)) -> Array:
        flat = fourier.c2c(f, forward=True).reshape(*f.shape[:-2], -1) / self.points
        put, mask = self._put[blocks], self.mask[blocks]
        return fourier.xp.take_along_axis(flat, put[None, :, None, :], axis=-1) * mask[None, :, None, :]

    def to_waves(self, x: np.ndarray, blocks: np.ndarray | None = None) -> np.ndarray:
        out = np.zeros((*x.shape[:-1], self.size), dtype=complex)
        for row, k in enumerate(range(x.shape[0]) if blocks is None else blocks):
            keep = self.mask[k] > 0
            out[row][:, self.index[k, keep]] = x[row][:, keep]
        return out

    def coefficient_k(self) -> np.ndarray:
        return self.unit_k

    def gradient(self, x: np.ndarray, blocks: np.ndarray, axis: int) -> np.ndarray:
        return 1j * self.unit_k[blocks][None, :, None, :, axis] * x

    def gaussians(self, where: np.ndarray, width: float) -> np.ndarray:
        k = self.unit_k / np.sqrt(self.box.area)
        envelope = np.exp(-0.5 * width**2 * np.sum(k * k, axis=-1)) * self.mask
        return envelope[:, None] * np.exp(-1j * np.einsum("nx,kgx->kng", where, k))

    def noise(self, rng: np.random.Generator, blocks: np.ndarray, count: int) -> np.ndarray:
        shape = (len(blocks), count, self.coefficients)
        return self.mask[blocks][:, None] * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))

    def forward(self, fourier: Fourier, a: Array) -> Array:
        return fourier.c2c(a, forward=True)

    def backward(self, fourier: Fourier, a: Array) -> Array:
        return fourier.c2c(a, forward=False)

    def field_forward(self, fourier: Fourier, a: Array) -> Array:
        return fourier.c2c(a + 0j, forward=True)

    def field_backward(self, fourier: Fourier, a: Array) -> Array:
        return fourier.c2c(a, forward=False).real
