"""The curvature of the energy of a normal state towards pairing: would excitons condense in it?

To second order in a pairing amplitude K between two empty levels a, b or two filled ones i, j (of electrons and holes
in one block, k and -k)

    E = E_0 + sum_ab |K_ab|^2 (e_a + h_b - mu) + sum_ij |K_ij|^2 (mu - e_i - h_j) - Tr (v_1 * K) K^dagger,

where mu keeps the number of pairs, sum_ab |K_ab|^2 = sum_ij |K_ij|^2. The lowest curvature lambda is the largest over
mu of the lowest eigenvalue of this form; where it is negative the state is a saddle and some K leads down.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse.linalg import LinearOperator, eigsh

from ehbilayer.hartree_fock.coherence.field import MeanField
from ehbilayer.hartree_fock.coherence.filling import Filled

PRECISE = 1e-3  # of the curvature, relative to the range of mu


def pairing_curvature(mean: MeanField, c: int, filled: Filled) -> float | None:
    """lambda of one sector without pairs (Ha_h); None where its filled levels are not the lowest of each carrier."""
    g = mean.basis.coefficients
    e, h = filled.levels[:, :g], -filled.levels[:, g:]
    full_e, full_h = filled.occupied[:, :g], ~filled.occupied[:, g:] & np.isfinite(filled.levels[:, g:])
    known_e, known_h = np.isfinite(e), np.isfinite(filled.levels[:, g:])
    low = float(e[full_e].max() + h[full_h].max())
    high = float(e[known_e & ~full_e].min() + h[known_h & ~full_h].min())
    if not low < high:
        return None
    # +1 between empty levels, -1 between filled ones, 0 where no rotation leads
    sign = (known_e & ~full_e)[:, :, None] * (known_h & ~full_h)[:, None, :] * 1.0
    sign = sign - full_e[:, :, None] * full_h[:, None, :]
    pair = np.where(known_e, e, 0.0)[:, :, None] + np.where(known_h, h, 0.0)[:, None, :]
    u, w = filled.vectors[:, :g, :g], filled.vectors[:, g:, g:]
    convolution = mean.convolution(*mean.setting.parts_of(c))
    places = np.nonzero(sign)
    dtype = filled.vectors.dtype

    def lowest(mu: float) -> float:
        bare = (sign * (pair - mu))[places]

        def apply(x: np.ndarray) -> np.ndarray:
            k = np.zeros(sign.shape, dtype=dtype)
            k[places] = x.ravel()
            field = convolution(np.matmul(np.matmul(u, k), np.conj(np.swapaxes(w, 1, 2))))
            back = np.matmul(np.matmul(np.conj(np.swapaxes(u, 1, 2)), field), w)
            return np.asarray(bare * x.ravel() - back[places])

        n = len(bare)
        operator = LinearOperator((n, n), matvec=apply, dtype=dtype)
        start = np.exp(-(bare - bare.min()) / max(high - low, 1e-6)).astype(dtype)
        return float(eigsh(operator, k=1, which="SA", v0=start, tol=1e-5, return_eigenvectors=False)[0])

    found = minimize_scalar(lambda mu: -lowest(mu), bounds=(low, high), method="bounded",
                            options={"xatol": PRECISE * (high - low)})
    return float(-found.fun)
