"""Determinants of one walker: their orbitals, inverses and moves of one particle; real, or complex under a twist.

det_a of M_ij = phi_j(r_i), the columns of one of these kinds:

    WAVES    cos(kr), sin(kr), or exp(ikr) where there is no time reversal
    SITES    one function phi(r - c_j) about the sites c_j of a crystal
    BANDS    functions of their own, each a table

Before them come ``paired`` columns phi(r_i - r_j) with j a particle of another species, so that pairs of electrons and
holes are a determinant like all others; such a hole moves a column. A determinant of as many pairs as particles has no
further columns; otherwise they are the orbitals of those particles that have no partner.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ehbilayer.monte_carlo.compiled import compiled
from ehbilayer.monte_carlo.splines import spline, spline_value, splines

WAVES, SITES, BANDS = 0, 1, 2  # kinds of columns
ROW, COLUMN = 0, 1


class Determinants(NamedTuple):
    """All determinants. Of particles (N,): the ``number`` of theirs, their ``role`` and ``place`` in it. Of
    determinants (D,): ``kind``, ``size``, first particle of the ``rows``, ``paired`` columns and the first particle
    ``centre`` of them, ``first`` wave, site or band, ``table`` of the function about a centre. ``waves`` (n, 2): k,
    each with ``parts`` (n,) columns a cos(kr) + b sin(kr), ``mix`` (n, 2, 2) their (a, b). ``sites`` (n, 2).
    ``tables`` (t, 2, M, M): phi and its Laplacian. ``bands`` (2, M, M, n): the same of all bands."""

    number: np.ndarray
    role: np.ndarray
    place: np.ndarray
    kind: np.ndarray
    size: np.ndarray
    rows: np.ndarray
    paired: np.ndarray
    centre: np.ndarray
    first: np.ndarray
    table: np.ndarray
    waves: np.ndarray
    parts: np.ndarray
    mix: np.ndarray
    sites: np.ndarray
    tables: np.ndarray
    bands: np.ndarray


@compiled
def waves_at(det, a, x, y, line):  # type: ignore[no-untyped-def]
    """The columns of plane waves, after the pairs."""
    j, w = det.paired[a], det.first[a]
    while j < det.size[a]:
        kx, ky = det.waves[w, 0], det.waves[w, 1]
        phase = kx * x + ky * y
        c, s = math.cos(phase), math.sin(phase)
        for p in range(det.parts[w]):
            one, two = det.mix[w, p, 0], det.mix[w, p, 1]
            value, slope = one * c + two * s, two * c - one * s
            line[0, j], line[1, j], line[2, j], line[3, j] = value, kx * slope, ky * slope, -(kx * kx + ky * ky) * value
            j += 1
        w += 1


@compiled
def orbitals(psi, a, role, x, y, walker, line, derivatives):  # type: ignore[no-untyped-def]
    """Row or column of determinant ``a`` for its particle at (x, y): ``line[:4]`` is phi, its slopes, Laplacian."""
    det, b = psi.determinants, psi.box.inverse
    n, paired = det.size[a], det.paired[a]
    centred, sign = paired, 1.0 if role == ROW else -1.0
    if role == COLUMN or det.kind[a] == SITES:
        centred = n
    tables = det.tables[det.table[a]]  # phi, and its Laplacian
    for j in range(centred):
        if role == COLUMN:
            cx, cy = walker[det.rows[a] + j, 0], walker[det.rows[a] + j, 1]
        elif j < paired:
            cx, cy = walker[det.centre[a] + j, 0], walker[det.centre[a] + j, 1]
        else:
            site = det.first[a] + j - paired
            cx, cy = det.sites[site, 0], det.sites[site, 1]
        dx, dy = sign * (x - cx), sign * (y - cy)
        u, v = dx * b[0, 0] + dy * b[1, 0], dx * b[0, 1] + dy * b[1, 1]
        value, by_u, by_v = spline(tables, 0, u, v)
        line[0, j] = value
        line[1, j] = sign * (by_u * b[0, 0] + by_v * b[0, 1])
        line[2, j] = sign * (by_u * b[1, 0] + by_v * b[1, 1])
        if derivatives:
            line[3, j] = spline_value(tables, 1, u, v)
    if centred == n:
        return
    if det.kind[a] == WAVES:
        waves_at(det, a, x, y, line)
        return
    splines(det.bands, det.first[a], paired, n, x * b[0, 0] + y * b[1, 0], x * b[0, 1] + y * b[1, 1], line, derivatives)
    for j in range(paired, n):
        by_u, by_v = line[1, j], line[2, j]
        line[1, j], line[2, j] = by_u * b[0, 0] + by_v * b[0, 1], by_u * b[1, 0] + by_v * b[1, 1]


@compiled
def second_derivatives(psi, a, line):  # type: ignore[no-untyped-def]
    """Fills ``line[3:]`` with d^2/dx^2, d^2/dxdy, d^2/dy^2 of plane waves whose values are ``line[0]``."""
    det, j, w = psi.determinants, 0, psi.determinants.first[a]
    while j < det.size[a]:
        kx, ky = det.waves[w, 0], det.waves[w, 1]
        for _ in range(det.parts[w]):
            line[3, j], line[4, j], line[5, j] = -kx * kx * line[0, j], -kx * ky * line[0, j], -ky * ky * line[0, j]
            j += 1
        w += 1


@compiled
def contract(det, inverses, line, i, curved):  # type: ignore[no-untyped-def]
    """sum_j X_j M^-1_ji of the ``line`` of particle i: ratio of determinants, gradient and, if ``curved``, Laplacian
    of the new over the old one."""
    a, role, place = det.number[i], det.role[i], det.place[i]
    m = inverses[a]
    # zero of the type of the orbitals
    ratio = line[0, 0] * 0.0
    gx, gy, lap = ratio, ratio, ratio
    for j in range(det.size[a]):
        w = m[j, place] if role == ROW else m[place, j]
        ratio += line[0, j] * w
        gx += line[1, j] * w
        gy += line[2, j] * w
        if curved:
            lap += line[3, j] * w
    return ratio, gx, gy, lap


@compiled
def invert(m, n):  # type: ignore[no-untyped-def]
    """Replaces the matrix m[:n, :n] by its inverse (Gauss-Jordan, pivots by rows); returns ln|det| and the sign,
    which is a phase where it is complex."""
    log, sign = 0.0, m[0, 0] * 0.0 + 1.0
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
            return -np.inf, pivot
        size = abs(pivot)
        log += math.log(size)
        sign *= pivot / size
        m[c, c] = 1.0
        for j in range(n):
            m[c, j] /= pivot
        for i in range(n):
            if i != c:
                factor = m[i, c]
                m[i, c] = 0.0
                for j in range(n):
                    m[i, j] -= factor * m[c, j]
    row = np.empty(n, m.dtype)
    for i in range(n):  # columns back to the order of the rows
        for j in range(n):
            row[order[j]] = m[i, j]
        for j in range(n):
            m[i, j] = row[j]
    return log, sign


@compiled
def fill(psi, walker, inverses, line):  # type: ignore[no-untyped-def]
    """Fills the inverses (D, n, n) of all determinants; returns ln|prod det| and its sign."""
    det = psi.determinants
    log, sign = 0.0, line[0, 0] * 0.0 + 1.0
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


@compiled
def update(psi, inverses, line, i, ratio, change):  # type: ignore[no-untyped-def]
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
