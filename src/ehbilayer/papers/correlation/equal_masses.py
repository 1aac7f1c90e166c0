"""Equal masses, polarised, d = 1 a_h: plasma, crystal and pairs by Monte Carlo from r_s = 1 to 15."""

from __future__ import annotations

from ehbilayer.papers.correlation.points import HOLES, by_rs, figure

BILAYER = {"electron_mass": 1.0, "hole_mass": 1.0, "spacing": 1}
ERRORS = {4.0: 5e-4, 8.0: 5e-4, 2.0: 1e-3, 15.0: 4e-4, 3.0: 8e-4, 6.0: 5e-4, 1.0: 2e-3}  # r_s -> target in Ha_h

FIGURE = figure("equal-masses", "plasma, crystal and pairs at equal masses", "equal masses, polarised, d = 1 a_h",
                f"{HOLES} polarised electrons and {HOLES} holes of equal mass, d = 1 a_h. Not varied: nodes, twists, "
                "size.", by_rs("correlation-equal-masses", BILAYER, "crystal", ERRORS))
