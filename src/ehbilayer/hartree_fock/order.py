"""What a state is: order parameters and the name of its phase, functions of the density matrix alone.

No label, start or history enters: one state has one name, wherever it came from.
"""

from __future__ import annotations

import itertools

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hartree_fock.occupations import fill_levels
from ehbilayer.numerics.lattice import Cell, crystal_cell
from ehbilayer.orbitals import Determinant, Orbitals
from ehbilayer.torus import Torus

# A carrier is a crystal when more than a certain fraction of it lies outside its Fermi sea (`sea_depletion`; unlike
# cuts in the momentum variance it does not depend on N). Liquids modulated by the other layer's crystal reach 0.08,
# crystals close to melting come down to 0.05: in between full bands tell (`zone_deviation`: at most 0.2 in crystals,
# 0.7 to 1 in liquids, over the states of the papers' figures).
MELTED_DEPLETION, CRYSTAL_DEPLETION, FULL_BANDS = 0.05, 0.1, 0.5
PAIRED = 0.1  # largest |rho_i - rho_j|/N of two flavours that share orbitals; 0.3 and more for dumbbells
STRIPED = 1.5  # ratio of charge-density waves: at most 1.05 in triangular crystals, 1.9 to 5.5 in stripes


def bragg_vectors(box: Cell, sites: int) -> np.ndarray:
    """Shortest reciprocal vectors of the crystal of ``sites`` sites in the box, as integer waves (n, 2) of the box."""
    supercell = crystal_cell(box, sites)  # box = S cell, so the cell's reciprocal vectors are the rows of S^T
    steps = np.array([s for s in itertools.product(range(-2, 3), repeat=2) if any(s)])
    waves = steps @ supercell.T
    length = np.linalg.norm(waves @ box.reciprocal, axis=1)
    return waves[length < 1.01 * length.min()]


def bragg_weights(torus: Torus, orbitals: Orbitals) -> dict[str, float]:
    """<|rho_G|^2>/N^2 of each carrier, averaged over the shortest reciprocal vectors of the hole lattice.

    0 in a liquid, exp(-G^2 w^2/2) for Gaussian densities exp(-r^2/w^2), 1 for points.
    """
    waves = orbitals.density_waves(bragg_vectors(orbitals.box, torus.sites))
    mine = {s.name: [waves[d.label] for d in orbitals.determinants if d.carrier == s.name]
            for s in torus.species if s.count}
    return {s.name: float(np.mean(np.abs(sum(mine[s.name])) ** 2)) / s.count**2 for s in torus.species if s.count}


def spin_orders(torus: Torus, orbitals: Orbitals) -> dict[str, float | None]:
    """Largest |<S_G>|/N over the reciprocal vectors of the computed cell, S = rho_i - rho_j of two flavours, N their
    particles; 1 for full order.

    None where a carrier has no two determinants (restricted or polarised spins).
    """
    steps = np.array(list(itertools.product(range(-2, 3), repeat=2)))
    waves = orbitals.density_waves(steps @ orbitals.supercell.T)
    found: dict[str, float | None] = {}
    for s in (s for s in torus.species if s.count):
        mine = [(waves[d.label] / d.degeneracy, d.occupations.sum()) for d in orbitals.determinants
                if d.carrier == s.name]
        found[s.name] = max((float(np.abs(a - b).max() / (n + m))
                             for (a, n), (b, m) in itertools.combinations(mine, 2)), default=None)
    return found


def in_pairs(orbitals: Orbitals, carrier: str) -> bool:
    """Whether every flavour of a carrier has another one of the same density, as in singlets of two on a site."""
    steps = np.array(list(itertools.product(range(-2, 3), repeat=2)))
    waves = orbitals.density_waves(steps @ orbitals.supercell.T)
    mine = [d for d in orbitals.determinants if d.carrier == carrier]

    def apart(a: Determinant, b: Determinant) -> float:
        difference = waves[a.label] / a.degeneracy - waves[b.label] / b.degeneracy
        return float(np.abs(difference).max() / (a.occupations.sum() + b.occupations.sum()))

    return all(a.degeneracy > 1 or any(apart(a, b) < PAIRED for b in mine if b is not a) for a in mine)


def _unit_k2(orbitals: Orbitals) -> np.ndarray:
    """k^2 A of every wave, equal in a shell."""
    return np.round(np.sum((orbitals.waves @ orbitals.box.reciprocal) ** 2, axis=1) * orbitals.box.area, 9)


def momentum_variance(torus: Torus, orbitals: Orbitals, species: int) -> float:
    """sum_k (L k)^2 n_k with L^2 = 2 A / sqrt(3) for every box, all flavours."""
    k = orbitals.waves @ orbitals.box.reciprocal * np.sqrt(orbitals.box.area)
    return float(2 / np.sqrt(3) * np.sum(k**2, axis=1) @ orbitals.momentum(torus.species[species].name))


