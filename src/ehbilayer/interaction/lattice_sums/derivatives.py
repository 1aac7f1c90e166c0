r"""Second derivatives of the energy of point charges in layers: Hessian and dynamical matrix at any wave vector.

A displacement u_{iR} = u_i e^{iq(r_i + R)} costs 1/2 sum u*_{ia} D_{ia,jb}(q) u_{jb} per cell (no masses in D), with

    D_{ij}(q) = C_{ij}(q) - delta_ij sum_l C_{il}(0),
    C_{ij}(q) = - q_i q_j sum'_R grad grad short(s) e^{-iqs},  s = r_i - r_j - R        (in the plane; not on itself)
              + (q_i q_j / A) sum_G (q+G)(q+G) long(|q+G|) e^{iG(r_i - r_j)}            (without q + G = 0).

What C_ii takes for the charge on itself is in C_ii(0) too and drops out, and so does the sum over j at q = 0: the
acoustic sum rule holds by construction. D is Hermitian and continuous; at q -> 0 charged layers leave the term
q_i q_j (2 pi/A) q q/|q|, which is not analytic (`long_wave`): longitudinal plasmons with omega^2 ~ |q|.

Source: Born & Huang, Dynamical Theory of Crystal Lattices (1954), section 30; in two dimensions Bonsall & Maradudin,
PRB 15, 1959 (1977). The halves are those of `layers`, bare or in a medium.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np

from ehbilayer.interaction.lattice_sums.layers import Layers, Medium
from ehbilayer.interaction.lattice_sums.split import (
    TOLERANCE,
    coincident,
    decades_of,
    per_charge,
    planar,
    points_within,
)
from ehbilayer.numerics.lattice import Cell, reduce_vectors

BLOCK = 1 << 19  # complex numbers held in memory at a time
XX, XY, YY = (0, 0), (0, 1), (1, 1)


def hessian(vectors: np.ndarray, positions: np.ndarray, charges: np.ndarray, heights: np.ndarray,
            tolerance: float = TOLERANCE, medium: Medium | None = None) -> np.ndarray:
    """d2E/(dr_ia dr_jb) per cell (n, 2, n, 2), Ha_h/a_h^2. Arguments and errors: `potential.energy_and_forces`."""
    zero = np.zeros((1, 2))
    return ForceConstants(vectors, positions, charges, heights, tolerance, medium).dynamical_matrix(zero)[0].real


def dynamical_matrix(vectors: np.ndarray, positions: np.ndarray, charges: np.ndarray, heights: np.ndarray,
                     q: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """D_{ia,jb}(q) at wave vectors ``q`` (m, 2) in 1/a_h: complex, shape (m, n, 2, n, 2), Ha_h/a_h^2, without masses.

    Other arguments and errors: `potential.energy_and_forces`.
    """
    return ForceConstants(vectors, positions, charges, heights, tolerance).dynamical_matrix(q)


def long_wave(area: float, charges: np.ndarray, heights: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The part of D that is not analytic at q = 0: q_i q_j (2 pi/A) (q_a q_b/|q|) e^{-|q||z_i - z_j|}.

    Shapes: charges and heights (n,), q (m, 2) not zero; returns (m, n, 2, n, 2) in Ha_h/a_h^2 (area in a_h^2).
    """
    k = np.linalg.norm(q, axis=1)
    apart = np.abs(np.subtract.outer(heights, heights))
    weight = np.multiply.outer(charges, charges) * np.exp(-k[:, None, None] * apart)
    return 2 * np.pi / area * np.einsum("ma,mb,m,mij->miajb", q, q, 1 / k, weight)


