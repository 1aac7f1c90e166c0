"""Fixed-node diffusion Monte Carlo: walkers drift, diffuse, and branch by their local energy.

One particle moves at a time, with limited drift and a Metropolis test, and none may cross a node of psi. A sweep with
time step tau gives the walker the factor

    w = exp(-tau_eff [(E_L(R) + E_L(R'))/2 - E_T]),  tau_eff = tau <accepted dr^2>/<dr^2>,

and it goes on as floor(w + u) walkers. E_T follows the running mean, less a feedback ln(P/P_0)/(g tau) that keeps the
population P at P_0. Local energies count in w only within a bound about the mean, of CUT standard deviations of psi's
at least, 0.2 sqrt(N/tau) if that is more: near nodes it diverges.

What the feedback does to the energy is undone by weights over a memory of steps, and reported.

Sources: Umrigar, Nightingale, Runge, JCP 99, 2865 (1993); Reynolds et al., JCP 77, 5593 (1982); Zen et al., PRB 93,
241118 (2016).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ehbilayer.monte_carlo.estimators import EVERY, Tally
from ehbilayer.monte_carlo.kernels import Psi
from ehbilayer.monte_carlo.statistics import Average, Series, reblock
from ehbilayer.monte_carlo.walk import Walkers

CUT = 4.0  # standard deviations of the local energy of psi
FEEDBACK = 20  # steps in which the population is brought back
MEMORY = 200  # steps whose feedback is undone
MOST = 4  # copies of one walker
REFUSED = 0.015  # share of the moves at the larger time step


@dataclass(frozen=True, eq=False)
class DiffusionRun:
    """A run at one time step.

    tau : 1/Ha_h.   energy : per box, of the mixed estimator.   population : mean, of walkers.
    acceptance : share of the moves.   undone : the energy without the bias of the feedback, same units.
    trace : of the energy (n,), Ha_h.   weights : of the steps (n,), walkers.   tally : what else was measured.
    """

    tau: float
    energy: Average
    population: float
    acceptance: float
    undone: float
    trace: np.ndarray
    weights: np.ndarray
    tally: Tally


def branch(walkers: Walkers, weights: np.ndarray) -> None:
    """Every walker goes on as floor(w + u) walkers, MOST at most; never none of all."""
    copies = np.minimum(np.floor(weights + walkers.random.random(len(weights))), MOST).astype(int)
    if not copies.any():
        copies[int(np.argmax(weights))] = 1
    chosen = np.repeat(np.arange(len(copies)), copies)
    walkers.positions, walkers.energies = walkers.positions[chosen], walkers.energies[chosen]


def refined(tau: float, share: float) -> float:
    """A time step at which REFUSED of the moves are refused, from the ``share`` that ``tau`` accepts."""
    # refusals grow as tau^(3/2), about
    return tau * float(np.clip((REFUSED / max(1 - share, 1e-4)) ** (2 / 3), 0.1, 10.0))


@dataclass(eq=False)
class Diffusion:
    """A run on its way: it can be left after any step, and gone on with.

    tau : 1/Ha_h.   spread : of the local energy of psi, Ha_h.   target : number of walkers.
    settling : steps that do not count.   mean : of the energy, Ha_h, which E_T follows.   ratio : tau_eff/tau.
    done : steps.   rows : of those that count: energy (Ha_h), weight, what E_T gave, share of the moves.
    sums : of energy times weight, and of weights.   tally : what else is measured.
    forgotten : times that the first half of the rows was, as the energy drifted.
    """

    tau: float
    spread: float
    target: int
    settling: int
    mean: float
    tally: Tally
    ratio: float = 1.0
    done: int = 0
    rows: Series = field(default_factory=lambda: Series(4))
    sums: tuple[float, float] = (0.0, 0.0)
    forgotten: int = 0

    def forget(self) -> None:
        """The first half of what counts had not settled."""
        self.rows.halve()
        trace, weights, *_ = self.rows.table.T
        self.sums = (float(trace @ weights), float(weights.sum()))
        self.tally, self.forgotten = Tally(self.tally.estimators), self.forgotten + 1

    def step(self, psi: Psi, walkers: Walkers) -> None:
        """All walkers move and branch."""
        tau, walk = self.tau, walkers
        cut = max(CUT * self.spread, 0.2 * np.sqrt(walk.positions.shape[1] / tau))
        # E_T = <E> - ln(P/P_0)/(g tau)
        reference = self.mean - np.log(len(walk.positions) / self.target) / (FEEDBACK * tau)
        before = np.clip(walk.local, self.mean - cut, self.mean + cut)
        share, part = walk.step(psi, tau, True)
        self.done += 1
        self.ratio += (part - self.ratio) / min(self.done, 1000)
        after = np.clip(walk.local, self.mean - cut, self.mean + cut)
        # w = exp(-tau_eff [(E + E')/2 - E_T])
        w = np.exp(np.clip(-tau * self.ratio * ((before + after) / 2 - reference), -20.0, np.log(MOST)))
        mixed, weight = float(w @ walk.local / w.sum()), float(w.sum())
        branch(walk, w)
        if self.done <= self.settling:
            self.mean += (mixed - self.mean) / 10
            return
        self.rows.add(mixed, weight, -tau * self.ratio * reference, share)
        self.sums = (self.sums[0] + mixed * weight, self.sums[1] + weight)
        if len(self.rows) % EVERY["dmc"] == 1:
            self.tally.take(psi, walk)
        if len(self.rows) % 100 == 10:
            self.mean = self.sums[0] / self.sums[1]

    @property
    def average(self) -> Average:
        """The energy so far, Ha_h; while it settles, what E_T follows."""
        if not self.rows:
            return Average(self.mean, math.nan, 1.0, 0, np.zeros(0), np.zeros(0))
        trace, weights, *_ = self.rows.table.T
        return reblock(trace, weights)

    def found(self) -> DiffusionRun | None:
        """What it found; None while it settles."""
        if not self.rows:
            return None
        trace, weights, feedback, shares = self.rows.table.T
        return DiffusionRun(self.tau, self.average, float(weights.mean()), float(shares.mean()),
                            _undone(trace, weights, feedback), trace, weights, self.tally)


def _undone(trace: np.ndarray, weights: np.ndarray, feedback: np.ndarray) -> float:
    """The mean with the weights that the population would have had without feedback, over MEMORY steps."""
    gained = np.cumsum(feedback - feedback.mean())
    since = gained - np.concatenate([np.zeros(min(MEMORY, len(gained))), gained[:-MEMORY]])[: len(gained)]
    # what E_T gave is taken back
    return float(np.average(trace, weights=weights * np.exp(np.clip(since, -20.0, 20.0))))
