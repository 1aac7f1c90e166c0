"""Studies of kind "liquid": from the study to the carriers of the plane."""

from __future__ import annotations

from ehbilayer.liquid.solve import solve
from ehbilayer.studies.bilayer import bilayer_of, device_entries, given_critical_rs, ratio_of, spacing_line
from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import MOST_PARTICLES
from ehbilayer.studies.liquid import keys
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines


def prepare(study: Study) -> Task:
    """The task of a liquid study. Raises InputError for one that cannot be computed."""
    table, density = keys.of(study), study.density
    alone = density.electrons_per_hole is None and (density.electron is not None or density.rs_electron is not None)
    ratio = 0.0 if alone else ratio_of(density, MOST_PARTICLES)
    numbers = {"electron": 1.0} if alone else {"hole": 1.0} | ({"electron": ratio} if ratio else {})
    bilayer = bilayer_of(study, numbers, given_critical_rs(density, "the infinite plane"))
    plan = [*device_lines(bilayer.material, bilayer.scales), *spacing_line(bilayer),
            *(f"  {c.name + 's':10s} {c.flavours} flavours, density {c.density:.6g} a_h^-2, r_s = {c.rs:.5g}"
              for c in bilayer.carriers), f"  solve      infinite plane, spins {table.spin}"]
    resolved = {"bilayer": device_entries(study, bilayer), "liquid": table.model_dump(),
                "density": {c.name: c.density for c in bilayer.carriers}}
    return Task(study, bilayer.scales, study.canonical(), resolved, tuple(plan),
                lambda run: solve(bilayer, table.spin, study.bilayer.capacitor, table.curve_points))
