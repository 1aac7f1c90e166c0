"""Order parameters of a Hartree-Fock state: Bragg weight of each layer and spin order, from its density matrix."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ehbilayer.numerics.lattice import Cell, crystal_cell
from ehbilayer.results.base import Result


def bragg_vectors(box: Cell, sites: int) -> np.ndarray:
    """Shortest reciprocal vectors of the crystal of ``sites`` sites in the box, as integer waves (n, 2) of the box."""
    supercell = crystal_cell(box, sites)  # box = S cell, so the cell's reciprocal vectors are the rows of S^T
    steps = np.array([s for s in itertools.product(range(-2, 3), repeat=2) if any(s)])
    waves = steps @ supercell.T
    length = np.linalg.norm(waves @ box.reciprocal, axis=1)
    return waves[length < 1.01 * length.min()]


def density_waves(result: Result, waves: np.ndarray) -> dict[str, np.ndarray]:
    """Fourier components <rho_G> = sum_n f_n sum_kappa c_n*(kappa) c_n(kappa + G) per channel label, shape (n,).

    ``waves`` are integer vectors G (n, 2) of the box; a channel's flavours are counted together.
    """
    known = result.data["waves"].values
    where = {tuple(w): i for i, w in enumerate(known.tolist())}
    shifted = np.array([[where.get((i + g, j + h), -1) for i, j in known.tolist()] for g, h in waves.tolist()])
    found = {}
    for c, channel in enumerate(result.inputs["channels"]):
        x = result.data[f"orbitals_{c}"].values
        f = result.data[f"occupations_{c}"].values * channel["degeneracy"]
        moved = np.where(shifted[:, None] >= 0, x[:, shifted].swapaxes(0, 1), 0.0)
        found[channel["label"]] = np.einsum("n,nk,gnk->g", f, x.conj(), moved)
    return found


def bragg_weights(result: Result, sites: int) -> dict[str, float]:
    """<|rho_G|^2>/N^2 of each species, averaged over the shortest reciprocal vectors of the hole lattice.

    0 in a liquid, exp(-G^2 w^2/2) for Gaussian densities exp(-r^2/w^2), 1 for points.
    """
    waves = density_waves(result, bragg_vectors(Cell(np.array(result.inputs["box"])), sites))
    return {name: float(np.mean(np.abs(sum(rho for label, rho in waves.items() if _of(label, name))) ** 2))
            / s["count"] ** 2 for name, s in _species(result).items()}


def spin_orders(result: Result) -> dict[str, float | None]:
    """Largest |<S_G>|/N over the reciprocal vectors of the computed cell, S = rho_up - rho_down; 1 for full order.

    None where a species has no two determinants (restricted or polarised spins).
    """
    steps = np.array(list(itertools.product(range(-2, 3), repeat=2)))
    waves = density_waves(result, steps @ np.array(result.inputs["supercell"]).T)
    found: dict[str, float | None] = {}
    for name, s in _species(result).items():
        mine = [rho for label, rho in waves.items() if _of(label, name)]
        found[name] = float(np.abs(mine[0] - mine[1]).max()) / s["count"] if len(mine) == 2 else None
    return found


def _species(result: Result) -> dict[str, dict[str, Any]]:
    return {s["name"]: s for s in result.inputs["species"] if s["count"]}


def _of(label: str, name: str) -> bool:
    return label == name or label.startswith(name + " ")
