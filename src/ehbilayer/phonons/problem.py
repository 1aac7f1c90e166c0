"""From what a user has, a bilayer, a crystal or a result, to the crystal that vibrates and its masses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ehbilayer.crystal.problem import Structure, composition_of, name_of, start_crystal
from ehbilayer.crystal.record import crystal_of
from ehbilayer.crystal.structures import Crystal
from ehbilayer.errors import InputError, require
from ehbilayer.model import Bilayer, require_electrons_and_holes
from ehbilayer.results.base import Result
from ehbilayer.units import Scales


@dataclass(frozen=True, eq=False)
class Problem:
    """A crystal to be brought to rest, its name, the masses m/m_h by species, the units of the device.

    ``quantum`` is whether lengths are in a_h, so that hbar has a meaning.
    """

    start: Crystal
    name: str
    masses: dict[str, float]
    scales: Scales
    quantum: bool = True


def problem_of(crystal: Bilayer | Crystal | Result, structure: Structure | None = None,
               masses: Mapping[str, float] | None = None, layers: int = 1) -> Problem:
    """What the arguments of `phonons.phonons` say.

    Raises
    ------
    InputError : a structure or masses that are missing, or given twice, and what `composition_of` refuses.
    """
    require("crystal", crystal, (Bilayer, Crystal, Result))
    if isinstance(crystal, Bilayer):
        return _of_bilayer(crystal, structure, masses, layers)
    if structure is not None:
        raise InputError("structure", "absent where a crystal is given", name_of(structure), "give a bilayer instead")
    if isinstance(crystal, Crystal):
        return Problem(crystal, name_of(crystal), _known(crystal, masses, Scales()), Scales())
    found, scales = crystal_of(crystal), crystal.provenance.scales
    quantum = not getattr(crystal, "unit_spacing", False)
    return Problem(found, name_of(crystal), _known(found, masses, scales), scales, quantum)


def _of_bilayer(bilayer: Bilayer, structure: Structure | None, masses: Mapping[str, float] | None,
                layers: int) -> Problem:
    require_electrons_and_holes(bilayer, "phonons", screened=True)
    if masses is not None:
        raise InputError("masses", "absent where a bilayer is given, which says them", dict(masses), "leave them out")
    if structure is None or (isinstance(structure, str) and structure == "random"):
        raise InputError("structure", "the name of one, a crystal, or a result", structure or "missing",
                         "phonons need a crystal at rest: name one, or give what crystal() has found")
    start = start_crystal(composition_of(bilayer, layers), structure)
    return Problem(start, name_of(structure), {c.name: c.mass for c in bilayer.carriers}, bilayer.scales)


def _known(crystal: Crystal, masses: Mapping[str, float] | None, scales: Scales) -> dict[str, float]:
    """The masses that are given, else those of the device; holes, or electrons alone, are the unit."""
    if masses is not None:
        return dict(masses)
    if crystal.electrons and crystal.holes and scales.mass_ratio is None:
        raise InputError("masses", "given for a crystal of electrons and holes", "missing",
                         'e.g. {"electron": 0.5, "hole": 1.0}')
    if crystal.holes == 0:
        return {"electron": scales.mass_ratio or 1.0}
    return {"hole": 1.0} if not crystal.electrons else {"electron": float(scales.mass_ratio or 1.0), "hole": 1.0}
