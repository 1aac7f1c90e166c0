"""Studies of kind "condensate": from the study to pairs in the plane or on a torus, and the table of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ehbilayer.condensate.result import CondensateResult
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.interaction.base import require_coulomb
from ehbilayer.model import Bilayer
from ehbilayer.status import Status
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
from ehbilayer.studies.keys import names_waves
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.studies.torus import Contents, choose_waves, shape_name, torus_of
from ehbilayer.torus import Torus

if TYPE_CHECKING:
    from ehbilayer.condensate.curve import Evaluate, Point
    from ehbilayer.condensate.radial import Pairs
    from ehbilayer.condensate.torus import Angles

MORE = "loosen condensate.tolerance; on a torus more plane waves help, at short spacings the infinite plane"



def prepare(study: Study) -> Task:
    """The task of a condensate study. Raises InputError for one that cannot be computed."""
    require_pairs(study.density, "a condensate", "every electron has its hole")
    return _in_plane(study) if keys.of(study).limit == "thermodynamic" else _on_torus(study)


def _in_plane(study: Study) -> Task:
    """The infinite plane, at a density or at a chemical potential, from which the density follows."""
    table, numbers = keys.of(study), {"electron": 1, "hole": 1}
    mu, flavours = _chemical_potential(study), _flavours(study)
    if mu is None:
        bilayer = bilayer_of(study, numbers, given_critical_rs(study.density, "the infinite plane"))
    else:
        bilayer = bilayer_at(study, dict.fromkeys(numbers, 0.0))
    pairs = _pairs(bilayer, flavours, study.bilayer.capacitor)
    plan = [*_head(bilayer, mu),
            f"  solve      infinite plane, {_spin_text(flavours)}, tolerance {table.tolerance:g} Ha_h per pair, "
            f"{table.curve_points} densities"]
    resolved = _resolved(study, bilayer, mu)
    return Task(study, bilayer.scales, study.canonical(), resolved, tuple(plan),
                lambda run: _solve_limit(study, pairs, mu, run))


def _on_torus(study: Study) -> Task:
    if study.cell.holes is None:
        raise InputError("cell.holes", "the number of pairs on a torus, an integer >= 1", "missing",
                         'give it, or set condensate.limit = "thermodynamic"')
    count, flavours, spin = study.cell.holes, _flavours(study), keys.of(study).spin
    if count % flavours:
        raise InputError("cell.holes", f"a multiple of {flavours}, the flavours of a restricted condensate", count,
                         "change it, or polarise")
    if keys.of(study).chemical_potential is not None:
        raise InputError("condensate.chemical_potential", 'absent unless condensate.limit = "thermodynamic"',
                         keys.of(study).chemical_potential, "a torus has a fixed number of pairs")
    torus = torus_of(study, Contents(count, count, spin, spin))
    waves = _waves(study, torus)
    sized = f"{len(waves)} plane waves" if waves is not None else "plane waves from the tolerance"
    plan = [*_head(torus.bilayer), f"  box        {shape_name(study.cell)}, {torus.area:.6g} a_h^2, {count} "
            f"pairs, {sized}, zero mode {torus.zero_mode}"]
    resolved = _resolved(study, torus.bilayer)
    resolved["cell"] |= {"vectors": torus.box.vectors.tolist(), "area": torus.area}
    return Task(study, torus.bilayer.scales, study.canonical(), resolved, tuple(plan),
                lambda run: _solve_torus(study, torus, waves, run),
                carries=() if waves is None else ("waves", "angle"))


def _flavours(study: Study) -> int:
    """Flavours that pair, each with its own. Raises InputError where electrons and holes differ in theirs."""
    table = study.bilayer
    if keys.of(study).spin != "restricted":
        return 1
    if table.electron_flavours != table.hole_flavours:
        raise InputError("bilayer.electron_flavours", f"equal to hole_flavours ({table.hole_flavours}) where "
                         'condensate.spin = "restricted"', table.electron_flavours, "pairs form flavour by flavour")
    return table.hole_flavours


def _chemical_potential(study: Study) -> float | None:
    """Of a pair, in Ha_h. Raises InputError where a density is given too."""
    given = keys.of(study).chemical_potential
    if given is None:
        return None
    said = study.density.model_dump(exclude_none=True, exclude={"electrons_per_hole", "critical_rs"})
    if said:
        raise InputError("condensate.chemical_potential", "absent where a density is given", given,
                         f"remove it or density.{next(iter(said))}")
    if keys.of(study).curve_points < 10:
        raise InputError("condensate.curve_points", "at least 10 where the density follows from a chemical potential",
                         keys.of(study).curve_points, "leave it out")
    return scales_of(study.bilayer).to_atomic(given, "energy", "condensate.chemical_potential")


def _waves(study: Study, torus: Torus) -> Any:
    """The waves that [cell] names; None where they follow from the tolerance."""
    if not names_waves(study.cell):
        return None
    waves = choose_waves(study.cell, torus, keys.of(study).tolerance)
    pairs = torus.species[0].count // torus.species[0].occupied_flavours
    if pairs >= len(waves):
        raise InputError("cell", f"more than {pairs} plane waves, the pairs of one flavour",
                         len(waves), "enlarge the basis")
    return waves


def _pairs(bilayer: Bilayer, flavours: int, capacitor: bool) -> Pairs:
    from ehbilayer.condensate.radial import Pairs

    require_coulomb(bilayer.interaction, "the condensate of the infinite plane")
    return Pairs(bilayer.mass_ratio, bilayer.spacing, bilayer.carrier("hole").density, flavours, capacitor)


def _solve_limit(study: Study, pairs: Pairs, mu: float | None, run: Hooks) -> CondensateResult:
    """The infinite plane: the curve E(n) first where the density follows from it, else last."""
    from ehbilayer.condensate.curve import coexistences, densities, density_at, limit_evaluator, reaching
    from ehbilayer.condensate.radial import find, report
    from ehbilayer.few_body.exciton import solve_exciton

    table = keys.of(study)
    lone = solve_exciton(pairs.electron_mass, pairs.spacing).energy
    evaluate = limit_evaluator(pairs, max(table.tolerance, 1e-10))
    grid: Sequence[float] = densities(pairs, table.curve_points).tolist() if table.curve_points else []
    points: list[Point] = []
    if mu is not None:
        points, _ = _curve(evaluate, grid, replace(run, should_stop=lambda: None))  # without it there is no density
        points = reaching(evaluate, points, mu)
        found = coexistences(evaluate, points)
        first = min([lone, *(c.chemical_potential for c in found)])
        pairs = replace(pairs, density=density_at(evaluate, points, mu, first))
    run.progress(f"density {pairs.density:.4g} a_h^-2")
    result = report(find(pairs, table.tolerance, should_stop=run.should_stop), table.tolerance)
    result = replace(result, exciton_energy=lone)
    return _with_curve(result, evaluate, points, grid, pairs.density, run)


def _solve_torus(study: Study, torus: Torus, waves: Any, run: Hooks) -> CondensateResult:
    """A torus: the state, then E(n) at fixed area with any number of pairs."""
    from ehbilayer.basis.plane_waves import PlaneWaveBasis
    from ehbilayer.condensate.curve import densities, torus_evaluator
    from ehbilayer.condensate.torus import make_gas, residual_target, solve, solve_to_tolerance

    table, area = keys.of(study), torus.area
    run.progress(f"{torus.species[1].count} pairs")
    if waves is None:
        result = solve_to_tolerance(torus, tolerance=table.tolerance, should_stop=run.should_stop)
    else:
        basis = PlaneWaveBasis(torus.box, waves, real=True)
        result = solve(torus, basis, tolerance=table.tolerance, initial=_start(run), should_stop=run.should_stop)
    kept = result.data["waves"].values
    gas = make_gas(torus, kept)
    evaluate = torus_evaluator(gas, area, residual_target(table.tolerance))
    result = replace(result, exciton_energy=evaluate(1e-6 / area).energy)
    pairs = _pairs(torus.bilayer, gas.flavours, torus.capacitor)
    grid = [float(n) for n in densities(pairs, table.curve_points) if 0.5 < n * area < 0.5 * len(kept) * gas.flavours]
    return _with_curve(result, evaluate, [], grid, gas.pairs / area, run)


def _start(run: Hooks) -> Angles | None:
    """What to start from: a result that was asked for, or the pairs of a neighbouring point."""
    from ehbilayer.condensate.torus import angles_of

    paired = run.neighbour is not None and run.neighbour.summary["phase"] == "condensate"
    return angles_of(run.initial or (run.neighbour if paired else None))


def _curve(evaluate: Evaluate, grid: Sequence[float], run: Hooks) -> tuple[list[Point], Status | None]:
    """E(n) at the densities of the grid, as far as there is time; Status where there was not."""
    from ehbilayer.condensate.curve import UnsolvedError

    points: list[Point] = []
    for i, n in enumerate(grid):
        stopped = run.should_stop()
        if stopped is not None:
            return points, stopped
        run.progress(f"energy against density: {i + 1} of {len(grid)}")
        try:
            points.append(evaluate(n))
        except UnsolvedError:  # the curve does without this density
            continue
    return points, None


def _with_curve(result: CondensateResult, evaluate: Evaluate, points: list[Point], grid: Sequence[float],
                density: float, run: Hooks) -> CondensateResult:
    """The result with E(n) and its Maxwell constructions, where they are asked for."""
    from ehbilayer.condensate.curve import UnsolvedError, arrays, coexistences, separates

    if result.status is Status.not_converged:
        result = replace(result, advice=MORE)
    stopped = None
    if not points and result.status is Status.converged:
        points, stopped = _curve(evaluate, grid, run)
    if stopped is not None or len(points) < 3:
        return replace(result, status=stopped or result.status)
    result = replace(result, data=result.data | arrays(points))
    try:
        found = coexistences(evaluate, points)
    except UnsolvedError:
        return result
    return replace(result, coexistence=tuple(found), separates=separates(found, density))


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
