"""A Monte Carlo calculation from the trial function to its energy: settle, optimise, walk, diffuse, extrapolate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ehbilayer.hooks import Hooks, StopReason
from ehbilayer.monte_carlo.diffusion import DiffusionRun, diffuse, time_step
from ehbilayer.monte_carlo.estimators import EVERY, Estimators, Tally
from ehbilayer.monte_carlo.finite_size import correction
from ehbilayer.monte_carlo.observables import Observables
from ehbilayer.monte_carlo.optimise import optimise
from ehbilayer.monte_carlo.result import AtTimeStep, FiniteSize, MonteCarloResult, Variational
from ehbilayer.monte_carlo.statistics import Average, reblock
from ehbilayer.monte_carlo.trial import Trial
from ehbilayer.monte_carlo.walk import Walkers, first_step, settle
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status

SETTLING = 100  # sweeps before anything counts
SMALLER = 0.5  # of the two time steps
LEAST_SWEEPS = 200  # of a variational energy
SHARES = {"optimise": 0.3, "vmc": 0.1, "larger": 0.25}  # of max_time, until the end of each part
FEW = "too few independent blocks for a trusted error: a larger target takes no longer, more time gives more"


@dataclass(frozen=True, eq=False)
class Plan:
    """How a trial function is to be worked on; see `monte_carlo.monte_carlo`."""

    trial: Trial
    method: str
    target_error: float | None
    max_time: float | None
    walkers: int
    time_steps: tuple[float, float] | None
    seed: int
    rounds: int
    samples: int
    parameters: np.ndarray | None = None


@dataclass(eq=False)
class Clock:
    """Stops parts of a calculation: by the hooks, or after a share of the time that it has."""

    plan: Plan
    ask: StopReason
    began: float = field(default_factory=time.monotonic)

    def until(self, share: float) -> Callable[[], Status | None]:
        """A ``should_stop`` that also ends after this share of max_time."""
        def stopped() -> Status | None:
            late = self.plan.max_time is not None and time.monotonic() - self.began > share * self.plan.max_time
            return self.ask() or (Status.timeout if late else None)

        return stopped


def solve(plan: Plan, hooks: Hooks) -> MonteCarloResult:
    """The calculation. It ends with what it has when it is stopped."""
    trial, clock = plan.trial, Clock(plan, StopReason(hooks.should_stop))
    hooks.progress("compiling the walk, once for this machine")
    walkers = Walkers.of(trial, plan.walkers, np.random.default_rng(plan.seed))
    parameters = trial.start() if plan.parameters is None else plan.parameters
    tau = settle(trial.psi(parameters), walkers, first_step(trial), SETTLING, hooks.progress,
                 clock.until(1.0))
    if plan.rounds and len(parameters):
        share = 1.0 if plan.max_time is None else SHARES["optimise"]
        parameters = optimise(trial, parameters, walkers, tau, plan.rounds, plan.samples, hooks.progress,
                              clock.until(share))
    psi = trial.psi(parameters)
    tau = settle(psi, walkers, tau, SETTLING // 2, hooks.progress, clock.until(1.0))
    alone = plan.method == "vmc"
    target = plan.target_error if alone or plan.target_error is None else 3 * plan.target_error
    share = 1.0 if alone or plan.max_time is None else SHARES["optimise"] + SHARES["vmc"]
    walk = _walk(plan, walkers, parameters, tau, target, clock.until(share), hooks.progress)
    runs: list[DiffusionRun] = []
    if not alone and clock.ask.reason is None:
        runs = _diffuse(plan, walkers, parameters, walk, clock, hooks.progress)
    return _report(plan, parameters, walk, runs, clock.ask.reason)


@dataclass(frozen=True, eq=False)
class Walk:
    """A variational run: the trace of the energy (n,), its average, the spread of E_L (Ha_h), tau, the acceptance; and
    what else was measured."""

    trace: np.ndarray
    energy: Average
    spread: float
    tau: float
    acceptance: float
    tally: Tally


def _told(look: Callable[[str], None], what: str, found: Average, per: int) -> None:
    look(f"{what}: energy {found.mean / per:.6f} +- {found.error / per:.6f} Ha_h per hole")


def _walk(plan: Plan, walkers: Walkers, parameters: np.ndarray, tau: float, target: float | None,
          stopped: Callable[[], Status | None], look: Callable[[str], None]) -> Walk:
    """Walk in |psi|^2 until the error per hole is below ``target``, or time is over."""
    psi, per = plan.trial.psi(parameters), plan.trial.per
    trace: list[float] = []
    spreads: list[float] = []
    shares: list[float] = []
    again, tally = LEAST_SWEEPS, Tally(Estimators.of(plan.trial))
    while True:
        share, _ = walkers.step(psi, tau, False)
        if len(trace) % EVERY["vmc"] == 0:
            tally.take(psi, walkers)
        trace.append(float(walkers.local.mean()))
        spreads.append(float(walkers.local.var()))
        shares.append(share)
        if len(trace) >= again or stopped() is not None:
            again = int(1.1 * len(trace)) + 20
            found = reblock(np.array(trace))
            _told(look, "variational", found, per)
            if stopped() is not None or (target is not None and found.trusted and found.error / per <= target):
                break
    return Walk(np.array(trace), found, float(np.sqrt(np.mean(spreads))), tau, float(np.mean(shares)), tally)


def _diffuse(plan: Plan, walkers: Walkers, parameters: np.ndarray, walk: Walk, clock: Clock,
             look: Callable[[str], None]) -> list[DiffusionRun]:
    """Diffusion at two time steps, both from the same walkers of |psi|^2."""
    psi, per = plan.trial.psi(parameters), plan.trial.per
    larger = time_step(psi, walkers, 0.1 * walk.tau) if plan.time_steps is None else plan.time_steps[0]
    smaller = SMALLER * larger if plan.time_steps is None else plan.time_steps[1]
    # E_0 = E_2 + x (E_2 - E_1): the errors that reach the target at the least cost
    x = smaller / (larger - smaller)
    goals = [None if plan.target_error is None else plan.target_error / np.sqrt(2) / part for part in (x, 1 + x)]
    done = SHARES["optimise"] + SHARES["vmc"] + SHARES["larger"]
    runs: list[DiffusionRun] = []
    for tau, goal, share in zip((larger, smaller), goals, (done, 1.0), strict=True):
        name = f"diffusion, time step {tau:.4g}"

        def enough(trace: np.ndarray, weights: np.ndarray, goal: float | None = goal, name: str = name) -> bool:
            found = reblock(trace, weights)
            _told(look, name, found, per)
            return goal is not None and found.trusted and found.error / per <= goal

        start = Walkers(walkers.positions.copy(), walkers.energies.copy(), walkers.random)
        runs.append(diffuse(psi, start, tau, walk.energy.mean, walk.spread, round(2 * SETTLING * larger / tau), enough,
                            clock.until(share), Tally(walk.tally.estimators)))
        if clock.ask.reason is not None:
            break
    return runs


def _report(plan: Plan, parameters: np.ndarray, walk: Walk, runs: list[DiffusionRun],
            reason: Status | None) -> MonteCarloResult:
    trial, per, torus = plan.trial, plan.trial.per, plan.trial.torus
    energy, error, change = walk.energy.mean, walk.energy.error, None
    if runs:
        energy, error = runs[-1].energy.mean, runs[-1].energy.error
    if len(runs) == 2:
        x = runs[1].tau / (runs[0].tau - runs[1].tau)
        # E_0 = E_2 + x (E_2 - E_1)
        energy = (1 + x) * runs[1].energy.mean - x * runs[0].energy.mean
        error = float(np.hypot((1 + x) * runs[1].energy.error, x * runs[0].energy.error))
        change = (runs[1].energy.mean - energy) / per
    last = runs[-1].energy if runs else walk.energy
    more = correction(trial)
    size = FiniteSize(None, None) if more is None else FiniteSize(more / per, (energy + more) / per)
    status, advice = _status(plan, error / per, last, reason)
    seen = Observables.of(walk.tally, runs[-1].tally if runs else None)
    steps = tuple(AtTimeStep(r.tau, r.energy.mean / per, r.energy.error / per, len(r.trace), r.population, r.acceptance,
                             r.energy.autocorrelation) for r in runs)
    return MonteCarloResult(
        status=status, advice=advice or (seen.advice if seen else ""), trial=trial.label, method=plan.method,
        phase=seen.phase if seen else "unknown", total_energy=energy, **(seen.entries if seen else {}),
        energy_per_hole=energy / per, error=error / per,
        vmc=Variational(walk.energy.mean / per, walk.energy.error / per, walk.spread**2 / per,
                        walk.energy.autocorrelation, walk.acceptance),
        dmc=steps, time_step_error=change,
        population_error=(runs[-1].undone - runs[-1].energy.mean) / per if runs else None, finite_size=size,
        acceptance=runs[-1].acceptance if runs else walk.acceptance, autocorrelation=last.autocorrelation,
        blocks=last.blocks, walkers=plan.walkers,
        particles=Carriers({s.name: s.count for s in torus.species}), area=torus.area, zero_mode="madelung",
        inputs={"species": [s.parameters for s in torus.species], "vectors": torus.box.vectors.tolist(),
                "spacing": torus.bilayer.spacing, "trial": trial.label, "jastrow": trial.jastrow, "seed": plan.seed,
                "parameters": [[name, part.stop - part.start] for name, part in trial.parameter_names],
                "twists": [] if trial.twist is None else [list(trial.twist)],
                **({} if trial.state is None else trial.state.parameters)},
        data=_arrays(per, parameters, walk, runs) | (seen.arrays if seen else {})
        | ({} if trial.state is None else trial.state.variables()))


def _status(plan: Plan, error: float, last: Average, reason: Status | None) -> tuple[Status, str]:
    """How it ended: stopped, short of its target, with too few blocks, or well."""
    if reason is not None:
        return reason, ""
    if not last.trusted:
        return Status.not_converged, FEW
    if plan.target_error is not None and error > 1.05 * plan.target_error:
        return Status.timeout, f"it reached {error:.2g} of {plan.target_error:.2g} Ha_h per hole; give more time"
    return Status.converged, ""


def _arrays(per: int, parameters: np.ndarray, walk: Walk, runs: list[DiffusionRun]) -> dict[str, Variable]:
    found = {"parameters": Variable(("parameter",), parameters, "1", "of the trial function")}
    traces = {"vmc": (walk.trace, walk.energy)}
    traces |= {f"dmc_{i + 1}": (r.trace, r.energy) for i, r in enumerate(runs)}
    for name, (trace, average) in traces.items():
        found[f"trace_{name}"] = Variable((f"step_{name}",), trace / per, "Ha_h", "energy per hole of all walkers")
        level = (f"level_{name}",)
        found[f"blocked_{name}"] = Variable(level, average.levels / per, "Ha_h", "error per hole by blocks of 2^level")
        found[f"doubt_{name}"] = Variable(level, average.uncertainty / per, "Ha_h", "error of that error")
    return found
