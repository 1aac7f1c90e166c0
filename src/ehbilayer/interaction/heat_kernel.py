r"""An interaction as a sum of Gaussians: its form in real space and its lattice sums.

In any layered medium the potential obeys (H + q^2 M) phi = 4 pi rho with H and M positive (M holds the in-plane
dielectric constants and sheets). So v(q) = 4 pi sum_n c_n/(q^2 + lambda_n^2) is analytic in p = q^2 off the negative
axis, and with its inverse Laplace transform g(t) = 4 pi sum_n c_n e^{-lambda_n^2 t}

    v(q) = int_0^inf g(t) e^{-q^2 t} dt,      v(r) = int_0^inf g(t) e^{-r^2/4t} dt/(4 pi t).

g(t) is computed on Talbot's contour. The trapezoidal rule in ln t has an error of about e^{-pi^2/h} at step h, because
g(t) is analytic for Re t > 0: with h = 0.3 that is 1e-14 of v. Gaussians are summed over a lattice exactly: narrow ones
over lattice vectors, wide ones over wave vectors, which is Ewald's way.

Source: Trefethen, Weideman and Schmelzer, BIT 46, 653 (2006), for the contour.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ehbilayer.interaction.lattice_sums.split import points_within
from ehbilayer.numerics.lattice import Cell, reduce_vectors

STEP = 0.3  # of ln t
NARROWEST, WIDEST = 1e-32, 1e32  # a_h^2: range of t; what lies beyond adds 1e-14 at distances between 1e-2 and 1e2
NODES = 28  # of the contour
DEEP = 46.0  # exponents beyond which e^-x no longer counts
BLOCK = 1 << 20


@dataclass(frozen=True, eq=False)
class HeatKernel:
    """v(q) = sum_m weight_m e^{-q^2 t_m}; ``t`` (T,) in a_h^2, ``weight`` (T,) in Ha_h a_h^2."""

    t: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, v: Callable[[np.ndarray], np.ndarray], closest: float = 0.0, slowest: float = math.inf) -> HeatKernel:
        """Of v at complex wave numbers. g has died out below closest^2/4 DEEP, the distance between the charges being
        at least ``closest`` (a_h), and above DEEP times ``slowest``, a bound on all 1/lambda_n^2 (a_h^2)."""
        low, high = max(NARROWEST, closest**2 / (4 * DEEP)), min(WIDEST, DEEP * slowest)
        first, last = math.ceil(math.log(low) / STEP), math.floor(math.log(high) / STEP)
        t = np.exp(STEP * np.arange(first, last + 1))
        return cls(t, STEP * t * _inverse_laplace(v, t))

    def fourier(self, q: np.ndarray) -> np.ndarray:
        """v(q) of the sum, to compare with what it stands for."""
        return np.asarray(np.exp(-np.multiply.outer(q * q, self.t)) @ self.weight)

    def real_space(self, r: np.ndarray) -> np.ndarray:
        """v(r) in Ha_h at distances ``r`` > 0 (a_h; 0 between layers)."""
        r = np.asarray(r, dtype=float)
        return np.asarray(np.exp(-np.multiply.outer(r * r, 0.25 / self.t)) @ (self.weight / (4 * np.pi * self.t)))

    def madelung(self, vectors: np.ndarray) -> float:
        """(1/A) sum_{k != 0} v(k) - v(r = 0) on the lattice of ``vectors``: the potential of a charge's images, of
        zero average where v(0) is infinite; less v(0)/A where it is finite."""
        cell = Cell(reduce_vectors(Cell(vectors).vectors)[0])
        near = self.t < cell.area / (4 * np.pi)
        images = points_within(cell.vectors, math.sqrt(4 * DEEP * cell.area / (4 * np.pi)))
        waves = points_within(cell.reciprocal, math.sqrt(DEEP / (cell.area / (4 * np.pi)) * math.exp(STEP)))
        r2, k2 = (np.sum(x[np.any(x != 0, axis=1)] ** 2, axis=1) for x in (images, waves))
        t, weight = self.t[near], self.weight[near]
        short = float(np.sum(np.exp(-np.multiply.outer(r2, 0.25 / t)) @ (weight / (4 * np.pi * t)))) \
            - float(weight.sum()) / cell.area
        t, weight = self.t[~near], self.weight[~near]
        far = float(np.sum(np.exp(-np.multiply.outer(k2, t)) @ weight)) / cell.area
        return short + far - float(np.sum(weight / (4 * np.pi * t)))


    def potential(self, vectors: np.ndarray, displacements: np.ndarray) -> np.ndarray:
        """(1/A) sum_{k != 0} v(k) e^{ikr} on the lattice of ``vectors``, the potential of zero average, (n,) in Ha_h.

        ``displacements`` (n, 2) in a_h are off the charge itself in its own layer.
        """
        cell = Cell(reduce_vectors(Cell(vectors).vectors)[0])
        fractions = displacements @ np.linalg.inv(cell.vectors)
        r = (fractions - np.rint(fractions)) @ cell.vectors
        middle = cell.area / (4 * np.pi)
        corner = 0.5 * max(float(np.linalg.norm(cell.vectors[0] + s * cell.vectors[1])) for s in (1, -1))
        images = points_within(cell.vectors, math.sqrt(4 * DEEP * middle) + corner)
        waves = points_within(cell.reciprocal, math.sqrt(DEEP / middle) * math.exp(STEP / 2))
        waves = waves[(waves[:, 1] > 0) | ((waves[:, 1] == 0) & (waves[:, 0] > 0))]  # of each pair +-k one
        closest = float(np.min(np.sum(r * r, axis=1), initial=math.inf))
        near, far = (self.t < middle) & (self.t > closest / (4 * DEEP)), self.t >= middle
        t, height = self.t[near], self.weight[near] / (4 * np.pi * self.t[near])
        v = 2 * np.exp(-np.multiply.outer(np.sum(waves * waves, axis=1), self.t[far])) @ self.weight[far] / cell.area
        out = np.empty(len(r))
        step = max(1, BLOCK // (len(images) * max(len(t), 1)))
        for start in range(0, len(r), step):
            part = slice(start, start + step)
            square = np.sum((r[part, None] + images) ** 2, axis=-1)
            out[part] = np.sum(np.exp(-np.multiply.outer(square, 0.25 / t)) @ height, axis=1) \
                + np.cos(r[part] @ waves.T) @ v
        return out - float(self.weight[self.t < middle].sum()) / cell.area


def _inverse_laplace(v: Callable[[np.ndarray], np.ndarray], t: np.ndarray) -> np.ndarray:
    """g(t) with int g e^{-pt} dt = v(sqrt(p)), (T,)."""
    theta = (2 * np.arange(NODES // 2) + 1) * np.pi / NODES
    # z = t p = N (0.5017 theta cot(0.6407 theta) - 0.6122 + 0.2645 i theta)
    angle = 0.6407 * theta
    z = NODES * (0.5017 * theta / np.tan(angle) - 0.6122 + 0.2645j * theta)
    dz = NODES * (0.5017 / np.tan(angle) - 0.5017 * angle / np.sin(angle) ** 2 + 0.2645j)
    p = np.divide.outer(z, t)  # node, t
    terms = v(np.sqrt(p)) * (np.exp(z) * dz)[:, None]
    # (1/2 pi i) int e^{pt} v dp, both halves of the contour
    return np.asarray(2 * np.sum(terms, axis=0).imag / NODES / t)
