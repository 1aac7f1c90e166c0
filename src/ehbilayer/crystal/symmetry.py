"""The symmetry of a crystal of layers, found by spglib, and the name of its structure.

Species and layer together are the type of a charge; heights only say which layer, so that very close or very distant
layers have the same symmetry as others. Groups are the 80 layer groups (International Tables E).
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from ehbilayer.crystal.structures import Crystal, named, structure_names
from ehbilayer.numerics.lattice import reduce_vectors

PRECISION = 1e-4  # of positions, in units of a = 1/sqrt(pi n)
UNKNOWN = "unknown"
Orbit = tuple[str, str, int]  # species, site symmetry, charges per primitive cell


@dataclass(frozen=True, eq=False)
class Symmetry:
    """What is known of a structure.

    Parameters
    ----------
    name : of the structure, "unknown" for one without a name.
    group, number : layer group, its international symbol and number (1 to 80).
    orbits : (species, site symmetry, charges per primitive cell) of each set of equivalent charges, sorted.
    dipoles : holes per primitive cell with an electron exactly on top of them.
    primitive : reduced vectors of the primitive cell as rows, shape (2, 2), a_h.
    """

    name: str
    group: str
    number: int
    orbits: tuple[Orbit, ...]
    dipoles: int
    primitive: np.ndarray

    @property
    def charges(self) -> int:
        """Charges per primitive cell."""
        return sum(size for _, _, size in self.orbits)

    @property
    def label(self) -> str:
        """The name, or for a structure without one "unknown" with group and charges per primitive cell."""
        return self.name if self.name != UNKNOWN else f"{UNKNOWN} ({self.group}, {self.charges} charges)"

    @property
    def signature(self) -> tuple[int, tuple[Orbit, ...], int]:
        """What two structures share that differ only in parameters the symmetry leaves free."""
        return self.number, self.orbits, self.dipoles


def identify(crystal: Crystal, precision: float = PRECISION) -> Symmetry:
    """Symmetry and name of a crystal; ``precision`` of the positions in units of a = 1/sqrt(pi n).

    The name is that of the named structure of this composition with the same layer group, the same orbits and the same
    number of dipoles per primitive cell. Raises InputError for what `Crystal` refuses.
    """
    found = _symmetry(crystal, precision)
    ratio, layers = _composition(crystal)
    number, orbits, dipoles = found.signature
    if crystal.holes == 0:  # the structures of electrons alone are those of holes alone
        orbits = tuple(("hole", site, size) for _, site, size in orbits)
    name = next((n for n, signature in _signatures(ratio, layers) if signature == (number, orbits, dipoles)), UNKNOWN)
    if name == "staggered-rectangular" and _projects_to_triangular(crystal, precision):
        name = "hexagonal"
    return Symmetry(name, found.group, found.number, found.orbits, found.dipoles, found.primitive)


def primitive_crystal(crystal: Crystal, precision: float = PRECISION) -> Crystal:
    """The same crystal in its primitive cell: one charge of each set that translations map onto each other."""
    dataset = _dataset(crystal, precision)
    if dataset is None:
        return crystal.reduced()
    first = np.unique(np.asarray(dataset.mapping_to_primitive), return_index=True)[1]
    vectors = _primitive_vectors(crystal.vectors, dataset)
    return Crystal(vectors, crystal.positions[first], crystal.charges[first], crystal.heights[first],
                   tuple(crystal.species[i] for i in first), crystal.interaction).reduced()


def _symmetry(crystal: Crystal, precision: float) -> Symmetry:
    dataset = _dataset(crystal, precision)
    if dataset is None:  # spglib gives up on some distorted cells: no symmetry is claimed
        one = tuple(sorted((s, "1", 1) for s in crystal.species))
        return Symmetry(UNKNOWN, "p1", 1, one, _dipoles(crystal, precision), crystal.reduced().vectors)
    copies = len(crystal.species) // len(set(dataset.mapping_to_primitive))
    orbits = []
    for orbit, size in sorted(Counter(np.asarray(dataset.crystallographic_orbits).tolist()).items()):
        site = _without_axes(str(dataset.site_symmetry_symbols[orbit]))
        orbits.append((crystal.species[orbit], site, size // copies))
    return Symmetry(UNKNOWN, str(dataset.international), int(dataset.number), tuple(sorted(orbits)),
                    _dipoles(crystal, precision) // copies, _primitive_vectors(crystal.vectors, dataset))


def _without_axes(symbol: str) -> str:
    """"m" for ".m." and "m..": which axis is the first is a matter of the setting."""
    return symbol.replace(".", "")


def _dataset(crystal: Crystal, precision: float) -> Any:
    """What spglib says of the crystal with its layers a/2 apart and much vacuum; None if it finds nothing."""
    import spglib

    length = crystal.length
    heights, layer = np.unique(crystal.heights, return_inverse=True)
    tall = (len(heights) + 8) * length
    lattice = np.zeros((3, 3))
    lattice[:2, :2], lattice[2, 2] = crystal.vectors, tall
    fractions = np.column_stack([crystal.positions @ np.linalg.inv(crystal.vectors), 0.5 + layer * length / 2 / tall])
    types = [1 if s == "hole" else 2 for s in crystal.species]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how spglib reports its own failures
        cell: Any = (lattice, fractions, types)
        return spglib.get_symmetry_layerdataset(cell, 2, precision * length)


def _primitive_vectors(vectors: np.ndarray, dataset: Any) -> np.ndarray:
    """Reduced vectors of the lattice of all translations that map the crystal onto itself."""
    pure = [t[:2] for r, t in zip(dataset.rotations, dataset.translations, strict=True)
            if np.array_equal(r, np.eye(3, dtype=int))]
    if len(pure) == 1:
        return reduce_vectors(vectors)[0]
    shifts = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    points = ((np.array(pure)[:, None] + shifts).reshape(-1, 2)) @ vectors
    area = abs(np.linalg.det(vectors)) / len(pure)
    points = points[np.argsort(np.linalg.norm(points, axis=1))]
    first = next(p for p in points if np.linalg.norm(p) > 1e-3 * np.sqrt(area))
    second = next(p for p in points if abs(abs(first[0] * p[1] - first[1] * p[0]) - area) < 1e-3 * area)
    return reduce_vectors(np.array([first, second]))[0]


def _dipoles(crystal: Crystal, precision: float) -> int:
    """Holes with an electron exactly on top."""
    f = crystal.positions @ np.linalg.inv(crystal.vectors)
    hole = np.array([s == "hole" for s in crystal.species])
    between = f[hole][:, None] - f[~hole]
    between = (between - np.rint(between)) @ crystal.vectors
    near = np.linalg.norm(between, axis=-1) < precision * crystal.length
    return int(near.any(axis=1).sum()) if near.size else 0


def _composition(crystal: Crystal) -> tuple[float, int]:
    """Electrons per hole, and layers that hold holes."""
    if crystal.holes == 0:
        return 0.0, len(np.unique(crystal.heights))
    layers = len({h for h, s in zip(crystal.heights.tolist(), crystal.species, strict=True) if s == "hole"})
    return crystal.electrons / crystal.holes, layers


@cache
def _signatures(ratio: float, layers: int) -> tuple[tuple[str, tuple[int, tuple[Orbit, ...], int]], ...]:
    """Signatures of the named structures of a composition; the special shape of phase I is looked at apart."""
    if layers > 2 or (layers == 2 and ratio > 0):
        return ()
    names = [n for n in structure_names(ratio, layers) if n not in ("decoupled", "hexagonal")]
    spacing = 0.0 if layers == 1 and ratio == 0 else 0.5
    return tuple((n, _symmetry(named(n, 1.0, spacing, ratio, layers), PRECISION).signature) for n in names)


def _projects_to_triangular(crystal: Crystal, precision: float) -> bool:
    flat = replace(crystal, heights=np.zeros(len(crystal.species)))
    return _symmetry(flat, precision).number == _symmetry(named("triangular", 1.0, 0.0, 0), PRECISION).number
