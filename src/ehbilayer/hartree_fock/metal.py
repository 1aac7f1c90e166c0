"""Metals: orbitals beside empty levels close by, for which the kinetic energy says little about how soft a change is.

The Hessian of the energy between an orbital i and a level a is about e_a - e_i, with Fock levels of a state nearby. A
minimiser that is told so needs half of the iterations or fewer: by (k^2/2m + s)^-1 it has to learn of each small gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ehbilayer.hamiltonian import EnergyProblem, Hamiltonian
from ehbilayer.hartree_fock.spectrum import Levels, crystal_levels
from ehbilayer.numerics.minimize import Frames, orthonormalise
from ehbilayer.terms import Array

SOFTEST = 0.5  # s over the mean kinetic energy: of levels this close interactions decide, not their distance
MOST_WAVES = 60  # of a block whose levels are worth it


@dataclass(frozen=True, eq=False)
class Inverse:
    """The inverse of g f_i (|e_a - e_i| + s) between orbitals i and levels a; vectors (K, a, g), scale (K, i, a)."""

    vectors: np.ndarray
    scale: np.ndarray

    def __call__(self, z: Array) -> Array:
        """Applied to z (1, K, i, g)."""
        along = np.matmul(z, np.swapaxes(self.vectors.conj(), -1, -2)) * self.scale
        return np.matmul(along, self.vectors)


def energy_problem(hamiltonian: Hamiltonian, frames: Sequence[np.ndarray],
                   levels: Sequence[Levels | None] | None = None) -> tuple[EnergyProblem, Frames]:
    """What a minimiser sees, and where it begins: frames (1, K, n, g) that span what ``frames`` (K, n, g) do.

    Channels that are metals in a crystal get the preconditioner by ``levels`` of a state nearby, or by those of the
    frames.
    """
    setting, xp = hamiltonian.setting, hamiltonian.setting.fourier.xp
    begin = [xp.asarray(x)[None] for x in frames]
    basis = setting.basis
    if basis.real or not 1 < basis.coefficients <= MOST_WAVES or setting.fourier.backend != "numpy":
        return EnergyProblem(hamiltonian), tuple(begin)
    metals = [c for c, x in enumerate(setting.fillings) if len(setting.parts_of(c)) == 1 and np.any(x.f != x.f[:, :1])]
    if metals:
        begin = [orthonormalise(np, x) for x in begin]
    inverses = {}
    for c in metals:
        known = None if levels is None else levels[c]
        here = known or crystal_levels(hamiltonian, tuple(begin), c)
        begin[c], inverses[c] = _at_levels(hamiltonian, begin[c], c, here)
    return EnergyProblem(hamiltonian, inverses), tuple(begin)


def _at_levels(hamiltonian: Hamiltonian, x: Array, channel: int, levels: Levels) -> tuple[Array, Inverse]:
    """Orbitals of the same occupation turned so that F is diagonal among them, and the inverse between them and all
    levels."""
    filling = hamiltonian.setting.fillings[channel]
    assert levels.vectors is not None
    vectors, energy = levels.vectors[filling.blocks], levels.energy[filling.blocks]
    energy = np.where(np.isfinite(energy), energy, energy[np.isfinite(energy)].max())
    overlap = np.matmul(x[0].conj(), np.swapaxes(vectors, -1, -2))  # <x_i|v_a>, (K, n, a)
    fock = np.matmul(overlap * energy[:, None], np.conj(np.swapaxes(overlap, -1, -2)))
    f, apart = filling.f, 10 * float(np.ptp(energy)) + 1.0
    fock *= np.abs(f[:, :, None] - f[:, None]) < 1e-9
    i = np.arange(f.shape[1])
    fock[:, i, i] -= apart * f  # the fuller ones come first
    own, turn = np.linalg.eigh(fock)
    order = np.argsort(-f, axis=1, kind="stable")
    own = own + apart * np.take_along_axis(f, order, axis=1)
    turned = np.matmul(np.conj(np.swapaxes(turn, -1, -2)), x[0])
    back = np.argsort(order, axis=1)
    own, turned = np.take_along_axis(own, back, axis=1), np.take_along_axis(turned, back[..., None], axis=1)
    degeneracy = hamiltonian.setting.channels[channel].degeneracy
    soft = SOFTEST * float(hamiltonian.kinetic_scale(channel)[0])
    weight = degeneracy * np.maximum(f, 0.05)[:, :, None]
    return turned[None], Inverse(vectors, 1 / (weight * (np.abs(energy[:, None] - own[:, :, None]) + soft)))
