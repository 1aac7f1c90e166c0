r"""Plasmons of coupled liquids: zeros of det[1 - chi_0(q, z) W(q)] at and below the real axis.

Acoustic mode, q -> 0 at z = c q: with W_ab -> z_a z_b (C/q + h_ab) charges stay neutral where C > 0, and for two
carriers of opposite charge exactly

    1/chi_e + 1/chi_h = h_ee + h_hh - 2 h_eh,     4 pi d for Coulomb without local fields,

which lower h by lim v_ab G_ab. Between metal gates C = 0 and det[1 - chi_0 z z h] = 0. Slower than the Fermi velocity
of a carrier a mode decays into its pairs, and its frequency is complex, on the sheet that goes on from above
(`polarisation`). Zeros are found by the secant method, then followed in q.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable

import numpy as np
import scipy.linalg

from ehbilayer.response.liquids import Liquids

STEPS, CLOSE, ROUNDED = 60, 1e-12, 1e-8  # of the secant method; what rounding may leave of its last step
LOST = 1e3  # times the start: nothing is found there
DAMPED = 1.0  # a mode whose damping exceeds this share of its frequency is none
SLOWER = np.geomspace(0.1, 2.0, 12)  # velocities, over an estimate, from which the acoustic one is looked for


def acoustic_velocity(liquids: Liquids, field: np.ndarray) -> complex | None:
    """c (a_h Ha_h) with the local fields L at the waves of the grid.

    Im c < 0 where it decays; None where there is no such mode, as in one layer of Coulomb charges.
    """
    gases, h = liquids.gases, liquids.soft(field)
    # what densities may do: anything between gates, else stay neutral
    free = np.eye(len(gases)) if liquids.interaction.finite else scipy.linalg.null_space(
        np.array([[float(g.carrier.charge) for g in gases]]))
    if not free.shape[1]:
        return None

    def equation(c: complex) -> complex:
        return complex(np.linalg.det(free.T @ (np.diag([1 / g.sound(c) for g in gases]) - h) @ free))

    # gases in their ground state at any time: c^2 are the eigenvalues of 1/N_0 + h over m/n, the scale of the search
    stiff = free.T @ (np.diag([1 / g.states for g in gases]) + h) @ free
    heavy = free.T @ np.diag([g.carrier.mass / g.carrier.density for g in gases]) @ free
    scale = float(np.sqrt(np.abs(scipy.linalg.eigh(stiff, heavy, eigvals_only=True)).min()))
    return _slowest(equation, [complex(s * scale, -1e-3 * s * scale) for s in SLOWER])


def _slowest(equation: Callable[[complex], complex], starts: list[complex]) -> complex | None:
    """Of the zeros that lead on from the starts, the least damped."""
    found = [root for start in starts if (root := secant(equation, start)) is not None
             and root.real > 0 and root.imag <= 1e-9 * root.real and -root.imag < DAMPED * root.real]
    return min(found, key=lambda c: (round(-c.imag / c.real, 6), c.real), default=None)


def secant(equation: Callable[[complex], complex], start: complex) -> complex | None:
    """A zero near ``start``, None where none is found; damping below rounding is none."""
    one, two = start, start * (1.001 - 0.001j)
    f, g = equation(one), equation(two)
    for _ in range(STEPS):
        if g == f or not cmath.isfinite(g - f) or abs(two - one) < CLOSE * abs(two):
            break
        one, two, f = two, two - g * (two - one) / (g - f), g
        if not 0 < abs(two) < LOST * abs(start):
            return None
        g = equation(two)
    if abs(two - one) > ROUNDED * abs(two):
        return None
    return complex(two.real, two.imag if abs(two.imag) > ROUNDED * abs(two) else 0.0)


def followed(liquids: Liquids, q: np.ndarray, field: np.ndarray, start: complex | None, power: float) -> np.ndarray:
    """Frequencies (n,) complex at rising ``q`` (n,) from z = ``start`` at the first on; NaN once the mode is lost.

    field : L (n, carriers, carriers) at q.   power : z/q^power hardly changes: 1 acoustic, 1/2 optical.
    """
    found = np.full(len(q), np.nan + 0j)
    if start is None:
        return found
    w = liquids.effective(q, field)
    for i, here in enumerate(q):
        def equation(z: complex, here: float = float(here), i: int = i) -> complex:
            free = np.array([g.real(np.array(here), np.array(z)) for g in liquids.gases])
            return complex(np.linalg.det(np.eye(len(free)) - free[:, None] * w[i]))
        guess = start
        if i > 0:
            ratio = found[max(i - 2, 0):i] / q[max(i - 2, 0):i] ** power
            on = (here - q[i - 1]) / (q[i - 1] - q[i - 2]) if i > 1 else 0.0
            guess = complex((ratio[-1] + (ratio[-1] - ratio[0]) * on) * here**power)
        root = secant(equation, guess)
        if root is None or root.real <= 0 or root.imag > 1e-9 * abs(root) or -root.imag > DAMPED * root.real:
            break
        found[i] = root
    return found


def optical_start(liquids: Liquids, q: float) -> complex:
    """w at small q of the mode of the largest restoring force: w^2 is the largest eigenvalue of (n_a q^2/m_a) V_ab."""
    v = liquids.bare(np.array([q]))[0]
    weight = np.sqrt(np.array([g.carrier.density / g.carrier.mass for g in liquids.gases]) * q * q)
    return complex(np.sqrt(np.linalg.eigvalsh(weight[:, None] * v * weight)[-1]))
