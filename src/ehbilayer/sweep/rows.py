"""Rows of a sweep whose points start from their neighbours: who starts from whom, and how a file says so.

A row is all points that differ in the last axis only. A point starts from the nearest one before it in its row that is
converged, the first one from its own guess. Which one that is depends on the study alone, not on who computes what
when; a point's file names it, so that a point whose start has changed is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ehbilayer.errors import InputError
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.studies import kinds
from ehbilayer.studies.axes import Axis, SweepOptions
from ehbilayer.studies.task import Task
from ehbilayer.sweep.store import UNRESOLVED

GOOD = (Status.converged.value, UNRESOLVED)  # labels of points to start from
# Along these keys particles, spins and the shape of the box stay, so that a state fits the next point.
CARRYING = (
    *(f"bilayer.{key}" for key in ("material", "electron_mass", "hole_mass", "dielectric", "spacing", "capacitor")),
    *(f"density.{key}" for key in ("hole", "electron", "rs_hole", "rs_electron", "a_over_d", "hole_over_critical",
                                   "critical_rs")),
    *(f"cell.{key}" for key in ("plane_waves", "hexagon", "cutoff", "zero_mode")),
)


def check_neighbours(kind: str, axes: Sequence[Axis], options: SweepOptions, first: Task) -> None:
    """Raises InputError where points of this sweep cannot start from their neighbours, though it says so."""
    if options.start != "neighbour":
        return
    if options.mode != "grid":
        raise InputError("sweep.start", '"cold" where mode = "adaptive"', options.start,
                         "the points of a grid have neighbours that do not depend on what was computed before")
    if not first.carries:
        raise InputError("sweep.start", f'"cold" unless kind is one of {_kinds()}', f"{options.start} with kind {kind}",
                         "leave it out")
    if axes[-1].key not in CARRYING:
        raise InputError(f'sweep."{axes[-1].key}"', 'not the last axis where start = "neighbour"', "the last one",
                         "a state fits other densities, masses, spacings, plane waves and zero modes: put one of these "
                         "last")


def _kinds() -> str:
    """The kinds whose points can start from their neighbours, and when."""
    found = {kind.name: getattr(kind.part("keys"), "NEIGHBOURS", None) for kind in kinds.KINDS}
    return ", ".join(name + (f" ({when})" if when else "") for name, when in found.items() if when is not None)


def started_from(row: Sequence[str], labels: dict[str, str]) -> str | None:
    """The nearest point before the end of ``row`` (keys, in order) that is converged; None if none is."""
    return next((key for key in reversed(row) if labels.get(key) in GOOD), None)


def carried(result: Result, carries: Sequence[str]) -> list[str]:
    """Names of the arrays of a point that the next one can start from: those that begin as ``carries`` say."""
    return sorted(name for name in result.data if name.startswith(tuple(carries)))


def state_digest(result: Result, names: Sequence[str]) -> str:
    """Digest of the arrays ``names`` of a point, which its file keeps for the next one."""
    found = hashlib.sha256()
    for name in names:
        values = result.data[name].values
        found.update(f"{name} {values.dtype.str} {values.shape} ".encode() + values.tobytes())
    return found.hexdigest()
