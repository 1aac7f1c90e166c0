"""Equal masses, polarised, d = 1 a_h: plasma, crystal and pairs by Monte Carlo from r_s = 2 to 30."""

from __future__ import annotations

from ehbilayer.papers.correlation import points
from ehbilayer.papers.record import Figure, Reproduction, Results, Studies

BILAYER = {"electron_mass": 1.0, "hole_mass": 1.0, "spacing": 1}
CANDIDATES = "liquid crystal condensate".split()
ERRORS = {4.0: 1e-3, 8.0: 1e-3, 2.0: 2e-3, 15.0: 5e-4, 3.0: 1.5e-3, 30.0: 3e-4}  # r_s -> target in Ha_h


def studies(quick: bool) -> Studies:
    """One for each density."""
    return points.studies("correlation-equal-masses", BILAYER, CANDIDATES, ERRORS, quick)


def draw(results: Results) -> Figure:
    """Energies above the lowest."""
    return points.draw(results, "equal masses, polarised, d = 1 a_h, by Monte Carlo")


def caption(results: Results) -> str:
    """What is drawn."""
    return ("Energies per pair above the lowest, fixed-node diffusion Monte Carlo of 7 polarised electrons and 7 holes "
            "of equal mass, d = 1 a_h, triangular torus, with standard errors. Not varied: nodes, twists, size.")


FIGURE = Reproduction("correlation:equal-masses", "plasma, crystal and pairs at equal masses, by Monte Carlo",
                      points.SOURCE, studies, draw, points.rows, caption)
