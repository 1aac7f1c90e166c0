"""Studies of kind "liquid": from the study to the carriers of the plane."""

from __future__ import annotations

from ehbilayer.liquid.solve import solve
from ehbilayer.studies.bilayer import device_entries, plane_bilayer, plane_lines
from ehbilayer.studies.file import Study
from ehbilayer.studies.liquid import keys
from ehbilayer.studies.task import Task


def prepare(study: Study) -> Task:
    """The task of a liquid study. Raises InputError for one that cannot be computed."""
    table, bilayer = keys.of(study), plane_bilayer(study)
    plan = [*plane_lines(bilayer),
            f"  solve      infinite plane, spins {table.spin}"]
    resolved = {"bilayer": device_entries(study, bilayer), "liquid": table.model_dump(),
                "density": {c.name: c.density for c in bilayer.carriers}}
    return Task(study, bilayer.scales, study.canonical(), resolved, tuple(plan),
                lambda run: solve(bilayer, table.spin, study.bilayer.capacitor, table.curve_points))
