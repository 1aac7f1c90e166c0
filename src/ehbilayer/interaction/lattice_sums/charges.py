r"""Energy, forces and stress of point charges in layers, made ready once for a cell and then cheap for any positions.

    E = sum_{i<j,R} q_i q_j short(s_ijR) + 1/2 sum_{i,R!=0} q_i^2 short(R)              pairs closer than the reach
      + 1/(2A) sum_{k!=0} sum_ab S_a(k)* long_ab(k) S_b(k),  S_a(k) = sum_{i in a} q_i e^{ikr_i}
      + 1/2 sum_ab Q_a Q_b back_ab - 1/2 sum_i q_i^2 own_i,   own = 2/(sqrt(pi) r0) of bare charges

a, b are layers, Q_a their charges. The reach is at most half the cell's height, so that a pair has one image. That asks
for more waves, but these are cheap: e^{ikr} is a product of powers of two phases, so that structure factors and their
forces are products of small matrices. The halves are those of `layers`, bare or in a medium.
"""

from __future__ import annotations

from functools import cached_property

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

BLOCK = 1 << 14  # pairs held in memory at a time: their arrays stay in the cache


class PointCharges:
    """Charges in layers over one cell, each with its own neutralising background in its own layer.

    Parameters
    ----------
    vectors : cell vectors as rows, shape (2, 2), a_h.
    charges : shape (n,), in e.   heights : of each charge's layer, shape (n,), a_h.
    tolerance : of each charge's potential, in units of 1/sqrt(A).
    medium : what screens, None for bare charges.

    Raises
    ------
    InputError : dependent cell vectors, arrays that do not fit or are not finite, a tolerance not between 0 and 1.
    """

    def __init__(self, vectors: np.ndarray, charges: np.ndarray, heights: np.ndarray,
                 tolerance: float = TOLERANCE, medium: Medium | None = None) -> None:
        cell = Cell(reduce_vectors(Cell(vectors).vectors)[0])
        self.vectors, self.area, self._b = cell.vectors, cell.area, cell.reciprocal
        self._inverse = np.linalg.inv(cell.vectors)
        n = len(np.atleast_1d(charges))
        self.charges, self.heights = per_charge("charges", charges, n), per_charge("heights", heights, n)
        self._layers = Layers(self.heights, medium)
        self._set_ranges(decades_of(tolerance))
        alone = sum(self._layers.own(c, self.splitting) * q2 for c, q2 in self._squares)
        self._constant = self._backgrounds - 0.5 * alone

    def _set_ranges(self, decades: float) -> None:
        """The reach of the short part, r0, and the grid of waves b1 m1 + b2 m2 with m1 >= 0."""
        height, length = float(np.min(1 / np.linalg.norm(self._inverse, axis=0))), np.sqrt(self.area)
        # measured: a pair within reach costs as much as some hundred waves of one charge
        balanced = length * (5 / max(len(self.charges), 1)) ** 0.25 * np.sqrt(decades / 25)
        self._reach = min(balanced, max(height / 2, 0.2 * length))
        self.splitting = r0 = self._reach / np.sqrt(decades)
        most = np.floor(self._reach * np.linalg.norm(self._inverse, axis=0) + 0.5 - 1e-9).astype(int)
        self._shifts = [(i, j) for i in range(-most[0], most[0] + 1) for j in range(-most[1], most[1] + 1)]
        largest = 2 * np.sqrt(decades) / r0
        m1, m2 = np.floor(largest * np.linalg.norm(self.vectors, axis=1) / (2 * np.pi)).astype(int)
        self._m1, self._m2 = np.arange(m1 + 1), np.arange(-m2, m2 + 1)
        waves = self._m1[:, None, None] * self._b[0] + self._m2[:, None] * self._b[1]  # m1, m2, xy
        inside = np.sum(waves * waves, axis=-1) <= largest**2
        inside[0, : m2 + 1] = False  # k = 0, and of each pair +-k one
        self._inside, self._waves = inside, waves[inside]
        self._k = np.linalg.norm(self._waves, axis=1)

    @cached_property
    def _squares(self) -> list[tuple[int, float]]:
        """Of every layer, the class of its own pairs and the sum of its q^2."""
        return [(int(self._layers.which[a, a]), float(self.charges[m] @ self.charges[m]))
                for a, m in enumerate(self._layers.members)]

    @cached_property
    def _backgrounds(self) -> float:
        """1/2 sum Q_a Q_b back_ab."""
        total = np.array([self.charges[m].sum() for m in self._layers.members])
        back = np.array([self._layers.background(c, self.splitting, self.area) for c in range(self._layers.classes)])
        return float(0.5 * total @ back[self._layers.which] @ total)

    @cached_property
    def _kernels(self) -> tuple[np.ndarray, np.ndarray]:
        """long(k) and its derivative by k for every class of pairs of layers, shape (classes, m1, m2) each."""
        out = np.zeros((2, self._layers.classes, *self._inside.shape))
        for c in range(self._layers.classes):
            out[0, c, self._inside], out[1, c, self._inside] = self._layers.long(self._k, c, self.splitting)
        return out[0], out[1]

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, ...]:
        """i, j, q_i q_j, the squared vertical distance and the class of every pair i < j."""
        i, j = np.triu_indices(len(self.charges), 1)
        of = self._layers.of
        return (i, j, self.charges[i] * self.charges[j], (self.heights[i] - self.heights[j]) ** 2,
                self._layers.which[of[i], of[j]])

    def energy_and_forces(self, positions: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy per cell (Ha_h) and in-plane forces -dE/dr (n, 2) in Ha_h/a_h at ``positions`` (n, 2) in a_h.

        Raises InputError for positions of another shape or not finite, and for two charges at one point.
        """
        fraction = self._fractions(positions)
        near, push, _ = self._short(fraction)
        far, pull, _ = self._long(fraction, False)
        return near + far + self._constant, push + pull

    def energy_forces_stress(self, positions: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The same with the stress dE/d(eps_ab), shape (2, 2), Ha_h: strain r -> (1 + eps) r of cell and charges."""
        fraction = self._fractions(positions)
        near, push, squeeze = self._short(fraction)
        far, pull, stretch = self._long(fraction, True)
        stress = squeeze + stretch - (far + self._backgrounds) * np.eye(2)  # 1/A before the long part
        return near + far + self._constant, push + pull, stress

    def _fractions(self, positions: np.ndarray) -> np.ndarray:
        where = planar("positions", positions)
        per_charge("charges", self.charges, len(where))
        return where @ self._inverse

    def _short(self, fraction: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Every pair within the reach, and every charge with its own images."""
        pairs, n = self._pairs, len(fraction)
        out = [self._self_images()]
        for start in range(0, len(pairs[0]), BLOCK):
            i, j, *rest = (array[start : start + BLOCK] for array in pairs)
            f = fraction.T[:, i] - fraction.T[:, j]  # xy, pair
            f -= np.rint(f)
            out.extend(self._image(f, shift, i, j, (rest[0], rest[1], rest[2]), n) for shift in self._shifts)
        return (float(sum(e for e, _, _ in out)), np.sum([f for _, f, _ in out], axis=0),
                np.sum([s for _, _, s in out], axis=0))

    def _image(self, f: np.ndarray, shift: tuple[int, int], i: np.ndarray, j: np.ndarray,
               pair: tuple[np.ndarray, np.ndarray, np.ndarray], n: int) -> tuple[float, np.ndarray, np.ndarray]:
        """One image of a block of pairs: fractions f (2, p), charges i and j of n, the rest of `_pairs`."""
        a, (u, v), (qq, gap, kind) = self.vectors, (f[0] + shift[0], f[1] + shift[1]), pair
        x, y = a[0, 0] * u + a[1, 0] * v, a[0, 1] * u + a[1, 1] * v
        square = x * x + y * y + gap
        near = np.flatnonzero(square < self._reach**2)
        if len(near) == 0:
            return 0.0, np.zeros((n, 2)), np.zeros((2, 2))
        s, r = np.sqrt(square[near]), np.stack([x[near], y[near]])
        if s.min() < 1e-14 * np.sqrt(self.area):
            raise coincident("displacements")
        value, slope, _ = self._layers.short(s, kind[near], self.splitting)
        pull = r * (slope * qq[near])  # xy, pair: the gradient by r_i
        force = [np.bincount(j[near], p, n) - np.bincount(i[near], p, n) for p in pull]
        return float(value @ qq[near]), np.stack(force, axis=1), pull @ r.T

    def _self_images(self) -> tuple[float, np.ndarray, np.ndarray]:
        images = points_within(self.vectors, self._reach)
        images = images[np.any(images != 0, axis=1)]
        value, slope = np.zeros((2, len(images)))
        for c, q2 in self._squares:
            f, f1, _ = self._layers.short(np.linalg.norm(images, axis=1), c, self.splitting)
            value, slope = value + 0.5 * q2 * f, slope + 0.5 * q2 * f1
        return float(value.sum()), np.zeros((len(self.charges), 2)), (images.T * slope) @ images

    def _long(self, fraction: np.ndarray, stressed: bool) -> tuple[float, np.ndarray, np.ndarray]:
        """The structure factors of all layers in each other's field."""
        one = _powers(fraction[:, 0], self._m1[-1])  # m1, charge
        two = _powers(fraction[:, 1], self._m2[-1])
        two = np.concatenate([two[:0:-1].conj(), two])  # m2, charge
        members, which = self._layers.members, self._layers.which
        structure = np.stack([(one[:, m] * self.charges[m]) @ two[:, m].T for m in members])
        kernel, slope = self._kernels
        energy, force, stretch = 0.0, np.empty((len(fraction), 2)), np.zeros((2, 2))
        for a, m in enumerate(members):
            field = np.einsum("bij,bij->ij", kernel[which[a]], structure).conj()
            energy += np.vdot(structure[a].conj(), field).real / self.area
            # -dE/dr = 2q/A sum k Im[e^{ikr} field*], k = m1 b1 + m2 b2
            first = np.imag(one[:, m] * (field @ two[:, m]))
            second = np.imag(one[:, m] * ((field * self._m2) @ two[:, m]))
            force[m] = 2 * self.charges[m, None] / self.area * (
                np.outer(self._m1 @ first, self._b[0]) + np.outer(second.sum(axis=0), self._b[1]))
            if stressed:
                stiff = np.einsum("bij,bij->ij", slope[which[a]], structure)
                weight = np.real(structure[a].conj() * stiff)[self._inside] / (self._k * self.area)
                stretch -= (self._waves.T * weight) @ self._waves  # dk/d(eps_ab) = -k_a k_b / k
        return float(energy), force, stretch


def _powers(fraction: np.ndarray, most: int) -> np.ndarray:
    """e^{2 pi i m u} for m = 0 .. most, shape (most + 1, n)."""
    out = np.ones((most + 1, len(fraction)), dtype=complex)
    out[1:] = np.exp(2j * np.pi * fraction)
    return np.multiply.accumulate(out, axis=0)
