"""Studies of kind "phases": from the study to the candidates that compete."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.studies.bilayer import spacing_line
from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock.prepare import options_of
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.phases import keys
from ehbilayer.studies.phases.correlated import correlated
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.studies.torus import Contents, contents_of, critical_rs_of, resolved_entries, torus_of, waves_of
from ehbilayer.torus import Torus


def prepare(study: Study) -> Task:
    """The task of a competition. Raises InputError for one that cannot be computed."""
    from ehbilayer.orbitals import PREFIX
    from ehbilayer.phases.bulk import Contest
    from ehbilayer.phases.candidates import applicable

    if keys.of(study).method == "monte-carlo":
        return correlated(study)
    contents, spins = contents_in(study), keys.spins_of(study)
    torus, waves, given = torus_of(study, contents), waves_of(study.cell), options_of(study)
    options = replace(given, starts=1, basis_tolerance=None if waves.named else given.tolerance)
    with by_key(study):
        basis = PlaneWaveBasis(torus.box, waves.on(torus, options.tolerance))
        names: list[str] = list(keys.of(study).candidates or applicable(torus, spins))
        contest = Contest(torus, basis, tuple(names), options, spins, tuple(keys.of(study).sizes or ()))
        contest.check()
        found = contest.candidates
    resolved = resolved_entries(study, torus, basis) | {
        "hartree-fock": asdict(replace(options, starts=given.starts)),
        "phases": {"candidates": list(names), "spins": spins}}
    bilayer = torus.bilayer
    plan = [*device_lines(bilayer.material, bilayer.scales), *spacing_line(bilayer),
            f"  box        {resolved['cell']['shape']}, {torus.area:.6g} a_h^2, {basis.size} plane waves"
            + (" or more" if options.basis_tolerance is not None else ""),
            f"  solve      zero mode {torus.zero_mode}, {', '.join(names)}, tolerance {options.tolerance:g} Ha_h",
            "  spins      " + ("every arrangement of spins and valleys" if spins == "all" else
                               ", ".join(f"{s.name}s {s.spin}" for s in torus.species if s.count))]
    if bilayer.temperature:
        plan.append(f"  at         k_B T = {bilayer.temperature:.6g} Ha_h: free energies compete")
    if contest.sizes:
        plan.append(f"  sizes      {', '.join(map(str, contest.sizes))}, to infinitely many particles")
    grown = sum((n / torus.sites) ** 2 for n in set(contest.sizes) - {torus.sites})  # waves and particles both grow
    inputs = study.canonical()
    inputs["phases"] = inputs.get("phases", {}) | {"spins": spins}
    return Task(study, bilayer.scales, inputs, resolved, tuple(plan), contest.solve,
                seconds=(1 + grown) * sum(c.basis.estimate(c.torus)["seconds"] for c in found if not c.paired),
                extra=_critical(study, contents, torus), carries=(PREFIX,))


def contents_in(study: Study) -> Contents:
    """What is in the box; where all spins compete polarised, as these take the most waves."""
    contents = contents_of(study)
    if keys.spins_of(study) == "given":
        return contents
    return replace(contents, electron_spin="polarized", hole_spin="polarized")


def _critical(study: Study, contents: Contents, torus: Torus) -> dict[str, Any]:
    """Critical r_s of each layer alone, and how far its density lies above the critical one."""
    if study.density.hole_over_critical is None:
        return {"critical_rs": None}
    rs = {name: critical_rs_of(study, contents, name)() for name in contents.numbers}
    over = {c.name: (rs[c.name] / c.rs) ** 2 for c in torus.bilayer.carriers}
    return {"critical_rs": rs.get("hole"), "critical_rs_electron": rs.get("electron"), "over_critical": over}

