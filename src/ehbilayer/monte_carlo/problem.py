"""A Monte Carlo calculation as it is asked for, from Python or a study file, checked before anything runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.hooks import Hooks
from ehbilayer.monte_carlo.result import MonteCarloResult
from ehbilayer.monte_carlo.twists import Twist, over_twists, twists_of
from ehbilayer.results.base import Result
from ehbilayer.torus import Torus

if TYPE_CHECKING:
    from ehbilayer.monte_carlo.sources import Source

METHODS = ("vmc", "dmc")
LEAST_WALKERS, MOST_WALKERS, HIGHEST_DEGREE = 20, 10_000, 12
DEGREE = 4  # of backflow, unless the user says another


@dataclass(frozen=True)
class MonteCarloProblem:
    """What `monte_carlo.monte_carlo` was told, in atomic units and checked."""

    torus: Torus
    source: Source
    method: str
    target_error: float | None
    max_time: float | None
    walkers: int
    time_steps: tuple[float, float] | None
    seed: int
    jastrow: int
    optimisation_steps: int
    samples: int
    twists: tuple[Twist | None, ...] = (None,)
    parameters: np.ndarray | None = None  # to begin with, in place of those of the source
    backflow: int = 0
    ceiling: float = math.inf  # Ha_h per hole: an energy far above it needs no target error

    @classmethod
    def of(cls, torus: Torus, trial: str | Path | Result, *, method: str, target_error: float | str | None,
           max_time: float | None, walkers: int, time_steps: Sequence[float] | None, seed: int, jastrow: int,
           optimisation_steps: int, samples: int,
           twists: int | Sequence[float] | None = None, backflow: bool | int = False) -> MonteCarloProblem:
        """Checked. Raises InputError, see `monte_carlo.monte_carlo`."""
        if method not in METHODS:
            raise InputError("method", " | ".join(METHODS), method, "choose one of these")
        if torus.zero_mode != "madelung":
            raise InputError("zero_mode", "madelung for monte_carlo", torus.zero_mode,
                             "pair potentials of zero average have no other convention")
        if torus.capacitor:
            raise InputError("capacitor", "False for monte_carlo", True, "add 2 pi N^2 d/A to the energy yourself")
        error = None if target_error is None else torus.bilayer.scales.to_atomic(target_error, "energy", "target_error")
        for name, value in (("target_error", error), ("max_time", max_time)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(name, "a positive number", value, "energies in Ha_h per hole, times in seconds")
        if error is None and max_time is None:
            raise InputError("target_error", "given, or max_time", "missing",
                             "say how small the error per hole should become, or how many seconds it may take")
        _whole("walkers", walkers, LEAST_WALKERS, MOST_WALKERS)
        _whole("jastrow", jastrow, 0, HIGHEST_DEGREE)
        size = (0, DEGREE)[backflow] if isinstance(backflow, bool) else backflow
        _whole("backflow", size, 0, HIGHEST_DEGREE)
        _whole("optimisation_steps", optimisation_steps, 0, 1000)
        _whole("samples", samples, walkers, 1_000_000)
        from ehbilayer.monte_carlo.sources import read_source

        problem = cls(torus, read_source(trial), method, error, max_time, walkers, _steps(time_steps), seed, jastrow,
                      optimisation_steps, samples, twists_of(twists), backflow=size)
        problem.check_trial()
        return problem

    def check_trial(self) -> None:
        """Raise InputError for a trial function that this torus does not have."""
        from ehbilayer.monte_carlo.sources import check_backflow, trial_of
        from ehbilayer.monte_carlo.trial import check_trial

        check_backflow(self.source, self.backflow)
        for twist in self.twists:
            if isinstance(self.source, str):
                check_trial(self.torus, self.source, twist)
            else:
                trial_of(self.torus, self.source, self.jastrow, twist, self.backflow)

    def solve(self, hooks: Hooks) -> MonteCarloResult:
        """The calculation, at every twist."""
        twists = [t for t in self.twists if t is not None]
        if len(twists) < 2:
            return self._solve(self.twists[0], self, hooks, None)

        def one(i: int, seed: int, seconds: float | None, first: MonteCarloResult | None,
                hooks: Hooks) -> MonteCarloResult:
            error = None if self.target_error is None else self.target_error * math.sqrt(len(twists))
            part = replace(self, target_error=error, max_time=seconds, seed=seed)
            if first is not None:  # what the first has found is good enough for all
                steps = (first.dmc[0].time_step, first.dmc[1].time_step) if len(first.dmc) == 2 else None
                part = replace(part, optimisation_steps=0, time_steps=part.time_steps or steps)
            return self._solve(twists[i], part, hooks, first)

        return over_twists(twists, self.seed, self.max_time, hooks, one)

    def _solve(self, twist: Twist | None, part: MonteCarloProblem, hooks: Hooks,
               first: MonteCarloResult | None) -> MonteCarloResult:
        """At one twist, as ``part`` says; with the parameters of the ``first`` result, where there is one."""
        from ehbilayer.monte_carlo.calculation import solve
        from ehbilayer.monte_carlo.report import Plan
        from ehbilayer.monte_carlo.sources import trial_of

        trial, own = trial_of(self.torus, self.source, self.jastrow, twist, self.backflow)
        parameters = own if self.parameters is None else self.parameters
        if first is not None:
            parameters = np.asarray(first.data["parameters"].values)
        plan = Plan(trial, part.method, part.target_error, part.max_time, part.walkers, part.time_steps, part.seed,
                    part.optimisation_steps if len(trial.start()) else 0, part.samples, parameters,
                    self.ceiling)
        return solve(plan, hooks)


def _whole(name: str, value: int, least: int, most: int) -> None:
    if isinstance(value, bool) or int(value) != value or not least <= value <= most:
        raise InputError(name, f"an integer from {least} to {most}", value, "change it")


def _steps(given: Sequence[float] | None) -> tuple[float, float] | None:
    if given is None:
        return None
    steps = tuple(float(t) for t in given)
    if len(steps) != 2 or not (math.isfinite(steps[0]) and 0 < steps[1] < steps[0]):
        raise InputError("time_steps", "two positive numbers (1/Ha_h), the larger first", list(given),
                         "leave it out, and they are found")
    return steps[0], steps[1]
