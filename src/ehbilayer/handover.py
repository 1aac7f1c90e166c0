"""From one point of a sweep to its neighbour: which states may go on, and how they are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ehbilayer.hartree_fock.guesses import LOCALISED
from ehbilayer.hartree_fock.observables import MELTED_DEPLETION
from ehbilayer.model import Bilayer
from ehbilayer.results.base import Record, Result, Variable
from ehbilayer.status import Status

PREFIX = "state_"  # how the names of kept arrays begin
PAIRS = ("waves", "angle")  # arrays that a condensate starts from


def may_go_on(start: str, phase: str | None, depletion: dict[str, float | None]) -> bool:
    """Whether a converged state that began as ``start`` still is what it began as.

    It must have ended as the phase ``start``, and the species which that phase leaves liquid must be well inside their
    Fermi seas (`sea_depletion` below MELTED_DEPLETION). Otherwise it would carry another phase on to where that is not
    the lowest any more. A liquid does not go on: its plane waves are stationary everywhere.

    Parameters
    ----------
    start : the phase that the calculation began as; another word, such as ``random``, never goes on.
    phase, depletion : how it ended, and the fraction of each species outside its Fermi sea (None: absent).
    """
    placed = LOCALISED.get(start, ())
    if not placed or phase != start:
        return False
    return all(value is None or value < MELTED_DEPLETION for name, value in depletion.items() if name not in placed)


def same_particles(bilayer: Bilayer, neighbour: Result) -> bool:
    """Whether a result has the counts and flavours of this bilayer; materials may differ in their flavours."""
    keys = ("name", "count", "flavours")
    return [[s[k] for k in keys] for s in neighbour.inputs["species"]] == [
        [getattr(s, k) for k in keys] for s in bilayer.species]


def state_of(name: str, bilayer: Bilayer, neighbour: Result | None) -> Result | None:
    """The state of the candidate ``name`` in a neighbour's result of kind ``phases``, for its method to start from.

    None if it has none that may go on, or other particles. ``bilayer`` is the candidate's, whose channels the orbitals
    are.
    """
    if neighbour is None or f"{PREFIX}waves_{name}" not in neighbour.data or not same_particles(bilayer, neighbour):
        return None
    if name == "condensate":
        found = {key: neighbour.data[f"{PREFIX}{key}_{name}"] for key in PAIRS}
        return Record("condensate", Status.converged, {}, {}, found)
    return unpack_orbitals(name, bilayer, neighbour)


def keep_state(row: dict[str, Any], result: Result) -> dict[str, Variable]:
    """The arrays of a candidate's state if it may go on, by names that end in the candidate's.

    Parameters
    ----------
    row : of the table of candidates.   result : of its method.
    """
    name = row["name"]
    if row["status"] != Status.converged:
        return {}
    if name == "condensate":
        dims = (f"{PREFIX}wave_{name}", "axis")
        arrays = {key: result.data[key] for key in PAIRS}
        return {f"{PREFIX}{key}_{name}": replace(v, dims=dims[: v.values.ndim]) for key, v in arrays.items()
                if row["phase"] == name}
    return pack_orbitals(name, result) if may_go_on(name, row["phase"], row["sea_depletion"]) else {}


def pack_orbitals(name: str, result: Result) -> dict[str, Variable]:
    """Waves, occupations and orbitals of a Hartree-Fock result, by names that end in ``name``.

    Orbitals of a crystal lie in one k block each, so only amplitudes that are not zero are kept, with their place in
    the flattened (orbital, wave) array. Nothing is rounded: `unpack_orbitals` gives the same bits.
    """
    found = {f"{PREFIX}waves_{name}": Variable((f"{PREFIX}wave_{name}", "axis"), result.data["waves"].values, "1",
                                               "integer wave vectors of the box")}
    for c in range(len(result.inputs["channels"])):
        end = f"{c}_{name}"
        flat = result.data[f"orbitals_{c}"].values.ravel()
        place = np.flatnonzero(flat)
        found |= {
            f"{PREFIX}occupations_{end}": Variable((f"{PREFIX}orbital_{end}",), result.data[f"occupations_{c}"].values,
                                                   "1", "occupation of each orbital"),
            f"{PREFIX}place_{end}": Variable((f"{PREFIX}amplitude_{end}",), place.astype(np.int32), "1",
                                             "place of each amplitude in (orbital, wave)"),
            f"{PREFIX}amplitudes_{end}": Variable((f"{PREFIX}amplitude_{end}",), flat[place], "1",
                                                  "plane-wave amplitudes that are not zero")}
    return found


def unpack_orbitals(name: str, bilayer: Bilayer, neighbour: Result) -> Result:
    """What `solver.solve` needs of packed orbitals to start from them."""
    data = neighbour.data
    waves = data[f"{PREFIX}waves_{name}"].values
    whole: dict[str, Variable] = {"waves": Variable(("wave", "axis"), waves, "1")}
    for c in range(len(bilayer.channels)):
        occupations = data[f"{PREFIX}occupations_{c}_{name}"].values
        orbitals = np.zeros(len(occupations) * len(waves), dtype=complex)
        orbitals[data[f"{PREFIX}place_{c}_{name}"].values] = data[f"{PREFIX}amplitudes_{c}_{name}"].values
        whole |= {f"orbitals_{c}": Variable((f"orbital_{c}", "wave"), orbitals.reshape(-1, len(waves)), "1"),
                  f"occupations_{c}": Variable((f"orbital_{c}",), occupations, "1")}
    channels = [{"label": c.label} for c in bilayer.channels]
    return Record("hartree-fock", Status.converged, {}, {"box": neighbour.inputs["box"], "channels": channels}, whole)
