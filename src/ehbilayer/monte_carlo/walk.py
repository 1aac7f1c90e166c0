"""Variational Monte Carlo: walkers that sample |psi|^2, all moves accepted or refused by Metropolis.

A time step that accepts about half of the moves decorrelates fastest; it is found while the walkers settle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ehbilayer.hooks import never
from ehbilayer.monte_carlo.kernels import Psi, evaluate, step_all
from ehbilayer.monte_carlo.trial import Trial
from ehbilayer.status import Status

ACCEPTED = 0.6  # share of the moves


@dataclass(eq=False)
class Walkers:
    """Walkers (W, N, 2) in a_h, their energies (W, 2) in Ha_h, and the stream of random numbers that moves them."""

    positions: np.ndarray
    energies: np.ndarray
    random: np.random.Generator

    @classmethod
    def of(cls, trial: Trial, count: int, random: np.random.Generator) -> Walkers:
        """As many walkers where the trial begins."""
        return cls(trial.positions(count, random), np.zeros((count, 2)), random)

    def step(self, psi: Psi, tau: float, fixed: bool) -> tuple[float, float]:
        """One sweep of all; returns the share of accepted moves and tau_eff/tau."""
        shape = self.positions.shape
        normal, uniform = self.random.standard_normal(shape), self.random.random(shape[:2])
        accepted, ratio = step_all(psi, self.positions, tau, normal, uniform, fixed, self.energies)
        return accepted / (shape[0] * shape[1]), ratio

    @property
    def local(self) -> np.ndarray:
        """The local energies (W,), Ha_h."""
        return self.energies.sum(axis=1)


def local_energies(psi: Psi, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Local energies (W,) in Ha_h and ln|psi| (W,) of walkers."""
    out = np.empty((len(positions), 3))
    evaluate(psi, positions, out)
    return out[:, 0] + out[:, 1], out[:, 2]


def settle(psi: Psi, walkers: Walkers, tau: float, steps: int, look: Callable[[str], None],
           stopped: Callable[[], Status | None] = never) -> float:
    """Let the walkers forget where they began, unless stopped; the time step that accepts ACCEPTED of the moves."""
    for i in range(steps):
        share, _ = walkers.step(psi, tau, False)
        # more refused than wished: smaller steps; slower and slower, and bounded
        tau *= float(np.exp(np.clip(2 * (share - ACCEPTED), -0.7, 0.7)))
        if i % 10 == 0:
            look(f"settling, step {i} of {steps}")
        if stopped() is not None:
            break
    return tau


def first_step(trial: Trial) -> float:
    """A time step (1/Ha_h) of the size of the distances between particles, times the lightest mass."""
    return float(0.1 * trial.charges.mass.min() * trial.torus.area / trial.particles)
