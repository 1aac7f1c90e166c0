"""From [bilayer] and [density] to the physics: masses, spacing, interaction and densities, in hole atomic units.

Electrons (charge -1) lie in layer 0, holes (charge +1, mass 1) in layer 1; an absent carrier is left out. Without holes
the unit of mass is the hole mass where one is given, else the electron mass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.interaction.base import Interaction, refuse_capacitor
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.materials import MATERIALS, Screening, material
from ehbilayer.model import ELECTRON_LAYER, HOLE_LAYER, Bilayer, Carrier, in_medium, screened, splitting_of
from ehbilayer.potential import Potential, period_of
from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import (
    MOST_PARTICLES,
    TEMPERATURE,
    BilayerTable,
    DensityTable,
    PotentialTable,
    ScreeningTable,
    Table,
)
from ehbilayer.studies.text import device_lines
from ehbilayer.units import Scales, density_from_rs, rs_from_density

LONGEST_SPACING = 1e6  # a_h
RS_RANGE = (1e-4, 1e6)
LENGTHS = [key for key in ScreeningTable.model_fields if not key.startswith("dielectric")]
DENSITIES = DensityTable.ALTERNATIVES[0]  # the keys that say a density


def scales_of(study: Study) -> Scales:
    """Masses and dielectric constant of the device; explicit values replace those of the material.

    Raises InputError for an unknown material, and for two ways to say the medium.
    """
    table = study.bilayer
    named = material(table.material) if table.material is not None else None
    values = {k: getattr(table, k) if getattr(table, k) is not None else getattr(named, k, None)
              for k in ("electron_mass", "hole_mass", "dielectric")}
    with _in_table("screening", ScreeningTable):
        screening = screening_of(study)
        return Scales(**values) if screening is None else in_medium(Scales(**values), screening, _isotropic(study))


def _isotropic(study: Study) -> float | None:
    """The dielectric constant that is written, unless the material's own medium is to give way to it."""
    said = study.screening.dielectric_in_plane is not None or study.screening.dielectric_out_of_plane is not None
    return study.bilayer.dielectric if said else None


def screening_of(study: Study) -> Screening | None:
    """What screens the interaction of a study; None for Coulomb's. Raises InputError for a table without a use."""
    table = study.bilayer
    said = {k: getattr(study.screening, k) for k in sorted(study.screening.model_fields_set)}
    if table.interaction != "screened":
        if said:
            raise InputError("bilayer.interaction", '"screened" with a table [screening]', table.interaction,
                             "set it, or remove the table")
        return None
    named = material(table.material) if table.material is not None else None
    found = Screening.of(named, said)
    if table.dielectric is not None and not {"dielectric_in_plane", "dielectric_out_of_plane"} & set(said):
        found = replace(found, dielectric_in_plane=None, dielectric_out_of_plane=None)
    return found


@contextmanager
def _in_table(name: str, model: type[Table], said: object = None) -> Iterator[None]:
    """Errors about a key of this table name it, with what was ``said`` there instead of what became of it."""
    try:
        yield
    except InputError as error:
        if error.argument == "dielectric":
            raise InputError("bilayer.dielectric", error.must, error.was, error.todo) from None
        if error.argument not in model.model_fields:
            raise
        was = getattr(said, error.argument, None)
        raise InputError(f"{name}.{error.argument}", error.must, was or error.was, error.todo) from None


def interaction_of(study: Study, spacing: float, scales: Scales) -> Interaction:
    """The interaction of a study at a spacing (a_h). Raises InputError, see `screening_of` and `Screened`."""
    screening = screening_of(study)
    if screening is None:
        return Coulomb(spacing)
    with _in_table("screening", ScreeningTable, screening):
        found = screened(screening, scales, spacing)
        for key in LENGTHS:
            if (getattr(found, key) or 0.0) > LONGEST_SPACING:
                raise InputError(key, f"a length up to {LONGEST_SPACING:g} a_h", getattr(screening, key),
                                 "a gate farther away is none" if key.startswith("gate") else "check its unit")
    try:
        refuse_capacitor(found, study.bilayer.capacitor)
    except InputError as error:
        raise InputError("bilayer.capacitor", error.must, error.was, error.todo) from None
    return found


