"""Nashabeh and Fu, Fig. S7: a triangular crystal of holes in a rectangular box, from random orbitals."""

from __future__ import annotations

from typing import Any

from ehbilayer.papers import densities as states
from ehbilayer.papers.record import Figure, Reproduction, Results, Row, Studies, said

STUDY, PLACED = "nashabeh-fu-s7", "nashabeh-fu-s7-placed"
ORDERED = 0.7  # least mean six-fold order of a triangular crystal; random points have 0.36


def studies(quick: bool) -> Studies:
    """From random orbitals, and for comparison from a triangular crystal with and without noise."""
    def one(start: str, starts: int) -> dict[str, Any]:
        return states.hartree_fock(1.0, 2.0, states.over_critical(0.8), states.RECTANGULAR, start=start, starts=starts,
                                   tolerance=1e-4 if quick else 1e-5)

    return {STUDY: one("random", 1 if quick else 3), PLACED: one("crystal", 2)}


def draw(results: Results) -> Figure:
    """Charge and both densities, from random orbitals above."""
    return states.maps("rectangular box, d = 1 aₕ, mₕ/mₑ = 2, n/n* = 0.8 (Nashabeh and Fu, Fig. S7)",
                       {"from random orbitals": results[STUDY], "from a triangular crystal": results[PLACED]},
                       ("charge", "hole", "electron"))


def rows(results: Results) -> list[Row]:
    """Whether random orbitals become a triangular crystal of all holes."""
    result = results[STUDY]
    order, found = states.sixfold(result), len(states.sites(result))
    return [said("a triangular crystal forms from random orbitals", order > ORDERED and found == states.HOLES,
                 f"{found} sites, six-fold order {order:.3f}"),
            said("its name by the depletion of the Fermi sea is hole-crystal",
                 result.phase == "hole-crystal", str(result.phase))]


def caption(results: Results) -> str:
    """What is drawn."""
    s = results[STUDY]
    return ("36 polarised holes and 36 electrons (restricted) in a rectangular torus (height/width sqrt(3)/2, which a "
            f"triangular crystal of 6 x 6 fits), {s.basis_size} waves, zero mode none, r_s = "
            f"{states.rs_hole(results[STUDY]):.2f} a_h. {states.CRITICAL} (r_s* = {s.critical_rs:.3f}). Energies per "
            f"particle from random orbitals: {states.energies(results[STUDY])}; from a triangular crystal, without and "
            f"with noise: {states.energies(results[PLACED])} Ha_h. Six-fold order of the lowest of these two: "
            f"{states.sixfold(results[PLACED]):.3f}. The electrons' open shell makes weak stripes, along which the "
            "crystal of holes bends.")


FIGURE = Reproduction("nashabeh-fu:s7", "a hole crystal in a rectangular box", f"{states.SUPPLEMENT}, Fig. S7", studies,
                      draw, rows, caption)
