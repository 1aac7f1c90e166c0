"""Backflow: the determinants at places that depend on all particles, which moves their nodes.

    x_i = r_i + sum_{j != i} eta_c(r_ij) r_ij,   psi = e^{J(r)} prod_a det_a(x)

eta_c is a polynomial that ends at the circle inscribed in the Wigner-Seitz cell, as those of `jastrow`, with slope 0 at
r = 0, which leaves the cusps alone; c counts the species of i, that of j, and equal or unequal flavours. With
G_i = grad_{x_i} ln det, A_ik = sum_m grad phi_m(x_i) M^-1_mk of two particles of one determinant, and D_ij = dx_i/dr_j,

    grad_j ln det = sum_i D_ij G_i,
    lap_j det/det = (grad_j ln det)^2 + sum_i [G_i lap_j x_i + D_ij D_ij : sum_m (grad grad phi_m) M^-1_mi]
                    - sum_ik (D_ij A_ik)(D_kj A_ki).

A move of one particle moves all x, so that all inverses are made anew: N^4 for a sweep where it is N^3 without. Where
there is no backflow the functions here are those of `determinants`.

Source: Kwon, Ceperley, Martin, PRB 48, 12037 (1993); Lopez Rios et al., PRE 74, 066701 (2006).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ehbilayer.monte_carlo.compiled import compiled
from ehbilayer.monte_carlo.determinants import ROW, contract, fill, invert, orbitals, second_derivatives, update
from ehbilayer.monte_carlo.jastrow import Jastrow, pair_function
from ehbilayer.monte_carlo.pair_potential import nearest

NONE = Jastrow(np.zeros((0, 0), dtype=int), np.zeros((0, 2)))  # no backflow


class Work(NamedTuple):
    """What the moves of one walker need: the ``inverses`` (D, n, n). With backflow also, of the walker as it is [0] and
    with the move that is tried [1]: ``places`` x (2, N, 2), ``slopes`` G (2, N, 2), ``tried`` inverses (D, n, n),
    ln|det| ``log`` (2,) and ``sign`` (2,). Scratch: ``mixed`` A (2, N, n), ``curved`` sum_m (grad grad phi_m) M^-1_mi
    (3, N), ``bent`` D of the particle that moves (N, 2, 2)."""

    inverses: np.ndarray
    tried: np.ndarray
    places: np.ndarray
    slopes: np.ndarray
    log: np.ndarray
    sign: np.ndarray
    mixed: np.ndarray
    curved: np.ndarray
    bent: np.ndarray


@compiled
def flows(psi):  # type: ignore[no-untyped-def]
    """Whether there is backflow."""
    return psi.backflow.coefficients.shape[0] > 0


@compiled
def workspace(psi):  # type: ignore[no-untyped-def]
    """Work, a line of orbitals, and scratch."""
    det, kind = psi.determinants, psi.determinants.mix.dtype
    n, d, count = det.size.max(), det.size.shape[0], det.number.shape[0] if flows(psi) else 0
    work = Work(np.empty((d, n, n), kind), np.empty((d if count else 0, n, n), kind), np.empty((2, count, 2)),
                np.empty((2, count, 2), kind), np.empty(2), np.empty(2, kind), np.empty((2, count, n), kind),
                np.empty((3, count), kind), np.empty((count, 2, 2)))
    return work, np.zeros((6, n), kind), np.empty(n, kind)


@compiled
def eta(psi, i, j, dx, dy):  # type: ignore[no-untyped-def]
    """eta, eta'/r and eta'' of particle i by j at the displacement (dx, dy) from j; 0 beyond the circle."""
    r, flow = math.sqrt(dx * dx + dy * dy), psi.backflow
    if 0.0 < r < psi.box.radius:
        return pair_function(flow.coefficients, flow.kind[i, j], psi.box.radius, r)
    return 0.0, 0.0, 0.0


@compiled
def set_places(psi, walker, places):  # type: ignore[no-untyped-def]
    """x of all particles."""
    places[:] = walker
    for i in range(walker.shape[0]):
        for j in range(i):
            dx, dy = nearest(psi.box, walker[i, 0] - walker[j, 0], walker[i, 1] - walker[j, 1])
            here, there = eta(psi, i, j, dx, dy)[0], eta(psi, j, i, dx, dy)[0]
            places[i, 0], places[i, 1] = places[i, 0] + here * dx, places[i, 1] + here * dy
            places[j, 0], places[j, 1] = places[j, 0] - there * dx, places[j, 1] - there * dy


