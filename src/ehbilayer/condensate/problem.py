"""A condensate as it is asked for, from Python or a study file: the state, and energy against density around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.basis.waves import WaveChoice
from ehbilayer.condensate import torus as on_torus
from ehbilayer.condensate.curve import (
    Evaluate,
    Point,
    UnsolvedError,
    arrays,
    coexistences,
    densities,
    density_at,
    limit_evaluator,
    reaching,
    separates,
    torus_evaluator,
)
from ehbilayer.condensate.field import divided, pair_level, raising, shifted
from ehbilayer.condensate.mesh import RadialWaves
from ehbilayer.condensate.pairs import exciton_wave_number, pairing_flavours
from ehbilayer.condensate.radial import Pairs, find, pair_size, report
from ehbilayer.condensate.radial import residual_target as radial_target
from ehbilayer.condensate.result import CondensateResult, PlaneCondensateResult, TorusCondensateResult
from ehbilayer.condensate.screened import reported, require_screening, screened
from ehbilayer.condensate.warmed import warmed
from ehbilayer.errors import InputError
from ehbilayer.few_body.exciton import solve_exciton
from ehbilayer.hooks import Hooks, never
from ehbilayer.interaction.coulomb import Coulomb
from ehbilayer.interaction.screened import Screened
from ehbilayer.model import Bilayer
from ehbilayer.numerics.memory import require_memory
from ehbilayer.status import Status
from ehbilayer.torus import Torus

MORE = "loosen condensate.tolerance; on a torus more plane waves help, at short spacings the infinite plane"
FEWEST = 10  # densities of a curve that a chemical potential is looked up on
FINEST = 1e-10  # Ha_h, tolerance of the points of a curve
DILUTE = 1e-6  # pairs in the area of one, where its energy is that of a lone one after the first order in density
Found = TypeVar("Found", bound=CondensateResult)


@dataclass(frozen=True)
class PlaneProblem:
    """The infinite plane, at the density of the bilayer or at a chemical potential of a pair (Ha_h), from which the
    density follows.

    tolerance : bound on the error of the energy per pair (Ha_h).   curve_points : densities to draw E(n) at.
    """

    pairs: Pairs
    chemical_potential: float | None
    tolerance: float
    curve_points: int
    screening: str = "none"

    @classmethod
    def of(cls, bilayer: Bilayer, *, spin: str, capacitor: bool, chemical_potential: float | None, tolerance: float,
           curve_points: int, screening: str = "none") -> PlaneProblem:
        """Checked. Raises InputError, see `condensate.condensate`."""
        require_screening(screening, torus=False, warm=bool(bilayer.temperature), mu=chemical_potential is not None)
        if chemical_potential is not None and curve_points < FEWEST:
            raise InputError("curve_points", f"at least {FEWEST} where the density follows from a chemical potential",
                             curve_points, "leave it out")
        if bilayer.temperature and chemical_potential is not None:
            raise InputError("chemical_potential", "left out at a temperature", chemical_potential, "give a density")
        pairs = Pairs(bilayer, pairing_flavours(bilayer, spin), capacitor)
        if chemical_potential is not None:
            pairs = pairs.at(0.0)
        elif not pairs.density > 0:
            raise InputError("hole_density", "given, or a chemical_potential from which it follows", "missing",
                             'e.g. hole_density="1e12 cm^-2"')
        return cls(pairs, chemical_potential, tolerance, curve_points, screening)

    def solve(self, hooks: Hooks) -> PlaneCondensateResult:
        """The curve E(n) first where the density follows from it, else last."""
        pairs, mu = self.pairs, self.chemical_potential
        level = pair_level(pairs.bilayer, pairs.flavours)
        evaluate = raising(limit_evaluator(pairs, max(self.tolerance, FINEST)), level)
        lone = lone_pair(pairs)
        grid: list[float] = densities(pairs.bilayer, pairs.flavours, self.curve_points).tolist() \
            if self.curve_points else []
        points: list[Point] = []
        if mu is not None:
            points, _ = _curve(evaluate, grid, replace(hooks, should_stop=never))  # without it there is no density
            points = reaching(evaluate, points, mu)
            first = min([lone + level, *(c.chemical_potential for c in coexistences(evaluate, points))])
            pairs = pairs.at(density_at(evaluate, points, mu, first))
        hooks.progress(f"density {pairs.density:.4g} a_h^-2")
        found = find(pairs, self.tolerance, should_stop=hooks.should_stop)
        if self.screening != "none":
            agreed = screened(pairs, found, self.screening, self.tolerance, hooks)
            return shifted(replace(reported(agreed, found, self.screening, self.tolerance), exciton_energy=lone),
                           pairs.bilayer)
        result = report(found, self.tolerance)
        if pairs.bilayer.temperature and result.status is Status.converged:
            hooks.progress("temperature")
            gas = found.gas
            assert isinstance(gas.kset, RadialWaves)
            waves = gas.kset
            return shifted(warmed(replace(result, exciton_energy=lone), gas, found.state.exchange, found.state.gap,
                                  pairs.bilayer.temperature, radial_target(self.tolerance),
                                  lambda state: pair_size(waves, state.amplitude), hooks.should_stop), pairs.bilayer)
        if result.status is Status.converged and pairs.bilayer.temperature == 0:
            result = replace(result, in_field=divided(pairs, lone))
        return shifted(_with_curve(replace(result, exciton_energy=lone), evaluate, points, grid, pairs.density, hooks),
                       pairs.bilayer)


def lone_pair(pairs: Pairs) -> float:
    """Energy (Ha_h) of one exciton: by the radial equation, or for an interaction of one's own, which need not be known
    in real space, as that of pairs so dilute that they do not meet."""
    interaction = pairs.bilayer.interaction
    if isinstance(interaction, Coulomb | Screened):
        return solve_exciton(pairs.mass_ratio, interaction.spacing,
                             interaction if isinstance(interaction, Screened) else None).energy
    alone = replace(pairs, flavours=1)
    few = limit_evaluator(alone, FINEST)(DILUTE * exciton_wave_number(pairs.bilayer) ** 2)
    return few.energy - few.slope * few.density / 2


@dataclass(frozen=True, eq=False)
class TorusProblem:
    """A torus: the state, then E(n) at fixed area with any number of pairs.

    waves : integer wave vectors (M, 2); None where they follow from the tolerance.
    """

    torus: Torus
    waves: np.ndarray | None
    tolerance: float
    curve_points: int

    @classmethod
    def of(cls, torus: Torus, waves: WaveChoice, *, spin: str, tolerance: float, curve_points: int,
           screening: str = "none") -> TorusProblem:
        """Checked. Raises InputError, see `condensate.condensate`."""
        require_screening(screening, torus=True, warm=False, mu=False)
        flavours = pairing_flavours(torus.bilayer, spin)
        count = on_torus.carriers(replace(torus, electron_spin="polarized", hole_spin="polarized"))[1].count
        if count % flavours:
            raise InputError("holes", f"a multiple of {flavours}, the flavours of a restricted condensate", count,
                             "change it, or polarise")
        torus = replace(torus, electron_spin=spin, hole_spin=spin)
        found = waves.on(torus, tolerance) if waves.named else None
        if found is not None:
            require_memory(on_torus.memory(found), "torus", "fewer plane waves")
        if found is not None and count // flavours >= len(found):
            raise InputError(waves.argument, f"more than {count // flavours} plane waves, the pairs of one flavour",
                             len(found), "enlarge the basis")
        return cls(torus, found, tolerance, curve_points)

    def solve(self, hooks: Hooks) -> TorusCondensateResult:
        """From an earlier result in the hooks, from that of a neighbouring point that is paired, or afresh."""
        torus, area = self.torus, self.torus.area
        hooks.progress(f"{on_torus.carriers(torus)[1].count} pairs")
        if self.waves is None:
            result = on_torus.solve_to_tolerance(torus, tolerance=self.tolerance, should_stop=hooks.should_stop)
        else:
            near = hooks.neighbour
            paired = isinstance(near, CondensateResult) and near.phase == "condensate"
            start = on_torus.angles_of(hooks.initial or (near if paired else None))
            result = on_torus.solve(torus, PlaneWaveBasis(torus.box, self.waves, real=True), tolerance=self.tolerance,
                                    initial=start, should_stop=hooks.should_stop)
        kept = result.data["waves"].values
        gas = on_torus.make_gas(torus, kept)
        if torus.bilayer.temperature and result.status is Status.converged:
            hooks.progress("temperature")
            return shifted(heated(torus, result, self.tolerance, hooks.should_stop), torus.bilayer)
        evaluate = torus_evaluator(gas, area, on_torus.residual_target(self.tolerance))
        result = replace(result, exciton_energy=evaluate(1e-6 / area).energy)
        drawn = densities(torus.bilayer, gas.flavours, self.curve_points)
        grid = [float(n) for n in drawn if 0.5 < n * area < 0.5 * len(kept) * gas.flavours]
        evaluate = raising(evaluate, pair_level(torus.bilayer, gas.flavours))
        return shifted(_with_curve(result, evaluate, [], grid, gas.pairs / area, hooks), torus.bilayer)


def heated(torus: Torus, result: TorusCondensateResult, tolerance: float,
           should_stop: Callable[[], Status | None]) -> TorusCondensateResult:
    """The state at the temperature of a torus, from its ground state there."""
    gas = on_torus.make_gas(torus, result.data["waves"].values)
    return warmed(result, gas, result.data["exchange_field"].values, result.data["gap_function"].values,
                  torus.bilayer.temperature, on_torus.residual_target(tolerance),
                  lambda state: on_torus.pair_size(gas, state.amplitude, torus.box), should_stop)


def _curve(evaluate: Evaluate, grid: Sequence[float], hooks: Hooks) -> tuple[list[Point], Status | None]:
    """E(n) at the densities of the grid, as far as there is time; Status where there was not."""
    points: list[Point] = []
    for i, n in enumerate(grid):
        stopped = hooks.should_stop()
        if stopped is not None:
            return points, stopped
        hooks.progress(f"energy against density: {i + 1} of {len(grid)}")
        try:
            points.append(evaluate(n))
        except UnsolvedError:  # the curve does without this density
            continue
    return points, None


def _with_curve(result: Found, evaluate: Evaluate, points: list[Point], grid: Sequence[float], density: float,
                hooks: Hooks) -> Found:
    """The result with E(n) and its Maxwell constructions, where they are asked for."""
    if result.status is Status.not_converged:
        result = replace(result, advice=MORE)
    stopped = None
    if not points and result.status is Status.converged:
        points, stopped = _curve(evaluate, grid, hooks)
    if stopped is not None or len(points) < 3:
        return replace(result, status=stopped or result.status)
    result = replace(result, data=result.data | arrays(points))
    try:
        found = coexistences(evaluate, points)
    except UnsolvedError:
        return result
    return replace(result, coexistence=tuple(found), separates=separates(found, density))
