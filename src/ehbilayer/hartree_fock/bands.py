"""Fock bands of a crystal along lines of high symmetry and the effective mass at their bottom.

Fock operators are non-local, so a band between the mesh' own k points needs exchange there: it is interpolated by
minimal images of the relative position on the torus (`terms.density_matrix.Kernel.at`), exact at the mesh' points.
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import numpy as np

from ehbilayer.hamiltonian import Hamiltonian
from ehbilayer.hartree_fock.result import EffectiveMass
from ehbilayer.hartree_fock.spectrum import padded
from ehbilayer.numerics.lattice import path_points
from ehbilayer.numerics.minimize import Frames
from ehbilayer.results.base import Variable

MOST_WAVES = 3000  # bands of larger bases would take longer than everything else
BANDS = 6  # lowest bands kept
PER_SEGMENT = 10


def bands_at(hamiltonian: Hamiltonian, frames: Frames, channel: int, k: np.ndarray,
             count: int = BANDS) -> np.ndarray:
    """The lowest ``count`` Fock levels (n, count) in Ha_h of one channel at wave vectors k (n, 2) in 1/a_h."""
    basis = hamiltonian.setting.basis
    operators = hamiltonian.operators(hamiltonian.state(frames), channel)
    torus = k @ np.linalg.inv(basis.box.reciprocal)  # torus integers, with fractions
    block, shift = nearest_blocks(basis, torus)
    count = min(count, int(basis.mask.sum(axis=1).min()))
    out = np.empty((len(k), count))
    for b in np.unique(block):
        mine = np.flatnonzero(block == b)
        fock = reduce(add, [o.at(int(b), shift[mine]) for o in operators])
        fock, _ = padded(hamiltonian, fock, channel, int(b))
        out[mine] = np.linalg.eigvalsh(fock)[:, :count]
    return out


def nearest_blocks(basis: Any, torus: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The block of the mesh point nearest to each k, modulo reciprocal lattice vectors, and the shift from it."""
    reach = np.arange(-2, 3)
    g = np.stack(np.meshgrid(reach, reach, indexing="ij"), axis=-1).reshape(-1, 2) @ basis.supercell.T
    candidates = (basis.k_points[:, None] + g[None]).reshape(-1, 2)
    distance = np.linalg.norm((torus[:, None] - candidates[None]) @ basis.box.reciprocal, axis=-1)
    nearest = np.round(distance, 9).argmin(axis=1)
    return nearest // len(g), torus - candidates[nearest]


def effective_mass(k: np.ndarray, energy: np.ndarray, largest: float) -> tuple[float | None, float]:
    """m* from a least-squares parabola e0 + k^2/2m* through the points with |k| <= largest; also the rms misfit."""
    length = np.linalg.norm(k, axis=1)
    use = length <= largest * (1 + 1e-9)
    if use.sum() < 4:
        return None, float("nan")
    design = np.stack([np.ones(use.sum()), 0.5 * length[use] ** 2], axis=1)
    fit = np.linalg.lstsq(design, energy[use], rcond=None)[0]
    misfit = float(np.sqrt(np.mean((design @ fit - energy[use]) ** 2)))
    return (float(1 / fit[1]) if fit[1] != 0 else None), misfit


def path_data(basis: Any) -> dict[str, Variable]:
    """The path through the zone of a crystal: wave vectors, distances, corners."""
    k, where, marks = path_points(basis.cell, PER_SEGMENT)
    return {"path": Variable(("path_point",), where, "1/a_h", "distance along the path"),
            "path_k": Variable(("path_point", "axis"), k, "1/a_h", "wave vectors of the path"),
            "path_marks": Variable(("corner",), np.array([m[0] for m in marks]), "1/a_h", "corners of the path"),
            "path_names": Variable(("corner",), np.array([m[1] for m in marks]), "1", "their names")}


def band_data(hamiltonian: Hamiltonian,
              frames: Frames) -> tuple[dict[str, Variable], dict[str, EffectiveMass] | None]:
    """Bands of every channel along the path, and its effective mass.

    A uniform state (one wave per block) has no path; its bands are left out, as are those of large bases.
    """
    setting = hamiltonian.setting
    basis, torus = setting.basis, setting.tori[0]
    if basis.coefficients == 1 or basis.size > MOST_WAVES:
        return {}, None
    data = path_data(basis)
    k = data["path_k"].values
    masses: dict[str, EffectiveMass] = {}
    for c, channel in enumerate(setting.channels):
        energy = bands_at(hamiltonian, frames, c, k)
        data[f"bands_{c}"] = Variable(("path_point", f"band_{c}"), energy, "Ha_h", f"Fock bands of {channel.label}")
        fermi_k = float(np.sqrt(4 * np.pi * channel.orbitals / torus.area))
        largest = min(fermi_k, 0.9 * float(np.linalg.norm(basis.cell.reciprocal[0])) / 2)
        mass, misfit = effective_mass(k, energy[:, 0], largest)
        bare = torus.species[channel.components[0]].mass
        masses[channel.label] = EffectiveMass(mass, None if mass is None else mass / bare, (0.0, largest), misfit)
    return data, masses
