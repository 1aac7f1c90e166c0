"""From the state of a calculation, finished or not, to its result: extrapolation, errors, how it ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ehbilayer.monte_carlo.diffusion import DiffusionRun
from ehbilayer.monte_carlo.observables import Observables
from ehbilayer.monte_carlo.result import AtTimeStep, FiniteSize, MonteCarloResult, Variational
from ehbilayer.monte_carlo.size_laws import law_of
from ehbilayer.monte_carlo.state import State
from ehbilayer.monte_carlo.statistics import Average, reblock
from ehbilayer.monte_carlo.trial import Trial
from ehbilayer.results.base import Carriers, Variable
from ehbilayer.status import Status

CLEAR = 10.0  # standard errors above a ceiling from which an energy is known well enough
FEW = "too few independent blocks to trust its error, {:.2g} Ha_h per hole so far; give more time, or a larger target"


DRIFTS = ("the energy still drifts, by {:.1f} standard errors of its slope: the trial function is far from what "
          "diffusion finds; give more time, optimisation_steps or samples, or another trial")


@dataclass(frozen=True, eq=False)
class Plan:
    """How a trial function is to be worked on; see `monte_carlo.monte_carlo`. ``ceiling``: see `beaten`."""

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
    ceiling: float = np.inf

    def beaten(self, found: Average) -> bool:
        """Whether an energy is so far above the ``ceiling`` (Ha_h per hole) that it needs no target error."""
        per = self.trial.per
        return found.trusted and not found.drifting and (found.mean - CLEAR * found.error) / per > self.ceiling

    @property
    def last(self) -> str:
        """The part that has the time which the others leave."""
        return "vmc" if self.method == "vmc" else "smaller"


@dataclass(frozen=True, eq=False)
class Walk:
    """A variational run: the trace of the energy (n,), its average, the spread of E_L (Ha_h), the acceptance."""

    trace: np.ndarray
    energy: Average
    spread: float
    acceptance: float

    @classmethod
    def of(cls, state: State) -> Walk:
        """The run so far; before it has begun, that of the walkers as they stand."""
        local = state.walkers.local
        rows = state.walked.table if len(state.walked) else np.array([(local.mean(), local.var(), 0.0)])
        return cls(rows[:, 0], reblock(rows[:, 0]), float(np.sqrt(rows[:, 1].mean())), float(rows[:, 2].mean()))


def report(plan: Plan, state: State, reason: Status | None) -> MonteCarloResult:
    """The result; one that may be gone on with holds the state."""
    trial, per, torus, walk = plan.trial, plan.trial.per, plan.trial.torus, Walk.of(state)
    runs = [found for run in state.runs if (found := run.found()) is not None]
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
    status, advice = _status(plan, error / per, last, reason, state.seconds)
    if reason is None and runs and plan.beaten(last):
        status, advice = Status.converged, ""
    mixed = runs[-1].tally if runs else None
    seen = Observables.of(state.tally, mixed)
    size = FiniteSize.of(energy, law_of(trial, seen, state.tally, mixed), per)
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
                "spacing": torus.bilayer.spacing, "interaction": torus.bilayer.interaction.parameters,
                "trial": trial.label, "jastrow": trial.jastrow, "backflow": trial.backflow, "seed": plan.seed,
                "parameters": [[name, part.stop - part.start] for name, part in trial.parameter_names],
                "twists": [] if trial.twist is None else [list(trial.twist)],
                **({} if trial.state is None else trial.state.parameters)},
        data=_arrays(per, state.parameters, walk, runs) | (seen.arrays if seen else {})
        | ({} if trial.state is None else trial.state.variables())
        | ({} if status is Status.converged else state.arrays()))


def _status(plan: Plan, error: float, last: Average, reason: Status | None, seconds: float) -> tuple[Status, str]:
    """How it ended: stopped, short of its target, with too few blocks, or well."""
    if reason is not None:
        return reason, ""
    if not last.trusted:
        return Status.not_converged, FEW.format(error)
    if last.drifting:
        return Status.not_converged, DRIFTS.format(abs(last.slope))
    if plan.target_error is not None and error > 1.05 * plan.target_error:
        return Status.timeout, (f"it reached {error:.2g} of {plan.target_error:.2g} Ha_h per hole in {seconds:.0f} s; "
                                f"about {seconds * (error / plan.target_error) ** 2:.0f} s would do")
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
