"""What every method returns: a typed result with status, numbers that know their units, arrays and provenance.

`Result` is abstract. Each method has its own final class (`ehbilayer.KIND.result`), whose fields are declared with
`number` and `entry`; `Record` stands for results of kinds without one, and for calculations that failed. A result is
kept as one netCDF file: how it is made is in `netcdf`, how it gets to the disk in `files`. There the fields are a
table, the `summary`, whose keys are a contract.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.results import netcdf
from ehbilayer.results.carriers import Carriers
from ehbilayer.results.fields import TWINS, conform, declared, entries, entry, number, scaled
from ehbilayer.results.files import ResultFileError, atomic_write, one_line, read_bytes, set_aside
from ehbilayer.results.provenance import INPUT_KEYS, KEYS, Provenance
from ehbilayer.results.quantity import Quantity
from ehbilayer.results.registry import classes_of, enter
from ehbilayer.results.variable import Variable, check_arrays, from_json, plain, positions, to_json
from ehbilayer.status import Status

__all__ = ["Carriers", "NotConvergedError", "Provenance", "Quantity", "Record", "Result", "ResultFileError", "Status",
           "Variable", "atomic_write", "entry", "number", "plain", "set_aside", "to_json"]

DRAWING = "ehbilayer.studies.drawing"  # what plot() and a notebook ask for, by name: results import no figures


class NotConvergedError(RuntimeError):
    """A number was asked of a result that is not converged."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """The result of one calculation. Abstract: every method has a final class of its own.

    Parameters
    ----------
    status : how it ended.
    inputs : what identifies the calculation.
    data : arrays by name; an axis name has one length throughout.
    provenance : study, seed, time, versions and the units of the device, known when a run is over.
    advice : what to try next, where the method knows better than the status.   reason : why it failed, if it did.
    extra : entries of a file that the class does not declare, such as those of older versions.

    Numbers with a unit are `Quantity`. Where there is a total energy, its field has the key ``energy``.

    Raises
    ------
    InputError : a field of another type, an axis with two lengths, a name that a file cannot hold.
    """

    kind: ClassVar[str] = ""
    renamed: ClassVar[Mapping[str, str]] = {}  # names of arrays and axes in format 1, where they were others
    may_be_undefined: ClassVar[tuple[str, ...]] = ()  # how arrays begin that may hold no finite number at all
    derived_units: ClassVar[Mapping[str, tuple[str, str]]] = {}  # unit and meaning of what `derived` adds
    status: Status
    inputs: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Variable] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    advice: str = ""
    reason: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def __init_subclass__(cls) -> None:
        enter(cls)

    def __post_init__(self) -> None:
        if type(self) is Result:
            raise TypeError("Result is abstract: use the class of the method, or Record")
        for name, value in {"status": Status(self.status), "inputs": plain(self.inputs, "inputs"),
                            "extra": plain(self.extra, "summary")}.items():
            object.__setattr__(self, name, value)
        for f in declared(type(self)).values():
            value = conform(f.hint, getattr(self, f.name), f.unit, self.provenance.scales, f.name)
            object.__setattr__(self, f.name, value)
        check_arrays(self.data)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}({self.kind}, {self.status.value}, energy={self.summary.get('energy')}, "
                f"data={list(self.data)})")

    @property
    def energy(self) -> float:
        """Total energy in Ha_h. Raises NotConvergedError unless the status is converged."""
        if self.status is not Status.converged:
            raise NotConvergedError(f"energy: the result is {self.status.value}, not converged; {self.status.advice}, "
                                    "or read it anyway with energy_unconverged()")
        return self.energy_unconverged()

    def energy_unconverged(self) -> float:
        """Total energy in Ha_h whatever the status; NaN when there is none."""
        known = declared(type(self)).get("energy")
        value = None if known is None else getattr(self, known.name)
        return Quantity(math.nan if value is None else value, "Ha_h", self.provenance.scales)

    def derived(self) -> dict[str, Any]:
        """Entries of the summary that follow from the fields and are no fields; none for most methods."""
        return {}

    @classmethod
    def upgraded(cls, data: dict[str, Variable]) -> dict[str, Variable]:
        """The arrays of a file of format 1 as they are now."""
        new = cls.renamed
        return {new.get(name, name): replace(v, dims=tuple(new.get(d, d) for d in v.dims)) for name, v in data.items()}

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What a file says in words and numbers: the fields by their keys, energies also in meV and K, provenance."""
        told = {key: entries(getattr(self, f.name)) for key, f in declared(type(self)).items()}
        head = {"kind": self.kind, "status": self.status.value, "advice": self.advice or self.status.advice}
        why = {"reason": self.reason} if self.reason else {}
        return {**head, **why, **told, **plain(self.derived()), **self._twins(told), **self.extra,
                **plain(self.provenance.entries)}

    def _twins(self, told: dict[str, Any]) -> dict[str, Any]:
        """``energy_meV``, ``gap_kelvin``, ... of every field that is an energy, where the device is known."""
        scales = self.provenance.scales
        if not scales.known:
            return {}
        size = {"meV": scales.hartree_meV, "K": scales.hartree_kelvin}
        return {f"{key}{ending}": scaled(told[key], size[unit]) for ending, unit in TWINS.items()
                for key, f in declared(type(self)).items() if f.unit == "Ha_h"}

    def with_entries(self, more: Mapping[str, Any]) -> Self:
        """The same result with these entries of the summary: fields that it declares, others in ``extra``."""
        known = declared(type(self))
        ours = {known[key].name: value for key, value in more.items() if key in known}
        ours |= {key: more[key] for key in ("advice", "reason") if key in more}
        others = {key: value for key, value in more.items() if key not in known and key not in ours}
        return replace(self, **ours, extra={**self.extra, **others})

    @property
    def dataset(self) -> Any:
        """An xarray.Dataset of all arrays: units in the attributes, summary and inputs as JSON text.

        Coordinates are the arrays that are called like their axis, and ``x`` and ``y`` of grids over a cell.
        """
        import xarray

        return xarray.Dataset(_with_units(self.data), _with_units(positions(self.data)), self._attributes())

    def plot(self, **options: Any) -> Any:
        """Draw the result; the options are those of `ehbilayer.studies.drawing.plot`."""
        return import_module(DRAWING).plot(self, **options)

    def _repr_html_(self) -> str:
        """How a notebook shows it: the table and the page."""
        html: str = import_module(DRAWING).as_html(self)
        return html

    def _attributes(self) -> dict[str, str]:
        return {"kind": self.kind, "status": self.status.value, "summary": to_json(self.summary),
                "inputs": to_json({**self.inputs, **self.provenance.inputs})}

    def undefined(self) -> str:
        """The name of an array without one finite number, which no converged result has; empty if there is none."""
        arrays = {name: v.values for name, v in self.data.items() if not name.startswith(self.may_be_undefined)}
        return next((name for name, values in arrays.items() if values.dtype.kind in "fc" and values.size
                     and not np.isfinite(values).any()), "")

    def to_bytes(self) -> bytes:
        """The content of a netCDF file. The same result gives the same bytes.

        Raises InputError for a result that says converged and has an array of NaN.
        """
        if self.status is Status.converged and (name := self.undefined()):
            raise InputError(f"data.{name}", "finite numbers in a converged result", "not a number",
                             "give it the status not_finite")
        return netcdf.pack(self._attributes(), _with_units(self.data))

    def save(self, path: str | Path) -> None:
        """Write a netCDF file, see `to_bytes`; an older file stays whole until it is replaced.

        Raises ResultFileError when the disk is full or the place cannot be written to.
        """
        atomic_write(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | Path, *, arrays: bool = True) -> Self:
        """Read a file written by `save`, as the class of its method; without ``arrays`` all but the arrays.

        Raises ResultFileError for a file that is missing, truncated, changed, foreign or of a newer format, and for
        the result of another method where a method's own class is asked.
        """
        return cls.from_bytes(read_bytes(path), path, arrays=arrays)

    @classmethod
    def from_bytes(cls, raw: bytes, path: str | Path = "result", *, arrays: bool = True) -> Self:
        """The result in the content of a file; ``path`` names it in errors, which are those of `load`."""
        version, attributes, found = netcdf.unpack(path, raw, arrays=arrays)
        try:
            data = {name: Variable(dims, values, attrs["units"], attrs["description"])
                    for name, (dims, values, attrs) in found.items()}
            result = _read(attributes["kind"], Status(attributes["status"]), from_json(attributes["summary"]),
                           from_json(attributes["inputs"]), data, version)
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise ResultFileError(path, f"is no result of ehbilayer ({one_line(error)})",
                                  "restore it or compute it again", damaged=True) from error
        if result.status is Status.converged and (name := result.undefined()):
            raise ResultFileError(path, f"says converged, but {name} holds no numbers", "compute it again",
                                  damaged=True)
        if not isinstance(result, cls):
            raise ResultFileError(path, f"holds a {type(result).__name__}, not a {cls.__name__}",
                                  "read it with ehbilayer.load")
        return result


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Record(Result):
    """A result of a kind without a class of its own, or of a calculation that failed: a status, and what was said.

    Parameters
    ----------
    kind : the kind of study.   status : how it ended.
    summary : numbers, text, lists and tables of them; energies in Ha_h. Infinite and undefined numbers become None.
    inputs : everything it was computed from.   data : arrays by name.
    """

    kind: str = field()  # type: ignore[misc]
    summary: dict[str, Any] = field()
    provenance: Provenance = field(init=False)
    advice: str = field(init=False)
    reason: str = field(init=False)
    extra: dict[str, Any] = field(init=False)

    def __init__(self, kind: str, status: Status, summary: Mapping[str, Any], inputs: Mapping[str, Any],
                 data: Mapping[str, Variable] | None = None) -> None:
        said, given = plain(summary, "summary"), plain(inputs, "inputs")
        for name, value in {"kind": kind, "status": Status(status), "summary": said, "inputs": given,
                            "data": data or {}, "provenance": Provenance.read(said, given), "extra": {},
                            "advice": said.get("advice") or "", "reason": said.get("reason") or ""}.items():
            object.__setattr__(self, name, value)
        check_arrays(self.data)

    def energy_unconverged(self) -> float:
        """Total energy in Ha_h whatever the status; NaN when there is none."""
        energy = self.summary.get("energy")
        return Quantity(math.nan if energy is None else energy, "Ha_h", self.provenance.scales)

    def with_entries(self, more: Mapping[str, Any]) -> Self:
        """The same record with these entries of the summary."""
        return replace(self, summary={**self.summary, **more})

    def _attributes(self) -> dict[str, str]:
        return {"kind": self.kind, "status": self.status.value, "summary": to_json(self.summary),
                "inputs": to_json(self.inputs)}


