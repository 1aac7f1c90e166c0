"""Which plane waves a calculation on a torus uses, and how many it can hold."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.basis import MOST_WAVES
from ehbilayer.basis.plane_waves import disk_waves, hexagon_waves, rectangle_waves, waves_for_tolerance
from ehbilayer.errors import InputError
from ehbilayer.torus import Torus


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

        Raises InputError for more than MOST_WAVES, and for counts that name no waves.
        """
        disk = 0.0 if self.cutoff is None else self.cutoff**2 * torus.area / (4 * math.pi)
        if max(disk, self.count) > MOST_WAVES:
            raise InputError(self.argument, f"a basis of at most {MOST_WAVES} plane waves",
                             getattr(self, self.argument), "choose a smaller basis")
        if self.plane_waves is not None:
            if len(self.plane_waves) != 2:
                raise InputError("plane_waves", "two odd counts", self.plane_waves, "e.g. [45, 39]")
            return rectangle_waves(*self.plane_waves)
        if self.hexagon is not None:
            return hexagon_waves(torus.box, self.hexagon)
        return waves_for_tolerance(torus, tolerance) if self.cutoff is None else disk_waves(torus.box, self.cutoff)


def check_memory(needed: float) -> None:
    """Raises InputError for a calculation that takes more bytes than there are, where the system tells."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return
    if needed > there:
        raise InputError("torus", f"a calculation that fits into {there / 1e9:.1f} GB of memory",
                         f"one of about {needed / 1e9:.3g} GB",
                         'fewer plane waves or particles, or symmetry = "crystal"')
