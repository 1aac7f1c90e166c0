"""Nashabeh and Fu, Fig. S8: at low density the crystal of excitons gives way to stripes of bi-excitons."""

from __future__ import annotations

from typing import Any

import numpy as np

from ehbilayer import HartreeFockResult
from ehbilayer.papers import densities as states
from ehbilayer.papers.record import NEW, Figure, Reproduction, Results, Row, Studies, said

FREE, RESTRICTED, OTHER, LATTICE = ("nashabeh-fu-s8", "nashabeh-fu-s8-restricted", "nashabeh-fu-s8-triangular",
                                    "nashabeh-fu-s8-lattice")
NAMES = {FREE: "rectangular box, from random orbitals", RESTRICTED: "the same, restricted electrons",
         OTHER: "triangular box, from random orbitals",
         LATTICE: "rectangular box, from a lattice"}
IN_STRIPES = 0.8  # least share of holes with two near partners
PAIRED = 1.3  # least ratio of the second nearest distance to the nearest one that counts as pairs


def studies(quick: bool) -> Studies:
    """Random starts in two boxes, and the crystal that a clean lattice leads to."""
    tolerance = 1e-3 if quick else 1e-5

    def one(cell: dict[str, Any], start: str, starts: int, spin: str = "unrestricted") -> dict[str, Any]:
        return states.hartree_fock(1.0, 8.0, states.over_critical(0.1), cell, electron_spin=spin, start=start,
                                   starts=starts, tolerance=tolerance)

    return {FREE: one(states.RECTANGULAR, "random", 1 if quick else 3),
            RESTRICTED: one(states.RECTANGULAR, "random", 1, "restricted"), OTHER: one(states.TRIANGULAR, "random", 1),
            LATTICE: one(states.RECTANGULAR, "crystal", 1)}


def draw(results: Results) -> Figure:
    """Charge, both densities and spins of the three states."""
    return states.maps("d = 1 aₕ, mₕ/mₑ = 8, n/n* = 0.1 (Nashabeh and Fu, Fig. S8)",
                       {text: results[name] for name, text in NAMES.items()}, ("charge", "hole", "electron", "spin"))


def census(result: HartreeFockResult) -> str:
    """How many holes have how many near partners."""
    counts = np.bincount(states.partners(result))
    return ", ".join(f"{n} with {k}" for k, n in enumerate(counts) if n)


def _pairing(result: HartreeFockResult) -> str:
    return f"second over first distance {states.alternation(result):.2f}"


def rows(results: Results) -> list[Row]:
    """Whether the lattice melts, into what, and by how much that is lower."""
    near = states.partners(results[FREE])
    lower = results[LATTICE].energy_per_particle - results[FREE].energy_per_particle
    paired = states.alternation(results[FREE])
    found = [said("a state without a clean lattice is lower", lower > 0, f"by {lower:.6f} Ha_h per particle"),
             said("its holes and electrons stand in stripes", float(np.mean(near == 2)) > IN_STRIPES,
                  f"near partners of the holes: {census(results[FREE])}"),
             said("its stripes are made of pairs (bi-excitons)", paired > PAIRED, _pairing(results[FREE])),
             Row("pairs with restricted electrons", "", _pairing(results[RESTRICTED]), NEW),
             Row("near partners with restricted electrons", "", census(results[RESTRICTED]), NEW),
             Row("near partners in the triangular box", "", census(results[OTHER]), NEW),
             Row("pairs in the triangular box", "", _pairing(results[OTHER]), NEW),
             Row("near partners in the lattice", "", census(results[LATTICE]), NEW)]
    return found


def caption(results: Results) -> str:
    """What is drawn."""
    parts = ["36 polarised holes and 18 + 18 electrons (unrestricted unless said), zero mode none.",
             f"{states.CRITICAL}."]
    for name, text in NAMES.items():
        s = results[name]
        parts.append(f"{text.capitalize()}: r_s* = {s.critical_rs:.3f}, r_s = {states.rs_hole(results[name]):.2f} a_h, "
                     f"{s.basis_size} waves, {100 * s.edge_occupation:.1f} % at the edge, energies per particle "
                     f"of the starts {states.energies(results[name])} Ha_h.")
    parts.append(f"Near means closer than {states.NEAR:g} spacings of a triangular lattice "
                 f"({states.NEAR * states.lattice_spacing(results[FREE]):.1f} a_h in the rectangular box): one such "
                 "partner is a lone bi-exciton, two a stripe. In the triangular box other seeds end in other patterns "
                 "of almost the same energy. The paper does not give its box or its starts.")
    return " ".join(parts)


FIGURE = Reproduction("nashabeh-fu:s8", "stripes of bi-excitons at low density", f"{states.SUPPLEMENT}, Fig. S8",
                      studies, draw, rows, caption)
