"""Which particles a study describes: masses, counts, spins, spacing and density, in hole atomic units.

Species are "electron" (charge -1, layer 0) and "hole" (charge +1, layer 1, mass 1); an absent species is left out.
Without holes the unit of mass is the hole mass where one is given, else the electron mass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.materials import material
from ehbilayer.model import ELECTRON_LAYER, HOLE_LAYER, Bilayer, Carrier
from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import MOST_PARTICLES, BilayerTable, CellTable
from ehbilayer.torus import Torus
from ehbilayer.units import Scales, density_from_rs, rs_from_density

LONGEST_SPACING = 1e6  # a_h
RS_RANGE = (1e-4, 1e6)
DENSITIES = ("hole", "electron", "rs_hole", "rs_electron", "a_over_d", "hole_over_critical")
THINNEST = 1e-3  # area of the box' shape over the square of its longer vector


@dataclass(frozen=True)
class Spins:
    """Spins of each species in the box: restricted, unrestricted or polarized."""

    electron: str
    hole: str


@dataclass(frozen=True)
class Counts:
    """Particles of each species in the box."""

    electrons: int
    holes: int


def resolve_scales(table: BilayerTable) -> Scales:
    """Masses and dielectric constant of the device; explicit values replace those of the material."""
    named = material(table.material) if table.material is not None else None
    values = {k: getattr(table, k) if getattr(table, k) is not None else getattr(named, k, None)
              for k in ("electron_mass", "hole_mass", "dielectric")}
    return Scales(**values)


def mass_ratio_of(scales: Scales) -> float:
    """m_e/m_h. Raises InputError naming the mass that is not given."""
    missing = [k for k in ("electron_mass", "hole_mass") if getattr(scales, k) is None]
    if missing:
        raise InputError(f"bilayer.{missing[0]}", "a positive effective mass in m0", "missing",
                         "give it or bilayer.material")
    assert scales.mass_ratio is not None
    return scales.mass_ratio


def count_particles(cell: CellTable, ratio: float | str | None) -> Counts:
    """Electrons and holes in the box from [cell] and electrons_per_hole. Raises InputError if they do not fit."""
    if cell.holes is None and cell.electrons is None:
        raise InputError("cell.holes", "the number of holes in the box, an integer >= 1", "missing",
                         "give it (or cell.electrons where there are no holes)")
    if cell.holes is None:
        if ratio is not None:
            raise InputError("density.electrons_per_hole", "absent without holes", ratio,
                             "remove it, or give cell.holes instead of cell.electrons")
        return Counts(int(cell.electrons or 0), 0)
    if ratio is None:
        raise InputError("density.electrons_per_hole", "given", "missing", "0: holes only, 1: balanced, 2: trions")
    if not 0 <= float(ratio) <= MOST_PARTICLES:
        raise InputError("density.electrons_per_hole", "a number >= 0", ratio, "0: holes only, 1: balanced, 2: trions")
    electrons = float(ratio) * cell.holes
    if abs(electrons - round(electrons)) > 1e-9 * max(1.0, electrons) or round(electrons) > MOST_PARTICLES:
        raise InputError("density.electrons_per_hole", f"a ratio that gives an integer number of electrons (at most "
                         f"{MOST_PARTICLES}) with {cell.holes} holes", ratio, "change it or cell.holes")
    return Counts(round(electrons), cell.holes)


def make_torus(study: Study, scales: Scales, counts: Counts, spins: Spins, critical: Callable[[], float],
               zero_mode: str | None = None) -> Torus:
    """The carriers, their spacing and density, in a box of these counts with the convention for q = 0.

    ``critical`` returns the critical r_s of the holes; it is asked only where the density refers to it. ``zero_mode``
    takes the place of that of [cell]. Raises InputError.
    """
    zero_mode = zero_mode or study.cell.zero_mode
    if zero_mode is None:
        raise InputError("cell.zero_mode", "none | madelung", "missing",
                         'say "none" to reproduce papers, "madelung" for physics; there is no default')
    for name, spin, flavours, count in (("electron", spins.electron, study.bilayer.electron_flavours, counts.electrons),
                                        ("hole", spins.hole, study.bilayer.hole_flavours, counts.holes)):
        _check_spin(name, spin, flavours, count)
    bilayer = make_bilayer(study, scales, counts.electrons, counts.holes, critical)
    number = {"holes": counts.holes} if counts.holes else {"electrons": counts.electrons}
    return Torus(bilayer, **number, shape=box_shape(study.cell), zero_mode=zero_mode, capacitor=study.bilayer.capacitor,
                 electron_spin=spins.electron, hole_spin=spins.hole)


def box_shape(cell: CellTable) -> str | np.ndarray:
    """The shape of the box that [cell] says. Raises InputError for vectors that span none."""
    if cell.vectors is None:
        return cell.shape
    (x1, y1), (x2, y2) = cell.vectors
    longest = max(math.hypot(x1, y1), math.hypot(x2, y2))
    if not (1e-6 <= longest <= 1e6 and abs(x1 * y2 - x2 * y1) >= THINNEST * longest**2):
        raise InputError("cell.vectors", "two independent vectors of length 1e-6 to 1e6 that span at least "
                         f"{THINNEST:g} of the square on the longer one", cell.vectors,
                         "their scale does not matter")
    return np.array(cell.vectors, dtype=float)


def make_bilayer(study: Study, scales: Scales, electrons: float, holes: float, critical: Callable[[], float], *,
                 unknown: bool = False) -> Bilayer:
    """The bilayer of [bilayer] and [density] with electrons and holes in this ratio; what is 0 is absent.

    Densities are 0 where they are still ``unknown``, as at a given chemical potential.

    Raises InputError for a mass, spacing or density that is missing or impossible.
    """
    table, found = study.bilayer, []
    mass = _electron_mass(scales, alone=holes == 0) if electrons else None
    spacing = _spacing(table, scales, both=bool(electrons and holes))
    key, n = ("hole", 0.0) if unknown else _density(study, scales, mass, spacing, electrons, holes, critical)
    per_unit = n / (electrons if "electron" in key else holes)
    if mass is not None:
        found.append(Carrier("electron", -1, mass, ELECTRON_LAYER, electrons * per_unit, table.electron_flavours))
    if holes:
        found.append(Carrier("hole", 1, 1.0, HOLE_LAYER, holes * per_unit, table.hole_flavours))
    return Bilayer(tuple(found), Coulomb(spacing), scales, table.material)


def _check_spin(name: str, spin: str, flavours: int, count: int) -> None:
    if spin == "restricted" and count % flavours:
        raise InputError(f"hartree-fock.{name}_spin", f"unrestricted or polarized for {count} {name}s (restricted "
                         f"needs a multiple of {flavours})", spin, "change it or the particle number")


def _electron_mass(scales: Scales, alone: bool) -> float:
    """Electron mass in units of the hole mass; 1 for electrons alone of which no mass is given."""
    if alone and scales.reference_mass is None:
        return 1.0
    if alone and scales.mass_ratio is not None:
        return scales.mass_ratio
    return mass_ratio_of(scales)


def _spacing(table: BilayerTable, scales: Scales, both: bool) -> float:
    if table.spacing is None:
        if both:
            raise InputError("bilayer.spacing", 'a length >= 0, such as "3 nm" or a number in a_h', "missing",
                             "give the distance between the layers")
        return 0.0
    spacing = scales.to_atomic(table.spacing, "length", "bilayer.spacing")
    if not 0 <= spacing <= LONGEST_SPACING:
        raise InputError("bilayer.spacing", f"a length from 0 to {LONGEST_SPACING:g} a_h", table.spacing,
                         "give the distance between the layers")
    return spacing


def _density(study: Study, scales: Scales, mass: float | None, spacing: float, electrons: float, holes: float,
             critical: Callable[[], float]) -> tuple[str, float]:
    """The key of [density] that is given, and the density in a_h^-2 that it says.

    Raises InputError for a density that is missing, not positive, absurd, or of carriers that are absent.
    """
    given = [k for k in DENSITIES if getattr(study.density, k) is not None]
    if not given:
        raise InputError("density", f"given in one way ({', '.join(DENSITIES)})", "missing",
                         'e.g. rs_hole = 8 or hole = "1.29e12 cm^-2"')
    key, value = given[0], getattr(study.density, given[0])
    whose = "electron" if "electron" in key else "hole"
    if not (electrons if whose == "electron" else holes):
        raise InputError(f"density.{key}", f"a density of the carriers there are (no {whose}s in this study)", value,
                         f"give {'hole or rs_hole' if whose == 'electron' else 'electron or rs_electron'} instead")
    n = _density_of(key, value, scales, mass, spacing, critical)
    if not (n > 0 and RS_RANGE[0] <= rs_from_density(n) <= RS_RANGE[1]):
        raise InputError(f"density.{key}", f"a density > 0 with r_s from {RS_RANGE[0]:g} to {RS_RANGE[1]:g} a_h",
                         value, "check the number and its unit")
    return key, n


def _density_of(key: str, value: Any, scales: Scales, mass: float | None, spacing: float,
                critical: Callable[[], float]) -> float:
    """The density in a_h^-2 that one key of [density] says."""
    if key in ("hole", "electron"):
        return scales.to_atomic(value, "density", f"density.{key}")
    if key == "rs_hole":
        return density_from_rs(value)
    if key == "rs_electron":
        assert mass is not None
        return density_from_rs(value / mass)  # a_e = a_h m_h/m_e
    if key == "a_over_d":
        if spacing == 0:
            raise InputError("density.a_over_d", "used with a spacing > 0", value, "give rs_hole or bilayer.spacing")
        return density_from_rs(value * spacing)
    return value * density_from_rs(critical())
