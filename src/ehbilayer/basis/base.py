"""What every basis of plane waves on a torus is: waves sorted into k blocks, a grid for them, and their transfers.

A box of N cells and one cell with N k points are the same plane waves, sorted differently: ``supercell`` S with
box.vectors = S @ cell.vectors says how. S = 1 is the free box (one block), |det S| = N the crystal (N blocks, Bloch
orbitals), and a cell so small that every block holds one wave is the uniform liquid. The two final classes are
`real_box.RealBox` (real orbitals of the free box) and `bloch_mesh.BlochMesh` (complex ones in blocks).
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.numerics.fourier import Fourier, good_size, is_smooth
from ehbilayer.numerics.lattice import Cell
from ehbilayer.torus import Torus

Array = Any
_KINDS: dict[bool, type[PlaneWaveBasis]] = {}
DENSE_SECONDS = 1.5e-9  # times n^3 to diagonalise a complex matrix on one core, about


class PlaneWaveBasis:
    """Plane waves exp(i kappa r)/sqrt(A) on a box, sorted into the k blocks of a cell. Abstract: making one makes a
    `RealBox` or a `BlochMesh`.

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
    coefficients : length of one orbital's coefficient vector.   columns : frequencies of `forward` along the second
        axis.

    Raises
    ------
    InputError : waves that are not closed under inversion, real orbitals for a cell with several k points.
    """

    real: ClassVar[bool]
    dtype: ClassVar[type]  # of coefficients
    coarse: ClassVar[float]  # points per axis of a coarser grid
    pair_seconds: ClassVar[float]  # per pair of orbitals and grid point, about
    number_bytes: ClassVar[int]  # of a grid value
    shape: tuple[int, int]
    coefficients: int
    columns: int

    def __init_subclass__(cls) -> None:
        _KINDS[cls.real] = cls

    def __new__(cls, box: Any = None, waves: Any = None, supercell: np.ndarray | None = None,
                real: bool | None = None) -> PlaneWaveBasis:
        if cls is not PlaneWaveBasis:
            return object.__new__(cls)
        alone = supercell is None or int(abs(round(np.linalg.det(supercell)))) == 1
        return object.__new__(_KINDS[alone if real is None else real])

    def __init__(self, box: Cell, waves: np.ndarray, supercell: np.ndarray | None = None,
                 real: bool | None = None) -> None:
        self.box, self.waves = box, np.asarray(waves, dtype=int)
        ordered, inverted = (w[np.lexsort(w.T)] for w in (self.waves, -self.waves))
        repeated = np.any(np.all(ordered[1:] == ordered[:-1], axis=1))
        if repeated or not np.array_equal(ordered, inverted):
            raise InputError("waves", "distinct, with -k for every k", f"{len(self.waves)} waves", "complete them")
        self.supercell = np.eye(2, dtype=int) if supercell is None else np.asarray(supercell, dtype=int)
        self.cells = int(abs(round(np.linalg.det(self.supercell))))
        self.cell = Cell(np.linalg.inv(self.supercell) @ box.vectors)
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
    def points(self) -> int:
        """Number of grid points."""
        return self.shape[0] * self.shape[1]

    def evaluation_seconds(self, orbitals: int) -> float:
        """Rough cost of one evaluation of a channel: pairs of orbitals times grid points."""
        return orbitals * (orbitals + 1) / 2 * self.points * self.pair_seconds

    @cached_property
    def inverted(self) -> np.ndarray:
        """The number of -kappa for every wave kappa, (M,)."""
        where = {tuple(w): i for i, w in enumerate(self.waves.tolist())}
        return np.array([where[-i, -j] for i, j in self.waves.tolist()])

    def estimate(self, torus: Torus) -> dict[str, float]:
        """Rough memory (bytes) and seconds of one minimisation of about 30 energy evaluations on one core.

        Both follow the orbitals on the grid: N of them, N (N + 1) / 2 pair densities per evaluation; in a crystal
        also all levels of each block, whose matrices are diagonalised (DENSE_SECONDS n^3).
        """
        seconds, orbitals = 0.0, 0
        for channel in torus.channels:
            bands = -(-channel.orbitals // self.cells)
            held = bands * self.cells
            orbitals += held
            seconds += self.evaluation_seconds(held)
        number = self.number_bytes
        tables = number * self.points * (4 * self.cells if self.cells > 1 else 4)
        tables += 100 * self.cells**2  # pairs of k points
        memory = number * orbitals * (8 * self.points + 60 * self.coefficients) + tables
        # a box of real orbitals finds its few lowest levels without these matrices
        n, channels = 0 if self.real else self.coefficients, torus.channels
        memory += 16 * n**2 * (self.cells * (len(channels) + 2) + 3)
        return {"memory_bytes": 1.1e8 + memory,
                "seconds": 30 * seconds + DENSE_SECONDS * n**3 * self.cells * len(channels)}

    def coarser(self) -> PlaneWaveBasis:
        """The same waves on an FFT grid with ``coarse`` times the points per axis.

        Products alias only at the largest momentum transfers, so states whose occupations die out before the cutoff
        come out almost the same, at half the cost.
        """
        other = copy(self)
        for cached in ("transfers", "cell_transfers"):
            other.__dict__.pop(cached, None)
        n1, n2 = (good_size(int(self.coarse * n)) for n in self.shape)
        other.shape = (n1, n2)
        other._index_grid()
        return other

    def with_supercell(self, supercell: np.ndarray, real: bool | None = None) -> PlaneWaveBasis:
        """The same waves on the same box in the blocks of another cell."""
        return PlaneWaveBasis(self.box, self.waves, supercell, real)

    def with_waves(self, waves: np.ndarray) -> PlaneWaveBasis:
        """Other waves of the same box, in the blocks of the same cell."""
        return PlaneWaveBasis(self.box, waves, self.supercell, self.real)

    def _sort_blocks(self) -> None:
        to_cell = np.linalg.inv(self.supercell.T)  # torus integers -> cell reciprocal coordinates
        unit_b = self.box.reciprocal * np.sqrt(self.box.area)
        fraction = self.waves @ to_cell
        order = np.lexsort((self.waves[:, 1], self.waves[:, 0], np.round(np.sum((self.waves @ unit_b) ** 2, 1), 9)))
        key = np.rint((fraction - np.floor(fraction + 1e-9)) * self.cells).astype(int)[order]
        _, first, block = np.unique(key @ [self.cells + 1, 1], return_index=True, return_inverse=True)
        # blocks are numbered by their shortest wave, which is their k point
        block = np.argsort(np.argsort(first))[block.ravel()]
        counts, members = np.bincount(block), order[np.argsort(block, kind="stable")]
        begins = np.cumsum(counts) - counts
        row, column = np.repeat(np.arange(len(counts)), counts), np.arange(len(order)) - np.repeat(begins, counts)
        # (K, G) -> row of waves, padded by the first
        self.index: np.ndarray = np.repeat(members[begins][:, None], counts.max(), axis=1)
        self.index[row, column] = members
        self.mask: np.ndarray = np.zeros(self.index.shape)
        self.mask[row, column] = 1.0
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

    # -- what the two classes do in their own way; psi(r) = sum_kappa c_kappa exp(i kappa r), without the 1/sqrt(A)

    def _index_grid(self) -> None:
        """Where the coefficients lie among the frequencies of the grid; ``coefficients`` and ``columns``."""
        raise NotImplementedError

    def to_grid(self, fourier: Fourier, c: Array, blocks: np.ndarray | slice = slice(None)) -> Array:
        """Orbitals on the grid: c (b, K, n, g) -> psi (b, K, n, n1, n2), the periodic part of Bloch orbitals.

        ``blocks`` says which k blocks the rows of c belong to (all of them by default).
        """
        raise NotImplementedError

    def from_grid(self, fourier: Fourier, f: Array, blocks: np.ndarray | slice = slice(None)) -> Array:
        """Projection of functions on the grid onto the plane waves; the inverse of `to_grid` on their span."""
        raise NotImplementedError

    def to_waves(self, x: np.ndarray, blocks: np.ndarray | None = None) -> np.ndarray:
        """Coefficients (K, n, g) -> complex amplitudes per wave (K, n, M), zero outside the orbital's block."""
        raise NotImplementedError

    def coefficient_k(self) -> np.ndarray:
        """Wave vector times sqrt(area) of each coefficient: (K, g, 2)."""
        raise NotImplementedError

    def gradient(self, x: np.ndarray, blocks: np.ndarray, axis: int) -> np.ndarray:
        """d/dx or d/dy of orbitals x (b, K, n, g), times sqrt(area)."""
        raise NotImplementedError

    def gaussians(self, where: np.ndarray, width: float) -> np.ndarray:
        """Gaussians exp(-r^2/2w^2) at positions (n, 2), repeated in every cell: c(kappa) = exp(-kappa^2 w^2/2
        - i kappa r), (K, n, g)."""
        raise NotImplementedError

    def noise(self, rng: np.random.Generator, blocks: np.ndarray, count: int) -> np.ndarray:
        """Normally distributed coefficients (K, count, g)."""
        raise NotImplementedError

    def forward(self, fourier: Fourier, a: Array) -> Array:
        """Transform of pair densities (..., n1, n2), unnormalised."""
        raise NotImplementedError

    def backward(self, fourier: Fourier, a: Array) -> Array:
        """Back from `forward`, unnormalised."""
        raise NotImplementedError

    def field_forward(self, fourier: Fourier, a: Array) -> Array:
        """`forward` of functions that are real."""
        return self.forward(fourier, a)

    def field_backward(self, fourier: Fourier, a: Array) -> Array:
        """Back from `field_forward`."""
        return self.backward(fourier, a)

    def multiplicity(self) -> np.ndarray:
        """How many frequencies each column of `forward` stands for in a sum over all, (columns,)."""
        return np.ones(self.columns)

    @property
    def distinct(self) -> bool:
        """Whether no two reciprocal vectors of the cell between waves share a frequency of the grid."""
        place = self._reached % np.array(self.shape) @ np.array([self.shape[1], 1])
        return len(np.unique(place)) == len(place)

    @property
    def transfer_count(self) -> int:
        """Reciprocal vectors of the cell between two waves of one block, one of each p and -p."""
        return (len(self._reached) + 1) // 2

    @cached_property
    def transfers(self) -> tuple[np.ndarray, np.ndarray]:
        """Momentum transfers between blocks on the FFT grid.

        The pair (pair_class, q): pair_class[k, k'] numbers the distinct k - k' (0 is k = k'), and q[class] holds
        |q| sqrt(A) at each frequency of `forward`, shape (classes, n1, columns), NaN where no transfer occurs.
        """
        dk = (self.k_points[:, None] - self.k_points[None]).reshape(-1, 2)
        classes, inverse = np.unique(np.vstack([[0, 0], dk]), axis=0, return_inverse=True)
        inverse = inverse.ravel()
        first = inverse[0]
        relabel = np.arange(len(classes))
        relabel[[0, first]] = relabel[[first, 0]]
        classes = classes[relabel]
        pair_class = np.argsort(relabel)[inverse[1:]].reshape(self.cells_used, self.cells_used)
        return pair_class, self._lengths(classes)

    @cached_property
    def cell_transfers(self) -> np.ndarray:
        """q of `transfers` within one block, (n1, columns)."""
        return self._lengths(np.zeros((1, 2), dtype=int))[0]

    def _lengths(self, classes: np.ndarray) -> np.ndarray:
        """|q| sqrt(A) on the grid for each k - k' of ``classes`` (C, 2)."""
        unit_b = self.box.reciprocal * np.sqrt(self.box.area)
        q = np.full((len(classes), self.shape[0], self.columns), np.nan)
        # largest first: where a coarse grid aliases, the shortest transfer is the one to keep
        reached = self._reached[np.argsort(-np.linalg.norm(self._reached @ self.supercell.T @ unit_b, axis=1))]
        place = reached % np.array(self.shape)
        keep = place[:, 1] < self.columns  # the r2c half plane
        t = (reached[keep] @ self.supercell.T)[None] + classes[:, None]
        q[:, place[keep, 0], place[keep, 1]] = np.where(self.is_transfer(t), np.linalg.norm(t @ unit_b, axis=-1),
                                                        np.nan)
        return q

    @property
    def cells_used(self) -> int:
        """Number of k blocks that hold at least one wave (all of them unless the basis is tiny)."""
        return len(self.k_points)


def _differences(present: np.ndarray) -> np.ndarray:
    """Which differences occur between the marked entries: shape 2 n - 1, centred on zero difference."""
    n = [2 * s - 1 for s in present.shape]
    spectrum = np.fft.rfft2(present, n)
    counts = np.fft.irfft2(np.abs(spectrum) ** 2, n)
    return np.roll(counts, [s - 1 for s in present.shape], axis=(0, 1)) > 0.5