def mass_ratio_of(scales: Scales) -> float:
    """m_e/m_h. Raises InputError naming the mass that is not given."""
    missing = [k for k in ("electron_mass", "hole_mass") if getattr(scales, k) is None]
    if missing:
        raise InputError(f"bilayer.{missing[0]}", "a positive effective mass in m0", "missing",
                         "give it or bilayer.material")
    assert scales.mass_ratio is not None
    return scales.mass_ratio


def electron_mass(scales: Scales, alone: bool) -> float:
    """In units of the hole mass. Electrons alone may be their own unit. Raises InputError for a missing mass."""
    if alone and scales.reference_mass is None:
        return 1.0
    if alone and scales.mass_ratio is not None:
        return scales.mass_ratio
    return mass_ratio_of(scales)


def length_of(value: float | str | None, scales: Scales, key: str = "bilayer.spacing",
              todo: str = "give the distance between the layers") -> float:
    """A distance of layers in a_h. Raises InputError for one that is missing, negative or absurd, with the way out."""
    if value is None:
        raise InputError(key, 'a length >= 0, such as "3 nm" or a number in a_h', "missing", todo)
    length = scales.to_atomic(value, "length", key)
    if not 0 <= length <= LONGEST_SPACING:
        raise InputError(key, f"a length from 0 to {LONGEST_SPACING:g} a_h", value, todo)
    return length


def ratio_of(table: DensityTable, most: float) -> float:
    """Electrons per hole. Raises InputError where it is missing, negative or above ``most``."""
    ratio = table.electrons_per_hole
    if ratio is None:
        raise InputError("density.electrons_per_hole", "given", "missing", "0: holes only, 1: balanced, 2: trions")
    if not 0 <= float(ratio) <= most:
        raise InputError("density.electrons_per_hole", f"a number >= 0, at most {most:g}", ratio,
                         "0: holes only, 1: balanced, 2: trions")
    return float(ratio)


def require_pairs(table: DensityTable, what: str, todo: str) -> None:
    """Raises InputError for anything but one electron per hole."""
    if table.electrons_per_hole not in (None, 1, 1.0):
        raise InputError("density.electrons_per_hole", f"1 (or absent) for {what}", table.electrons_per_hole, todo)


def given_critical_rs(table: DensityTable, what: str) -> Callable[[], float]:
    """A function that returns the critical r_s where no box says how to compute it. Raises InputError without one."""
    def critical() -> float:
        given = table.critical_rs
        if not isinstance(given, float | int):
            raise InputError("density.critical_rs", f"a number for {what}", given or "missing", "e.g. critical_rs = 2")
        return float(given)

    return critical


def bilayer_of(study: Study, numbers: Mapping[str, float], critical: Callable[[], float] | None = None) -> Bilayer:
    """The physics of a study.

    Parameters
    ----------
    numbers : how many ``electron`` and ``hole`` there are, of any common scale, without those that are absent.
    critical : returns the critical r_s of the holes, which is asked for only where the density refers to it; None
        where no density can.

    Raises
    ------
    InputError : a mass, spacing or density that is missing, absurd, or of carriers that are absent.
    """
    empty = bilayer_at(study, dict.fromkeys(numbers, 0.0))
    table = _filled(study, empty.scales, "hole" if "hole" in numbers else "electron")
    found = empty.with_densities(densities_of(table, numbers, empty.scales, empty.spacing, critical))
    return replace(found, potential=_potential(study, found))


def potential_said(study: Study) -> dict[str, Any]:
    """[potential] as it is written. Raises InputError for a kind that knows no potential."""
    said = {k: getattr(study.potential, k) for k in sorted(study.potential.model_fields_set)}
    if said and "potential.depth" not in study.used():
        raise InputError("potential", f'absent for kind = "{study.kind}", which is of free carriers', next(iter(said)),
                         'remove the table, or ask kind = "hartree-fock"')
    return {k: v for k, v in said.items() if v is not None}