def liquid_variance(torus: Torus, species: int, basis: PlaneWaveBasis) -> float:
    """`momentum_variance` of the uniform liquid with shells filled equally."""
    # the torus' own waves, far enough out to hold every particle
    reach = int(np.ceil(np.sqrt(torus.species[species].count))) + 2
    i, j = np.meshgrid(*(np.arange(-reach, reach + 1),) * 2, indexing="ij")
    unit_b = basis.box.reciprocal * np.sqrt(basis.box.area)
    k2 = np.round(np.sum((np.stack([i.ravel(), j.ravel()], 1) @ unit_b) ** 2, axis=1), 9)
    total = 0.0
    for channel in (c for c in torus.channels if c.species == species):
        total += channel.degeneracy * float(fill_levels(k2, channel.orbitals, "shell", 1e-6) @ k2)
    return 2 / np.sqrt(3) * total


def sea_depletion(torus: Torus, orbitals: Orbitals, species: int) -> float:
    """The fraction of particles outside the Fermi sea of the free carrier.

    Inside are the full shells and, of a partly filled shell, as much as the free liquid puts there: 0 for any liquid
    with closed or equally filled shells, 1 - exp(-k_F^2 w^2) for Gaussian orbitals of width w.
    """
    s, n_k = torus.species[species], orbitals.momentum(torus.species[species].name)
    k2 = _unit_k2(orbitals)
    inside, room = 0.0, np.array(s.occupations, dtype=float)  # of each flavour
    for shell in np.unique(k2):
        mine = k2 == shell
        capacity = np.minimum(float(mine.sum()), room)
        inside += min(float(n_k[mine].sum()), float(capacity.sum()))
        room -= capacity
        if room.sum() < 0.5:
            break
    return float(1 - inside / s.count)


def zone_deviation(torus: Torus, orbitals: Orbitals, species: int) -> float | None:
    """By how much the occupation n(k) = sum_G <n_{k+G}> of the hole lattice's zone deviates from its mean, relative.

    About 0 where bands are full (each particle on a site of its own, or each pair of them), near 1 for a Fermi sea.
    None where the box holds no triangular lattice of that many sites.
    """
    if torus.lattice is None:
        return None
    fraction = orbitals.waves @ np.linalg.inv(torus.lattice.T)
    key = np.rint((fraction - np.floor(fraction + 1e-9)) * torus.sites).astype(int)
    inverse = np.unique(key @ np.array([torus.sites + 1, 1]), return_inverse=True)[1]
    n_k = np.zeros(torus.sites)  # k points without a wave hold nothing
    np.add.at(n_k, inverse, orbitals.momentum(torus.species[species].name))
    return float(np.abs(n_k / n_k.mean() - 1).max())


def is_crystal(depletion: float, deviation: float | None) -> bool:
    """Whether a carrier is localised: well outside its Fermi sea, or somewhat outside with full bands.

    By `sea_depletion` and `zone_deviation`.
    """
    full = deviation is not None and deviation < FULL_BANDS
    return depletion > (MELTED_DEPLETION if full else CRYSTAL_DEPLETION)


def is_striped(torus: Torus, orbitals: Orbitals) -> bool:
    """Whether one charge-density wave of some carrier stands out: STRIPED times the next one of another direction."""
    shortest = np.linalg.norm(bragg_vectors(orbitals.box, torus.sites) @ orbitals.box.reciprocal, axis=1).min()
    reach = np.ceil(1.1 * shortest * np.linalg.norm(orbitals.box.vectors, axis=1) / (2 * np.pi)).astype(int)
    vectors = np.array([w for w in itertools.product(*(range(-r, r + 1) for r in reach)) if w > (0, 0)])
    vectors = vectors[np.linalg.norm(vectors @ orbitals.box.reciprocal, axis=1) < 1.1 * shortest]
    waves = orbitals.density_waves(vectors)
    for s in (s for s in torus.species if s.count):
        weight = np.abs(sum(waves[d.label] for d in orbitals.determinants if d.carrier == s.name)) ** 2
        second, first = np.sort(weight)[-2:]
        if first > STRIPED * second:
            return True
    return False


def phase_name(torus: Torus, orbitals: Orbitals) -> str:
    """The phase of a state, from which carriers are crystals and how electrons sit on holes."""
    present = {s.name: i for i, s in enumerate(torus.species) if s.count}
    crystal = {name: is_crystal(sea_depletion(torus, orbitals, i), zone_deviation(torus, orbitals, i))
               for name, i in present.items()}
    if not any(crystal.values()):
        return "liquid"
    if not all(crystal.values()):
        return "hole-crystal" if crystal.get("hole") else "electron-crystal"
    if {"electron", "hole"} <= set(present):
        electron, hole = (torus.species[present[name]] for name in ("electron", "hole"))
        if electron.count == 2 * hole.count:
            return "trion-crystal" if in_pairs(orbitals, electron.name) else "dumbbell-crystal"
        if electron.count == hole.count and is_striped(torus, orbitals):
            return "stripes"
    return "crystal"
