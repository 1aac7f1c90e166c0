"""A Monte Carlo calculation from the trial function to its energy: settle, optimise, walk, diffuse, extrapolate.

`Calculation.run` is the order of the stages. Each of them changes the `State` step by step, so that it can be left
behind any step, kept, and gone on with to the same digits.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable

import numpy as np

from ehbilayer.hooks import Hooks, StopReason
from ehbilayer.monte_carlo.diffusion import Diffusion, refined
from ehbilayer.monte_carlo.estimators import EVERY, Estimators, Tally
from ehbilayer.monte_carlo.optimise import optimised
from ehbilayer.monte_carlo.report import Plan, Walk, report
from ehbilayer.monte_carlo.result import MonteCarloResult
from ehbilayer.monte_carlo.state import State
from ehbilayer.monte_carlo.statistics import Average
from ehbilayer.monte_carlo.walk import Walkers, first_step, last_step, settled_step
from ehbilayer.status import Status

SETTLING = 100  # sweeps before anything counts
SMALLER = 0.25  # of the two time steps: the ratio that reaches the error of E_0 soonest, see `Calculation._goal`
LEAST_SWEEPS, LEAST_STEPS = 200, 500  # variational, and of diffusion: an error from fewer is too small too often
SEARCH, TRIED = 6, 4  # times that the larger time step is changed, and sweeps for each
SHARES = {"optimise": 0.3, "vmc": 0.4, "larger": 0.5}  # of max_time, until the end of each part; compiling comes before
PATIENCE = 5  # times that a drifting run loses its first half, before it ends as one that does not settle
OFFERED = 5.0  # seconds between two states that are offered to be kept


def solve(plan: Plan, hooks: Hooks) -> MonteCarloResult:
    """The calculation. It ends with what it has when it is stopped, and goes on from an unfinished result in hooks."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # digits that do not depend on the number of processes
        return Calculation(plan, hooks).run()


def is_look(done: int, first: int) -> bool:
    """Whether the error is looked at behind so many steps: the ``first`` time, then always a tenth later."""
    look = first
    while look < done:
        look = int(1.1 * look) + 20
    return look == done


