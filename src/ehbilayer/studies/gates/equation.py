"""An equation of state from the result of a sweep: densities from its axes, energies without the capacitor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.gates.table import Rows, read_rows
from ehbilayer.model import ELECTRON_LAYER, HOLE_LAYER, Bilayer
from ehbilayer.results.base import Result, Variable
from ehbilayer.results.files import ResultFileError
from ehbilayer.status import Status
from ehbilayer.studies.bilayer import densities_of
from ehbilayer.studies.keys import DensityTable

# energies of results, and over which densities they are given; the best first
ENERGIES = ("free_energy_per_pair", "finite_size.energy_per_hole", "energy_per_area", "energy_per_hole",
            "energy_per_pair", "energy_per_particle")
SAME = 1e-6  # relative difference of numbers of one device


def rows_of(path: Path, bilayer: Bilayer) -> Rows:
    """The equation of state in a CSV file or in the result of a sweep over densities. Raises InputError for one of
    another bilayer."""
    if path.suffix.lower() == ".csv":
        return read_rows(path, bilayer.scales)
    try:
        result = Result.load(path)
    except ResultFileError as error:
        raise InputError("table", "a CSV file or the result of a sweep", str(error)[:200], "check the path") from None
    first, axes = result.provenance.resolved.get("first_point"), list(getattr(result, "axes", {}))
    if not isinstance(first, Mapping) or not all(key.startswith("density.") for key in axes):
        raise InputError("table", "the result of a sweep over densities alone", ", ".join(axes) or result.kind,
                         "sweep keys of [density], or write a CSV file")
    _require_same(first, result.data, bilayer)
    found = list(_points(result, axes, first, bilayer))
    if not found:
        raise InputError("table", "a sweep with points that converged", "none", "look at its failures")
    ne, nh, f, names = zip(*found, strict=True)
    phase = np.array(names if len(set(names)) > 1 else [""] * len(names), dtype=str)
    return Rows(np.array(ne), np.array(nh), np.array(f), phase)


def _points(result: Result, axes: list[str], first: Mapping[str, Any],
            bilayer: Bilayer) -> Iterator[tuple[float, float, float, str]]:
    """(n_e, n_h, f, phase) of every point that converged."""
    data, ends = result.data, result.data["status"]
    name = next((name for name in ENERGIES if name in data and data[name].dims == ends.dims), None)
    if name is None:
        raise InputError("table", f"a sweep with one of {', '.join(ENERGIES)}", "none", "write a CSV file")
    counted, capacitor = _numbers(first), bool(first.get("bilayer", {}).get("capacitor"))
    phases = data.get("phase")
    for index in np.ndindex(ends.values.shape):
        if str(ends.values[index]) != Status.converged.value:
            continue
        said = {key.removeprefix("density."): _value(data[key], index[i] if data[key].dims == (key,) else index[0])
                for i, key in enumerate(axes)}
        ratio = float(said.pop("electrons_per_hole", counted.get("electron", 0.0)))
        numbers = {"hole": 1.0, **({"electron": ratio} if ratio else {})} if "hole" in counted else {"electron": 1.0}
        n = densities_of(DensityTable(**said), numbers, bilayer.scales, bilayer.spacing)
        ne, nh = n.get("electron", 0.0), n.get("hole", 0.0)
        per = {"area": 1.0, "particle": ne + nh}.get(name.rpartition("_")[2], nh or ne)
        f = float(data[name].values[index]) * per
        if capacitor or bilayer.interaction.finite:  # the gates bring it
            f -= bilayer.interaction.charging([(ELECTRON_LAYER, -ne), (HOLE_LAYER, nh)], 1.0)
        yield ne, nh, f, str(phases.values[index]) if phases is not None and phases.dims == ends.dims else ""


def _numbers(first: Mapping[str, Any]) -> dict[str, float]:
    """Electrons and holes over the holes; a condensate has as many."""
    told = first.get("density") or {name: s.get("count") for name, s in first.get("species", {}).items()}
    there = {name: float(n) for name, n in told.items() if name in ("electron", "hole") and n}
    if not there:
        return {"electron": 1.0, "hole": 1.0}
    return {name: n / there.get("hole", n) for name, n in there.items()}


def _value(axis: Variable, i: int) -> Any:
    """A coordinate as a study file has it."""
    number = axis.values[i]
    if axis.values.dtype.kind not in "fi":
        return str(number)
    return f"{float(number)!r} {axis.units}" if axis.units.endswith("m^-2") else float(number)


def _require_same(first: Mapping[str, Any], data: Mapping[str, Variable], bilayer: Bilayer) -> None:
    """A table of another device says nothing about this one. Raises InputError."""
    there, scales = first.get("bilayer", {}), bilayer.scales
    heat = data["temperature"].values.ravel() if "temperature" in data else np.zeros(1)
    told = [("interaction", there.get("interaction"), bilayer.interaction.name),
            ("spacing", there.get("spacing"), bilayer.spacing), ("temperature", float(heat[0]), bilayer.temperature),
            *((name, there.get(name), getattr(scales, name)) for name in ("electron_mass", "hole_mass", "dielectric"))]
    own = bilayer.interaction.parameters
    told += [(key, value, own.get(key)) for key, value in (there.get("screening") or {}).items()]
    for name, was, mine in told:
        numbers = isinstance(was, float | int) and isinstance(mine, float | int)
        if not (abs(was - mine) <= SAME * max(abs(was), abs(mine)) if numbers else was in (mine, None)):
            raise InputError("table", f"an equation of state of this bilayer, of {name} {mine}", was,
                             "sweep the same device")
