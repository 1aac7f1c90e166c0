"""Averages along a walk, kept as blocks: what `measuring` finds in the walkers, and errors of any function of it.

Every few sweeps all walkers are measured, and their lines are added to the last of at most MOST blocks of equal
length; when there are more, two become one. The error of a function f of the sums is that of the jackknife,

    f = B f(all) - (B - 1) mean_b f(all but b),  error^2 = (B - 1)/B sum_b [f(all but b) - mean]^2,

whose first order in 1/B is without bias: for |<rho>|^2 and products of means that matters.

Source: Efron, Stein, Ann. Stat. 9, 586 (1981).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ehbilayer.hartree_fock.order import bragg_vectors
from ehbilayer.monte_carlo.determinants import BANDS, SITES
from ehbilayer.monte_carlo.kernels import Psi
from ehbilayer.monte_carlo.measuring import Layout, measure
from ehbilayer.monte_carlo.pair_potential import Box
from ehbilayer.monte_carlo.trial import Trial
from ehbilayer.monte_carlo.walk import Walkers, share_out
from ehbilayer.numerics.lattice import Cell, crystal_cell

EVERY = {"vmc": 5, "dmc": 10}  # sweeps between two measurements
MOST = 32  # blocks
BINS, LEAST_WAVES = 80, 40
GRID, MOST_GRID = 24, 96  # points of a density along the distance of sites, and at most
FAR, FAR_GRID = 0.8, 6  # share of the longest distance of the torus; points along its vectors


@dataclass(frozen=True)
class Kind:
    """Pairs of two species, of ``like`` flavours, unlike ones, or any (None), and how many there are.

    number : of pairs.   size : geometric mean of the particles of the two.   twice : both of one species, counted once.
    """

    first: str
    second: str
    like: bool | None
    number: float
    size: float
    twice: bool

    @property
    def label(self) -> str:
        """As in files and figures: electron-hole; hole-hole, like."""
        return f"{self.first}-{self.second}" + ("" if self.like is None else ", like" if self.like else ", unlike")


@dataclass(frozen=True, eq=False)
class Estimators:
    """What is measured of a trial function.

    layout : for the kernel.   kinds : of pairs.   species : names.   counts : particles of each species.
    groups : of flavours with one momentum distribution: name and number of flavours.   owner : species of blocks (B,).
    """

    trial: Trial
    layout: Layout
    kinds: tuple[Kind, ...]
    species: tuple[str, ...]
    counts: np.ndarray
    groups: tuple[tuple[str, int], ...]
    owner: np.ndarray

    @classmethod
    def of(cls, trial: Trial) -> Estimators:
        """For all particles of a trial function."""
        present = sorted({b.species for b in trial.blocks})
        names = tuple(trial.torus.species[s].name for s in present)
        owner = np.array([present.index(b.species) for b in trial.blocks])
        counts = np.bincount(owner, weights=[b.count for b in trial.blocks]).astype(int)
        kinds, kind = _kinds(trial, names, owner, counts)
        groups, group = _groups(trial, names, owner)
        box, waves = trial.box, _waves(trial.box, int(counts.max()))
        cell, grid = _density_cell(trial)
        charge = np.array([trial.torus.species[b.species].charge for b in trial.blocks])[trial.owner]
        far, sizes = far_vectors(box), (len(kinds) * BINS, len(names) * len(waves), len(kinds) * len(waves),
                                        len(groups) * len(waves), len(names) * grid**2)
        start = np.cumsum([0, *sizes, len(far), 4 * len(far), len(far)])
        layout = Layout(start, kind, trial.owner, owner[trial.owner], group[trial.owner], BINS,
                        longest(box) / BINS * (1 + 1e-12), waves, Cell(box.cell).reciprocal, np.linalg.inv(cell), grid,
                        np.flatnonzero(charge < 0), np.flatnonzero(charge > 0), far)
        return cls(trial, layout, kinds, names, counts, groups, owner)

    def part(self, sums: np.ndarray, which: int, *shape: int) -> np.ndarray:
        """Means over walkers of one of the parts of sums (L + 1,), in this shape."""
        begin, end = self.layout.start[which : which + 2]
        return np.asarray(sums[begin:end].reshape(shape) / sums[-1])

    @cached_property
    def rings(self) -> np.ndarray:
        """Areas of the rings of distances (BINS,), a_h^2, as far as they lie on the torus."""
        return np.diff(disc_areas(self.trial.box, self.layout.width * np.arange(self.layout.bins + 1)))

    @property
    def localised(self) -> bool:
        """Whether the trial function has orbitals with places of their own; else it has every translation."""
        return any(f.kind in (SITES, BANDS) for f in self.trial.factors)

    @cached_property
    def bragg(self) -> np.ndarray:
        """Which of the waves are shortest reciprocal vectors of the crystal."""
        torus = self.trial.torus
        g = bragg_vectors(torus.box, torus.sites) @ torus.box.reciprocal
        k = self.layout.waves @ self.layout.steps
        return np.flatnonzero(np.linalg.norm(g[:, None] - k, axis=-1).min(axis=0) < 1e-6 * np.linalg.norm(g[0]))

    @cached_property
    def _first(self) -> np.ndarray:
        """The first wave of each length (n,); waves are in the order of their lengths."""
        k = np.linalg.norm(self.layout.waves @ self.layout.steps, axis=1)
        return np.flatnonzero(np.diff(k, prepend=-k[-1]) > 1e-6 * k[-1])

    @property
    def lengths(self) -> np.ndarray:
        """The different lengths of waves (n,), 1/a_h, 0 first."""
        return np.asarray(np.linalg.norm(self.layout.waves @ self.layout.steps, axis=1)[self._first])

    def by_length(self, values: np.ndarray) -> np.ndarray:
        """Means (..., n) of values (..., K) over waves of one length."""
        number = np.diff(np.append(self._first, len(self.layout.waves)))
        return np.asarray(np.add.reduceat(values, self._first, axis=-1) / number)


def _density_cell(trial: Trial) -> tuple[np.ndarray, int]:
    """The cell (2, 2) that the density has the periods of, and the points along each of its vectors."""
    torus, state = trial.torus, trial.state
    supercell = crystal_cell(torus.box, torus.sites) if state is None else state.supercell
    sites = torus.sites / abs(np.linalg.det(supercell))
    return np.linalg.solve(supercell.astype(float), torus.box.vectors), min(MOST_GRID, round(GRID * np.sqrt(sites)))


def longest(box: Box) -> float:
    """The longest distance of two points on the torus, a_h: to a corner of its Wigner-Seitz cell."""
    return float(_edge(box, 1 << 14).max())


def _edge(box: Box, directions: int) -> np.ndarray:
    """Distance of the Wigner-Seitz cell's boundary from its middle in as many directions."""
    angle = 2 * np.pi * (np.arange(directions) + 0.5) / directions
    along = np.abs(box.sides @ np.stack([np.cos(angle), np.sin(angle)]))
    # r u.s = s^2/2 for the side s that is met first
    return np.asarray(np.min(np.sum(box.sides**2, axis=1)[:, None] / 2 / np.maximum(along, 1e-300), axis=0))


