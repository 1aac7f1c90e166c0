"""Studies of kind "hartree-fock": from the study to one call of the solver, and the table of what comes back."""

from __future__ import annotations

from typing import Any

from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Result
from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock import keys
from ehbilayer.studies.prepare import Prepared, spacing_line
from ehbilayer.studies.prepare import prepare as prepare_hartree_fock
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines, rough_time

ENERGIES = ("energy", "energy_per_particle", "energy_parts", "gap", "gap_error", "fermi_energy")
UNITS = {"pressure": "Ha_h/a_h^2", "residual": "Ha_h"}
ALONE = ("liquid", "random", "path")  # starts that gain nothing from a neighbour, or are not to have one


def prepare(study: Study) -> Task:
    """The task of a Hartree-Fock study. Raises InputError for one that cannot be computed."""
    prepared = prepare_hartree_fock(study)
    return Task(study, prepared.scales, prepared.inputs, prepared.resolved, tuple(_plan(prepared)),
                lambda run: _solve(prepared, run), seed=prepared.options.seed, energies=ENERGIES, units=UNITS,
                start=prepared.start, extra={"critical_rs": prepared.critical_rs},
                carries=() if prepared.options.start in ALONE else ("waves", "orbitals_", "occupations_"))


def _solve(prepared: Prepared, run: Hooks) -> Result:
    from ehbilayer.hartree_fock.cutoff import orbitals_of
    from ehbilayer.hartree_fock.solver import solve
    from ehbilayer.hartree_fock.starts import How

    def progress(state: dict[str, Any]) -> None:
        run.progress(progress_line(state))

    def checkpoint(result: Result) -> None:
        run.checkpoint(_both_species(result))

    initial = run.initial or _neighbour(prepared, run.neighbour)
    how = How(run.backend, run.threads, progress, checkpoint, run.should_stop)
    result = solve(prepared.torus, prepared.basis, prepared.options, how,
                   initial=None if initial is None else orbitals_of(initial), unfinished=run.unfinished)
    return _both_species(result)


def _neighbour(prepared: Prepared, neighbour: Result | None) -> Result | None:
    """The result of a neighbouring point of the same particles if it still is the phase that this study starts from."""
    if neighbour is None:
        return None
    from ehbilayer.hartree_fock.handover import may_go_on, same_particles

    s = neighbour.summary
    if not same_particles(prepared.torus, neighbour.inputs):
        return None
    return neighbour if may_go_on(prepared.options.start, s["phase"], s["sea_depletion"]) else None


def _both_species(result: Result) -> Result:
    """The summary names both species; one that is absent is null."""
    present = result.summary.get("particles") or {}
    named = {name: present.get(name) for name in ("electron", "hole")} | present
    return result.with_entries({"particles": named})


def progress_line(state: dict[str, Any]) -> str:
    """One line on where a calculation is."""
    start = f"start {state['start']}/{state['starts']}  " if state.get("starts", 1) > 1 else ""
    return (f"{start}iteration {state['iteration']:4d}  energy/particle {state['energy_per_particle']:+.10f} Ha_h  "
            f"residual {state['residual']:.1e} (target {state['target']:.1e})")


def _plan(prepared: Prepared) -> list[str]:
    """What is about to be computed: device, species, density, box, basis, convention, memory and rough time."""
    study, cell = prepared.study, prepared.resolved["cell"]
    lines = [*device_lines(study.bilayer.material, prepared.scales), *spacing_line(prepared.torus.bilayer)]
    for name, s in prepared.resolved["species"].items():
        real = ""
        if prepared.scales.known:
            real = f" = {prepared.scales.density_per_cm2(s['density']):.4g} cm^-2"
        unit = "a_e" if name == "electron" else "a_h"
        lines.append(f"  {name + 's':10s} {s['count']}, {s['spin']}; density {s['density']:.6g} a_h^-2{real}, "
                     f"r_s = {s['rs']:.5g} {unit}")
    if prepared.critical_rs is not None:
        lines.append(f"  critical   r_s = {prepared.critical_rs:.5g} a_h ({study.density.critical_rs})")
    sort = "the whole box free" if cell["cells"] == 1 else f"a cell with {cell['cells']} k points"
    options = prepared.options
    more = " or more" if options.basis_tolerance is not None else ""
    lines.append(f"  box        {cell['shape']}, {cell['area']:.6g} a_h^2, {cell['basis_size']} plane waves{more}, "
                 f"{sort}")
    lines.append(f"  solve      zero mode {cell['zero_mode']}, start {keys.of(study).start}, {options.starts} "
                 f"start{'s' * (options.starts > 1)}, keep {options.keep}, occupation {options.occupation}, "
                 f"tolerance {options.tolerance:g} Ha_h")
    lines.append(f"  estimate   {prepared.estimate['memory_bytes'] / 1e6:.0f} MB, "
                 f"{rough_time(prepared.estimate['seconds'])}")
    return lines