def _filled(study: Study, scales: Scales, whose: str) -> DensityTable:
    """[density], or where none is written that of the carriers that fill a potential of this period so far."""
    said, table = potential_said(study), study.density
    if not {"period", "filling"} <= set(said) or any(getattr(table, k) is not None for k in DENSITIES):
        return table
    with _in_table("potential", PotentialTable):
        period = Potential.of({"period": said["period"], "lattice": study.potential.lattice}, scales, 0.0)
        period_of(said["filling"], 1.0)  # as a filling can be
    return table.model_copy(update={whose: said["filling"] / period.cell_area})


def _potential(study: Study, bilayer: Bilayer) -> Potential | None:
    """[potential] at the densities of a bilayer; None where there is none. Raises InputError, see `Potential.of`."""
    said = potential_said(study)
    if not said:
        return None
    if "period" in said and all(getattr(study.density, k) is None for k in DENSITIES):
        said.pop("filling", None)  # the density followed from both
    with _in_table("potential", PotentialTable):
        return Potential.of(said, bilayer.scales, bilayer.carriers[-1].density)


def temperature_of(study: Study) -> float:
    """k_B T in Ha_h. Raises InputError for one below 0, in kelvin without masses, or of a kind without temperature."""
    given = study.bilayer.temperature
    heat = 0.0 if given is None else scales_of(study).to_atomic(given, "energy", TEMPERATURE)
    if heat < 0:
        raise InputError(TEMPERATURE, 'a temperature >= 0, such as "4 K" or k_B T in Ha_h', given,
                         "leave it out for the ground state")
    if heat and TEMPERATURE not in study.used():
        raise InputError(TEMPERATURE, f"0 for kind = \"{study.kind}\", which knows the ground state alone", given,
                         'leave it out, or ask kind = "thermal"')
    return heat


def splittings_of(study: Study, names: Iterable[str] = ()) -> dict[str, float]:
    """Carrier -> g mu_B B in Ha_h, of these carriers.

    Raises InputError, see `model.splitting_of`, and for kinds without a field.
    """
    table = study.bilayer
    if table.magnetic_field is None:
        return {}
    field = scales_of(study).to_atomic(table.magnetic_field, "field", "bilayer.magnetic_field")
    if field and "bilayer.magnetic_field" not in study.used():
        raise InputError("bilayer.magnetic_field", f'0 for kind = "{study.kind}", whose flavours are alike',
                         table.magnetic_field,
                         "leave it out; the page on the study file names the kinds that take one")
    with _in_table("bilayer", BilayerTable):
        return {name: splitting_of(name, field, g_factor_of(table, name)) for name in names}


def g_factor_of(table: BilayerTable, name: str) -> float | None:
    """g of a carrier, as [bilayer] says it or its material brings it."""
    given: float | None = getattr(table, f"{name}_g_factor")
    return given if given is not None else getattr(MATERIALS.get(table.material or ""), f"{name}_g_factor", None)


def bilayer_at(study: Study, densities: Mapping[str, float], spacing: float | None = None) -> Bilayer:
    """The physics of a study at densities (a_h^-2) of the carriers that it has, at its spacing or another (a_h).

    Raises InputError.
    """
    table, scales, carriers = study.bilayer, scales_of(study), []
    if "electron" in densities:
        mass = electron_mass(scales, alone="hole" not in densities)
        carriers.append(Carrier("electron", -1, mass, ELECTRON_LAYER, densities["electron"], table.electron_flavours))
    if "hole" in densities:
        carriers.append(Carrier("hole", 1, 1.0, HOLE_LAYER, densities["hole"], table.hole_flavours))
    split = splittings_of(study, densities)
    with _in_table("bilayer", BilayerTable):
        carriers = [replace(c, splitting=split[c.name]) if split.get(c.name) else c for c in carriers]
    single = len(carriers) < 2 and table.spacing is None
    if spacing is None:
        spacing = 0.0 if single else length_of(table.spacing, scales)
    return Bilayer(tuple(carriers), interaction_of(study, spacing, scales), scales, table.material,
                   temperature_of(study))


