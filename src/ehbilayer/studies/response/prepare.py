"""Studies of kind "response": from the study to the liquids of the plane."""

from __future__ import annotations

from ehbilayer.response.solve import Asked, solve
from ehbilayer.studies.bilayer import device_entries, plane_bilayer, plane_lines
from ehbilayer.studies.file import Study
from ehbilayer.studies.response import keys
from ehbilayer.studies.task import Task

SECONDS, SELF_CONSISTENT = 0.5, 8.0


def prepare(study: Study) -> Task:
    """The task of a response study. Raises InputError for one that cannot be computed."""
    table, bilayer = keys.of(study), plane_bilayer(study)
    top, width = (None if value is None else bilayer.scales.to_atomic(value, "energy", f"response.{name}")
                  for name, value in (("largest_frequency", table.largest_frequency), ("broadening", table.broadening)))
    asked = Asked(bilayer, table.approximation, table.spin, table.wave_numbers, table.frequencies,
                  table.largest_wave_number, top, width, table.sum_rule, table.holes)
    plan = [*plane_lines(bilayer),
            f"  solve      response in {table.approximation}, spins {table.spin}, holes in a {table.holes}"]
    resolved = {"bilayer": device_entries(study, bilayer), "response": table.model_dump(),
                "density": {c.name: c.density for c in bilayer.carriers}}
    seconds = (SELF_CONSISTENT if table.approximation == "stls" else SECONDS) * (6 if table.sum_rule else 1)
    return Task(study, bilayer.scales, study.canonical(), resolved, tuple(plan), lambda run: solve(asked, run),
                seconds=seconds)
