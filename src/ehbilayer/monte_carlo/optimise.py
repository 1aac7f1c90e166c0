"""Optimisation of a trial function by the linear method, on samples of |psi|^2.

With O_i = d ln psi/dp_i less its mean, psi(p + dp) ~ psi (1 + sum_i O_i dp_i) is linear, and dp solves

    H c = E S c,  S_ij = <O_i O_j>,  H_i0 = <O_i E_L>,  H_0j = <O_j E_L> + <dE_L/dp_j>,
    H_ij = <O_i O_j E_L> + <O_i dE_L/dp_j> + shift S_ii delta_ij,   dp_i = c_i/c_0.

The shift, which makes the step safe, is the one whose step has the lowest energy on the same samples, reweighted by
|psi'/psi|^2. Derivatives by the parameters are differences on the same samples.

Source: Toulouse, Umrigar, JCP 126, 084102 (2007); Umrigar et al., PRL 98, 110201 (2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ehbilayer.monte_carlo.trial import Trial
from ehbilayer.monte_carlo.walk import Walkers, local_energies
from ehbilayer.status import Status

STEP = 1e-4  # of parameters, which are pure numbers of order one
SHIFTS = (1e-3, 1e-2, 1e-1, 1.0, 3.0, 10.0, 100.0)  # times the spread of the local energy; large ones for poor starts
OVERLAP = 0.1  # samples that must still count after reweighting, as a share
VARIANCE = 0.02  # weight of the spread of the local energy beside the energy: it keeps tails in order


@dataclass(frozen=True, eq=False)
class Samples:
    """Walkers (S, N, 2) of |psi|^2, local energies (S,), ln|psi| (S,), and both at parameters moved by STEP (P, S)."""

    positions: np.ndarray
    energy: np.ndarray
    log: np.ndarray
    moved_energy: np.ndarray
    moved_log: np.ndarray


def gather(trial: Trial, parameters: np.ndarray, walkers: Walkers, tau: float, snapshots: int, apart: int,
           stopped: Callable[[], Status | None]) -> Samples | None:
    """Samples at ``parameters``: all walkers, ``snapshots`` times, ``apart`` sweeps apart; None where stopped."""
    psi, kept = trial.psi(parameters), []
    for _ in range(snapshots):
        for _ in range(apart):
            walkers.step(psi, tau, False)
        if stopped() is not None:
            return None
        kept.append(walkers.positions.copy())
    positions = np.concatenate(kept)
    energy, log = local_energies(psi, positions, walkers.workers)
    moved = []
    for i in range(len(parameters)):
        if stopped() is not None:
            return None
        other = trial.psi(parameters + STEP * (np.arange(len(parameters)) == i))
        moved.append(local_energies(other, positions, walkers.workers))
    return Samples(positions, energy, log, np.array([e for e, _ in moved]), np.array([g for _, g in moved]))


def matrices(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """H and S (P + 1, P + 1) in Ha_h and 1, the current function first."""
    o = (samples.moved_log - samples.log) / STEP
    o = o - o.mean(axis=1, keepdims=True)
    slope, n = (samples.moved_energy - samples.energy) / STEP, len(samples.energy)
    mean = samples.energy.mean()
    s, h = np.eye(len(o) + 1), np.empty((len(o) + 1, len(o) + 1))
    s[1:, 1:] = o @ o.T / n
    h[0, 0] = mean
    h[1:, 0] = o @ samples.energy / n
    h[0, 1:] = h[1:, 0] + slope.mean(axis=1)
    h[1:, 1:] = (o * samples.energy) @ o.T / n + o @ slope.T / n
    return h, s


def change(h: np.ndarray, s: np.ndarray, shift: float) -> np.ndarray:
    """The step (P,) of the linear method, zero where the equations give none."""
    scale = np.sqrt(np.diag(s)[1:])
    used = np.flatnonzero(scale > 1e-8) + 1
    keep = np.concatenate([[0], used])
    norm = np.concatenate([[1.0], scale[used - 1]])
    hh = h[np.ix_(keep, keep)] / np.outer(norm, norm)
    ss = s[np.ix_(keep, keep)] / np.outer(norm, norm)
    inner = np.arange(1, len(keep))
    hh[inner, inner] += shift
    ss[inner, inner] += 1e-8
    _, vectors = scipy.linalg.eig(hh, ss)
    weight = np.abs(vectors[0]) ** 2 / np.sum(np.abs(vectors) ** 2, axis=0)
    # the state that is most the present one; a spurious low root is mostly something else
    best = int(np.argmax(weight))
    out = np.zeros(len(s) - 1)
    out[used - 1] = np.real(vectors[1:, best] / vectors[0, best]) / norm[1:]
    return out


def reweighted(trial: Trial, parameters: np.ndarray, samples: Samples, workers: int = 1) -> tuple[float, float, float]:
    """Energy, spread of the local energy (Ha_h), and the share of samples that count, at other ``parameters``."""
    energy, log = local_energies(trial.psi(parameters), samples.positions, workers)
    w = np.exp(np.clip(2 * (log - samples.log) - np.max(2 * (log - samples.log)), -200.0, 0.0))
    w /= w.sum()
    mean = float(w @ energy)
    return mean, float(np.sqrt(w @ (energy - mean) ** 2)), float(1 / (w @ w) / len(w))


def improve(trial: Trial, parameters: np.ndarray, samples: Samples, workers: int = 1) -> np.ndarray:
    """Parameters (P,) that the samples say are better; the same where none is."""
    h, s = matrices(samples)
    spread = float(samples.energy.std())
    best, lowest = parameters, samples.energy.mean() + VARIANCE * spread
    for shift in SHIFTS:
        trying = parameters + change(h, s, shift * spread)
        energy, width, overlap = reweighted(trial, trying, samples, workers)
        if overlap > OVERLAP and energy + VARIANCE * width < lowest:
            best, lowest = trying, energy + VARIANCE * width
    return best


def optimised(trial: Trial, parameters: np.ndarray, walkers: Walkers, tau: float, samples: int, name: str,
              look: Callable[[str], None], stopped: Callable[[], Status | None]) -> np.ndarray | None:
    """Parameters after a step called ``name`` with ``samples`` walkers; None where it was stopped within."""
    snapshots = max(1, round(samples / len(walkers.positions)))
    found = gather(trial, parameters, walkers, tau, snapshots, 5, stopped)
    if found is None:
        return None
    energy, spread = found.energy.mean() / trial.per, found.energy.std() / trial.per
    look(f"{name}: energy {energy:.6f}, spread {spread:.6f} Ha_h")
    return improve(trial, parameters, found, walkers.workers)
