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
from ehbilayer.studies.condensate import keys
from ehbilayer.studies.file import Study
from ehbilayer.studies.keys import names_waves
from ehbilayer.studies.particles import Counts, Spins, make_bilayer, make_torus, resolve_scales
from ehbilayer.studies.prepare import choose_waves, critical_rs_of, resolved_device, spacing_line
from ehbilayer.studies.task import Task
from ehbilayer.studies.text import device_lines
from ehbilayer.torus import Torus
from ehbilayer.units import Scales, rs_from_density

if TYPE_CHECKING:
    from ehbilayer.condensate.curve import Evaluate, Point
    from ehbilayer.condensate.radial import Pairs
    from ehbilayer.condensate.torus import Angles

MORE = "loosen condensate.tolerance; on a torus more plane waves help, at short spacings the infinite plane"


def prepare(study: Study) -> Task:
    """The task of a condensate study. Raises InputError for one that cannot be computed."""
    scales = resolve_scales(study.bilayer)
    limit = keys.of(study).limit == "thermodynamic"
    if not limit and study.cell.holes is None:
        raise InputError("cell.holes", "the number of pairs on a torus, an integer >= 1", "missing",
                         'give it, or set condensate.limit = "thermodynamic"')
    flavours, spins = _flavours(study, limit)
    mu = _chemical_potential(study, scales, limit)
    counts = Counts(*(int(study.cell.holes or flavours),) * 2)
    critical = critical_rs_of(study, counts, spins=spins)
    torus = None if limit else make_torus(study, scales, counts, spins, critical)
    bilayer = make_bilayer(study, scales, 1, 1, critical, unknown=mu is not None) if torus is None else torus.bilayer
    resolved = _resolved(study, bilayer, mu)
    plan = [*device_lines(study.bilayer.material, scales), *spacing_line(bilayer), _density_line(bilayer, mu)]
    carries: tuple[str, ...] = ()
    if torus is None:
        pairs = _pairs(bilayer, flavours, study.bilayer.capacitor)
        plan.append(f"  solve      infinite plane, {_spin_text(pairs.flavours)}, tolerance "
                    f"{keys.of(study).tolerance:g} Ha_h per pair, {keys.of(study).curve_points} densities")
        solve = lambda run: _solve_limit(study, pairs, mu, run)  # noqa: E731
    else:
        waves = _waves(study, torus)
        carries = () if waves is None else ("waves", "angle")
        resolved["cell"] |= {"vectors": torus.box.vectors.tolist(), "area": torus.area}
        sized = f"{len(waves)} plane waves" if waves is not None else "plane waves from the tolerance"
        plan.append(f"  box        {study.cell.shape if study.cell.vectors is None else 'vectors'}, {torus.area:.6g} "
                    f"a_h^2, {counts.holes} pairs, {sized}, zero mode {torus.zero_mode}")
        solve = lambda run: _solve_torus(study, torus, waves, run)  # noqa: E731
    return Task(study, scales, study.canonical(), resolved, tuple(plan), solve, carries=carries)


def _flavours(study: Study, limit: bool) -> tuple[int, Spins]:
    """Condensates side by side, and the spins that [condensate] says. Raises InputError."""
    table, ratio, spin = study.bilayer, study.density.electrons_per_hole, keys.of(study).spin
    if ratio not in (None, 1, 1.0):
        raise InputError("density.electrons_per_hole", "1 (or absent) for a condensate", ratio,
                         "every electron has its hole")
    if spin == "restricted" and table.electron_flavours != table.hole_flavours:
        raise InputError("bilayer.electron_flavours", f"equal to hole_flavours ({table.hole_flavours}) where "
                         'condensate.spin = "restricted"', table.electron_flavours, "pairs form flavour by flavour")
    flavours = table.hole_flavours if spin == "restricted" else 1
    if not limit and int(study.cell.holes or 0) % flavours:
        raise InputError("cell.holes", f"a multiple of {flavours}, the flavours of a restricted condensate",
                         study.cell.holes, "change it, or polarise")
    return flavours, Spins(spin, spin)


def _chemical_potential(study: Study, scales: Scales, limit: bool) -> float | None:
    given = keys.of(study).chemical_potential
    if given is None:
        return None
    if not limit:
        raise InputError("condensate.chemical_potential", 'absent unless condensate.limit = "thermodynamic"', given,
                         "a torus has a fixed number of pairs")
    said = study.density.model_dump(exclude_none=True, exclude={"electrons_per_hole", "critical_rs"})
    if said:
        raise InputError("condensate.chemical_potential", "absent where a density is given", given,
                         f"remove it or density.{next(iter(said))}")
    if keys.of(study).curve_points < 10:
        raise InputError("condensate.curve_points", "at least 10 where the density follows from a chemical potential",
                         keys.of(study).curve_points, "leave it out")
    return scales.to_atomic(given, "energy", "condensate.chemical_potential")


def _waves(study: Study, torus: Torus) -> Any:
    """The waves that [cell] names; None where they follow from the tolerance."""
    waves = choose_waves(study.cell, torus, keys.of(study).tolerance) if names_waves(study.cell) else None
    pairs = torus.species[0].count // torus.species[0].occupied_flavours
    if waves is not None and pairs >= len(waves):
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


def _resolved(study: Study, bilayer: Bilayer, mu: float | None) -> dict[str, Any]:
    """All parameters with defaults, in hole atomic units (masses in m0 as given, and as used)."""
    electron, table = bilayer.carrier("electron"), keys.of(study)
    return {
        "kind": study.kind,
        "bilayer": resolved_device(bilayer, study.bilayer.capacitor),
        "pairs": {"mass_ratio": electron.mass, "density": electron.density if mu is None else None,
                  "chemical_potential": mu, "spin": table.spin, "flavours": electron.flavours},
        "cell": study.cell.model_dump() if table.limit is None else {},
        "condensate": table.model_dump() | {"chemical_potential": mu},
    }


def _density_line(bilayer: Bilayer, mu: float | None) -> str:
    if mu is not None:
        return f"  pairs      chemical potential {mu:.8g} Ha_h; the density follows from it"
    density, scales = bilayer.carrier("hole").density, bilayer.scales
    real = f" = {scales.density_per_cm2(density):.4g} cm^-2" if scales.known else ""
    return f"  pairs      density {density:.6g} a_h^-2{real}, r_s = {rs_from_density(density):.5g} a_h"


def _spin_text(flavours: int) -> str:
    return "polarized" if flavours == 1 else f"{flavours} flavours"
