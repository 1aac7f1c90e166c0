"""What a walker is asked besides its energy: pairs, density waves, particles and electron-hole pairs moved elsewhere.

    pairs           how many lie in each ring of distances, shortest images
    density waves   rho_b(k) = sum_{i in b} e^{-ikr_i} of every flavour b: of a species its own, of two their product
    density         where in the cell of a crystal each particle is
    moved           psi(r_i + s)/psi e^{-iks} with s anywhere: the momentum distribution
    moved together  psi(r_e + s, r_h + s)/psi with s far away, some electrons with all holes; and each of them alone

Everything of one walker is written into one line of numbers, see `Layout`, so that a sum over walkers and steps is a
sum of lines.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ehbilayer.monte_carlo.backflow import rebuild, workspace
from ehbilayer.monte_carlo.compiled import compiled
from ehbilayer.monte_carlo.kernels import at, jastrow_at
from ehbilayer.monte_carlo.pair_potential import nearest

PAIRS, WAVES, STRUCTURE, MOMENTUM, DENSITY, TOGETHER, ALONE, TRIED = range(8)  # parts of a line
TRIES = 5  # electrons of a walker that are moved with all holes: each costs about as much as the particles moved alone


class Layout(NamedTuple):
    """What is measured, and where in a line of ``start[-1]`` numbers the PAIRS, WAVES ... begin.

    start : (9,).   kind : of pairs of flavours (B, B), -1 for none.   block, species, group : of particles (N,);
    groups share a momentum distribution.   bins, width : of distances, a_h.   waves : integers (K, 2), the first >= 0,
    on the vectors ``steps`` (2, 2) in 1/a_h.   inverse : of the cell (2, 2) of the density; grid : points along each of
    its vectors.   negative, positive : numbers of the electrons and holes.   far : displacements (V, 2).
    """

    start: np.ndarray
    kind: np.ndarray
    block: np.ndarray
    species: np.ndarray
    group: np.ndarray
    bins: int
    width: float
    waves: np.ndarray
    steps: np.ndarray
    inverse: np.ndarray
    grid: int
    negative: np.ndarray
    positive: np.ndarray
    far: np.ndarray


@compiled
def powers(steps, x, y, table):  # type: ignore[no-untyped-def]
    """Fills ``table`` (2, n) with the powers of e^{-ikr} for the two vectors ``steps``."""
    for a in range(2):
        phase = steps[a, 0] * x + steps[a, 1] * y
        once = complex(math.cos(phase), -math.sin(phase))
        table[a, 0] = 1.0
        for m in range(1, table.shape[1]):
            table[a, m] = table[a, m - 1] * once


@compiled
def wave(table, m, n):  # type: ignore[no-untyped-def]
    """e^{-ikr} of the integer wave (m, n), m >= 0."""
    return table[0, m] * (table[1, n] if n >= 0 else table[1, -n].conjugate())


@compiled
def positions_of(box, layout, walker, table, rho, line):  # type: ignore[no-untyped-def]
    """Pairs, density waves and density of one walker; ``rho`` (B, K) is scratch."""
    start, count, waves = layout.start, walker.shape[0], layout.waves.shape[0]
    rho[:] = 0.0
    c, m = layout.inverse, layout.grid
    for i in range(count):
        b, s = layout.block[i], layout.species[i]
        for j in range(i):
            kind = layout.kind[b, layout.block[j]]
            if kind >= 0:
                dx, dy = nearest(box, walker[i, 0] - walker[j, 0], walker[i, 1] - walker[j, 1])
                ring = min(int(math.sqrt(dx * dx + dy * dy) / layout.width), layout.bins - 1)
                line[start[PAIRS] + kind * layout.bins + ring] += 1.0
        x, y = walker[i, 0], walker[i, 1]
        powers(layout.steps, x, y, table)
        for k in range(waves):
            rho[b, k] += wave(table, layout.waves[k, 0], layout.waves[k, 1])
        u, v = x * c[0, 0] + y * c[1, 0], x * c[0, 1] + y * c[1, 1]
        p, q = int((u - math.floor(u)) * m + 0.5) % m, int((v - math.floor(v)) * m + 0.5) % m
        line[start[DENSITY] + (s * m + p) * m + q] += 1.0
    for i in range(rho.shape[0]):
        for j in range(i + 1):
            kind = layout.kind[i, j]
            if kind >= 0:
                for k in range(waves):
                    line[start[STRUCTURE] + kind * waves + k] += (rho[i, k] * rho[j, k].conjugate()).real


@compiled
def waves_of(layout, owner, rho, line):  # type: ignore[no-untyped-def]
    """|rho(k)|^2 of every species, from the density waves ``rho`` (B, K) of its flavours, with ``owner`` (B,)."""
    waves = layout.waves.shape[0]
    for a in range(rho.shape[0]):
        for b in range(rho.shape[0]):
            if owner[a] == owner[b]:
                for k in range(waves):
                    line[layout.start[WAVES] + owner[a] * waves + k] += (rho[a, k] * rho[b, k].conjugate()).real


@compiled
def elsewhere(psi, walker, inverses, orbital, i, x, y):  # type: ignore[no-untyped-def]
    """psi with particle i at (x, y) over psi."""
    ratio, new, _, _ = at(psi, walker, inverses, orbital, i, x, y)
    old, _, _, _ = jastrow_at(psi, walker, i, walker[i, 0], walker[i, 1])
    return ratio * math.exp(new - old)


@compiled
def momentum_of(psi, layout, walker, inverses, orbital, uniform, table, line):  # type: ignore[no-untyped-def]
    """Every particle moved by a vector of ``uniform`` (N, 2) fractions of the torus."""
    a, waves = psi.box.cell, layout.waves.shape[0]
    for i in range(walker.shape[0]):
        u, v = uniform[i, 0], uniform[i, 1]
        dx, dy = u * a[0, 0] + v * a[1, 0], u * a[0, 1] + v * a[1, 1]
        ratio = elsewhere(psi, walker, inverses, orbital, i, walker[i, 0] + dx, walker[i, 1] + dy)
        powers(layout.steps, dx, dy, table)
        begin = layout.start[MOMENTUM] + layout.group[i] * waves
        for k in range(waves):
            # the mean of k and -k
            line[begin + k] += ratio.real * wave(table, layout.waves[k, 0], layout.waves[k, 1]).real


@compiled
def pairs_of(psi, layout, walker, inverses, others, orbital, log, sign, v, e, line):  # type: ignore[no-untyped-def]
    """TRIES electrons, from number ``e`` on, with each hole, and all of them alone, moved by vector number ``v``."""
    dx, dy = layout.far[v, 0], layout.far[v, 1]
    start, electrons = layout.start, layout.negative.shape[0]
    for side in range(2):
        for i in layout.negative if side == 0 else layout.positive:
            ratio = elsewhere(psi, walker, inverses, orbital, i, walker[i, 0] + dx, walker[i, 1] + dy)
            line[start[ALONE] + 4 * v + 2 * side] += ratio.real
            line[start[ALONE] + 4 * v + 2 * side + 1] += ratio.imag
    total, tries, moved = 0.0, min(TRIES, electrons), walker.copy()
    for i in layout.negative[(e + np.arange(tries)) % electrons]:
        moved[i, 0] += dx
        moved[i, 1] += dy
        old, _, _, _ = jastrow_at(psi, walker, i, walker[i, 0], walker[i, 1])
        new, _, _, _ = jastrow_at(psi, moved, i, moved[i, 0], moved[i, 1])
        # made anew, as the electron alone may have hardly any amplitude there
        there, phase = rebuild(psi, moved, others, orbital)
        for j in layout.positive:
            before, _, _, _ = jastrow_at(psi, moved, j, walker[j, 0], walker[j, 1])
            ratio, after, _, _ = at(psi, moved, others, orbital, j, walker[j, 0] + dx, walker[j, 1] + dy)
            size = abs(ratio)
            if size > 0.0:
                change = there - log + new - old + after - before + math.log(size)
                total += (phase / sign * ratio / size).real * math.exp(change)
        moved[i] = walker[i]
    # the mean over the electrons that were tried stands for all of them
    line[start[TOGETHER] + v] += electrons * total / tries
    line[start[TRIED] + v] += 1.0


@compiled
def measure(psi, layout, owner, walkers, uniform, first, electron, lines):  # type: ignore[no-untyped-def]
    """One line for each walker (W, N, 2), into ``lines`` (W, L) of zeros.

    ``uniform`` (W, N, 2) in [0, 1), ``first`` (W,) the number of a far displacement, ``electron`` (W,) of an electron.
    """
    inverses, orbital, _ = workspace(psi)
    others, _, _ = workspace(psi)
    reach = np.abs(layout.waves).max() + 1
    table, rho = np.empty((2, reach), np.complex128), np.empty((owner.shape[0], layout.waves.shape[0]), np.complex128)
    for w in range(walkers.shape[0]):
        walker, line = walkers[w], lines[w]
        log, sign = rebuild(psi, walker, inverses, orbital)
        positions_of(psi.box, layout, walker, table, rho, line)
        waves_of(layout, owner, rho, line)
        momentum_of(psi, layout, walker, inverses, orbital, uniform[w], table, line)
        if layout.negative.shape[0] > 0 and layout.positive.shape[0] > 0:
            pairs_of(psi, layout, walker, inverses, others, orbital, log, sign, first[w], electron[w], line)
