"""Studies of kind "crystal": from the study to starts or a scan, and the plan."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ehbilayer.crystal.problem import scan_of, starts_of
from ehbilayer.crystal.search import Composition, Start
from ehbilayer.crystal.sequence import scan_starts
from ehbilayer.studies.bilayer import scales_of
from ehbilayer.studies.crystal import keys
from ehbilayer.studies.crystal.charges import Read, read_charges, structure_of
from ehbilayer.studies.file import Study
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.units import Scales

if TYPE_CHECKING:
    from ehbilayer.crystal.scan import Scan


def prepare(study: Study) -> Task:
    """The task of a crystal study. Raises InputError for one that cannot be computed."""
    with by_key(study):
        return _prepare(study)


def _prepare(study: Study) -> Task:
    from ehbilayer.crystal.scan import solve_scan
    from ehbilayer.crystal.study import solve_search

    scales, table, capacitor = scales_of(study), keys.of(study), study.bilayer.capacitor
    charges = read_charges(study, scales, a_over_d=None if table.scan is None else table.scan[0])
    resolved: dict[str, Any] = {**charges.entries, "unit_spacing": charges.unit_spacing, "capacitor": capacitor,
                                "crystal": table.model_dump()}
    head, inputs = device_lines(study.bilayer.material, scales), study.canonical()
    if charges.unit_spacing:
        scales = Scales()  # lengths are in d, of which nothing says how long it is
    if table.scan is not None:
        scan = scan_of(charges.inside, table.scan, table.scan_points, holes_per_cell=table.holes_per_cell,
                       relax=table.relax, starts=table.starts, seed=table.seed)
        return Task(study, scales, inputs, resolved, (*head, *_plan_scan(scan)),
                    partial(solve_scan, charges.inside, scan, capacitor=capacitor), seed=table.seed,
                    seconds=_scan_seconds(scan, charges.inside))
    structure, name, identity = structure_of(study, charges.inside)
    asked = table.holes_per_cell if "holes_per_cell" in table.model_fields_set else None
    starts = starts_of(charges.inside, structure, holes_per_cell=asked, relax=table.relax, box=table.box,
                       starts=table.starts, seed=table.seed, tolerance=table.tolerance, name=name)
    cell = starts[0].composition
    resolved |= {"hole_density": cell.hole_density, "a": cell.length, "holes": cell.holes, "electrons": cell.electrons}
    return Task(study, scales, inputs | identity, resolved, (*head, *_plan_search(charges, starts)),
                partial(solve_search, starts, capacitor=capacitor), seed=table.seed,
                seconds=len(starts) * _seconds(starts[0]), extra={"unit_spacing": charges.unit_spacing})


def _seconds(start: Start) -> float:
    """Rough time of one start, as measured."""
    charges = start.composition.holes * start.composition.layers + start.composition.electrons
    return 0.05 + 0.015 * charges


def _plan_search(charges: Read, starts: Sequence[Start]) -> list[str]:
    first, cell, lines = starts[0], starts[0].composition, []
    if cell.spacing:
        unit = "the unit of length" if charges.unit_spacing else f"{cell.spacing:.6g} a_h"
        lines.append(f"  spacing    d = {unit}, a/d = {cell.length / cell.spacing:.6g}")
    inside = f"{cell.holes} {cell.carrier}{'s' * (cell.holes > 1)}" + (" in each layer" if cell.layers == 2 else "")
    inside += f", {cell.electrons} electrons" if cell.electrons else ""
    lines.append(f"  cell       {inside}; a = {cell.length:.6g} a_h")
    names = [name for name in itertools.takewhile(bool, (s.name for s in starts)) if name]
    random = len(starts) - len(names)
    what = [*names, *([f"{random} random"] if random else [])]
    lines.append(f"  starts     {', '.join(what)}; relax {first.relax}, tolerance {first.tolerance:g} e^2/a^2")
    return lines


def _scan_seconds(scan: Scan, inside: Composition) -> float:
    starts, _ = scan_starts(inside, np.array(scan.values[:1]), scan.holes_per_cell, scan.starts, scan.seed)
    return 2 * len(scan.values) * sum(_seconds(s) for s in starts)


def _plan_scan(scan: Scan) -> list[str]:
    return [f"  scan       a/d from {scan.values[0]:g} to {scan.values[-1]:g}, {len(scan.values)} points",
            f"  cells      up to {scan.holes_per_cell} holes, {scan.starts} random starts each, named ones besides"]
