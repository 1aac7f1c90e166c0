"""Starts with pairs: the field of a normal state with a gap between its electrons and holes, filled once."""

from __future__ import annotations

import numpy as np

from ehbilayer.basis.plane_waves import PlaneWaveBasis
from ehbilayer.hartree_fock.coherence.field import Matrices, MeanField
from ehbilayer.hartree_fock.coherence.filling import Filler
from ehbilayer.hartree_fock.coherence.pairs import real_if_close
from ehbilayer.hartree_fock.guesses import guess, sites_of
from ehbilayer.numerics.lattice import crystal_cell, reduce_vectors
from ehbilayer.numerics.minimize import orthonormalise
from ehbilayer.orbitals import Guess

# the normal state that each start with pairs is made of
PAIRED_STARTS = {"supersolid": "crystal", "condensate": "liquid"}
COMPOSITE = "composite-crystal"
OWN_STARTS = (*PAIRED_STARTS, COMPOSITE)
NOISE = 0.3  # of further starts, over the gap


def start_of(mean: MeanField, name: str, *, spin_order: str = "uniform", seed: int = 0,
             noise: bool = False) -> Matrices:
    """R' of every sector: one of PAIRED_STARTS, a phase of `hartree_fock.guesses` without pairs, or the composite
    crystal, in which electrons that do not pair sit between the excitons.

    ``noise`` stirs the field with seeded random numbers.
    """
    normal = "crystal" if name == COMPOSITE else PAIRED_STARTS.get(name, name)
    matrices = _normal(mean, normal, spin_order, seed)
    extra = [_extra(mean, c) for c in range(len(mean.sectors))]
    if name == COMPOSITE:
        matrices = tuple(_between(mean, c) if more else r for c, (more, r) in enumerate(zip(extra, matrices,
                                                                                            strict=True)))
    if name == "supersolid" and any(extra):  # excitons that are uniform at first, in a crystal of the other electrons
        uniform = _normal(mean, "liquid", spin_order, seed)
        matrices = tuple(u if s.paired else r for s, r, u in zip(mean.sectors, matrices, uniform, strict=True))
    if name not in PAIRED_STARTS and not noise:
        return matrices
    fock = mean.evaluate(matrices).fock
    rng, found = np.random.default_rng(seed), []
    for c, (sector, r) in enumerate(zip(mean.sectors, matrices, strict=True)):
        field = fock[c].copy()
        gap, scale = _gap(mean, c)
        if sector.paired and name in PAIRED_STARTS:
            g, i = mean.basis.coefficients, np.arange(mean.basis.coefficients)
            field[:, i, g + i] -= gap
            field[:, g + i, i] -= gap
        if noise:
            field = field + NOISE * scale * _random(mean, c, rng)
        if not sector.paired and not noise:
            found.append(r)
        else:
            found.append(Filler(mean, c, r if not sector.paired else None)(real_if_close(field)).matrix)
    return tuple(found)


def _normal(mean: MeanField, name: str, spin_order: str, seed: int) -> Matrices:
    """Of the orbitals that Hartree-Fock starts from."""
    basis, g = mean.basis, mean.basis.coefficients
    density = density_matrices(basis, guess(mean.torus, basis, name, spin_order=spin_order, seed=seed))
    found = []
    for c, sector in enumerate(mean.sectors):
        r = np.zeros((len(basis.k_points), mean.size(c), mean.size(c)), dtype=complex)
        r[:, :g, :g] = density[sector.sources[0]]
        if sector.paired:
            r[:, g:, g:] = -_transformed(mean, density[sector.sources[1]])
        found.append(real_if_close(r))
    return tuple(found)


def density_matrices(basis: PlaneWaveBasis, begin: Guess) -> Matrices:
    """D (K, g, g) of the orthonormal orbitals that span those of a guess, of every determinant."""
    found = []
    for x, filling in zip(begin.frames, begin.fillings, strict=True):
        c = orthonormalise(np, np.asarray(x)[None] + 0j)[0]
        d = np.zeros((len(basis.k_points), basis.coefficients, basis.coefficients), dtype=complex)
        d[filling.blocks] = np.einsum("kn,kng,knh->kgh", filling.f, c, c.conj())
        found.append(d)
    return tuple(found)


def _transformed(mean: MeanField, density: np.ndarray) -> np.ndarray:
    """D(-kappa', -kappa) of a density matrix D(kappa, kappa') of holes."""
    basis = mean.basis
    place = np.full((basis.size, 2), -1)  # block and position of every wave
    k, g = np.nonzero(basis.mask)
    place[basis.index[k, g]] = np.stack([k, g], axis=1)
    minus = basis.inverted[basis.index]  # (K, G)
    block, at = place[minus[:, 0], 0], place[minus, 1]
    found = density[block[:, None, None], at[:, :, None], at[:, None, :]]
    return np.asarray(np.conj(found) * basis.mask[:, :, None] * basis.mask[:, None, :])


def _extra(mean: MeanField, c: int) -> bool:
    """Whether a sector does not pair, of carriers with one particle for each site whose others do pair."""
    sector = mean.sectors[c]
    species = sector.channel.components[0]
    others = any(s.paired and species in s.channel.components for s in mean.sectors)
    return not sector.paired and others and sector.counts[0] == mean.torus.sites


def _between(mean: MeanField, c: int) -> np.ndarray:
    """Gaussians in the middle of the triangles of the sites, one of each two triangles."""
    torus, basis = mean.torus, mean.basis
    site, _ = reduce_vectors(np.linalg.inv(crystal_cell(basis.box, torus.sites)) @ basis.box.vectors)
    third = (site[0] + (site[1] if site[0] @ site[1] > 0 else -site[1])) / 3
    species = torus.species[mean.sectors[c].channel.components[0]]
    width = 0.8 * ((torus.area / (np.pi * torus.sites)) ** 1.5 / species.mass) ** 0.25
    where = sites_of(mean.torus, basis) + third
    x = orthonormalise(np, basis.gaussians(where, width)[None])[0]
    return np.asarray(np.einsum("kng,knh->kgh", x, x.conj()))


def _gap(mean: MeanField, c: int) -> tuple[np.ndarray, float]:
    """A gap e/(1 + T/e) between electrons and holes at every wave (K, g), and its size e: the kinetic energy of a pair
    at the Fermi wave number or a little beyond."""
    parts = mean.setting.parts_of(c)
    k = mean.basis.unit_k / np.sqrt(mean.torus.area)
    kinetic = np.sum([mean.torus.species[p.species].kinetic(k) for p in parts], axis=0)
    there = np.sort(kinetic[mean.basis.mask > 0])
    scale = float(there[min(min(mean.sectors[c].counts) + 6, len(there) - 1)])
    return mean.basis.mask * scale / (1 + kinetic / scale), scale


def _random(mean: MeanField, c: int, rng: np.random.Generator) -> np.ndarray:
    """A random Hermitian matrix of each block, small between short waves and long ones."""
    shape = (len(mean.basis.k_points), mean.size(c), mean.size(c))
    x = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    gap, scale = _gap(mean, c)
    envelope = np.concatenate([gap / scale] * len(mean.sectors[c].counts), axis=-1)
    x = x * envelope[:, :, None] * envelope[:, None, :]
    return np.asarray((x + np.conj(np.swapaxes(x, 1, 2))) / 2)
