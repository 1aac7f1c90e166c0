"""Which plane waves a calculation on a torus uses, and how many it can hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.basis import MOST_WAVES
from ehbilayer.errors import InputError
from ehbilayer.numerics.lattice import Cell, reduce_vectors
from ehbilayer.torus import Torus

HEXAGON = np.array([[1, 0], [0, 1], [1, 1], [-1, 0], [0, -1], [-1, -1]])


def rectangle_waves(n1: int, n2: int) -> np.ndarray:
    """All (i, j) with |i| <= (n1-1)/2 and |j| <= (n2-1)/2, shape (n1*n2, 2); both counts odd and positive."""
    for name, n in (("first", n1), ("second", n2)):
        if n < 1 or n % 2 == 0:
            raise InputError("plane_waves", f"odd counts >= 1 (k and -k both belong), the {name} too", n,
                             f"use {n + 1 if n > 0 else 1}")
    i, j = np.meshgrid(np.arange(n1) - n1 // 2, np.arange(n2) - n2 // 2, indexing="ij")
    return np.stack([i.ravel(), j.ravel()], axis=1)


def hexagon_waves(box: Cell, steps: int) -> np.ndarray:
    """All waves within ``steps`` steps along the six shortest reciprocal vectors: 1 + 3 steps (steps + 1) waves."""
    if steps < 1:
        raise InputError("hexagon", "an integer >= 1", steps, "7 gives 169 waves")
    b, u = reduce_vectors(box.reciprocal)
    # besides +-b_1 and +-b_2 the shortest are +-(b_1 - b_2) or +-(b_1 + b_2); exact ties are resolved one way
    sign = 1 if b[0] @ b[1] > 1e-9 * (b[0] @ b[0]) else -1
    i, j = np.meshgrid(*2 * [np.arange(-steps, steps + 1)], indexing="ij")
    near = np.abs(i + sign * j) <= steps
    waves = np.stack([i[near], j[near]], axis=1) @ u.astype(int)
    return waves[np.lexsort((waves[:, 1], waves[:, 0]))]


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


def at_edge(waves: np.ndarray) -> np.ndarray:
    """Which waves (M, 2) lack one of their six neighbours, (M,)."""
    middle = np.abs(waves).max(axis=0) + 1
    present = np.zeros(2 * middle + 1, dtype=bool)
    present[tuple((waves + middle).T)] = True
    around = waves[:, None] + middle + HEXAGON  # (M, 6, 2)
    return np.asarray(~present[around[..., 0], around[..., 1]].all(axis=1))


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


@dataclass(frozen=True)
class WaveChoice:
    """What a user says about the waves: one of these, or nothing, so that they follow from a tolerance.

    Parameters
    ----------
    plane_waves : odd counts along the two reciprocal vectors of the box.   hexagon : steps along the six shortest.
    cutoff : the largest wave number, 1/a_h.

    Raises InputError where more than one is given.
    """

    plane_waves: Sequence[int] | None = None
    hexagon: int | None = None
    cutoff: float | None = None

    def __post_init__(self) -> None:
        given = [name for name, value in vars(self).items() if value is not None]
        if len(given) > 1:
            raise InputError(given[1], f"given alone, as it says the same as {given[0]}", getattr(self, given[1]),
                             "keep one of them")

    @property
    def named(self) -> bool:
        """Whether the waves are named; else they follow from a tolerance."""
        return self.argument != "tolerance"

    @property
    def argument(self) -> str:
        """What says which waves there are: ``plane_waves``, ``hexagon``, ``cutoff`` or ``tolerance``."""
        return next((name for name, value in vars(self).items() if value is not None), "tolerance")

    @property
    def count(self) -> int:
        """How many there are of ``plane_waves`` or ``hexagon``, 1 where the box decides."""
        n = self.hexagon or 0
        return math.prod(self.plane_waves) if self.plane_waves is not None else 1 + 3 * n * (n + 1)

    def on(self, torus: Torus, tolerance: float) -> np.ndarray:
        """Integer wave vectors (M, 2) in the box of a torus; see `waves_for_tolerance` where none are named.

        Raises InputError for more than MOST_WAVES, for fewer than a determinant has orbitals, and for counts that name
        no waves.
        """
        disk = 0.0 if self.cutoff is None else self.cutoff**2 * torus.area / (4 * math.pi)
        if max(disk, self.count) > MOST_WAVES:
            raise InputError(self.argument, f"a basis of at most {MOST_WAVES} plane waves",
                             getattr(self, self.argument), "choose a smaller basis")
        found = self._on(torus, tolerance)
        for channel in torus.channels:
            if channel.orbitals > len(found):
                raise InputError(self.argument, f"a basis of at least {channel.orbitals} plane waves, one per "
                                 f"{channel.label} orbital", f"{len(found)} waves", "enlarge the basis")
        return found

    def _on(self, torus: Torus, tolerance: float) -> np.ndarray:
        if self.plane_waves is not None:
            if len(self.plane_waves) != 2:
                raise InputError("plane_waves", "two odd counts", self.plane_waves, "e.g. [45, 39]")
            return rectangle_waves(*self.plane_waves)
        if self.hexagon is not None:
            return hexagon_waves(torus.box, self.hexagon)
        return waves_for_tolerance(torus, tolerance) if self.cutoff is None else disk_waves(torus.box, self.cutoff)
