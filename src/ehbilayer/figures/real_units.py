"""Figures in nm, meV and cm^-2: a result's numbers in these units, for drawing only.

Lengths are given in nm and energies in meV where the device is a named one, or where the study says a length, a density
or an energy in such units; else in hole atomic units. `plot(units=...)` and ``ehb plot --units`` decide otherwise.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ehbilayer.errors import InputError
from ehbilayer.figures.style import in_print
from ehbilayer.materials import MATERIALS
from ehbilayer.results.base import Carriers, Quantity, Record, Result, Variable
from ehbilayer.results.quantity import conversion
from ehbilayer.units import UNITS, Scales

CHOICES = ("auto", "real", "atomic")
SHOWN = "figure_units"  # entry of `Result.extra` that says that the numbers are no atomic units any more
MAKE_UNITS_DIFFER = ("bilayer.material", "bilayer.hole_mass", "bilayer.dielectric")  # a_h is another at every point
AS_PUBLISHED = ("device", "pairing")  # whose figures have units of their own: K and cm^-2, r_s and a_e
PROBABILITIES = ("few-body",)  # whose densities are those of one pair, seen over nanometres
_REAL_TEXT = re.compile(r"\s*[-+0-9.eE]+\s*(\S+)\s*")
Shown = TypeVar("Shown", bound=Result)


def shown_in(result: Shown, units: str = "auto") -> Shown:
    """The result with all numbers in the units that its figure is to have; itself where these are atomic ones.

    Parameters
    ----------
    units : ``real`` (nm, meV, cm^-2), ``atomic`` (a_h, Ha_h), or ``auto``: real ones where the device is known.

    Raises InputError for another word, and for real units of a device whose masses are not known.
    """
    if units not in CHOICES:
        raise InputError("units", " | ".join(CHOICES), units, "choose one of these")
    scales = result.provenance.scales
    if result.kind in AS_PUBLISHED or isinstance(result, Record):  # a record has no fields with units
        return result
    if units == "atomic" or SHOWN in result.extra or (units == "auto" and not device_known(result)):
        return result
    if not scales.known:
        raise InputError("units", "atomic as long as masses or dielectric constant are not known", units,
                         "name a bilayer.material in the study")
    fields = {f.name: _convert(getattr(result, f.name), scales) for f in dataclasses.fields(result)
              if f.name not in ("inputs", "data", "provenance", "extra")}
    inputs = dict(result.inputs)
    if isinstance(inputs.get("spacing"), float):
        inputs["spacing"] = scales.length_nm(inputs["spacing"])
    per_area = "nm^-2" if result.kind in PROBABILITIES else "cm^-2"
    data = {name: _array(v, scales, per_area) for name, v in result.data.items()}
    return replace(result, **fields, inputs=inputs, data=data, extra={**result.extra, SHOWN: scales.bohr_radius_nm})


def device_known(result: Result) -> bool:
    """Whether this is a named device, or its study speaks in real units, so that a reader thinks in them."""
    scales = result.provenance.scales
    if not scales.known or any(key in getattr(result, "axes", {}) for key in MAKE_UNITS_DIFFER):
        return False
    named = any((m.electron_mass, m.hole_mass, m.dielectric) ==
                (scales.electron_mass, scales.hole_mass, scales.dielectric) for m in MATERIALS.values())
    return named or any(_is_real(value) for value in _words(result.provenance.study))


def _words(study: Any) -> list[str]:
    if isinstance(study, Mapping):
        return [word for value in study.values() for word in _words(value)]
    if isinstance(study, list | tuple):
        return [word for value in study for word in _words(value)]
    return [study] if isinstance(study, str) else []


def _is_real(text: str) -> bool:
    found = _REAL_TEXT.fullmatch(text)
    return found is not None and UNITS.get(found[1], ("", "", 0.0))[1] == "SI"


def unit(result: Result, atomic: str) -> str:
    """How a figure of the result writes what is this unit in atomic ones: ``Ha_h`` as Haₕ or as meV."""
    return in_print(real_unit(atomic) if SHOWN in result.extra else atomic)


def axis_label(result: Result, words: str, atomic: str) -> str:
    """The label of an axis: words and unit."""
    return f"{words} ({unit(result, atomic)})"


def bohr_radius(result: Result) -> float:
    """a_h in the unit of length of the figure."""
    return float(result.extra.get(SHOWN, 1.0))


def real_unit(atomic: str) -> str:
    """``a_h`` -> nm, ``Ha_h`` -> meV in a product of units; densities in cm^-2."""
    if atomic in ("a_h^-2", "a_e^-2"):
        return "cm^-2"
    return re.sub(r"\bHa_[he]\b", "meV", re.sub(r"\ba_[he]\b", "nm", atomic))


def _convert(value: Any, scales: Scales) -> Any:
    """Numbers with a unit in all fields, rows and tuples of a result."""
    if isinstance(value, Quantity):
        return float(value) * _factor(value.unit, scales)
    if isinstance(value, Carriers):
        return Carriers({key: _convert(one, scales) for key, one in value.items()})
    if isinstance(value, Mapping):
        return {key: _convert(one, scales) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_convert(one, scales) for one in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _convert(getattr(value, f.name), scales) for f in dataclasses.fields(value)})
    return value


def _array(variable: Variable, scales: Scales, per_area: str) -> Variable:
    real = per_area if variable.units == "a_h^-2" else real_unit(variable.units)
    if real == variable.units or variable.values.dtype.kind not in "fc":
        return variable
    return replace(variable, values=variable.values * conversion(variable.units, real, scales), units=real)


def _factor(atomic: str, scales: Scales) -> float:
    real = real_unit(atomic)
    return 1.0 if real == atomic else conversion(atomic, real, scales)
