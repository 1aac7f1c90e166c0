"""The walk without backflow: a walker's orbitals, inverses and pairs of J are kept in tables while it moves.

A move of particle i changes one row (or column) of its determinant and one row of pairs; all else is in the tables, so
that the drift before a move and the local energy behind a sweep need no function again but the potential and the
Laplacians of orbitals. With B_ij = M^-1_ji of the matrix M_ij = phi_j(r_i), where row i changes to phi',

    R = sum_j phi'_j B_ij,   B_kj -> B_kj - (sum_l phi'_l B_kl - delta_ki) B_ij/R,

and for a column the same with the indices exchanged. Loops run along rows, without branches, so that they are done by
several numbers at once. The formulas are those of `kernels`, `determinants`, `jastrow`; so are the digits but for
rounding. The tables are made anew at the beginning of every sweep.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ehbilayer.monte_carlo.compiled import compiled, summing
from ehbilayer.monte_carlo.determinants import ROW, SITES, WAVES, invert, orbitals
from ehbilayer.monte_carlo.kernels import limited
from ehbilayer.monte_carlo.pair_potential import short_part
from ehbilayer.monte_carlo.splines import spline_value, splines

VALUE, BY_X, BY_Y, LAPLACIAN = range(4)
SIZE, P, DP, DDP, DX, DY = range(4, 10)  # scratch of a line of pairs


class Tables(NamedTuple):
    """Of one walker. ``inverses`` B (D, n, n); ``orbitals`` (3, D, n, n): M and its slopes by the rows' particles;
    ``pairs`` (4, N, N): f, its slopes by r_i and its Laplacian; ``fields`` (4, N): their sums over j. Scratch:
    ``line`` (4, n) of orbitals, ``row`` (n,), ``line_of_pairs`` (10, N)."""

    inverses: np.ndarray
    orbitals: np.ndarray
    pairs: np.ndarray
    fields: np.ndarray
    line: np.ndarray
    row: np.ndarray
    line_of_pairs: np.ndarray


@compiled
def tables_of(psi):  # type: ignore[no-untyped-def]
    """Tables for the walkers of psi, empty."""
    n, d, kind = psi.determinants.size.max(), psi.determinants.size.shape[0], psi.determinants.mix.dtype
    count = psi.charges.mass.shape[0]
    return Tables(np.empty((d, n, n), kind), np.empty((3, d, n, n), kind), np.zeros((4, count, count)),
                  np.zeros((4, count)), np.zeros((4, n), kind), np.empty(n, kind), np.empty((10, count)))


@compiled
def displacements(box, walker, count, x, y, line):  # type: ignore[no-untyped-def]
    """Shortest displacements to (x, y) from the first ``count`` particles, into ``line`` DX, DY, see `nearest`."""
    a, b, c = box.cell, box.inverse, box.sides
    a00, a01, a10, a11 = a[0, 0], a[0, 1], a[1, 0], a[1, 1]
    b00, b01, b10, b11 = b[0, 0], b[0, 1], b[1, 0], b[1, 1]
    for j in range(count):
        dx, dy = x - walker[j, 0], y - walker[j, 1]
        u, v = dx * b00 + dy * b10, dx * b01 + dy * b11
        u, v = u - np.rint(u), v - np.rint(v)
        line[DX, j], line[DY, j] = u * a00 + v * a10, u * a01 + v * a11
    for i in range(3):
        sx, sy = c[i, 0], c[i, 1]
        half = 0.5 * (sx * sx + sy * sy)
        for j in range(count):
            dx, dy = line[DX, j], line[DY, j]
            along = dx * sx + dy * sy
            shift = (1.0 if along > half else 0.0) - (1.0 if along < -half else 0.0)
            line[DX, j], line[DY, j] = dx - shift * sx, dy - shift * sy


@compiled
def line_of_pairs(box, jastrow, walker, i, count, x, y, line):  # type: ignore[no-untyped-def]
    """f of particle i at (x, y) with the first ``count`` ones, its slopes and Laplacian, into ``line``; see
    `jastrow.pair_function`, which is 0 with its derivatives where r = L: pairs beyond, and i itself, are put there."""
    displacements(box, walker, count, x, y, line)
    kind, table, over = jastrow.kind, jastrow.coefficients, 1 / box.radius
    for j in range(count):
        r = over * math.sqrt(line[DX, j] * line[DX, j] + line[DY, j] * line[DY, j])
        line[SIZE, j] = r if 0.0 < r < 1.0 else 1.0
        line[P, j], line[DP, j], line[DDP, j] = 0.0, 0.0, 0.0
    if i < count:
        line[SIZE, i] = 1.0
    begin = 0
    while begin < count:
        end, which = begin + 1, kind[i, begin]
        while end < count and kind[i, end] == which:
            end += 1
        for c in range(table.shape[1] - 1, -1, -1):
            a = table[which, c]
            for j in range(begin, end):
                r, p, dp = line[SIZE, j], line[P, j], line[DP, j]
                line[DDP, j] = line[DDP, j] * r + 2 * dp
                line[DP, j] = dp * r + p
                line[P, j] = p * r + a
        begin = end
    over *= over
    for j in range(count):
        r, p, dp = line[SIZE, j], line[P, j], line[DP, j]
        t = r - 1
        # f = t^3 p, f' = (3 t^2 p + t^3 p')/L, f'' = (6 t p + 6 t^2 p' + t^3 p'')/L^2
        slope = over * (3 * t * t * p + t * t * t * dp) / r
        curve = over * (6 * t * p + 6 * t * t * dp + t * t * t * line[DDP, j])
        line[VALUE, j] = t * t * t * p
        line[BY_X, j], line[BY_Y, j], line[LAPLACIAN, j] = slope * line[DX, j], slope * line[DY, j], curve + slope


@summing
def sums_of(table, count):  # type: ignore[no-untyped-def]
    """The sums of the first three rows."""
    f, gx, gy = 0.0, 0.0, 0.0
    for j in range(count):
        f, gx, gy = f + table[0, j], gx + table[1, j], gy + table[2, j]
    return f, gx, gy


@summing
def products(lines, row, n):  # type: ignore[no-untyped-def]
    """sum_j of the first three lines by a row, of its first n."""
    f = row[0] * 0.0
    gx, gy = f, f
    for j in range(n):
        f, gx, gy = f + lines[0, j] * row[j], gx + lines[1, j] * row[j], gy + lines[2, j] * row[j]
    return f, gx, gy


@summing
def exchange(b, p, line, row, ratio, n):  # type: ignore[no-untyped-def]
    """B (n, n) with a new row p of orbitals, ``line[0]``; ``row`` is scratch."""
    for j in range(n):
        row[j] = b[p, j] / ratio
    for k in range(n):
        factor = row[0] * 0.0
        for j in range(n):
            factor += line[0, j] * b[k, j]
        if k == p:
            factor -= 1.0
        for j in range(n):
            b[k, j] -= factor * row[j]


@summing
def exchange_column(b, p, line, row, ratio, n):  # type: ignore[no-untyped-def]
    """The same with a new column."""
    row[:n] = 0.0
    for k in range(n):
        for j in range(n):
            row[j] += line[0, k] * b[k, j]
    row[p] -= 1.0
    for k in range(n):
        factor = b[k, p] / ratio
        for j in range(n):
            b[k, j] -= factor * row[j]


@summing
def gradient(orbitals_at, b, a, p, n):  # type: ignore[no-untyped-def]
    """grad ln det by the particle of row p of determinant ``a``."""
    gx = b[a, p, 0] * 0.0
    gy = gx
    for j in range(n):
        gx, gy = gx + orbitals_at[1, a, p, j] * b[a, p, j], gy + orbitals_at[2, a, p, j] * b[a, p, j]
    return gx, gy


@compiled
def make_tables(psi, walker, tables):  # type: ignore[no-untyped-def]
    """Fills all tables for a walker; returns ln|prod det|."""
    det, line, pairs, new = psi.determinants, tables.line, tables.pairs, tables.line_of_pairs
    log = 0.0
    for a in range(det.size.shape[0]):
        n, inverse = det.size[a], tables.inverses[a]
        for i in range(n):
            r = walker[det.rows[a] + i]
            orbitals(psi, a, ROW, r[0], r[1], walker, line, False)
            for j in range(n):
                inverse[i, j] = tables.orbitals[VALUE, a, i, j] = line[VALUE, j]
                tables.orbitals[BY_X, a, i, j], tables.orbitals[BY_Y, a, i, j] = line[BY_X, j], line[BY_Y, j]
        log += invert(inverse, n)[0]
        for i in range(n):  # B is the transposed one
            for j in range(i):
                inverse[i, j], inverse[j, i] = inverse[j, i], inverse[i, j]
    for i in range(walker.shape[0]):
        line_of_pairs(psi.box, psi.jastrow, walker, i, i, walker[i, 0], walker[i, 1], new)
        for j in range(i):
            for c in range(4):
                pairs[c, i, j] = new[c, j]
            pairs[VALUE, j, i], pairs[BY_X, j, i] = new[VALUE, j], -new[BY_X, j]
            pairs[BY_Y, j, i], pairs[LAPLACIAN, j, i] = -new[BY_Y, j], new[LAPLACIAN, j]
    for c in range(4):
        for i in range(walker.shape[0]):
            total = 0.0
            for j in range(walker.shape[0]):
                total += pairs[c, i, j]
            tables.fields[c, i] = total
    return log


@compiled
def slopes_of(det, table, b, i):  # type: ignore[no-untyped-def]
    """grad ln det by particle i, where it is, of the ``table`` of orbitals and of B."""
    a, p = det.number[i], det.place[i]
    n = det.size[a]
    if det.role[i] == ROW:
        return gradient(table, b, a, p, n)
    gx = b[a, 0, 0] * 0.0
    gy = gx
    for k in range(n):  # a function of r_row - r_column
        gx -= table[BY_X, a, k, p] * b[a, k, p]
        gy -= table[BY_Y, a, k, p] * b[a, k, p]
    return gx, gy


@compiled
def elsewhere(psi, walker, tables, i, x, y):  # type: ignore[no-untyped-def]
    """Ratio of the determinants with particle i at (x, y), its J there, grad ln|psi| there; fills both lines."""
    det, line, new = psi.determinants, tables.line, tables.line_of_pairs
    a, p, role = det.number[i], det.place[i], det.role[i]
    n, b, other = det.size[a], tables.inverses, tables.row
    orbitals(psi, a, role, x, y, walker, line, False)
    for k in range(n):
        other[k] = b[a, p, k] if role == ROW else b[a, k, p]
    ratio, gx, gy = products(line, other, n)
    gx, gy = gx / ratio, gy / ratio
    line_of_pairs(psi.box, psi.jastrow, walker, i, walker.shape[0], x, y, new)
    j, jx, jy = sums_of(new, walker.shape[0])
    return ratio, j, jx + gx.real, jy + gy.real


@compiled
def take(det, tables, i, ratio):  # type: ignore[no-untyped-def]
    """The move of particle i that was looked at last, with this ``ratio``, has happened."""
    line, row, new, pairs, fields = tables.line, tables.row, tables.line_of_pairs, tables.pairs, tables.fields
    a, p, table, count = det.number[i], det.place[i], tables.orbitals, tables.fields.shape[1]
    n = det.size[a]
    if det.role[i] == ROW:
        exchange(tables.inverses[a], p, line, row, ratio, n)
        for c in range(3):
            for j in range(n):
                table[c, a, p, j] = line[c, j]
    else:
        exchange_column(tables.inverses[a], p, line, row, ratio, n)
        for k in range(n):
            table[VALUE, a, k, p] = line[VALUE, k]
            table[BY_X, a, k, p], table[BY_Y, a, k, p] = -line[BY_X, k], -line[BY_Y, k]
    for c in range(4):
        sign, total = -1.0 if c == BY_X or c == BY_Y else 1.0, 0.0
        for j in range(count):
            fields[c, j] += sign * (new[c, j] - pairs[c, i, j])
        for j in range(count):
            total += new[c, j]
            pairs[c, i, j] = new[c, j]
            pairs[c, j, i] = sign * new[c, j]
        fields[c, i] = total


@compiled
def sweep_cached(psi, walker, tau, normal, uniform, fixed, tables):  # type: ignore[no-untyped-def]
    """Moves every particle once, see `kernels.sweep`."""
    make_tables(psi, walker, tables)
    accepted, moved, tried = 0, 0.0, 0.0
    for i in range(walker.shape[0]):
        step = tau / psi.charges.mass[i]
        x, y = walker[i, 0], walker[i, 1]
        gx, gy = slopes_of(psi.determinants, tables.orbitals, tables.inverses, i)
        vx, vy = limited(tables.fields[BY_X, i] + gx.real, tables.fields[BY_Y, i] + gy.real, step)
        size = math.sqrt(step)
        new_x, new_y = x + vx + size * normal[i, 0], y + vy + size * normal[i, 1]
        ratio, j_new, px, py = elsewhere(psi, walker, tables, i, new_x, new_y)
        square = normal[i, 0] ** 2 + normal[i, 1] ** 2
        tried += square
        if not (abs(ratio) > 0.0) or (fixed and ratio.real < 0.0):
            continue
        vx, vy = limited(px, py, step)
        back_x, back_y = x - new_x - vx, y - new_y - vy
        # G(r' -> r)/G(r -> r') |psi(r')/psi(r)|^2
        chance = (2 * (j_new - tables.fields[VALUE, i] + math.log(abs(ratio)))
                  - (back_x * back_x + back_y * back_y) / (2 * step) + square / 2)
        if chance >= 0 or uniform[i] < math.exp(chance):
            take(psi.determinants, tables, i, ratio)
            walker[i, 0], walker[i, 1] = new_x, new_y
            accepted, moved = accepted + 1, moved + square
    return accepted, moved, tried


@compiled
def laplacians(psi, walker, tables, a, i):  # type: ignore[no-untyped-def]
    """The Laplacians of all orbitals of row i of determinant ``a``, into the last row of ``line``."""
    det, b, line = psi.determinants, psi.box.inverse, tables.line
    n, paired, p = det.size[a], det.paired[a], det.rows[a] + i
    x, y = walker[p, 0], walker[p, 1]
    centred = n if det.kind[a] == SITES else paired
    for j in range(centred):
        if j < paired:
            cx, cy = walker[det.centre[a] + j, 0], walker[det.centre[a] + j, 1]
        else:
            site = det.first[a] + j - paired
            cx, cy = det.sites[site, 0], det.sites[site, 1]
        dx, dy = x - cx, y - cy
        line[LAPLACIAN, j] = spline_value(det.tables[det.table[a]], 1, dx * b[0, 0] + dy * b[1, 0],
                                          dx * b[0, 1] + dy * b[1, 1])
    if centred == n:
        return
    if det.kind[a] == WAVES:
        j, w = paired, det.first[a]
        while j < n:
            square = det.waves[w, 0] * det.waves[w, 0] + det.waves[w, 1] * det.waves[w, 1]
            for _ in range(det.parts[w]):
                line[LAPLACIAN, j] = -square * tables.orbitals[VALUE, a, i, j]
                j += 1
            w += 1
        return
    splines(det.bands, det.first[a], paired, n, x * b[0, 0] + y * b[1, 0], x * b[0, 1] + y * b[1, 1], line, True)


@compiled
def potentials(box, table, zz, apart, i, line):  # type: ignore[no-untyped-def]
    """The interaction of particle i with those before it, at the displacements in ``line``."""
    b, smooth, taylor, heights, core, radial = (box.inverse, table.smooth, table.taylor, table.heights, table.core,
                                                table.radial)
    b00, b01, b10, b11, edge, total = b[0, 0], b[0, 1], b[1, 0], b[1, 1], box.radius * box.radius, 0.0
    for j in range(i):
        dx, dy, which = line[DX, j], line[DY, j], apart[i, j]
        value = spline_value(smooth, which, dx * b00 + dy * b10, dx * b01 + dy * b11)
        r2 = dx * dx + dy * dy
        if r2 < edge:
            value += short_part(box.radius, taylor, heights, core, radial, which, r2)
        total += zz[i, j] * value
    return total


@compiled
def energies_cached(psi, walker, tables):  # type: ignore[no-untyped-def]
    """Kinetic and potential local energy (Ha_h), of the tables as they are."""
    det, charges, fields, new = psi.determinants, psi.charges, tables.fields, tables.line_of_pairs
    interaction, kinetic, b = charges.constant, 0.0, tables.inverses
    for i in range(walker.shape[0]):
        displacements(psi.box, walker, i, walker[i, 0], walker[i, 1], new)
        interaction += potentials(psi.box, psi.potential, charges.zz, charges.apart, i, new)
        gx, gy = slopes_of(det, tables.orbitals, b, i)
        jx, jy = fields[BY_X, i], fields[BY_Y, i]
        kinetic -= (fields[LAPLACIAN, i] + jx * jx + jy * jy + 2 * (jx * gx + jy * gy).real) / (2 * charges.mass[i])
    for a in range(det.size.shape[0]):
        n, first, paired, centre = det.size[a], det.rows[a], det.paired[a], det.centre[a]
        for i in range(n):
            laplacians(psi, walker, tables, a, i)
            half = 1 / (2 * charges.mass[first + i])
            for j in range(n):
                # of a pair by both of its particles
                part = half + 1 / (2 * charges.mass[centre + j]) if j < paired else half
                kinetic -= (tables.line[LAPLACIAN, j] * b[a, i, j]).real * part
    return kinetic, interaction


@compiled
def step_cached(psi, walkers, tau, normal, uniform, fixed, found, moves):  # type: ignore[no-untyped-def]
    """One sweep of every walker (W, N, 2), see `kernels.step_all`."""
    tables = tables_of(psi)
    for w in range(walkers.shape[0]):
        a, m, t = sweep_cached(psi, walkers[w], tau, normal[w], uniform[w], fixed, tables)
        moves[w, 0], moves[w, 1], moves[w, 2] = a, m, t
        found[w, 0], found[w, 1] = energies_cached(psi, walkers[w], tables)


@compiled
def evaluate_cached(psi, walkers, out):  # type: ignore[no-untyped-def]
    """Kinetic and potential local energy and ln|psi| of every walker, into ``out`` (W, 3)."""
    tables = tables_of(psi)
    for w in range(walkers.shape[0]):
        log = make_tables(psi, walkers[w], tables)
        for i in range(walkers.shape[1]):
            log += 0.5 * tables.fields[VALUE, i]
        out[w, 0], out[w, 1] = energies_cached(psi, walkers[w], tables)
        out[w, 2] = log
