"""Nashabeh and Fu, Fig. S5: the coupled crystal of electrons and holes, started from a triangular lattice."""

from __future__ import annotations

import numpy as np

from ehbilayer.papers import densities as states
from ehbilayer.papers.record import Figure, Reproduction, Results, Row, Studies, said

STUDY = "nashabeh-fu-s5"
BROKEN = 1e-3  # relative difference of Bragg amplitudes, above which the symmetry counts as broken


def studies(quick: bool) -> Studies:
    """The state next to the lattice: one clean start."""
    return {STUDY: states.hartree_fock(1.0, 8.0, states.over_critical(0.1), states.TRIANGULAR,
                                       electron_spin="unrestricted", start="crystal",
                                       tolerance=1e-4 if quick else 1e-6)}


def draw(results: Results) -> Figure:
    """Charge, both densities, and the electrons' spin."""
    return states.maps("coupled crystal (Nashabeh and Fu, Fig. S5)",
                       {"d = 1 aₕ, mₕ/mₑ = 8, n/n* = 0.1": results[STUDY]}, ("charge", "hole", "electron", "spin"))


def spread(amplitudes: np.ndarray) -> float:
    """(largest - smallest)/largest."""
    return float(np.ptp(amplitudes) / amplitudes.max())


def rows(results: Results) -> list[Row]:
    """Both layers are crystals, their triangle is slightly broken by the spins."""
    result, order = results[STUDY], states.sixfold(results[STUDY])
    broken = {s: spread(states.bragg(result, s)) for s in ("hole", "electron")}
    return [said("both layers are crystals", result.phase == "crystal", str(result.phase)),
            said("holes on a triangular lattice", order > 0.9, f"six-fold order {order:.3f}"),
            said("spins break the triangular symmetry", broken["electron"] > BROKEN,
                 f"Bragg amplitudes differ by {100 * broken['electron']:.1f} % (electrons), "
                 f"{100 * broken['hole']:.1f} % (holes)")]


def caption(results: Results) -> str:
    """What is drawn."""
    s = results[STUDY]
    return (f"36 polarised holes and 18 + 18 electrons (unrestricted), triangular torus, {s.basis_size} waves, zero "
            f"mode none, r_s = {states.rs_hole(results[STUDY]):.2f} a_h. {states.CRITICAL} (r_s* = "
            f"{s.critical_rs:.3f}). Neighbouring rows have opposite electron spins. Energy per particle "
            f"{s.energy_per_particle:.6f} Ha_h; waves at the edge hold {100 * s.edge_occupation:.1f} %, above the 1 % "
            "of the paper: more waves would lower it. This state is a saddle of the free box: noise on it leads to "
            "the chains of Fig. S8, which are lower.")


FIGURE = Reproduction("nashabeh-fu:s5", "coupled crystal of electrons and holes", f"{states.SUPPLEMENT}, Fig. S5",
                      studies, draw, rows, caption)