@compiled
def move_places(psi, walker, i, x, y, old, new):  # type: ignore[no-untyped-def]
    """x of all particles with particle i at (x, y), from the ``old`` ones."""
    new[:] = old
    new[i, 0], new[i, 1] = x, y
    for j in range(walker.shape[0]):
        if j != i:
            dx, dy = nearest(psi.box, walker[i, 0] - walker[j, 0], walker[i, 1] - walker[j, 1])
            there = eta(psi, j, i, dx, dy)[0]
            ex, ey = nearest(psi.box, x - walker[j, 0], y - walker[j, 1])
            here, after = eta(psi, i, j, ex, ey)[0], eta(psi, j, i, ex, ey)[0]
            new[i, 0], new[i, 1] = new[i, 0] + here * ex, new[i, 1] + here * ey
            new[j, 0], new[j, 1] = new[j, 0] + there * dx - after * ex, new[j, 1] + there * dy - after * ey


@compiled
def fill_places(psi, places, inverses, line, slopes, mixed):  # type: ignore[no-untyped-def]
    """Inverses and G of all particles at their ``places``, and ln|prod det| and its sign; ``mixed`` is scratch."""
    det = psi.determinants
    log, sign = 0.0, line[0, 0] * 0.0 + 1.0
    for a in range(det.size.shape[0]):
        n, first, inverse = det.size[a], det.rows[a], inverses[a]
        for i in range(n):
            p = first + i
            orbitals(psi, a, ROW, places[p, 0], places[p, 1], places, line, False)
            for m in range(n):
                inverse[i, m], mixed[0, p, m], mixed[1, p, m] = line[0, m], line[1, m], line[2, m]
        part, s = invert(inverse, n)
        log, sign = log + part, sign * s
        for i in range(n):
            p = first + i
            slopes[p] = 0.0
            for m in range(n):
                slopes[p, 0] += mixed[0, p, m] * inverse[m, i]
                slopes[p, 1] += mixed[1, p, m] * inverse[m, i]
    return log, sign


@compiled
def drift_of(psi, walker, slopes, i, x, y):  # type: ignore[no-untyped-def]
    """grad_i ln det with particle i at (x, y), where G is ``slopes``."""
    gx, gy = slopes[i, 0], slopes[i, 1]
    for j in range(walker.shape[0]):
        if j != i:
            dx, dy = nearest(psi.box, x - walker[j, 0], y - walker[j, 1])
            f, slope, _ = eta(psi, i, j, dx, dy)
            # D = eta + eta'/r r r
            along = slope * (dx * slopes[i, 0] + dy * slopes[i, 1])
            gx, gy = gx + f * slopes[i, 0] + along * dx, gy + f * slopes[i, 1] + along * dy
            f, slope, _ = eta(psi, j, i, dx, dy)
            along = slope * (dx * slopes[j, 0] + dy * slopes[j, 1])
            gx, gy = gx - f * slopes[j, 0] - along * dx, gy - f * slopes[j, 1] - along * dy
    return gx, gy


@compiled
def rebuild(psi, walker, work, line):  # type: ignore[no-untyped-def]
    """Makes all inverses anew; returns ln|prod det| and its sign."""
    if not flows(psi):
        return fill(psi, walker, work.inverses, line)
    set_places(psi, walker, work.places[0])
    log, sign = fill_places(psi, work.places[0], work.inverses, line, work.slopes[0], work.mixed)
    work.log[0], work.sign[0] = log, sign
    return log, sign


@compiled
def attempt(psi, walker, work, line, i, x, y):  # type: ignore[no-untyped-def]
    """Ratio of the determinants with particle i at (x, y), and grad_i of their logarithm there."""
    det = psi.determinants
    if not flows(psi):
        orbitals(psi, det.number[i], det.role[i], x, y, walker, line, False)
        ratio, gx, gy, _ = contract(det, work.inverses, line, i, False)
        return ratio, gx / ratio, gy / ratio
    if x == walker[i, 0] and y == walker[i, 1]:
        gx, gy = drift_of(psi, walker, work.slopes[0], i, x, y)
        return work.sign[0] * 0.0 + 1.0, gx, gy
    move_places(psi, walker, i, x, y, work.places[0], work.places[1])
    log, sign = fill_places(psi, work.places[1], work.tried, line, work.slopes[1], work.mixed)
    work.log[1], work.sign[1] = log, sign
    gx, gy = drift_of(psi, walker, work.slopes[1], i, x, y)
    return sign / work.sign[0] * math.exp(log - work.log[0]), gx, gy


@compiled
def accept(psi, work, line, i, ratio, change):  # type: ignore[no-untyped-def]
    """The move of particle i in the last `attempt`, with this ``ratio``, has happened; ``change`` is scratch (n,)."""
    if not flows(psi):
        update(psi, work.inverses, line, i, ratio, change)
        return
    work.inverses[:] = work.tried
    work.places[0], work.slopes[0] = work.places[1], work.slopes[1]
    work.log[0], work.sign[0] = work.log[1], work.sign[1]


