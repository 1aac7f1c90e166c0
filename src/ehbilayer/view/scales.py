"""Units of a report: each one that its numbers have, in atomic and in real units, and with energies in K."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ehbilayer.errors import InputError
from ehbilayer.figures.real_units import real_unit
from ehbilayer.figures.style import in_print
from ehbilayer.results.quantity import conversion
from ehbilayer.units import Scales
from ehbilayer.view.data import Unit, Units

ONE = "1"


def units_of(names: Iterable[str], scales: Scales) -> dict[str, Units]:
    """The three choices for every unit of a result, by its name there."""
    return {name: Units(*(_in(name, other, scales) for other in (_atomic(name), real_unit(name), _kelvin(name))))
            for name in dict.fromkeys(names)}


def _atomic(unit: str) -> str:
    """meV, eV -> Ha_h, nm -> a_h, cm^-2 -> a_h^-2 in a product of units, which axes of a sweep may have."""
    unit = re.sub(r"\b(?:cm|nm|um|m|angstrom)\^-2", "a_h^-2", unit)
    return re.sub(r"\b(?:meV|eV|ueV)\b", "Ha_h", re.sub(r"\b(?:nm|angstrom|um)\b", "a_h", unit))


def _kelvin(unit: str) -> str:
    return re.sub(r"\bmeV\b", "K", real_unit(unit))


def _in(unit: str, other: str, scales: Scales) -> Unit:
    """The number in the other unit; as it is where the device does not tell."""
    if unit != other and scales.known:
        try:
            return Unit(in_print(other), conversion(unit, other, scales))
        except InputError:
            pass
    return Unit("" if unit == ONE else in_print(unit), 1.0)
