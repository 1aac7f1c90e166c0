"""Dai and Fu, Fig. S5: polarised electrons at low density, from random orbitals, form dumbbells on every hole."""

from __future__ import annotations

import numpy as np

from ehbilayer.papers.dai_fu import trions
from ehbilayer.papers.densities import sites, sixfold
from ehbilayer.papers.record import Figure, Reproduction, Results, Row, Studies, said

RANDOM, PLACED, RESTRICTED = "dai-fu-s5", "dai-fu-s5-placed", "dai-fu-s5-restricted"
LOW = 16.0  # r_s of the holes
MOST = 0.9  # least share of the holes with exactly two maxima of the electrons


def studies(quick: bool) -> Studies:
    """Random orbitals; placed dumbbells and restricted electrons to compare. Quick: 9 holes, a loose stop."""
    box, tolerance = (trions.SMALL_BOX, 1e-2) if quick else (trions.BOX, 1e-3)
    mesh = box | {"symmetry": "crystal"}
    return {RANDOM: trions.trions(box, LOW, electron_spin="polarized", start="random", tolerance=tolerance),
            PLACED: trions.trions(mesh, LOW, electron_spin="polarized", start="dumbbell-crystal"),
            RESTRICTED: trions.trions(mesh, LOW, start="trion-crystal")}


def draw(results: Results) -> Figure:
    """Electrons on the left, holes on the right, on one scale."""
    return trions.density_page("polarised electrons at low density (Dai and Fu, Fig. S5)", results[RANDOM])


def rows(results: Results) -> list[Row]:
    """Two electrons and a hole in each group, their lattice, and that polarised electrons lie lower."""
    energy = {name: r.energy_per_particle for name, r in results.items()}
    count, order = trions.shares(results[RANDOM]), sixfold(results[RANDOM])
    two = float(np.mean(count == 2))
    return [said("dumbbells of two electrons and one hole", two > MOST,
                 f"{100 * two:.0f} % of {len(count)} holes have two maxima of the electrons"),
            said("on an approximate triangular lattice", order > trions.ORDERED,
                 f"{len(sites(results[RANDOM]))} holes, six-fold order {order:.3f}"),
            said("polarised lower than restricted", max(energy[RANDOM], energy[PLACED]) < energy[RESTRICTED],
                 f"{energy[RANDOM]:.6f} random, {energy[PLACED]:.6f} placed, {energy[RESTRICTED]:.6f} Ha_h restricted")]


def caption(results: Results) -> str:
    """What is drawn."""
    return (f"{trions.description(results[RANDOM])}; m_e = 0.8 m0, m_h = 0.4 m0, d = 4.83 a_h. Started from random "
            "orbitals. For comparison on the triangular lattice of this box, one trion per cell: dumbbells, all "
            "parallel, and restricted electrons. Energies are per particle. The lattice from random orbitals counts "
            f"as triangular from a mean six-fold order of {trions.ORDERED:g} on (random points: 0.36); dumbbells of "
            "all directions distort it.")


FIGURE = Reproduction("dai-fu:s5", "dumbbell trions of polarised electrons", f"{trions.SUPPLEMENT}, Fig. S5", studies,
                      draw, rows, caption)
