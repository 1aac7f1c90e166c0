"""Studies of kind "phonons": from the study to a crystal at rest and its vibrations, and the table of the result."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from ehbilayer.crystal.structures import Crystal
from ehbilayer.errors import InputError
from ehbilayer.phonons.report import Options, default_mesh, solve
from ehbilayer.studies.bilayer import electron_mass, mass_ratio_of, scales_of
from ehbilayer.studies.crystal import keys as crystal_keys
from ehbilayer.studies.crystal.charges import Charges, read_charges
from ehbilayer.studies.file import Study
from ehbilayer.studies.phonons import keys
from ehbilayer.studies.phonons.family import Family, family_of
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines, rough_time
from ehbilayer.units import Scales


def prepare(study: Study) -> Task:
    """The task of a phonon study. Raises InputError for one that cannot be computed."""
    scales, table, relax = scales_of(study.bilayer), keys.of(study), crystal_keys.of(study).relax
    charges = read_charges(study, scales)
    family, masses = family_of(study, charges), _masses(scales, charges)
    crystal = family.crystal(charges.hole_density, charges.spacing)
    # with a/d alone the spacing is the unit of length, and nothing says what hbar is worth
    options = Options(table.lindemann, table.mesh, table.points, table.tolerance, table.follow, relax,
                      not charges.unit_spacing, study.bilayer.capacitor)
    values = _values(study, charges)
    resolved = {"structure": family.name, "carrier": charges.carrier, "layers": charges.layers,
                "electrons_per_hole": charges.electrons_per_hole, "spacing": charges.spacing,
                "hole_density": charges.hole_density, "a": crystal.length, "masses": masses,
                "capacitor": study.bilayer.capacitor, "relax": relax, "phonons": asdict(options) | {
                    "mesh": options.mesh or default_mesh(len(crystal.species)),
                    "scan": None if values is None else values.tolist()}}
    plan = _plan(study, scales, family, crystal, masses, options, values)
    inputs = study.canonical() | ({"start_sha256": family.digest} if family.digest else {})
    # where d is the unit of length nothing says how long it is
    return Task(study, Scales() if charges.unit_spacing else scales, inputs, resolved, tuple(plan),
                lambda run: solve(crystal, family.name, masses, options, run, values))


def _values(study: Study, charges: Charges) -> np.ndarray | None:
    """a/d of a scan, in equal ratios."""
    table = keys.of(study)
    scan = table.scan
    if scan is None:
        return None
    if charges.spacing == 0:
        raise InputError("phonons.scan", "absent for a single layer", scan, "a/d needs two layers")
    return np.geomspace(scan[0], scan[1], table.scan_points)


def _masses(scales: Scales, charges: Charges) -> dict[str, float]:
    """Masses in units of the hole mass; of the electron mass where no hole mass is given."""
    if charges.carrier == "electron":
        return {"electron": electron_mass(scales, alone=True)}
    return {"hole": 1.0} if charges.electrons_per_hole == 0 else {"electron": mass_ratio_of(scales), "hole": 1.0}


def _plan(study: Study, scales: Scales, family: Family, crystal: Crystal, masses: dict[str, float], options: Options,
          values: np.ndarray | None) -> list[str]:
    lines = device_lines(study.bilayer.material, scales)
    size = options.mesh or default_mesh(len(crystal.species))
    ratio = f", a/d = {crystal.length / crystal.spacing:.6g}" if crystal.spacing else ""
    inside = [f"{n} {name}{'s' * (n > 1)}" for n, name in ((crystal.electrons, "electron"), (crystal.holes, "hole"))
              if n]
    lines.append(f"  crystal    {family.name}, {' and '.join(inside)} per cell, relax {crystal_keys.of(study).relax}")
    lines.append(f"  lengths    d = {crystal.spacing:.6g} a_h, a = {crystal.length:.6g} a_h{ratio}" if options.quantum
                 else f"  lengths    in units of d{ratio}; no spacing is given, so zero-point motion is left out")
    lines.append(f"  masses     {', '.join(f'{k} {v:g}' for k, v in masses.items())} (in hole masses)")
    lines.append(f"  zone       {size} x {size} mesh, averages to {options.tolerance:g}, Lindemann threshold "
                 f"{options.lindemann:g}")
    if values is not None:
        lines.append(f"  scan       {len(values)} values of a/d from {values[0]:g} to {values[-1]:g}")
    seconds = _seconds(len(crystal.species), size, 0 if values is None else len(values))
    return [*lines, f"  estimate   {rough_time(seconds)} on one core"]


def _seconds(charges: int, mesh: int, scanned: int) -> float:
    """Rough time of a study, as measured: wave vectors of the mesh and of the averages."""
    each = 4e-5 * (charges / 3) ** 2 * (1 + (charges / 30))
    return 0.1 + each * (mesh * mesh / 2 + 8000) + scanned * (0.05 + 4000 * each)
