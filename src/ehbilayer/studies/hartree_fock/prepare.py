"""Studies of kind "hartree-fock": from the study to the problem that is solved, and the plan."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ehbilayer.errors import InputError
from ehbilayer.results.files import read_bytes
from ehbilayer.studies.bilayer import spacing_line
from ehbilayer.studies.file import Study
from ehbilayer.studies.hartree_fock import keys
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines, potential_text
from ehbilayer.studies.torus import contents_of, critical_rs_of, resolved_entries, torus_of, waves_of
from ehbilayer.units import nearest

if TYPE_CHECKING:
    from ehbilayer.hartree_fock.options import Options
    from ehbilayer.hartree_fock.problem import Problem

OPTIONS = ("spin_order", "starts", "seed", "keep", "follow", "occupation", "tolerance", "max_iterations", "stability",
           "pairing", "pair_momentum")


@dataclass(frozen=True)
class Prepared:
    """A study ready to compute.

    ``resolved`` lists every parameter, defaults included, in hole atomic units; ``inputs`` is what identifies the
    calculation.
    """

    study: Study
    problem: Problem
    resolved: dict[str, Any]
    inputs: dict[str, Any]
    critical_rs: float | None


def prepare(study: Study) -> Task:
    """The task of a Hartree-Fock study. Raises InputError for one that cannot be computed."""
    prepared = problem_of(study)
    problem = prepared.problem
    return Task(study, problem.torus.bilayer.scales, prepared.inputs, prepared.resolved, tuple(_plan(prepared)),
                problem.solve, seed=problem.options.seed, extra={"critical_rs": prepared.critical_rs},
                carries=problem.carries, seconds=problem.estimate["seconds"])


def problem_of(study: Study) -> Prepared:
    """Everything a Hartree-Fock calculation needs, checked; computes nothing but a critical r_s that is asked for.

    Raises InputError for a study that cannot be computed: one line, the dotted key and the way out.
    """
    from ehbilayer.hartree_fock.problem import Problem

    start, file, contents = keys.of(study).start, _start_file(study), contents_of(study)
    torus = torus_of(study, contents)
    with by_key(study):
        problem = Problem.of(torus, file or start, options_of(study), waves_of(study.cell),
                             symmetry=study.cell.symmetry, holes_per_cell=study.cell.holes_per_cell,
                             sizes=keys.of(study).sizes or ())
    inputs = study.canonical()
    if file is not None:
        inputs["start_sha256"] = hashlib.sha256(read_bytes(file)).hexdigest()
    resolved = resolved_entries(study, torus, problem.basis) | {
        "hartree-fock": asdict(problem.options) | {"start": start}}
    refers = study.density.hole_over_critical is not None
    return Prepared(study, problem, resolved, inputs, critical_rs_of(study, contents)() if refers else None)


def options_of(study: Study) -> Options:
    """Solver options of [hartree-fock] without its start."""
    from ehbilayer.hartree_fock.options import Options

    return Options(**{key: getattr(keys.of(study), key) for key in OPTIONS})


def _start_file(study: Study) -> Path | None:
    """The result file that the study starts from, if it names one."""
    start, names = keys.of(study).start, (*keys.STARTS, *keys.WITH_PAIRS)
    path = None if start in names else study.result_file(start)
    if start in names or path is not None:
        return path
    raise InputError("hartree-fock.start", " | ".join(names) + " | an existing result file", start[:60],
                     nearest(start, names, "no such file; check the path"))


def _plan(prepared: Prepared) -> list[str]:
    """What is about to be computed: device, species, density, box, basis, convention and memory."""
    study, cell, problem = prepared.study, prepared.resolved["cell"], prepared.problem
    bilayer, options = problem.torus.bilayer, problem.options
    lines = [*device_lines(bilayer.material, bilayer.scales), *spacing_line(bilayer)]
    for name, s in prepared.resolved["species"].items():
        real = f" = {bilayer.scales.density_per_cm2(s['density']):.4g} cm^-2" if bilayer.scales.known else ""
        unit = "a_e" if name == "electron" else "a_h"
        lines.append(f"  {name + 's':10s} {s['count']}, {s['spin']}; density {s['density']:.6g} a_h^-2{real}, "
                     f"r_s = {s['rs']:.5g} {unit}")
    if bilayer.potential is not None:
        lines.append(f"  potential  {potential_text(bilayer.potential.parameters, bilayer.scales)}")
    if prepared.critical_rs is not None:
        lines.append(f"  critical   r_s = {prepared.critical_rs:.5g} a_h ({study.density.critical_rs})")
    sort = "the whole box free" if cell["cells"] == 1 else f"a cell with {cell['cells']} k points"
    more = " or more" if options.basis_tolerance is not None else ""
    lines.append(f"  box        {cell['shape']}, {cell['area']:.6g} a_h^2, {cell['basis_size']} plane waves{more}, "
                 f"{sort}")
    lines.append(f"  solve      zero mode {cell['zero_mode']}, start {keys.of(study).start}, {options.starts} "
                 f"start{'s' * (options.starts > 1)}, keep {options.keep}, occupation {options.occupation}, "
                 f"tolerance {options.tolerance:g} Ha_h" + (", pairing" if options.pairing else ""))
    lines.append(f"  memory     {problem.estimate['memory_bytes'] / 1e6:.0f} MB")
    return lines
