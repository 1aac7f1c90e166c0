"""Studies of kind "condensate": from the study to pairs in the plane or on a torus, and the table of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ehbilayer.condensate.result import CondensateResult
from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.model import Bilayer
from ehbilayer.numerics.lattice import Cell, box_of_shape
from ehbilayer.results.base import Result
from ehbilayer.status import Status
from ehbilayer.studies.file import Study
from ehbilayer.studies.particles import Counts, make_area, resolve_scales
from ehbilayer.studies.particles import make_bilayer as make_hartree_fock_bilayer
from ehbilayer.studies.prepare import box_shape, choose_waves, critical_rs_of, resolved_device, spacing_line
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.units import Scales, rs_from_density

if TYPE_CHECKING:
    from ehbilayer.condensate.curve import Evaluate, Point
    from ehbilayer.condensate.radial import Pairs

MORE = "loosen condensate.tolerance; on a torus more plane waves help, at short spacings the infinite plane"


def prepare(study: Study) -> Task:
    """The task of a condensate study. Raises InputError for one that cannot be computed."""
    scales = resolve_scales(study.bilayer)
    limit = study.condensate.limit == "thermodynamic"
    if not limit and study.cell.holes is None:
        raise InputError("cell.holes", "the number of pairs on a torus, an integer >= 1", "missing",
                         'give it, or set condensate.limit = "thermodynamic"')
    bilayer = make_bilayer(study, scales, limit)
    mu = _chemical_potential(study, scales, limit)
    count = bilayer.species[1].count
    density = 0.01 if mu is not None else count / make_area(study, scales, bilayer, critical_rs_of(study, bilayer))
    resolved = _resolved(study, scales, bilayer, None if mu is not None else density, mu)
    plan = [*device_lines(study.bilayer.material, scales), *spacing_line(bilayer, scales),
            _density_line(scales, density, mu)]
    carries: tuple[str, ...] = ()
    if limit:
        pairs = _pairs(bilayer, density)
        plan.append(f"  solve      infinite plane, {_spin_text(pairs.flavours)}, tolerance "
                    f"{study.condensate.tolerance:g} Ha_h per pair, {study.condensate.curve_points} densities")
        solve = lambda run: _solve_limit(study, pairs, mu, run)  # noqa: E731
    else:
        box = box_of_shape(box_shape(study), count / density)
        waves = _waves(study, bilayer, box)
        carries = () if waves is None else ("waves", "angle")
        resolved["cell"] |= {"vectors": box.vectors.tolist(), "area": box.area}
        sized = f"{len(waves)} plane waves" if waves is not None else "plane waves from the tolerance"
        plan.append(f"  box        {study.cell.shape if study.cell.vectors is None else 'vectors'}, {box.area:.6g} "
                    f"a_h^2, {count} pairs, {sized}, zero mode {bilayer.zero_mode}")
        solve = lambda run: _solve_torus(study, bilayer, box, waves, run)  # noqa: E731
    return Task(study, scales, study.canonical(), resolved, tuple(plan), solve, carries=carries)


def make_bilayer(study: Study, scales: Scales, limit: bool) -> Bilayer:
    """One electron per hole, with the spins of [condensate]. Raises InputError."""
    table, ratio, spin = study.bilayer, study.density.electrons_per_hole, study.condensate.spin
    if ratio not in (None, 1, 1.0):
        raise InputError("density.electrons_per_hole", "1 (or absent) for a condensate", ratio,
                         "every electron has its hole")
    if spin == "restricted" and table.electron_flavours != table.hole_flavours:
        raise InputError("bilayer.electron_flavours", f"equal to hole_flavours ({table.hole_flavours}) where "
                         'condensate.spin = "restricted"', table.electron_flavours, "pairs form flavour by flavour")
    flavours = table.hole_flavours if spin == "restricted" else 1
    count = flavours if limit else int(study.cell.holes or 0)
    if count % flavours:
        raise InputError("cell.holes", f"a multiple of {flavours}, the flavours of a restricted condensate", count,
                         "change it, or polarise")
    changes = {"hartree_fock": study.hartree_fock.model_copy(update={"electron_spin": spin, "hole_spin": spin}),
               "cell": study.cell.model_copy(update={"zero_mode": "none"} if limit else {})}
    return make_hartree_fock_bilayer(study.model_copy(update=changes), scales, Counts(count, count))


def _chemical_potential(study: Study, scales: Scales, limit: bool) -> float | None:
    given = study.condensate.chemical_potential
    if given is None:
        return None
    if not limit:
        raise InputError("condensate.chemical_potential", 'absent unless condensate.limit = "thermodynamic"', given,
                         "a torus has a fixed number of pairs")
    said = study.density.model_dump(exclude_none=True, exclude={"electrons_per_hole", "critical_rs"})
    if said:
        raise InputError("condensate.chemical_potential", "absent where a density is given", given,
                         f"remove it or density.{next(iter(said))}")
    if study.condensate.curve_points < 10:
        raise InputError("condensate.curve_points", "at least 10 where the density follows from a chemical potential",
                         study.condensate.curve_points, "leave it out")
    return scales.to_atomic(given, "energy", "condensate.chemical_potential")


def _waves(study: Study, bilayer: Bilayer, box: Cell) -> Any:
    """The waves that [cell] names; None where they follow from the tolerance."""
    named = any(getattr(study.cell, key) is not None for key in ("plane_waves", "hexagon", "cutoff"))
    waves = choose_waves(study, bilayer, box) if named else None
    pairs = bilayer.species[0].count // bilayer.species[0].occupied_flavours
    if waves is not None and pairs >= len(waves):
        raise InputError("cell", f"more than {pairs} plane waves, the pairs of one flavour",
                         len(waves), "enlarge the basis")
    return waves


def _pairs(bilayer: Bilayer, density: float) -> Pairs:
    from ehbilayer.condensate.radial import Pairs

    electron = bilayer.species[0]
    return Pairs(electron.mass, bilayer.spacing, density, electron.occupied_flavours, bilayer.capacitor)


def _solve_limit(study: Study, pairs: Pairs, mu: float | None, run: Hooks) -> CondensateResult:
    """The infinite plane: the curve E(n) first where the density follows from it, else last."""
    from ehbilayer.condensate.curve import coexistences, densities, density_at, limit_evaluator, reaching
    from ehbilayer.condensate.radial import find, report
    from ehbilayer.few_body.exciton import solve_exciton

    table = study.condensate
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


def _solve_torus(study: Study, bilayer: Bilayer, box: Cell, waves: Any, run: Hooks) -> CondensateResult:
    """A torus: the state, then E(n) at fixed area with any number of pairs."""
    from ehbilayer.basis.plane_waves import PlaneWaveBasis
    from ehbilayer.condensate.curve import densities, torus_evaluator
    from ehbilayer.condensate.torus import make_gas, residual_target, solve, solve_to_tolerance

    table = study.condensate
    run.progress(f"{bilayer.species[1].count} pairs")
    if waves is None:
        result = solve_to_tolerance(bilayer, box, tolerance=table.tolerance, should_stop=run.should_stop)
    else:
        basis = PlaneWaveBasis(box, waves, real=True)
        result = solve(bilayer, basis, tolerance=table.tolerance, initial=_start(run), should_stop=run.should_stop)
    kept = result.data["waves"].values
    gas = make_gas(bilayer, box, kept)
    evaluate = torus_evaluator(gas, box.area, residual_target(table.tolerance))
    density = gas.pairs / box.area
    result = replace(result, exciton_energy=evaluate(1e-6 / box.area).energy)
    grid = [float(n) for n in densities(_pairs(bilayer, density), table.curve_points)
            if 0.5 < n * box.area < 0.5 * len(kept) * gas.flavours]
    return _with_curve(result, evaluate, [], grid, density, run)


def _start(run: Hooks) -> Result | None:
    """What to start from: a result that was asked for, or the pairs of a neighbouring point."""
    paired = isinstance(run.neighbour, CondensateResult) and run.neighbour.phase == "condensate"
    return run.initial or (run.neighbour if paired else None)


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


def _resolved(study: Study, scales: Scales, bilayer: Bilayer, density: float | None,
              mu: float | None) -> dict[str, Any]:
    """All parameters with defaults, in hole atomic units (masses in m0 as given, and as used)."""
    electron = bilayer.species[0]
    return {
        "kind": study.kind,
        "bilayer": resolved_device(study, scales, bilayer),
        "pairs": {"mass_ratio": electron.mass, "density": density, "chemical_potential": mu, "spin": electron.spin,
                  "flavours": electron.flavours},
        "cell": study.cell.model_dump() if study.condensate.limit is None else {},
        "condensate": study.condensate.model_dump() | {"chemical_potential": mu},
    }


def _density_line(scales: Scales, density: float, mu: float | None) -> str:
    if mu is not None:
        return f"  pairs      chemical potential {mu:.8g} Ha_h; the density follows from it"
    real = f" = {scales.density_per_cm2(density):.4g} cm^-2" if scales.known else ""
    return f"  pairs      density {density:.6g} a_h^-2{real}, r_s = {rs_from_density(density):.5g} a_h"


def _spin_text(flavours: int) -> str:
    return "polarized" if flavours == 1 else f"{flavours} flavours"
