"""In which spins and valleys a candidate competes: how the particles of each carrier are shared among its flavours.

A carrier on sites is polarised, in flavours that share a site (two electrons of a trion), or in flavours that take
turns on the sites, one sublattice each. A liquid fills one flavour, several equally, or those numbers that cost least.
The names are those of `torus.Species`: what won can be asked for by ``electron_spin`` and ``hole_spin``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from ehbilayer.basis.waves import disk_waves
from ehbilayer.errors import InputError
from ehbilayer.hartree_fock.guesses import LOCALISED
from ehbilayer.numerics.lattice import crystal_cell
from ehbilayer.torus import Species, Torus

MOST_SUBLATTICES = 4  # of flavours that take turns; more of them differ by exchange between far sites
MOST_LIQUIDS = 3  # ways to fill a liquid next to a crystal: those of lowest energy where it is uniform
IMBALANCED = "imbalanced-condensate"
MOST_UNEQUAL = 600  # particles up to which unequal fillings are looked for


@dataclass(frozen=True)
class Arrangement:
    """How both carriers fill their flavours, and the sites per cell that this takes.

    electron, hole : see `torus.Species`.   cells : sites per cell.
    later : another order of the holes, worth a look only with the best one of the electrons.
    """

    electron: str = "polarized"
    hole: str = "polarized"
    cells: int = 1
    later: bool = False


def spin_name(species: Species, occupations: tuple[int, ...], *, apart: bool = False) -> str:
    """What `torus.Species` calls these particles per flavour, with orbitals of their own if ``apart``."""
    if len(occupations) == 1:
        return "polarized"
    if len(occupations) == species.flavours and len(set(occupations)) == 1:
        return "unrestricted" if apart else "restricted"
    return ("|" if apart else "+").join(map(str, occupations))


def applies(torus: Torus) -> bool:
    """Whether there is at most one carrier of each charge, so that one name says how it fills its flavours."""
    return len({s.charge for s in torus.species if s.count}) == len([s for s in torus.species if s.count])


def arrangements(torus: Torus, name: str, cells: int = 1) -> list[Arrangement]:
    """Every arrangement in which a crystal or liquid of this name competes, those that cost least first.

    ``cells`` are the fewest sites per cell. Empty where the box holds none.
    """
    choices = {"electron": [("polarized", 1)], "hole": [("polarized", 1)]}
    for i, s in enumerate(torus.species):
        if s.count:
            kind = "electron" if s.charge < 0 else "hole"
            alone = name != "liquid" and all(not o.count for o in torus.species if o is not s)
            choices[kind] = _on_sites(s, torus.sites, name) if alone or kind in LOCALISED[name] else \
                [(spin, 1) for spin in _liquids(torus, i)]
    found = []
    for (hole, cells_h), (electron, cells_e) in product(choices["hole"], choices["electron"]):
        most = math.lcm(cells, cells_h, cells_e)
        if most <= max(cells, MOST_SUBLATTICES) and _tiles(torus, most):
            found.append(Arrangement(electron, hole, most, hole != choices["hole"][0][0]))
    return found


def condensates(torus: Torus) -> list[Arrangement]:
    """Condensates in one flavour of each carrier, equal ones in two, and so on; and where liquids would fill flavours
    unequally, so many pairs in each."""
    electron, hole = (next(s for s in torus.species if s.charge == z and s.count) for z in (-1, 1))
    most = min(electron.flavours, hole.flavours)
    found = [(electron.count // p,) * p for p in range(1, most + 1) if electron.count % p == 0]
    if electron.count <= MOST_UNEQUAL:
        uniform = sum(uniform_energies(torus, torus.species.index(s)) for s in (electron, hole))
        found.append(_cheapest(np.asarray(uniform), electron.count, most))
    return [Arrangement(spin_name(electron, n), spin_name(hole, n)) for n in dict.fromkeys(found)]


def coherent(torus: Torus, name: str) -> list[Arrangement]:
    """Arrangements of the candidates with electron-hole coherence (`candidates.COHERENT`).

    Crystals: as many electrons as holes polarised, or in two flavours that take turns on the sites; two electrons per
    hole in two flavours, one of which pairs. Homogeneous ones: the carrier that is fewer pairs as a whole with one
    flavour of the other, whose rest fills further flavours; or each flavour of both pairs, with unequal numbers.
    """
    electron, hole = (next(s for s in torus.species if s.charge == z and s.count) for z in (-1, 1))
    sites, found = torus.sites, []
    if name == IMBALANCED:
        more, fewer = (electron, hole) if electron.count > hole.count else (hole, electron)
        rest = more.count - fewer.count
        for p in range(1, more.flavours):
            if rest % p == 0:  # one flavour pairs as a whole, p are liquids
                ways = spin_name(more, (fewer.count, *(rest // p,) * p), apart=True), "polarized"
                found.append(Arrangement(*(ways if more is electron else ways[::-1])))
        found += [Arrangement(spin_name(electron, (electron.count // p,) * p), spin_name(hole, (hole.count // p,) * p))
                  for p in range(1, min(electron.flavours, hole.flavours) + 1)
                  if electron.count % p == hole.count % p == 0]
        return found
    if electron.count == 2 * sites and electron.flavours > 1:
        return [Arrangement(spin_name(electron, (sites, sites), apart=True))]
    if electron.count != sites:
        return []
    found.append(Arrangement())
    if min(electron.flavours, hole.flavours) > 1 and sites % 2 == 0 and _tiles(torus, 2):
        half = sites // 2, sites // 2
        found.append(Arrangement(spin_name(electron, half, apart=True), spin_name(hole, half, apart=True), 2))
    return found


def _on_sites(species: Species, sites: int, name: str) -> list[tuple[str, int]]:
    """Polarised, several on a site, one flavour after the other on the sites; with the sites per cell of each."""
    found, pairs = [], name if species.charge < 0 else ""
    for p in range(1, species.flavours + 1):
        if species.count % p:
            continue
        each = species.count // p
        cells = sites // math.gcd(sites, each)
        shared = p > 1 and each % sites == 0
        if p == 1 and pairs != "trion-crystal":  # two of one flavour do not share a place
            found.append(("polarized", cells))
        if shared and pairs != "dumbbell-crystal":
            found.append((spin_name(species, (each,) * p), 1))
        if p > 1 and (p == 2 if pairs == "dumbbell-crystal" else not shared):
            found.append((spin_name(species, (each,) * p, apart=True), cells))
    return found


def _tiles(torus: Torus, cells: int) -> bool:
    try:
        crystal_cell(torus.box, torus.sites, cells)
    except InputError:
        return False
    return True


def _liquids(torus: Torus, species: int) -> list[str]:
    """The fillings of a liquid by the energy of the uniform one, the lowest first."""
    s = torus.species[species]
    energy = uniform_energies(torus, species)
    found = {(s.count // p,) * p for p in range(1, s.flavours + 1) if s.count % p == 0}
    if s.count <= MOST_UNEQUAL:
        found.add(_cheapest(energy, s.count, s.flavours))
    ranked = sorted(found, key=lambda n: (float(sum(energy[i] for i in n)), len(n)))
    few = [n for n in ranked if len(n) <= 2 and len(set(n)) == 1]  # every number of flavours has these to choose from
    return [spin_name(s, n) for n in ranked if n in ranked[:MOST_LIQUIDS] or n in few]


def uniform_energies(torus: Torus, species: int) -> np.ndarray:
    """E(n) in Ha_h of n = 0 ... N particles of one flavour on the shortest waves, kinetic and exchange, (N + 1,).

        E(n) = sum_{i <= n} k_i^2/2m - (1/2A) sum_{i, j <= n} v(k_i - k_j)
    """
    s = torus.species[species]
    waves = disk_waves(torus.box, 1.2 * np.sqrt(4 * np.pi * s.count / torus.area) + 3 * np.sqrt(2 * np.pi / torus.area))
    k = waves @ torus.box.reciprocal
    order = np.argsort(np.round(np.sum(k * k, axis=1) * torus.area, 9), kind="stable")[: s.count]
    k = k[order]
    pairs = torus.v(np.linalg.norm(k[:, None] - k[None], axis=-1), species, species) / torus.area
    np.fill_diagonal(pairs, torus.zero_mode_element(species, species))
    exchange = np.diagonal(np.cumsum(np.cumsum(pairs, axis=0), axis=1))
    return np.concatenate([[0.0], np.cumsum(s.kinetic(k)) - exchange / 2])


def _cheapest(energy: np.ndarray, count: int, flavours: int) -> tuple[int, ...]:
    """Particles in up to ``flavours`` flavours that add up to ``count`` at the lowest sum of energies."""
    best, taken = energy.copy(), [np.arange(count + 1)]
    for _ in range(flavours - 1):
        sums = [energy[: n + 1] + best[n::-1] for n in range(count + 1)]
        taken.append(np.array([int(np.argmin(x)) for x in sums]))
        best = np.array([x.min() for x in sums])
    numbers, left = [], count
    for choice in reversed(taken):
        numbers.append(int(choice[left]))
        left -= numbers[-1]
    return tuple(sorted((n for n in numbers if n), reverse=True))