class Calculation:
    """A calculation on its way."""

    def __init__(self, plan: Plan, hooks: Hooks) -> None:
        self.plan, self.hooks, self.trial = plan, hooks, plan.trial
        self.stop = StopReason(hooks.should_stop)
        before = hooks.unfinished
        self.state = self._begin() if before is None else State.of(before.data, plan.trial, hooks.threads)
        self._before, self._began = self.state.seconds, time.monotonic()
        self._offered, self._compiled = self._began, 0.0  # seconds until the walk was compiled
        self._psi = self.trial.psi(self.state.parameters)

    def _begin(self) -> State:
        plan = self.plan
        walkers = Walkers.of(self.trial, plan.walkers, np.random.default_rng(plan.seed), self.hooks.threads)
        parameters = self.trial.start() if plan.parameters is None else plan.parameters
        return State(walkers, parameters, first_step(self.trial), Tally(Estimators.of(self.trial)))

    def run(self) -> MonteCarloResult:
        """All stages that are not behind it, and the result."""
        stages: list[Callable[[], None]] = [self._settle, self._optimise, self._settle_again, self._walk]
        if self.plan.method == "dmc":
            stages += [self._search, lambda: self._diffuse(0), lambda: self._diffuse(1)]
        self.hooks.progress("compiling the walk, once for this machine")
        for number, stage in enumerate(stages):
            if number >= self.state.stage:
                stage()
                if self.stop.reason is not None:
                    break
                self.state.stage, self.state.done = number + 1, 0
                self._compiled = self._compiled or self._seconds
        return self._result(self.stop.reason)

    def _result(self, status: Status | None) -> MonteCarloResult:
        self.state.seconds = self._seconds
        return report(self.plan, self.state, status)

    @property
    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _late(self, share: float) -> Status | None:
        """Why to leave a stage here: somebody asks, or its ``share`` of max_time is over."""
        limit, begun = self.plan.max_time, self._compiled
        late = limit is not None and self._seconds - begun > share * (limit - begun)
        return self.stop() or (Status.timeout if late else None)

    def _ended(self, share: float = 1.0) -> Status | None:
        """The same between two steps, where the state may be kept."""
        if time.monotonic() - self._offered > OFFERED:
            self.hooks.checkpoint(self._result(Status.interrupted))
            self._offered = time.monotonic()
        return self._late(share)

    def _share(self, part: str) -> float:
        """Of max_time, until the end of a part; the last one may have all."""
        return 1.0 if part == self.plan.last else SHARES[part]

    def _settle(self, steps: int = SETTLING) -> None:
        """Let the walkers forget where they began, and find the time step that accepts as many moves as wished."""
        state = self.state
        while state.done < steps and self._ended() is None:
            if state.done % 10 == 0:
                self.hooks.progress(f"settling, step {state.done} of {steps}")
            share, _ = state.walkers.step(self._psi, state.tau, False)
            state.tau, state.done = min(settled_step(state.tau, share), last_step(self.trial)), state.done + 1

    def _settle_again(self) -> None:
        self._settle(SETTLING // 2)

    def _optimise(self) -> None:
        """The linear method; a step that is broken off has not been."""
        state, share = self.state, self._share("optimise")
        rounds = self.plan.rounds if len(state.parameters) else 0
        while state.done < rounds and self._ended(share) is None:
            before = copy.deepcopy(state.walkers)
            found = optimised(self.trial, state.parameters, state.walkers, state.tau, self.plan.samples,
                              f"optimising, step {state.done + 1} of {rounds}", self.hooks.progress,
                              lambda: self._late(share))
            if found is None:
                state.walkers = before
                return
            state.parameters, state.done = found, state.done + 1
            self._psi = self.trial.psi(found)

    def _told(self, what: str, found: Average, more: str = "") -> None:
        per = self.trial.per
        self.hooks.progress(f"{what}: energy {found.mean / per:.6f} +- {found.error / per:.6f} Ha_h per hole{more}")

    def _good(self, found: Average, goal: float | None) -> bool:
        return goal is not None and found.trusted and found.error / self.trial.per <= goal

    def _settled(self, found: Average, run: State | Diffusion) -> bool:
        """Whether the energy does not drift; a run that does goes on without its first half, PATIENCE times."""
        if found.drifting and run.forgotten < PATIENCE:
            run.forget()
            return False
        return True

    def _walk(self) -> None:
        """Walk in |psi|^2 until the error per hole is small enough, or time is over."""
        state, target = self.state, self.plan.target_error
        goal = target if self.plan.method == "vmc" or target is None else 3 * target
        while True:
            if is_look(len(state.walked), LEAST_SWEEPS):
                self._told("variational", found := Walk.of(state).energy)
                if self._settled(found, state) and (self._good(found, goal) or self.plan.beaten(found)):
                    break
            if self._ended(self._share("vmc")) is not None and len(state.walked):
                break
            share, _ = state.walkers.step(self._psi, state.tau, False)
            if len(state.walked) % EVERY["vmc"] == 0:
                state.tally.take(self._psi, state.walkers)
            state.walked.add(state.walkers.local.mean(), state.walkers.local.var(), share)

    def _search(self) -> None:
        """The larger time step of diffusion, from a tenth of the walk's; a try that is broken off has not been."""
        state = self.state
        while self.plan.time_steps is None and state.done < SEARCH and self._ended() is None:
            before, tau = copy.deepcopy(state.walkers), state.tau if state.done else 0.1 * state.tau
            shares: list[float] = []
            while len(shares) < TRIED and self._late(1.0) is None:
                shares.append(state.walkers.step(self._psi, tau, False)[0])
            if len(shares) < TRIED:
                state.walkers = before
                return
            state.tau, state.done = refined(tau, float(np.mean(shares))), state.done + 1

    def _begun(self) -> Diffusion:
        """The next run of diffusion: the larger time step from walkers of |psi|^2, the smaller from the larger's."""
        state, walk = self.state, Walk.of(self.state)
        larger, smaller = self.plan.time_steps or (state.tau, SMALLER * state.tau)
        tally = Tally(state.tally.estimators)
        if not state.runs:
            return Diffusion(larger, walk.spread, self.plan.walkers, 2 * SETTLING, walk.energy.mean, tally)
        settling = round(SETTLING * larger / smaller)  # from walkers that are nearly right
        return Diffusion(smaller, walk.spread, self.plan.walkers, settling, state.runs[0].average.mean, tally)

    def _diffuse(self, number: int) -> None:
        """Diffusion at one time step until its part of the error is small enough, or time is over."""
        state, part = self.state, ("larger", "smaller")[number]
        if len(state.runs) == number:
            state.runs.append(self._begun())
        run, goal, began, before = state.runs[number], self._goal(number), time.monotonic(), state.runs[number].done
        while True:
            if is_look(len(run.rows), LEAST_STEPS):
                a_step = (time.monotonic() - began) / max(run.done - before, 1)
                more = self._to_go(number, found := run.average, a_step)
                self._told(f"diffusion, time step {run.tau:.4g}", found, more)
                if self._settled(found, run) and (self._good(found, goal) or self.plan.beaten(found)):
                    return
            if self._ended(self._share(part)) is not None:
                return
            run.step(self._psi, state.walkers)

    def _to_go(self, number: int, found: Average, a_step: float) -> str:
        """About how long the runs that are left take, from the error so far, which falls as the root of the steps, and
        the seconds of ``a_step``; autocorrelation is a time."""
        runs, goal, limit = self.state.runs, self._goal(number), self.plan.max_time
        left = math.inf
        if goal is not None and found.error > 0:
            steps = len(runs[number].rows) * (found.error / self.trial.per / goal) ** 2
            left = max(steps - len(runs[number].rows), 0.0) * a_step
            if number == 0:
                larger, smaller = self.plan.time_steps or (1.0, SMALLER)
                # n ~ autocorrelation/(tau error^2), at least what is looked at first; and settling
                steps *= larger / smaller * (goal / (self._goal(1) or goal)) ** 2
                left += (max(steps, LEAST_STEPS) + SETTLING * larger / smaller) * a_step
        left = min(left, math.inf if limit is None else max(limit - self._seconds, 0.0))
        return f", about {left:.0f} s to go" if math.isfinite(left) else ""

    def _goal(self, number: int) -> float | None:
        """The error of a run that reaches the target of E_0 = E_2 + x (E_2 - E_1) at the least cost.

            target^2 = sum a_i^2 error_i^2,  a = (x, 1 + x),  steps_i ~ 1/(tau_i error_i^2)  ->  a_i^2 error_i^2 ~ w_i,

        w_i = a_i/sqrt(tau_i); the cost (sum w_i)^2 is 9 for a ratio of 1/4, its least value, and 14.7 for 1/2.
        """
        steps, target = np.array(self.plan.time_steps or (1.0, SMALLER)), self.plan.target_error
        x = steps[1] / (steps[0] - steps[1])
        a = np.array([x, 1 + x])
        w = a / np.sqrt(steps)
        return None if target is None else target * float(np.sqrt(w[number] / w.sum()) / a[number])