def disc_areas(box: Box, radii: np.ndarray) -> np.ndarray:
    """Area of the discs of ``radii`` (n,) about the middle of the Wigner-Seitz cell, as far as they lie in it."""
    edge = _edge(box, 1 << 14)
    # integral over the angle of min(r, edge)^2/2
    return np.asarray(np.pi * np.mean(np.minimum(np.asarray(radii)[:, None], edge) ** 2, axis=1))


def far_vectors(box: Box) -> np.ndarray:
    """Displacements (V, 2) by FAR of the longest distance or more, on a grid of the torus, one of r and -r."""
    points = np.stack(np.meshgrid(*(np.arange(FAR_GRID),) * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    images = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), axis=-1).reshape(-1, 2) * FAR_GRID
    r = (points[:, None] + images) @ box.cell / FAR_GRID
    nearest = r[np.arange(len(r)), np.argmin(np.sum(r**2, axis=-1), axis=1)]
    opposite = (-points) % FAR_GRID
    once = points[:, 0] * FAR_GRID + points[:, 1] <= opposite[:, 0] * FAR_GRID + opposite[:, 1]
    return np.ascontiguousarray(nearest[once & (np.linalg.norm(nearest, axis=1) > FAR * longest(box))])


def _waves(box: Box, count: int) -> np.ndarray:
    """Integer waves (K, 2) of half the plane, in shells by length from k = 0 on to beyond the first Bragg peaks."""
    wanted, reach = max(LEAST_WAVES, 4 * count), int(3 * np.sqrt(max(LEAST_WAVES, 4 * count)))
    m, n = (x.ravel() for x in np.meshgrid(np.arange(reach + 1), np.arange(-reach, reach + 1), indexing="ij"))
    half = (m > 0) | (n >= 0)
    waves = np.stack([m[half], n[half]], axis=1)
    square = np.sum((waves @ Cell(box.cell).reciprocal) ** 2, axis=1)
    order = np.argsort(np.round(square * box.radius**2, 9), kind="stable")
    most = square[order[wanted - 1]] * (1 + 1e-9)
    return np.ascontiguousarray(waves[order][square[order] <= most])


