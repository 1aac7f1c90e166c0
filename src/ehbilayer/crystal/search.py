"""The ground state of classical charges: relaxations from many starts, random and named, and the lowest of their ends.

The random start of a seed is the same on every machine and for any number of workers: cell shape and positions come
from this seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ehbilayer.crystal.relaxation import TOLERANCE, Relaxed, curvatures, displaced, relax
from ehbilayer.crystal.structures import DECOUPLED, Crystal, check_layers, named, place, structure_names
from ehbilayer.crystal.symmetry import identify
from ehbilayer.errors import InputError
from ehbilayer.interaction.screened import Screened
from ehbilayer.numerics.lattice import SHAPES, Cell, reduce_vectors
from ehbilayer.numerics.parallel import each
from ehbilayer.status import Status

BOXES = ("random", *SHAPES)
SLENDER = 3.0  # longest random cell: ratio of its reduced vectors
DOWNHILL = -1e-8  # curvature in e^2/a^3 below which an end is a saddle
WAY_OFF = 0.02  # how far a saddle is left along its lowest mode, in a
LEAVES = 4  # saddles left in a row
SAME = 1e-9  # energies per hole in e^2/a that count as equal


@dataclass(frozen=True)
class Composition:
    """What one cell holds.

    Parameters
    ----------
    hole_density : of one layer, a_h^-2.   spacing : between the layers, a_h.
    holes : in the cell, in each layer of a same-charge bilayer.   electrons : in the cell.
    layers : layers of holes, 2 for a same-charge bilayer.
    carrier : "electron" for electrons alone: they take the place of the holes.
    interaction : what screens, at this spacing; None for bare charges.

    Raises
    ------
    InputError : a density, spacing or number of layers that classical charges cannot have.
    """

    hole_density: float
    spacing: float
    holes: int
    electrons: int
    layers: int = 1
    carrier: str = "hole"
    interaction: Screened | None = None

    def __post_init__(self) -> None:
        check_layers(self.hole_density, self.spacing, self.electrons / max(self.holes, 1), self.layers)
        if self.holes < 1 or self.electrons < 0:
            raise InputError("holes_per_cell", "at least one hole", self.holes, "give the holes in the cell")

    @property
    def electrons_per_hole(self) -> float:
        """Ratio of the densities."""
        return self.electrons / self.holes

    @property
    def length(self) -> float:
        """a = 1/sqrt(pi n_h), a_h."""
        return float(1 / np.sqrt(np.pi * self.hole_density))

    def random(self, seed: int, box: str = "random") -> Crystal:
        """Charges anywhere, in a box of random or given shape. Raises InputError for an unknown box."""
        if box not in BOXES:
            raise InputError("box", " | ".join(BOXES), box, "choose one of these")
        rng = np.random.default_rng([seed, self.holes, self.electrons, self.layers])
        shape = _random_shape(rng) if box == "random" else SHAPES[box]
        vectors = Cell(shape).scaled(self.holes / self.hole_density).vectors
        species = (self.carrier,) * (self.holes * self.layers) + ("electron",) * self.electrons
        crystal = place(vectors, rng.random((len(species), 2)) @ vectors, self.spacing, species, self.holes)
        return replace(crystal, interaction=self.interaction)

    def own(self, name: str) -> Crystal:
        """The named structure in its own cell. Raises InputError for one that this composition does not have."""
        crystal = named(name, self.hole_density, self.spacing, self.electrons_per_hole, self.layers)
        if self.carrier != "hole":
            crystal = replace(crystal, charges=-crystal.charges, species=(self.carrier,) * len(crystal.species))
        return replace(crystal, interaction=self.interaction)

    def named(self, name: str) -> Crystal:
        """The named structure, repeated until the cell holds this composition. Raises InputError if it does not fit."""
        crystal = self.own(name)
        inside = (crystal.holes or crystal.electrons) // self.layers
        if name == DECOUPLED or inside == self.holes:
            return crystal
        if self.holes % inside:
            raise InputError("holes_per_cell", f"a multiple of {inside}, the holes in a cell of {name}",
                             self.holes, "change it, or leave it out")
        copies = self.holes // inside
        one = max(k for k in range(1, copies + 1) if copies % k == 0 and k * k <= copies)
        return crystal.repeated(np.diag([one, copies // one]))

    def candidates(self) -> tuple[str, ...]:
        """Named structures that fit into this cell."""
        fitting = []
        for name in structure_names(self.electrons_per_hole, self.layers):
            if name == DECOUPLED:  # its cell is its own
                continue
            cell = named(name, self.hole_density, self.spacing, self.electrons_per_hole, self.layers)
            if self.holes % (cell.holes // self.layers) == 0:
                fitting.append(name)
        return tuple(fitting)


def _random_shape(rng: np.random.Generator) -> np.ndarray:
    while True:
        vectors = rng.normal(size=(2, 2))
        if abs(np.linalg.det(vectors)) > 1e-3:
            vectors = reduce_vectors(vectors)[0]
            if np.linalg.norm(vectors[1]) < SLENDER * np.linalg.norm(vectors[0]):
                return vectors


@dataclass(frozen=True)
class Start:
    """One start of a search: a seed, the name of a structure, or a crystal; ``keep`` stays on symmetric saddles."""

    composition: Composition
    seed: int | None
    name: str | None = None
    relax: str = "cell"
    tolerance: float = TOLERANCE
    box: str = "random"
    keep: bool = False
    given: Crystal | None = None

    def crystal(self) -> Crystal:
        """Where it begins."""
        if self.given is not None:
            return self.given
        if self.name is not None:
            return self.composition.named(self.name)
        return self.composition.random(self.seed or 0, self.box)


@dataclass(frozen=True, eq=False)
class End:
    """Where a start ended: relaxed crystal, structure, layer group, lowest curvature (e^2/a^3, translations apart)."""

    start: Start
    relaxed: Relaxed
    structure: str
    group: str
    curvature: float
    status: Status

    @property
    def energy(self) -> float:
        """Per hole, Ha_h."""
        return self.relaxed.energy_per_hole


def run_start(start: Start, should_stop: Callable[[], Status | None]) -> End:
    """Relax from one start; a saddle is left downhill, so that the end is a minimum of this cell."""
    relaxed = relax(start.crystal(), start.relax, start.tolerance, should_stop=should_stop)
    iterations, curvature = relaxed.iterations, np.nan
    for attempt in range(LEAVES + 1):
        if relaxed.stopped or not relaxed.converged:
            break
        curvature, mode = lowest_curvature(relaxed.crystal, start.relax == "cell")
        if curvature > DOWNHILL or attempt == LEAVES or start.keep or start.relax == "none":
            break
        off = displaced(relaxed.crystal, mode, WAY_OFF * relaxed.crystal.length)
        relaxed = relax(off, start.relax, start.tolerance, should_stop=should_stop)
        iterations += relaxed.iterations
    symmetry = identify(relaxed.crystal)
    return End(start, replace(relaxed, iterations=iterations), symmetry.label, symmetry.group, float(curvature),
               _status(relaxed, float(curvature), start.keep))


def _status(relaxed: Relaxed, curvature: float, keep: bool) -> Status:
    """A saddle that is to be kept is the minimum within its symmetry."""
    if relaxed.stopped:
        return relaxed.stopped
    if not np.isfinite(relaxed.energy):
        return Status.not_finite
    if not relaxed.converged:
        return Status.not_converged
    return Status.saddle if curvature < DOWNHILL and not keep else Status.converged


def lowest_curvature(crystal: Crystal, cell: bool = True) -> tuple[float, np.ndarray]:
    """Lowest curvature in e^2/a^3, rigid translations left out, and its mode (n+1, 2); see `relaxation.curvatures`.

    Infinite where nothing can move but all together.
    """
    values, modes = curvatures(crystal, cell)
    drift = np.linalg.norm(modes[:, :-1].sum(axis=1), axis=1) / np.sqrt(len(crystal.species))
    inner = np.flatnonzero(drift < 0.7)  # a translation has 1, everything else 0
    if len(inner) == 0:
        return np.inf, np.zeros((len(crystal.species) + 1, 2))
    return float(values[inner[0]]) * crystal.length**3, modes[inner[0]]


def search(starts: Sequence[Start], *, workers: int = 1, known: dict[int, End] | None = None,
           should_stop: Callable[[], Status | None] | None = None,
           finished: Callable[[dict[int, End]], None] | None = None) -> dict[int, End]:
    """Relax from every start.

    Parameters
    ----------
    starts : see `make_starts`.
    workers : processes; the results do not depend on it.
    known : ends of an earlier, unfinished search, by the number of the start; they are not computed again.
    should_stop : asked now and then; a status stops, and unfinished starts are left out.
    finished : told all ends so far whenever one is added.

    Returns
    -------
    End of each start by its number, in the order of the starts.
    """
    ends = {i: end for i, end in (known or {}).items() if end.relaxed.stopped is None}
    missing = Missing(starts, [i for i in range(len(starts)) if i not in ends])
    for i, end in each(run_start, missing, workers=workers, should_stop=should_stop):
        if end.relaxed.stopped is None:
            ends[missing.numbers[i]] = end
            if finished is not None:
                finished(ends)
    return dict(sorted(ends.items()))


@dataclass(frozen=True)
class Missing(Sequence[Start]):
    """Those of the starts that have these numbers."""

    starts: Sequence[Start]
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, number: Any) -> Any:
        return self.starts[self.numbers[number]]


@dataclass(frozen=True)
class Starts(Sequence[Start]):
    """Named starts, then some ``random`` ones like ``first`` with its seed, seed + 1, ..; each made when asked for."""

    named: tuple[Start, ...]
    first: Start
    random: int

    def __len__(self) -> int:
        return len(self.named) + self.random

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        i = range(len(self))[number] - len(self.named)
        return replace(self.first, seed=(self.first.seed or 0) + i) if i >= 0 else self.named[i]


def make_starts(composition: Composition, count: int, seed: int, *, relax: str = "cell", box: str = "random",
                tolerance: float = TOLERANCE, candidates: bool = True, keep: bool = False) -> Starts:
    """``count`` random starts with seeds seed, seed + 1, .., and before them the named structures that fit.

    Where the box is fixed (relax = "positions") named structures do not fit in general and are left out. With ``keep``
    all stay on symmetric saddles.
    """
    names = composition.candidates() if candidates and relax == "cell" else ()
    named = tuple(Start(composition, None, name, relax, tolerance, keep=keep) for name in names)
    return Starts(named, Start(composition, seed, None, relax, tolerance, box, keep), count)


def ranking(ends: Sequence[End]) -> list[End]:
    """Distinct minima by energy, the lowest first: ends of equal energy count once, named starts before random ones."""
    out: list[End] = []
    for end in sorted((e for e in ends if e.status is Status.converged), key=lambda e: e.energy):
        scale = SAME / end.relaxed.crystal.length
        if not out or end.energy - out[-1].energy > scale:
            out.append(end)
    return out
