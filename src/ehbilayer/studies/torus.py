"""From [cell] to a box: the particles that it holds, its shape and plane waves, the critical r_s of a layer on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import WaveChoice
from ehbilayer.errors import InputError
from ehbilayer.model import Bilayer
from ehbilayer.studies.bilayer import bilayer_at, bilayer_of, device_entries, ratio_of
from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock import keys as hartree_fock_keys
from ehbilayer.studies.keys import MOST_PARTICLES, CellTable
from ehbilayer.torus import Torus
from ehbilayer.units import rs_from_density

THINNEST = 1e-3  # area of the box' shape over the square of its longer vector


@dataclass(frozen=True)
class Contents:
    """Particles of each carrier in the box, and how their flavours are filled; see `torus.Species`."""

    electrons: int
    holes: int
    electron_spin: str
    hole_spin: str

    @property
    def numbers(self) -> dict[str, int]:
        """Carrier -> particles, of the carriers there are."""
        return {name: n for name, n in (("electron", self.electrons), ("hole", self.holes)) if n}

    def spin(self, name: str) -> str:
        """That of a carrier."""
        return self.electron_spin if name == "electron" else self.hole_spin


def contents_of(study: Study) -> Contents:
    """What [cell], electrons_per_hole and [hartree-fock] say. Raises InputError for numbers that do not fit."""
    cell, solver = study.cell, hartree_fock_keys.of(study)
    spins = solver.electron_spin, solver.hole_spin
    if cell.holes is None and cell.electrons is None:
        raise InputError("cell.holes", "the number of holes in the box, an integer >= 1", "missing",
                         "give it (or cell.electrons where there are no holes)")
    ratio = study.density.electrons_per_hole
    if cell.holes is None:
        if ratio is not None:
            raise InputError("density.electrons_per_hole", "absent without holes", ratio,
                             "remove it, or give cell.holes instead of cell.electrons")
        return Contents(int(cell.electrons or 0), 0, *spins)
    electrons = ratio_of(study.density, MOST_PARTICLES) * cell.holes
    if abs(electrons - round(electrons)) > 1e-9 * max(1.0, electrons) or round(electrons) > MOST_PARTICLES:
        raise InputError("density.electrons_per_hole", f"a ratio that gives an integer number of electrons (at most "
                         f"{MOST_PARTICLES}) with {cell.holes} holes", ratio, "change it or cell.holes")
    return Contents(round(electrons), cell.holes, *spins)


def torus_of(study: Study, contents: Contents) -> Torus:
    """The bilayer of a study in its box. Raises InputError for what is missing or does not fit."""
    _check(study, contents)
    return _in_box(study, contents, bilayer_of(study, contents.numbers, critical_rs_of(study, contents)))


def _in_box(study: Study, contents: Contents, bilayer: Bilayer) -> Torus:
    assert study.cell.zero_mode is not None
    return Torus(bilayer, contents.holes or None, None if contents.holes else contents.electrons, box_shape(study.cell),
                 zero_mode=study.cell.zero_mode, capacitor=study.bilayer.capacitor,
                 electron_spin=contents.electron_spin, hole_spin=contents.hole_spin)


def _check(study: Study, contents: Contents) -> None:
    """Raises InputError without a convention for q = 0, or for particles that flavours cannot share."""
    if study.cell.zero_mode is None:
        raise InputError("cell.zero_mode", "none | madelung", "missing",
                         'say "none" to reproduce papers, "madelung" for physics; there is no default')
    for name, count in contents.numbers.items():
        flavours, spin = getattr(study.bilayer, f"{name}_flavours"), contents.spin(name)
        if spin == "restricted" and count % flavours:
            raise InputError(f"hartree-fock.{name}_spin", f"unrestricted or polarized for {count} {name}s (restricted "
                             f"needs a multiple of {flavours})", spin, "change it or the particle number")


def critical_rs_of(study: Study, contents: Contents, name: str = "hole") -> Callable[[], float]:
    """A function that returns the critical r_s of one layer alone, given or computed, in the convention of this box.

    It counts in the Bohr radius of the carriers ``name``, so that their mass does not enter, only their spin.
    """
    def critical() -> float:
        given = study.density.critical_rs
        if given is None:
            raise InputError("density.critical_rs", '"computed" or a number', "missing",
                             "say what hole_over_critical refers to")
        return float(given) if given != "computed" else _computed_rs(study, contents, name)

    return critical


def _computed_rs(study: Study, contents: Contents, name: str) -> float:
    from ehbilayer.hartree_fock.critical import BRACKET

    # The crossing is looked for at many densities on the same integer waves. A cutoff in 1/a_h means other integers at
    # each, so it gives way to the tolerance, which asks for the most waves at the lowest density.
    count = contents.numbers[name]
    area = count * math.pi * BRACKET[1] ** 2
    torus = _in_box(study, contents, bilayer_at(study, {k: n / area for k, n in contents.numbers.items()}))
    free = study.cell.model_copy(update={"cutoff": None})
    waves = waves_of(free).on(torus, hartree_fock_keys.of(study).tolerance)
    return _critical_rs(torus.box.vectors.tobytes(), waves.tobytes(), count, torus.zero_mode, contents.spin(name))


@lru_cache(maxsize=64)  # the points of a sweep ask for the same
def _critical_rs(vectors: bytes, waves: bytes, count: int, zero_mode: str, spin: str) -> float:
    """The critical r_s of a layer on a torus: a function of the box' rows, the integer waves, and how it is filled."""
    from ehbilayer.hartree_fock.critical import critical_rs
    from ehbilayer.numerics.lattice import Cell

    box = Cell(np.frombuffer(vectors).reshape(2, 2))
    basis = PlaneWaveBasis(box, np.frombuffer(waves, dtype=int).reshape(-1, 2))
    return critical_rs(basis, count, zero_mode, spin=spin)


