"""What a calculation goes on from, to the same digits: walkers, their random numbers, and all that was found so far.

It travels in the arrays of an unfinished result, whose names begin with ``state_``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ehbilayer.monte_carlo.diffusion import Diffusion
from ehbilayer.monte_carlo.estimators import Estimators, Tally
from ehbilayer.monte_carlo.statistics import Series
from ehbilayer.monte_carlo.trial import Trial
from ehbilayer.monte_carlo.walk import Walkers, packed, unpacked
from ehbilayer.results.base import Variable

PREFIX = "state_"
SECONDS = PREFIX + "seconds"


@dataclass(eq=False)
class State:
    """Where a calculation stands.

    walkers, parameters (P,) : as they are now.   tau : time step of the walk, 1/Ha_h.
    stage, done : number of the stage, and what is done of it.   seconds : that it has taken.
    walked : of each step of the variational walk: mean and variance of E_L, share of accepted moves.
    forgotten : times that its first half was, as the energy drifted.
    tally : what else is measured meanwhile.   runs : of diffusion, those that have begun.
    """

    walkers: Walkers
    parameters: np.ndarray
    tau: float
    tally: Tally
    stage: int = 0
    done: int = 0
    seconds: float = 0.0
    walked: Series = field(default_factory=lambda: Series(3))
    runs: list[Diffusion] = field(default_factory=list)
    forgotten: int = 0

    def forget(self) -> None:
        """The first half of the variational walk had not settled."""
        self.walked.halve()
        self.tally, self.forgotten = Tally(self.tally.estimators), self.forgotten + 1

    def arrays(self) -> dict[str, Variable]:
        """All of it, for a result."""
        found = {"positions": (self.walkers.positions, "a_h"), "energies": (self.walkers.energies, "Ha_h"),
                 "random": (packed(self.walkers.random), "1"), "parameters": (self.parameters, "1"),
                 "numbers": (np.array([self.tau, self.stage, self.done, self.forgotten]), "1"),
                 "seconds": (np.array(self.seconds), "s"), "walked": (self.walked.table, "1"), **_tally("", self.tally)}
        for i, run in enumerate(self.runs):
            found |= _tally(f"_{i}", run.tally)
            found[f"rows_{i}"] = (run.rows.table, "1")
            found[f"run_{i}"] = (np.array([run.tau, run.spread, run.target, run.settling, run.mean, run.ratio, run.done,
                                           *run.sums, run.forgotten]), "1")
        return {PREFIX + name: Variable(tuple(f"{PREFIX}{name}_{axis}" for axis in range(values.ndim)), values, units,
                                        "to go on from") for name, (values, units) in found.items()}

    @classmethod
    def of(cls, data: Mapping[str, Variable], trial: Trial, workers: int) -> State:
        """The state in a result. Raises KeyError where there is none."""
        def values(name: str) -> np.ndarray:
            return np.array(data[PREFIX + name].values)

        def tally(end: str) -> Tally:
            blocks, (used, per, last) = values("blocks" + end), values("tally" + end).tolist()
            return Tally(estimators, used, per, last, blocks)

        estimators = Estimators.of(trial)
        tau, stage, done, forgotten = values("numbers").tolist()
        walkers = Walkers(values("positions"), values("energies"), unpacked(values("random")), workers)
        runs = []
        for i in range(sum(name.startswith(PREFIX + "run_") for name in data)):
            step, spread, target, settling, mean, ratio, steps, gained, weight, times = values(f"run_{i}").tolist()
            runs.append(Diffusion(step, spread, int(target), int(settling), mean, tally(f"_{i}"), ratio, int(steps),
                                  Series(4, values(f"rows_{i}")), (gained, weight), int(times)))
        return cls(walkers, values("parameters"), tau, tally(""), int(stage), int(done), float(values("seconds")),
                   Series(3, values("walked")), runs, int(forgotten))


def _tally(end: str, tally: Tally) -> dict[str, tuple[np.ndarray, str]]:
    return {"blocks" + end: (tally.blocks, "1"), "tally" + end: (np.array([tally.used, tally.per, tally.last]), "1")}
