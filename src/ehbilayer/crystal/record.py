"""Classical crystals in results: arrays of the crystal and of every finished start, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ehbilayer.crystal.relaxation import Relaxed
from ehbilayer.crystal.search import End, Start
from ehbilayer.crystal.structures import Crystal
from ehbilayer.errors import InputError
from ehbilayer.interaction.screened import Screened
from ehbilayer.results.base import Result, Variable
from ehbilayer.status import Status


def energy_unit(spacing: float, length: float) -> tuple[float, str]:
    """e^2/d in Ha_h, or e^2/a where there is no spacing, and its name."""
    return (1 / spacing, "e^2/d") if spacing > 0 else (1 / length, "e^2/a")


def capacitor_energy(crystal: Crystal) -> float:
    """-2 pi sum_{a<b} Q_a Q_b |z_a - z_b| / A per cell, Ha_h: what the zero average of the potentials leaves out; with
    gates 1/2 sum_ab Q_a Q_b v_ab(0)/A, which counts always."""
    q, z = crystal.charges, crystal.heights
    if crystal.interaction is not None and crystal.medium is not None:
        return crystal.interaction.charging(list(zip(crystal.medium.layers.tolist(), q.tolist(), strict=True)),
                                            crystal.area)
    return float(-np.pi * np.sum(np.outer(q, q) * np.abs(np.subtract.outer(z, z))) / crystal.area)


def charged(crystal: Crystal, capacitor: bool) -> bool:
    """Whether that energy counts: where it is asked for, and with gates always."""
    return capacitor or (crystal.interaction is not None and crystal.interaction.finite)


def crystal_data(crystal: Crystal, prefix: str = "") -> dict[str, Variable]:
    """The arrays of a crystal, their names and axes with a prefix; `crystal_of` reads those without."""
    each = (f"{prefix}charge",)
    found = {
        "vectors": Variable((f"{prefix}vector", "xy"), crystal.vectors, "a_h", "cell vectors"),
        "positions": Variable((*each, "xy"), crystal.positions, "a_h", "places of the charges in the plane"),
        "charges": Variable(each, crystal.charges, "e", "charges"),
        "heights": Variable(each, crystal.heights, "a_h", "heights of the charges' layers"),
        "species": Variable(each, np.array(crystal.species), "1", "electron or hole"),
    }
    return {f"{prefix}{name}": array for name, array in found.items()}


def crystal_of(result: Result) -> Crystal:
    """The crystal of a result. Raises InputError for a result without one."""
    if "vectors" not in result.data or "species" not in result.data:
        raise InputError("structure", "a result of kind crystal that holds a crystal", result.kind,
                         "a scan holds many; run a study at one density")
    data = {name: result.data[name].values for name in ("vectors", "positions", "charges", "heights")}
    told = result.inputs.get("interaction")
    interaction = Screened.read(told) if isinstance(told, dict) and told.get("name") == Screened.name else None
    return Crystal(**data, species=tuple(str(s) for s in result.data["species"].values), interaction=interaction)


def told_interaction(interaction: Screened | None) -> dict[str, Any]:
    """What the inputs of a result say of an interaction that is not bare."""
    return {} if interaction is None else {"interaction": interaction.parameters}


@dataclass(frozen=True)
class _Column:
    """One number or word of every end: its name in the file, unit, and what it is."""

    name: str
    units: str
    description: str


_NUMBERS = (
    _Column("energy", "Ha_h", "energy per cell of each start's end"),
    _Column("max_force", "Ha_h/a_h", "largest force"),
    _Column("max_stress", "Ha_h", "largest traceless stress per charge"),
    _Column("iterations", "1", "iterations"),
)


def ends_data(ends: dict[int, End]) -> dict[str, Variable]:
    """The ends of starts, by the number of the start, as arrays; charges of all ends stand one after another."""
    if not ends:
        return {}
    rows = list(ends.values())
    crystals = [e.relaxed.crystal for e in rows]
    out = {f"start_{c.name}": Variable(("start",), np.array([getattr(e.relaxed, c.name) for e in rows]), c.units,
                                       c.description) for c in _NUMBERS}
    words = {"status": [e.status.value for e in rows], "structure": [e.structure for e in rows],
             "group": [e.group for e in rows]}
    out |= {f"start_{name}": Variable(("start",), np.array(w), "1", name) for name, w in words.items()}
    return out | {
        "start_number": Variable(("start",), np.array(list(ends)), "1", "number of the start"),
        "start_a_over_d": Variable(("start",), np.array([c.length / c.spacing if c.spacing else np.inf
                                                         for c in crystals]), "1", "a/d"),
        "start_energy_per_hole": Variable(("start",), np.array([e.energy * (e.relaxed.crystal.spacing or
                                                                            e.relaxed.crystal.length) for e in rows]),
                                          "e^2/d", "energy per hole; in e^2/a where there is no spacing"),
        "start_curvature": Variable(("start",), np.array([e.curvature for e in rows]), "e^2/a^3", "lowest curvature"),
        "start_charges": Variable(("start",), np.array([len(c.species) for c in crystals]), "1", "charges in the cell"),
        "start_vectors": Variable(("start", "vector", "xy"), np.array([c.vectors for c in crystals]), "a_h",
                                  "cell vectors"),
        "start_positions": Variable(("start_charge", "xy"), np.vstack([c.positions for c in crystals]), "a_h",
                                    "positions of all starts' charges, one start after another"),
    }


def ends_of(result: Result | None, starts: Sequence[Start]) -> dict[int, End]:
    """The finished starts of an earlier, unfinished result of the same study, by their numbers."""
    if result is None or "start_number" not in result.data:
        return {}
    data = {name.removeprefix("start_"): v.values for name, v in result.data.items() if name.startswith("start_")}
    last = np.cumsum(data["charges"])
    out = {}
    for row, number in enumerate(data["number"].tolist()):
        start, places = starts[number], slice(int(last[row] - data["charges"][row]), int(last[row]))
        crystal = start.crystal().moved(data["vectors"][row], data["positions"][places])
        status = Status(str(data["status"][row]))
        numbers = {c.name: float(data[c.name][row]) for c in _NUMBERS} | {"iterations": int(data["iterations"][row])}
        relaxed = Relaxed(crystal, **numbers, converged=status in (Status.converged, Status.saddle))  # type: ignore[arg-type]
        out[number] = End(start, relaxed, str(data["structure"][row]), str(data["group"][row]),
                          float(data["curvature"][row]), status)
    return out
