"""The walk, one walker at a time: orbitals, inverses, moves of one particle, local energy.

psi = e^J prod_a det_a, det_a of M_ij = phi_j(r_i): plane waves, or one function phi(r_i - c_j) about centres c_j, which
are sites of a crystal or particles of another species, so that pairs of electrons and holes are a determinant like all
others; a hole then moves a column. With the inverse of M, line i of it for the particle that moves,

    psi'/psi = e^{dJ} sum_j phi_j(r') M^-1_ji,  grad ln psi = grad J + sum_j grad phi_j M^-1_ji,
    E_L = sum_i -(1/2m_i) [lap J + (grad J)^2 + 2 grad J . g + sum_j lap phi_j M^-1_ji] + V,   g = grad ln det.

Everything random comes in as arrays, so that a kernel is a function. Inverses are made anew at every step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ehbilayer.monte_carlo.jastrow import Jastrow, pair_function
from ehbilayer.monte_carlo.pair_potential import Box, Potential, nearest, pair_potential
from ehbilayer.monte_carlo.splines import spline, spline_value

WAVES, SITES, PARTICLES = 0, 1, 2  # kinds of determinants
ROW, COLUMN = 0, 1


class Charges(NamedTuple):
    """What is there: ``mass`` (N,), products ``zz`` (N, N), which distance of layers lies between two (N, N), and the
    ``constant`` 1/2 sum z^2 M(0) (Ha_h)."""

    mass: np.ndarray
    zz: np.ndarray
    apart: np.ndarray
    constant: float


class Determinants(NamedTuple):
    """All determinants. Of particles (N,): the ``number`` of theirs, their ``role`` and ``place`` in it. Of
    determinants (D,): ``kind``, ``size``, first particle of the rows, ``first`` centre or wave of the columns,
    ``table`` of the orbital. ``waves`` (n, 3): k and 0 for cos, 1 for sin. ``sites`` (n, 2). ``tables``
    (t, 2, M, M): phi and its Laplacian."""

    number: np.ndarray
    role: np.ndarray
    place: np.ndarray
    kind: np.ndarray
    size: np.ndarray
    rows: np.ndarray
    first: np.ndarray
    table: np.ndarray
    waves: np.ndarray
    sites: np.ndarray
    tables: np.ndarray


class Psi(NamedTuple):
    """A trial function on a torus, as the kernels read it."""

    box: Box
    potential: Potential
    charges: Charges
    determinants: Determinants
    jastrow: Jastrow


@njit(cache=True, error_model="numpy")
def orbitals(psi, a, role, x, y, walker, line, derivatives):  # type: ignore[no-untyped-def]
    """Row or column of determinant ``a`` for its particle at (x, y): ``line`` (4, n) of phi, its slopes, Laplacian."""
    det, n = psi.determinants, psi.determinants.size[a]
    first = det.first[a]
    if det.kind[a] == WAVES:
        for j in range(n):
            kx, ky = det.waves[first + j, 0], det.waves[first + j, 1]
            phase = kx * x + ky * y
            c, s = math.cos(phase), math.sin(phase)
            if det.waves[first + j, 2] == 1.0:
                c, s = s, -c
            line[0, j], line[1, j], line[2, j], line[3, j] = c, -kx * s, -ky * s, -(kx * kx + ky * ky) * c
        return
    b, sign = psi.box.inverse, 1.0 if role == ROW else -1.0
    phi, lap = det.tables[det.table[a], 0], det.tables[det.table[a], 1]
    for j in range(n):
        if det.kind[a] == SITES:
            cx, cy = det.sites[first + j, 0], det.sites[first + j, 1]
        else:
            other = first + j if role == ROW else det.rows[a] + j
            cx, cy = walker[other, 0], walker[other, 1]
        dx, dy = sign * (x - cx), sign * (y - cy)
        u, v = dx * b[0, 0] + dy * b[1, 0], dx * b[0, 1] + dy * b[1, 1]
        value, by_u, by_v = spline(phi, u, v)
        line[0, j] = value
        line[1, j] = sign * (by_u * b[0, 0] + by_v * b[0, 1])
        line[2, j] = sign * (by_u * b[1, 0] + by_v * b[1, 1])
        if derivatives:
            line[3, j] = spline_value(lap, u, v)


@njit(cache=True, error_model="numpy")
def invert(m, n):  # type: ignore[no-untyped-def]
    """Replaces the matrix m[:n, :n] by its inverse (Gauss-Jordan, pivots by rows); returns ln|det| and the sign."""
    log, sign = 0.0, 1.0
    order = np.arange(n)
    for c in range(n):
        p = c
        for i in range(c + 1, n):
            if abs(m[i, c]) > abs(m[p, c]):
                p = i
        if p != c:
            sign = -sign
            order[c], order[p] = order[p], order[c]
            for j in range(n):
                m[c, j], m[p, j] = m[p, j], m[c, j]
        pivot = m[c, c]
        if pivot == 0.0:
            return -np.inf, 0.0
        log += math.log(abs(pivot))
        if pivot < 0:
            sign = -sign
        m[c, c] = 1.0
        for j in range(n):
            m[c, j] /= pivot
        for i in range(n):
            if i != c:
                factor = m[i, c]
                m[i, c] = 0.0
                for j in range(n):
                    m[i, j] -= factor * m[c, j]
    row = np.empty(n)
    for i in range(n):  # columns back to the order of the rows
        for j in range(n):
            row[order[j]] = m[i, j]
        for j in range(n):
            m[i, j] = row[j]
    return log, sign


@njit(cache=True, error_model="numpy")
def rebuild(psi, walker, inverses, line):  # type: ignore[no-untyped-def]
    """Fills the inverses (D, n, n) of all determinants; returns ln|prod det| and its sign."""
    det = psi.determinants
    log, sign = 0.0, 1.0
    for a in range(det.size.shape[0]):
        n = det.size[a]
        for i in range(n):
            r = walker[det.rows[a] + i]
            orbitals(psi, a, ROW, r[0], r[1], walker, line, False)
            for j in range(n):
                inverses[a, i, j] = line[0, j]
        part, s = invert(inverses[a], n)
        log, sign = log + part, sign * s
    return log, sign


@njit(cache=True, error_model="numpy")
def jastrow_at(psi, walker, i, x, y):  # type: ignore[no-untyped-def]
    """The part of J that particle i has at (x, y), its gradient and Laplacian by r_i."""
    total, gx, gy, lap = 0.0, 0.0, 0.0, 0.0
    for j in range(walker.shape[0]):
        if j != i:
            dx, dy = nearest(psi.box, x - walker[j, 0], y - walker[j, 1])
            r = math.sqrt(dx * dx + dy * dy)
            if 0.0 < r < psi.box.radius:
                f, slope, curve = pair_function(psi.jastrow.coefficients[psi.jastrow.kind[i, j]], psi.box.radius, r)
                total += f
                gx += slope * dx
                gy += slope * dy
                lap += curve + slope  # f'' + f'/r
    return total, gx, gy, lap


@njit(cache=True, error_model="numpy")
def at(psi, walker, inverses, line, i, x, y):  # type: ignore[no-untyped-def]
    """Ratio of the determinant with particle i at (x, y), its J there, and grad ln psi there; fills ``line``."""
    det = psi.determinants
    a, role, place = det.number[i], det.role[i], det.place[i]
    orbitals(psi, a, role, x, y, walker, line, False)
    ratio, gx, gy = 0.0, 0.0, 0.0
    for j in range(det.size[a]):
        w = inverses[a, j, place] if role == ROW else inverses[a, place, j]
        ratio += line[0, j] * w
        gx += line[1, j] * w
        gy += line[2, j] * w
    j, jx, jy, _ = jastrow_at(psi, walker, i, x, y)
    return ratio, j, jx + gx / ratio, jy + gy / ratio


@njit(cache=True, error_model="numpy")
def accept(psi, inverses, line, i, ratio, change):  # type: ignore[no-untyped-def]
    """Brings the inverse to the new row or column in ``line`` (Sherman-Morrison); ``change`` is scratch (n,)."""
    det = psi.determinants
    a, role, place = det.number[i], det.role[i], det.place[i]
    n, m = det.size[a], inverses[a]
    if role == ROW:
        for k in range(n):
            change[k] = 0.0
        for j in range(n):
            for k in range(n):
                change[k] += line[0, j] * m[j, k]
        change[place] -= 1.0
        for j in range(n):
            factor = m[j, place] / ratio
            for k in range(n):
                m[j, k] -= factor * change[k]
        return
    for k in range(n):
        change[k] = m[place, k] / ratio
    for j in range(n):
        factor = -1.0 if j == place else 0.0
        for k in range(n):
            factor += m[j, k] * line[0, k]
        for k in range(n):
            m[j, k] -= factor * change[k]


@njit(cache=True, error_model="numpy")
def limited(gx, gy, tau):  # type: ignore[no-untyped-def]
    """The drift over a time step with velocity (gx, gy), bounded near nodes (Umrigar, Nightingale, Runge 1993)."""
    square = (gx * gx + gy * gy) * tau
    # v (sqrt(1 + 2 v^2 tau) - 1)/(v^2 tau), which is v where v^2 tau is small
    factor = tau * 2 / (1 + math.sqrt(1 + 2 * square))
    return factor * gx, factor * gy


@njit(cache=True, error_model="numpy")
def sweep(psi, walker, tau, normal, uniform, fixed, inverses, line, change):  # type: ignore[no-untyped-def]
    """Moves every particle once; ``fixed`` refuses to cross a node. Returns accepted moves, and the mean squares of
    accepted and of all diffusive steps in units of tau/m."""
    rebuild(psi, walker, inverses, line)
    accepted, moved, tried = 0, 0.0, 0.0
    for i in range(walker.shape[0]):
        step = tau / psi.charges.mass[i]
        x, y = walker[i, 0], walker[i, 1]
        _, j_old, gx, gy = at(psi, walker, inverses, line, i, x, y)
        vx, vy = limited(gx, gy, step)
        size = math.sqrt(step)
        new_x, new_y = x + vx + size * normal[i, 0], y + vy + size * normal[i, 1]
        ratio, j_new, gx, gy = at(psi, walker, inverses, line, i, new_x, new_y)
        square = normal[i, 0] ** 2 + normal[i, 1] ** 2
        tried += square
        if not (abs(ratio) > 0.0) or (fixed and ratio < 0.0):
            continue
        vx, vy = limited(gx, gy, step)
        back_x, back_y = x - new_x - vx, y - new_y - vy
        # G(r' -> r)/G(r -> r') |psi(r')/psi(r)|^2
        chance = 2 * (j_new - j_old + math.log(abs(ratio))) - (back_x**2 + back_y**2) / (2 * step) + square / 2
        if chance >= 0 or uniform[i] < math.exp(chance):
            accept(psi, inverses, line, i, ratio, change)
            walker[i, 0], walker[i, 1] = new_x, new_y
            accepted, moved = accepted + 1, moved + square
    return accepted, moved, tried


@njit(cache=True, error_model="numpy")
def local_energy(psi, walker, inverses, line):  # type: ignore[no-untyped-def]
    """Kinetic and potential local energy (Ha_h), and ln|psi|; makes the inverses anew."""
    det, box = psi.determinants, psi.box
    log, _ = rebuild(psi, walker, inverses, line)
    kinetic, interaction, total_j = 0.0, psi.charges.constant, 0.0
    count = walker.shape[0]
    for i in range(count):
        x, y = walker[i, 0], walker[i, 1]
        a, role, place = det.number[i], det.role[i], det.place[i]
        orbitals(psi, a, role, x, y, walker, line, True)
        gx, gy, lap = 0.0, 0.0, 0.0
        for j in range(det.size[a]):
            w = inverses[a, j, place] if role == ROW else inverses[a, place, j]
            gx += line[1, j] * w
            gy += line[2, j] * w
            lap += line[3, j] * w
        total, jx, jy, curve = jastrow_at(psi, walker, i, x, y)
        total_j += total / 2
        kinetic -= (curve + jx * jx + jy * jy + 2 * (jx * gx + jy * gy) + lap) / (2 * psi.charges.mass[i])
        for j in range(i):
            dx, dy = nearest(box, x - walker[j, 0], y - walker[j, 1])
            interaction += psi.charges.zz[i, j] * pair_potential(box, psi.potential, psi.charges.apart[i, j], dx, dy)
    return kinetic, interaction, log + total_j


@njit(cache=True, error_model="numpy")
def workspace(psi):  # type: ignore[no-untyped-def]
    """Inverses, a line of orbitals, and scratch."""
    n = psi.determinants.size.max()
    return np.empty((psi.determinants.size.shape[0], n, n)), np.empty((4, n)), np.empty(n)


@njit(cache=True, error_model="numpy")
def step_all(psi, walkers, tau, normal, uniform, fixed, energies):  # type: ignore[no-untyped-def]
    """One sweep of every walker (W, N, 2) in place, then its kinetic and potential energy into ``energies`` (W, 2).

    Returns accepted moves and the ratio of accepted to all squared diffusive steps, the tau_eff/tau of Reynolds et al.
    """
    inverses, line, change = workspace(psi)
    accepted, moved, tried = 0, 0.0, 0.0
    for w in range(walkers.shape[0]):
        a, m, t = sweep(psi, walkers[w], tau, normal[w], uniform[w], fixed, inverses, line, change)
        accepted, moved, tried = accepted + a, moved + m, tried + t
        energies[w, 0], energies[w, 1], _ = local_energy(psi, walkers[w], inverses, line)
    return accepted, moved / tried


@njit(cache=True, error_model="numpy")
def evaluate(psi, walkers, out):  # type: ignore[no-untyped-def]
    """Kinetic and potential local energy and ln|psi| of every walker, into ``out`` (W, 3)."""
    inverses, line, _ = workspace(psi)
    for w in range(walkers.shape[0]):
        out[w, 0], out[w, 1], out[w, 2] = local_energy(psi, walkers[w], inverses, line)
