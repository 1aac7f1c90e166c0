"""What a state with pairs is: its condensate, its crystal order, and the name of its phase."""

from __future__ import annotations

import numpy as np

from ehbilayer.hartree_fock.coherence.field import Matrices, MeanField
from ehbilayer.hartree_fock.order import bragg_vectors, phase_name
from ehbilayer.orbitals import Orbitals
from ehbilayer.torus import Torus

CONDENSED = 1e-6  # condensate fraction above which there is a condensate
CRYSTAL = 0.01  # |rho_G|^2/N^2 of a determinant above which it is a crystal


def condensate_fraction(mean: MeanField, matrices: Matrices) -> float:
    """sum |K|^2 over the number of holes, between 0 and 1: what off-diagonal long-range order of pairs is in mean
    field, also in a crystal."""
    g, total = mean.basis.coefficients, 0.0
    for sector, r in zip(mean.sectors, matrices, strict=True):
        if sector.paired:
            total += sector.channel.degeneracy * float(np.sum(np.abs(r[:, :g, g:]) ** 2))
    return total / sum(s.count for s in mean.torus.species if s.charge > 0)


def coherent_phase(torus: Torus, orbitals: Orbitals, fraction: float) -> str:
    """The name of a state: ``supersolid`` where a condensate and a crystal of some flavour are there, ``condensate`` or
    ``imbalanced-condensate`` where no flavour is one, else that of the normal state.

    A crystal of excitons with electrons between them is a ``composite-crystal``.
    """
    vectors = bragg_vectors(orbitals.box, torus.sites)
    waves = orbitals.density_waves(vectors)
    numbers = {d.label: d.degeneracy * d.occupations.sum() for d in orbitals.determinants}
    weights = [float(np.mean(np.abs(waves[label]) ** 2)) / n**2 for label, n in numbers.items()]
    if fraction > CONDENSED:
        if max(weights) > CRYSTAL:
            return "supersolid"
        return "condensate" if sum(s.charge * s.count for s in torus.species) == 0 else "imbalanced-condensate"
    name = phase_name(torus, orbitals)
    if name == "dumbbell-crystal":
        holes = sum(waves[d.label] for d in orbitals.determinants if d.carrier == "hole")
        overlaps = [float(np.vdot(holes, waves[d.label]).real) for d in orbitals.determinants if d.carrier != "hole"]
        if min(overlaps) < 0:  # of the middle of a triangle each wave is -1/2 of that on the sites
            return "composite-crystal"
    return name
