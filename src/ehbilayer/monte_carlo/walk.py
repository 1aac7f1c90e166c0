"""Variational Monte Carlo: walkers that sample |psi|^2, all moves accepted or refused by Metropolis.

A time step that accepts about half of the moves decorrelates fastest; it is found while the walkers settle. Random
numbers are drawn for all walkers at once, before any moves, and the kernels are functions of them: pieces of the
ensemble may move on threads of their own, and the digits are the same for any number of them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from ehbilayer.monte_carlo.cached import evaluate_cached, step_cached
from ehbilayer.monte_carlo.kernels import Psi, evaluate, step_all
from ehbilayer.monte_carlo.trial import Trial

ACCEPTED = 0.6  # share of the moves
PIECES = 4  # of the ensemble for each thread, so that all end at about the same time
WORTH = 2000  # particles of all walkers; to share out fewer takes longer than to move them
WORD = 2**64


@dataclass(eq=False)
class Walkers:
    """Walkers (W, N, 2) in a_h, their energies (W, 2) in Ha_h, the stream of random numbers that moves them, and how
    many ``workers`` (threads) do."""

    positions: np.ndarray
    energies: np.ndarray
    random: np.random.Generator
    workers: int = 1

    @classmethod
    def of(cls, trial: Trial, count: int, random: np.random.Generator, workers: int = 1) -> Walkers:
        """As many walkers where the trial begins."""
        return cls(trial.positions(count, random), np.zeros((count, 2)), random, workers)

    def step(self, psi: Psi, tau: float, fixed: bool) -> tuple[float, float]:
        """One sweep of all; returns the share of accepted moves and tau_eff/tau, accepted to all squared steps."""
        r, e = self.positions, self.energies
        normal, uniform = self.random.standard_normal(r.shape), self.random.random(r.shape[:2])
        moves = np.empty((len(r), 3))
        move = step_all if len(psi.backflow.coefficients) else step_cached
        share_out(lambda i: move(psi, r[i], tau, normal[i], uniform[i], fixed, e[i], moves[i]), r, self.workers)
        accepted, moved, tried = moves.sum(axis=0)
        return float(accepted / uniform.size), float(moved / tried)

    @property
    def local(self) -> np.ndarray:
        """The local energies (W,), Ha_h."""
        return self.energies.sum(axis=1)


@cache
def _threads(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, "walkers")


def share_out(work: Callable[[slice], None], positions: np.ndarray, workers: int) -> None:
    """Call ``work`` for pieces of the walkers (W, N, 2) that make up all of them, on ``workers`` threads."""
    count, particles = positions.shape[:2]
    if workers <= 1 or count * particles < WORTH:
        work(slice(0, count))
        return
    ends = np.linspace(0, count, PIECES * workers + 1).astype(int).tolist()
    for _ in _threads(workers).map(work, [slice(a, b) for a, b in pairwise(ends)]):
        pass


def local_energies(psi: Psi, positions: np.ndarray, workers: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Local energies (W,) in Ha_h and ln|psi| (W,) of walkers."""
    out = np.empty((len(positions), 3))
    look = evaluate if len(psi.backflow.coefficients) else evaluate_cached
    share_out(lambda i: look(psi, positions[i], out[i]), positions, workers)
    return out[:, 0] + out[:, 1], out[:, 2]


def settled_step(tau: float, share: float) -> float:
    """The time step after one that accepted this ``share``: smaller where more was refused than wished, bounded."""
    return tau * float(np.exp(np.clip(2 * (share - ACCEPTED), -0.7, 0.7)))


def first_step(trial: Trial) -> float:
    """A time step (1/Ha_h) of the size of the distances between particles, times the lightest mass."""
    return float(0.1 * trial.charges.mass.min() * trial.torus.area / trial.particles)


def last_step(trial: Trial) -> float:
    """The time step that takes every particle across the torus: longer ones find nothing new."""
    return float(trial.charges.mass.max() * trial.torus.area)


def packed(random: np.random.Generator) -> np.ndarray:
    """The state of a stream (6,) of 64-bit words."""
    state = random.bit_generator.state
    words = [part for value in (state["state"]["state"], state["state"]["inc"]) for part in divmod(value, WORD)]
    return np.array([*words, state["has_uint32"], state["uinteger"]], dtype=np.uint64)


def unpacked(words: np.ndarray) -> np.random.Generator:
    """The stream that was `packed`."""
    high, low, by_high, by_low, has, integer = (int(w) for w in words)
    generator = np.random.PCG64()
    generator.state = {"bit_generator": "PCG64", "state": {"state": high * WORD + low, "inc": by_high * WORD + by_low},
                       "has_uint32": has, "uinteger": integer}
    return np.random.Generator(generator)
