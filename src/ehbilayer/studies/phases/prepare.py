"""Studies of kind "phases": from the study to the candidates that compete, and the table of what comes back."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hooks import Hooks
from ehbilayer.results.base import Result
from ehbilayer.studies.bilayer import spacing_line
from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock.prepare import options_of
from ehbilayer.studies.phases import keys
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.studies.torus import Contents, choose_waves, contents_of, critical_rs_of, resolved_entries, torus_of
from ehbilayer.torus import Torus

ENERGIES = ("energies", "energy", "margin", "numerical_error")
ROW_ENERGIES = ("energy", "gap", "basis_error", "solver_error", "normal_energy", "towards.energy")
UNITS = {f"candidates.{key}": "Ha_h" for key in ROW_ENERGIES} | {"candidates.seconds": "s"}


def prepare(study: Study) -> Task:
    """The task of a competition. Raises InputError for one that cannot be computed."""
    from ehbilayer.orbitals import PREFIX
    from ehbilayer.phases.competition import applicable, candidates

    contents = contents_of(study)
    torus, options = torus_of(study, contents), options_of(study)
    basis = PlaneWaveBasis(torus.box, choose_waves(study.cell, torus, options.tolerance))
    names: list[str] = list(keys.of(study).candidates or applicable(torus))
    found = candidates(torus, basis, names, replace(options, starts=1))
    resolved = resolved_entries(study, torus, basis) | {
        "hartree-fock": asdict(options), "phases": {"candidates": list(names)}}
    bilayer = torus.bilayer
    plan = [*device_lines(bilayer.material, bilayer.scales), *spacing_line(bilayer),
            f"  box        {resolved['cell']['shape']}, {torus.area:.6g} a_h^2, {basis.size} plane waves"
            + (" or more" if options.basis_tolerance is not None else ""),
            f"  solve      zero mode {torus.zero_mode}, {', '.join(names)}, tolerance {options.tolerance:g} Ha_h"]
    return Task(study, bilayer.scales, study.canonical(), resolved, tuple(plan), lambda run: _solve(found, run),
                energies=ENERGIES, units=UNITS, extra=_critical(study, contents, torus), carries=(PREFIX,))


def _critical(study: Study, contents: Contents, torus: Torus) -> dict[str, Any]:
    """Critical r_s of each layer alone, and how far its density lies above the critical one."""
    if study.density.hole_over_critical is None:
        return {"critical_rs": None}
    rs = {name: critical_rs_of(study, contents, name)() for name in contents.numbers}
    over = {c.name: (rs[c.name] / c.rs) ** 2 for c in torus.bilayer.carriers}
    return {"critical_rs": rs.get("hole"), "critical_rs_electron": rs.get("electron"), "over_critical": over}


def _solve(found: list[Any], run: Hooks) -> Result:
    from ehbilayer.phases.competition import compete

    return compete(found, earlier=run.unfinished, initial=run.neighbour, keep_states=run.keep_states,
                   threads=run.threads, backend=run.backend, progress=run.progress, checkpoint=run.checkpoint,
                   should_stop=run.should_stop)
