"""Studies of kind "crystal": from the study to starts or a scan, and the table of what comes back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ehbilayer.crystal.result import CrystalResult, CrystalScanResult
from ehbilayer.crystal.search import Composition, Start, make_starts
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.studies.bilayer import scales_of
from ehbilayer.studies.crystal import keys
from ehbilayer.studies.crystal.charges import Charges, read_charges, read_crystal, structure_file
from ehbilayer.studies.file import Study
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines, rough_time
from ehbilayer.units import Scales

MOST_CHARGES = 2000


def prepare(study: Study) -> Task:
    """The task of a crystal study. Raises InputError for one that cannot be computed."""
    scales, table = scales_of(study.bilayer), keys.of(study)
    scan = table.scan
    charges = read_charges(study, scales, a_over_d=None if scan is None else scan[0])
    composition = _composition(study, charges)
    resolved = {"carrier": charges.carrier, "electrons_per_hole": charges.electrons_per_hole,
                "layers": charges.layers, "spacing": charges.spacing, "unit_spacing": charges.unit_spacing,
                "capacitor": study.bilayer.capacitor, "crystal": table.model_dump()}
    head = device_lines(study.bilayer.material, scales)
    if charges.unit_spacing:
        scales = Scales()  # lengths are in d, of which nothing says how long it is
    if scan is not None:
        _check_scan(study)
        plan, solve = _plan_scan(study, composition), partial(_solve_scan, composition=composition, study=study)
        return Task(study, scales, study.canonical(), resolved, (*head, *plan), solve, seed=table.seed)
    starts, inputs = _starts(study, composition, charges)
    resolved |= {"hole_density": charges.hole_density, "a": composition.length,
                 "holes": starts[0].composition.holes, "electrons": starts[0].composition.electrons}
    return Task(study, scales, inputs, resolved, (*head, *_plan_search(charges, starts)),
                partial(_solve_search, starts=starts, capacitor=study.bilayer.capacitor), seed=table.seed,
                extra={"unit_spacing": charges.unit_spacing})


def _composition(study: Study, charges: Charges) -> Composition:
    """What one cell holds: [crystal] holes_per_cell in a search, the fewest holes with whole electrons otherwise."""
    table, ratio = keys.of(study), charges.electrons_per_hole
    most, search = table.holes_per_cell, table.scan is None and table.structure == "random"
    counts = [most] if search else range(1, most + 1 if table.scan else MOST_CHARGES)
    holes = next((n for n in counts if abs(ratio * n - round(ratio * n)) < 1e-9 * max(1.0, ratio * n)), None)
    if holes is None:
        raise InputError("crystal.holes_per_cell", f"a count that gives whole electrons at {ratio:g} per hole", most,
                         "change it or electrons_per_hole")
    if most * (charges.layers + ratio) > MOST_CHARGES:
        raise InputError("crystal.holes_per_cell", f"a count that gives at most {MOST_CHARGES} charges", most,
                         "take a smaller cell")
    return Composition(charges.hole_density, charges.spacing, holes, round(ratio * holes), charges.layers,
                       charges.carrier)


def _starts(study: Study, composition: Composition, charges: Charges) -> tuple[list[Start], dict[str, Any]]:
    """The starts of a study at one density, and what identifies it."""
    table, inputs = keys.of(study), study.canonical()
    if table.structure == "random":
        box = table.box or ("random" if table.relax == "cell" else "rectangular")
        found = make_starts(composition, table.starts, table.seed, relax=table.relax, box=box,
                            tolerance=table.tolerance)
        return [replace(s, keep=True) for s in found] if table.relax == "none" else found, inputs
    path = structure_file(study, charges)
    if path is None:
        fitted = _fitted(study, composition)
        return [Start(fitted, None, table.structure, table.relax, table.tolerance, keep=True)], inputs
    crystal, digest = read_crystal(path, charges)
    inside = replace(composition, holes=(crystal.holes or crystal.electrons) // charges.layers,
                     electrons=crystal.electrons if crystal.holes else 0)
    return [Start(inside, None, path.name, table.relax, table.tolerance, keep=True, given=crystal)], inputs | {
        "start_sha256": digest}


def _fitted(study: Study, composition: Composition) -> Composition:
    """The composition of a named structure's own cell, unless holes_per_cell asks for a multiple of it."""
    from ehbilayer.crystal.structures import DECOUPLED, named

    table, ratio = keys.of(study), float(study.density.electrons_per_hole or 0)
    name = table.structure
    own = named(name, composition.hole_density, composition.spacing, ratio, composition.layers)
    holes = own.holes // composition.layers
    if "holes_per_cell" in table.model_fields_set and name != DECOUPLED:
        asked = table.holes_per_cell
        if asked % holes:
            raise InputError("crystal.holes_per_cell", f"a multiple of {holes}, the holes in a cell of {name}", asked,
                             "change it, or leave it out")
        holes = asked
    return replace(composition, holes=holes, electrons=round(ratio * holes))


