"""Studies of kind "phonons": from the study to a crystal and how it vibrates, and the plan."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from ehbilayer.crystal.problem import scan_values, start_crystal
from ehbilayer.crystal.structures import Crystal, structure_names
from ehbilayer.errors import InputError
from ehbilayer.phonons.report import Options, default_mesh, solve
from ehbilayer.phonons.zone import require_room
from ehbilayer.studies.bilayer import electron_mass, mass_ratio_of, scales_of
from ehbilayer.studies.crystal import keys as crystal_keys
from ehbilayer.studies.crystal.charges import Read, read_charges, structure_of
from ehbilayer.studies.file import Study
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.phonons import keys
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.units import Scales


def prepare(study: Study) -> Task:
    """The task of a phonon study. Raises InputError for one that cannot be computed."""
    with by_key(study):
        return _prepare(study)


def _prepare(study: Study) -> Task:
    scales, table, relax = scales_of(study), keys.of(study), crystal_keys.of(study).relax
    charges = read_charges(study, scales)
    name, masses = crystal_keys.of(study).structure, _masses(scales, charges)
    if name == "random":
        known = structure_names(charges.inside.electrons_per_hole, charges.inside.layers)
        raise InputError("structure", " | ".join((*known, "a result file")), name,
                         "phonons need a crystal at rest: name one, or give what a study of kind crystal has found")
    structure, _, identity = structure_of(study, charges.inside)
    crystal = start_crystal(charges.inside, structure)
    require_room(len(crystal.species), table.mesh or default_mesh(len(crystal.species)))
    # with a/d alone the spacing is the unit of length, and nothing says what hbar is worth
    options = Options(table.lindemann, table.mesh, table.points, table.tolerance, table.follow, relax,
                      not charges.unit_spacing, study.bilayer.capacitor)
    values = None if table.scan is None else scan_values(table.scan, table.scan_points, crystal.spacing)
    resolved = {"structure": name, **charges.entries, "hole_density": charges.inside.hole_density, "a": crystal.length,
                "masses": masses, "capacitor": options.capacitor, "relax": relax, "phonons": asdict(options) | {
                    "mesh": options.mesh or default_mesh(len(crystal.species)),
                    "scan": None if values is None else values.tolist()}}
    plan = _plan(study, scales, crystal, masses, options, values)
    return Task(study, Scales() if charges.unit_spacing else scales, study.canonical() | identity, resolved,
                tuple(plan), lambda run: solve(crystal, name, masses, options, run, values),
                seconds=_seconds(len(crystal.species), options.mesh or default_mesh(len(crystal.species)),
                                 0 if values is None else len(values)))


def _masses(scales: Scales, charges: Read) -> dict[str, float]:
    """Masses in units of the hole mass; of the electron mass where no hole mass is given."""
    if charges.inside.carrier == "electron":
        return {"electron": electron_mass(scales, alone=True)}
    return {"hole": 1.0} if charges.inside.electrons_per_hole == 0 else {"electron": mass_ratio_of(scales), "hole": 1.0}


def _plan(study: Study, scales: Scales, crystal: Crystal, masses: dict[str, float], options: Options,
          values: np.ndarray | None) -> list[str]:
    lines = device_lines(study.bilayer.material, scales)
    size = options.mesh or default_mesh(len(crystal.species))
    ratio = f", a/d = {crystal.length / crystal.spacing:.6g}" if crystal.spacing else ""
    inside = [f"{n} {name}{'s' * (n > 1)}" for n, name in ((crystal.electrons, "electron"), (crystal.holes, "hole"))
              if n]
    name = crystal_keys.of(study).structure
    lines.append(f"  crystal    {name}, {' and '.join(inside)} per cell, relax {options.relax}")
    lines.append(f"  lengths    d = {crystal.spacing:.6g} a_h, a = {crystal.length:.6g} a_h{ratio}" if options.quantum
                 else f"  lengths    in units of d{ratio}; no spacing is given, so zero-point motion is left out")
    lines.append(f"  masses     {', '.join(f'{k} {v:g}' for k, v in masses.items())} (in hole masses)")
    lines.append(f"  zone       {size} x {size} mesh, averages to {options.tolerance:g}, Lindemann threshold "
                 f"{options.lindemann:g}")
    if values is not None:
        lines.append(f"  scan       {len(values)} values of a/d from {values[0]:g} to {values[-1]:g}")
    return lines


def _seconds(charges: int, mesh: int, scanned: int) -> float:
    """Rough time of a study, as measured: wave vectors of the mesh and of the averages."""
    each = 4e-5 * (charges / 3) ** 2 * (1 + (charges / 30))
    return 0.1 + each * (mesh * mesh / 2 + 8000) + scanned * (0.05 + 4000 * each)
