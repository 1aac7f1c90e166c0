"""Studies of kind "compressibility": from the study to the tori that are computed, and the table of what comes back."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from ehbilayer.compressibility.bulk_modulus import StateOptions, state_basis
from ehbilayer.compressibility.study import Plan, compute, plan_of
from ehbilayer.errors import InputError
from ehbilayer.studies.bilayer import spacing_line
from ehbilayer.studies.compressibility import keys
from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock import keys as hartree_fock_keys
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.studies.torus import Contents, contents_of, resolved_entries, torus_of, waves_of
from ehbilayer.torus import Torus

SOLVER_TOLERANCE = 1e-10  # Ha_h per particle at most: second differences need it
SECONDS = {"symmetric": 3.0, "lowest": 90.0}  # of 36 pairs, about


def prepare(study: Study) -> Task:
    """The task of a compressibility study. Raises InputError for one that cannot be computed."""
    table, solver = keys.of(study), hartree_fock_keys.of(study)
    torus = torus_of(study, _contents(study))
    options = StateOptions(table.state, table.occupation, min(solver.tolerance, SOLVER_TOLERANCE), table.starts,
                           solver.seed, solver.max_iterations)
    with by_key(study):
        plan = plan_of(torus, options, sizes=table.sizes, route=table.method, tolerance=table.tolerance,
                       waves=waves_of(study.cell))
    here, scales = plan.tori[plan.first], torus.bilayer.scales
    resolved = resolved_entries(study, here, plan.basis) | {
        "compressibility": asdict(options) | {"method": table.method, "sizes": list(plan.sizes),
                                              "tolerance": plan.tolerance, "solver_tolerance": options.tolerance}}
    # what one state takes on the given waves, or about that of the usual ones
    own = state_basis(here, plan.basis, options).estimate(here)["seconds"]
    seconds = sum(max(SECONDS[table.state] * (n / 36) ** (1.5 if table.state == "symmetric" else 3),
                      own * (n / plan.first) ** 2) for n in plan.sizes)
    return Task(study, scales, study.canonical(), resolved, tuple(_plan_lines(study, plan, here)),
                partial(compute, plan), seed=options.seed, seconds=seconds)


def _contents(study: Study) -> Contents:
    contents = contents_of(study)
    if contents.holes and contents.electrons != contents.holes:
        raise InputError("density.electrons_per_hole", "1 for a compressibility, or cell.electrons alone",
                         study.density.electrons_per_hole, "alpha^2 is that of the electron liquid on a hole crystal")
    return contents


def _plan_lines(study: Study, plan: Plan, torus: Torus) -> list[str]:
    bilayer, table, electron = torus.bilayer, keys.of(study), torus.bilayer.carrier("electron")
    more = "" if plan.tolerance is None else f" or more, until alpha^2 changes by less than {plan.tolerance:g}"
    return [*device_lines(bilayer.material, bilayer.scales), *spacing_line(bilayer),
            f"  density    r_s = {electron.rs:.5g} a_e, {electron.density:.6g} a_h^-2",
            f"  sizes      {', '.join(map(str, plan.sizes))} particles; {plan.basis.size} plane waves for {plan.first}"
            + more,
            f"  solve      zero mode {torus.zero_mode}, {table.state} state, occupation {table.occupation}, by "
            f"{table.method}"]