def _check_scan(study: Study) -> None:
    relax = keys.of(study).relax
    if relax != "cell":
        raise InputError("crystal.relax", '"cell" in a scan', relax, "ground states need it to relax")


def _values(study: Study) -> np.ndarray:
    """a/d of a scan, in equal ratios."""
    table = keys.of(study)
    assert table.scan is not None
    return np.geomspace(table.scan[0], table.scan[1], table.scan_points)


def _seconds(start: Start) -> float:
    """Rough time of one start, as measured."""
    charges = start.composition.holes * start.composition.layers + start.composition.electrons
    return 0.05 + 0.015 * charges


def _plan_search(charges: Charges, starts: list[Start]) -> list[str]:
    first, lines = starts[0], []
    if charges.spacing:
        ratio = first.composition.length / charges.spacing
        unit = "the unit of length" if charges.unit_spacing else f"{charges.spacing:.6g} a_h"
        lines.append(f"  spacing    d = {unit}, a/d = {ratio:.6g}")
    count = first.composition.holes
    inside = f"{count} {charges.carrier}{'s' * (count > 1)}" + (" in each layer" if charges.layers == 2 else "")
    inside += f", {first.composition.electrons} electrons" if first.composition.electrons else ""
    lines.append(f"  cell       {inside}; a = {first.composition.length:.6g} a_h")
    names = [s.name for s in starts if s.name is not None]
    random = len(starts) - len(names)
    what = [*names, *([f"{random} random"] if random else [])]
    lines.append(f"  starts     {', '.join(what)}; relax {first.relax}, tolerance {first.tolerance:g} e^2/a^2")
    lines.append(f"  estimate   {rough_time(sum(_seconds(s) for s in starts))} on one core")
    return lines


def _plan_scan(study: Study, composition: Composition) -> list[str]:
    from ehbilayer.crystal.sequence import scan_starts

    table, values = keys.of(study), _values(study)
    starts, _ = scan_starts(composition, values, table.holes_per_cell, table.starts, table.seed)
    return [f"  scan       a/d from {values[0]:g} to {values[-1]:g}, {len(values)} points",
            f"  cells      up to {table.holes_per_cell} holes, {table.starts} random starts each, named ones besides",
            f"  estimate   {rough_time(2 * sum(_seconds(s) for s in starts))} on one core"]


def _solve_search(run: Hooks, starts: list[Start], capacitor: bool) -> CrystalResult:
    from ehbilayer.crystal.study import solve_search

    return solve_search(starts, run, capacitor=capacitor)


def _solve_scan(run: Hooks, composition: Composition, study: Study) -> CrystalScanResult:
    from ehbilayer.crystal.scan import Scan, solve_scan

    table, values = keys.of(study), tuple(_values(study).tolist())
    scan = Scan(values, table.holes_per_cell, table.starts, table.seed)
    return solve_scan(composition, scan, run, capacitor=study.bilayer.capacitor)
