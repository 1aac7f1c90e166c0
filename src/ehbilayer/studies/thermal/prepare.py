"""Studies of kind "thermal": from the study to a bilayer and what is asked of it."""

from __future__ import annotations

from ehbilayer.studies.bilayer import device_entries, plane_bilayer, plane_lines
from ehbilayer.studies.file import Study
from ehbilayer.studies.task import Task
from ehbilayer.studies.thermal import keys
from ehbilayer.thermal.estimates import Asked, solve

SECONDS, TRIONS = 1.0, 2.0  # without trions, and for both


def prepare(study: Study) -> Task:
    """The task of a thermal study. Raises InputError for one that cannot be computed."""
    table, bilayer = keys.of(study), plane_bilayer(study)
    asked = Asked(bilayer, table.spin, table.trions, table.structure, table.lindemann, table.points)
    heat = f" = {bilayer.temperature * bilayer.scales.hartree_kelvin:.4g} K" if bilayer.scales.known else ""
    plan = [*plane_lines(bilayer),
            f"  solve      T_BKT, ionisation{' with trions' * table.trions}, melting",
            *([f"  at         k_B T = {bilayer.temperature:.6g} Ha_h{heat}"] if bilayer.temperature else [])]
    resolved = {"bilayer": device_entries(study, bilayer) | {"temperature": bilayer.temperature},
                "thermal": table.model_dump(), "density": {c.name: c.density for c in bilayer.carriers}}
    return Task(study, bilayer.scales, study.canonical(), resolved, tuple(plan), lambda run: solve(asked, run),
                seconds=SECONDS + TRIONS * (table.trions and len(bilayer.carriers) > 1))