def densities_of(table: DensityTable, numbers: Mapping[str, float], scales: Scales, spacing: float,
                 critical: Callable[[], float] | None = None) -> dict[str, float]:
    """Densities (a_h^-2) of the carriers there are, from the one that [density] says; see `bilayer_of`.

    Raises InputError for a density that is missing, not positive, absurd, or of carriers that are absent.
    """
    keys = [k for k in DENSITIES if critical is not None or k != "hole_over_critical"]
    given = [k for k in keys if getattr(table, k) is not None]
    if not given:
        raise InputError("density", f"given in one way ({', '.join(keys)})", "missing",
                         'e.g. rs_hole = 8 or hole = "1.29e12 cm^-2"')
    key, value = given[0], getattr(table, given[0])
    whose = "electron" if key in ("electron", "rs_electron") else "hole"
    if whose not in numbers:
        raise InputError(f"density.{key}", f"a density of the carriers there are (no {whose}s in this study)", value,
                         f"give {'hole or rs_hole' if whose == 'electron' else 'electron or rs_electron'} instead")
    n: float | None = None
    if key in ("hole", "electron"):
        n = scales.to_atomic(value, "density", f"density.{key}")
    elif key == "rs_electron":  # a_e = a_h m_h/m_e
        rs = value / electron_mass(scales, alone="hole" not in numbers)
    elif key == "a_over_d" and spacing == 0:
        raise InputError("density.a_over_d", "used with a spacing > 0", value, "give rs_hole or bilayer.spacing")
    elif key == "hole_over_critical":
        assert critical is not None
        n = value * density_from_rs(critical())
    else:
        rs = value * (spacing if key == "a_over_d" else 1.0)
    if n is not None:
        rs = rs_from_density(n) if n > 0 else math.inf
    if not RS_RANGE[0] <= rs <= RS_RANGE[1]:
        raise InputError(f"density.{key}", f"a density > 0 with r_s from {RS_RANGE[0]:g} to {RS_RANGE[1]:g} a_h",
                         value, "check the number and its unit")
    n = density_from_rs(rs) if n is None else n
    return {name: n * number / numbers[whose] for name, number in numbers.items()}


def device_entries(study: Study, bilayer: Bilayer) -> dict[str, Any]:
    """Masses (m0) and dielectric constant as far as they are known, and the layers in hole atomic units."""
    scales = bilayer.scales
    return {"material": bilayer.material, "electron_mass": scales.electron_mass, "hole_mass": scales.hole_mass,
            "dielectric": scales.dielectric, "spacing": bilayer.spacing, "interaction": bilayer.interaction.name,
            **({} if isinstance(bilayer.interaction, Coulomb) else {"screening": bilayer.interaction.parameters}),
            "capacitor": study.bilayer.capacitor}


def relative_numbers(density: DensityTable, most: float) -> dict[str, float]:
    """Relative numbers of the carriers there are, at most so many electrons per hole; electrons alone where only their
    density is given. Raises InputError, see `ratio_of`."""
    if density.electrons_per_hole is None and (density.electron is not None or density.rs_electron is not None):
        return {"electron": 1.0}
    ratio = ratio_of(density, most)
    return {"hole": 1.0, "electron": ratio} if ratio else {"hole": 1.0}


def plane_bilayer(study: Study) -> Bilayer:
    """The physics of a study of the infinite plane, which has densities and counts no particles. Raises InputError."""
    density = study.density
    return bilayer_of(study, relative_numbers(density, MOST_PARTICLES),
                      given_critical_rs(density, "the infinite plane"))


def plane_lines(bilayer: Bilayer) -> list[str]:
    """The plan lines that tell the device and its carriers in the plane."""
    return [*device_lines(bilayer.material, bilayer.scales), *spacing_line(bilayer),
            *(f"  {c.name + 's':10s} {c.flavours} flavours, density {c.density:.6g} a_h^-2, r_s = {c.rs:.5g}"
              for c in bilayer.carriers)]


def spacing_line(bilayer: Bilayer) -> list[str]:
    """The plan line that tells the distance between the layers, where there are two."""
    real = f" = {bilayer.scales.length_nm(bilayer.spacing):.4g} nm" if bilayer.scales.known else ""
    return [f"  spacing    {bilayer.spacing:.6g} a_h{real}"] if len(bilayer.carriers) > 1 else []