@compiled
def set_curves(psi, work, line):  # type: ignore[no-untyped-def]
    """A and sum_m (grad grad phi_m) M^-1_mi of all particles."""
    det, places = psi.determinants, work.places[0]
    work.mixed[:] = 0.0
    work.curved[:] = 0.0
    for i in range(places.shape[0]):
        a, inverse = det.number[i], work.inverses[det.number[i]]
        orbitals(psi, a, ROW, places[i, 0], places[i, 1], places, line, False)
        second_derivatives(psi, a, line)
        for m in range(det.size[a]):
            for k in range(det.size[a]):
                work.mixed[0, i, k] += line[1, m] * inverse[m, k]
                work.mixed[1, i, k] += line[2, m] * inverse[m, k]
            for c in range(3):
                work.curved[c, i] += line[3 + c, m] * inverse[m, det.place[i]]


@compiled
def bend(psi, walker, bent, lengths, j):  # type: ignore[no-untyped-def]
    """D_ij (N, 2, 2) and lap_j x_i (N, 2) of all particles i by particle j."""
    bent[j], lengths[j] = np.eye(2), 0.0
    for i in range(walker.shape[0]):
        if i == j:
            continue
        dx, dy = nearest(psi.box, walker[i, 0] - walker[j, 0], walker[i, 1] - walker[j, 1])
        for own in range(2):
            f, slope, curve = eta(psi, j, i, dx, dy) if own else eta(psi, i, j, dx, dy)
            xx, xy, yy, lap = f + slope * dx * dx, slope * dx * dy, f + slope * dy * dy, curve + 3 * slope
            if own:  # of x_j by r_j, at the displacement -(dx, dy)
                bent[j, 0, 0], bent[j, 0, 1] = bent[j, 0, 0] + xx, bent[j, 0, 1] + xy
                bent[j, 1, 0], bent[j, 1, 1] = bent[j, 1, 0] + xy, bent[j, 1, 1] + yy
                lengths[j, 0], lengths[j, 1] = lengths[j, 0] - lap * dx, lengths[j, 1] - lap * dy
            else:
                bent[i, 0, 0], bent[i, 0, 1], bent[i, 1, 0], bent[i, 1, 1] = -xx, -xy, -xy, -yy
                lengths[i, 0], lengths[i, 1] = lap * dx, lap * dy


@compiled
def exchanged(psi, work, c):  # type: ignore[no-untyped-def]
    """sum_ik (D_i A_ik)(D_k A_ki) along axis ``c`` of the particle that moves."""
    det, bent = psi.determinants, work.bent
    total = work.sign[0] * 0.0
    for a in range(det.size.shape[0]):
        first = det.rows[a]
        for i in range(det.size[a]):
            p = first + i
            for k in range(i + 1):
                q = first + k
                one = bent[p, 0, c] * work.mixed[0, p, k] + bent[p, 1, c] * work.mixed[1, p, k]
                two = bent[q, 0, c] * work.mixed[0, q, i] + bent[q, 1, c] * work.mixed[1, q, i]
                total += (1.0 if i == k else 2.0) * one * two
    return total


@compiled
def flowing(psi, walker, work, line, drift):  # type: ignore[no-untyped-def]
    """The kinetic energy (Ha_h) with backflow; ``drift`` (N, 3) are grad J and the Laplacian of J."""
    set_curves(psi, work, line)
    lengths, slopes, bent, curved, kinetic = np.empty(walker.shape), work.slopes[0], work.bent, work.curved, 0.0
    for j in range(walker.shape[0]):
        bend(psi, walker, bent, lengths, j)
        gx = work.sign[0] * 0.0
        gy, lap = gx, gx
        for i in range(walker.shape[0]):
            gx += bent[i, 0, 0] * slopes[i, 0] + bent[i, 1, 0] * slopes[i, 1]
            gy += bent[i, 0, 1] * slopes[i, 0] + bent[i, 1, 1] * slopes[i, 1]
            lap += lengths[i, 0] * slopes[i, 0] + lengths[i, 1] * slopes[i, 1]
            for c in range(2):
                u, v = bent[i, 0, c], bent[i, 1, c]
                lap += u * u * curved[0, i] + 2 * u * v * curved[1, i] + v * v * curved[2, i]
        lap += gx * gx + gy * gy - exchanged(psi, work, 0) - exchanged(psi, work, 1)
        jx, jy, curve = drift[j, 0], drift[j, 1], drift[j, 2]
        kinetic -= (curve + jx * jx + jy * jy + (2 * (jx * gx + jy * gy) + lap).real) / (2 * psi.charges.mass[j])
    return kinetic
