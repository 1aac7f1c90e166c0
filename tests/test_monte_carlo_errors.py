"""Whether errors of Monte Carlo are what they say: coverage of whole runs, time steps, populations; an exact pair."""

from dataclasses import replace

import numpy as np
import pytest

from ehbilayer import Bilayer, Torus, monte_carlo
from ehbilayer.hooks import Hooks
from ehbilayer.monte_carlo import calculation, statistics
from ehbilayer.monte_carlo.calculation import solve
from ehbilayer.monte_carlo.report import Plan
from ehbilayer.monte_carlo.result import MonteCarloResult
from ehbilayer.monte_carlo.statistics import reblock
from ehbilayer.monte_carlo.trial import make_trial
from ehbilayer.status import Status

EXACT = -0.345312  # of one pair on the triangular torus of 400 a_h^2, equal masses, d = 1; it has no node


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A run to an error of 1e-2 at most, of 40 walkers, with parameters that are optimised once."""
    bilayer = Bilayer.of(spacing=1.0, electron_mass=1.0, hole_mass=1.0, hole_density=1 / 400)
    box = Torus(bilayer, holes=1, zero_mode="madelung", electron_spin="polarized", hole_spin="polarized")
    plan = Plan(make_trial(box, "liquid", 3), "vmc", 1e-2, None, 40, None, 0, 3, 400)
    parameters = solve(plan, Hooks()).data["parameters"].values
    return replace(plan, method="dmc", rounds=0, parameters=parameters)


def ran(plan: Plan, **more: object) -> MonteCarloResult:
    return solve(replace(plan, **more), Hooks())


def test_a_series_that_has_not_settled_drifts() -> None:
    random = np.random.default_rng(0)
    settled = [reblock(random.standard_normal(2000)) for _ in range(500)]
    assert np.std([a.slope for a in settled]) == pytest.approx(1.0, abs=0.1)  # what it is in standard errors
    assert sum(a.drifting for a in settled) <= 2
    # weights count as samples would
    x, w = random.standard_normal(400), random.integers(1, 3, 400)
    assert reblock(x, w.astype(float)).slope == pytest.approx(reblock(x, 5.0 * w).slope)
    # down by two standard deviations within the first quarter
    late = [reblock(random.standard_normal(2000) + 2 * np.clip(1 - np.arange(2000) / 500, 0, 1)) for _ in range(50)]
    assert all(a.drifting or not a.trusted for a in late)
    assert not reblock(np.full(100, 1.0)).drifting and reblock(np.arange(2.0)).slope == 0


@pytest.mark.published
def test_a_drifting_run_forgets_its_first_half_and_says_so_where_it_never_settles(
        plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calculation, "SETTLING", 0)
    poor = replace(plan, parameters=plan.parameters + 3.0, target_error=4e-3)
    far, settled = ran(poor), ran(plan, target_error=4e-3)
    assert abs(far.energy_per_hole - EXACT) < 4 * far.error and far.error < 8.5e-3
    assert settled.status is Status.converged
    monkeypatch.setattr(statistics, "DRIFTING", 0.0)  # nothing is settled enough
    found = ran(plan, target_error=8e-3)
    assert found.status is Status.not_converged and "drifts" in found.advice
    assert found.energy_per_hole == pytest.approx(EXACT, abs=5 * found.error)


@pytest.mark.published
def test_of_fifty_short_runs_as_many_lie_within_their_error_as_should(plan: Plan) -> None:
    """54 to 82 % within one standard error, for 68 %, of the energy extrapolated to time step zero."""
    runs = [ran(plan, seed=seed) for seed in range(50)]
    off = np.array([(r.energy_per_hole - EXACT) / r.error for r in runs])
    assert 27 <= np.sum(np.abs(off) < 1) <= 41
    assert abs(off.mean()) < 3 / np.sqrt(50) and off.std() < 1.5
    # the spread of the runs is the error that they state
    assert np.std([r.energy_per_hole for r in runs]) == pytest.approx(np.mean([r.error for r in runs]), rel=0.35)


@pytest.mark.published
def test_the_energy_is_a_straight_line_in_the_time_step() -> None:
    """Of seven holes at r_s = 5 with a poor Jastrow factor, at 8, 4 and 2/Ha_h, where the time step matters."""
    holes = Bilayer.of(rs_hole=5, electrons_per_hole=0)
    box = Torus(holes, holes=7, zero_mode="madelung", hole_spin="polarized")
    coarse, fine = (monte_carlo(box, "liquid", target_error=1e-4, time_steps=steps, walkers=100, jastrow=2,
                                optimisation_steps=2) for steps in ((8.0, 4.0), (4.0, 2.0)))
    (eight, four), two = coarse.dmc, fine.dmc[1]
    assert abs(eight.energy_per_hole - two.energy_per_hole) > 2 * np.hypot(eight.error, two.error)
    # E(8) - 3 E(4) + 2 E(2) = 0 on a line
    bend = eight.energy_per_hole - 3 * four.energy_per_hole + 2 * two.energy_per_hole
    assert abs(bend) < 3 * np.sqrt(eight.error**2 + 9 * four.error**2 + 4 * two.error**2)
    assert abs(coarse.energy_per_hole - fine.energy_per_hole) < 3 * np.hypot(coarse.error, fine.error)


@pytest.mark.published
def test_twice_the_walkers_give_the_same_energy(plan: Plan) -> None:
    few, many = (ran(plan, target_error=1e-3, walkers=walkers) for walkers in (40, 80))
    assert abs(few.energy_per_hole - many.energy_per_hole) < 3 * np.hypot(few.error, many.error)
    for found in (few, many):
        assert found.population_error is not None and abs(found.population_error) < 3 * found.error
