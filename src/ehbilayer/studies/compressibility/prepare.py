"""Studies of kind "compressibility": from the study to the tori that are computed, and the table of what comes back."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.compressibility.bulk_modulus import StateOptions, reference
from ehbilayer.compressibility.size_limit import START_TOLERANCE
from ehbilayer.compressibility.study import Plan, compute
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Result
from ehbilayer.studies.bilayer import spacing_line
from ehbilayer.studies.compressibility import keys
from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock import keys as hartree_fock_keys
from ehbilayer.studies.keys import names_waves
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines, rough_time
from ehbilayer.studies.torus import Contents, choose_waves, contents_of, resolved_entries, torus_of
from ehbilayer.torus import Torus
from ehbilayer.units import Scales

ENERGIES = ("energy", "fermi_energy")
SOLVER_TOLERANCE = 1e-10  # Ha_h per particle at most: second differences need it
UNITS = {"bulk_modulus": "Ha_h/a_h^2", "reference_bulk_modulus": "Ha_h/a_h^2", "pressure": "Ha_h/a_h^2",
         "residual": "Ha_h",
         "velocity": "a_h Ha_h", "velocity_with_capacitor": "a_h Ha_h", "velocity_unit": "a_h Ha_h",
         "velocity_m_per_s": "m/s", "area": "a_h^2"}
SECONDS = {"symmetric": 3.0, "lowest": 90.0}  # of 36 pairs, about


def prepare(study: Study) -> Task:
    """The task of a compressibility study. Raises InputError for one that cannot be computed."""
    table, contents = keys.of(study), _contents(study)
    torus = torus_of(study, contents)
    scales = torus.bilayer.scales
    reference(torus)
    sizes = tuple(sorted(set(table.sizes or [torus.sites])))
    first = torus.sites if torus.sites in sizes else sizes[0]
    _check_sizes(sizes, torus)
    tori = {n: _of_size(torus, n) for n in sizes}
    basis = PlaneWaveBasis(tori[first].box, _waves(study, torus, tori[first]))
    solver = hartree_fock_keys.of(study)
    options = StateOptions(table.state, table.occupation, min(solver.tolerance, SOLVER_TOLERANCE), table.starts,
                           solver.seed, solver.max_iterations)
    plan = Plan(tori, basis, first, sizes, options, table.method,
                None if names_waves(study.cell) else table.tolerance)
    resolved = resolved_entries(study, tori[first], basis) | {
        "compressibility": asdict(options) | {"method": table.method, "sizes": list(sizes), "tolerance": plan.tolerance,
                                              "solver_tolerance": options.tolerance}}
    return Task(study, scales, study.canonical(), resolved, tuple(_plan_lines(study, plan, tori[first])),
                lambda run: _solve(plan, scales, run), seed=options.seed, energies=ENERGIES, units=UNITS)


def _contents(study: Study) -> Contents:
    contents = contents_of(study)
    if contents.holes and contents.electrons != contents.holes:
        raise InputError("density.electrons_per_hole", "1 for a compressibility, or cell.electrons alone",
                         study.density.electrons_per_hole, "alpha^2 is that of the electron liquid on a hole crystal")
    return contents


def _check_sizes(sizes: tuple[int, ...], torus: Torus) -> None:
    """Raises InputError for a number of particles that restricted spins do not share."""
    for s in torus.species:
        bad = [n for n in sizes if s.spin == "restricted" and n % s.flavours]
        if bad:
            raise InputError("compressibility.sizes", f"multiples of {s.flavours} while {s.name}_spin is restricted",
                             bad[0], f"leave it out, or choose another hartree-fock.{s.name}_spin")


def _of_size(torus: Torus, count: int) -> Torus:
    """The same densities with another number of particles."""
    return replace(torus, holes=count) if torus.holes is not None else replace(torus, electrons=count)


def _waves(study: Study, torus: Torus, first: Torus) -> Any:
    """The waves of the first torus: those of [cell] for its own number of particles, else from the tolerance."""
    if names_waves(study.cell) and first.sites != torus.sites and study.cell.cutoff is None:
        raise InputError("compressibility.sizes", f"a list with {torus.sites}, whose plane waves [cell] gives",
                         keys.of(study).sizes, "add it, or give cell.cutoff or no plane waves at all")
    return choose_waves(study.cell, first, START_TOLERANCE)


def _plan_lines(study: Study, plan: Plan, torus: Torus) -> list[str]:
    bilayer, table, electron = torus.bilayer, keys.of(study), torus.bilayer.carrier("electron")
    more = "" if plan.tolerance is None else f" or more, until alpha^2 changes by less than {plan.tolerance:g}"
    seconds = sum(SECONDS[table.state] * (n / 36) ** (1.5 if table.state == "symmetric" else 3) for n in plan.sizes)
    return [*device_lines(bilayer.material, bilayer.scales), *spacing_line(bilayer),
            f"  density    r_s = {electron.rs:.5g} a_e, {electron.density:.6g} a_h^-2",
            f"  sizes      {', '.join(map(str, plan.sizes))} particles; {plan.basis.size} plane waves for {plan.first}"
            + more,
            f"  solve      zero mode {torus.zero_mode}, {table.state} state, occupation {table.occupation}, by "
            f"{table.method}", f"  estimate   {rough_time(seconds)}"]


def _solve(plan: Plan, scales: Scales, run: Hooks) -> Result:
    result = compute(plan, run)
    velocity = result.summary["velocity"]
    if velocity is None or not scales.known:
        return result.with_entries({"velocity_m_per_s": None})
    from scipy.constants import e, hbar

    unit = scales.bohr_radius_nm * 1e-9 * scales.hartree_meV * 1e-3 * e / hbar
    return result.with_entries({"velocity_m_per_s": velocity * unit})
