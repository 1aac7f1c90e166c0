"""Studies of kind "phases" with ``method = "monte-carlo"``: from the study to the contenders."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ehbilayer.errors import InputError
from ehbilayer.studies.bilayer import device_entries, spacing_line
from ehbilayer.studies.file import Study
from ehbilayer.studies.monte_carlo import keys as monte_carlo
from ehbilayer.studies.monte_carlo.prepare import madelung
from ehbilayer.studies.naming import by_key
from ehbilayer.studies.phases import keys
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.studies.torus import Contents, contents_of, shape_name, torus_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ehbilayer.monte_carlo.trial import Twist
    from ehbilayer.torus import Torus


def correlated(study: Study) -> Task:
    """The task of a competition by Monte Carlo. Raises InputError for one that cannot be computed."""
    from ehbilayer.monte_carlo.competition import Effort, compete
    from ehbilayer.monte_carlo.contenders import fields_of
    from ehbilayer.monte_carlo.twists import twists_of

    spins, table = keys.spins_of(study), monte_carlo.of(study)
    if study.cell.zero_mode == "none":
        raise InputError("cell.zero_mode", "madelung, or absent, for Monte Carlo", "none",
                         "pair potentials of zero average have no other convention")
    with by_key(study):
        twists = twists_of(table.twists)
        torus = _torus(study, spins, twists)
        field, *others = fields_of(torus, keys.of(study).candidates, spins, twists, keys.of(study).sizes or ())
        work = table.model_dump(exclude={"trial", "time_steps", "backflow"})
        effort = Effort.of(field.contenders[0], **work)
    goal = [] if effort.target_error is None else [f"to {effort.target_error:.3g} Ha_h per hole"]
    goal += [] if effort.max_time is None else [f"at most {effort.max_time:g} s"]
    plan = [*device_lines(torus.bilayer.material, torus.bilayer.scales), *spacing_line(torus.bilayer),
            f"  box        {shape_name(study.cell)}, {torus.area:.6g} a_h^2, zero mode madelung",
            f"  solve      {', '.join(field.names)} by Monte Carlo ({effort.method}), {effort.walkers} walkers, "
            f"{', '.join(goal)}, seed {effort.seed}",
            *(f"  {c.name:10s} {', '.join(f'{s.count} {s.name}s {s.spin}' for s in c.torus.species if s.count)}"
              for c in field.contenders)]
    resolved: dict[str, Any] = {
        "kind": study.kind, "bilayer": device_entries(study, torus.bilayer),
        "species": {s.name: s.parameters for s in torus.species},
        "cell": {"shape": shape_name(study.cell), "area": torus.area, "zero_mode": "madelung"},
        "phases": {"method": "monte-carlo", "candidates": field.names, "spins": spins}, "monte-carlo": asdict(effort)}
    plan += [f"  sizes      {', '.join(str(f.sites) for f in (field, *others))} sites, to infinitely many particles"
             for _ in others[:1]]
    inputs = study.canonical()
    inputs["phases"] = inputs["phases"] | {"spins": spins}
    return Task(study, torus.bilayer.scales, inputs, resolved, tuple(plan),
                partial(compete, field, effort, others=others), seed=effort.seed)


def _torus(study: Study, spins: str, twists: Sequence[Twist | None]) -> Torus:
    """The torus with the numbers of the study, or with usual ones where it says none."""
    from ehbilayer.monte_carlo.contenders import USUAL, usual_box

    sized = madelung(study)
    counted = study.cell.holes is not None or study.cell.electrons is not None
    contents = contents_of(sized) if counted else _first_that_fits(sized, USUAL[spins])
    if spins == "all":
        contents = replace(contents, electron_spin="polarized", hole_spin="polarized")
    torus = torus_of(sized, contents)
    return torus if counted else usual_box(torus, spins, twists)


def _first_that_fits(study: Study, counts: tuple[int, ...]) -> Contents:
    """What the box holds with the first of these numbers of holes that gives whole numbers of electrons."""
    failed: InputError | None = None
    for count in counts:
        cell = study.cell.model_copy(update={"holes": count})
        try:
            return contents_of(replace(study, keys=study.keys.model_copy(update={"cell": cell})))
        except InputError as error:
            failed = failed or error
    assert failed is not None
    raise failed
