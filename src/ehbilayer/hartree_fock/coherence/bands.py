"""Quasiparticle bands of a state with pairs along lines of high symmetry.

As in `hartree_fock.bands`: between the mesh' own k points exchange and pairing are interpolated by minimal images of
the relative position on the torus.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ehbilayer.hartree_fock.bands import MOST_WAVES, nearest_blocks, path_data
from ehbilayer.hartree_fock.coherence.field import Matrices, MeanField
from ehbilayer.hartree_fock.coherence.filling import Filled
from ehbilayer.results.base import Variable
from ehbilayer.terms.density_matrix import Kernel
from ehbilayer.terms.exchange import Exchange

BANDS = 4  # on either side of the gap


def coherent_bands(mean: MeanField, matrices: Matrices, filled: tuple[Filled, ...],
                   zeros: Sequence[float]) -> dict[str, Variable]:
    """Those of every determinant of the orbitals, energies from ``zeros`` as in `report.seen_by`.

    Nothing for a uniform state, and for bases of more than MOST_WAVES.
    """
    basis = mean.basis
    if basis.coefficients == 1 or basis.size > MOST_WAVES:
        return {}
    data = path_data(basis)
    k = data["path_k"].values @ np.linalg.inv(basis.box.reciprocal)
    potential = mean.potential(mean.density(matrices))
    number = 0
    for c, (sector, found) in enumerate(zip(mean.sectors, filled, strict=True)):
        hamiltonian = _Sector(mean, matrices[c], potential, c, 0.0 if np.isnan(found.mu) else found.mu)
        apart = sector.paired and np.isnan(found.mu)
        for component in range(len(sector.counts)):
            part = component if apart else None
            energy = hamiltonian.bands(k, found, part)
            energy = (energy if component == 0 else -energy[:, ::-1]) - zeros[number]
            what = "Fock bands" if np.isnan(found.mu) else "quasiparticle bands"
            data[f"bands_{number}"] = Variable(("path_point", f"band_{number}"), energy, "Ha_h",
                                               f"{what} of {sector.labels[component]}")
            number += 1
    return data


class _Sector:
    """H of one sector at any k."""

    def __init__(self, mean: MeanField, matrix: np.ndarray, potential: np.ndarray, c: int, mu: float) -> None:
        self.mean, self.c, g = mean, c, mean.basis.coefficients
        self.operators = [mean.local(c, potential), *(operators[c] for operators in mean.further)]
        self.kernels = {(m.component, n.component): Kernel(mean.convolution(m, n), matrix[
            :, m.component * g : (m.component + 1) * g, n.component * g : (n.component + 1) * g])
            for m in mean.setting.parts_of(c) for n in mean.setting.parts_of(c)
            if m.component <= n.component and Exchange in mean.among}
        self.shift = 0.5 * mu * np.concatenate([np.full(g, 1 if i == 0 else -1.0)
                                                for i in range(len(mean.sectors[c].counts))])

    def at(self, block: int, shifts: np.ndarray) -> np.ndarray:
        """H - mu S/2 of a block moved by ``shifts`` (T, 2) in torus integers, (T, S g, S g)."""
        basis = self.mean.basis
        k = (basis.waves[basis.index[block]] + shifts[:, None]) @ basis.box.reciprocal
        out = self.mean.kinetic(self.c, k) + 0j
        for operator in self.operators:
            out = out + operator.at(block, shifts)
        g = basis.coefficients
        for (a, b), kernel in self.kernels.items():
            exchange = kernel.at(block, shifts)
            out[:, a * g : (a + 1) * g, b * g : (b + 1) * g] += exchange
            if a != b:
                out[:, b * g : (b + 1) * g, a * g : (a + 1) * g] += np.conj(np.swapaxes(exchange, 1, 2))
        i = np.arange(out.shape[-1])
        out[:, i, i] -= self.shift
        return out

    def bands(self, k: np.ndarray, filled: Filled, component: int | None) -> np.ndarray:
        """The BANDS levels on either side of the gap, (n, 2 BANDS), NaN where there are fewer; of one component, or of
        the whole."""
        basis, g = self.mean.basis, self.mean.basis.coefficients
        block, shift = nearest_blocks(basis, k)
        parts = len(self.mean.sectors[self.c].counts)
        out = np.full((len(k), 2 * BANDS), np.nan)
        for b in np.unique(block):
            mine = np.flatnonzero(block == b)
            chosen = slice(None) if component is None else slice(component * g, (component + 1) * g)
            there = np.flatnonzero(np.concatenate([basis.mask[b]] * parts) > 0)
            there = np.intersect1d(there, np.arange(parts * g)[chosen])
            levels = np.linalg.eigvalsh(self.at(int(b), shift[mine])[:, there[:, None], there[None]])
            n = int(filled.occupied[b, chosen].sum())
            low, high = max(n - BANDS, 0), min(n + BANDS, levels.shape[1])
            out[mine, low - n + BANDS : high - n + BANDS] = levels[:, low:high]
        return out
