"""Two parts of what a torus lacks: the shells of free carriers, and the zero-point energy of a plasmon.

    E_inf = E_N + sum_a (T_inf - T_N)_free + c r_s^{-3/2} N^{-5/4} Ha per electron,

c = 0.671 on the triangular torus, 0.675 on the square one, for one layer of one carrier, r_s and Ha in that carrier's
own atomic units. It is the limit of large r_s; all of it, for liquids, is in `liquid_size`. In a liquid of as many
electrons as holes the plasmon is the one of opposite motion, omega^2 = 2 pi n q/mu at q d << 1 with the reduced mass
mu, and energies count per pair.

Source: Chiesa et al., PRL 97, 076404 (2006); in two dimensions Drummond et al., PRB 78, 125106 (2008).
"""

from __future__ import annotations

import numpy as np

from ehbilayer.errors import InputError
from ehbilayer.monte_carlo.orbitals import Waves, plane_waves
from ehbilayer.monte_carlo.trial import ON_SITES, Trial
from ehbilayer.numerics.lattice import Cell

PLASMON = {"triangular": 0.671, "square": 0.675}


def free_kinetic(cell: Cell, waves: Waves, mass: float) -> float:
    """(T_inf - T_N) of one flavour in Ha_h: n A k_F^2/4m less the sum over its ``waves`` of k^2/2m."""
    count = len(waves.squares)
    fermi = 4 * np.pi * count / cell.area
    return float((count * fermi / 2 - waves.squares.sum()) / (2 * mass))


def liquid_shells(trial: Trial, phase: str) -> float | None:
    """What the shells of the carriers that are a liquid lack, Ha_h of the box; None for open shells."""
    torus, total = trial.torus, 0.0
    for block in trial.blocks:
        s = torus.species[block.species]
        if s.charge in ON_SITES.get(phase, ()):
            continue
        try:
            waves = plane_waves(torus.box, block.count, f"{s.name}s", trial.twist)
        except InputError:
            return None
        total += free_kinetic(torus.box, waves, s.mass)
    return total


def plasmon(trial: Trial) -> float | None:
    """The zero-point energy of the plasmon that is missing, Ha_h of the box; None for other shapes of it.

    omega^2 = 2 pi q sum_a n_a/m_a, all charges of one sign against the others, at q d << 1.
    """
    torus = trial.torus
    shape = torus.shape if isinstance(torus.shape, str) else ""
    if shape not in PLASMON or torus.bilayer.interaction.name != "coulomb":
        return None
    stiffness = sum(s.count / s.mass for s in torus.species if s.count) / torus.area
    # c r_s^{-3/2} N^{-1/4} Ha of one carrier of N particles, with n/m = N/(A m) in place of the stiffness
    return float(PLASMON[shape] * np.pi**0.75 * np.sqrt(stiffness) * torus.area**-0.25)
