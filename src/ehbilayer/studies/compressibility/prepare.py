"""Studies of kind "compressibility": from the study to the tori that are computed, and the table of what comes back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ehbilayer.basis.plane_waves import PlaneWaveBasis, waves_for_tolerance
from ehbilayer.compressibility.bulk_modulus import StateOptions, reference
from ehbilayer.compressibility.size_limit import START_TOLERANCE, electron_gas
from ehbilayer.compressibility.study import Plan, compute
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.numerics.lattice import Cell, box_of_shape
from ehbilayer.results.base import Result
from ehbilayer.studies.file import Study
from ehbilayer.studies.particles import count_particles, make_area, make_bilayer, resolve_scales
from ehbilayer.studies.prepare import box_shape, choose_waves, critical_rs_of, resolved_parameters, spacing_line
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines, rough_time
from ehbilayer.units import Scales

ENERGIES = ("energy", "fermi_energy")
SOLVER_TOLERANCE = 1e-10  # Ha_h per particle at most: second differences need it
UNITS = {"bulk_modulus": "Ha_h/a_h^2", "reference_bulk_modulus": "Ha_h/a_h^2", "pressure": "Ha_h/a_h^2",
         "velocity": "a_h Ha_h", "velocity_with_capacitor": "a_h Ha_h", "velocity_unit": "a_h Ha_h",
         "velocity_m_per_s": "m/s", "area": "a_h^2"}
SECONDS = {"symmetric": 3.0, "lowest": 90.0}  # of 36 pairs, about


def prepare(study: Study) -> Task:
    """The task of a compressibility study. Raises InputError for one that cannot be computed."""
    scales, table = resolve_scales(study.bilayer), study.compressibility
    bilayer = _bilayer(study, scales)
    area = make_area(study, scales, bilayer, critical_rs_of(study, bilayer))
    reference(bilayer, area)
    sizes = tuple(sorted(set(table.sizes or [bilayer.sites])))
    first = bilayer.sites if bilayer.sites in sizes else sizes[0]
    _check_sizes(sizes, bilayer)
    bilayers = {n: _of_size(study, scales, n) for n in sizes}
    box = box_of_shape(box_shape(study), area * first / bilayer.sites)
    basis = PlaneWaveBasis(box, _waves(study, bilayer, bilayers[first], box))
    solver = study.hartree_fock
    options = StateOptions(table.state, table.occupation, min(solver.tolerance, SOLVER_TOLERANCE), table.starts,
                           solver.seed, solver.max_iterations)
    plan = Plan(bilayers, basis, first, sizes, options, table.method, None if _explicit(study) else table.tolerance)
    resolved = resolved_parameters(study, scales, bilayers[first], basis) | {
        "compressibility": asdict(options) | {"method": table.method, "sizes": list(sizes), "tolerance": plan.tolerance,
                                              "solver_tolerance": options.tolerance}}
    return Task(study, scales, study.canonical(), resolved, tuple(_plan_lines(study, plan, scales)),
                lambda run: _solve(plan, scales, run), seed=options.seed, energies=ENERGIES, units=UNITS)


def _bilayer(study: Study, scales: Scales) -> Bilayer:
    counts = count_particles(study)
    if counts.holes and counts.electrons != counts.holes:
        raise InputError("density.electrons_per_hole", "1 for a compressibility, or cell.electrons alone",
                         study.density.electrons_per_hole, "alpha^2 is that of the electron liquid on a hole crystal")
    return make_bilayer(study, scales, counts)


def _check_sizes(sizes: tuple[int, ...], bilayer: Bilayer) -> None:
    """Raises InputError for a number of particles that restricted spins do not share."""
    for s in bilayer.species:
        bad = [n for n in sizes if s.spin == "restricted" and n % s.flavours]
        if bad:
            raise InputError("compressibility.sizes", f"multiples of {s.flavours} while {s.name}_spin is restricted",
                             bad[0], f"leave it out, or choose another hartree-fock.{s.name}_spin")


def _of_size(study: Study, scales: Scales, count: int) -> Bilayer:
    """The bilayer with another number of particles."""
    key = "holes" if study.cell.holes is not None else "electrons"
    other = study.model_copy(update={"cell": study.cell.model_copy(update={key: count})})
    return make_bilayer(other, scales, count_particles(other))


def _explicit(study: Study) -> bool:
    return any(getattr(study.cell, key) is not None for key in ("plane_waves", "hexagon", "cutoff"))


def _waves(study: Study, bilayer: Bilayer, first: Bilayer, box: Cell) -> Any:
    """The waves of the first torus: those of [cell] for its own number of particles, else from the tolerance."""
    if not _explicit(study):
        return waves_for_tolerance(first, box, START_TOLERANCE)
    if first.sites != bilayer.sites and study.cell.cutoff is None:
        raise InputError("compressibility.sizes", f"a list with {bilayer.sites}, whose plane waves [cell] gives",
                         study.compressibility.sizes, "add it, or give cell.cutoff or no plane waves at all")
    return choose_waves(study, first, box)


def _plan_lines(study: Study, plan: Plan, scales: Scales) -> list[str]:
    bilayer, table = plan.bilayers[plan.first], study.compressibility
    electrons, area = next(s.count for s in bilayer.species if s.name == "electron"), plan.basis.box.area
    more = "" if plan.tolerance is None else f" or more, until alpha^2 changes by less than {plan.tolerance:g}"
    seconds = sum(SECONDS[table.state] * (n / 36) ** (1.5 if table.state == "symmetric" else 3) for n in plan.sizes)
    return [*device_lines(study.bilayer.material, scales), *spacing_line(bilayer, scales),
            f"  density    r_s = {electron_gas(bilayer, area)[0]:.5g} a_e, {electrons / area:.6g} a_h^-2",
            f"  sizes      {', '.join(map(str, plan.sizes))} particles; {plan.basis.size} plane waves for {plan.first}"
            + more,
            f"  solve      zero mode {bilayer.zero_mode}, {table.state} state, occupation {table.occupation}, by "
            f"{table.method}", f"  estimate   {rough_time(seconds)}"]


def _solve(plan: Plan, scales: Scales, run: Hooks) -> Result:
    result = compute(plan, run)
    velocity = result.summary["velocity"]
    if velocity is None or not scales.known:
        return result.with_entries({"velocity_m_per_s": None})
    from scipy.constants import e, hbar

    unit = scales.bohr_radius_nm * 1e-9 * scales.hartree_meV * 1e-3 * e / hbar
    return result.with_entries({"velocity_m_per_s": velocity * unit})
