"""Density and local potential of a crystal on its plane waves, where blocks hold few of them.

With D_k = sum_n f_n c_n c_n^* of each block, rho(G) is the sum of D_k(kappa, kappa - G), and a potential is the matrix
V(kappa - kappa') in each block: no transform to the grid and back.
"""

from __future__ import annotations

from typing import final

import numpy as np

from ehbilayer.terms import Array, Setting
from ehbilayer.terms.wave_exchange import worth_it


@final
class WaveDensity:
    """Of one channel; fields are at the frequencies of `basis.base.PlaneWaveBasis.forward`, (b, n1, columns)."""

    def __init__(self, setting: Setting, channel: int) -> None:
        basis, filling = setting.basis, setting.fillings[channel]
        self._f, (n1, n2) = filling.f[None, :, :, None], basis.shape
        steps, mask = basis.steps[filling.blocks], basis.mask[filling.blocks] > 0
        p = steps[:, :, None] - steps[:, None, :]
        place = (p[..., 0] % n1) * n2 + p[..., 1] % n2
        self._points, self._shape = n1 * n2, (n1, n2)
        self._place = np.where(mask[:, :, None] & mask[:, None, :], place, self._points)  # (K, g, g'), padding apart

    @classmethod
    def of(cls, setting: Setting, channel: int) -> WaveDensity | None:
        """None where transforms cost less, or where the grid is too coarse to tell transfers apart."""
        return cls(setting, channel) if worth_it(setting, channel) and setting.basis.distinct else None

    def density(self, c: Array) -> Array:
        """rho(G) = sum_p f_p <p| exp(-i G r) |p> of orbitals c (b, K, n, g), (b, n1, n2), of one flavour."""
        matrix = np.matmul(np.swapaxes(self._f * c, -1, -2), c.conj()).reshape(len(c), -1)
        rho = np.empty((len(c), self._points), dtype=complex)
        for b, values in enumerate(matrix):
            rho[b].real, rho[b].imag = (np.bincount(self._place.ravel(), x, self._points + 1)[:-1]
                                        for x in (values.real, values.imag))
        return rho.reshape(len(c), *self._shape)

    def apply(self, potential: Array, c: Array) -> Array:
        """V c of a potential V(G) (b, n1, n2), the same shape as c."""
        v = np.concatenate([potential.reshape(len(c), -1), np.zeros((len(c), 1))], axis=1)[:, self._place]
        return np.matmul(c, np.swapaxes(v, -1, -2))
