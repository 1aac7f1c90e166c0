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

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

from ehbilayer.monte_carlo.estimators import EVERY, Tally
from ehbilayer.monte_carlo.kernels import Psi
from ehbilayer.monte_carlo.statistics import Average, reblock
from ehbilayer.monte_carlo.walk import Walkers, local_energies
from ehbilayer.status import Status

CUT = 4.0  # standard deviations of the local energy of psi
FEEDBACK = 20  # steps in which the population is brought back
MEMORY = 200  # steps whose feedback is undone
MOST = 4  # copies of one walker
SHORTEST = 500  # steps: an error from fewer is too small too often
REFUSED = 0.01  # share of the moves at the larger time step


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


def time_step(psi: Psi, walkers: Walkers, tau: float) -> float:
    """A time step at which REFUSED of the moves are refused, found while walking in |psi|^2 from a first ``tau``."""
    for _ in range(6):
        share = float(np.mean([walkers.step(psi, tau, False)[0] for _ in range(4)]))
        # refusals grow as tau^(3/2), about
        tau *= float(np.clip((REFUSED / max(1 - share, 1e-4)) ** (2 / 3), 0.1, 10.0))
    return tau


def diffuse(psi: Psi, walkers: Walkers, tau: float, energy: float, spread: float, settling: int,
            enough: Callable[[np.ndarray, np.ndarray], bool], stopped: Callable[[], Status | None],
            tally: Tally) -> DiffusionRun:
    """Walk at ``tau`` from walkers of |psi|^2 with mean ``energy`` and standard deviation ``spread`` (Ha_h).

    The first ``settling`` steps do not count; ``enough`` is asked about the trace and its weights now and then.
    """
    target, particles = walkers.positions.shape[:2]
    cut = max(CUT * spread, 0.2 * np.sqrt(particles / tau))
    walkers.energies = np.column_stack([local_energies(psi, walkers.positions)[0], np.zeros(target)])
    trace: list[float] = []
    weights: list[float] = []
    feedback: list[float] = []
    shares: list[float] = []
    mean, ratio, look = energy, 1.0, SHORTEST
    for step in count(-settling):
        # E_T = <E> - ln(P/P_0)/(g tau)
        reference = mean - np.log(len(walkers.positions) / target) / (FEEDBACK * tau)
        before = np.clip(walkers.local, mean - cut, mean + cut)
        share, part = walkers.step(psi, tau, True)
        ratio += (part - ratio) / min(step + settling + 1, 1000)
        after = np.clip(walkers.local, mean - cut, mean + cut)
        # w = exp(-tau_eff [(E + E')/2 - E_T])
        w = np.exp(np.clip(-tau * ratio * ((before + after) / 2 - reference), -20.0, np.log(MOST)))
        mixed = float(w @ walkers.local / w.sum())
        branch(walkers, w)
        if step < 0:
            mean += (mixed - mean) / 10
            continue
        for kept, value in ((trace, mixed), (weights, w.sum()), (feedback, -tau * ratio * reference), (shares, share)):
            kept.append(float(value))
        if step % EVERY["dmc"] == 0:
            tally.take(psi, walkers)
        if step % 100 == 9:
            mean = float(np.average(trace, weights=weights))
        if stopped() is not None:
            break
        if step >= look:
            look = int(1.1 * step) + 50
            if enough(np.array(trace), np.array(weights)):
                break
    return DiffusionRun(tau, reblock(np.array(trace), np.array(weights)), float(np.mean(weights)),
                        float(np.mean(shares)), _undone(np.array(trace), np.array(weights), np.array(feedback)),
                        np.array(trace), np.array(weights), tally)


def _undone(trace: np.ndarray, weights: np.ndarray, feedback: np.ndarray) -> float:
    """The mean with the weights that the population would have had without feedback, over MEMORY steps."""
    gained = np.cumsum(feedback - feedback.mean())
    since = gained - np.concatenate([np.zeros(min(MEMORY, len(gained))), gained[:-MEMORY]])[: len(gained)]
    # what E_T gave is taken back
    return float(np.average(trace, weights=weights * np.exp(np.clip(since, -20.0, 20.0))))
