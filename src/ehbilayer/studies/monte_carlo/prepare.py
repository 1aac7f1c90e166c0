"""Studies of kind "monte-carlo": from the study to a trial function on a torus."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from ehbilayer.errors import InputError
from ehbilayer.monte_carlo.problem import MonteCarloProblem
from ehbilayer.results.files import read_bytes
from ehbilayer.studies.bilayer import device_entries, spacing_line
from ehbilayer.studies.file import Study
from ehbilayer.studies.monte_carlo import keys
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.studies.torus import contents_of, shape_name, torus_of
from ehbilayer.torus import Torus
from ehbilayer.units import nearest


def prepare(study: Study) -> Task:
    """The task of a Monte Carlo study. Raises InputError for one that cannot be computed."""
    table = keys.of(study)
    if study.cell.zero_mode == "none":
        raise InputError("cell.zero_mode", "madelung, or absent, for monte-carlo", "none",
                         "pair potentials of zero average have no other convention")
    file, inputs = _trial_file(study), study.canonical()
    with by_key(study):
        torus = torus_of(madelung(study), contents_of(study))
        problem = MonteCarloProblem.of(torus, **table.model_dump() | {"trial": file or table.trial})
    if file is not None:
        inputs["trial_sha256"] = hashlib.sha256(read_bytes(file)).hexdigest()
    several = f"{table.twists} twists, " if isinstance(table.twists, int) else f"twist {table.twists}, "
    many = "" if table.twists is None else several
    spins = ", ".join(f"{s.count} {s.name}s {s.spin}" for s in torus.species if s.count)
    goal = [] if problem.target_error is None else [f"to {problem.target_error:.3g} Ha_h per hole"]
    goal += [] if problem.max_time is None else [f"at most {problem.max_time:g} s"]
    plan = [*device_lines(torus.bilayer.material, torus.bilayer.scales), *spacing_line(torus.bilayer),
            f"  box        {shape_name(study.cell)}, {torus.area:.6g} a_h^2, {spins}, zero mode madelung",
            f"  solve      {table.trial} by {table.method}, {many}{table.walkers} walkers, {', '.join(goal)}, "
            f"seed {table.seed}"]
    return Task(study, torus.bilayer.scales, inputs, _resolved(study, torus, problem), tuple(plan),
                problem.solve, seed=table.seed, shared_out=True)


def _trial_file(study: Study) -> Path | None:
    """The result file that the trial function is from, if the study names one."""
    trial = keys.of(study).trial
    path = None if trial in keys.TRIALS else study.result_file(trial)
    if trial in keys.TRIALS or path is not None:
        return path
    raise InputError("monte-carlo.trial", " | ".join(keys.TRIALS) + " | an existing result file", trial[:60],
                     nearest(trial, keys.TRIALS, "no such file; check the path"))


def madelung(study: Study) -> Study:
    """The study with the only convention that there is."""
    cell = study.cell.model_copy(update={"zero_mode": "madelung"})
    return replace(study, keys=study.keys.model_copy(update={"cell": cell}))


def _resolved(study: Study, torus: Torus, problem: MonteCarloProblem) -> dict[str, Any]:
    """All parameters with defaults, in hole atomic units."""
    return {"kind": study.kind, "bilayer": device_entries(study, torus.bilayer),
            "species": {s.name: s.parameters for s in torus.species},
            "cell": {"shape": shape_name(study.cell), "vectors": torus.box.vectors.tolist(), "area": torus.area,
                     "zero_mode": "madelung"},
            "monte-carlo": keys.of(study).model_dump() | {"target_error": problem.target_error}}
