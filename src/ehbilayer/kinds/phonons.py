"""Studies of kind "phonons": from the study to a crystal at rest and its vibrations, and the table of the result."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from ehbilayer.crystal_record import capacitor_energy
from ehbilayer.errors import InputError
from ehbilayer.particles import LONGEST_SPACING, resolve_scales
from ehbilayer.phonon_family import Family, family_of
from ehbilayer.phonon_result import Hooks, Options, Scan, compute, default_mesh
from ehbilayer.reporting import device_lines, energy_text, status_row, time_row
from ehbilayer.results import Result
from ehbilayer.structures import Crystal
from ehbilayer.study import Study
from ehbilayer.task import Run, Task
from ehbilayer.units import Scales, density_from_rs

ENERGIES = ("zero_point_energy_per_hole",)
GROUP_NAMES = {"electron": "electrons", "hole": "holes", "dipole": "dipoles", "free_electron": "free electrons"}


def prepare(study: Study) -> Task:
    """The task of a phonon study. Raises InputError for one that cannot be computed."""
    scales, table = resolve_scales(study.bilayer), study.phonons
    family = family_of(study)
    spacing, quantum = _spacing(study, scales, family)
    density = _density(study, scales, spacing, family)
    crystal, masses = family.crystal(density, spacing), _masses(scales, family)
    options = Options(table.lindemann, table.mesh, table.points, table.tolerance, table.follow,
                      "cell" if study.crystal.relax == "none" else study.crystal.relax, quantum)
    values = None
    if table.scan is not None:
        if family.ratio == 0:
            raise InputError("phonons.scan", "absent without electrons and holes", table.scan, "a/d needs both layers")
        values = np.geomspace(table.scan[0], table.scan[1], table.scan_points)
    capacitor = capacitor_energy(crystal) / (crystal.holes or crystal.electrons) if study.bilayer.capacitor else 0.0
    resolved = {"structure": family.name, "electrons_per_hole": family.ratio, "spacing": spacing,
                "hole_density": density, "a": 1 / math.sqrt(math.pi * density), "masses": masses,
                "relax": study.crystal.relax, "phonons": asdict(options) | {
                    "mesh": options.mesh or default_mesh(len(crystal.species)),
                    "scan": None if values is None else values.tolist()}}
    plan = _plan(study, scales, family, crystal, masses, options, values)
    solve = partial(_solve, family=family, crystal=crystal, masses=masses, options=options, relax=study.crystal.relax,
                    values=values, capacitor=capacitor)
    inputs = study.canonical() | ({"structure_file": family.digest} if family.digest else {})
    return Task(study, scales, inputs, resolved, tuple(plan), solve, energies=ENERGIES)


def _spacing(study: Study, scales: Scales, family: Family) -> tuple[float, bool]:
    """The spacing in a_h, and whether it says what hbar is worth: with a/d alone the spacing is the unit of length."""
    given = study.bilayer.spacing
    if family.ratio == 0 and family.layers == 1:
        return 0.0, True
    if given is None and study.density.a_over_d is not None:
        return 1.0, False
    if given is None:
        raise InputError("bilayer.spacing", 'a length > 0, such as "3 nm" or a number in a_h', "missing",
                         "give the distance between the layers, or density.a_over_d alone")
    spacing = scales.to_atomic(given, "length", "bilayer.spacing")
    if not 0 < spacing <= LONGEST_SPACING:
        raise InputError("bilayer.spacing", f"a length > 0, at most {LONGEST_SPACING:g} a_h, where there are two "
                         "layers of classical charges", given, "charges of opposite sign fall into each other at 0")
    return spacing, True


def _density(study: Study, scales: Scales, spacing: float, family: Family) -> float:
    """Holes per area in a_h^-2; electrons where there are no holes."""
    keys = ("hole", "electron", "rs_hole", "rs_electron", "a_over_d")
    given = [k for k in keys if getattr(study.density, k) is not None]
    if not given:
        raise InputError("density", f"given in one way ({', '.join(keys)})", "missing", "e.g. a_over_d = 6")
    key, value = given[0], getattr(study.density, given[0])
    if key == "a_over_d":
        if spacing == 0:
            raise InputError("density.a_over_d", "used with two layers", value, "give rs_hole or hole instead")
        density = density_from_rs(value * spacing)
    elif key.startswith("rs_"):
        density = density_from_rs(value / (_masses(scales, family)["electron"] if key == "rs_electron" else 1.0))
    else:
        density = scales.to_atomic(value, "density", f"density.{key}")
    if "electron" in key and family.lone == "hole":
        if family.ratio == 0:
            raise InputError(f"density.{key}", "a density of the holes, which are alone", value, "give hole or rs_hole")
        density /= family.ratio
    if not (math.isfinite(density) and density > 0):
        raise InputError(f"density.{key}", "a density > 0", value, "check the number and its unit")
    return density


def _masses(scales: Scales, family: Family) -> dict[str, float]:
    """Masses in units of the hole mass; of the electron mass where no hole mass is given."""
    if family.lone == "electron":
        return {"electron": 1.0 if scales.mass_ratio is None else scales.mass_ratio}
    if family.ratio == 0:
        return {"hole": 1.0}
    missing = [k for k in ("electron_mass", "hole_mass") if getattr(scales, k) is None]
    if missing:
        raise InputError(f"bilayer.{missing[0]}", "a positive effective mass in m0", "missing",
                         "give it or bilayer.material; frequencies depend on m_e/m_h")
    assert scales.mass_ratio is not None
    return {"electron": scales.mass_ratio, "hole": 1.0}


def _plan(study: Study, scales: Scales, family: Family, crystal: Crystal, masses: dict[str, float], options: Options,
          values: np.ndarray | None) -> list[str]:
    lines = device_lines(study.bilayer.material, scales)
    size = options.mesh or default_mesh(len(crystal.species))
    ratio = f", a/d = {crystal.length / crystal.spacing:.6g}" if crystal.spacing else ""
    lines.append(f"  crystal    {family.name}, {crystal.electrons} electrons and {crystal.holes} holes per cell, "
                 f"relax {study.crystal.relax}")
    lines.append(f"  lengths    d = {crystal.spacing:.6g} a_h, a = {crystal.length:.6g} a_h{ratio}" if options.quantum
                 else f"  lengths    in units of d{ratio}; no spacing is given, so zero-point motion is left out")
    lines.append(f"  masses     {', '.join(f'{k} {v:g}' for k, v in masses.items())} (in hole masses)")
    lines.append(f"  zone       {size} x {size} mesh, averages to {options.tolerance:g}, Lindemann threshold "
                 f"{options.lindemann:g}")
    if values is not None:
        lines.append(f"  scan       {len(values)} values of a/d from {values[0]:g} to {values[-1]:g}")
    return lines


def _solve(run: Run, *, family: Family, crystal: Crystal, masses: dict[str, float], options: Options, relax: str,
           values: np.ndarray | None, capacitor: float) -> Result:
    from ehbilayer.crystal import relax as relaxed

    def at_rest(start: Crystal) -> Crystal:
        return start if relax == "none" else relaxed(start, relax).crystal

    scan = None
    if values is not None:
        scan = Scan(lambda x: at_rest(family.crystal(density_from_rs(x), 1.0)), values)
    hooks = Hooks(lambda text: run.progress({"text": text}), run.should_stop)
    result = compute(at_rest(crystal), masses, options, hooks, {"structure": family.name}, scan)
    s = result.summary
    more = {"structure": family.name, "a_over_d": crystal.length / crystal.spacing if crystal.spacing else None,
            "energy_per_hole": s["energy_per_hole"] + capacitor * s["length_unit_a_h"]}
    return replace(result, summary=s | more)


def rows(result: Result) -> list[tuple[str, str]]:
    """The table of a result: label and text."""
    s, found = result.summary, [status_row(result)]
    found.append(("structure", str(s.get("structure"))))
    found.append(("energy/hole", f"{s['energy_per_hole']:.10f} {s['energy_unit']}"))
    found.append(("Γ frequencies", f"{' '.join(f'{x:.6g}' for x in s['gamma_frequencies'])} {s['frequency_unit']}"))
    if "stable" in s:
        found += _zone_rows(s)
    found.append(("zero-point/hole", energy_text(s.get("zero_point_energy_per_hole"), s.get("units", {}))))
    found += [(GROUP_NAMES[name], _group_text(s, name)) for name in s.get("melting") or {}]
    if s.get("followed"):
        end = s["followed"]
        found.append(("leads to", f"{end['structure']}, {end['energy_per_hole']:.10f} {s['energy_unit']} per hole, "
                      f"{end['dipoles_per_hole']:g} dipoles per hole" + ("" if end["stable"] else ", not stable yet")))
    return [row for row in [*found, time_row(s)] if row[1]]


def _group_text(s: dict[str, Any], name: str) -> str:
    """Displacement and Lindemann ratio where hbar is known, and where the group melts at this shape."""
    text, ratio, point = "", s["lindemann"][name], s["melting"][name]
    if ratio is not None:
        text = (f"rms {s['rms_displacement'][name]:.5g} a_h, Lindemann {ratio:.4f}: "
                f"{'melt' if s['melts'][name] else 'solid'}; ")
    above = f"d = {point['spacing']:.5g}, a = {point['a']:.5g} a_h" if point["spacing"] else f"a = {point['a']:.5g} a_h"
    return f"{text}solid above {above} (threshold {s['threshold']:g})"


def _zone_rows(s: dict[str, Any]) -> list[tuple[str, str]]:
    found = [("stable", "yes, in the whole zone")]
    if not s["stable"]:
        at = ", ".join(f"{x:.4f}" for x in s["lowest_at"])
        found = [("stable", f"NO: {s['lowest_frequency']:.6g} {s['frequency_unit']} at q = ({at}) b")]
    sound, plasmon = s["sound"], s["plasmon"]
    text = f"slow branch {sound['slowest']:.5g} to {sound['fastest']:.5g} a_h Ha_h"
    if plasmon["expected"]:
        text += f"; plasmon ω²/q {plasmon['limit']:.6g}, expected {plasmon['expected']:.6g}"
    elif sound["longitudinal"] is not None:
        text += f"; fast branch {sound['longitudinal']:.5g}"
    return [*found, ("sound", text)]
