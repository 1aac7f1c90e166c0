"""Studies of kind "phases": from the study to the candidates that compete, and the table of what comes back."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Result
from ehbilayer.studies.file import Study
from ehbilayer.studies.particles import Counts, count_particles, make_torus, resolve_scales
from ehbilayer.studies.phases import keys
from ehbilayer.studies.prepare import (
    choose_waves,
    critical_rs_of,
    make_options,
    resolved_parameters,
    spacing_line,
    spins_of,
)
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines

ENERGIES = ("energies", "energy", "margin", "numerical_error")
ROW_ENERGIES = ("energy", "gap", "basis_error", "solver_error", "normal_energy", "towards.energy")
UNITS = {f"candidates.{key}": "Ha_h" for key in ROW_ENERGIES} | {"candidates.seconds": "s"}


def prepare(study: Study) -> Task:
    """The task of a competition. Raises InputError for one that cannot be computed."""
    from ehbilayer.orbitals import PREFIX
    from ehbilayer.phases.competition import applicable, candidates

    scales, counts = resolve_scales(study.bilayer), count_particles(study.cell, study.density.electrons_per_hole)
    options = make_options(study)
    torus = make_torus(study, scales, counts, spins_of(study), critical_rs_of(study, counts))
    basis = PlaneWaveBasis(torus.box, choose_waves(study.cell, torus, options.tolerance))
    names: list[str] = list(keys.of(study).candidates or applicable(torus))
    found = candidates(torus, basis, names, replace(options, starts=1))
    resolved = resolved_parameters(study, torus, basis) | {
        "hartree-fock": asdict(options), "phases": {"candidates": list(names)}}
    plan = [*device_lines(study.bilayer.material, scales), *spacing_line(torus.bilayer),
            f"  box        {resolved['cell']['shape']}, {torus.area:.6g} a_h^2, {basis.size} plane waves"
            + (" or more" if options.basis_tolerance is not None else ""),
            f"  solve      zero mode {torus.zero_mode}, {', '.join(names)}, tolerance {options.tolerance:g} Ha_h"]
    return Task(study, scales, study.canonical(), resolved, tuple(plan), lambda run: _solve(found, run),
                energies=ENERGIES, units=UNITS, extra=_critical(study, counts, resolved["species"]), carries=(PREFIX,))


def _critical(study: Study, counts: Counts, species: dict[str, Any]) -> dict[str, Any]:
    """Critical r_s of each layer alone, and how far its density lies above the critical one."""
    if study.density.hole_over_critical is None:
        return {"critical_rs": None}
    rs = {name: critical_rs_of(study, counts, name)() for name in species}
    return {"critical_rs": rs.get("hole"), "critical_rs_electron": rs.get("electron"),
            "over_critical": {name: (rs[name] / species[name]["rs"]) ** 2 for name in species}}


def _solve(found: list[Any], run: Hooks) -> Result:
    from ehbilayer.phases.competition import compete

    return compete(found, earlier=run.unfinished, initial=run.neighbour, keep_states=run.keep_states,
                   threads=run.threads, backend=run.backend, progress=run.progress, checkpoint=run.checkpoint,
                   should_stop=run.should_stop)