def box_shape(cell: CellTable) -> str | np.ndarray:
    """The shape of the box, by its name or its vectors. Raises InputError for vectors that span next to nothing."""
    if cell.vectors is None:
        return cell.shape
    (x1, y1), (x2, y2) = cell.vectors
    longest = max(math.hypot(x1, y1), math.hypot(x2, y2))
    if not (1e-6 <= longest <= 1e6 and abs(x1 * y2 - x2 * y1) >= THINNEST * longest**2):
        raise InputError("cell.vectors", "two independent vectors of length 1e-6 to 1e6 that span at least "
                         f"{THINNEST:g} of the square on the longer one", cell.vectors,
                         "their scale does not matter")
    return np.array(cell.vectors, dtype=float)


def waves_of(cell: CellTable) -> WaveChoice:
    """What [cell] says about the plane waves."""
    return WaveChoice(cell.plane_waves, cell.hexagon, cell.cutoff)


def resolved_entries(study: Study, torus: Torus, basis: PlaneWaveBasis) -> dict[str, Any]:
    """Device, species and box with defaults, in hole atomic units (masses in m0 as given, and as used)."""
    area, cell = torus.area, study.cell
    species = {s.name: {"mass": s.mass, "charge": s.charge, "layer": s.layer, "count": s.count, "spin": s.spin,
                        "flavours": s.flavours, "density": s.count / area,
                        "rs": s.mass * rs_from_density(s.count / area)} for s in torus.species}
    return {
        "kind": study.kind,
        "bilayer": device_entries(study, torus.bilayer),
        "species": species,
        "cell": {"shape": shape_name(cell), "vectors": basis.box.vectors.tolist(), "area": area,
                 "basis_size": basis.size, "plane_waves": cell.plane_waves, "hexagon": cell.hexagon,
                 "cutoff": cell.cutoff, "zero_mode": torus.zero_mode, "symmetry": cell.symmetry,
                 "cells": basis.cells, "supercell": basis.supercell.tolist()},
    }


def shape_name(cell: CellTable) -> str:
    """What the plan calls the box."""
    return cell.shape if cell.vectors is None else "vectors"
