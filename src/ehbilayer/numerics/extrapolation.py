"""Extrapolation of iterations to a fixed point: the combination of the last points whose errors cancel best.

D. G. Anderson, J. ACM 12, 547 (1965); P. Pulay, Chem. Phys. Lett. 73, 393 (1980).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SINGULAR = 1e-13  # of the largest eigenvalue of the scaled overlaps of errors, below which combinations are left out


class Extrapolation:
    """Of points x_i with errors e_i that vanish at the fixed point: sum_i w_i x_i with sum_i w_i = 1 and the least
    |sum_i w_i e_i|.

    ``kept`` is how many of the last points it goes back to.
    """

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self._points: list[Sequence[np.ndarray]] = []
        self._errors: list[np.ndarray] = []
        self._overlaps = np.zeros((0, 0))

    def __call__(self, point: Sequence[np.ndarray], error: np.ndarray) -> tuple[np.ndarray, ...]:
        """The combination after one more point, arrays of any shape, and its error.

        Where errors are x_new - x, points are best x_new or x plus a part of it: w are the same.
        """
        old = self._overlaps[1 - self.kept:, 1 - self.kept:] if len(self._errors) >= self.kept else self._overlaps
        self._points = [*self._points[-len(old):], point] if len(old) else [point]
        self._errors = [*self._errors[-len(old):], error] if len(old) else [error]
        row = np.array([float(np.vdot(e, error).real) for e in self._errors])
        self._overlaps = np.block([[old, row[:-1, None]], [row[None]]])
        weights = self._weights()
        return tuple(np.asarray(sum(w * p[i] for w, p in zip(weights, self._points, strict=True)))
                     for i in range(len(point)))

    def _weights(self) -> np.ndarray:
        """w_i = s_i, w_last = 1 - sum_i s_i of the least |e_last + sum_i s_i (e_i - e_last)|."""
        b = self._overlaps
        last = np.append(np.zeros(len(b) - 1), 1.0)
        apart = b[:-1, :-1] - b[:-1, -1:] - b[-1:, :-1] + b[-1, -1]
        scale = np.sqrt(np.diag(apart).clip(min=0))
        if len(b) == 1 or scale.min() == 0:
            return last
        values, vectors = np.linalg.eigh(apart / np.outer(scale, scale))
        keep = values > SINGULAR * values[-1]
        share = -vectors[:, keep] @ ((vectors[:, keep].T @ ((b[:-1, -1] - b[-1, -1]) / scale)) / values[keep]) / scale
        return np.append(share, 1 - share.sum()) if np.all(np.isfinite(share)) else last
