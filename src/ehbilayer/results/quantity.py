"""A number that knows its unit: a float in hole atomic units, and what it is in meV, nm, cm^-2, K, ..."""

from __future__ import annotations

import math
import re
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.units import ALIASES, UNITS, Scales, nearest, unit_name

LENGTHS = {name: size for name, (of, _, size) in UNITS.items() if of == "length"}  # in nm, a_h or a_e
ENERGIES = [name for name, (of, _, _) in UNITS.items() if of in ("energy", "voltage") and "^" not in name]
TIMES = {"s": 1.0}
_FACTOR = re.compile(r"([A-Za-z_]+|1)(?:\^(-?[0-9]+))?")
SHOWN = 10  # digits

Powers = tuple[int, int, int]  # of length, energy, time


class Quantity(float):
    """A float with a unit. Arithmetic gives plain floats; JSON holds the number alone.

    Parameters
    ----------
    value : in ``unit``.
    unit : a product of powers such as ``"Ha_h"``, ``"a_h^-2"``, ``"Ha_h/a_h^2"``; ``"1"`` for pure numbers.
    scales : of the device, for real units; unknown by default.
    """

    __slots__ = ("scales", "unit")
    unit: str
    scales: Scales

    def __new__(cls, value: float, unit: str, scales: Scales | None = None) -> Quantity:
        made = float.__new__(cls, value)
        object.__setattr__(made, "unit", unit)
        object.__setattr__(made, "scales", scales or Scales())
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a quantity does not change")

    def to(self, unit: str) -> float:
        """The number in another unit of the same dimension, e.g. ``"meV"``, ``"K"``, ``"nm"``, ``"cm^-2"``.

        Raises InputError for a unit of another dimension, and where masses or the dielectric constant are not known.
        """
        return float(self) * conversion(self.unit, unit, self.scales)

    def __repr__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        text = f"{float(self):.{SHOWN}g}{unit}"
        return text + f" ({self.to('meV'):.5g} meV)" if self.unit == "Ha_h" and self.scales.known else text

    def __str__(self) -> str:
        return float.__repr__(self)

    def __reduce__(self) -> tuple[type[Quantity], tuple[float, str, Scales]]:
        return type(self), (float(self), self.unit, self.scales)


def conversion(unit: str, other: str, scales: Scales) -> float:
    """What a number in ``unit`` is multiplied by to be one in ``other``.

    Raises InputError for a unit that is not known or of another dimension, and for scales that are not known.
    """
    if unit_name(unit) == unit_name(other):
        return 1.0
    here, (there, powers) = _factors(unit)[1], _factors(other)
    if here != powers:
        raise InputError("unit", f"one that {unit} can be given in", other, "choose a unit of the same dimension")
    return _size(_factors(unit)[0], scales) / _size(there, scales)


def _factors(unit: str) -> tuple[dict[str, int], Powers]:
    """Powers of the units in a product such as "Ha_h a_h^2" or "1/a_h", and those of length, energy and time."""
    found: dict[str, int] = {}
    for i, part in enumerate(unit_name(unit).split("/")):
        for word in part.split():
            match = _FACTOR.fullmatch(word)
            name = ALIASES.get(match[1], match[1]) if match else word
            if match is None or name not in (*LENGTHS, *ENERGIES, *TIMES, "1"):
                raise InputError("unit", "a product of units", unit,
                                 nearest(word, (*LENGTHS, *ENERGIES), f"units: {', '.join((*LENGTHS, *ENERGIES))}"))
            if name != "1":
                found[name] = found.get(name, 0) + (1 if i == 0 else -1) * int(match[2] or 1)
    length, energy, time = (sum(n for name, n in found.items() if name in units)
                            for units in (LENGTHS, ENERGIES, TIMES))
    return found, (length, energy, time)


def _size(factors: dict[str, int], scales: Scales) -> float:
    """The product in hole atomic units."""
    return math.prod(_atomic(name, scales) ** power for name, power in factors.items())


def _atomic(name: str, scales: Scales) -> float:
    """A unit in hole atomic units."""
    if name in ("a_h", "Ha_h", *TIMES):
        return 1.0
    if name == "a_e":  # a_e = a_h m_h/m_e
        return 1 / scales.to_atomic("1 Ha_e", "energy", "unit")
    if name in LENGTHS:
        return LENGTHS[name] * scales.to_atomic("1 nm", "length", "unit")
    return scales.to_atomic(f"1 {name}", UNITS[name][0], "unit")
