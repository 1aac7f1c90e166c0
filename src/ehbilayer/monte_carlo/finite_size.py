"""From N particles to infinitely many: the free gas' shells and the zero-point energy of the plasmon that is missing.

    E_inf = E_N + sum_a (T_inf - T_N)_free + c r_s^{-3/2} N^{-5/4} Ha per electron,

c = 0.671 on the triangular torus, 0.675 on the square one, for one layer of one carrier, r_s and Ha in that carrier's
own atomic units. In a liquid of as many electrons as holes the plasmon is the one of opposite motion, omega^2 = 2 pi n
q/mu at q d << 1 with the reduced mass mu, and energies count per pair. A fluid of excitons has no such mode, its error
falls as N^{-3/2} with a factor that nobody knows; crystals and pairs are left as they are.

Source: Chiesa et al., PRL 97, 076404 (2006); in two dimensions Drummond et al., PRB 78, 125106 (2008).
"""

from __future__ import annotations

import numpy as np

from ehbilayer.monte_carlo.orbitals import Waves
from ehbilayer.monte_carlo.trial import Trial
from ehbilayer.numerics.lattice import Cell

PLASMON = {"triangular": 0.671, "square": 0.675}


def free_kinetic(cell: Cell, waves: Waves, mass: float) -> float:
    """(T_inf - T_N) of one flavour in Ha_h: n A k_F^2/4m less the sum over its ``waves`` of k^2/2m."""
    count = len(waves.squares)
    fermi = 4 * np.pi * count / cell.area
    return float((count * fermi / 2 - waves.squares.sum()) / (2 * mass))


def correction(trial: Trial) -> float | None:
    """E_inf - E_N in Ha_h of the box; None where the formula is not known: pairs, crystals, unequal layers."""
    torus = trial.torus
    present = [s for s in torus.species if s.count]
    shape = torus.shape if isinstance(torus.shape, str) else ""
    balanced = len(present) == 2 and {s.charge for s in present} == {1, -1} and len({s.count for s in present}) == 1
    if trial.name != "liquid" or not (len(present) == 1 or balanced) or shape not in PLASMON:
        return None
    shells = sum(free_kinetic(torus.box, f.waves, torus.species[f.block.species].mass) for f in trial.factors)
    mass, count = 1 / sum(1 / s.mass for s in present), present[0].count
    rs = mass * np.sqrt(torus.area / (np.pi * count))
    # c r_s^{-3/2} N^{-5/4} Ha per particle or pair, Ha = m Ha_h
    return float(shells + mass * PLASMON[shape] * rs**-1.5 * count**-0.25)
