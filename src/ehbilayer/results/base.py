"""What every method returns: a status, a summary, the inputs and arrays with units; saved as one netCDF file.

How the file is made is in `netcdf`, how it gets to the disk in `files`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.status import Status
from ehbilayer.results.files import ResultFileError, atomic_write, read_bytes, set_aside
from ehbilayer.results.netcdf import FORMAT_VERSION, pack, unpack

__all__ = ["FORMAT_VERSION", "NotConvergedError", "Result", "ResultFileError", "Status", "Variable", "atomic_write",
           "plain", "set_aside", "to_json"]

STORED = {"b": 1, "i": 8, "u": 8, "f": 8, "c": 16}  # kinds of numbers, and the most bytes one may have


class NotConvergedError(RuntimeError):
    """A number was asked of a result that is not converged."""


@dataclass(frozen=True, eq=False)
class Variable:
    """An array with named axes and a unit.

    Parameters
    ----------
    dims : one name per axis.
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


@dataclass(frozen=True, eq=False)
class Result:
    """The result of one calculation.

    Parameters
    ----------
    kind : the kind of study, e.g. ``"hartree-fock"``.
    status : how it ended.
    summary : numbers, text, lists and tables of them; energies in Ha_h. Infinite and undefined numbers become None.
    inputs : everything it was computed from, defaults included.
    data : arrays by name; an axis name has one length throughout.

    Raises
    ------
    InputError : an axis with two lengths, a name that a file cannot hold, a summary entry that is no such value.
    """

    kind: str
    status: Status
    summary: dict[str, Any]
    inputs: dict[str, Any]
    data: dict[str, Variable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", Status(self.status))
        object.__setattr__(self, "summary", plain(self.summary, "summary"))
        object.__setattr__(self, "inputs", plain(self.inputs, "inputs"))
        lengths: dict[str, int] = {}
        for name, variable in self.data.items():
            for key in (name, *variable.dims):
                if not (key and key.isprintable() and "/" not in key and key == key.strip() and key != "complex"):
                    raise InputError(f"data.{name}", "named in printable characters without /", key, "rename it")
            if name in variable.dims and variable.dims != (name,):
                raise InputError(f"data.{name}", "named unlike its axes", variable.dims, "rename the array or the axis")
            for dim, length in zip(variable.dims, variable.values.shape, strict=True):
                if lengths.setdefault(dim, length) != length:
                    raise InputError(f"data.{name}", f"of length {lengths[dim]} along {dim}, like the other arrays",
                                     length, "give this axis a name of its own")

    def __repr__(self) -> str:
        return f"Result({self.kind}, {self.status.value}, energy={self.summary.get('energy')}, data={list(self.data)})"

    @property
    def energy(self) -> float:
        """Total energy in Ha_h. Raises NotConvergedError unless the status is converged."""
        if self.status is not Status.converged:
            raise NotConvergedError(f"energy: the result is {self.status.value}, not converged; {self.status.advice}, "
                                    "or read it anyway with energy_unconverged()")
        return self.energy_unconverged()

    def energy_unconverged(self) -> float:
        """Total energy in Ha_h whatever the status; NaN when there is none."""
        energy = self.summary.get("energy")
        return math.nan if energy is None else float(energy)

    @property
    def dataset(self) -> Any:
        """An xarray.Dataset view of all arrays: units in the attributes, summary and inputs as JSON text."""
        import xarray

        arrays = {name: (v.dims, v.values, {"units": v.units, "description": v.description})
                  for name, v in self.data.items()}
        return xarray.Dataset(arrays, attrs={"kind": self.kind, "status": self.status.value,
                                             "summary": to_json(self.summary), "inputs": to_json(self.inputs)})

    def plot(self, **options: Any) -> Any:
        """Draw the result; the options are those of `ehbilayer.figures.plot`."""
        from ehbilayer.studies.drawing import plot

        return plot(self, **options)

    def to_bytes(self) -> bytes:
        """The content of a netCDF file. The same result gives the same bytes."""
        attributes = {"kind": self.kind, "status": self.status.value,
                      "summary": to_json(self.summary), "inputs": to_json(self.inputs)}
        arrays = {name: (v.dims, v.values, {"units": v.units, "description": v.description})
                  for name, v in self.data.items()}
        return pack(attributes, arrays)

    def save(self, path: str | Path) -> None:
        """Write a netCDF file, see `to_bytes`; an older file stays whole until it is replaced.

        Raises ResultFileError when the disk is full or the place cannot be written to.
        """
        atomic_write(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | Path, *, arrays: bool = True) -> Result:
        """Read a file written by `save`; without ``arrays`` status, summary and inputs only.

        Raises ResultFileError for a file that is missing, truncated, changed, foreign or of a newer format.
        """
        return cls.from_bytes(read_bytes(path), path, arrays=arrays)

    @classmethod
    def from_bytes(cls, raw: bytes, path: str | Path = "result", *, arrays: bool = True) -> Result:
        """The result in the content of a file; ``path`` names it in errors, which are those of `load`."""
        attributes, found = unpack(path, raw, arrays=arrays)
        try:
            data = {name: Variable(dims, values, attrs["units"], attrs["description"])
                    for name, (dims, values, attrs) in found.items()}
            return cls(attributes["kind"], Status(attributes["status"]), json.loads(attributes["summary"]),
                       json.loads(attributes["inputs"]), data)
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ResultFileError(path, f"is no result of ehbilayer ({type(error).__name__}: {error})",
                                  "restore it or compute it again", damaged=True) from error


def plain(value: Any, name: str = "value") -> Any:
    """The same value made of what strict JSON holds: NumPy scalars and arrays unwrapped, NaN and infinities None.

    Raises InputError naming the entry that is no number, text, list or table.
    """
    if isinstance(value, dict):
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
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode(errors="replace").decode()  # half a surrogate pair, as in a damaged path, has no UTF-8
    if value is None or isinstance(value, bool | int):
        return value
    raise InputError(name, "a number, text, list or table", value, "leave it out or convert it")


def to_json(value: Any) -> str:
    """Strict JSON text of a value that `plain` accepts."""
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False)
