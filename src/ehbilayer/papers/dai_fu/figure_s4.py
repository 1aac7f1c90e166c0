"""Dai and Fu, Fig. S4: restricted electrons from random orbitals end in a crystal of trions with defects."""

from __future__ import annotations

from ehbilayer.papers.dai_fu import trions
from ehbilayer.papers.densities import energies, sites, sixfold
from ehbilayer.papers.record import Figure, Reproduction, Results, Row, Studies, judged, said

RANDOM, PLACED = "dai-fu-s4", "dai-fu-s4-placed"
FEW_TENTHS = (0.1, 0.9)  # per cent
SAME = 1e-4  # per cent, far above the errors of both energies


def studies(quick: bool) -> Studies:
    """Random orbitals, and trions placed on the lattice in the same box; quick: 9 holes and a loose stop."""
    box, tolerance = (trions.SMALL_BOX, 1e-4) if quick else (trions.BOX, 1e-6)
    return {RANDOM: trions.trions(box, start="random", starts=1 if quick else 2, tolerance=tolerance),
            PLACED: trions.trions(box | {"symmetry": "crystal"}, start="trion-crystal")}


def draw(results: Results) -> Figure:
    """Electrons on the left, holes on the right, on one scale."""
    return trions.density_page("restricted electrons from random orbitals (Dai and Fu, Fig. S4)", results[RANDOM])


def above(results: Results) -> float:
    """How far the lowest random start ends above the placed crystal, in per cent of its energy."""
    placed = results[PLACED].energy_per_particle
    return float(100 * (results[RANDOM].energy_per_particle - placed) / abs(placed))


def rows(results: Results) -> list[Row]:
    """Order, trions, and the energy above the perfect crystal."""
    result = results[RANDOM]
    count, order = len(sites(result)), sixfold(result)
    whole = trions.on_holes(result)
    return [said("electrons and holes are on top of each other", whole,
                 f"{count} sites, maxima at most {trions.farthest(result):.3f} lattice spacings apart"),
            said("an approximate triangular lattice", order > trions.ORDERED, f"six-fold order {order:.3f}"),
            judged("energy above the placed crystal (%)", "a few tenths", above(results), FEW_TENTHS,
                   f"{above(results):.3f}"),
            said("no random start ends below the placed crystal", above(results) > -SAME, energies(result))]


def caption(results: Results) -> str:
    """What is drawn."""
    return (f"{trions.description(results[RANDOM])}; m_e = 0.8 m0, m_h = 0.4 m0, d = 4.83 a_h. Started from random "
            f"orbitals; energies per particle {energies(results[RANDOM])} Ha_h, against "
            f"{results[PLACED].energy_per_particle:.6f} from trions placed on the triangular lattice of this box; the "
            "lowest is drawn. Which defects appear depends on the seed.")


FIGURE = Reproduction("dai-fu:s4", "trions from random orbitals, restricted", f"{trions.SUPPLEMENT}, Fig. S4", studies,
                      draw, rows, caption)
