"""m_h/m_e = 10, polarised, d = 1 a_h: does an electron liquid on a hole crystal survive correlation?"""

from __future__ import annotations

from ehbilayer.papers.correlation import points
from ehbilayer.papers.record import Figure, Reproduction, Results, Studies

BILAYER = {"electron_mass": 0.1, "hole_mass": 1.0, "spacing": 1}
CANDIDATES = ["liquid", "hole-crystal", "condensate"]
ERRORS = {10.0: 1e-3, 20.0: 5e-4, 30.0: 3e-4}  # r_s -> target in Ha_h


def studies(quick: bool) -> Studies:
    """One for each density."""
    return points.studies("correlation-mass-ratio", BILAYER, CANDIDATES, ERRORS, quick)


def draw(results: Results) -> Figure:
    """Energies above the lowest."""
    return points.draw(results, "mass ratio 10, polarised, d = 1 a_h, by Monte Carlo")


def caption(results: Results) -> str:
    """What is drawn."""
    return ("Energies per pair above the lowest, fixed-node diffusion Monte Carlo of 7 polarised electrons and 7 holes "
            "ten times as heavy, d = 1 a_h, triangular torus, with standard errors. Not varied: nodes, twists, size.")


FIGURE = Reproduction("correlation:mass-ratio", "liquid, hole crystal and pairs at mass ratio 10, by Monte Carlo",
                      points.SOURCE, studies, draw, points.rows, caption)
