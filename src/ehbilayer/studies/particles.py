"""Which particles a study describes: masses, counts, spins, spacing and density, in hole atomic units.

Species are "electron" (charge -1, layer 0) and "hole" (charge +1, layer 1, mass 1); an absent species is left out.
Without holes the unit of mass is the hole mass where one is given, else the electron mass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.materials import material
from ehbilayer.model import Bilayer, Species
from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import MOST_PARTICLES, BilayerTable, CellTable
from ehbilayer.units import Scales, density_from_rs, rs_from_density

ELECTRON_LAYER, HOLE_LAYER = 0, 1
LONGEST_SPACING = 1e6  # a_h
RS_RANGE = (1e-4, 1e6)


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


def make_bilayer(table: BilayerTable, zero_mode: str | None, spins: Spins, scales: Scales, counts: Counts) -> Bilayer:
    """The species, their spacing and the convention for q = 0. Raises InputError."""
    if zero_mode is None:
        raise InputError("cell.zero_mode", "none | madelung", "missing",
                         'say "none" to reproduce papers, "madelung" for physics; there is no default')
    species = []
    if counts.electrons:
        _check_spin("electron", spins.electron, table.electron_flavours, counts.electrons)
        species.append(Species("electron", -1, _electron_mass(scales, counts), ELECTRON_LAYER, counts.electrons,
                               table.electron_flavours, spins.electron))
    if counts.holes:
        _check_spin("hole", spins.hole, table.hole_flavours, counts.holes)
        species.append(Species("hole", 1, 1.0, HOLE_LAYER, counts.holes, table.hole_flavours, spins.hole))
    spacing = _spacing(table, scales, both=len(species) == 2)
    return Bilayer(tuple(species), spacing, zero_mode, table.capacitor)


def _check_spin(name: str, spin: str, flavours: int, count: int) -> None:
    if spin == "restricted" and count % flavours:
        raise InputError(f"hartree-fock.{name}_spin", f"unrestricted or polarized for {count} {name}s (restricted "
                         f"needs a multiple of {flavours})", spin, "change it or the particle number")


def _electron_mass(scales: Scales, counts: Counts) -> float:
    """Electron mass in units of the hole mass; 1 for electrons alone of which no mass is given."""
    if counts.holes == 0 and scales.reference_mass is None:
        return 1.0
    if counts.holes == 0 and scales.mass_ratio is not None:
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


def make_area(study: Study, scales: Scales, bilayer: Bilayer, critical: Callable[[], float]) -> float:
    """Area of the box in a_h^2: count / density.

    ``critical`` returns the critical r_s of the holes; it is asked only where the density refers to it.
    Raises InputError for a density that is missing, not positive, absurd, or of carriers that are absent.
    """
    counts = {s.name: s.count for s in bilayer.species}
    keys = ("hole", "electron", "rs_hole", "rs_electron", "a_over_d", "hole_over_critical")
    given = [k for k in keys if getattr(study.density, k) is not None]
    if not given:
        raise InputError("density", f"given in one way ({', '.join(keys)})", "missing",
                         'e.g. rs_hole = 8 or hole = "1.29e12 cm^-2"')
    key, value = given[0], getattr(study.density, given[0])
    whose = "electron" if "electron" in key else "hole"
    if whose not in counts:
        raise InputError(f"density.{key}", f"a density of the carriers there are (no {whose}s in this study)", value,
                         f"give {'hole or rs_hole' if whose == 'electron' else 'electron or rs_electron'} instead")
    n = _density(key, value, scales, bilayer, critical)
    if not (n > 0 and RS_RANGE[0] <= rs_from_density(n) <= RS_RANGE[1]):
        raise InputError(f"density.{key}", f"a density > 0 with r_s from {RS_RANGE[0]:g} to {RS_RANGE[1]:g} a_h",
                         value, "check the number and its unit")
    return counts[whose] / n


def _density(key: str, value: Any, scales: Scales, bilayer: Bilayer, critical: Callable[[], float]) -> float:
    """The density in a_h^-2 that one key of [density] says."""
    if key in ("hole", "electron"):
        return scales.to_atomic(value, "density", f"density.{key}")
    if key == "rs_hole":
        return density_from_rs(value)
    if key == "rs_electron":
        mass = next(s.mass for s in bilayer.species if s.name == "electron")
        return density_from_rs(value / mass)  # a_e = a_h m_h/m_e
    if key == "a_over_d":
        if bilayer.spacing == 0:
            raise InputError("density.a_over_d", "used with a spacing > 0", value, "give rs_hole or bilayer.spacing")
        return density_from_rs(value * bilayer.spacing)
    return value * density_from_rs(critical())