def _kinds(trial: Trial, names: tuple[str, ...], owner: np.ndarray,
           counts: np.ndarray) -> tuple[tuple[Kind, ...], np.ndarray]:
    """The kinds of pairs, and the kind of two blocks (B, B); -1 where no two particles meet."""
    blocks, found = trial.blocks, dict[tuple[int, int, bool | None], float]()
    key: dict[tuple[int, int], tuple[int, int, bool | None]] = {}
    several, paired = np.bincount(owner) > 1, any(f.partner is not None for f in trial.factors)
    for i, a in enumerate(blocks):
        for j, b in enumerate(blocks[: i + 1]):
            pairs = a.count * (a.count - 1) / 2 if i == j else float(a.count * b.count)
            s, t = int(owner[j]), int(owner[i])
            # flavours of different species are told apart where psi pairs one with one
            like = (a.flavour == b.flavour) if s == t or (paired and several[s] and several[t]) else None
            if pairs:
                key[i, j] = (s, t, like)
                found[s, t, like] = found.get((s, t, like), 0.0) + (a.count**2 / 2 if i == j else pairs)
    names_of = list(found)
    kind = np.full((len(blocks),) * 2, -1)
    for (i, j), which in key.items():
        kind[i, j] = kind[j, i] = names_of.index(which)
    return tuple(Kind(names[s], names[t], like, number, float(np.sqrt(counts[s] * counts[t])), s == t)
                 for (s, t, like), number in found.items()), kind


def _groups(trial: Trial, names: tuple[str, ...],
            owner: np.ndarray) -> tuple[tuple[tuple[str, int], ...], np.ndarray]:
    """Flavours of one species with equal numbers, and the group of every block (B,)."""
    keys = [(int(owner[i]), b.count) for i, b in enumerate(trial.blocks)]
    found = sorted(set(keys))
    single = {s: sum(k[0] == s for k in found) == 1 for s, _ in found}
    labels = tuple((names[s] if single[s] else f"{names[s]}, {n} of a flavour", keys.count((s, n))) for s, n in found)
    return labels, np.array([found.index(k) for k in keys])


@dataclass(eq=False)
class Tally:
    """Sums of lines, the number of walkers last (blocks, L + 1); ``per`` measurements in a block, ``last`` in the
    last one."""

    estimators: Estimators
    used: int = 0
    per: int = 1
    last: int = 0
    blocks: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        if not self.blocks.size:
            self.blocks = np.zeros((MOST, self.estimators.layout.start[-1] + 1))

    def take(self, psi: Psi, walkers: Walkers) -> None:
        """Measure all walkers, with random numbers from their stream."""
        layout, random, shape = self.estimators.layout, walkers.random, walkers.positions.shape
        electrons = max(1, len(layout.negative))
        lines = np.zeros((shape[0], layout.start[-1]))
        owner, r, uniform = self.estimators.owner, walkers.positions, random.random(shape)
        first = np.asarray(random.integers(len(layout.far), size=shape[0]))
        electron = np.asarray(random.integers(electrons, size=shape[0]))
        share_out(lambda i: measure(psi, layout, owner, r[i], uniform[i], first[i], electron[i], lines[i]), r,
                  walkers.workers)
        self.add(np.append(lines.sum(axis=0), shape[0]))

    def add(self, line: np.ndarray) -> None:
        """Add the sum of one measurement (L + 1,)."""
        if self.last == self.per or not self.used:
            if self.used == MOST:
                self.blocks[: MOST // 2] = self.blocks[::2] + self.blocks[1::2]
                self.blocks[MOST // 2 :] = 0.0
                self.used, self.per = MOST // 2, 2 * self.per
            self.used, self.last = self.used + 1, 0
        self.blocks[self.used - 1] += line
        self.last += 1

    @property
    def filled(self) -> np.ndarray:
        """The blocks that hold anything (B, L + 1)."""
        return self.blocks[: self.used]


def jackknife(blocks: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A ``function`` of sums (L,) -> any shape, of ``blocks`` (B, L): its value and its standard error.

    The error is not a number for a single block.
    """
    total, count = blocks.sum(axis=0), len(blocks)
    whole = np.asarray(function(total))
    if count < 2:
        return whole, np.full_like(whole, np.nan)
    parts = np.array([function(total - block) for block in blocks])
    mean = parts.mean(axis=0)
    # error^2 = (B - 1)/B sum_b (f_b - mean)^2
    return count * whole - (count - 1) * mean, np.sqrt((count - 1) / count * np.sum((parts - mean) ** 2, axis=0))
