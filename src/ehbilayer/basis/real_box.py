"""Real orbitals of the free box: one block, a cosine and a sine for every pair of waves +-k."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from ehbilayer.basis.base import Array, PlaneWaveBasis
from ehbilayer.numerics.fourier import Fourier


@final
class RealBox(PlaneWaveBasis):
    """Coefficients of an orbital: one of k = 0, then the cosines, then the sines of half of the other waves, M in all.

    ``real_k`` is the wave of each coefficient.
    """

    real, dtype, coarse, pair_seconds, number_bytes = True, float, 0.8, 8e-9, 8

    def _index_grid(self) -> None:
        n1, columns = self.shape[0], self.shape[1] // 2 + 1  # the half plane of a transform of real functions
        self.coefficients, self.columns = self.size, columns
        i, j = self.waves.T
        half = (j > 0) | ((j == 0) & (i > 0))
        self._half = np.concatenate([np.flatnonzero((i == 0) & (j == 0)), np.flatnonzero(half)])
        hi, hj = self.waves[self._half].T
        self._put = (hi % n1) * columns + hj  # where each half-space coefficient lives in the r2c layout
        self._mirrored = np.flatnonzero((hj == 0) & (hi > 0))
        gather = np.full(n1 * columns, len(hi) + len(self._mirrored))
        gather[self._put] = np.arange(len(hi))
        gather[(-hi[self._mirrored] % n1) * columns] = len(hi) + np.arange(len(self._mirrored))
        self._gather = gather
        self.real_k = np.concatenate([self._half, self._half[1:]])

    def to_grid(self, fourier: Fourier, c: Array, blocks: np.ndarray | slice = slice(None)) -> Array:
        xp, (n1, n2) = fourier.xp, self.shape
        half = self._to_half(xp, c)
        full = xp.concatenate([half, xp.conj(half[..., self._mirrored]), xp.zeros_like(half[..., :1])], axis=-1)
        return fourier.c2r(full[..., self._gather].reshape(*c.shape[:-1], n1, self.columns), n2)

    def from_grid(self, fourier: Fourier, f: Array, blocks: np.ndarray | slice = slice(None)) -> Array:
        return self._from_half(fourier.xp, fourier.r2c(f).reshape(*f.shape[:-2], -1)[..., self._put] / self.points)

    def _to_half(self, xp: Any, x: Array) -> Array:
        n = len(self._half) - 1
        pairs = (x[..., 1 : n + 1] + 1j * x[..., n + 1 :]) * np.sqrt(0.5)
        return xp.concatenate([x[..., :1] + 0j, pairs], axis=-1)

    def _from_half(self, xp: Any, h: Array) -> Array:
        root2 = np.sqrt(2.0)
        return xp.concatenate([h[..., :1].real, root2 * h[..., 1:].real, root2 * h[..., 1:].imag], axis=-1)

    def from_waves(self, c: np.ndarray) -> np.ndarray:
        """Complex amplitudes per wave (..., M) of a real function -> coefficients (..., M)."""
        return np.asarray(self._from_half(np, c[..., self._half]))

    def to_waves(self, x: np.ndarray, blocks: np.ndarray | None = None) -> np.ndarray:
        out = np.zeros((*x.shape[:-1], self.size), dtype=complex)
        h = self._to_half(np, x)
        lookup = {tuple(w): i for i, w in enumerate(self.waves)}
        out[..., self._half] = h
        out[..., [lookup[tuple(-self.waves[i])] for i in self._half[1:]]] = h[..., 1:].conj()
        return out

    def coefficient_k(self) -> np.ndarray:
        return np.asarray(self.waves[self.real_k] @ (self.box.reciprocal * np.sqrt(self.box.area)))[None]

    def gradient(self, x: np.ndarray, blocks: np.ndarray, axis: int) -> np.ndarray:
        # d/dx turns the cosine of a wave into minus its sine
        k, n = self.coefficient_k()[blocks][None, :, None, :, axis], (x.shape[-1] - 1) // 2
        even, odd = x[..., 1 : n + 1], x[..., n + 1 :]
        return np.concatenate([0 * x[..., :1], -k[..., 1 : n + 1] * odd, k[..., n + 1 :] * even], axis=-1)

    def gaussians(self, where: np.ndarray, width: float) -> np.ndarray:
        k = self.waves @ self.box.reciprocal
        return self.from_waves(np.exp(-0.5 * width**2 * np.sum(k * k, axis=-1) - 1j * where @ k.T))[None]

    def noise(self, rng: np.random.Generator, blocks: np.ndarray, count: int) -> np.ndarray:
        return rng.standard_normal((len(blocks), count, self.coefficients))

    def forward(self, fourier: Fourier, a: Array) -> Array:
        return fourier.r2c(a)

    def backward(self, fourier: Fourier, a: Array) -> Array:
        return fourier.c2r(a, self.shape[1])

    def multiplicity(self) -> np.ndarray:
        found = np.full(self.columns, 2.0)  # half-plane frequencies stand for G and -G
        found[0] = 1.0
        if self.shape[1] % 2 == 0:
            found[-1] = 1.0
        return found