class ForceConstants:
    """The lattice sums of one crystal, made ready for many wave vectors. Arguments: `charges.PointCharges`.

    Raises
    ------
    InputError : arrays that do not fit each other or are not finite, two charges at one point, a bad cell or tolerance.
    """

    def __init__(self, vectors: np.ndarray, positions: np.ndarray, charges: np.ndarray, heights: np.ndarray,
                 tolerance: float = TOLERANCE, medium: Medium | None = None) -> None:
        self._cell = Cell(reduce_vectors(Cell(vectors).vectors)[0])
        self.area, self.positions = self._cell.area, planar("positions", positions)
        n = len(self.positions)
        self.charges, self.heights = per_charge("charges", charges, n), per_charge("heights", heights, n)
        self._layers = Layers(self.heights, medium)
        decades = decades_of(tolerance)
        # the short part costs n^2 pairs, the long part n structure factors per wave
        self._r0 = r0 = float(np.sqrt(self.area / np.pi)) * max(n, 1) ** -0.25
        self._reach = np.sqrt(decades) * r0
        zone = 0.5 * float(np.sum(np.linalg.norm(self._cell.reciprocal, axis=1)))
        self._waves = points_within(self._cell.reciprocal, 2 * np.sqrt(decades) / r0 + zone)
        self._phase = np.exp(1j * self.positions @ self._waves.T)  # charge, wave

    def dynamical_matrix(self, q: np.ndarray) -> np.ndarray:
        """D at wave vectors q (m, 2) in 1/a_h: complex Hermitian, shape (m, n, 2, n, 2), Ha_h/a_h^2."""
        q = planar("q", q)
        out = [self._coupling(part, None) - self._restoring for part in self._blocks(q)]
        return np.concatenate(out) if out else np.zeros((0, *self._restoring.shape), dtype=complex)

    def slope(self, q: np.ndarray) -> np.ndarray:
        """dD/dq_c at wave vectors q (m, 2) in 1/a_h: shape (m, 2, n, 2, n, 2), c first, Ha_h/a_h.

        The long-wave term, which has no derivative at q = 0, counts as its average over directions there: nothing.
        """
        q = planar("q", q)
        out = [np.stack([self._coupling(part, c) for c in (0, 1)], axis=1) for part in self._blocks(q)]
        return np.concatenate(out) if out else np.zeros((0, 2, *self._restoring.shape), dtype=complex)

    def _blocks(self, q: np.ndarray) -> list[np.ndarray]:
        size = max(len(self._near[0]), 3 * self._phase.size, 4 * len(self.positions) ** 2)
        step = max(1, BLOCK // size)
        return [q[i : i + step] for i in range(0, len(q), step)]

    @cached_property
    def _restoring(self) -> np.ndarray:
        """delta_ij sum_l C_il(0)."""
        total = self._coupling(np.zeros((1, 2)), None)[0].sum(axis=2).real  # i, a, b
        out = np.zeros((len(total), 2, len(total), 2))
        out[np.arange(len(total)), :, np.arange(len(total))] = total
        return out

    def _coupling(self, q: np.ndarray, along: int | None) -> np.ndarray:
        """C(q), or its derivative by q_x or q_y, shape (m, n, 2, n, 2)."""
        whole = np.rint(q @ np.linalg.inv(self._cell.reciprocal)) @ self._cell.reciprocal
        inner = q - whole  # in the zone around q = 0, which the ranges are made for
        c = self._short(inner, along) + self._long(inner, along)  # m, (xx, xy, yy), i, j
        turn = np.exp(-1j * whole @ self.positions.T)
        c *= (turn[:, :, None] * turn[:, None, :].conj())[:, None]
        return np.stack([np.stack([c[:, 0], c[:, 1]], -1), np.stack([c[:, 1], c[:, 2]], -1)], 2)

    @cached_property
    def _near(self) -> tuple[np.ndarray, Any]:
        """Displacements s (t, 2) within the reach, and the matrix (3 n^2, t) that adds their terms to the pairs."""
        from scipy.sparse import csr_array

        n = len(self.positions)
        i, j = np.divmod(np.arange(n * n), n)
        corner = 0.5 * max(np.linalg.norm(self._cell.vectors[0] + s * self._cell.vectors[1]) for s in (1, -1))
        images = points_within(self._cell.vectors, self._reach + corner)
        fraction = (self.positions[i] - self.positions[j]) @ np.linalg.inv(self._cell.vectors)
        inside = (fraction - np.rint(fraction)) @ self._cell.vectors
        gap = (self.heights[i] - self.heights[j]) ** 2
        found = []
        for image in images:  # few, while the pairs may be many
            r = inside + image
            square = np.sum(r * r, axis=1) + gap
            on = np.flatnonzero((square <= self._reach**2) & ~((i == j) & np.all(image == 0)))
            found.append((on, r[on], np.sqrt(square[on])))
        pair, r, s = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if len(s) and s.min() < 1e-14 * np.sqrt(self.area):
            raise coincident("positions")
        of = self._layers.of
        _, f1, f2 = self._layers.short(s, self._layers.which[of[i[pair]], of[j[pair]]], self._r0, curved=True)
        strength = -self.charges[i[pair]] * self.charges[j[pair]]
        terms = np.concatenate([strength * (f1 * (a == b) + f2 * r[:, a] * r[:, b]) for a, b in (XX, XY, YY)])
        rows = np.concatenate([pair + c * n * n for c in range(3)])
        return r, csr_array((terms, (rows, np.tile(np.arange(len(s)), 3))), shape=(3 * n * n, len(s)))

    def _short(self, q: np.ndarray, along: int | None) -> np.ndarray:
        r, add = self._near
        wave = np.exp(-1j * r @ q.T)  # t, m
        if along is not None:
            wave *= -1j * r[:, along, None]
        n = len(self.positions)
        return (add @ wave).T.reshape(len(q), 3, n, n)

    def _long(self, q: np.ndarray, along: int | None) -> np.ndarray:
        n = len(self.positions)
        out = np.zeros((len(q), 3, n, n), dtype=complex)
        waves = q[:, None] + self._waves  # m, wave, xy
        for a, first in enumerate(self._layers.members):
            for b, second in enumerate(self._layers.members[a:], a):
                c = int(self._layers.which[a, b])
                # m, (xx, xy, yy), wave
                weight = _weights(waves, partial(self._layers.long, c=c, r0=self._r0), along) / self.area
                left = self._phase[first] * weight[:, :, None]
                block = left @ self._phase[second].conj().T * np.outer(self.charges[first], self.charges[second])
                out[:, :, first[:, None], second] = block
                out[:, :, second[:, None], first] = block.conj().swapaxes(2, 3)
        return out


def _weights(waves: np.ndarray, long: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
             along: int | None) -> np.ndarray:
    """k_a k_b long(k) for ab = xx, xy, yy, or its derivative by k_c, shape (m, 3, wave); 0 at k = 0."""
    k = np.linalg.norm(waves, axis=-1)
    zero = k == 0
    k = np.where(zero, 1.0, k)
    value, slope = long(k)
    product = np.stack([waves[..., a] * waves[..., b] for a, b in (XX, XY, YY)], axis=1)
    if along is None:
        return product * np.where(zero, 0.0, value)[:, None]
    turned = np.stack([(a == along) * waves[..., b] + (b == along) * waves[..., a] for a, b in (XX, XY, YY)], axis=1)
    return (turned * value[:, None] + product * (slope * waves[..., along] / k)[:, None]) * ~zero[:, None]
