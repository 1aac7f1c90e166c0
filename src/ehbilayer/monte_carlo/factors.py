"""The determinants of a trial function, and the arrays that the kernels read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ehbilayer.monte_carlo.bands import Bands
from ehbilayer.monte_carlo.determinants import BANDS, COLUMN, ROW, SITES, Determinants
from ehbilayer.monte_carlo.orbitals import Waves


@dataclass(frozen=True)
class Block:
    """The particles of one flavour: ``count`` of them from ``start`` on, of species number ``species``."""

    species: int
    flavour: int
    start: int
    count: int

    @property
    def here(self) -> slice:
        """Its particles among all."""
        return slice(self.start, self.start + self.count)


@dataclass(frozen=True, eq=False)
class Factor:
    """One determinant: the rows are the particles of ``block``.

    kind : WAVES, SITES or BANDS, of the columns that are no pairs.   waves, sites : of these columns.
    band, bands : the first of them in `Trial.bands`, and what they are.
    partner : whose particles the first columns are about.
    orbital : number in `Trial.orbitals` of the function about a site or a partner; -1 for none.
    """

    block: Block
    kind: int
    waves: Waves = field(default_factory=Waves.none)
    sites: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    band: int = 0
    bands: Bands | None = None
    partner: Block | None = None
    orbital: int = -1


def arrays_of(factors: Sequence[Factor], particles: int, tables: Sequence[np.ndarray],
              bands: np.ndarray) -> Determinants:
    """What the kernels read of the ``factors``, with the ``tables`` (2, M, M) of the functions about a centre."""
    number, role, place = (np.zeros(particles, dtype=int) for _ in range(3))
    first, waves, sites = [], 0, 0
    for d, f in enumerate(factors):
        for block, side in ((f.block, ROW), (f.partner, COLUMN)):
            if block is not None:
                number[block.here], role[block.here], place[block.here] = d, side, np.arange(block.count)
        first.append({SITES: sites, BANDS: f.band}.get(f.kind, waves))
        waves, sites = waves + len(f.waves.k), sites + len(f.sites)
    partners = [f.partner for f in factors]
    mix = np.concatenate([f.waves.mix for f in factors])
    whole = np.iscomplexobj(mix) or np.iscomplexobj(bands)
    return Determinants(
        number, role, place, np.array([f.kind for f in factors]), np.array([f.block.count for f in factors]),
        np.array([f.block.start for f in factors]), np.array([p.count if p else 0 for p in partners]),
        np.array([p.start if p else 0 for p in partners]), np.array(first),
        np.array([max(f.orbital, 0) for f in factors]), np.concatenate([f.waves.k for f in factors]),
        np.concatenate([f.waves.parts for f in factors]), mix.astype(complex if whole else float),
        np.concatenate([f.sites for f in factors]), np.array(tables) if len(tables) else np.zeros((1, 2, 4, 4)),
        bands.astype(complex if whole else float))
