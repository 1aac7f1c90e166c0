"""The walk, one walker at a time: moves of one particle, local energy.

psi = e^J prod_a det_a. With the inverse of the matrix M of a determinant, line i of it for the particle that moves,

    psi'/psi = e^{dJ} sum_j phi_j(r') M^-1_ji,  grad ln psi = grad J + sum_j grad phi_j M^-1_ji,
    E_L = Re sum_i -(1/2m_i) [lap J + (grad J)^2 + 2 grad J . g + sum_j lap phi_j M^-1_ji] + V,   g = grad ln det.

A complex psi, that of a twist, keeps its phase: grad ln|psi| drives the walk, and E_L is the local energy of |psi| in
the potential (grad phase)^2/2m that fixing the phase adds. Everything random comes in as arrays, so that a kernel is a
function. Inverses are made anew at the beginning of every sweep. `walk` comes here with backflow; without it takes
`cached`, the same formulas faster.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ehbilayer.monte_carlo.backflow import accept, attempt, flowing, flows, rebuild, workspace
from ehbilayer.monte_carlo.compiled import compiled
from ehbilayer.monte_carlo.determinants import Determinants, contract, orbitals
from ehbilayer.monte_carlo.jastrow import Jastrow, pair_function
from ehbilayer.monte_carlo.pair_potential import Box, Potential, nearest, pair_potential


class Charges(NamedTuple):
    """What is there: ``mass`` (N,), products ``zz`` (N, N), which distance of layers lies between two (N, N), and the
    ``constant`` 1/2 sum z^2 M(0) (Ha_h)."""

    mass: np.ndarray
    zz: np.ndarray
    apart: np.ndarray
    constant: float


class Psi(NamedTuple):
    """A trial function on a torus, as the kernels read it."""

    box: Box
    potential: Potential
    charges: Charges
    determinants: Determinants
    jastrow: Jastrow
    backflow: Jastrow


@compiled
def jastrow_at(psi, walker, i, x, y):  # type: ignore[no-untyped-def]
    """The part of J that particle i has at (x, y), its gradient and Laplacian by r_i."""
    total, gx, gy, lap = 0.0, 0.0, 0.0, 0.0
    for j in range(walker.shape[0]):
        if j != i:
            dx, dy = nearest(psi.box, x - walker[j, 0], y - walker[j, 1])
            r = math.sqrt(dx * dx + dy * dy)
            if 0.0 < r < psi.box.radius:
                f, slope, curve = pair_function(psi.jastrow.coefficients, psi.jastrow.kind[i, j], psi.box.radius, r)
                total += f
                gx += slope * dx
                gy += slope * dy
                lap += curve + slope  # f'' + f'/r
    return total, gx, gy, lap


@compiled
def at(psi, walker, work, line, i, x, y):  # type: ignore[no-untyped-def]
    """Ratio of the determinant with particle i at (x, y), its J there, and grad ln psi there; fills ``line``."""
    ratio, gx, gy = attempt(psi, walker, work, line, i, x, y)
    j, jx, jy, _ = jastrow_at(psi, walker, i, x, y)
    # grad ln|psi|
    return ratio, j, jx + gx.real, jy + gy.real


@compiled
def limited(gx, gy, tau):  # type: ignore[no-untyped-def]
    """The drift over a time step with velocity (gx, gy), bounded near nodes (Umrigar, Nightingale, Runge 1993)."""
    square = (gx * gx + gy * gy) * tau
    # v (sqrt(1 + 2 v^2 tau) - 1)/(v^2 tau), which is v where v^2 tau is small
    factor = tau * 2 / (1 + math.sqrt(1 + 2 * square))
    return factor * gx, factor * gy


@compiled
def sweep(psi, walker, tau, normal, uniform, fixed, work, line, change):  # type: ignore[no-untyped-def]
    """Moves every particle once; ``fixed`` refuses to cross a node. Returns accepted moves, and the mean squares of
    accepted and of all diffusive steps in units of tau/m."""
    rebuild(psi, walker, work, line)
    accepted, moved, tried = 0, 0.0, 0.0
    for i in range(walker.shape[0]):
        step = tau / psi.charges.mass[i]
        x, y = walker[i, 0], walker[i, 1]
        _, j_old, gx, gy = at(psi, walker, work, line, i, x, y)
        vx, vy = limited(gx, gy, step)
        size = math.sqrt(step)
        new_x, new_y = x + vx + size * normal[i, 0], y + vy + size * normal[i, 1]
        ratio, j_new, gx, gy = at(psi, walker, work, line, i, new_x, new_y)
        square = normal[i, 0] ** 2 + normal[i, 1] ** 2
        tried += square
        if not (abs(ratio) > 0.0) or (fixed and ratio.real < 0.0):
            continue
        vx, vy = limited(gx, gy, step)
        back_x, back_y = x - new_x - vx, y - new_y - vy
        # G(r' -> r)/G(r -> r') |psi(r')/psi(r)|^2
        chance = 2 * (j_new - j_old + math.log(abs(ratio))) - (back_x**2 + back_y**2) / (2 * step) + square / 2
        if chance >= 0 or uniform[i] < math.exp(chance):
            accept(psi, work, line, i, ratio, change)
            walker[i, 0], walker[i, 1] = new_x, new_y
            accepted, moved = accepted + 1, moved + square
    return accepted, moved, tried


@compiled
def pairs(psi, walker, drift):  # type: ignore[no-untyped-def]
    """J and the interaction (Ha_h) of all pairs, and grad J and the Laplacian of J by each particle in ``drift``
    (N, 3)."""
    box, jastrow, charges = psi.box, psi.jastrow, psi.charges
    total, interaction = 0.0, charges.constant
    drift[:] = 0.0
    for i in range(walker.shape[0]):
        gx, gy, lap = 0.0, 0.0, 0.0
        for j in range(i):
            dx, dy = nearest(box, walker[i, 0] - walker[j, 0], walker[i, 1] - walker[j, 1])
            interaction += charges.zz[i, j] * pair_potential(box, psi.potential, charges.apart[i, j], dx, dy)
            r = math.sqrt(dx * dx + dy * dy)
            if 0.0 < r < box.radius:
                f, slope, curve = pair_function(jastrow.coefficients, jastrow.kind[i, j], box.radius, r)
                total += f
                gx, gy, lap = gx + slope * dx, gy + slope * dy, lap + curve + slope  # f'' + f'/r
                drift[j, 0] -= slope * dx
                drift[j, 1] -= slope * dy
                drift[j, 2] += curve + slope
        drift[i, 0], drift[i, 1], drift[i, 2] = drift[i, 0] + gx, drift[i, 1] + gy, drift[i, 2] + lap
    return total, interaction


@compiled
def energies(psi, walker, work, line, drift):  # type: ignore[no-untyped-def]
    """Kinetic and potential local energy (Ha_h), and J; of the inverses as they are; ``drift`` (N, 3) is scratch."""
    det = psi.determinants
    total, interaction = pairs(psi, walker, drift)
    if flows(psi):
        return flowing(psi, walker, work, line, drift), interaction, total
    kinetic = 0.0
    for i in range(walker.shape[0]):
        orbitals(psi, det.number[i], det.role[i], walker[i, 0], walker[i, 1], walker, line, True)
        _, gx, gy, lap = contract(det, work.inverses, line, i, True)
        jx, jy, curve = drift[i, 0], drift[i, 1], drift[i, 2]
        kinetic -= (curve + jx * jx + jy * jy + (2 * (jx * gx + jy * gy) + lap).real) / (2 * psi.charges.mass[i])
    return kinetic, interaction, total


@compiled
def local_energy(psi, walker, work, line):  # type: ignore[no-untyped-def]
    """Kinetic and potential local energy (Ha_h), and ln|psi|; makes the inverses anew."""
    log, _ = rebuild(psi, walker, work, line)
    kinetic, interaction, total = energies(psi, walker, work, line, np.empty((walker.shape[0], 3)))
    return kinetic, interaction, log + total


@compiled
def step_all(psi, walkers, tau, normal, uniform, fixed, found, moves):  # type: ignore[no-untyped-def]
    """One sweep of every walker (W, N, 2) in place, then its kinetic and potential energy into ``found`` (W, 2), its
    accepted moves and the squares of accepted and of all diffusive steps, in units of tau/m, into ``moves`` (W, 3)."""
    work, line, change = workspace(psi)
    drift = np.empty((walkers.shape[1], 3))
    for w in range(walkers.shape[0]):
        a, m, t = sweep(psi, walkers[w], tau, normal[w], uniform[w], fixed, work, line, change)
        moves[w, 0], moves[w, 1], moves[w, 2] = a, m, t
        found[w, 0], found[w, 1], _ = energies(psi, walkers[w], work, line, drift)


@compiled
def evaluate(psi, walkers, out):  # type: ignore[no-untyped-def]
    """Kinetic and potential local energy and ln|psi| of every walker, into ``out`` (W, 3)."""
    work, line, _ = workspace(psi)
    for w in range(walkers.shape[0]):
        out[w, 0], out[w, 1], out[w, 2] = local_energy(psi, walkers[w], work, line)
