"""Who competes: phases with the symmetry that each one keeps, and phases of your own.

In Hartree-Fock the liquid is never the lowest state without constraints (Bernu et al., PRB 84, 115115 (2011)), so a
phase is a candidate with a symmetry that it keeps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import WaveChoice
from ehbilayer.condensate.torus import memory as pairs_memory
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.options import Options
from ehbilayer.hartree_fock.problem import Problem, Start
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.numerics.memory import require_memory
from ehbilayer.orbitals import Orbitals
from ehbilayer.phases.arrangements import (
    IMBALANCED,
    MOST_SUBLATTICES,
    applies,
    arrangements,
    coherent,
    condensates,
)
from ehbilayer.torus import Torus

CONDENSATE = "condensate"
SUPERSOLID, COMPOSITE = "supersolid", "composite-crystal"
COHERENT = (SUPERSOLID, COMPOSITE, IMBALANCED)  # by Hartree-Fock with pairing; compete where they are named
SPINS = ("all", "given")  # every arrangement of spins and valleys, or that of the torus alone
COMPETING = ("liquid", "hole-crystal", "electron-crystal", "crystal", CONDENSATE)
LOCAL_ELECTRONS = ("electron-crystal", "crystal", "stripes")  # electrons one by one on sites: their spins must differ
CELLS = {"stripes": 4}  # holes per cell of candidates that need more than their spins do


@dataclass(frozen=True, eq=False)
class Candidate:
    """A phase that competes: the torus with its spins, the cell it keeps, and how it is solved.

    Parameters
    ----------
    name : what the rows call it.   torus, basis : its spins; its waves, sorted by the cell that it keeps.
    options : how it is solved.   start : orbitals to start from, in place of ``options.start``.
    paired : a homogeneous condensate instead of a Slater determinant.
    later : another order of the holes, worth a look only with the best one of the electrons.
    """

    name: str
    torus: Torus
    basis: PlaneWaveBasis
    options: Options = field(default_factory=Options)
    start: Orbitals | None = None
    paired: bool = False
    later: bool = False

    @property
    def arrangement(self) -> str:
        """How every carrier fills its flavours, in the words of `torus.Species`."""
        return ", ".join(f"{s.name}s {s.spin}" for s in self.torus.species if s.count)

    @property
    def uniform(self) -> bool:
        """Whether it is made of plane waves, which are stationary on any basis that holds them."""
        return self.options.keep == "translations" and not self.options.pairing

    @property
    def space(self) -> tuple[Any, ...]:
        """What states it may be: candidates that agree in it are one problem with several starts."""
        return self.arrangement, self.basis.cells, self.options.keep, self.paired, self.options.pairing

    @classmethod
    def of(cls, name: str, torus: Torus, start: Start = "crystal", *, symmetry: str = "crystal",
           holes_per_cell: int = 1, plane_waves: Sequence[int] | None = None, hexagon: int | None = None,
           cutoff: float | None = None, **options: Any) -> Candidate:
        """A phase of your own: any start, and the cell whose translations it keeps.

        Parameters
        ----------
        name : yours.   torus : with the spins of this candidate; particles and box are those of the others.
        start : a phase name or a state, see `hartree_fock.hartree_fock`; `hartree_fock.guesses.placed` makes one of
            positions.
        symmetry, holes_per_cell : ``crystal`` with so many sites per cell, ``none`` for the free box.
        plane_waves, hexagon, cutoff : the waves, which must be those of the others.
        options : further fields of `hartree_fock.options.Options`.

        Raises
        ------
        InputError : see `hartree_fock.hartree_fock`.
        """
        problem = Problem.of(torus, start, Options(**options), WaveChoice(plane_waves, hexagon, cutoff),
                             symmetry=symmetry, holes_per_cell=holes_per_cell)
        return cls(name, torus, problem.basis, problem.options, problem.initial)


def applicable(torus: Torus, spins: str = "given") -> tuple[str, ...]:
    """The candidates that these particles can form; a condensate needs as many electrons as holes.

    Dumbbells need polarised electrons: they are among them where all ``spins`` compete.
    """
    counts = {s.name: s.count for s in torus.species if s.count}
    if set(counts) != {"electron", "hole"}:
        return ("liquid", "crystal")
    if counts["electron"] == counts["hole"]:
        return COMPETING
    if counts["electron"] != 2 * counts["hole"]:
        return ("liquid", "hole-crystal", "electron-crystal", "crystal")
    electrons = next(s for s in torus.species if s.name == "electron")
    trion = ("trion-crystal",) if spins == "given" or electrons.flavours > 1 else ()
    return ("liquid", "hole-crystal", "electron-crystal", *trion, *(("dumbbell-crystal",) if spins == "all" else ()))


def with_pairs(torus: Torus) -> tuple[str, ...]:
    """The candidates with electron-hole coherence in crystals or of unequal numbers that these particles can form."""
    counts = {s.name: s.count for s in torus.species if s.count}
    if set(counts) != {"electron", "hole"}:
        return ()
    if counts["electron"] == counts["hole"]:
        return (SUPERSOLID,)
    electrons = next(s for s in torus.species if s.name == "electron")
    if counts["electron"] != 2 * counts["hole"] or electrons.flavours == 1:
        return (IMBALANCED,)
    return COHERENT


def candidates(torus: Torus, basis: PlaneWaveBasis, given: Sequence[str | Candidate], options: Options,
               spins: str = "given") -> list[Candidate]:
    """The candidates ``given`` with the symmetry that each one keeps; your own ones as they are.

    The liquid keeps all translations, a crystal those of its cell. With ``spins = "all"`` there is one of each name for
    every arrangement of spins and valleys (`arrangements`). Else they are those of the torus, but electrons that sit
    one by one on sites cannot share orbitals: where liquid electrons are restricted these are unrestricted, in rows of
    alternating spin, two sites per cell; stripes have four; the condensate's electrons and holes are polarised.

    Raises InputError for a candidate that these particles cannot form or the box cannot hold, for two of one name, and
    for one of your own with other particles, another box or other waves.
    """
    if spins not in SPINS:
        raise InputError("spins", " | ".join(SPINS), spins, "choose one of these")
    possible = {*applicable(torus), *(("stripes",) if "crystal" in applicable(torus) else ()),
                *(("dumbbell-crystal",) if "dumbbell-crystal" in applicable(torus, "all") else ()),
                *with_pairs(torus)}
    make = _arranged if spins == "all" and applies(torus) else _candidate
    options = replace(options, bands=False)  # nobody asks a candidate for them
    found: dict[str, list[Candidate]] = {}
    for one in dict.fromkeys(given):
        name = one if isinstance(one, str) else one.name
        if name in found:
            raise InputError("candidates", "of different names", name, "rename your own")
        if isinstance(one, str) and name not in possible:
            raise InputError("candidates", " | ".join(sorted(possible)), name, "leave out what cannot form here")
        if torus.bilayer.temperature and name in COHERENT:
            raise InputError("candidates", "without pairs in crystals at a temperature", name, "leave it out")
        found[name] = make(torus, basis, one, options) if isinstance(one, str) else [_fitting(one, torus, basis)]
        for c in found[name]:
            needed = pairs_memory(c.basis.waves) if c.paired else c.basis.estimate(c.torus)["memory_bytes"]
            require_memory(needed, "candidates", f"fewer plane waves or particles, or leave out {name}")
    if not found:
        raise InputError("candidates", "one or more", list(given), "name phases that compete")
    return [candidate for group in found.values() for candidate in group]


def _arranged(torus: Torus, basis: PlaneWaveBasis, name: str, options: Options) -> list[Candidate]:
    """A candidate in every arrangement of its spins and valleys."""
    ways = (condensates(torus) if name == CONDENSATE else coherent(torus, name) if name in COHERENT
            else arrangements(torus, name, CELLS.get(name, 1)))
    if not ways:
        raise InputError("holes", f"a number with which the box holds the candidate {name}", torus.sites,
                         "choose another number, or leave out this candidate")
    sorted_by = {n: PlaneWaveBasis(basis.box, basis.waves, crystal_cell(basis.box, torus.sites, n))
                 for n in {way.cells for way in ways} if name != CONDENSATE}
    return [Candidate(name, replace(torus, electron_spin=way.electron, hole_spin=way.hole),
                      sorted_by.get(way.cells) or PlaneWaveBasis(basis.box, basis.waves),
                      options if name == CONDENSATE else replace(_held(name, options), spin_order="stripe"),
                      paired=name == CONDENSATE, later=way.later) for way in ways]


def _held(name: str, options: Options) -> Options:
    """Where a candidate starts, by which method, and what it keeps."""
    keep = "translations" if name in ("liquid", IMBALANCED) else "none"
    if name in COHERENT:
        options = replace(options, pairing=True, follow=False, occupation="integer")
    return replace(options, start=CONDENSATE if name == IMBALANCED else name, keep=keep)


def _candidate(torus: Torus, basis: PlaneWaveBasis, name: str, options: Options) -> list[Candidate]:
    """A candidate in the spins of the torus."""
    polarised = replace(torus, electron_spin="polarized", hole_spin="polarized")
    if name == CONDENSATE:
        return [Candidate(name, polarised, PlaneWaveBasis(basis.box, basis.waves), options, paired=True)]
    here = polarised if name == SUPERSOLID and CONDENSATE in applicable(torus) else torus
    if name == COMPOSITE and torus.electron_spin == "polarized":
        raise InputError("candidates", f"without {COMPOSITE} where electrons are polarized: one flavour sits on holes",
                         name, "use spins = all, or electron_spin = restricted")
    if name in LOCAL_ELECTRONS and torus.electron_spin == "restricted":
        here = replace(torus, electron_spin="unrestricted")
    mixed = any(s.spin == "unrestricted" and s.flavours > 1 for s in here.species)
    cells = max(CELLS.get(name, 1), _sublattices(here) if mixed and name not in ("liquid", *COHERENT) else 1)
    try:
        basis = PlaneWaveBasis(basis.box, basis.waves, crystal_cell(basis.box, here.sites, cells))
    except InputError as error:
        raise InputError("holes", f"a number that a crystal of {cells} sites per cell fills (for the candidate {name})",
                         here.sites, f"choose another number, or leave out this candidate ({error.todo})") from None
    return [Candidate(name, here, basis, replace(_held(name, options), spin_order="stripe" if mixed else
                                                 options.spin_order))]


def _sublattices(torus: Torus) -> int:
    """Sites per cell with which flavours that take turns fill them; the number of flavours where none does."""
    flavours = math.lcm(*(len(s.occupations) for s in torus.species if s.spin == "unrestricted"))
    cells = math.lcm(*(torus.sites // math.gcd(torus.sites, c.orbitals) for c in torus.channels if c.degeneracy == 1))
    return max(cells, 2) if cells <= MOST_SUBLATTICES else flavours


def _fitting(own: Candidate, torus: Torus, basis: PlaneWaveBasis) -> Candidate:
    """A candidate of the user's. Raises InputError where its energy could not be compared with the others'."""
    counts, others = ({s.name: s.count for s in t.species} for t in (own.torus, torus))
    same = (counts == others and np.allclose(own.torus.box.vectors, torus.box.vectors)
            and own.torus.zero_mode == torus.zero_mode and own.torus.capacitor == torus.capacitor
            and own.torus.bilayer.interaction == torus.bilayer.interaction)
    if not same:
        raise InputError("candidates", "with the particles, box, interaction and zero mode of the others", own.name,
                         "make it of the same torus, with other spins at most")
    grows = own.options.basis_tolerance is not None
    if not grows and set(map(tuple, own.basis.waves.tolist())) != set(map(tuple, basis.waves.tolist())):
        raise InputError("candidates", "on the waves of the others", f"{own.name} on {own.basis.size} waves",
                         "give it the same plane_waves, hexagon or cutoff")
    return own
