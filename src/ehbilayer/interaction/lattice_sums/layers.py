r"""The layers of a lattice sum: which charges share one, and the two halves of the interaction of each pair of layers.

Bare charges have the halves of `split`. In a layered medium the interaction is a sum of Gaussians (`heat_kernel`),
v = sum_m w_m e^{-q^2 t_m}, which the same splitting length r0 divides: narrow ones, t < r0^2/4, over lattice vectors,

    short(r) = sum w/(4 pi t) e^{-r^2/4t},    back = sum w,

the others over wave vectors, long(k) = sum w e^{-k^2 t}. Both are as short as those of bare charges, e^{-(r/r0)^2} and
e^{-(k r0/2)^2}, so that the ranges of the sums are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ehbilayer.interaction.lattice_sums.split import background, long_slope, short_curvature, short_part

DEEP = 46.0  # exponents beyond which e^-x no longer counts


class Gaussians(Protocol):
    """v(q) = sum_m weight_m e^{-q^2 t_m}, see `heat_kernel.HeatKernel`."""

    @property
    def t(self) -> np.ndarray:
        """(T,), a_h^2."""
        ...

    @property
    def weight(self) -> np.ndarray:
        """(T,), Ha_h a_h^2."""
        ...


@dataclass(frozen=True, eq=False)
class Medium:
    """What screens: the Gaussians of a pair of layers, and the layer of every charge (n,)."""

    kernel: Callable[[int, int], Gaussians]
    layers: np.ndarray


class Layers:
    """Layers of charges at ``heights`` (n,), bare or in a medium.

    of : layer of every charge (n,).   members : charges of every layer.   which : class of every pair of layers.
    """

    def __init__(self, heights: np.ndarray, medium: Medium | None) -> None:
        names, first, self.of = np.unique(heights if medium is None else medium.layers, return_index=True,
                                          return_inverse=True)
        self.members = [np.flatnonzero(self.of == a) for a in range(len(names))]
        apart = np.abs(heights[first][:, None] - heights[first])
        self._kernels: list[Gaussians] | None = None
        if medium is None:
            self._distances, which = np.unique(apart, return_inverse=True)
            self.which = which.reshape(apart.shape)
        else:
            low, high = np.triu_indices(len(names))
            self.which = np.zeros(apart.shape, dtype=int)
            self.which[low, high] = self.which[high, low] = np.arange(len(low))
            self._distances = apart[low, high]
            self._kernels = [medium.kernel(int(names[a]), int(names[b])) for a, b in zip(low, high, strict=True)]

    @property
    def classes(self) -> int:
        """Pairs of layers whose interactions differ."""
        return len(self._distances)

    def short(self, s: np.ndarray, classes: np.ndarray | int, r0: float, *,
              curved: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """f, f1 = f'/r and, where ``curved``, f2 = f1'/r of the short half at distances s (p,) in space of pairs of
        these classes."""
        if self._kernels is None:
            return short_curvature(s, r0) if curved else (*short_part(s, r0), s)
        out, classes = np.zeros((3, len(s))), np.broadcast_to(classes, s.shape)
        for c, kernel in enumerate(self._kernels):
            on = np.flatnonzero(classes == c)
            if len(on):
                square = np.maximum(s[on] ** 2 - self._distances[c] ** 2, 0.0)
                near = (kernel.t < r0**2 / 4) & (kernel.t > square.min() / (4 * DEEP))
                t = kernel.t[near]
                gauss, height = np.exp(-np.multiply.outer(square, 0.25 / t)), kernel.weight[near] / (4 * np.pi * t)
                # each derivative by r, over r, brings -1/2t
                out[:, on] = (gauss @ np.stack([height, -height / (2 * t), height / (4 * t * t)], axis=1)).T
        return out[0], out[1], out[2]

    def long(self, k: np.ndarray, c: int, r0: float) -> tuple[np.ndarray, np.ndarray]:
        """The long half of class ``c`` at wave numbers k > 0 of any shape, and its derivative by k."""
        if self._kernels is None:
            return long_slope(k, r0, float(self._distances[c]))
        kernel = self._kernels[c]
        far = (kernel.t >= r0**2 / 4) & (kernel.t < DEEP / float(np.min(k, initial=np.inf)) ** 2)
        t, weight = kernel.t[far], kernel.weight[far]
        both = np.exp(-np.multiply.outer(k * k, t)) @ np.stack([weight, weight * t], axis=1)
        return both[..., 0], -2 * k * both[..., 1]

    def background(self, c: int, r0: float, area: float) -> float:
        """What gives the potential of class ``c`` a zero average: the integral of the short half over -A."""
        if self._kernels is None:
            return background(r0, float(self._distances[c]), area)
        kernel = self._kernels[c]
        return -float(kernel.weight[kernel.t < r0**2 / 4].sum()) / area

    def own(self, c: int, r0: float) -> float:
        """The long half at a charge's own place, for classes within one layer."""
        if self._kernels is None:
            return float(2 / (np.sqrt(np.pi) * r0))
        kernel = self._kernels[c]
        far = kernel.t >= r0**2 / 4
        return float(np.sum(kernel.weight[far] / (4 * np.pi * kernel.t[far])))