def _with_units(data: Mapping[str, Variable]) -> dict[str, Any]:
    """Arrays as xarray and `netcdf` take them: axes, values, attributes."""
    return {name: (v.dims, v.values, {"units": v.units, "description": v.description}) for name, v in data.items()}


def _read(kind: str, status: Status, summary: dict[str, Any], inputs: dict[str, Any], data: dict[str, Variable],
          version: int) -> Result:
    """The result of a file: of the class of its kind whose required fields it has, else a record."""
    for cls in classes_of(kind):
        known = declared(cls)
        if all(key in summary for key, f in known.items() if f.required):
            return _typed(cls, status, summary, inputs, cls.upgraded(data) if version == 1 else data)
    return Record(kind, status, summary, inputs, data)


def result_of(kind: str, summary: dict[str, Any]) -> Result:
    """The result that a summary with its status is of, without arrays and inputs: of the class of its kind."""
    return _read(kind, Status(summary["status"]), summary, {}, {}, netcdf.FORMAT_VERSION)


def _typed(cls: type[Result], status: Status, summary: dict[str, Any], inputs: dict[str, Any],
           data: dict[str, Variable]) -> Result:
    known = declared(cls)
    given = {f.name: summary[key] for key, f in known.items() if key in summary}
    twins = {f"{key}{ending}" for ending in TWINS for key, f in known.items() if f.unit == "Ha_h"}
    advice = summary.get("advice")
    made = cls(status=status, data=data, provenance=Provenance.read(summary, inputs), reason=summary.get("reason") or
               "", advice="" if advice == status.advice else advice or "",
               inputs={k: v for k, v in inputs.items() if k not in INPUT_KEYS}, **given)
    ours = {"kind", "status", "advice", "reason", *known, *twins, *KEYS, *made.derived()}
    return replace(made, extra={k: v for k, v in summary.items() if k not in ours})
