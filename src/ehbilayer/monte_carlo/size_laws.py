"""Laws by which the energy of a state goes with the size of its box, each with an error of its own.

What a torus lacks are the waves between its own, and k = 0. A mode with omega ~ k^s has the zero-point energy omega/2;
what the plane has more of it is a sum over the lattice R of the torus (`missing`):

    [int d^2k/(2 pi)^2 - (1/A) sum_{k != 0}] k^s = 2^s Gamma(1 + s/2)/(pi |Gamma(-s/2)|) sum_{R != 0} R^{-2-s}

- ``plasmon``, liquids: see `liquid_size`; crystals of one carrier beside a liquid: see `finite_size`.
- ``dipoles``, balanced pairs: V lacks 1/2 w(k), w = (2 pi/k)(S_ee + S_hh - 2 e^{-kd} S_eh) ~ k, and T half of the
  zero-point energy of sound, c k/4 with c = k/(2 M S_M); S of the walk at the smallest k. It falls as N^{-3/2}. Those
  that are not condensed have the shells of a liquid.
- ``phonons``, crystals of all carriers: the harmonic zero-point energy of the zone less that of the waves of the torus.
- ``isolated``, one particle a flavour that are bound: the complex alone in the plane, by first order in the images,
  E_inf - E_N = -<sum_{i<j} z_i z_j (psi - 1/s)> - 1/2 sum z^2 M(0).

Errors are estimates: half of a correction, but where a better one is known.

Source: Chiesa et al., PRL 97, 076404 (2006); Drummond et al., PRB 78, 125106 (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gamma

import numpy as np

from ehbilayer.interaction.lattice_sums.potential import madelung_potential, potential
from ehbilayer.monte_carlo.estimators import Tally
from ehbilayer.monte_carlo.finite_size import liquid_shells, plasmon
from ehbilayer.monte_carlo.liquid_size import liquid_size
from ehbilayer.monte_carlo.measuring import PAIRS
from ehbilayer.monte_carlo.observables import Estimate, Observables, structure_factor
from ehbilayer.monte_carlo.trial import ON_SITES, Trial
from ehbilayer.numerics.lattice import Cell, crystal_cell, lattice_points, reduce_vectors

HALF = 0.5  # of a correction that nobody has checked, as its error
FAR_OUT, OUTSIDE = 0.8, 0.05  # a complex is alone where less than that of a pair is beyond so much of the radius
SECOND, OPEN = 0.05, 8.0  # second order in the images over the first: within the box, and for each pair that is out
DIRECTIONS = 24


@dataclass(frozen=True)
class Law:
    """``name``, ``correction`` E_inf - E_N and its ``error``, in Ha_h of the box."""

    name: str
    correction: float
    error: float


def missing(cell: Cell, power: float, reach: int = 60) -> float:
    """[int d^2k/(2 pi)^2 - (1/A) sum_{k != 0}] k^power, a_h^{-2-power}, 0 < power < 2."""
    vectors, _ = reduce_vectors(cell.vectors)
    m = np.arange(-reach, reach + 1)
    r = np.linalg.norm(np.stack(np.meshgrid(m, m, indexing="ij"), axis=-1).reshape(-1, 2) @ vectors, axis=1)
    near = r[(r > 0) & (r < reach * cell.area / np.linalg.norm(vectors, axis=1).max())]
    # the lattice beyond is taken as even: int 2 pi r dr/A r^{-2-s}, from the circle whose area is that of the points
    edge = np.sqrt((len(near) + 1) * cell.area / np.pi)
    total = np.sum(near ** (-2 - power)) + 2 * np.pi / (cell.area * power) * edge**-power
    return float(2**power * gamma(1 + power / 2) / (np.pi * abs(gamma(-power / 2))) * total)


def law_of(trial: Trial, seen: Observables | None, vmc: Tally, dmc: Tally | None) -> Law | None:
    """The law of a state: of what it was found to be where that was ``seen``, else of its trial function.

    None where no law is known: another interaction than Coulomb's, pairs of unequal numbers, crystals whose harmonic
    vibrations are unstable, a complex that fills its box.
    """
    if trial.torus.bilayer.interaction.name != "coulomb":
        return None
    if all(block.count == 1 for block in trial.blocks):
        return isolated(trial, vmc, dmc) if seen else None
    meant = trial.name if seen is None or seen.phase == "unknown" else seen.phase
    if meant == "condensate":
        return None if seen is None or seen.condensate is None else dipoles(trial, seen, vmc, dmc)
    present = {trial.torus.species[block.species].charge for block in trial.blocks}
    if set(ON_SITES.get(meant, ())) >= present:
        return phonons(trial)
    if meant == "liquid":
        found = liquid_size(trial)
        return None if found is None else Law("plasmon", *found)
    if meant in ON_SITES:
        shells, mode = liquid_shells(trial, meant), plasmon(trial)
        if shells is not None and mode is not None:
            return Law("plasmon", shells + mode, mode * _doubt(trial))
    return None


def _doubt(trial: Trial) -> float:
    """The relative error of the plasmon's formula: that of a gas, a tenth at r_s = 5 and half at 1, and what the layers
    do not see of each other at the smallest k of the box."""
    torus = trial.torus
    present = [s for s in torus.species if s.count]
    count = max(s.count for s in present)
    mass = count / sum(s.count / s.mass for s in present)  # the reduced one of as many electrons as holes
    rs = mass * np.sqrt(torus.area / (np.pi * count))
    d = max(torus.bilayer.interaction.distance(a.layer, b.layer) for a in present for b in present)
    k = float(np.linalg.norm(Cell(trial.box.cell).reciprocal, axis=1).min())
    # omega^2 ~ (1 + e^{-kd})/2 for equal layers
    return float(HALF / max(rs, 1.0) + (1 - np.exp(-k * d)) / 4)


def isolated(trial: Trial, vmc: Tally, dmc: Tally | None) -> Law | None:
    """A complex alone in the plane; None where it fills its box."""
    e, species = vmc.estimators, {s.name: s for s in trial.torus.species}
    squares = sum(species[name].charge ** 2 * int(n) for name, n in zip(e.species, e.counts, strict=True))
    constant = -0.5 * squares * madelung_potential(trial.box.cell)
    if not e.kinds:  # a particle and its images
        return Law("isolated", constant, 0.0)
    r = e.layout.width * (np.arange(e.layout.bins) + 0.5)
    far = r > FAR_OUT * trial.box.radius
    per_pair = Estimate.of(vmc, dmc, lambda sums: e.part(sums, PAIRS, len(e.kinds), e.layout.bins))
    outside = float(np.max(per_pair.value[:, far].sum(axis=1) / per_pair.value.sum(axis=1)))
    if outside > OUTSIDE:
        return None
    smooth, origin = [], 0.0
    for kind, pairs in zip(e.kinds, per_pair.value.sum(axis=1), strict=True):
        one, two = species[kind.first], species[kind.second]
        d = trial.torus.bilayer.interaction.distance(one.layer, two.layer)
        found = one.charge * two.charge * images(trial.box.cell, np.append(0.0, r), d)
        smooth.append(found[1:] - found[0])
        origin += found[0] * float(pairs)
    moving = Estimate.of(vmc, dmc, lambda sums: np.sum(e.part(sums, PAIRS, len(e.kinds), e.layout.bins) * smooth))
    # first order: all charges feel the images of all others
    return Law("isolated", constant - origin - float(moving.value),
               float(np.hypot(moving.error, (SECOND + OPEN * max(outside, 0.0)) * moving.value)))


def images(cell: np.ndarray, r: np.ndarray, distance: float) -> np.ndarray:
    """psi - 1/s at the distances ``r`` (n,), the mean over directions, Ha_h."""
    angle = 2 * np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
    out = np.full(len(r), madelung_potential(cell, distance))
    away = r > 0
    points = (r[away][:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).reshape(-1, 2)
    values = potential(cell, points, distance).reshape(-1, DIRECTIONS)
    out[away] = values.mean(axis=1) - 1 / np.hypot(r[away], distance)
    return out


def dipoles(trial: Trial, seen: Observables, vmc: Tally, dmc: Tally | None) -> Law | None:
    """Balanced pairs, from the structure factors of the walk at the smallest k."""
    e, torus = vmc.estimators, trial.torus
    carriers = [next(s for s in torus.species if s.name == name) for name in e.species]
    if len(carriers) != 2 or carriers[0].count != carriers[1].count or {s.charge for s in carriers} != {1, -1}:
        return None
    one, two = carriers
    d = torus.bilayer.interaction.distance(one.layer, two.layer)
    k, total = float(e.lengths[1]), one.mass + two.mass
    kinds = np.array([{(one.name, one.name): 0, (two.name, two.name): 1}.get((kind.first, kind.second), 2)
                      for kind in e.kinds])

    def lacking(sums: np.ndarray) -> np.ndarray:
        first = structure_factor(e, sums)[:, 0]
        s1, s2, s12 = (first[kinds == i].sum() for i in range(3))
        w = 2 * np.pi / k * (s1 + s2 - 2 * np.exp(-k * d) * s12)
        # S_M of the density of mass, omega = k^2/(2 M S_M)
        s_mass = (one.mass**2 * s1 + two.mass**2 * s2 + 2 * one.mass * two.mass * s12) / total**2
        sound = k / (2 * total * max(s_mass, 1e-3))
        # N w/2 of the potential, A c k/4 of the kinetic energy, both as k
        return np.asarray(one.count * w / (2 * k) + torus.area * sound / 4)

    found = Estimate.of(vmc, dmc, lacking)
    more = missing(torus.box, 1.0)
    value, noise = more * float(found.value), more * float(found.error)
    shells = liquid_shells(trial, "liquid") or 0.0
    fraction = 0.0 if seen.condensate is None else float(np.clip(seen.condensate.value, 0.0, 1.0))
    # those that are not condensed have the shells of a Fermi sea
    sea = (1 - fraction) * shells
    return Law("dipoles", value + sea, float(np.linalg.norm([noise, HALF * value, HALF * sea])))


def phonons(trial: Trial) -> Law | None:
    """A crystal of all carriers on one lattice; None where its vibrations are unstable."""
    from ehbilayer.crystal.structures import Crystal
    from ehbilayer.phonons.modes import Phonons
    from ehbilayer.phonons.zone import fluctuation

    torus = trial.torus
    present = [s for s in torus.species if s.count]
    if any(s.count != torus.sites for s in present):
        return None
    supercell = crystal_cell(torus.box, torus.sites)
    vectors = np.linalg.solve(supercell.astype(float), torus.box.vectors)
    heights = [torus.bilayer.interaction.distance(present[0].layer, s.layer) for s in present]
    if len(present) > 1 and min(heights[1:]) == 0:
        return None
    found = Phonons(Crystal(vectors, np.zeros((len(present), 2)), np.array([float(s.charge) for s in present]),
                            np.array(heights), tuple(s.name for s in present)), {s.name: s.mass for s in present})
    zone = fluctuation(found, 1e-6)
    if zone is None:
        return None
    # the waves of the torus in the zone of its crystal
    q = lattice_points(Cell(Cell(vectors).reciprocal), supercell.T)
    squared = found.squared(q)
    if np.min(squared) < -1e-9 * np.max(squared):
        return None
    correction = torus.sites * zone.energy - 0.5 * float(np.sqrt(np.maximum(squared, 0.0)).sum())
    return Law("phonons", correction, HALF * abs(correction))
