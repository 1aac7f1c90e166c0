"""Dai and Fu, Fig. S6: light unrestricted electrons from random orbitals become singlets by themselves."""

from __future__ import annotations

from ehbilayer.papers.dai_fu import trions
from ehbilayer.papers.densities import sites, sixfold
from ehbilayer.papers.record import Figure, Reproduction, Results, Row, Studies, said

RANDOM, PLACED = "dai-fu-s6", "dai-fu-s6-placed"
DENSE = 7.0  # r_s of the holes
VISIBLE = 1e-2  # of the largest density
LOWER, SLIGHTLY = 1e-6, 0.01  # Ha_h, above the errors of both energies; of the energy


def studies(quick: bool) -> Studies:
    """Random orbitals, and trions placed on the lattice, clean and with noise. Quick: 9 holes, a loose stop."""
    box, tolerance = (trions.SMALL_BOX, 1e-3) if quick else (trions.BOX, 1e-6)
    spin = {"electron_spin": "unrestricted"}
    return {RANDOM: trions.trions(box, DENSE, trions.LIGHT, start="random", tolerance=tolerance, **spin),
            PLACED: trions.trions(box | {"symmetry": "crystal"}, DENSE, trions.LIGHT, start="trion-crystal", starts=2,
                                  **spin)}


def draw(results: Results) -> Figure:
    """All electrons on the left, their spin density on the right."""
    return trions.density_page("unrestricted light electrons (Dai and Fu, Fig. S6)", results[RANDOM], spin=True)


def rows(results: Results) -> list[Row]:
    """Singlets, their lattice, and what a placed crystal gives."""
    result, placed = results[RANDOM], results[PLACED]
    share, order = trions.spin_share(result), sixfold(result)
    whole = trions.on_holes(result)
    below = result.energy_per_particle - placed.energy_per_particle
    gap = placed.gap
    return [said("both spins of the electrons have the same density", share < VISIBLE,
                 f"differ by {share:.1g} of the largest density"),
            said("electrons and holes on top of each other, on an approximate triangular lattice",
                 whole and order > trions.ORDERED, f"{len(sites(result))} sites, six-fold order {order:.3f}"),
            said("placed trions end slightly lower", LOWER < below < SLIGHTLY * abs(placed.energy_per_particle),
                 f"by {below:.2g} Ha_h of {placed.energy_per_particle:.6f} per particle"),
            said("placed trions are gapped", min(gap.values()) > 0,
                 f"{gap.electron:.5f} (electrons) and {gap.hole:.5f} Ha_h (holes)"),
            said("placed trions stay singlets, from noise too", trions.spin_share(results[PLACED]) < VISIBLE,
                 f"spins differ by {trions.spin_share(results[PLACED]):.1g}")]


def caption(results: Results) -> str:
    """What is drawn."""
    return (f"{trions.description(results[RANDOM])}; m_e = 0.25 m0, m_h = m0, d = 0.5 a_h. Started from random "
            "orbitals, different for both spins. The spin density is drawn on the scale of the density, from minus to "
            "plus its largest value. For comparison trions placed on the triangular lattice of this box, clean and "
            "with noise, one per cell. The paper does not give the dielectric constant, which matters in meV only.")


FIGURE = Reproduction("dai-fu:s6", "spin-singlet trions of light unrestricted electrons",
                      f"{trions.SUPPLEMENT}, Fig. S6", studies, draw, rows, caption)
