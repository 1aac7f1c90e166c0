"""Studies of kind "condensate": from the study to pairs in the plane or on a torus, and the plan."""

from __future__ import annotations

from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.model import Bilayer
from ehbilayer.studies.bilayer import (
    bilayer_at,
    bilayer_of,
    device_entries,
    given_critical_rs,
    require_pairs,
    scales_of,
    spacing_line,
)
from ehbilayer.studies.condensate import keys
from ehbilayer.studies.file import Study
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.studies.torus import Contents, shape_name, torus_of, waves_of


def prepare(study: Study) -> Task:
    """The task of a condensate study. Raises InputError for one that cannot be computed."""
    require_pairs(study.density, "a condensate", "every electron has its hole")
    with by_key(study):
        return _in_plane(study) if keys.of(study).limit == "thermodynamic" else _on_torus(study)


def _in_plane(study: Study) -> Task:
    """The infinite plane, at a density or at a chemical potential, from which the density follows."""
    from ehbilayer.condensate.problem import PlaneProblem

    table, numbers, mu = keys.of(study), {"electron": 1, "hole": 1}, _chemical_potential(study)
    if mu is None:
        bilayer = bilayer_of(study, numbers, given_critical_rs(study.density, "the infinite plane"))
    else:
        bilayer = bilayer_at(study, dict.fromkeys(numbers, 0.0))
    problem = PlaneProblem.of(bilayer, spin=table.spin, capacitor=study.bilayer.capacitor, chemical_potential=mu,
                              tolerance=table.tolerance, curve_points=table.curve_points,
                              screening=table.screening)
    plan = [*_head(bilayer, mu),
            f"  solve      infinite plane, {_spin_text(problem.pairs.flavours)}, tolerance {table.tolerance:g} Ha_h "
            f"per pair, " + (f"{table.curve_points} densities" if table.screening == "none" else
                            f"screened by the {table.screening} state")]
    return Task(study, bilayer.scales, study.canonical(), _resolved(study, bilayer, mu), tuple(plan), problem.solve)


def _on_torus(study: Study) -> Task:
    from ehbilayer.condensate.problem import TorusProblem

    table, count = keys.of(study), study.cell.holes
    if count is None:
        raise InputError("cell.holes", "the number of pairs on a torus, an integer >= 1", "missing",
                         'give it, or set condensate.limit = "thermodynamic"')
    if table.chemical_potential is not None:
        raise InputError("condensate.chemical_potential", 'absent unless condensate.limit = "thermodynamic"',
                         table.chemical_potential, "a torus has a fixed number of pairs")
    torus = torus_of(study, Contents(count, count, "polarized", "polarized"))
    problem = TorusProblem.of(torus, waves_of(study.cell), spin=table.spin, tolerance=table.tolerance,
                              curve_points=table.curve_points, screening=table.screening)
    waves = problem.waves
    sized = f"{len(waves)} plane waves" if waves is not None else "plane waves from the tolerance"
    plan = [*_head(torus.bilayer), f"  box        {shape_name(study.cell)}, {torus.area:.6g} a_h^2, {count} "
            f"pairs, {sized}, zero mode {torus.zero_mode}"]
    resolved = _resolved(study, torus.bilayer)
    resolved["cell"] |= {"vectors": torus.box.vectors.tolist(), "area": torus.area}
    return Task(study, torus.bilayer.scales, study.canonical(), resolved, tuple(plan), problem.solve,
                carries=() if waves is None else ("waves", "angle"))


def _chemical_potential(study: Study) -> float | None:
    """Of a pair, in Ha_h. Raises InputError where a density is given too."""
    given = keys.of(study).chemical_potential
    if given is None:
        return None
    said = study.density.model_dump(exclude_none=True, exclude={"electrons_per_hole", "critical_rs"})
    if said:
        raise InputError("condensate.chemical_potential", "absent where a density is given", given,
                         f"remove it or density.{next(iter(said))}")
    return scales_of(study).to_atomic(given, "energy", "condensate.chemical_potential")


def _resolved(study: Study, bilayer: Bilayer, mu: float | None = None) -> dict[str, Any]:
    """All parameters with defaults, in hole atomic units (masses in m0 as given, and as used)."""
    table, electron = keys.of(study), bilayer.carrier("electron")
    return {
        "kind": study.kind,
        "bilayer": device_entries(study, bilayer),
        "pairs": {"mass_ratio": electron.mass, "density": electron.density if mu is None else None,
                  "chemical_potential": mu, "spin": table.spin, "flavours": electron.flavours},
        "cell": study.cell.model_dump() if table.limit is None else {},
        "condensate": table.model_dump() | {"chemical_potential": mu},
    }


def _head(bilayer: Bilayer, mu: float | None = None) -> list[str]:
    """Plan lines: device, spacing and density."""
    scales, hole = bilayer.scales, bilayer.carrier("hole")
    head = [*device_lines(bilayer.material, scales), *spacing_line(bilayer)]
    if mu is not None:
        return [*head, f"  pairs      chemical potential {mu:.8g} Ha_h; the density follows from it"]
    real = f" = {scales.density_per_cm2(hole.density):.4g} cm^-2" if scales.known else ""
    return [*head, f"  pairs      density {hole.density:.6g} a_h^-2{real}, r_s = {hole.rs:.5g} a_h"]


def _spin_text(flavours: int) -> str:
    return "polarized" if flavours == 1 else f"{flavours} flavours"
