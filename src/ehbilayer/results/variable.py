"""An array with named axes, a unit and a description; and what of a result strict JSON can hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError

STORED = {"b": 1, "i": 8, "u": 8, "f": 8, "c": 16}  # kinds of numbers, and the most bytes one may have

RESERVED = ("complex", "checksum", "result.json")  # names that a file keeps for itself


@dataclass(frozen=True, eq=False)
class Variable:
    """An array with named axes and a unit.

    Parameters
    ----------
    dims : one name per axis. An array that is called like its only axis holds the coordinates along it.
    values : real, complex, integer, boolean or text array.
    units : e.g. ``"Ha_h"``, ``"a_h^-2"``; ``"1"`` for pure numbers and text.
    description : what it is, in a few words.

    Raises
    ------
    InputError : as many names as axes are not given, no unit, or values a file cannot hold.
    """

    dims: tuple[str, ...]
    values: np.ndarray
    units: str
    description: str = ""

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "dims", tuple(self.dims))
        if len(self.dims) != values.ndim or len(set(self.dims)) != values.ndim:
            raise InputError("dims", f"{values.ndim} different names, one per axis", self.dims, "name every axis once")
        if not (isinstance(self.units, str) and self.units):
            raise InputError("units", 'a unit, "1" for pure numbers', self.units, "every array has units")
        if values.dtype.kind != "U" and values.dtype.itemsize > STORED.get(values.dtype.kind, 0):
            raise InputError("values", "numbers of at most 64 bits per part, or text", str(values.dtype),
                             "convert them")


def check_arrays(data: Mapping[str, Variable]) -> None:
    """Raises InputError for an axis with two lengths, and for a name that a file cannot hold."""
    lengths: dict[str, int] = {}
    for name, variable in data.items():
        for key in (name, *variable.dims):
            if not (key and key.isprintable() and "/" not in key and key == key.strip() and key not in RESERVED):
                raise InputError(f"data.{name}", "named in printable characters without /", key, "rename it")
        if name in variable.dims and variable.dims != (name,):
            raise InputError(f"data.{name}", "named unlike its axes", variable.dims, "rename the array or the axis")
        for dim, length in zip(variable.dims, variable.values.shape, strict=True):
            if lengths.setdefault(dim, length) != length:
                raise InputError(f"data.{name}", f"of length {lengths[dim]} along {dim}, like the other arrays",
                                 length, "give this axis a name of its own")


def positions(data: Mapping[str, Variable]) -> dict[str, Variable]:
    """``x`` and ``y`` (a_h) of the points of every grid over a cell: i/n_1 a_1 + j/n_2 a_2 of ``cell`` (a_1, a_2)."""
    lengths = {dim: n for v in data.values() for dim, n in zip(v.dims, v.values.shape, strict=True)}
    found: dict[str, Variable] = {}
    for name, cell in data.items():
        end = name.removeprefix("cell")
        dims = (f"cell_1{end}", f"cell_2{end}")
        if cell.dims == ("vector", "axis") and cell.values.shape == (2, 2) and set(dims) <= set(lengths):
            i, j = np.meshgrid(*(np.arange(lengths[d]) / lengths[d] for d in dims), indexing="ij")
            for axis, letter in enumerate("xy"):
                at = i * cell.values[0, axis] + j * cell.values[1, axis]
                found[f"{letter}{end}"] = Variable(dims, at, cell.units, f"{letter} of the point")
    return found


def plain(value: Any, name: str = "value") -> Any:
    """The same value made of what strict JSON holds: NumPy scalars and arrays unwrapped, NaN and infinities None.

    Raises InputError naming the entry that is no number, text, list or table.
    """
    if isinstance(value, Mapping):
        return {str(k): plain(v, f"{name}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v, f"{name}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, Enum):
        return plain(value.value, name)
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist(), name)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode(errors="replace").decode()  # half a surrogate pair, as in a damaged path, has no UTF-8
    if value is None or isinstance(value, bool | int):
        return value
    raise InputError(name, "a number, text, list or table", value, "leave it out or convert it")


def from_json(text: str) -> Any:
    """The value of JSON text; an integer beyond all floating point numbers is infinite. Raises as `json.loads`."""
    return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 300 else float(digits))


def to_json(value: Any) -> str:
    """Strict JSON text of a value that `plain` accepts."""
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False)
