"""Plane waves on a torus, grouped into k blocks, and the transforms between them and a real-space grid.

A box of N cells and one cell with N k points are the same plane waves, sorted differently: ``supercell`` S with
box.vectors = S @ cell.vectors says how. S = 1 is the free box (one block, real orbitals), |det S| = N the crystal
(N blocks, Bloch orbitals), and a cell so small that every block holds one wave is the uniform liquid.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.numerics.fourier import Fourier, good_size, is_smooth
from ehbilayer.numerics.lattice import Cell, reduce_vectors
from ehbilayer.torus import Torus

Array = Any
HEXAGON = np.array([[1, 0], [0, 1], [1, 1], [-1, 0], [0, -1], [-1, -1]])


def rectangle_waves(n1: int, n2: int) -> np.ndarray:
    """All (i, j) with |i| <= (n1-1)/2 and |j| <= (n2-1)/2, shape (n1*n2, 2); both counts odd and positive."""
    for name, n in (("first", n1), ("second", n2)):
        if n < 1 or n % 2 == 0:
            raise InputError("plane_waves", f"odd counts >= 1 (k and -k both belong), the {name} too", n,
                             f"use {n + 1 if n > 0 else 1}")
    i, j = np.meshgrid(np.arange(n1) - n1 // 2, np.arange(n2) - n2 // 2, indexing="ij")
    return np.stack([i.ravel(), j.ravel()], axis=1)


def _six_shortest(box: Cell) -> np.ndarray:
    """Three pairs +-G (6, 2) of the shortest reciprocal vectors, in torus integers; exact ties resolved one way."""
    b, u = reduce_vectors(box.reciprocal)
    third = u[0] - u[1] if b[0] @ b[1] > 1e-9 * (b[0] @ b[0]) else u[0] + u[1]
    three = np.array([u[0], u[1], third])
    return np.concatenate([three, -three])


def hexagon_waves(box: Cell, steps: int) -> np.ndarray:
    """All waves within ``steps`` steps along the six shortest reciprocal vectors: 1 + 3 steps (steps + 1) waves."""
    if steps < 1:
        raise InputError("hexagon", "an integer >= 1", steps, "7 gives 169 waves")
    reached = {(0, 0)}
    front = set(reached)
    six = [(int(i), int(j)) for i, j in _six_shortest(box)]
    for _ in range(steps):
        front = {(i + a, j + b) for i, j in front for a, b in six} - reached
        reached |= front
    return np.array(sorted(reached))


def disk_waves(box: Cell, cutoff: float) -> np.ndarray:
    """All waves with |k| <= cutoff (1/a_h)."""
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise InputError("cutoff", "a positive wave number (1/a_h)", cutoff, "give the largest |k|")
    reach = np.ceil(cutoff * np.linalg.norm(box.vectors, axis=1) / (2 * np.pi)).astype(int)
    if np.prod(2.0 * reach + 1) > 4e6:
        raise InputError("cutoff", "a wave number that keeps fewer than 4e6 waves", cutoff, "lower it")
    i, j = np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij")
    waves = np.stack([i.ravel(), j.ravel()], axis=1)
    return waves[np.linalg.norm(waves @ box.reciprocal, axis=1) <= cutoff * (1 + 1e-12)]


def waves_for_tolerance(torus: Torus, tolerance: float) -> np.ndarray:
    """Waves of a disk whose energy error per particle should be near ``tolerance`` (Ha_h) for loosely bound crystals.

    Orbitals of zero-point width w = 0.8 (r_s^3/m)^(1/4) have cutoff errors near 10^(1 - 2.5 (k w - 2.5)) Ha_h. Tightly
    bound pairs need more: `hartree_fock.cutoff` starts here and enlarges the disk until the energy stays.
    """
    box = torus.box
    widths = [0.8 * ((box.area / (np.pi * s.count)) ** 1.5 / s.mass) ** 0.25 for s in torus.species if s.count]
    most = max(c.orbitals for c in torus.channels)
    reach = float(np.clip(2.5 - (np.log10(tolerance) + 5) / 2.2, 2.0, 8.0))
    return disk_waves(box, max(reach / min(widths), 1.5 * float(np.sqrt(4 * np.pi * most / box.area))))


def _differences(present: np.ndarray) -> np.ndarray:
    """Which differences occur between the marked entries: shape 2 n - 1, centred on zero difference."""
    n = [2 * s - 1 for s in present.shape]
    spectrum = np.fft.rfft2(present, n)
    counts = np.fft.irfft2(np.abs(spectrum) ** 2, n)
    return np.roll(counts, [s - 1 for s in present.shape], axis=(0, 1)) > 0.5


class PlaneWaveBasis:
    """Plane waves exp(i kappa r)/sqrt(A) on a box, sorted into the k blocks of a cell.

    Parameters
    ----------
    box : the torus; its area is the only place where a length enters.
    waves : integer coordinates on the box' reciprocal lattice, shape (M, 2), closed under inversion.
    supercell : integer matrix S, shape (2, 2), box.vectors = S @ cell.vectors; the identity by default.
    real : real orbitals (only for the free box, where time reversal allows it); the default there.

    Attributes
    ----------
    unit_k : wave vectors times sqrt(box area), shape (K, G, 2); padded entries are masked by ``mask`` (K, G).
    shape : FFT grid of the cell; fine enough for exact matrix elements of products of two orbitals.
    """

    def __init__(self, box: Cell, waves: np.ndarray, supercell: np.ndarray | None = None,
                 real: bool | None = None) -> None:
        self.box, self.waves = box, np.asarray(waves, dtype=int)
        present = {tuple(w) for w in self.waves.tolist()}
        if len(present) != len(self.waves) or any((-i, -j) not in present for i, j in present):
            raise InputError("waves", "distinct, with -k for every k", f"{len(self.waves)} waves", "complete them")
        self.supercell = np.eye(2, dtype=int) if supercell is None else np.asarray(supercell, dtype=int)
        self.cells = int(abs(round(np.linalg.det(self.supercell))))
        self.cell = Cell(np.linalg.inv(self.supercell) @ box.vectors)
        self.real = self.cells == 1 if real is None else real
        if self.real and self.cells != 1:
            raise InputError("real", "False for a cell with several k points", True, "leave it out")
        self._sort_blocks()
        self._difference_lookup()
        self._choose_grid()
        self._index_grid()

    @property
    def size(self) -> int:
        """Number of plane waves M."""
        return len(self.waves)

    @property
    def coefficients(self) -> int:
        """Length of one orbital's coefficient vector (M real numbers, or the padded block length G)."""
        return self.size if self.real else self.mask.shape[1]

    def evaluation_seconds(self, orbitals: int) -> float:
        """Rough cost of one evaluation of a channel: pairs of orbitals times grid points, 8 (real) or 25 ns each."""
        return orbitals * (orbitals + 1) / 2 * self.points * (8e-9 if self.real else 25e-9)

    def estimate(self, torus: Torus) -> dict[str, float]:
        """Rough memory (bytes) and seconds of one minimisation of about 30 energy evaluations on one core.

        Both follow the orbitals on the grid: N of them, N (N + 1) / 2 pair densities per evaluation.
        """
        seconds, orbitals = 0.0, 0
        for channel in torus.channels:
            bands = -(-channel.orbitals // self.cells)
            held = bands * self.cells
            orbitals += held
            seconds += self.evaluation_seconds(held)
        number = 8 if self.real else 16
        tables = number * self.points * (4 * self.cells if self.cells > 1 else 4)
        tables += 100 * self.cells**2  # pairs of k points
        memory = number * orbitals * (8 * self.points + 60 * self.coefficients) + tables
        return {"memory_bytes": 1.1e8 + memory, "seconds": 30 * seconds}

    def coarser(self) -> PlaneWaveBasis:
        """The same waves on an FFT grid with 0.8 (free box) or 0.7 times the points per axis.

        Products alias only at the largest momentum transfers, so states whose occupations die out before the cutoff
        come out almost the same, at half the cost.
        """
        other = copy(self)
        other.__dict__.pop("transfers", None)
        n1, n2 = (good_size(int((0.8 if self.real else 0.7) * n)) for n in self.shape)
        other.shape = (n1, n2)
        other._index_grid()
        return other

    def with_supercell(self, supercell: np.ndarray, real: bool | None = None) -> PlaneWaveBasis:
        """The same waves on the same box in the blocks of another cell."""
        return PlaneWaveBasis(self.box, self.waves, supercell, real)

    def _sort_blocks(self) -> None:
        to_cell = np.linalg.inv(self.supercell.T)  # torus integers -> cell reciprocal coordinates
        unit_b = self.box.reciprocal * np.sqrt(self.box.area)
        fraction = self.waves @ to_cell
        order = np.lexsort((self.waves[:, 1], self.waves[:, 0], np.round(np.sum((self.waves @ unit_b) ** 2, 1), 9)))
        key = np.rint((fraction - np.floor(fraction + 1e-9)) * self.cells).astype(int)
        blocks: dict[tuple[int, int], list[int]] = {}
        for w in order:
            blocks.setdefault((int(key[w, 0]), int(key[w, 1])), []).append(int(w))
        lists = list(blocks.values())  # the first (shortest) wave of each block is its k point
        width = max(map(len, lists))
        self.index = np.array([b + [b[0]] * (width - len(b)) for b in lists])  # (K, G) -> row of waves
        self.mask = np.array([[1.0] * len(b) + [0.0] * (width - len(b)) for b in lists])
        self.k_points = self.waves[self.index[:, 0]]  # (K, 2) torus integers
        steps = self.waves[self.index] - self.k_points[:, None]
        self.steps = np.rint(steps @ to_cell).astype(int)  # (K, G, 2) cell reciprocal integers
        self.unit_k = self.waves[self.index] @ unit_b

    def _difference_lookup(self) -> None:
        """A table over torus integers that says which momentum transfers occur between two waves."""
        reach = np.abs(self.waves).max(axis=0)
        present = np.zeros(2 * reach + 1)
        present[tuple((self.waves + reach).T)] = 1
        self._reach = 2 * reach
        self._transfers = _differences(present)

    def is_transfer(self, t: np.ndarray) -> np.ndarray:
        """Whether torus integers ``t`` (..., 2) are a difference of two waves."""
        inside = np.all(np.abs(t) <= self._reach, axis=-1)
        shifted = np.where(inside[..., None], t + self._reach, 0)
        return inside & self._transfers[shifted[..., 0], shifted[..., 1]]

    def _choose_grid(self) -> None:
        """The smallest grid on which no two of the cell's momentum transfers alias."""
        steps = self.steps[self.mask > 0]
        low = steps.min(axis=0)
        used = np.zeros(steps.max(axis=0) - low + 1)
        used[tuple((steps - low).T)] = 1
        # cell reciprocal integers G - G' that products of two orbitals can reach, whatever their blocks
        self._reached = np.argwhere(_differences(used)) - (np.array(used.shape) - 1)
        limit = [good_size(2 * w - 1) for w in used.shape]
        self.shape = (limit[0], limit[1])
        if self.cells == 1:
            return
        sizes = sorted((a * b, a, b) for a in range(1, limit[0] + 1) for b in range(1, limit[1] + 1)
                       if is_smooth(a) and is_smooth(b) and len(self._reached) <= a * b)
        for _, a, b in sizes:
            folded = (self._reached[:, 0] % a) * b + self._reached[:, 1] % b
            if len(np.unique(folded)) == len(folded):
                self.shape = (a, b)
                return

    def _index_grid(self) -> None:
        n1, n2 = self.shape
        self.points = n1 * n2
        if self.real:
            i, j = self.waves.T
            half = (j > 0) | ((j == 0) & (i > 0))
            self._half = np.concatenate([np.flatnonzero((i == 0) & (j == 0)), np.flatnonzero(half)])
            hi, hj = self.waves[self._half].T
            columns = n2 // 2 + 1
            self._put = (hi % n1) * columns + hj  # where each half-space coefficient lives in the r2c layout
            mirrored = np.flatnonzero((hj == 0) & (hi > 0))
            gather = np.full(n1 * columns, len(hi) + len(mirrored))
            gather[self._put] = np.arange(len(hi))
            gather[(-hi[mirrored] % n1) * columns] = len(hi) + np.arange(len(mirrored))
            self._gather, self._mirrored, self._columns = gather, mirrored, columns
            self.real_k = np.concatenate([self._half[:1], self._half[1:], self._half[1:]])  # wave of each coefficient
        else:
            self._put = (self.steps[..., 0] % n1) * n2 + self.steps[..., 1] % n2  # (K, G)
            gather = np.full((len(self._put), n1 * n2), self._put.shape[1])
            k, g = np.nonzero(self.mask)
            gather[k, self._put[k, g]] = g
            self._gather = gather

    # -- coefficients <-> grid; psi(r) = sum_kappa c_kappa exp(i kappa r), without the 1/sqrt(A)

    def to_grid(self, fourier: Fourier, c: Array, blocks: np.ndarray | slice = slice(None)) -> Array:
        """Orbitals on the grid: c (b, K, n, g) -> psi (b, K, n, n1, n2) (periodic part; real in the free box).

        ``blocks`` says which k blocks the rows of c belong to (all of them by default).
        """
        xp, (n1, n2) = fourier.xp, self.shape
        if self.real:
            half = self._to_half(xp, c)
            zero = xp.zeros_like(half[..., :1])
            full = xp.concatenate([half, xp.conj(half[..., self._mirrored]), zero], axis=-1)
            return fourier.c2r(full[..., self._gather].reshape(*c.shape[:-1], n1, self._columns), n2)
        padded = xp.concatenate([c, xp.zeros_like(c[..., :1])], axis=-1)
        spread = xp.take_along_axis(padded, self._gather[blocks][None, :, None, :], axis=-1)
        return fourier.c2c(spread.reshape(*c.shape[:-1], n1, n2), forward=False)

    def from_grid(self, fourier: Fourier, f: Array, blocks: np.ndarray | slice = slice(None)) -> Array:
        """Projection of functions on the grid onto the plane waves; the inverse of `to_grid` on their span."""
        xp = fourier.xp
        if self.real:
            flat = fourier.r2c(f).reshape(*f.shape[:-2], -1)[..., self._put] / self.points
            return self._from_half(xp, flat)
        flat = fourier.c2c(f, forward=True).reshape(*f.shape[:-2], -1) / self.points
        put, mask = self._put[blocks], self.mask[blocks]
        return xp.take_along_axis(flat, put[None, :, None, :], axis=-1) * mask[None, :, None, :]

    def _to_half(self, xp: Any, x: Array) -> Array:
        n = len(self._half) - 1
        pairs = (x[..., 1 : n + 1] + 1j * x[..., n + 1 :]) * np.sqrt(0.5)
        return xp.concatenate([x[..., :1] + 0j, pairs], axis=-1)

    def _from_half(self, xp: Any, h: Array) -> Array:
        root2 = np.sqrt(2.0)
        return xp.concatenate([h[..., :1].real, root2 * h[..., 1:].real, root2 * h[..., 1:].imag], axis=-1)

    def from_waves(self, c: np.ndarray) -> np.ndarray:
        """Complex amplitudes per wave (..., M) of a real function -> coefficients of the real free box (..., M)."""
        return self._from_half(np, c[..., self._half])

    def to_waves(self, x: np.ndarray, blocks: np.ndarray | None = None) -> np.ndarray:
        """Coefficients (K, n, g) -> complex amplitudes per wave (K, n, M), zero outside the orbital's block."""
        out = np.zeros((*x.shape[:-1], self.size), dtype=complex)
        if self.real:
            h = self._to_half(np, x)
            lookup = {tuple(w): i for i, w in enumerate(self.waves)}
            out[..., self._half] = h
            minus = [lookup[tuple(-self.waves[i])] for i in self._half[1:]]
            out[..., minus] = h[..., 1:].conj()
            return out
        for row, k in enumerate(range(x.shape[0]) if blocks is None else blocks):
            keep = self.mask[k] > 0
            out[row][:, self.index[k, keep]] = x[row][:, keep]
        return out

    def coefficient_k(self) -> np.ndarray:
        """Wave vector times sqrt(area) of each coefficient: (K, g, 2)."""
        if self.real:
            unit_b = self.box.reciprocal * np.sqrt(self.box.area)
            return (self.waves[self.real_k] @ unit_b)[None]
        return self.unit_k

    # -- pair densities: same grid, real in the free box

    def forward(self, fourier: Fourier, a: Array) -> Array:
        """Transform of pair densities (..., n1, n2), unnormalised."""
        return fourier.r2c(a) if self.real else fourier.c2c(a, forward=True)

    def backward(self, fourier: Fourier, a: Array) -> Array:
        """Back from `forward`, unnormalised."""
        return fourier.c2r(a, self.shape[1]) if self.real else fourier.c2c(a, forward=False)

    @cached_property
    def transfers(self) -> tuple[np.ndarray, np.ndarray]:
        """Momentum transfers between blocks on the FFT grid.

        The pair (pair_class, q): pair_class[k, k'] numbers the distinct k - k' (0 is k = k'), and q[class] holds
        |q| sqrt(A) at each frequency of `forward`, shape (classes, n1, columns), NaN where no transfer occurs.
        """
        n1, n2 = self.shape
        dk = (self.k_points[:, None] - self.k_points[None]).reshape(-1, 2)
        classes, inverse = np.unique(np.vstack([[0, 0], dk]), axis=0, return_inverse=True)
        inverse = inverse.ravel()
        first = inverse[0]
        relabel = np.arange(len(classes))
        relabel[[0, first]] = relabel[[first, 0]]
        classes = classes[relabel]
        pair_class = np.argsort(relabel)[inverse[1:]].reshape(self.cells_used, self.cells_used)
        columns = n2 // 2 + 1 if self.real else n2
        unit_b = self.box.reciprocal * np.sqrt(self.box.area)
        q = np.full((len(classes), n1, columns), np.nan)
        # largest first: where a coarse grid aliases, the shortest transfer is the one to keep
        reached = self._reached[np.argsort(-np.linalg.norm(self._reached @ self.supercell.T @ unit_b, axis=1))]
        place = reached % np.array([n1, n2])
        keep = place[:, 1] < columns  # the r2c half plane
        t = (reached[keep] @ self.supercell.T)[None] + classes[:, None]
        q[:, place[keep, 0], place[keep, 1]] = np.where(self.is_transfer(t), np.linalg.norm(t @ unit_b, axis=-1),
                                                        np.nan)
        return pair_class, q

    @property
    def cells_used(self) -> int:
        """Number of k blocks that hold at least one wave (all of them unless the basis is tiny)."""
        return len(self.k_points)
