r"""The exciton insulator along the bias: its density, and the gate voltages between which it holds.

At n_e = n_h = n, Omega = f(n, n) + (1/2)(K_ee + 2 K_eh + K_hh) n^2 - W n with W = w_e + w_h: neither n nor Omega_X
depends on D = (w_e - w_h)/2, the common shift of both gates. A state of charge q = n_e - n_h costs - D q more, so the
insulator holds where

    max_{q < 0} (Omega_q(W) - Omega_X)/q < D < min_{q > 0} (Omega_q(W) - Omega_X)/q,

and across that range mu_e rises by its width and mu_h falls by it: the jump of both at n_e = n_h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ehbilayer.gates.ground import ground
from ehbilayer.gates.sheet import INSULATOR, NODES, Sheet

ROUNDS = 40
SAME = 1e-13  # relative difference of energies that are the same


@dataclass(frozen=True, eq=False)
class Insulator:
    """At each W (p,), Ha_h: the density of pairs, the ends of D between which it holds, all NaN where it does not; and
    whether the densities that are known end there."""

    density: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ends: np.ndarray


def onset(sheets: list[Sheet], stiffness: np.ndarray) -> tuple[float, float] | None:
    """The lowest W at which there are pairs, min_n [f/n + K n/2], and f/n at n -> 0; None without pairs."""
    k, found = float(stiffness.sum()), []
    for sheet in sheets:
        if INSULATOR not in sheet.names:
            continue
        n = np.linspace(0.0, sheet.u[-1], 40 * NODES + 1)[1:] ** 2
        per_pair = sheet.energy.derivatives(n, np.zeros_like(n))[0] / n
        if sheet.known is not None:
            per_pair = np.where(np.interp(np.sqrt(n), sheet.u, sheet.known[:, 0]) == 1.0, per_pair, np.inf)
        found.append((float(np.min(per_pair + k * n / 2)), float(per_pair[0])))
    if not found:
        return None
    return min(min(f[0] for f in found), min(f[1] for f in found)), min(f[1] for f in found)


def insulator(sheets: list[Sheet], stiffness: np.ndarray, both: np.ndarray) -> Insulator:
    """The insulator at each W (p,)."""
    paired = [s for s in sheets if INSULATOR in s.names]
    nothing = np.full(len(both), np.nan)
    if not paired:
        return Insulator(nothing, nothing, nothing, np.zeros(len(both), bool))
    # at n_e = n_h alone: sheets cut to their edge y = 0
    edges = [Sheet(s.made_of, s.energy, s.u, np.zeros(1), s.names, None if s.known is None else s.known[:, :1],
                   s.paired) for s in paired]
    found = ground(edges, stiffness, np.stack([both / 2, both / 2], axis=1))
    there = (found.phases(edges) == INSULATOR) & (found.omega < 0)
    low, high = (_end(sheets, stiffness, both, found.omega, sign) for sign in (-1, 1))
    # at n_e = n_h a plasma may lie lower, whatever D is
    inside = np.maximum(low, np.minimum(high, 1.0) - 2.0), np.minimum(high, np.maximum(low, -1.0) + 2.0)
    middle = 0.5 * (inside[0] + inside[1])
    state = ground(sheets, stiffness, np.stack([both / 2 + middle, both / 2 - middle], axis=1))
    there &= (low < high) & (state.omega >= found.omega - SAME * np.abs(found.omega))
    density, low, high = (np.where(there, x, np.nan) for x in (found.n[:, 0], low, high))
    return Insulator(density, low, high, found.ends & there)


def _end(sheets: list[Sheet], stiffness: np.ndarray, both: np.ndarray, omega: np.ndarray, sign: int) -> np.ndarray:
    """The lowest D (``sign`` = 1) at which a state of positive charge is as low, or the highest (-1) at which one of
    negative charge is: the state that is lowest there gives the next D (Dinkelbach)."""
    end = _first(sheets, stiffness, both, omega, sign)
    todo = np.flatnonzero(np.isfinite(end))
    for _ in range(ROUNDS if len(todo) else 0):
        w, d = both[todo] / 2, end[todo]
        state = ground(sheets, stiffness, np.stack([w + d, w - d], axis=1))
        charge = state.n[:, 0] - state.n[:, 1]
        gain = state.omega - omega[todo]
        lower = (gain < -SAME * np.abs(omega[todo])) & (sign * charge > 0)
        todo = todo[lower]
        if not len(todo):
            break
        end[todo] += gain[lower] / charge[lower]
    return end


def _first(sheets: list[Sheet], stiffness: np.ndarray, both: np.ndarray, omega: np.ndarray, sign: int) -> np.ndarray:
    """That D from the nodes of all sheets."""
    best = np.full(len(both), np.inf)
    for sheet in sheets:
        n = np.stack(np.meshgrid(sheet.u**2, sheet.v**2, indexing="ij"), axis=-1).reshape(-1, 2) @ sheet.matrix.T
        charge, f = sign * (n[:, 0] - n[:, 1]), sheet.grid.ravel()
        side = (charge > 0) & np.isfinite(f)
        if side.any():
            n, charge = n[side], charge[side]
            cost = (f[side] + 0.5 * np.sum(n * (n @ stiffness), axis=1)) / charge
            total = n.sum(axis=1) / 2 / charge
            best = np.minimum(best, [float(np.min(cost - w * total - o / charge)) for w, o in
                                     zip(both, omega, strict=True)])
    return sign * best
